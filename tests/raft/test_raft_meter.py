"""Consensus in numbers: what is counted and timed, under which names, and when it is not."""

from __future__ import annotations

from proconsul.engine.meters import Meters
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.messages import AppendEntriesRequest, LogEntry, RequestVoteRequest, TimeoutNowRequest
from proconsul.engine.raft.meter import RaftMeter


def totals(meters: Meters, name: str) -> tuple[int, float]:
    sample = meters.samples[name]
    return sample.count, round(sample.total, 3)


def test_a_leader_times_its_writes() -> None:
    meter = RaftMeter(meters := Meters())
    meter.role(Role.LEADER)
    meter.proposed(3, 12, 1.0)
    meter.proposed(1, 13, 1.010)
    meter.appending(7, 1.0)
    meter.appending(8, 1.010)
    meter.durable(8, 1.020)
    meter.committed(12, 3, 1.030)
    assert totals(meters, "raft.commitTime") == (1, 30.0)
    meter.committed(13, 1, 1.050)
    assert totals(meters, "raft.commitTime") == (2, 70.0)
    assert totals(meters, "raft.leader.dispatchLog") == (2, 30.0)
    assert meters.counts["raft.apply"] == 4
    assert meters.gauges == {"raft.leader.dispatchNumLogs": 1, "raft.commitNumLogs": 1}


def test_what_a_deposed_leader_had_begun_is_not_timed() -> None:
    meter = RaftMeter(meters := Meters())
    meter.role(Role.LEADER)
    meter.proposed(1, 12, 1.0)
    meter.appending(7, 1.0)
    meter.role(Role.FOLLOWER)
    meter.committed(12, 1, 9.0)
    meter.disk_failed()
    meter.durable(7, 9.0)
    assert meters.samples == {}


def test_roles_are_counted_when_they_change() -> None:
    meter = RaftMeter(meters := Meters())
    for role in (Role.FOLLOWER, Role.FOLLOWER, Role.PRE_CANDIDATE, Role.CANDIDATE, Role.LEADER, Role.FOLLOWER):
        meter.role(role)
    assert meters.counts == {
        "raft.state.follower": 2, "raft.state.candidate": 1, "raft.state.leader": 1,
        "raft.transition.heartbeat_timeout": 1,
    }  # fmt: skip


def test_requests_have_their_names() -> None:
    meter = RaftMeter(meters := Meters())
    entry = LogEntry(5, 1, 0, b"x")
    meter.served(AppendEntriesRequest(1, b"", 4, 1, (entry,), 4), 0.002)
    meter.served(AppendEntriesRequest(1, b"", 0, 0, None, 0), 0.001)
    meter.served(RequestVoteRequest(1, b"", 4, 1, False), 0.003)
    meter.served(TimeoutNowRequest(), 0.003)
    meter.replicated("s2", 10, 0.004)
    meter.replicated("s2", None, 0.005)
    assert {name: sample.total for name, sample in meters.samples.items()} == {
        "raft.rpc.appendEntries": 2.0, "raft.rpc.processHeartbeat": 1.0, "raft.rpc.requestVote": 3.0,
        "raft.replication.appendEntries.rpc.s2": 4.0, "raft.replication.heartbeat.s2": 5.0,
    }  # fmt: skip
    assert meters.counts == {"raft.replication.appendEntries.logs.s2": 10}
    samples, counts, gauges = meters.drain()
    assert samples and counts and not gauges and not meters.samples and not meters.counts
