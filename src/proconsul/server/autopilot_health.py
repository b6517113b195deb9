"""Whether servers are fit to vote: from what they say of themselves to autopilot's verdict (Consul docs: autopilot).

Pure: the moment and the earlier verdicts are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.configuration import Suffrage
from proconsul.engine.raft.quorum import majority
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.engine.wire.gotime import ZERO_TIME, from_unix_ns, is_zero, to_unix_ns
from proconsul.engine.wire.record import replace
from proconsul.features.operator.model import AutopilotConfig, OperatorHealthReply, ServerHealth
from proconsul.server.server_details import ServerDetails

# What "never" had contact is shown as, in nanoseconds.
NEVER = -1


class Stats(NamedTuple):
    """A server's answer: when it last heard the leader (a duration, ``never`` or ``0``), and the end of its log."""

    last_contact: str
    last_term: int
    last_index: int


class Round(NamedTuple):
    """One round of questions. ``leader``: the leader's own answer before anybody was asked; ``now_ns``: wall clock."""

    leader_id: str
    leader: Stats
    peers: Sequence[RaftServer]
    servers: Mapping[str, ServerDetails]
    answers: Mapping[str, Stats]
    now_ns: int


def verdicts(this: Round, config: AutopilotConfig, earlier: Mapping[str, ServerHealth]) -> OperatorHealthReply:
    """The health of every server of the Raft configuration, in its order."""
    found = []
    for peer in this.peers:
        health = _described(peer, this)
        health = replace(health, Healthy=_is_healthy(health, this, config))
        before = earlier.get(peer.id)
        kept = before is not None and before.Healthy == health.Healthy and not is_zero(before.StableSince)
        since = before.StableSince if kept and before is not None else from_unix_ns(this.now_ns)
        found.append(replace(health, StableSince=since))
    return OperatorHealthReply(all(one.Healthy for one in found), tolerance(found), found)


def tolerance(servers: Iterable[ServerHealth]) -> int:
    """How many healthy voters may be lost before there is no quorum."""
    voters = [server for server in servers if server.Voter]
    return max(sum(server.Healthy for server in voters) - majority(len(voters)), 0)


def healthy_for_s(reply: OperatorHealthReply, now_ns: int) -> dict[str, float]:
    """How long each healthy server has been so, by Raft id."""
    return {one.ID: (now_ns - to_unix_ns(one.StableSince)) / 1e9 for one in reply.Servers or () if one.Healthy}


def _described(peer: RaftServer, this: Round) -> ServerHealth:
    health = ServerHealth(
        ID=peer.id, Address=peer.address, Leader=peer.id == this.leader_id, LastContact=NEVER,
        Voter=peer.suffrage is Suffrage.VOTER, StableSince=ZERO_TIME,
    )  # fmt: skip
    server = this.servers.get(peer.id)
    if server is not None:
        health = replace(health, Name=server.name, SerfStatus=int(server.status), Version=str(server.build))
    answer = this.answers.get(peer.id)
    if answer is None:
        return health
    contact_ns = _nanoseconds(answer.last_contact)
    described: ServerHealth = replace(
        health, LastContact=contact_ns, LastTerm=answer.last_term, LastIndex=answer.last_index
    )
    return described


def _nanoseconds(text: str) -> int:
    try:
        return NEVER if text == "never" else parse_duration(text)
    except DurationError:
        return NEVER


def _is_healthy(health: ServerHealth, this: Round, config: AutopilotConfig) -> bool:
    return (
        health.SerfStatus == MemberStatus.ALIVE
        and 0 <= health.LastContact <= config.LastContactThreshold
        and health.LastTerm == this.leader.last_term
        and health.LastIndex >= this.leader.last_index - config.MaxTrailingLogs
    )
