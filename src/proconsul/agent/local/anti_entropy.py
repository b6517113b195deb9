"""Anti-entropy: keep the catalog's idea of this node equal to the local state.

A change is pushed at once; a full comparison runs every minute (more rarely in large clusters) with random stagger, and
soon after a failure. While nobody can take writes the agent looks for somebody who can, once a second, and sends all
it has then. What the catalog refuses keeps nothing else back, and is named in the log once until it is another refusal.
Nested pauses hold all of it back, so that a reload does not make services blink.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from proconsul.agent.local.local_state import CheckEntry, Entry, Known, LocalState, ServiceEntry
from proconsul.agent.local.sync_report import SERVERS, SyncFacts, Troubles
from proconsul.agent.part import Part
from proconsul.engine.complaints import Complaints
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.secrets import same_secret
from proconsul.features.catalog.model import (
    DeregisterRequest,
    HealthCheck,
    Node,
    NodeService,
    RegisterRequest,
)
from proconsul.features.errors import ConsulError, Unanswered
from proconsul.features.ids import uuid_key

log = logging.getLogger("agent")

# Consul: agent/ae. Clusters up to this size sync every interval; beyond it the interval grows with log2 of the size.
SCALE_THRESHOLD = 128
RETRY_FAILED_S = 15.0
COMPARE_SOON_S = 3.0
# How long a registration waits for the catalog to know of it: as long as any write waits for somebody to lead.
PUSH_S = 7.0
# How often an agent that found nobody to write to looks again, in pools of up to so many members; in larger ones more
# rarely, so that servers which come back are not asked more than a thousand times a second.
LOOK_S = 1.0
LOOKERS_MAX = 1024
# Entries sent to the servers at once; more would only queue behind one Raft batch.
IN_FLIGHT_MAX = 256


def scale_factor(nodes: int) -> int:
    """How many intervals between full syncs in a cluster of ``nodes``."""
    if nodes <= SCALE_THRESHOLD:
        return 1
    return int(math.ceil(math.log2(nodes) - math.log2(SCALE_THRESHOLD)) + 1)


class CatalogPort(Protocol):
    """The servers' catalog as an agent reaches it; raises ConsulError, Unanswered when nobody could be asked."""

    async def reachable(self) -> bool:
        """Whether somebody leads and can be asked, without waiting for that. Never raises."""

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]: ...

    async def own_checks(self, node: str) -> list[HealthCheck]: ...

    async def register(self, request: RegisterRequest) -> None: ...

    async def deregister(self, request: DeregisterRequest) -> None: ...


class AntiEntropy(Part):
    """Runs syncs for one agent. ``state`` tells it of every change."""

    def __init__(
        self,
        state: LocalState,
        catalog: CatalogPort,
        own_node: Callable[[], Node],
        *,
        token: Callable[[bool], str],
        agent_token: Callable[[], str],
        cluster_size: Callable[[], int],
        interval_s: float = 60.0,
        rng: random.Random | None = None,
    ) -> None:
        self._state = state
        self._catalog = catalog
        self._own_node = own_node
        # For services and checks that have none of their own, from configuration files or not; for the node itself.
        self._token, self._agent_token = token, agent_token
        self._cluster_size = cluster_size
        self._interval_s = interval_s
        self._rng = rng or random.Random()
        self._paused = 0
        self._wanted = False
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._changes: asyncio.Future[None] | None = None
        self._changes_again = False
        # Nobody could be asked when it was tried last.
        self._unreachable = False
        self._pushing: set[asyncio.Future[None]] = set()
        self._complaints = Complaints()
        # Something was refused in the last pass.
        self._refused = False
        # The catalog's entry of our name is another node's.
        self._name_taken = False
        # What became of entries when they were sent last, and of the last comparison: for `sync_report`.
        self.troubles = Troubles()
        self.compared_at: float | None = None
        self.next_full_at: float | None = None
        state.changed = self.changed

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        log.info("started state syncer")

    async def stop(self) -> None:
        tasks = [*self._pushing, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def pause(self) -> None:
        self._paused += 1

    def resume(self) -> None:
        """End one pause; the last one lets a sync that was wanted meanwhile happen."""
        assert self._paused > 0, "resume without pause"
        self._paused -= 1
        if not self._paused and self._wanted:
            self.changed()

    @contextlib.contextmanager
    def holding_back(self) -> Iterator[None]:
        """Send nothing meanwhile, and then all: what the catalog may have of the node as well."""
        self.pause()
        try:
            yield
        finally:
            self.resume()
            self.send_node()

    def send_node(self) -> None:
        """Tell the catalog of the node anew: it, or the right to change it, may be another."""
        self._state.node_in_sync = False
        self.changed()

    @property
    def paused(self) -> bool:
        return self._paused > 0

    def changed(self) -> None:
        """Something local changed: send it soon."""
        self._wanted = True
        if not self._paused:
            self._wake.set()

    def compare_soon(self) -> None:
        """Something happened that the catalog may have suffered from: compare everything within `COMPARE_SOON_S`.

        That a server joined; that others took this node for dead.
        """
        self._full.set()
        self._wake.set()

    def _stagger(self, interval_s: float) -> float:
        return interval_s * self._rng.random()

    async def _run(self) -> None:
        """Full sync, then changes until the next full sync is due."""
        while True:
            if self._unreachable:
                await self._until_reachable()
            delay_s = self._interval_s * scale_factor(self._cluster_size())
            self._full.clear()
            if not self._paused:
                await self._tried(self.sync_full, "failed to sync remote state")
            if self._refused:
                delay_s = RETRY_FAILED_S
            self.next_full_at = asyncio.get_running_loop().time() + delay_s + self._stagger(delay_s)
            await self._changes_until_full()
            if self._full.is_set() and not self._unreachable:
                await asyncio.sleep(self._stagger(COMPARE_SOON_S))

    async def _tried(self, sync: Callable[[], Awaitable[None]], failure: str) -> None:
        try:
            await sync()
        except Exception as error:
            if self._complaints.is_new("sync", f"{failure}{error}"):
                log.error("%s: error=%s", failure, error)
        self._full_sooner()

    def _full_sooner(self) -> None:
        """What was refused, as by a server over its limit, waits no longer when it is a change than otherwise."""
        now = asyncio.get_running_loop().time()
        if self._refused and self.next_full_at is not None and self.next_full_at > now + 2 * RETRY_FAILED_S:
            self.next_full_at = now + RETRY_FAILED_S + self._stagger(RETRY_FAILED_S)
            self._wake.set()

    async def _until_reachable(self) -> None:
        """Look for somebody who takes writes; no event tells of all ways in which there may be one again."""
        while self._unreachable:
            interval_s = LOOK_S * max(1.0, self._cluster_size() / LOOKERS_MAX)
            await asyncio.sleep(interval_s / 2 + self._stagger(interval_s / 2))
            self._unreachable = not await self._catalog.reachable()

    async def _changes_until_full(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := (self.next_full_at or 0) - loop.time()) > 0 and not (self._full.is_set() or self._unreachable):
            try:
                # Not wait_for: before Python 3.12 it forgets a cancellation that comes with the wake-up.
                async with asyncio.timeout(left):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            if self._paused or self._full.is_set() or self._unreachable:
                continue
            await self._tried(self.sync_changes, "failed to sync changes")

    # ------------------------------------------------------------------ syncing

    async def push(self) -> None:
        """Send changes now, if there is somebody to send them to; else, and what fails, later. Logs, never raises.

        Returns after `PUSH_S` at the latest: what was registered is in force here, and on its way.
        """
        if self._paused or (self._unreachable and not await self._catalog.reachable()):
            return
        pushing = asyncio.ensure_future(self._tried(self.sync_changes, "failed to sync changes"))
        self._pushing.add(pushing)
        pushing.add_done_callback(self._pushing.discard)
        await asyncio.wait([pushing], timeout=PUSH_S)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        """Around whatever asks servers: remembers, and tells the loop, that there was nobody to ask."""
        try:
            yield
        except (Unanswered, RaftError) as error:
            self._unreachable = True
            self.troubles.met(SERVERS, str(error))
            self._wake.set()
            raise
        except ConsulError as error:
            self._refused = True
            self.troubles.met(SERVERS, str(error))
            raise
        self._complaints.over("sync")
        self.troubles.over(SERVERS)

    async def sync_full(self) -> None:
        """Compare with the catalog and send what differs. Raises ConsulError when the servers cannot be reached."""
        with self._reaching():
            own, known = self._own_node(), self._state.known()
            node, services = await self._catalog.own_services(self._state.node)
            self._name_taken = node is not None and bool(node.ID) and uuid_key(node.ID) != uuid_key(own.ID)
            if self._name_taken:
                # What hangs on that entry is not ours to compare with, or to remove.
                self._state.node_in_sync = False
                self._refused = False
                if not await self._took_name():
                    return
                node, services = await self._catalog.own_services(self._state.node)
            checks = await self._catalog.own_checks(self._state.node)
            lost = self._state.compare(node, own, services, checks)
            self.compared_at = asyncio.get_running_loop().time()
        # What was sent while the catalog was asked is not in the answer.
        self._tell_of([one for one in lost if one in known] if node is not None else [])
        await self.sync_changes()
        state = self._state
        those = {
            f"node {state.node}", *(f"service {key}" for key in state.services),
            *(f"check {key}" for key in state.checks),
        }  # fmt: skip
        self._complaints.keep(those)
        self.troubles.keep(those)

    def _tell_of(self, lost: list[Known]) -> None:
        """What users ask most: why something came back that they had deregistered, in the catalog."""
        for one in lost:
            about = f"{one.kind} {one.name}"
            trouble = self.troubles.of(about)
            if trouble is None or not trouble.blocked:
                log.warning("Removed from the catalog by somebody else, and registered again, since it is registered "
                            "with this agent; to be rid of it deregister it here: agent=%s what=%s",
                            self._state.node, quoted(about))  # fmt: skip

    def facts(self, at: Callable[[float], str]) -> SyncFacts:
        """What is known of the whole. ``at`` turns seconds of the loop's clock into what people read."""
        return SyncFacts(
            self.troubles, self.paused, self._unreachable, "" if self.compared_at is None else at(self.compared_at),
            "" if self.next_full_at is None else at(self.next_full_at),
        )  # fmt: skip

    async def compare_now(self) -> None:
        """Compare with the catalog, and send what differs, for somebody who wants to know. Raises ConsulError."""
        if not self._paused:
            await self.sync_full()

    async def sync_changes(self) -> None:
        """Send everything that is not in sync. Callers that arrive during a pass share the next one.

        What is refused is logged and tried again later. Raises ConsulError when the servers cannot be reached.
        """
        while self._changes is not None:
            self._changes_again = True
            await asyncio.shield(self._changes)
            if not self._pending():
                return
        loop = asyncio.get_running_loop()
        self._changes = loop.create_future()
        self._wanted = False
        try:
            with self._reaching():
                await self._send_pending()
        finally:
            done, self._changes = self._changes, None
            done.set_result(None)

    def _pending(self) -> bool:
        state = self._state
        return bool(not state.node_in_sync or state.unsynced_services or state.unsynced_checks)

    async def _send_pending(self) -> None:
        state = self._state
        services = {key: state.services[key] for key in state.unsynced_services}
        checks = {key: state.checks[key] for key in state.unsynced_checks}
        self._refused = False
        if self._name_taken:
            if not await self._took_name():
                return
            self.compare_soon()  # what the entry's last owner left there has to go
        await self._all([
            self._attempt("service", key, partial(self._remove_service, key, entry))
            for key, entry in services.items() if entry.deleted
        ])  # fmt: skip
        await self._all([
            self._attempt("check", key, partial(self._remove_check, key, entry))
            for key, entry in checks.items() if entry.deleted and not entry.in_sync
        ])  # fmt: skip
        await self._all([
            self._attempt("service", key, partial(self._send_service, entry))
            for key, entry in services.items() if not entry.deleted
        ])  # fmt: skip
        await self._all([
            self._attempt("check", key, partial(self._send_check, entry))
            for key, entry in checks.items() if not entry.deleted
        ])  # fmt: skip
        if not state.node_in_sync:
            await self._attempt("node", state.node, self._send_node)

    async def _took_name(self) -> bool:
        """Ask for the catalog's entry of our name, which is another node's. False when that one keeps it."""
        await self._attempt("node", self._state.node, self._send_node)
        self._name_taken = not self._state.node_in_sync
        return not self._name_taken

    async def _attempt(self, kind: str, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` for one entry, and log a refusal that is new. Raises when there is nobody to ask."""
        about = f"{kind} {name}"
        self.troubles.over(about)
        try:
            await work()
        except (Unanswered, RaftError):
            raise
        except Exception as error:
            self._refused = True
            self.troubles.met(about, str(error))
            if self._complaints.is_new(about, str(error)):
                log.error("failed to sync %s: %s=%s error=%s", kind, kind, name, error,
                          exc_info=None if isinstance(error, ConsulError) else error)  # fmt: skip
        else:
            self._complaints.over(about)

    @staticmethod
    async def _all(work: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Run in parallel, a bounded number at a time. Raises the first failure; of what comes after it nothing is
        tried."""
        for start in range(0, len(work), IN_FLIGHT_MAX):
            results = await asyncio.gather(*work[start : start + IN_FLIGHT_MAX], return_exceptions=True)
            error = next((result for result in results if isinstance(result, BaseException)), None)
            if error is not None:
                for unstarted in work[start + IN_FLIGHT_MAX :]:
                    unstarted.close()
                raise error

    def _token_of(self, entry: ServiceEntry | CheckEntry) -> str:
        return entry.token or self._token(entry.from_config)

    def _base(self, token: str) -> RegisterRequest:
        node = self._own_node()
        return RegisterRequest(
            Datacenter=node.Datacenter, ID=node.ID, Node=node.Node, Address=node.Address,
            TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta, SkipNodeUpdate=self._state.node_in_sync,
            Token=token,
        )  # fmt: skip

    async def _send_service(self, entry: ServiceEntry) -> None:
        """Push a service and, in the same request, its checks with the same token."""
        if not self._state.is_current(entry):
            return
        token = self._token_of(entry)
        together = [
            check
            for check in self._state.check_entries_of(entry.service.ID)
            if not check.in_sync and not check.deleted and same_secret(self._token_of(check), token)
        ]
        entries: list[Entry] = [entry, *together]
        versions = [(item, item.version) for item in entries]
        request = replace(self._base(token), Service=entry.service, Checks=[check.check for check in together] or None)
        await self._send(request, versions, "service", entry.service.ID)
        log.info("Synced service: service=%s", entry.service.ID)

    async def _send_check(self, entry: CheckEntry) -> None:
        if entry.in_sync or not self._state.is_current(entry):
            return
        versions: list[tuple[Entry, int]] = [(entry, entry.version)]
        request = self._base(self._token_of(entry))
        if entry.check.ServiceID:
            service = self._state.service(entry.check.ServiceID)
            if service is not None:
                request = replace(request, Service=service)
        await self._send(replace(request, Check=entry.check), versions, "check", entry.check.CheckID)
        log.info("Synced check: check=%s", entry.check.CheckID)

    async def _send(self, request: RegisterRequest, versions: list[tuple[Entry, int]], kind: str, name: str) -> None:
        try:
            await self._catalog.register(request)
        except ConsulError as error:
            if not _is_denied(error):
                raise
            # Marked as known so that we do not try in a hot loop; the next full sync tries again.
            self.troubles.met(f"{kind} {name}", str(error), blocked=True)
            log.warning("%s registration blocked by ACLs: %s=%s", kind.capitalize(), kind, name)
        else:
            self._node_was_sent(request)
        for entry, version in versions:
            if entry.version == version:
                self._state.settle(entry)

    async def _send_node(self) -> None:
        request = self._base(self._agent_token())
        try:
            await self._catalog.register(request)
            log.info("Synced node info")
        except ConsulError as error:
            if not _is_denied(error):
                raise
            self.troubles.met(f"node {self._state.node}", str(error), blocked=True)
            log.warning("Node info update blocked by ACLs: node=%s", self._state.node)
        self._node_was_sent(request)

    def _node_was_sent(self, request: RegisterRequest) -> None:
        """The catalog has what ``request`` says of the node, which may have changed meanwhile."""
        node = self._own_node()
        sent = request.ID, request.Address, request.TaggedAddresses, request.NodeMeta
        self._state.node_in_sync = sent == (node.ID, node.Address, node.TaggedAddresses, node.Meta)

    async def _remove_service(self, service_id: str, entry: ServiceEntry) -> None:
        request = replace(self._deregistration(entry), ServiceID=service_id)
        if await self._deregister(request, entry, "service", service_id):
            self._state.forget_service(service_id, entry)

    async def _remove_check(self, check_id: str, entry: CheckEntry) -> None:
        request = replace(self._deregistration(entry), CheckID=check_id)
        if await self._deregister(request, entry, "check", check_id):
            self._state.forget_check(check_id, entry)

    def _deregistration(self, entry: Entry) -> DeregisterRequest:
        node = self._own_node()
        return DeregisterRequest(Datacenter=node.Datacenter, Node=node.Node, Token=self._token_of(entry))

    async def _deregister(self, request: DeregisterRequest, entry: Entry, kind: str, name: str) -> bool:
        """Whether the catalog does not have it any more; who may not remove it does not try again and again."""
        try:
            await self._catalog.deregister(request)
        except ConsulError as error:
            if "Unknown" not in error.text:
                if not _is_denied(error):
                    raise
                self.troubles.met(f"{kind} {name}", str(error), blocked=True)
                log.warning("%s deregistration blocked by ACLs: %s=%s", kind.capitalize(), kind, name)
                self._state.settle(entry)
                return False
        log.info("Deregistered %s: %s=%s", kind, kind, name)
        return True


def _is_denied(error: ConsulError) -> bool:
    return "Permission denied" in error.text or "ACL not found" in error.text
