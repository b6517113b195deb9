"""What a development agent has in memory, kept and put back: `capture` and `restore`.

The catalog's tables are put back as they were, with the rows' indexes. Raft's log goes on: what is written after that
has higher indexes than anything before it, and readers that wait are woken, as after a restored snapshot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sortedcontainers import SortedDict

from proconsul.agent.agent import Agent
from proconsul.agent.checks.runner import Held
from proconsul.agent.local.local_state import CheckEntry, LocalState, ServiceEntry
from proconsul.server.lock_delays import LockDelays
from proconsul.server.server import ConsulServer

__all__ = ["AgentSnapshot", "capture", "restore"]


class _Tables(NamedTuple):
    """A table's rows by key, in no order, and by secondary index."""

    rows: dict[Any, Any]
    indexes: dict[str, dict[Any, dict[Any, Any]]]


class _Local(NamedTuple):
    """What is registered with the agent. ``held``: its running checks, by id."""

    services: dict[str, ServiceEntry]
    checks: dict[str, CheckEntry]
    of_service: dict[str, dict[str, None]]
    unsynced: tuple[dict[str, Any], dict[str, Any]]
    held: dict[str, tuple[Any, Held | None]]


class AgentSnapshot(NamedTuple):
    """The state of one moment, of no use to another agent. ``at``: when that was, by the agent's clock."""

    owner: Agent
    at: float
    tables: dict[str, _Tables]
    indexes: dict[Any, int]
    spellings: dict[Any, Any]
    forgotten: int
    deadlines: dict[str, float]
    lock_delays: dict[str, float]
    local: _Local
    events: tuple[list[Any], dict[str, None]]


def _server(agent: Agent) -> ConsulServer:
    if agent.server is None:
        raise RuntimeError("a client agent has no state to keep: keep that of its servers")
    if agent.config.fixed.data_dir and not agent.config.fixed.dev_mode:
        raise RuntimeError("the state of an agent with a data directory cannot be put back: what is on disk would stay")
    return agent.server


def capture(agent: Agent) -> AgentSnapshot:
    """Keep what there is now. Raises RuntimeError for agents with state elsewhere."""
    server, now = _server(agent), agent.clocks.monotonic()
    store, leadership = server.state.store, server.leadership
    tables = {name: _Tables(dict(table.rows), _copied_indexes(table._indexes)) for name, table in store.tables.items()}
    deadlines = {key: until - now for key, until in leadership.sessions.deadlines._deadlines.items()}
    delays = {key: one.until - now for key, one in leadership.lock_delays._delays.items()}
    return AgentSnapshot(
        agent, now, tables, dict(store.indexes), dict(store.spellings), server.state.kv.forgotten, deadlines, delays,
        _captured_local(agent, now), (list(agent.events._ring), dict(agent.events._recent)),
    )  # fmt: skip


def restore(agent: Agent, kept: AgentSnapshot) -> None:
    """Put back what was kept; times go on from where they were. Raises RuntimeError, ValueError for another agent's."""
    server, now = _server(agent), agent.clocks.monotonic()
    if kept.owner is not agent:
        raise ValueError("this snapshot is another agent's")
    store = server.state.store
    for name, table in store.tables.items():
        saved = kept.tables[name]
        if table.rows != saved.rows or any(table.rows[key] is not row for key, row in saved.rows.items()):
            table.rows, table._indexes = SortedDict(saved.rows), _copied_indexes(saved.indexes)
    store.indexes.clear()
    store.indexes.update(kept.indexes)
    store.spellings.clear()
    store.spellings.update(kept.spellings)
    server.state.kv.forgotten = kept.forgotten
    store.watches.abandon()
    server.views.abandon()
    _restore_leader(server, kept, now)
    _restore_local(agent, kept.local, now)
    ring, recent = kept.events
    agent.events._ring.clear()
    agent.events._ring.extend(ring)
    agent.events._recent = dict(recent)
    agent.web.cache._entries.clear()


def _copied_indexes(indexes: dict[str, dict[Any, dict[Any, Any]]]) -> dict[str, dict[Any, dict[Any, Any]]]:
    return {name: {key: dict(rows) for key, rows in index.items()} for name, index in indexes.items()}


def _restore_leader(server: ConsulServer, kept: AgentSnapshot, now: float) -> None:
    leadership = server.leadership
    for duty in leadership._duties:
        duty.end()
        duty.begin(now, server.raft.last_index)
    timers = leadership.sessions.deadlines
    timers.clear()
    for key, left_s in kept.deadlines.items():
        timers._set(key, now + left_s)
    delays: LockDelays = leadership.lock_delays
    delays.clear()
    for key, left_s in kept.lock_delays.items():
        delays.arm(key, left_s, now)


def _captured_local(agent: Agent, now: float) -> _Local:
    local = agent.local
    runners, running = agent.runners, agent.registrations._holdings.running
    held = {}
    for check_id, runnable in running.items():
        one = runners.hold(check_id)
        if one is not None and one.at_s is not None:
            one = one._replace(at_s=one.at_s - now)
        held[check_id] = (runnable, one)
    kept = _Local(
        local.services, local.checks, local._of_service, (local.unsynced_services, local.unsynced_checks), held
    )
    return _copied_local(kept)


def _copied_local(kept: _Local) -> _Local:
    """With entries of their own: those that are registered change."""
    services = {key: _service(entry) for key, entry in kept.services.items()}
    checks = {key: _check(entry) for key, entry in kept.checks.items()}
    of_service = {key: dict(ids) for key, ids in kept.of_service.items()}
    return _Local(services, checks, of_service, (dict(kept.unsynced[0]), dict(kept.unsynced[1])), dict(kept.held))


def _service(entry: ServiceEntry) -> ServiceEntry:
    copied = ServiceEntry(entry.service, entry.token, from_config=entry.from_config)
    copied.in_sync, copied.deleted, copied.version = entry.in_sync, entry.deleted, entry.version
    return copied


def _check(entry: CheckEntry) -> CheckEntry:
    copied = entry.copy()
    copied.in_sync, copied.deleted = entry.in_sync, entry.deleted
    return copied


def _restore_local(agent: Agent, kept: _Local, now: float) -> None:
    holdings, local = agent.registrations._holdings, agent.local
    for check_id in [*holdings.running]:
        if check_id not in kept.held:
            holdings.run_check(check_id, None)
    for check_id, (runnable, held) in kept.held.items():
        if held is None:
            holdings.run_check(check_id, runnable)
        else:
            again = held if held.at_s is None else held._replace(at_s=now + held.at_s)
            holdings.run_again(check_id, runnable, again)
    _put_local(local, _copied_local(kept))


def _put_local(local: LocalState, kept: _Local) -> None:
    changed = {*local.services, *kept.services}
    local.services, local.checks, local._of_service = kept.services, kept.checks, kept.of_service
    local.unsynced_services, local.unsynced_checks = kept.unsynced
    for service_id in changed:
        local._tell(service_id)
