"""The node's dealings with other servers: sending what the core decided, answering requests, moving snapshots."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, BinaryIO

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.catch_up import CatchUp
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.errors import RaftError, StorageError, TransportError, UnsupportedRpcError, WireError
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteResponse,
    Request,
    RequestVoteResponse,
    Response,
    TimeoutNowResponse,
)
from proconsul.engine.raft.meter import RaftMeter
from proconsul.engine.raft.restoring import Install, prepare_restore
from proconsul.engine.raft.snapshots import SnapshotMeta
from proconsul.engine.raft.startup import newest_snapshot
from proconsul.engine.raft.state import RaftState
from proconsul.engine.raft.stores import Stores
from proconsul.engine.raft.transport import Body, Respond, Transport
from proconsul.engine.threads import on_thread

_log = logging.getLogger("agent.server.raft")


class Peers:
    """Owned by one RaftNode."""

    def __init__(
        self,
        state: RaftState,
        stores: Stores,
        transport: Transport | None,
        step: Callable[[ev.Event], None],
        meter: RaftMeter,
    ) -> None:
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._state = state
        self._cache = stores.cache
        self._log = stores.log
        self._snapshots = stores.snapshots
        self._fsm = stores.fsm
        self._transport = transport
        self._disk = stores.disk
        self._step = step
        self._next_request = 0
        self._responders: dict[int, tuple[Respond, Body | None]] = {}
        self._began: dict[int, tuple[Request, float]] = {}
        self._received: dict[tuple[int, int], tuple[BinaryIO, Install]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._behind: dict[str, CatchUp] = {}

    def open(self) -> None:
        """Begin to serve peers."""
        if self._transport is not None:
            self._transport.set_handler(self._handle)

    async def stop(self) -> None:
        """Stop serving."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for reader, _ in self._received.values():
            reader.close()
        if self._transport is not None:
            await self._transport.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- requests of peers -------------------------------------------------------------------------------------------

    def _handle(self, request: Request, body: Body | None, respond: Respond) -> None:
        self._next_request += 1
        self._responders[self._next_request] = (respond, body)
        self._began[self._next_request] = request, self._loop.time()
        self._step(ev.Received(self._next_request, request))

    def reply(self, effect: ev.Reply) -> None:
        """Answer a request."""
        respond, body = self._responders.pop(effect.request_id)
        request, began = self._began.pop(effect.request_id)
        self._meter.served(request, self._loop.time() - began)
        if body is None:
            respond(effect.response, effect.error)
        else:
            # The sender has sent, or will send, all bytes in any case.
            self._spawn(_drain(body, respond, effect.response, effect.error))

    def receive_snapshot(self, effect: ev.ReceiveSnapshot) -> None:
        """Take in a snapshot's bytes."""
        respond, body = self._responders[effect.request_id]
        self._responders[effect.request_id] = (respond, None)
        self._spawn(self._receive(effect.request_id, effect.request, body))

    async def _receive(self, request_id: int, request: InstallSnapshotRequest, body: Body | None) -> None:
        try:
            configuration = Configuration.decode(request.configuration)
            await self._store(request, configuration, body)
        except (RaftError, OSError) as error:
            _log.warning("failed to store a snapshot: index=%d error=%s", request.last_log_index, error)
            # The leader reads no answer before all is sent: what is left of it has to be taken.
            respond, _ = self._responders[request_id]
            self._responders[request_id] = (respond, body)
            self._step(ev.SnapshotFailed(request_id, str(error)))
        else:
            self._step(ev.SnapshotStored(request_id, request, configuration))
            leftover = self._received.pop((request.last_log_index, request.last_log_term), None)
            if leftover is not None:
                leftover[0].close()

    async def _store(self, request: InstallSnapshotRequest, configuration: Configuration, body: Body | None) -> None:
        if body is None:
            raise WireError("snapshot without contents")
        sink = await on_thread(
            self._snapshots.create,
            request.last_log_index,
            request.last_log_term,
            configuration,
            request.configuration_index,
        )
        size = 0
        try:
            async for chunk in body:
                size += len(chunk)
                await on_thread(sink.write, chunk)
            if size != request.size:
                raise StorageError(f"failed to receive whole snapshot: received {size} of {request.size} bytes")
            await on_thread(sink.finish)
            meta = await on_thread(sink.commit)
            await on_thread(self._snapshots.reap)
            reader = await on_thread(self._snapshots.open, meta)
        except BaseException:
            sink.cancel()
            raise
        try:
            install = await prepare_restore(self._fsm, reader)
        except Exception as error:  # A state that cannot be read stops the node, but only if the core wants it.
            install = partial(_refuse, error)
        self._received[(request.last_log_index, request.last_log_term)] = (reader, install)

    def received(self, index: int, term: int) -> tuple[BinaryIO, Install]:
        """The contents of the snapshot just stored, to be closed, and how to put them into the state machine."""
        return self._received.pop((index, term))

    # -- requests to peers -------------------------------------------------------------------------------------------

    def _target(self, server_id: str) -> Server:
        # A server that was just removed may still be owed a last message; its transport resolves the id.
        return self._state.configuration.get(server_id) or Server(Suffrage.NONVOTER, server_id, "")

    def _request(
        self, server_id: str, request: Request, body: Body | None, done: Callable[[Response | TransportError], None]
    ) -> None:
        if self._transport is None:
            done(TransportError("no transport"))
        else:
            self._transport.send(self._target(server_id), request, body, done)

    def failed(self, send: ev.Send | ev.SendAppend | ev.SendSnapshot, result: object) -> None:
        self._step(ev.SendFailed(send, isinstance(result, UnsupportedRpcError)))

    def send(self, effect: ev.Send) -> None:
        """Send an election message."""

        def done(result: Response | TransportError) -> None:
            if isinstance(result, RequestVoteResponse | PreVoteResponse | TimeoutNowResponse):
                self._step(ev.VoteResponded(effect.to, effect.message, result))
            else:
                self.failed(effect, result)

        self._request(effect.to, effect.message, None, done)

    def send_append(self, effect: ev.SendAppend) -> None:
        """Send entries; a follower whose entries are no longer in memory catches up, keeping the order."""
        if effect.heartbeat:
            self.send_entries(effect, None, partial(self._appended, effect))
            return
        behind = self._behind.get(effect.to)
        if behind is None:
            count = effect.last_index - effect.prev_index
            entries = self._cache.get(effect.prev_index + 1, effect.last_index)
            if len(entries) == count <= self._state.config.append_entries_max:
                self.send_entries(effect, tuple(entries), partial(self._appended, effect))
                return
            behind = self._behind[effect.to] = CatchUp(self, partial(self._caught_up, effect.to))
        behind.add(effect)

    def _caught_up(self, peer: str) -> None:
        self._behind.pop(peer, None)

    def _appended(self, effect: ev.SendAppend, result: Response | TransportError) -> None:
        if isinstance(result, AppendEntriesResponse):
            self.responded(effect, result)
        else:
            self.failed(effect, result)

    def wanted(self, effect: ev.SendAppend) -> bool:
        """See `catch_up.Source`; so for the methods below."""
        state = self._state
        leads = state.is_leader and state.term == effect.term
        return leads and state.configuration.get(effect.to) is not None

    def appended_bytes(self) -> int:
        return self._cache.appended_bytes

    def cached(self, first: int, last: int) -> Sequence[LogEntry]:
        return self._cache.get(first, last)

    def read(self, first: int, last: int, bytes_max: int) -> asyncio.Future[list[LogEntry]]:
        return self._disk.read(lambda: self._log.read(first, last, bytes_max))

    def responded(self, effect: ev.SendAppend, response: AppendEntriesResponse) -> None:
        count = None if effect.heartbeat else effect.last_index - effect.prev_index
        self._meter.replicated(effect.to, count, self._loop.time() - effect.sent_at)
        self._step(ev.AppendResponded(effect, response))

    def send_entries(
        self, effect: ev.SendAppend, entries: tuple[LogEntry, ...] | None,
        done: Callable[[Response | TransportError], None],
    ) -> None:  # fmt: skip
        state = self._state
        request = AppendEntriesRequest(
            effect.term, state.address_bytes, effect.prev_index, effect.prev_term, entries, effect.commit,
            id=state.id_bytes, addr=state.address_bytes,
        )  # fmt: skip
        self._request(effect.to, request, None, done)

    def send_snapshot(self, effect: ev.SendSnapshot) -> None:
        """Send the newest snapshot."""
        self._spawn(self._send_snapshot(effect))

    async def _send_snapshot(self, effect: ev.SendSnapshot) -> None:
        try:
            found = await on_thread(newest_snapshot, self._snapshots, lambda text: None)
        except StorageError as error:
            self.failed(effect, error)
            return
        if found is None:
            self.failed(effect, None)
            return
        meta, reader = found

        def done(result: Response | TransportError) -> None:
            reader.close()
            if isinstance(result, InstallSnapshotResponse):
                self._step(ev.SnapshotResponded(effect, meta.index, result))
            else:
                _log.warning("failed to send a snapshot: to=%s index=%d error=%s", effect.to, meta.index, result)
                self.failed(effect, result)

        self._request(effect.to, self._snapshot_request(effect, meta), _contents(reader), done)

    def _snapshot_request(self, effect: ev.SendSnapshot, meta: SnapshotMeta) -> InstallSnapshotRequest:
        state = self._state
        return InstallSnapshotRequest(
            effect.term,
            state.address_bytes,
            meta.index,
            meta.term,
            meta.configuration.encode_peers(),
            meta.configuration.encode(),
            meta.configuration_index,
            meta.size,
            id=state.id_bytes,
            addr=state.address_bytes,
        )


def _refuse(error: Exception) -> None:
    raise error


# Read and sent at once: each piece costs a change of threads.
SENT_BYTES = 1 << 20


async def _contents(reader: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await on_thread(reader.read, SENT_BYTES):
        yield chunk


async def _drain(body: Body, respond: Respond, response: Response, error: str) -> None:
    try:
        async for _ in body:
            pass
    except TransportError:
        return
    respond(response, error)
