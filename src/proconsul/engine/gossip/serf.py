"""serf on memberlist: member status, intents, user events, queries, coordinates, as one pure core.

`Serf` is memberlist's delegate. Every step takes the time and appends to ``effects``, which the driver drains and
performs in order. `tick` is to be called when `next_deadline` is reached. What the layers mean to each other is in
delegate.py; the protocol is the gossip wire reference's, checked against serf 0.9.4.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.broadcast import Sent
from proconsul.engine.gossip.coordinate import Coordinate, CoordinateClient, CoordinateError
from proconsul.engine.gossip.delegate import Membership, NodeRecord, NodeRefused
from proconsul.engine.gossip.keyring import Keyring
from proconsul.engine.gossip.keys import InternalQueries, KeyOp, KeyOperation, request_keys
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.gossip.members import Evidence, MemberTable, member_of
from proconsul.engine.gossip.messages import (
    JoinIntent,
    LeaveIntent,
    QueryMessage,
    QueryResponse,
    SerfKind,
    SerfPushPull,
    UserEventMessage,
)
from proconsul.engine.gossip.queries import INTERNAL_PREFIX, Queries, Query, QueryError
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.serf_context import Context
from proconsul.engine.gossip.serf_effects import (
    Doubted,
    Effect,
    MemberChange,
    MembersChanged,
    SnapshotCompact,
    SnapshotLine,
)
from proconsul.engine.gossip.snapshot_file import FLUSH_INTERVAL_S, RestoredPool, SnapshotFile, replay
from proconsul.engine.gossip.user_events import UserEvents
from proconsul.engine.wire.hostport import Address

# Torn or foreign lines of a snapshot that are worth a line of the log each.
_SKIPPED_LOGGED_MAX = 10
_TITLES = {
    SerfKind.LEAVE: "leave message", SerfKind.JOIN: "join message", SerfKind.USER_EVENT: "user event message",
    SerfKind.QUERY: "query message", SerfKind.QUERY_RESPONSE: "query response message", SerfKind.RELAY: "relay header",
}  # fmt: skip


class NameConflict(NamedTuple):
    """Two addresses claim one name."""

    at: float
    existing: Address
    other: Address


class Serf:
    """One node's serf. ``keyring``: the one memberlist's packets are encrypted with, if they are."""

    def __init__(
        self, config: SerfConfig, tags: Mapping[str, str], rng: random.Random, now: float,
        keyring: Keyring | None = None,
    ) -> None:  # fmt: skip
        """Raises codec.MetaTooLarge when the tags do not fit."""
        self.config = config
        self.tags = dict(tags)
        self._meta = codec.encode_tags(self.tags)
        context = self._context = Context(config, rng, now)
        self.counters = context.counters
        self._members = MemberTable(context, self._changed, self._object)
        self._internal = InternalQueries(context, self._members, keyring)
        self._events = UserEvents(context)
        self._queries = Queries(context, self._members, self._internal.answer)
        self._coordinates = CoordinateClient(rng)
        self._others: dict[str, Coordinate] = {}
        self._conflicts: dict[str, NameConflict] = {}
        self._snapshot: SnapshotFile | None = None
        self._flush_armed = False
        self._ignore_old_on_join = False
        for interval_s, periodic in (
            (config.reap_interval_s, self._reap),
            (config.reconnect_interval_s, self._reconnect),
            (config.queue_check_interval_s, self._check_queues),
        ):
            context.timers.at(now + interval_s, periodic)

    @property
    def effects(self) -> list[Effect]:
        """What the driver has to perform, in order; it takes the list and puts an empty one in its place."""
        return self._context.effects

    @effects.setter
    def effects(self, effects: list[Effect]) -> None:
        self._context.effects = effects

    def attach(self, membership: Membership) -> None:
        """Has to be called before anything else."""
        self._context.attach(membership)

    def restore(self, text: str, now: float) -> dict[str, Address]:
        """Take up the snapshot file (its whole text, empty for none) and keep it from now on.

        Returns the members to join again: none after a leave, unless configured otherwise. Raises ValueError.
        """
        context = self._context
        context.begin(now)
        restored = replay(text, rejoin_after_leave=self.config.rejoin_after_leave)
        for line in restored.skipped[:_SKIPPED_LOGGED_MAX]:
            context.log("warning", f"serf: Unrecognized snapshot line: {line!r:.200}")
        context.clock.witness(restored.clock)
        context.event_clock.witness(restored.event_clock)
        context.query_clock.witness(restored.query_clock)
        self._events.min_time = restored.event_clock + 1
        self._queries.min_time = restored.query_clock + 1
        self._keep_snapshot(restored, text)
        return {name: address for name, address in restored.nodes.items() if name != self.config.name}

    def adopt(self, members: Iterable[Member]) -> None:
        """Know members as if they had been there for long; for simulations that begin with a formed pool."""
        self._members.adopt(members)

    def _keep_snapshot(self, restored: RestoredPool, text: str) -> None:
        size_bytes = len(text.encode("utf-8", "surrogateescape"))
        self._snapshot = SnapshotFile(restored, size_bytes, rejoin_after_leave=self.config.rejoin_after_leave)
        # A line appended to half a line would make a wrong one.
        if restored.skipped or (text and not text.endswith("\n")):
            self.effects.append(SnapshotCompact(self._snapshot.compacted()))

    # ------------------------------------------------------------------ what one may ask

    def members(self) -> list[Member]:
        """All members, those that left or failed included until they are reaped."""
        return [state.member for state in self._members]

    def local_member(self) -> Member | None:
        """Ourselves; None before memberlist has started."""
        state = self._members.get(self.config.name)
        return state.member if state is not None else None

    def why(self, name: str) -> tuple[Evidence, NameConflict | None] | None:
        """What led to a member's status, and who else claims its name; None when there is no such member."""
        evidence = self._members.evidence(name)
        return None if evidence is None else (evidence, self._conflicts.get(name))

    def coordinate(self) -> Coordinate:
        """Where we are."""
        return self._coordinates.coordinate

    def cached_coordinate(self, name: str) -> Coordinate | None:
        """Where a member was when it last answered a probe of ours."""
        return self.coordinate() if name == self.config.name else self._others.get(name)

    def stats(self) -> dict[str, int]:
        """serf's numbers of ``consul info``."""
        context = self._context
        return {
            "coordinate_resets": self._coordinates.resets, "event_queue": len(context.events),
            "event_time": context.event_clock.time, "failed": len(self._members.with_status(MemberStatus.FAILED)),
            "intent_queue": len(context.intents), "left": len(self._members.with_status(MemberStatus.LEFT)),
            "member_time": context.clock.time, "members": len(self._members), "query_queue": len(context.queries),
            "query_time": context.query_clock.time,
        }  # fmt: skip

    # ------------------------------------------------------------------ what one may do

    def fire(self, name: str, payload: bytes, coalesce: bool, now: float) -> int:
        """Send a user event to all members and ourselves; returns its Lamport time. Raises EventTooLarge."""
        self._context.begin(now)
        return self._events.fire(name, payload, coalesce)

    def query(
        self, name: str, payload: bytes, now: float, *, nodes: Sequence[str] = (),
        tags: Mapping[str, str] | None = None, ack: bool = False, relay_factor: int = 0, timeout_s: float | None = None,
    ) -> Query:  # fmt: skip
        """Ask all members that match, ourselves included. What comes back becomes effects. Raises QueryError."""
        self._context.begin(now)
        if name.startswith(INTERNAL_PREFIX) and name != INTERNAL_PREFIX + "ping":
            raise QueryError(f"Queries cannot contain the '{INTERNAL_PREFIX}' prefix")
        return self._queries.ask(
            name, payload, nodes=nodes, tags=tags, ack=ack, relay_factor=relay_factor, timeout_s=timeout_s
        )

    def key_request(self, op: KeyOp, key: bytes, relay_factor: int, now: float) -> KeyOperation:
        """Have every member install, use, remove or list keys; `KeysFinished` tells when. Raises QueryError."""
        self._context.begin(now)
        return request_keys(self._context, self._queries, op, key, relay_factor)

    def set_tags(self, tags: Mapping[str, str], now: float) -> None:
        """Change our tags. Raises codec.MetaTooLarge and changes nothing when they do not fit."""
        self._context.begin(now)
        self._meta = codec.encode_tags(dict(tags))
        self.tags = dict(tags)
        self._context.membership.metadata_changed(now)

    def joining(self, ignore_old: bool) -> None:
        """A join begins; ``ignore_old``: the events that the pool remembers are not for us."""
        self._ignore_old_on_join = ignore_old

    def announce_join(self, now: float) -> None:
        """Tell the pool that we have joined: to be called after a join succeeded."""
        self._context.begin(now)
        self._refute()

    def force_leave(self, name: str, prune: bool, now: float, on_sent: Sent | None = None) -> None:
        """Declare that a failed member has left; ``prune``: and forget it. One that is alive will object.

        ``on_sent`` is called when the pool was told, at once if there is nobody to tell.
        """
        self._context.begin(now)
        self._leave(name, prune, on_sent)

    def leave(self, now: float, on_sent: Sent | None = None) -> None:
        """Say that we leave, the first of three steps, so that the pool knows it was meant when we are gone.

        ``on_sent`` is called when it was told. Then the driver has memberlist leave, and then goes on answering for
        ``leave_propagate_delay_s``. It waits for either at most ``broadcast_timeout_s``.
        """
        self._context.begin(now)
        self._members.leaving = True
        if self._snapshot is not None:
            self._line(self._snapshot.leave())
        self._leave(self.config.name, False, on_sent)

    def _leave(self, name: str, prune: bool, on_sent: Sent | None) -> None:
        context = self._context
        intent = LeaveIntent(context.clock.stamp(), name, prune)
        self._members.leave_intent(intent)
        if context.membership.alive_count() > 1:
            context.broadcast(context.intents, SerfKind.LEAVE, intent, on_sent)
        elif on_sent is not None:
            on_sent()

    # ------------------------------------------------------------------ time

    def next_deadline(self) -> float | None:
        """When `tick` has something to do. To be asked after every step."""
        if self._snapshot is not None and not self._flush_armed and self._snapshot.is_behind(self._last_times()):
            self._flush_armed = True
            self._context.timers.at(self._context.now + FLUSH_INTERVAL_S, self._flush_clocks)
        return self._context.timers.next()

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._context.begin(now)
        self._context.timers.run(now)

    def _reap(self, now: float) -> None:
        self._members.reap()
        self._context.timers.at(now + self.config.reap_interval_s, self._reap)

    def _reconnect(self, now: float) -> None:
        """Now and then try to join again through a failed member: the more rarely, the fewer of them there are."""
        context = self._context
        context.timers.at(now + self.config.reconnect_interval_s, self._reconnect)
        failed = self._members.with_status(MemberStatus.FAILED)
        if not failed:
            return
        alive = len(self._members) - len(failed) - len(self._members.with_status(MemberStatus.LEFT))
        if context.rng.random() > len(failed) / max(alive, 1):
            context.log("debug", "serf: forgoing reconnect for random throttling")
            return
        member = context.rng.choice(failed).member
        context.log("info", f"serf: attempting reconnect to {member.name} {member.address}:{member.port}")
        context.membership.push_pull(Address(member.address, member.port), member.name)

    def _check_queues(self, now: float) -> None:
        context = self._context
        limit = self.config.queue_limit(len(self._members))
        for title, queue in (("Intent", context.intents), ("Event", context.events), ("Query", context.queries)):
            depth = len(queue)
            if depth >= self.config.queue_depth_warning:
                context.log("warning", f"serf: {title} queue depth: {depth}")
            if depth > limit:
                text = f"serf: {title} queue depth ({depth}) exceeds limit ({limit}), dropping messages!"
                context.log("warning", text)
                queue.prune(limit)
        context.timers.at(now + self.config.queue_check_interval_s, self._check_queues)

    def _flush_clocks(self, now: float) -> None:
        self._flush_armed = False
        if self._snapshot is not None:
            self._line(self._snapshot.clocks(self._last_times()))

    def _last_times(self) -> tuple[int, int, int]:
        """The last time of each clock that was used."""
        context = self._context
        return context.clock.time - 1, context.event_clock.time - 1, context.query_clock.time - 1

    # ------------------------------------------------------------------ memberlist's delegate: messages

    def node_meta(self) -> bytes:
        return self._meta

    def user_message(self, body: bytes, source: Address, now: float) -> None:
        self._context.begin(now, f"{source.host}:{source.port}")
        try:
            self._dispatch(body)
        except codec.BadMessage as error:
            title = _TITLES[SerfKind(body[0])]
            self._context.drop("malformed", f"serf: Error decoding {title}: {error}", "error")

    def _dispatch(self, body: bytes) -> None:
        """Raises BadMessage. What was news is passed on as it came."""
        context = self._context
        kind, content = body[0] if body else -1, body[1:]
        if kind == SerfKind.LEAVE:
            if self._members.leave_intent(codec.decode(LeaveIntent, content)):
                context.intents.put(body)
        elif kind == SerfKind.JOIN:
            if self._members.join_intent(codec.decode(JoinIntent, content)):
                context.intents.put(body)
        elif kind == SerfKind.USER_EVENT:
            if self._events.receive(codec.decode(UserEventMessage, content)):
                context.events.put(body)
        elif kind == SerfKind.QUERY:
            if self._queries.receive(codec.decode(QueryMessage, content)):
                context.queries.put(body)
        elif kind == SerfKind.QUERY_RESPONSE:
            self._queries.response(codec.decode(QueryResponse, content))
        elif kind == SerfKind.RELAY:
            self._queries.pass_on(content)
        else:
            context.drop("malformed", f"serf: Received message of unknown type: {kind}")

    def broadcasts(self, overhead: int, limit: int) -> list[bytes]:
        context = self._context
        taken: list[bytes] = []
        # Who is here matters more than questions, and questions are waited for.
        for queue in (context.intents, context.queries, context.events):
            messages = queue.take(overhead, limit, len(self._members))
            limit -= sum(len(message) + overhead for message in messages)
            taken += messages
        return taken

    def has_broadcasts(self) -> bool:
        context = self._context
        return bool(context.intents or context.queries or context.events)

    # ------------------------------------------------------------------ memberlist's delegate: full exchange

    def local_state(self, join: bool) -> bytes:
        context = self._context
        return codec.encode(SerfKind.PUSH_PULL, SerfPushPull(
            context.clock.time,
            {state.member.name: state.status_ltime for state in self._members},
            [state.member.name for state in self._members.with_status(MemberStatus.LEFT)],
            context.event_clock.time,
            self._events.slots(),
            context.query_clock.time,
        ))  # fmt: skip

    def merge_state(self, data: bytes, join: bool, now: float) -> None:
        context = self._context
        context.begin(now, "push/pull")
        try:
            if not data or data[0] != SerfKind.PUSH_PULL:
                raise codec.BadMessage("not a push/pull")
            state = codec.decode(SerfPushPull, data[1:])
        except codec.BadMessage as error:
            context.drop("malformed", f"serf: Failed to decode remote state: {error}", "error")
            return
        context.clock.witness(state.LTime - 1)
        context.query_clock.witness(state.QueryLTime - 1)
        times = state.StatusLTimes or {}
        left = set(state.LeftMembers or ())
        # Nothing of this is passed on: both sides' neighbours have it from where we have it. The time made up for a
        # leave is newer than the member's own, so it must not meet one that is back: we would wait for ever for it to
        # leave. memberlist's states were merged before, and its incarnations tell; one unknown to us may be back for
        # others. Where both sides agree, the time would grow with every exchange.
        for name in left:
            known = self._members.get(name)
            if name == self.config.name or (known is not None and known.status is MemberStatus.FAILED):
                self._members.leave_intent(LeaveIntent(times.get(name, 0) + 1, name))
        for name, ltime in times.items():
            if name not in left:
                self._members.join_intent(JoinIntent(ltime, name))
        self._events.replay(state, ignore=join and self._ignore_old_on_join)

    # ------------------------------------------------------------------ memberlist's delegate: probes

    def ack_payload(self) -> bytes:
        return codec.encode_ping_payload(self.coordinate())

    def ping_completed(self, node: NodeRecord, rtt_s: float, payload: bytes, now: float) -> None:
        context = self._context
        context.begin(now)
        try:
            other = codec.decode_ping_payload(payload)
            if other is None:
                return
            self._coordinates.update(node.name, other, rtt_s)
        except (codec.BadMessage, CoordinateError) as error:
            context.drop("coordinates_rejected", f"serf: Rejected coordinate from {node.name}: {error}")
            return
        if self._members.get(node.name) is not None:
            self._others[node.name] = other

    # ------------------------------------------------------------------ memberlist's delegate: nodes

    def accept_alive(self, node: NodeRecord) -> None:
        self.accept_merge((node,))

    def accept_merge(self, nodes: Sequence[NodeRecord]) -> None:
        try:
            self.config.accept([member_of(node) for node in nodes])
        except codec.BadMessage as error:
            raise NodeRefused(f"Failed to decode tags: {error}") from None

    def joined(self, node: NodeRecord, now: float) -> None:
        self._context.begin(now, "memberlist")
        self._members.joined(node)

    def left(self, node: NodeRecord, now: float) -> None:
        self._context.begin(now, "memberlist")
        self._members.gone(node)

    def updated(self, node: NodeRecord, now: float) -> None:
        self._context.begin(now, "memberlist")
        self._members.updated(node)

    def doubted(self, now: float) -> None:
        self._context.begin(now)
        self.effects.append(Doubted())

    def conflict(self, existing: NodeRecord, other: NodeRecord) -> None:
        first, second = existing.address, other.address
        theirs = f"{second.host}:{second.port}"
        text = f"{first.host}:{first.port} and {theirs}"
        if existing.name == self.config.name:
            advice = "Names must be unique! (Resolution enabled: false)"
            self._context.log("error", f"serf: Node name conflicts with another node at {theirs}. {advice}")
        else:
            self._context.log("warning", f"serf: Name conflict for '{existing.name}' both {text} are claiming")
        if self._members.get(existing.name) is not None:
            self._conflicts[existing.name] = NameConflict(self._context.now, first, second)
            self._members.note(existing.name, f"name conflict: {text}")

    # ------------------------------------------------------------------ consequences

    def _refute(self) -> None:
        """We are here, whatever others believe, as of now."""
        intent = JoinIntent(self._context.clock.time, self.config.name)
        self._members.join_intent(intent)
        self._context.broadcast(self._context.intents, SerfKind.JOIN, intent)

    def _object(self) -> None:
        """We do not leave, whoever said so."""
        self._refute()
        self.effects.append(Doubted())

    def _changed(self, kind: MemberChange, member: Member) -> None:
        self.effects.append(MembersChanged(kind, member))
        if kind is MemberChange.REAP:
            self._others.pop(member.name, None)
            self._conflicts.pop(member.name, None)
            self._coordinates.forget(member.name)
        if self._snapshot is None:
            return
        if kind is MemberChange.JOIN:
            self._line(self._snapshot.alive(member.name, Address(member.address, member.port)))
        elif kind in (MemberChange.LEAVE, MemberChange.FAILED):
            self._line(self._snapshot.not_alive(member.name))

    def _line(self, text: str) -> None:
        if not text:
            return
        self.effects.append(SnapshotLine(text))
        if self._snapshot is not None and self._snapshot.needs_compaction():
            self.effects.append(SnapshotCompact(self._snapshot.compacted()))
