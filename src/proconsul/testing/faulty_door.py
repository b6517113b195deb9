"""The front door of a test agent with faults that the test asks for: `DoorFaults`, and `FaultyDoor`, which has them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from proconsul.engine.http.protocol import Application
from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Answer, Route
from proconsul.features.web import finished

__all__ = ["DoorFaults", "FaultyDoor", "NodeDown"]

# As the original says them.
NO_LEADER = "No cluster leader"
LOST_IN_WRITE = "rpc error making call: leadership lost while committing log"
DENIED = "Permission denied"
DISK_FULL = "write /consul/data/raft/raft.db: no space left on device"


class NodeDown(ConnectionResetError):
    """What a request to a failed node ends with, where there is no socket to be reset."""


@dataclass(slots=True)
class DoorFaults:
    """What is wrong now; times are seconds of the agent's clock.

    ``denied``: secrets of tokens that may do nothing, "" for requests without one.
    ``lost_writes``: so many of the next writes are done, and their answer says that the leader was lost.
    ``refusals``: answers for the next requests, whatever they are.
    """

    down: bool = False
    leaderless: bool = False
    disk_full: bool = False
    disk_s: float = 0.0
    answer_s: float = 0.0
    lost_writes: int = 0
    denied: set[str] = field(default_factory=set)
    refusals: list[tuple[int, str]] = field(default_factory=list)

    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(
            self.down or self.leaderless or self.disk_full or self.disk_s or self.answer_s or self.lost_writes
            or self.denied or self.refusals
        )  # fmt: skip


class FaultyDoor:
    """Implements the HTTP engine's Application: as the door behind it while nothing is wrong."""

    faults: DoorFaults

    def __init__(self, door: Application) -> None:
        self._door = door
        self.faults = DoorFaults()

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
        """See `Application`."""
        return self._faulty(request) if self.faults.any() else self._door.handle(request)

    async def answer(self, request: Request) -> Response:
        """Answer a request of this process. Raises NodeDown."""
        if self.faults.down:
            raise NodeDown(f"the node has failed: {request.method} {request.path} has no answer")
        self.route(request)
        return await finished(self.handle(request))

    async def _faulty(self, request: Request) -> Response:
        faults = self.faults
        if faults.answer_s > 0:
            await asyncio.sleep(faults.answer_s)
        if faults.refusals:
            status, text = faults.refusals.pop(0)
            return text_response(status, text)
        if _token(request) in faults.denied:
            return text_response(403, DENIED)
        if faults.leaderless and _needs_leader(request):
            return text_response(500, NO_LEADER)
        if _writes(request):
            if faults.disk_full:
                return text_response(500, DISK_FULL)
            if faults.disk_s > 0:
                await asyncio.sleep(faults.disk_s)
            if faults.lost_writes > 0:
                faults.lost_writes -= 1
                await finished(self._door.handle(request))
                return text_response(500, LOST_IN_WRITE)
        return await finished(self._door.handle(request))


def _token(request: Request) -> str:
    bearer = request.header("authorization")
    bearer = bearer[7:] if bearer[:7].lower() == "bearer " else ""
    return request.get("token") or request.header("x-consul-token") or bearer


def _is_local(request: Request) -> bool:
    """Whether an agent answers for itself."""
    return not request.path.startswith("/v1/") or request.path.startswith("/v1/agent/")


def _needs_leader(request: Request) -> bool:
    return not _is_local(request) and not (request.method == "GET" and request.has("stale"))


def _writes(request: Request) -> bool:
    return request.method not in ("GET", "HEAD", "OPTIONS") and not _is_local(request)
