"""What this agent itself has registered, and how far the catalog knows it.

Pure: entries with flags, and the comparison that decides what to send (anti-entropy). The catalog is the servers' copy;
for this node's own services and checks the agent is the authority.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import (
    CONSUL_SERVICE_ID,
    DEFAULT_WEIGHTS,
    HEALTH_CRITICAL,
    HEALTH_PASSING,
    HEALTH_WARNING,
    SERF_CHECK_ID,
    HealthCheck,
    Node,
    NodeService,
)


class ServiceEntry:
    """One local service."""

    __slots__ = ("deleted", "from_config", "in_sync", "service", "token", "version")

    def __init__(self, service: NodeService, token: str, *, from_config: bool) -> None:
        self.service = service
        self.token = token
        self.from_config = from_config
        self.in_sync = False
        self.deleted = False
        # Grows with every change, so that a sync that was under way cannot mark a newer value as known.
        self.version = 0


class CheckEntry:
    """One local check."""

    __slots__ = ("check", "critical_since", "deferred", "deleted", "from_config", "in_sync", "token", "version")

    def __init__(self, check: HealthCheck, token: str, *, from_config: bool) -> None:
        self.check = check
        self.token = token
        self.from_config = from_config
        self.in_sync = False
        self.deleted = False
        # True while an output-only change waits for its lazy update.
        self.deferred = False
        # When a result (a run, a TTL that ran out, a report) first was critical; what a registration says is none.
        self.critical_since: float | None = None
        self.version = 0

    def copy(self) -> CheckEntry:
        """The check as it is now, out of sync."""
        copied = CheckEntry(self.check, self.token, from_config=self.from_config)
        copied.critical_since, copied.version = self.critical_since, self.version
        return copied


Entry = ServiceEntry | CheckEntry


class Unsent(NamedTuple):
    """That the catalog does not have an entry as it is here: since when (seconds of the state's clock), and why."""

    since: float
    why: str


class Known(NamedTuple):
    """One version of an entry: a ``service`` or ``check`` by its ID."""

    kind: str
    name: str
    version: int


CHANGED_HERE = "it was registered or has changed here"
REMOVED_HERE = "it was deregistered here"
NOT_THERE = "the catalog does not have it"
OTHER_THERE = "the catalog has it with other content"
STRANGER = "the catalog has it, and it is not registered with this agent"


class LocalState:
    """Services and checks of this node. ``changed`` is called after every change that wants to be sent."""

    def __init__(
        self, node: str, *, clock: Callable[[], float], changed: Callable[[], None] = lambda: None,
        is_server: bool = False,
    ) -> None:  # fmt: skip
        self.node = node
        self.is_server = is_server
        self.discard_check_output = False
        # Output-only changes are sent this much later (Defer asks for the delay); 0 sends them at once.
        self.output_delay_s: Callable[[], float] = lambda: 0.0
        self.defer: Callable[[float, Callable[[], None]], Any] | None = None
        self.services: dict[str, ServiceEntry] = {}
        self.checks: dict[str, CheckEntry] = {}
        self.node_in_sync = False
        # Ids of entries the catalog does not know yet: a change must not cost a walk over everything.
        self.unsynced_services: dict[str, Unsent] = {}
        self.unsynced_checks: dict[str, Unsent] = {}
        self._of_service: dict[str, dict[str, None]] = {}
        self._clock = clock
        self.changed = changed
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener(service_id)`` when a service or one of its checks changes (alias checks, watches)."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[str], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _service_out(self, service_id: str, why: str = CHANGED_HERE) -> None:
        self.unsynced_services[service_id] = self._pending(self.unsynced_services, service_id, why)
        self.changed()

    def _check_out(self, check_id: str, why: str = CHANGED_HERE) -> None:
        self.unsynced_checks[check_id] = self._pending(self.unsynced_checks, check_id, why)
        self.changed()

    def _pending(self, known: dict[str, Unsent], name: str, why: str) -> Unsent:
        """For ``why``; what has been pending is so since then."""
        before = known.get(name)
        return Unsent(self._clock() if before is None else before.since, why)

    def is_current(self, entry: Entry) -> bool:
        """Whether this is registered: neither removed nor replaced since somebody looked."""
        if isinstance(entry, ServiceEntry):
            return not entry.deleted and self.services.get(entry.service.ID) is entry
        return not entry.deleted and self.checks.get(entry.check.CheckID) is entry

    def settle(self, entry: Entry) -> None:
        """The catalog knows this entry as it is. One that was replaced meanwhile says nothing about its successor."""
        entry.in_sync = True
        if isinstance(entry, ServiceEntry):
            if self.services.get(entry.service.ID) is entry:
                self.unsynced_services.pop(entry.service.ID, None)
        elif self.checks.get(entry.check.CheckID) is entry:
            self.unsynced_checks.pop(entry.check.CheckID, None)

    def forget_service(self, service_id: str, entry: ServiceEntry) -> None:
        """The catalog has removed a deleted service, and its checks with it."""
        if self.services.get(service_id) is not entry:
            return
        del self.services[service_id]
        self.unsynced_services.pop(service_id, None)
        for check_id in list(self._of_service.get(service_id, ())):
            check = self.checks.get(check_id)
            if check is not None and check.deleted:
                self.forget_check(check_id, check)

    def forget_check(self, check_id: str, entry: CheckEntry) -> None:
        """The catalog has removed a deleted check."""
        if self.checks.get(check_id) is entry:
            del self.checks[check_id]
            self.unsynced_checks.pop(check_id, None)
            self._unlink(check_id, entry.check.ServiceID)

    def _unlink(self, check_id: str, service_id: str) -> None:
        bucket = self._of_service.get(service_id)
        if bucket is not None:
            bucket.pop(check_id, None)
            if not bucket:
                del self._of_service[service_id]

    def check_entries_of(self, service_id: str) -> list[CheckEntry]:
        return [self.checks[check_id] for check_id in self._of_service.get(service_id, ())]

    def _tell(self, service_id: str) -> None:
        for listener in list(self._listeners):
            listener(service_id)

    # ------------------------------------------------------------------ services

    def add_service(self, service: NodeService, token: str = "", *, from_config: bool = False) -> None:
        """Insert or replace. An identical one is sent too: whoever registers again may do so because somebody
        removed it from the catalog."""
        old = self.services.get(service.ID)
        entry = ServiceEntry(service, token, from_config=from_config)
        if old is not None:
            entry.version = old.version + 1
        self.services[service.ID] = entry
        self._service_out(service.ID)
        self._tell(service.ID)

    def remove_service(self, service_id: str) -> bool:
        """Mark as deleted until the catalog knows; False when there is no such service."""
        entry = self.services.get(service_id)
        if entry is None or entry.deleted:
            return False
        entry.deleted, entry.in_sync = True, False
        entry.version += 1
        self._service_out(service_id, REMOVED_HERE)
        self._tell(service_id)
        return True

    def service(self, service_id: str) -> NodeService | None:
        entry = self.services.get(service_id)
        return entry.service if entry is not None and not entry.deleted else None

    def live_services(self) -> dict[str, NodeService]:
        return {key: entry.service for key, entry in self.services.items() if not entry.deleted}

    # ------------------------------------------------------------------ checks

    def add_check(self, check: HealthCheck, token: str = "", *, from_config: bool = False) -> None:
        """Insert or replace, as `add_service`. The service's name and tags are copied from the local service.

        How long a check has been critical starts with its next result: before a run nobody knows that it is.
        """
        if self.discard_check_output:
            check = replace(check, Output="")
        if check.ServiceID:
            service = self.service(check.ServiceID)
            if service is not None:
                check = replace(check, ServiceName=service.Service, ServiceTags=service.Tags)
        self.restore_check(CheckEntry(replace(check, Node=self.node), token, from_config=from_config))

    def restore_check(self, entry: CheckEntry) -> None:
        """Put ``entry`` in place of the check with its id, as it is, and send it."""
        check = entry.check
        old = self.checks.get(check.CheckID)
        if old is not None:
            entry.version = max(entry.version, old.version) + 1
            if old.check.ServiceID != check.ServiceID:
                self._unlink(check.CheckID, old.check.ServiceID)
        self.checks[check.CheckID] = entry
        self._of_service.setdefault(check.ServiceID, {})[check.CheckID] = None
        self._check_out(check.CheckID)
        self._tell(check.ServiceID)

    def remove_check(self, check_id: str) -> bool:
        entry = self.checks.get(check_id)
        if entry is None or entry.deleted:
            return False
        entry.deleted, entry.in_sync = True, False
        entry.version += 1
        self._check_out(check_id, REMOVED_HERE)
        self._tell(entry.check.ServiceID)
        return True

    def check(self, check_id: str) -> HealthCheck | None:
        entry = self.checks.get(check_id)
        return entry.check if entry is not None and not entry.deleted else None

    def live_checks(self) -> dict[str, HealthCheck]:
        return {key: entry.check for key, entry in self.checks.items() if not entry.deleted}

    def checks_of(self, service_id: str) -> list[HealthCheck]:
        return [entry.check for entry in self.check_entries_of(service_id) if not entry.deleted]

    def update_check(self, check_id: str, status: str, output: str) -> None:
        """A check has run. A new status is sent at once, a new output alone may wait (check_update_interval)."""
        entry = self.checks.get(check_id)
        if entry is None or entry.deleted:
            return
        if self.discard_check_output:
            output = ""
        if status != HEALTH_CRITICAL:
            entry.critical_since = None
        elif entry.critical_since is None:
            entry.critical_since = self._clock()
        old = entry.check
        if old.Status == status and old.Output == output:
            return
        entry.check = replace(old, Status=status, Output=output)
        entry.version += 1
        if old.Status != status:
            self._tell(old.ServiceID)
        delay_s = self.output_delay_s()
        if old.Status == status and delay_s > 0 and self.defer is not None:
            if not entry.deferred:
                entry.deferred = True
                self.defer(delay_s, lambda: self._deferred_due(check_id))
            return
        entry.in_sync = False
        self._check_out(check_id)

    def _deferred_due(self, check_id: str) -> None:
        entry = self.checks.get(check_id)
        if entry is None or not entry.deferred:
            return
        entry.deferred = False
        if not entry.deleted:
            entry.in_sync = False
            self._check_out(check_id)

    def critical_for(self, now: float) -> list[tuple[HealthCheck, float]]:
        """Checks whose results are critical, with how many seconds they have been so."""
        return [
            (entry.check, now - entry.critical_since)
            for entry in self.checks.values()
            if not entry.deleted and entry.critical_since is not None
        ]

    # ------------------------------------------------------------------ comparison with the catalog

    def compare(
        self, node: Node | None, own: Node, services: Iterable[NodeService], checks: Iterable[HealthCheck]
    ) -> list[Known]:
        """Set the sync flags from what the catalog holds; what the catalog has and we have not becomes deleted.

        Returns what was in sync, and is not in the catalog.
        """
        self.node_in_sync = (
            node is not None and node.ID == own.ID and node.Address == own.Address
            and (node.TaggedAddresses or {}) == (own.TaggedAddresses or {})
            and (node.Meta or {}) == (own.Meta or {})
        )  # fmt: skip
        remote_services = {service.ID: service for service in services}
        remote_checks = {check.CheckID: check for check in checks}
        gone = {key: None for key, one in self.services.items() if one.in_sync and key not in remote_services}
        lost = [Known("service", key, self.services[key].version) for key in gone]
        lost += [
            Known("check", key, check.version) for key, check in self.checks.items()
            if check.in_sync and key not in remote_checks and check.check.ServiceID not in gone
        ]  # fmt: skip
        for service_id, entry in self.services.items():
            remote = remote_services.get(service_id)
            if entry.deleted or remote is None:
                entry.in_sync = False
            else:
                self._compare_service(entry, remote)
        for service_id, remote in remote_services.items():
            if service_id not in self.services and not (self.is_server and service_id == CONSUL_SERVICE_ID):
                ghost = ServiceEntry(remote, "", from_config=False)
                ghost.deleted = True
                self.services[service_id] = ghost
        self._compare_checks(remote_checks)
        self.unsynced_services = self._unsynced(self.unsynced_services, self.services, remote_services)
        self.unsynced_checks = self._unsynced(self.unsynced_checks, self.checks, remote_checks)
        return lost

    def known(self) -> set[Known]:
        """What the catalog has, as far as we know."""
        services = {Known("service", key, one.version) for key, one in self.services.items() if one.in_sync}
        return services | {Known("check", key, one.version) for key, one in self.checks.items() if one.in_sync}

    def _unsynced(
        self, before: dict[str, Unsent], entries: Mapping[str, Entry], remote: Collection[str]
    ) -> dict[str, Unsent]:
        """What is out of sync, and why: what was so before is so for the reason it was."""
        found = {}
        for key, entry in entries.items():
            if entry.in_sync:
                continue
            known = before.get(key)
            why = STRANGER if entry.deleted else OTHER_THERE if key in remote else NOT_THERE
            found[key] = Unsent(self._clock(), why) if known is None else known
        return found

    @staticmethod
    def _compare_service(entry: ServiceEntry, remote: NodeService) -> None:
        if entry.service.EnableTagOverride and (entry.service.Tags or []) != (remote.Tags or []):
            # The catalog may change the tags of such a service: take them over instead of fighting.
            entry.service = replace(entry.service, Tags=remote.Tags)
        entry.in_sync = same_service(entry.service, remote)

    def _compare_checks(self, remote_checks: dict[str, HealthCheck]) -> None:
        for check_id, entry in self.checks.items():
            remote = remote_checks.get(check_id)
            if entry.deleted or remote is None:
                entry.in_sync = False
            elif entry.deferred:
                # Output is on its way lazily; anything else that differs must go now.
                entry.in_sync = same_check(replace(entry.check, Output=remote.Output), remote)
            else:
                entry.in_sync = same_check(entry.check, remote)
        for check_id, remote in remote_checks.items():
            if check_id not in self.checks and check_id != SERF_CHECK_ID:
                ghost = CheckEntry(remote, "", from_config=False)
                ghost.deleted = True
                self.checks[check_id] = ghost
                self._of_service.setdefault(remote.ServiceID, {})[check_id] = None

    def stats(self) -> dict[str, int]:
        return {"services": len(self.live_services()), "checks": len(self.live_checks())}


def same_service(local: NodeService, remote: NodeService) -> bool:
    """Equal for the catalog: nil and empty are the same, and indexes do not count."""
    for field in local.__struct_fields__:
        if field in ("CreateIndex", "ModifyIndex", "LocallyRegisteredAsSidecar"):
            continue
        a, b = getattr(local, field), getattr(remote, field)
        if field == "Weights":
            a, b = a or DEFAULT_WEIGHTS, b or DEFAULT_WEIGHTS
        if a != b and (a or b):
            return False
    return True


def same_check(local: HealthCheck, remote: HealthCheck) -> bool:
    fields = ("CheckID", "Name", "Status", "Notes", "Output", "ServiceID", "ServiceName", "ServiceTags")
    for field in fields:
        a, b = getattr(local, field), getattr(remote, field)
        if a != b and (a or b):
            return False
    return True


def worst_status(checks: Iterable[HealthCheck]) -> str:
    """The aggregate of several checks: critical over warning over passing."""
    statuses = {check.Status for check in checks}
    if HEALTH_CRITICAL in statuses:
        return HEALTH_CRITICAL
    return HEALTH_WARNING if HEALTH_WARNING in statuses else HEALTH_PASSING
