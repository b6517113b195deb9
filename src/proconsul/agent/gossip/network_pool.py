"""A gossip pool on the network as the agent uses it: `Pool` on memberlist's and serf's cores."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from proconsul.agent.gossip.joining import resolve
from proconsul.agent.gossip.keyrings import PoolKeys
from proconsul.agent.gossip.tags import Pool
from proconsul.engine.durable import replace_file
from proconsul.engine.gossip import serf_effects as happened
from proconsul.engine.gossip.config import SwimConfig
from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.gossip.keyring import Keyring, parse_keyring
from proconsul.engine.gossip.keys import KeyOp
from proconsul.engine.gossip.member import Member
from proconsul.engine.gossip.packet import PacketCodec
from proconsul.engine.gossip.pool import GossipPool, JoinError, PoolLogs
from proconsul.engine.gossip.queries import QueryError
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.stream import StreamCodec
from proconsul.engine.gossip.user_events import EventTooLarge
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.text import multi_error
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.endpoint import KeySummary
from proconsul.features.keyring.model import KeyOperation

OnMember = Callable[[happened.MemberChange, Member], None]
OnEvent = Callable[[int, str, bytes], None]
OnDoubt = Callable[[], None]

# How long a forced leave waits until it was told.
FORCE_LEAVE_TIMEOUT_S = 5.0


_KEY_OPS = {
    KeyOperation.INSTALL: KeyOp.INSTALL, KeyOperation.USE: KeyOp.USE, KeyOperation.REMOVE: KeyOp.REMOVE,
    KeyOperation.LIST: KeyOp.LIST,
}  # fmt: skip


class SnapshotWriter:
    """Appends to serf's snapshot file on a thread of its own, in order; the disk never holds the event loop."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path, self._log = path, log
        self._thread = ThreadPoolExecutor(1, "serf-snapshot")

    def read(self) -> str:
        """What is there; nothing if there is no file. Raises OSError."""
        try:
            return self._path.read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            return ""

    def append(self, text: str) -> None:
        self._thread.submit(self._run, partial(self._append, text))

    def replace(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        self._thread.submit(self._run, partial(replace_file, self._path, data))

    def close(self) -> None:
        """Finish what was asked for."""
        self._thread.shutdown(wait=True)

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

    def _run(self, operation: Callable[[], None]) -> None:
        try:
            operation()
        except OSError as error:  # a restart then knows less; it is no reason to stop now
            self._log.error("serf: Failed to update snapshot: %s", error)


class NetworkPool(Pool):
    """One pool, LAN or WAN. Handlers are called from within the event loop, in the order of what happened."""

    def __init__(
        self, serf: SerfConfig, swim: SwimConfig, bind: Address, advertise: Address, tags: Mapping[str, str], *,
        keys: PoolKeys, verify: tuple[bool, bool] = (True, True), snapshot: Path | None, logs: PoolLogs,
        on_member: OnMember, on_event: OnEvent, on_doubt: OnDoubt, rng: random.Random,
    ) -> None:  # fmt: skip
        """``on_doubt``: others took us for dead, or leaving, and may have acted on it."""
        self._log, self._on_member, self._on_event, self._on_doubt = logs.serf, on_member, on_event, on_doubt
        self._keys = keys
        self._keyring = Keyring(keys.keys) if keys.keys else None
        self._bind = bind
        self._advertise = advertise
        incoming, outgoing = verify
        wrap: dict[str, Any] = {"verify_incoming": incoming, "verify_outgoing": outgoing}
        self._serf = Serf(serf, tags, rng, time.monotonic(), self._keyring)
        self._pool = GossipPool(
            serf.name, bind, advertise, swim, self._serf, packets=PacketCodec(b"", self._keyring, **wrap),
            streams=StreamCodec(b"", self._keyring, **wrap), on_effect=self._effect, logs=logs, rng=rng,
        )  # fmt: skip
        self._snapshot = SnapshotWriter(snapshot, logs.serf) if snapshot is not None else None
        self._operations: dict[int, asyncio.Future[None]] = {}
        self._rejoining: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Bind, become a member, and go back to those known before a restart. Raises OSError or ConsulError."""
        previous: dict[str, Address] = {}
        if self._snapshot is not None:
            try:
                previous = self._serf.restore(self._snapshot.read(), time.monotonic())
            except ValueError as error:
                raise ConsulError(f"Failed to read serf snapshot: {error}") from None
        await self._pool.start()
        if previous:
            self._rejoining = asyncio.create_task(self._rejoin(previous))

    async def _rejoin(self, previous: Mapping[str, Address]) -> None:
        for name, address in previous.items():
            self._log.info("serf: Attempting re-join to previously known node: %s: %s:%d", name, *address)
            try:
                await self._pool.join([address])
            except JoinError as error:
                self._log.warning("serf: Failed to re-join %s: %s", name, error)
            else:
                self._log.info("serf: Re-joined to previously known node: %s: %s:%d", name, *address)
                return
        self._log.warning("serf: Failed to re-join any previously known node")

    async def leave(self) -> None:
        await self._pool.leave()

    async def stop(self) -> None:
        if self._rejoining is not None:
            self._rejoining.cancel()
            await asyncio.gather(self._rejoining, return_exceptions=True)
        await self._pool.stop()
        if self._snapshot is not None:
            await asyncio.to_thread(self._snapshot.close)

    # ------------------------------------------------------------------ members

    def members(self) -> list[Member]:
        return self._serf.members()

    def local_member(self) -> Member:
        own = self._serf.local_member()
        if own is None:  # not started yet
            return Member(self._serf.config.name, self._advertise.host, self._advertise.port, self._serf.tags)
        return own

    async def join(self, addresses: Sequence[str]) -> int:
        targets: list[Address] = []
        errors: list[str] = []
        for address in addresses:
            try:
                targets += await resolve(address, self._bind.port)
            except ConsulError as error:
                errors.append(str(error))
        joined = 0
        try:
            joined = await self._pool.join(targets, ignore_old=True)
        except JoinError as error:
            errors += error.errors
        if not joined and errors:
            raise ConsulError(multi_error(errors))
        return joined

    async def force_leave(self, name: str, *, prune: bool) -> bool:
        if all(member.name != name for member in self._serf.members()):
            return False
        told = asyncio.get_running_loop().create_future()
        self._serf.force_leave(name, prune, time.monotonic(), lambda: None if told.done() else told.set_result(None))
        self._pool.flush_effects()
        try:
            async with asyncio.timeout(FORCE_LEAVE_TIMEOUT_S):
                await told
        except TimeoutError:
            raise ConsulError("timed out broadcasting node removal") from None
        return True

    def why(self, name: str) -> dict[str, Any] | None:
        found = self._serf.why(name)
        if found is None:
            return None
        evidence, conflict = found
        # The cores count from an arbitrary moment; people want the time of day.
        offset_s = time.time() - time.monotonic()
        lines = [(cause.at, cause.what, cause.source) for cause in evidence.causes]
        lines += [(heard.at, heard.what, heard.source) for heard in self._pool.swim.evidence(name)]
        shown: dict[str, Any] = {
            "Name": name, "Status": int(evidence.member.status), "StatusLTime": evidence.status_ltime,
            "Evidence": [{"At": at + offset_s, "What": what, "From": source} for at, what, source in sorted(lines)],
            "ReapAt": None if evidence.reap_at is None else evidence.reap_at + offset_s, "Conflict": None,
        }  # fmt: skip
        if conflict is not None:
            first, second = conflict.existing, conflict.other
            shown["Conflict"] = {
                "At": conflict.at + offset_s, "Existing": f"{first.host}:{first.port}",
                "Other": f"{second.host}:{second.port}",
                "Resolution": "stop one of the two, or force-leave the name: the name is taken over once its holder "
                f"has left, or has been failed for {self._pool.swim.config.reclaim_s:g} s",
            }  # fmt: skip
        return shown

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Tell the pool of changed tags."""
        self._serf.set_tags(tags, time.monotonic())
        self._pool.flush_effects()

    # ------------------------------------------------------------------ events and keys

    def fire(self, name: str, payload: bytes) -> None:
        try:
            self._serf.fire(name, payload, False, time.monotonic())
        except EventTooLarge as error:
            raise ConsulError(multi_error([f'error broadcasting event to segment "": {error}'])) from None
        self._pool.flush_effects()

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        try:
            asked = self._serf.key_request(_KEY_OPS[operation], key, relay_factor, time.monotonic())
        except QueryError as error:
            return KeySummary(0, 0, error=str(error))
        done = self._operations[id(asked)] = asyncio.get_running_loop().create_future()
        try:
            self._pool.flush_effects()
            await done
        finally:
            del self._operations[id(asked)]
        return KeySummary(
            asked.num_nodes, asked.num_resp, asked.num_err, asked.messages, asked.keys, asked.primary_keys
        )

    # ------------------------------------------------------------------ coordinates and numbers

    def coordinate(self) -> Coordinate:
        return self._serf.coordinate()

    def cached_coordinate(self, name: str) -> Coordinate | None:
        return self._serf.cached_coordinate(name)

    def stats(self) -> dict[str, str]:
        numbers = {name: str(value) for name, value in self._serf.stats().items()}
        return dict(sorted({
            **numbers, "encrypted": str(self._keyring is not None).lower(),
            "health_score": str(self._pool.swim.awareness.score),
        }.items()))  # fmt: skip

    def dropped(self) -> dict[str, int]:
        """Why packets and messages were not used, and how often."""
        return dict(self._pool.dropped + self._pool.swim.dropped + self._serf.counters)

    # ------------------------------------------------------------------ what happens

    def _effect(self, effect: happened.Effect) -> None:
        if isinstance(effect, happened.MembersChanged):
            self._on_member(effect.kind, effect.member)
        elif isinstance(effect, happened.UserEvent):
            self._on_event(effect.ltime, effect.name, effect.payload)
        elif isinstance(effect, happened.Doubted):
            self._on_doubt()
        elif isinstance(effect, happened.KeysFinished):
            done = self._operations.get(id(effect.operation))
            if done is not None and not done.done():
                done.set_result(None)
        elif isinstance(effect, happened.KeyringChanged):
            effect.written(self._save_keys(effect.text))
        elif self._snapshot is not None:
            if isinstance(effect, happened.SnapshotLine):
                self._snapshot.append(effect.text)
            elif isinstance(effect, happened.SnapshotCompact):
                self._snapshot.replace(effect.text)

    def _save_keys(self, text: str) -> str:
        """Why the keyring could not be kept; empty when it was."""
        try:
            self._keys.save(parse_keyring(text))
        except OSError as error:
            self._log.error("serf: Failed to write keyring file: %s", error)
            return f"Failed to write keyring file: {error}"
        return ""
