"""The ``raft`` block of ``consul info`` and ``/v1/agent/self``: names and formats of hashicorp/raft 1.1's Stats()."""

from __future__ import annotations

from proconsul.engine.raft.events import Role
from proconsul.engine.raft.messages import (
    PROTOCOL_VERSION,
    PROTOCOL_VERSION_MAX,
    PROTOCOL_VERSION_MIN,
    SNAPSHOT_VERSION_MAX,
    SNAPSHOT_VERSION_MIN,
)
from proconsul.engine.raft.state import RaftState

__all__ = ["go_duration", "raft_stats"]


def go_duration(seconds: float) -> str:
    """A duration as Go prints it, for times below an hour: 0s, 15.2µs, 45.123ms, 1.5s, 2m3s."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    for limit, unit, name in ((1_000, 1, "ns"), (1_000_000, 1_000, "µs"), (1_000_000_000, 1_000_000, "ms")):
        if nanoseconds < limit:
            return f"{_decimal(nanoseconds, unit)}{name}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    tail = f"{_decimal(rest, 1_000_000_000)}s"
    if minutes < 60:
        return f"{minutes}m{tail}" if minutes else tail
    return f"{minutes // 60}h{minutes % 60}m{tail}"


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    digits = f"{fraction:0{len(str(unit)) - 1}d}".rstrip("0") if unit > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


def raft_stats(state: RaftState, applied_index: int, now: float) -> dict[str, str]:
    """All values are strings. ``last_contact``: 0 on the leader, never, or the age of the last contact.

    ``latest_configuration_index`` is always 0, as Consul 1.8 reports it.
    """
    if state.is_leader:
        last_contact = "0"
    elif state.last_contact is None:
        last_contact = "never"
    else:
        last_contact = go_duration(now - state.last_contact)
    votes = state.configuration.has_vote(state.id)
    num_peers = len(state.configuration.voters) - 1 if votes else 0
    name = "Candidate" if state.role is Role.PRE_CANDIDATE else state.role.value
    values: dict[str, object] = {
        "applied_index": applied_index,
        "commit_index": state.commit_index,
        "fsm_pending": state.commit_index - applied_index,
        "last_contact": last_contact,
        "last_log_index": state.last_index,
        "last_log_term": state.last_term,
        "last_snapshot_index": state.snapshot_index,
        "last_snapshot_term": state.snapshot_term,
        "latest_configuration": state.configuration,
        "latest_configuration_index": 0,
        "num_peers": num_peers,
        "protocol_version": PROTOCOL_VERSION,
        "protocol_version_max": PROTOCOL_VERSION_MAX,
        "protocol_version_min": PROTOCOL_VERSION_MIN,
        "snapshot_version_max": SNAPSHOT_VERSION_MAX,
        "snapshot_version_min": SNAPSHOT_VERSION_MIN,
        "state": name,
        "term": state.term,
    }
    return {name: str(value) for name, value in values.items()}
