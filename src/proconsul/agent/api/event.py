"""/v1/event (HTTP API: event)."""

from __future__ import annotations

import asyncio
import uuid

from proconsul.agent.api.rights import Rights
from proconsul.agent.hooks.events import EventLog, UserEvent, encode, index_of, validate
from proconsul.engine.http.request import Deferred, Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.event.model import FIRE, EventFireRequest
from proconsul.features.options import read_waiting
from proconsul.features.web import Web, text_error

# A list that waits does so for ten minutes unless told otherwise.
WAIT_DEFAULT_NS = 600 * SECOND_NS


class EventRoutes:
    """Handlers of /v1/event/*."""

    def __init__(self, web: Web, events: EventLog, rights: Rights) -> None:
        self.web, self._events, self._rights = web, events, rights

    def register(self, router: Router) -> None:
        router.add("/v1/event/fire/", {"PUT": self.fire})
        router.add("/v1/event/list", {"GET": self.list_events})

    async def fire(self, request: Request) -> Response:
        if not request.params:
            raise BadRequest("Missing name")
        event = UserEvent(
            ID=str(uuid.uuid4()), Name=request.params, Payload=request.body or None,
            NodeFilter=request.get("node"), ServiceFilter=request.get("service"), TagFilter=request.get("tag"),
        )  # fmt: skip
        validate(event)
        args = EventFireRequest(
            Datacenter=self.web.datacenter_of(request),
            Name=event.Name,
            Payload=encode(event),
            Token=self.web.token(request),
        )
        await self.web.gate.call(FIRE, args)  # only servers put events into the pool
        return self.web.json(request, event)

    def list_events(self, request: Request) -> Answer:
        min_index, wait_ns = read_waiting(request)
        answer, index = self._list(request)
        if not min_index or index != min_index:
            return answer
        deferred = Deferred()

        def changed() -> None:
            current, current_index = self._list_waited(request)
            if current_index != min_index:
                finish(current)

        def finish(response: Response | None = None) -> None:
            self._events.forget(deferred)
            timer.cancel()
            deferred.resolve(response if response is not None else self._list_waited(request)[0])

        wait_s = self.web.gate.wait_s(wait_ns or WAIT_DEFAULT_NS)
        timer = asyncio.get_running_loop().call_later(wait_s, finish)
        self._events.wait(deferred, changed)
        deferred.on_cancel = deferred.on_hurry = finish
        return deferred

    def _list_waited(self, request: Request) -> tuple[Response, int]:
        """As `_list`, for who has waited: the token may have ended by now, and that is an answer too."""
        try:
            return self._list(request)
        except ConsulError as error:
            return text_error(error), -1

    def _list(self, request: Request) -> tuple[Response, int]:
        events = [
            event for event in self._events.events(request.get("name")) if self._rights.sees_event(request, event.Name)
        ]
        index = index_of(events[-1].ID) if events else 1
        return self.web.json(request, events, headers={"X-Consul-Index": str(index)}), index
