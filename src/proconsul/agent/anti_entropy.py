"""Anti-entropy: keep the catalog's idea of this node equal to the local state.

A change is pushed at once; a full comparison runs every minute (more rarely in large clusters) with random stagger, and
soon after a failure. Nested pauses hold all of it back, so that a reload does not make services blink.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from proconsul.agent.local_state import CheckEntry, Entry, LocalState, ServiceEntry
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import (
    DeregisterRequest,
    HealthCheck,
    Node,
    NodeService,
    RegisterRequest,
)
from proconsul.features.errors import ConsulError, NoLeader, NoServers

log = logging.getLogger("agent")

# Consul: agent/ae. Clusters up to this size sync every interval; beyond it the interval grows with log2 of the size.
SCALE_THRESHOLD = 128
RETRY_FAILED_S = 15.0
SERVER_UP_S = 3.0
# Entries sent to the servers at once; more would only queue behind one Raft batch.
IN_FLIGHT_MAX = 256


def scale_factor(nodes: int) -> int:
    """How many intervals between full syncs in a cluster of ``nodes``."""
    if nodes <= SCALE_THRESHOLD:
        return 1
    return int(math.ceil(math.log2(nodes) - math.log2(SCALE_THRESHOLD)) + 1)


class CatalogPort(Protocol):
    """The servers' catalog as an agent reaches it; raises ConsulError."""

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]: ...

    async def own_checks(self, node: str) -> list[HealthCheck]: ...

    async def register(self, request: RegisterRequest) -> None: ...

    async def deregister(self, request: DeregisterRequest) -> None: ...


class AntiEntropy:
    """Runs syncs for one agent."""

    def __init__(
        self,
        state: LocalState,
        catalog: CatalogPort,
        own_node: Callable[[], Node],
        *,
        token: Callable[[], str],
        cluster_size: Callable[[], int],
        interval_s: float = 60.0,
        rng: random.Random | None = None,
    ) -> None:
        self._state = state
        self._catalog = catalog
        self._own_node = own_node
        self._token = token
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
        self._failed = False

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def pause(self) -> None:
        self._paused += 1

    def resume(self) -> None:
        """End one pause; the last one lets a sync that was wanted meanwhile happen."""
        assert self._paused > 0, "resume without pause"
        self._paused -= 1
        if not self._paused and self._wanted:
            self.changed()

    @property
    def paused(self) -> bool:
        return self._paused > 0

    def changed(self) -> None:
        """Something local changed: send it soon."""
        self._wanted = True
        if not self._paused:
            self._wake.set()

    def server_up(self) -> None:
        """A server joined: compare everything soon instead of at the next interval."""
        self._full.set()
        self._wake.set()

    def leader_elected(self) -> None:
        """Somebody can take writes again: what failed without, is tried soon. Others need not ask all at once."""
        if self._failed:
            self.server_up()

    def _stagger(self, interval_s: float) -> float:
        return interval_s * self._rng.random()

    async def _run(self) -> None:
        """Full sync, then changes until the next full sync is due."""
        while True:
            delay_s = self._interval_s * scale_factor(self._cluster_size())
            delay_s += self._stagger(delay_s)
            self._full.clear()
            if not self._paused:
                try:
                    await self.sync_full()
                    self._failed = False
                except Exception as error:
                    self._failed = True
                    log.error("failed to sync remote state: error=%s", error)
                    delay_s = RETRY_FAILED_S + self._stagger(RETRY_FAILED_S)
            await self._changes_until(asyncio.get_running_loop().time() + delay_s)
            if self._full.is_set():
                await asyncio.sleep(self._stagger(SERVER_UP_S))

    async def _changes_until(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while (left := until - loop.time()) > 0 and not self._full.is_set():
            try:
                # Not wait_for: before Python 3.12 it forgets a cancellation that comes with the wake-up.
                async with asyncio.timeout(left):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            if self._paused or self._full.is_set():
                continue
            try:
                await self.sync_changes()
            except Exception as error:
                self._failed = True
                log.error("failed to sync changes: error=%s", error)
                return

    # ------------------------------------------------------------------ syncing

    async def sync_full(self) -> None:
        """Compare with the catalog and send what differs. Raises ConsulError when the servers cannot be reached."""
        node, services = await self._catalog.own_services(self._state.node)
        checks = await self._catalog.own_checks(self._state.node)
        self._state.compare(node, self._own_node(), services, checks)
        await self.sync_changes()

    async def sync_changes(self) -> None:
        """Send everything that is not in sync. Callers that arrive during a pass share the next one."""
        while self._changes is not None:
            self._changes_again = True
            await asyncio.shield(self._changes)
            if not self._pending():
                return
        loop = asyncio.get_running_loop()
        self._changes = loop.create_future()
        self._wanted = False
        try:
            await self._send_pending()
        finally:
            done, self._changes = self._changes, None
            done.set_result(None)

    def _pending(self) -> bool:
        state = self._state
        return bool(not state.node_in_sync or state.out_services or state.out_checks)

    async def _send_pending(self) -> None:
        state = self._state
        services = {key: state.services[key] for key in state.out_services}
        checks = {key: state.checks[key] for key in state.out_checks}
        refused: list[ConsulError] = []
        await self._all([self._remove_service(key, entry) for key, entry in services.items() if entry.deleted], refused)
        await self._all([
            self._remove_check(key, entry) for key, entry in checks.items() if entry.deleted and not entry.in_sync
        ], refused)  # fmt: skip
        await self._all([self._send_service(entry) for entry in services.values() if not entry.deleted], refused)
        await self._all([self._send_check(entry) for entry in checks.values() if not entry.deleted], refused)
        if not state.node_in_sync:
            await self._send_node()
        if refused:
            raise refused[0]

    @staticmethod
    async def _all(work: Sequence[Coroutine[Any, Any, None]], refused: list[ConsulError]) -> None:
        """Run in parallel, a bounded number at a time.

        What the servers refuse is added to ``refused``: one entry that they do not want keeps no other back. Raises
        what else went wrong; of what comes after it nothing is tried.
        """
        for start in range(0, len(work), IN_FLIGHT_MAX):
            results = await asyncio.gather(*work[start : start + IN_FLIGHT_MAX], return_exceptions=True)
            errors = [result for result in results if isinstance(result, BaseException)]
            refused += [error for error in errors if isinstance(error, ConsulError) and _is_refusal(error)]
            other = next((error for error in errors if not _is_refusal(error)), None)
            if other is not None:
                for unstarted in work[start + IN_FLIGHT_MAX :]:
                    unstarted.close()
                raise other

    def _base(self, token: str) -> RegisterRequest:
        node = self._own_node()
        return RegisterRequest(
            Datacenter=node.Datacenter, ID=node.ID, Node=node.Node, Address=node.Address,
            TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta, SkipNodeUpdate=self._state.node_in_sync,
            Token=token,
        )  # fmt: skip

    async def _send_service(self, entry: ServiceEntry) -> None:
        """Push a service and, in the same request, its checks with the same token."""
        token = entry.token or self._token()
        together = [
            check
            for check in self._state.check_entries_of(entry.service.ID)
            if not check.in_sync
            and not check.deleted
            and (check.token or self._token()) == token
        ]
        entries: list[Entry] = [entry, *together]
        versions = [(item, item.version) for item in entries]
        request = replace(self._base(token), Service=entry.service, Checks=[check.check for check in together] or None)
        await self._send(request, versions, "service", entry.service.ID)
        log.info("Synced service: service=%s", entry.service.ID)

    async def _send_check(self, entry: CheckEntry) -> None:
        if entry.in_sync:
            return
        versions: list[tuple[Entry, int]] = [(entry, entry.version)]
        request = self._base(entry.token or self._token())
        if entry.check.ServiceID:
            service = self._state.service(entry.check.ServiceID)
            if service is not None:
                request = replace(request, Service=service)
        await self._send(replace(request, Check=entry.check), versions, "check", entry.check.CheckID)
        log.info("Synced check: check=%s", entry.check.CheckID)

    async def _send(
        self, request: RegisterRequest, versions: list[tuple[Entry, int]], kind: str, name: str
    ) -> None:
        try:
            await self._catalog.register(request)
        except ConsulError as error:
            if not _is_denied(error):
                raise
            # Marked as known so that we do not try in a hot loop; the next full sync tries again.
            log.warning("%s registration blocked by ACLs: %s=%s", kind.capitalize(), kind, name)
        else:
            self._state.node_in_sync = True
        for entry, version in versions:
            if entry.version == version:
                self._state.settle(entry)

    async def _send_node(self) -> None:
        try:
            await self._catalog.register(self._base(self._token()))
            log.info("Synced node info")
        except ConsulError as error:
            if not _is_denied(error):
                raise
            log.warning("Node info update blocked by ACLs: node=%s", self._state.node)
        self._state.node_in_sync = True

    async def _remove_service(self, service_id: str, entry: ServiceEntry) -> None:
        node = self._own_node()
        request = DeregisterRequest(
            Datacenter=node.Datacenter, Node=node.Node, ServiceID=service_id, Token=entry.token or self._token()
        )
        if await self._deregister(request, "service", service_id):
            self._state.forget_service(service_id, entry)
            log.info("Deregistered service: service=%s", service_id)
        else:
            self._state.settle(entry)

    async def _remove_check(self, check_id: str, entry: CheckEntry) -> None:
        node = self._own_node()
        request = DeregisterRequest(
            Datacenter=node.Datacenter, Node=node.Node, CheckID=check_id, Token=entry.token or self._token()
        )
        if await self._deregister(request, "check", check_id):
            self._state.forget_check(check_id, entry)
            log.info("Deregistered check: check=%s", check_id)
        else:
            self._state.settle(entry)

    async def _deregister(self, request: DeregisterRequest, kind: str, name: str) -> bool:
        try:
            await self._catalog.deregister(request)
        except ConsulError as error:
            if "Unknown" in error.text:
                return True
            if not _is_denied(error):
                raise
            log.warning("%s deregistration blocked by ACLs: %s=%s", kind.capitalize(), kind, name)
            return False
        return True


def _is_denied(error: ConsulError) -> bool:
    return "Permission denied" in error.text or "ACL not found" in error.text


def _is_refusal(error: BaseException) -> bool:
    """Whether the servers answered, and did not want this."""
    return isinstance(error, ConsulError) and not isinstance(error, NoLeader | NoServers)
