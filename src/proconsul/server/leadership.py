"""A server's leadership: implements `Duties` for the leader loop, and owns all that a leader alone keeps in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from proconsul.engine.completion import undisturbed
from proconsul.engine.gossip.member import Member
from proconsul.features.acl.endpoint import ACL
from proconsul.features.base import SECOND_NS
from proconsul.features.kv.model import DirEntry
from proconsul.features.session.model import Session
from proconsul.features.session.state import LockDelayArmed
from proconsul.server.autopilot import Autopilot
from proconsul.server.consensus import Consensus
from proconsul.server.duties import Duty, Periodic, SessionExpiry, TombstoneReaping
from proconsul.server.leader import LeaderLoop
from proconsul.server.lock_delays import DELAY_MAX_S, LockDelays
from proconsul.server.reconciler import Reconciler

# How often the leader looks at deadlines. Session TTLs are at least seconds and lock-delays are computed on demand, so
# half a second is fine and costs nothing when idle.
TICK_S = 0.5


class Leadership:
    """``on_duty``: whether the leader's duties are ours, from their beginning until the leader loop ends them.

    ``flush_coordinates`` writes what agents have told of theirs.
    """

    def __init__(self, server: Consensus, flush_coordinates: Callable[[], None], acl: ACL) -> None:
        self._server, self._acl = server, acl
        config = server.config
        self.on_duty = False
        self.established = asyncio.Event()
        self.autopilot = Autopilot(server)
        self.lock_delays = LockDelays()
        self._reconciler = Reconciler(server, self.autopilot.server_joined)
        self._loop = LeaderLoop(self, self._next, server.died)
        self._ticker: asyncio.TimerHandle | None = None
        self.sessions = SessionExpiry(
            server.state, server.propose, server.clock, server.datacenter, config.session_ttl_min_s
        )
        self._duties: list[Duty] = []
        # By the kind of effect, whoever wants to hear of it: several of some, nobody of others.
        self._hear: dict[type[Any], list[Callable[[Any, float], None]]] = {}
        self.take_on(self.sessions)
        self.take_on(TombstoneReaping(
            server.propose, server.datacenter, lambda began: self._timed("leader.reapTombstones", began)
        ))  # fmt: skip
        self.take_on(Periodic(flush_coordinates, config.coordinate_update_period_s))
        self.take_on(Periodic(acl.reap, TICK_S))

    def take_on(self, duty: Duty) -> None:
        """Have ``duty`` done whenever this server leads, from the next time on."""
        self._duties.append(duty)
        for kind, do in duty.effects.items():
            self._hear.setdefault(kind, []).append(do)

    # ------------------------------------------------------------------ life

    def loaded(self, snapshot_index: int, taken_at_s: float) -> None:
        """The state came from a snapshot that somebody made then: of lock-delays before that nothing is known."""
        server = self._server
        age_s = server.wall_clock_ns() / SECOND_NS - taken_at_s
        self.lock_delays.unknown_up_to(snapshot_index, server.clock() + DELAY_MAX_S - max(age_s, 0.0))

    async def monitor(self) -> None:
        """Follow leadership until cancelled."""
        await self._loop.monitor()

    def stop(self) -> None:
        """Look at no deadline any more."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    async def _next(self) -> bool:
        return (await self._server.raft.leadership.get()).is_leader

    # ------------------------------------------------------------------ Duties

    async def barrier(self) -> None:
        """See `Duties`."""
        began = self._server.clock()
        await self._server.raft.barrier()
        self._timed("leader.barrier", began)

    async def establish(self) -> None:
        """See `Duties`."""
        await self.autopilot.write_initial_config()
        await self._acl.establish()
        now = self._server.clock()
        self.on_duty = True
        self.lock_delays.begin_again(now)
        for duty in self._duties:
            duty.begin(now, self._server.raft.last_index)
        self.established.set()
        self._tick()
        self.autopilot.start()
        self._server.gossip.announce_leader()

    async def revoke(self) -> None:
        """See `Duties`."""
        self.on_duty = False
        self.established.clear()
        await self.autopilot.stop()
        for duty in self._duties:
            duty.end()
        self.stop()

    async def reconcile(self) -> bool:
        """See `Duties`."""
        began = self._server.clock()
        good = await self._reconciler.everybody()
        self._timed("leader.reconcile", began)
        return good

    async def reconcile_member(self, member: object) -> bool:
        """See `Duties`."""
        assert isinstance(member, Member)
        return await self._reconciler.one(member)

    def _tick(self) -> None:
        """Have every duty look at its deadlines, then again a little later."""
        if not self.on_duty:
            return
        now = self._server.clock()
        for duty in self._duties:
            undisturbed(duty.tick, now)  # the others are owed their turn, and all of them the next
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _timed(self, name: str, began: float) -> None:
        self._server.meters.sample(name, (self._server.clock() - began) * 1000)

    # ------------------------------------------------------------------ what happens to the state

    def member_changed(self, member: Member) -> None:
        """A leader brings the member's catalog entry in line."""
        self._loop.member_changed(member)

    def took_effect(self, effects: list[Any]) -> None:
        """What applied commands ask of a server's memory; all but lock-delays is the leader's alone."""
        now = self._server.clock()
        for effect in effects:
            if isinstance(effect, LockDelayArmed):
                self.lock_delays.arm(effect.key, effect.delay_ns / SECOND_NS, now)
            elif self.on_duty:
                for do in self._hear.get(type(effect), ()):
                    undisturbed(do, effect, now)

    def restored(self, index: int) -> None:
        """The state was replaced by one of ``index``: a leader starts its duties anew."""
        self.lock_delays.clear()
        if self.on_duty:  # a user's snapshot, which is the truth from now on
            self.established.clear()
            self._loop.reassert()
        else:
            self.lock_delays.unknown_up_to(index, self._server.clock() + DELAY_MAX_S)

    # ------------------------------------------------------------------ what endpoints ask

    def renew(self, session: Session) -> None:
        """See `Server.renew`."""
        if self.on_duty:
            self.sessions.deadlines.start(session, self._server.clock())

    def lock_delayed(self, entry: DirEntry) -> bool:
        """See `Server.lock_delayed`."""
        kv, key, now = self._server.state.kv, entry.Key, self._server.clock()
        row = kv.entry(key)
        if row is not None and row.Session:
            return False  # it is refused because of its holder, if it is
        if self.lock_delays.remaining_s(key, now) > 0:
            return True
        let_go_at = kv.let_go_at(key)
        return let_go_at > 0 and self.lock_delays.is_unknown(let_go_at, now)
