"""Saving and restoring the state as an archive: here, through the leader, and for others on snapshot connections.

Everything that touches a disk or a compressor runs on threads; archives pass through files without a name.
"""

from __future__ import annotations

import asyncio
import io
import logging
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any, BinaryIO, Protocol, TypeVar

import msgpack as msgpack_c
import msgspec

from proconsul.engine.raft.archive import ArchiveError, read_archive, write_archive
from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferInProgressError,
    NotLeaderError,
    RaftError,
    SnapshotCorruptError,
    StorageError,
)
from proconsul.engine.raft.fsm import FSMSnapshot
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import SnapshotMeta
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.rpc.server import Peer
from proconsul.engine.streams import put, put_eof
from proconsul.engine.threads import on_thread
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.hostport import Address
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError, Unanswered
from proconsul.features.snapshot.model import SNAPSHOT, Saved, SnapshotOp, SnapshotRequest, SnapshotResponse
from proconsul.server.config import ServerConfig
from proconsul.server.forwarding import Forwarding, Way
from proconsul.server.fsm import FSM
from proconsul.server.gate import Gate

log = logging.getLogger("agent.server.snapshot")

T = TypeVar("T")
PIECE_BYTES = 256 << 10
SNAPSHOT_VERSION = 1
# Request and response are a token and a few names; what is longer is none of ours.
RECORD_BYTES_MAX = 64 << 10
# A snapshot connection that is not done by then never will be: gigabytes over a slow line take minutes.
CONNECTION_TIMEOUT_S = 1800.0
# A server that is waited for is asked so often whether it still runs, and given up when it does not answer in time.
LOOK_S, LOOK_TIMEOUT_S = 2.0, 5.0
# How often a restore begins anew when its leader is deposed meanwhile.
_RESTORE_ATTEMPTS = 3
# An archive is asked for as long as a leader is waited for, and this often at least: that one stands still is found
# out more slowly.
_SAVE_ATTEMPTS = 2
_PAUSE_S = 0.25
_DEPOSED = (NotLeaderError, LeadershipLostError, LeadershipTransferInProgressError)


class StateHolder(Protocol):
    """A server, as far as the archives of its state go."""

    config: ServerConfig
    wall_clock_ns: Callable[[], int]
    fsm: FSM

    @property
    def raft(self) -> RaftNode: ...

    def knows(self) -> tuple[bool, int]:
        """See `server.gate.Authority`."""

    async def when_ready(self, deadline_s: float) -> bool:
        """Wait for the duties of a leader to begin; whether they have."""


class LocalArchives:
    """Archives of a server's own state."""

    def __init__(self, server: StateHolder) -> None:
        self._server = server
        # One at a time: each needs the size of the state on disk, and a share of the processor.
        self._one = asyncio.Lock()

    async def save(self) -> Saved:
        """The state of now. Raises ConsulError."""
        server, raft = self._server, self._server.raft
        async with self._one:
            index, term = raft.applied_index, raft.applied_term
            configuration_index, configuration = raft.committed_configuration
            now_s = server.wall_clock_ns() / SECOND_NS
            meta = SnapshotMeta(f"{term}-{index}-{int(now_s * 1000)}", index, term, configuration, configuration_index)
            captured = server.fsm.snapshot()
            try:
                archive, size = await on_thread(_pack, captured, meta, int(now_s))
            except OSError as error:
                raise ConsulError(f"failed to create snapshot archive: {error}") from None
        known_leader, last_contact_ns = server.knows()
        response = SnapshotResponse(Index=index, LastContact=last_contact_ns, KnownLeader=known_leader)
        return Saved(response, archive, size)

    async def restore(self, archive: BinaryIO) -> None:
        """Restore as leader. Raises ConsulError and RaftError; then nothing has changed."""
        server = self._server
        async with self._one:
            try:
                meta, state = await on_thread(_unpack, archive)
                with state:
                    await server.raft.user_restore(meta, state)
            except (ArchiveError, SnapshotCorruptError) as error:
                raise ConsulError(str(error)) from None
            except (msgpack.DecodeError, StorageError, OSError) as error:
                raise ConsulError(f"failed to restore snapshot: {error}") from None
        log.info("restored user snapshot: index=%d", meta.index)
        # The duties begin anew behind a barrier: then a quorum has the restored state, and nobody can lose it any more.
        while not await server.when_ready(server.config.rpc_hold_timeout_s):
            if not server.raft.core.state.is_leader:
                raise ConsulError("leadership was lost after the restore, which may or may not be kept")
            log.warning("the restored snapshot is not yet on a quorum of servers, waiting: index=%d", meta.index)


class Asker(Protocol):
    """A node that may have to ask another one for its archive."""

    config: ServerConfig
    gate: Gate
    forwarding: Forwarding
    pool: ConnectionPool | None

    def knows(self) -> tuple[bool, int]:
        """See `server.gate.Authority`."""


class SnapshotArchives:
    """`SnapshotService` of a server, and of a client agent, which has no ``local`` ones and so asks servers."""

    def __init__(self, node: Asker, local: LocalArchives | None) -> None:
        self._server, self._local = node, local

    async def save(self, args: SnapshotRequest) -> Saved:
        """See `SnapshotService`."""
        loop = asyncio.get_running_loop()
        until, attempts = loop.time() + self._server.config.rpc_hold_timeout_s, 0
        while True:
            way = await self._server.gate.whom_to_ask(args.Datacenter, stale=args.AllowStale)
            if self._local is not None and way is None:
                await self._server.gate.admit(SNAPSHOT, args)
                return await self._local.save()
            try:
                return await self._forward_save(args, way or self._server.forwarding.home)
            except Unanswered as error:
                attempts += 1
                if attempts >= _SAVE_ATTEMPTS and loop.time() >= until:
                    raise
                log.warning("asking again for a snapshot: error=%s", error)
            await asyncio.sleep(_PAUSE_S)

    async def restore(self, args: SnapshotRequest, archive: BinaryIO) -> None:
        """See `SnapshotService`."""
        if args.AllowStale:
            raise ConsulError("stale not allowed for restore")
        for attempts_left in reversed(range(_RESTORE_ATTEMPTS)):
            archive.seek(0)
            way = await self._server.gate.whom_to_ask(args.Datacenter, stale=args.AllowStale)
            if self._local is None or way is not None:
                await self._forward_restore(args, archive, way or self._server.forwarding.home)
                return
            await self._server.gate.admit(SNAPSHOT, args)
            try:
                await self._local.restore(archive)
                return
            except RaftError as error:
                # Nothing has changed. To unpack takes seconds; who was elected meanwhile gets it instead.
                if not attempts_left or not isinstance(error, _DEPOSED):
                    raise ConsulError(f"failed to restore snapshot: {error}") from None
                log.warning("leadership was lost before the restore, trying again: error=%s", error)

    # ------------------------------------------------------------------ through another server

    async def _forward_save(self, args: SnapshotRequest, way: Way) -> Saved:
        address, reader, writer = await self._ask(args, way)

        async def received() -> Saved:
            put_eof(writer)
            response, rest = await _read_record(reader, SnapshotResponse)
            _raise_error(response)
            archive: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
            try:
                size = await _receive(reader, rest, archive)
                # A server that is killed ends the connection like one that has sent everything.
                await on_thread(read_archive, archive)
                await on_thread(archive.seek, 0)
            except BaseException:
                archive.close()
                raise
            return Saved(response, archive, size)

        try:
            return await self._while_it_runs(address, received(), way)
        except (OSError, TimeoutError, ArchiveError) as error:
            raise Unanswered(f"failed to read snapshot: {error}") from None
        except msgpack.DecodeError as error:
            raise ConsulError(str(error)) from None
        finally:
            writer.close()

    async def _forward_restore(self, args: SnapshotRequest, archive: BinaryIO, way: Way) -> None:
        address, reader, writer = await self._ask(args, way)

        async def answered() -> SnapshotResponse:
            await _send(archive, writer)
            put_eof(writer)
            return (await _read_record(reader, SnapshotResponse))[0]

        try:
            response = await self._while_it_runs(address, answered(), way)
        except msgpack.DecodeError as error:
            raise ConsulError(str(error)) from None
        except (OSError, TimeoutError) as error:
            raise ConsulError(f"failed to send snapshot: {error}") from None
        finally:
            writer.close()
        _raise_error(response)

    async def _while_it_runs(self, address: Address, work: Coroutine[Any, Any, T], way: Way) -> T:
        """What comes of ``work`` with the server at ``address``, unless that one stands still: its kernel would go on
        taking what it is sent. Raises TimeoutError then."""
        node = self._server
        assert node.pool is not None
        task = asyncio.ensure_future(work)
        try:
            async with asyncio.timeout(CONNECTION_TIMEOUT_S):
                while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
                    alive = await node.pool.ping(address, timeout_s=LOOK_TIMEOUT_S, tls=way.tls())
                    if not alive and not task.done():
                        way.failed(address)
                        raise TimeoutError(f"{address} does not answer")
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _ask(
        self, args: SnapshotRequest, way: Way
    ) -> tuple[Address, asyncio.StreamReader, asyncio.StreamWriter]:  # fmt: skip
        """Whom was asked, and a connection on which the request is said. Raises ConsulError."""
        pool, address = self._server.pool, way.choose()
        if address is None or pool is None:
            raise way.unavailable()
        try:
            reader, writer = await pool.open_snapshot(address, tls=way.tls())
        except RpcFailure as error:
            way.failed(address)
            raise Unanswered(str(error)) from None
        put(writer, msgpack.encode(self._server.gate.leaving(args, way)))
        return address, reader, writer

    # ------------------------------------------------------------------ for others

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        """One snapshot connection, from behind its first byte to its end."""
        try:
            async with asyncio.timeout(CONNECTION_TIMEOUT_S):
                saved = await self._answer(reader)
        except (ConsulError, msgpack.DecodeError, TimeoutError, OSError) as error:
            log.error("Error handling snapshot request: conn=%s error=%s", peer, error)
            put(writer, msgpack.encode(SnapshotResponse(Error=str(error) or "timeout")))
            await writer.drain()
            return
        put(writer, msgpack.encode(saved.response))
        with saved.archive:
            await _send(saved.archive, writer)

    async def _answer(self, reader: asyncio.StreamReader) -> Saved:
        args, rest = await _read_record(reader, SnapshotRequest)
        if args.Op == SnapshotOp.SAVE:
            return await self.save(args)
        if args.Op != SnapshotOp.RESTORE:
            raise ConsulError(f"unrecognized snapshot op {args.Op}")
        with tempfile.TemporaryFile() as archive:
            await _receive(reader, rest, archive)
            await self.restore(args, archive)
        return Saved(SnapshotResponse(KnownLeader=self._server.knows()[0]), io.BytesIO(), 0)


def _pack(captured: FSMSnapshot, meta: SnapshotMeta, now_s: int) -> tuple[BinaryIO, int]:
    """The archive, on a thread. Raises OSError."""
    with tempfile.TemporaryFile() as state:
        for piece in captured.persist():
            state.write(piece)
        size = state.tell()
        state.seek(0)
        archive: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
        try:
            write_archive(archive, msgspec.structs.replace(meta, size=size).to_json(), state, size, now_s)
            archive_bytes = archive.tell()
            archive.seek(0)
        except BaseException:
            archive.close()
            raise
    return archive, archive_bytes


def _unpack(archive: BinaryIO) -> tuple[SnapshotMeta, BinaryIO]:
    """Metadata and state of a checked archive, on a thread. Raises ArchiveError, SnapshotCorruptError and OSError."""
    state: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
    try:
        meta = SnapshotMeta.from_json(read_archive(archive, state.write))
        size = state.tell()
        if meta.version != SNAPSHOT_VERSION:
            raise ArchiveError(f"Raft error when restoring snapshot: unsupported snapshot version {meta.version}")
        if size != meta.size:
            raise ArchiveError(f"failed to read snapshot file: expected {meta.size} bytes of state, found {size}")
        state.seek(0)
    except BaseException:
        state.close()
        raise
    return meta, state


async def _read_record(reader: asyncio.StreamReader, cls: type[T]) -> tuple[T, bytes]:
    """The object at the begin of a connection, and what came behind it. Raises ConsulError and DecodeError."""
    buffer = b""
    while len(buffer) < RECORD_BYTES_MAX:
        data = await reader.read(PIECE_BYTES)
        if not data:
            raise Unanswered("EOF")
        buffer += data
        unpacker = msgpack_c.Unpacker(raw=False, unicode_errors="surrogateescape", strict_map_key=False)
        unpacker.feed(buffer)
        try:
            value: Any = unpacker.unpack()
        except msgpack_c.OutOfData:
            continue
        except (ValueError, TypeError, msgpack_c.UnpackException) as error:  # TypeError: a list for a key
            raise msgpack.DecodeError(f"failed to decode snapshot message: {error}") from None
        record: T = msgpack.decoder_for(cls)(value)
        return record, buffer[unpacker.tell() :]
    raise ConsulError("failed to decode snapshot message: too long")


def _raise_error(response: SnapshotResponse) -> None:
    if response.Error:
        raise ConsulError(response.Error)


async def _receive(reader: asyncio.StreamReader, first: bytes, out: BinaryIO) -> int:
    """Everything until the other side has no more, into a file that is then at its begin; its size."""
    data, size = first, 0
    while True:
        await on_thread(out.write, data)
        size += len(data)
        data = await reader.read(PIECE_BYTES)
        if not data:
            break
    await on_thread(out.seek, 0)
    return size


async def _send(source: BinaryIO, writer: asyncio.StreamWriter) -> None:
    while data := await on_thread(source.read, PIECE_BYTES):
        put(writer, data)
        await writer.drain()
    await writer.drain()
