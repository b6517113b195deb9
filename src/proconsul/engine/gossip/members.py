"""serf's table of members: what memberlist and the intents of members make of each other's status. Pure.

memberlist says who can be reached; an intent says what a member (or an operator) wants. A member that cannot be reached
has left if it wanted to, and has failed if not. Intents carry Lamport times, so that an old one cannot undo a newer.
Transitions: gossip wire reference, serf; checked against serf 0.9.4 by sending it hand-made intents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.lamport import LTIME_MAX
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.gossip.messages import JoinIntent, LeaveIntent, NodeState
from proconsul.engine.gossip.serf_context import Context
from proconsul.engine.gossip.serf_effects import MemberChange

# What led to a member's state: enough for the story of one failure and one return.
CAUSES_MAX = 8
# Intents about members not known yet. They are a few around a join; a pool's worth of them only comes from a peer that
# makes up names.
INTENTS_MAX = 16_384

ALIVE, LEAVING, LEFT, FAILED = MemberStatus.ALIVE, MemberStatus.LEAVING, MemberStatus.LEFT, MemberStatus.FAILED
# An intent, or memberlist's word that a member is gone: the status before and after. Other statuses stay.
ON_JOIN_INTENT = {LEAVING: ALIVE}
ON_LEAVE_INTENT = {ALIVE: LEAVING, FAILED: LEFT}
ON_GONE = {ALIVE: FAILED, LEAVING: LEFT}
_STATUSES = {NodeState.ALIVE: ALIVE, NodeState.SUSPECT: ALIVE, NodeState.DEAD: FAILED, NodeState.LEFT: LEFT}


class Cause(NamedTuple):
    """One thing that bore on a member's status. ``source``: the member or exchange it came from."""

    at: float
    what: str
    status: MemberStatus
    ltime: int
    source: str


class Evidence(NamedTuple):
    """Why a member has its status. ``reap_at``: when it will be forgotten, None as long as it is there."""

    member: Member
    status_ltime: int
    causes: tuple[Cause, ...]
    reap_at: float | None


@dataclass(slots=True)
class MemberState:
    """A member, the Lamport time of its status, and when it was lost."""

    member: Member
    status_ltime: int = 0
    gone_at: float = 0.0
    # A leave intent asked to forget it as soon as it is gone.
    prune: bool = False
    causes: tuple[Cause, ...] = ()

    @property
    def status(self) -> MemberStatus:
        return self.member.status


class _Intent(NamedTuple):
    leave: bool
    ltime: int
    at: float


def member_of(node: NodeRecord) -> Member:
    """A node of memberlist as a member. Raises BadMessage when its metadata are no tags."""
    vsn = node.vsn.ljust(6, b"\0")
    return Member(
        node.name, node.address.host, node.address.port, codec.decode_tags(node.meta), _STATUSES[node.state],
        (vsn[0], vsn[1], vsn[2]), (vsn[3], vsn[4], vsn[5]),
    )  # fmt: skip


class MemberTable:
    """All members. ``changed`` is told every change; ``refute`` is called when others believe that we leave."""

    def __init__(
        self, context: Context, changed: Callable[[MemberChange, Member], None], refute: Callable[[], None]
    ) -> None:
        self._context = context
        self._changed = changed
        self._refute = refute
        self._states: dict[str, MemberState] = {}
        self._intents: dict[str, _Intent] = {}
        # Whether we are leaving ourselves, so that what is said of it is true.
        self.leaving = False

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[MemberState]:
        return iter(self._states.values())

    def get(self, name: str) -> MemberState | None:
        return self._states.get(name)

    def adopt(self, members: Iterable[Member]) -> None:
        """Know these as if they had been there for long, without a word to anybody; for simulations."""
        for member in members:
            self._states.setdefault(member.name, MemberState(member))

    def with_status(self, status: MemberStatus) -> list[MemberState]:
        return [state for state in self._states.values() if state.status is status]

    def evidence(self, name: str) -> Evidence | None:
        """Why the member has its status; None when there is no such member."""
        state = self._states.get(name)
        if state is None:
            return None
        return Evidence(state.member, state.status_ltime, state.causes, self._reap_at(state))

    def note(self, name: str, what: str) -> None:
        """Something that belongs to a member's story and does not change its status."""
        state = self._states.get(name)
        if state is not None:
            self._record(state, what, 0)

    # ------------------------------------------------------------------ memberlist's word

    def joined(self, node: NodeRecord) -> None:
        """memberlist has found ``node`` alive."""
        state = self._states.get(node.name)
        member = self._seen(node)
        if state is None:
            state = self._states[node.name] = MemberState(member)
            intent = self._intents.pop(node.name, None)
            if intent is not None:
                state.status_ltime = intent.ltime
                if intent.leave:
                    state.member = member._replace(status=LEAVING)
        else:
            if state.status is FAILED and self._context.now - state.gone_at < self._context.config.flap_window_s:
                self._context.counters["flaps"] += 1
            state.member, state.gone_at, state.prune = member, 0.0, False
        self._record(state, "memberlist: alive", 0)
        self._context.log("info", f"serf: EventMemberJoin: {node.name} {node.address.host}")
        self._changed(MemberChange.JOIN, state.member)

    def gone(self, node: NodeRecord) -> None:
        """memberlist has lost ``node``: it has left if it wanted to, else it has failed."""
        state = self._states.get(node.name)
        if state is None or state.status not in ON_GONE:
            return
        status = ON_GONE[state.status]
        self._move(state, status, f"memberlist: {node.state.name.lower()}", 0)
        title, change = ("Leave", MemberChange.LEAVE) if status is LEFT else ("Failed", MemberChange.FAILED)
        self._context.log("info", f"serf: EventMember{title}: {node.name} {state.member.address}")
        self._changed(change, state.member)
        if state.prune:
            self._forget(state, forced=True)

    def updated(self, node: NodeRecord) -> None:
        """A member has other tags, or another address or version."""
        state = self._states.get(node.name)
        if state is None:
            return
        state.member = self._seen(node)._replace(status=state.status)
        self._record(state, "memberlist: updated", 0)
        self._context.log("info", f"serf: EventMemberUpdate: {node.name}")
        self._changed(MemberChange.UPDATE, state.member)

    def _seen(self, node: NodeRecord) -> Member:
        try:
            return member_of(node)._replace(status=ALIVE)
        except codec.BadMessage as error:
            # Without tags it is still a member: memberlist has accepted it.
            self._context.drop("malformed", f"serf: Failed to decode tags of {node.name}: {error}")
            return member_of(_without_meta(node))._replace(status=ALIVE)

    # ------------------------------------------------------------------ intents

    def join_intent(self, intent: JoinIntent) -> bool:
        """Someone says that a member has joined. True when this was news, which is to be passed on."""
        if not self._witness(intent.LTime):
            return False
        state = self._states.get(intent.Node)
        if state is None:
            return self._keep(intent.Node, _Intent(False, intent.LTime, self._context.now))
        if intent.LTime <= state.status_ltime:
            return False
        state.status_ltime = intent.LTime
        if state.status is LEAVING:
            state.prune = False
        self._move(state, ON_JOIN_INTENT.get(state.status, state.status), "join intent", intent.LTime)
        return True

    def leave_intent(self, intent: LeaveIntent) -> bool:
        """Someone says that a member leaves. True when this was news, which is to be passed on."""
        if not self._witness(intent.LTime):
            return False
        state = self._states.get(intent.Node)
        if state is None:
            return self._keep(intent.Node, _Intent(True, intent.LTime, self._context.now))
        if intent.LTime <= state.status_ltime:
            return False
        if intent.Node == self._context.config.name and not self.leaving:
            self._context.log("debug", "serf: Refuting an older leave intent")
            self._refute()
            return False
        # The newest intent decides, in whatever order they come: so its time counts even where the status stays.
        before = state.status
        state.status_ltime = intent.LTime
        self._move(state, ON_LEAVE_INTENT.get(before, before), "leave intent", intent.LTime)
        if before is FAILED:
            self._context.log("info", f"serf: EventMemberLeave (forced): {intent.Node} {state.member.address}")
            self._changed(MemberChange.LEAVE, state.member)
        if intent.Prune:
            # One that can be reached may object, so it is forgotten only when it is gone.
            state.prune = True
            if state.status is LEFT:
                self._forget(state, forced=True)
        return True

    def _witness(self, ltime: int) -> bool:
        self._context.clock.witness(ltime)
        return ltime < LTIME_MAX

    def _keep(self, name: str, intent: _Intent) -> bool:
        """Remember an intent about a member not known yet; True when it is newer than the one there was."""
        known = self._intents.get(name)
        if known is not None and intent.ltime <= known.ltime:
            return False
        if known is None and len(self._intents) >= INTENTS_MAX:
            self._context.counters["intents_dropped"] += 1
            return False
        self._intents[name] = intent
        return True

    # ------------------------------------------------------------------ forgetting

    def reap(self) -> None:
        """Forget members gone for long, and intents about members that never came."""
        now = self._context.now
        for state in list(self._states.values()):
            reap_at = self._reap_at(state)
            if reap_at is not None and now > reap_at:
                self._forget(state, forced=False)
        kept_from = now - self._context.config.intent_timeout_s
        for name in [name for name, intent in self._intents.items() if intent.at < kept_from]:
            del self._intents[name]

    def _reap_at(self, state: MemberState) -> float | None:
        config = self._context.config
        if state.status is FAILED:
            return state.gone_at + config.reconnect_timeout_of(state.member, config.reconnect_timeout_s)
        if state.status is LEFT:
            return state.gone_at + config.tombstone_timeout_s
        return None

    def _forget(self, state: MemberState, *, forced: bool) -> None:
        del self._states[state.member.name]
        suffix = " (forced)" if forced else ""
        self._context.log("info", f"serf: EventMemberReap{suffix}: {state.member.name} {state.member.address}")
        self._changed(MemberChange.REAP, state.member)

    # ------------------------------------------------------------------ state

    def _move(self, state: MemberState, status: MemberStatus, what: str, ltime: int) -> None:
        if state.status in (ALIVE, LEAVING) and status in (FAILED, LEFT):
            # A failed member that is declared to have left has been gone since it failed.
            state.gone_at = self._context.now
        state.member = state.member._replace(status=status)
        self._record(state, what, ltime)

    def _record(self, state: MemberState, what: str, ltime: int) -> None:
        context = self._context
        cause = Cause(context.now, what, state.status, ltime, context.source)
        state.causes = (*state.causes, cause)[-CAUSES_MAX:]


def _without_meta(node: NodeRecord) -> NodeRecord:
    """``node`` without metadata that cannot be read."""
    return NodeRecord(node.name, node.address, b"", node.vsn, node.incarnation, node.state, node.changed_at)
