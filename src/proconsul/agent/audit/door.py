"""Audits every request at the front door, when that is configured."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

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
# How long a stop waits for servers to say whose the last requests were.
SETTLE_S = 1.0


class Who(Protocol):
    """Whose requests are; see `agent.api.rights.Rights`."""

    def known(self, request: Request) -> bool:
        """Whether `token_of` says all there is to be said; else `learn` comes first."""

    async def learn(self, request: Request) -> None:
        """Find out whose the token of a request is, which a client agent asks of servers."""

    def token_of(self, request: Request) -> ACLToken | None:
        """The token of a request, as far as this agent knows it."""

    def is_secret(self, text: str) -> bool:
        """Whether ``text`` is a token's secret, as far as this agent knows tokens."""


class AuditedDoor:
    """Implements the HTTP engine's Application: as the door behind it, and tells ``sinks`` what was done."""

    def __init__(
        self, door: Application, sinks: list[Sink], who: Who,
        *, clock_ns: Callable[[], int] = time.time_ns, new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:  # fmt: skip
        self._door, self._sinks, self._who = door, sinks, who
        self._clock_ns, self._new_id = clock_ns, new_id
        # Lines of which it is still being asked who it was.
        self._asking: set[asyncio.Task[None]] = set()

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
            outer.on_cancel, outer.on_hurry = partial(self._left, operation, request, answer, decided), answer.hurry
            answer.when_done(lambda response: outer.resolve(self._complete(operation, request, response, decided)))
            return outer
        return self._later(operation, request, answer, decided)

    def _left(
        self, operation: events.AuditedOperation, request: Request, answer: Deferred, decided: list[Decided]
    ) -> None:  # fmt: skip
        """Whoever asked is gone; what it asked for may be done all the same."""
        answer.cancel()
        self._tell(operation, request, events.LEFT, decided)

    async def _later(
        self, operation: events.AuditedOperation, request: Request, answer: Awaitable[Response], decided: list[Decided]
    ) -> Response:  # fmt: skip
        try:
            with collecting(decided):
                response = await finished(answer)
        except asyncio.CancelledError:
            self._tell(operation, request, events.LEFT, decided)
            raise
        return self._complete(operation, request, response, decided)

    def _operation(self, request: Request) -> events.AuditedOperation:
        operation = events.AuditedOperation(
            self._new_id(), request.method, masked_path(request.path, self._who.is_secret), request.peer,
            request.header("user-agent"), request.header("host"), "", "", "",
        )  # fmt: skip
        return self._named(operation, request)

    def _named(self, operation: events.AuditedOperation, request: Request) -> events.AuditedOperation:
        """With whose it is, as far as that is known by now."""
        token = None if operation.accessor_id else self._who.token_of(request)
        if token is None:
            return operation
        return operation._replace(
            accessor_id=token.AccessorID, description=token.Description, method=token.AuthMethod
        )  # fmt: skip

    def _complete(
        self, operation: events.AuditedOperation, request: Request, response: Response, decided: list[Decided]
    ) -> Response:  # fmt: skip
        self._tell(operation, request, response.status, decided)
        return response

    def _tell(
        self, operation: events.AuditedOperation, request: Request, status: int, decided: list[Decided]
    ) -> None:  # fmt: skip
        """Tell that it is complete. What a client agent only passes on it has not asked yet whose it was."""
        operation, at_ns = self._named(operation, request), self._clock_ns()
        if operation.accessor_id or self._who.known(request):
            self._put(events.line(operation, events.COMPLETE, at_ns, status, decided))
            return

        async def ask() -> None:
            try:
                await self._who.learn(request)
            finally:
                self._put(events.line(self._named(operation, request), events.COMPLETE, at_ns, status, decided))

        task = asyncio.get_running_loop().create_task(ask())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def settle(self) -> None:
        """Have all that was done in the queues; what no server has said by then is told without whose it was."""
        if self._asking:
            _, slow = await asyncio.wait(self._asking, timeout=SETTLE_S)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    def _put(self, text: bytes) -> None:
        for sink in self._sinks:
            sink.put(text)
