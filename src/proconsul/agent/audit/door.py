"""Audits every request at the front door, when that is configured."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable

from proconsul.agent.audit import events
from proconsul.agent.audit.sinks import Sink
from proconsul.agent.doors.frontdoor import masked_path
from proconsul.engine.http.protocol import Application
from proconsul.engine.http.request import Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Route
from proconsul.features.acl.decisions import Decided, collecting
from proconsul.features.acl.model import ACLToken
from proconsul.features.web import finished

FULL = "The audit log cannot be written, and nothing is done without it"


class AuditedDoor:
    """Implements the HTTP engine's Application: as the door behind it, and tells ``sinks`` what was done.

    ``who``: the token of a request, as far as this agent knows it.
    """

    def __init__(
        self, door: Application, sinks: list[Sink], who: Callable[[Request], ACLToken | None],
        *, clock_ns: Callable[[], int] = time.time_ns, new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:  # fmt: skip
        self._door, self._sinks, self._who = door, sinks, who
        self._clock_ns, self._new_id = clock_ns, new_id

    @property
    def logs_requests(self) -> bool:
        return self._door.logs_requests

    def route(self, request: Request) -> Route | None:
        return self._door.route(request)

    def body_bytes_max(self, request: Request) -> int:
        return self._door.body_bytes_max(request)

    def log(self, request: Request, status: int, seconds: float) -> None:
        self._door.log(request, status, seconds)

    def handle(self, request: Request) -> Answer:
        if any(sink.refuses for sink in self._sinks):
            response = text_response(503, FULL)
            response.headers["Retry-After"] = "1"
            return response
        operation = self._operation(request)
        self._put(events.line(operation, events.START, self._clock_ns()))
        with collecting() as decided:
            answer = self._door.handle(request)
        if isinstance(answer, Response):
            return self._complete(operation, request, answer, decided)
        if isinstance(answer, Deferred):
            outer = Deferred()
            outer.on_cancel, outer.on_hurry = answer.cancel, answer.hurry
            answer.when_done(lambda response: outer.resolve(self._complete(operation, request, response, decided)))
            return outer
        return self._later(operation, request, answer, decided)

    async def _later(
        self, operation: events.AuditedOperation, request: Request, answer: Awaitable[Response], decided: list[Decided]
    ) -> Response:  # fmt: skip
        with collecting(decided):
            response = await finished(answer)
        return self._complete(operation, request, response, decided)

    def _operation(self, request: Request) -> events.AuditedOperation:
        token = self._who(request)
        return events.AuditedOperation(
            self._new_id(), request.method, masked_path(request.path), request.peer,
            request.header("user-agent"), request.header("host"),
            token.AccessorID if token is not None else "", token.Description if token is not None else "",
            token.AuthMethod if token is not None else "",
        )  # fmt: skip

    def _complete(
        self, operation: events.AuditedOperation, request: Request, response: Response, decided: list[Decided]
    ) -> Response:  # fmt: skip
        if not operation.accessor_id:
            # A client agent has learnt by now who it was.
            token = self._who(request)
            if token is not None:
                operation = operation._replace(
                    accessor_id=token.AccessorID, description=token.Description, method=token.AuthMethod
                )
        self._put(events.line(operation, events.COMPLETE, self._clock_ns(), response.status, decided))
        return response

    def _put(self, text: bytes) -> None:
        for sink in self._sinks:
            sink.put(text)
