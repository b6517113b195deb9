"""Random histories of a pool of serfs, and the promises that must hold in each of them."""

# mypy: disable-error-code="assignment"

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proconsul.engine.gossip.config import LAN
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.lifeguard import Suspicion, push_pull_interval_s, suspicion_timeout_s
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.swim import EVIDENCE_MAX
from proconsul.engine.wire.hostport import Address
from proconsul.testing.serf_simulation import SerfPlayer, SerfSimulation
from proconsul.testing.simulation import LEAVE_LINGER_S, LEAVE_TOLD_S, Happening, PacketFaults, Player

SMALLEST, LARGEST = 3, 40
STEPS = 12
RECONNECT_S = 30.0  # serf's
PAUSE_MAX_S = 20.0


class Records(dict[str, NodeRecord]):
    """A member's view; what is said of one name at one address only ever gets newer."""

    def __setitem__(self, name: str, record: NodeRecord) -> None:
        known = self.get(name)
        if known is not None and known.address == record.address:
            assert record.incarnation >= known.incarnation, f"back in time: {known} -> {record}"
        super().__setitem__(name, record)


class Suspicions(dict[str, Suspicion]):
    """A member's suspicions; ``ended`` is the last that was over."""

    ended: Suspicion | None = None

    def pop(self, name: str, default: Any = None) -> Any:
        self.ended = super().pop(name, default)
        return self.ended


class WatchedPlayer(SerfPlayer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.swim.records = Records()
        self.swim.suspicions = Suspicions()


@dataclass
class Fired:
    """A user event, and the lives that it has to reach."""

    event: tuple[str, bytes]
    by: SerfPlayer
    wanted: list[SerfPlayer]


class History(SerfSimulation):
    """One pool's history; everything follows from the seed. `play` raises AssertionError when a promise is broken."""

    player_type = WatchedPlayer

    def __init__(self, seed: int, scan: Callable[[str], None] | None = None) -> None:
        self.dice = random.Random(f"history {seed}")
        dice = self.dice
        faults = PacketFaults(
            loss=dice.choice((0.0, 0.0, 0.05, 0.2)), duplication=dice.choice((0.0, 0.1)),
            delay_max_s=dice.choice((0.001, 0.02, 0.1)),
        )  # fmt: skip
        super().__init__(seed, faults=faults, scan=scan)
        self.lossy = faults.loss > 0
        self.size = round(SMALLEST * (LARGEST / SMALLEST) ** dice.random())
        self.suspicion_max_s = 6 * suspicion_timeout_s(LAN.suspicion_mult, LARGEST, LAN.probe_interval_s)
        self.ill_until: dict[str, float] = {}
        self.leavers: set[str] = set()
        self.fired: list[Fired] = []
        self.done: Counter[str] = Counter()
        self.alone: set[str] = set()  # who found nobody to join, and will try again
        self._names = 0

    # ------------------------------------------------------------------ promises

    def note(self, player: Player, what: str, subject: str) -> None:
        super().note(player, what, subject)
        if what == "dead":
            self._check_death(player, subject)

    def _check_death(self, observer: Player, subject: str) -> None:
        accuser = observer.swim.evidence(subject)[-1].source
        if accuser == observer.name:
            ended = observer.swim.suspicions.ended  # type: ignore[attr-defined]
            waited_s = observer.now() - ended.started
            assert waited_s >= ended.minimum_s - 1e-3, f"{subject} declared dead after {waited_s} s"
        if not self.lossy:
            assert not (self.is_well(subject) and self.is_well(accuser)), f"{accuser} wrongly declared {subject} dead"

    def is_well(self, name: str) -> bool:
        """Running and reachable for so long that nobody can still hold something against it."""
        # A round of probing may find it out late, and then the suspicion takes its time.
        after_s = self.suspicion_max_s + len(self.players) * LAN.probe_interval_s * 1.1
        return self.players[name].running and self.ill_until.get(name, -1e9) + after_s < self.now

    def _ill(self, name: str, for_s: float = 0.0) -> None:
        self.ill_until[name] = max(self.now + for_s, self.ill_until.get(name, 0.0))

    def check_bounds(self) -> None:
        """In quiet, nothing is left of the past."""
        for player in self.serf_players():
            swim, records = player.swim, player.swim.records
            assert not swim.queue and not player.serf.has_broadcasts(), player.name
            assert set(swim._evidence) <= set(records)
            assert all(len(swim.evidence(name)) <= EVIDENCE_MAX for name in records)
            assert not swim.suspicions and not swim.prober._relays
            # Probe, its two deadlines, those of past probes, relays and suspicions; push/pull; gossip.
            assert len(swim.timers) <= 12 + 6 * len(records), len(swim.timers)
            assert len(player.serf._context.timers._heap) <= 8

    def check_events(self) -> None:
        for player in self.players.values():
            assert isinstance(player, SerfPlayer)
            assert all(times == 1 for times in Counter(player.events).values()), (player.name, player.events)

    def delivered(self) -> bool:
        """Whether every event has reached all that are still there; its sender may have died with it untold."""
        return all(
            fired.event in player.events
            for fired in self.fired if fired.by.running
            for player in fired.wanted if player.running
        )  # fmt: skip

    # ------------------------------------------------------------------ what happens

    def play(self) -> None:
        self._form()
        actions = (
            self._kill, self._leave, self._restart, self._pause, self._partition, self._isolate, self._cut_one_way,
            self._new_member, self._tag, self._tag, self._fire, self._fire,
        )  # fmt: skip
        for _ in range(STEPS):
            action = self.dice.choice(actions)
            action()
            self.done[action.__name__] += 1
            self.run(self.dice.expovariate(1 / 5.0))
        self._quiet()

    def _form(self) -> None:
        for _ in range(self.size):
            self._new_member()
            self.run(self.dice.random() * 0.2)
        self.run(2.0)

    def _quiet(self) -> None:
        """Faults end; all views become the truth within a time that follows from the protocol's."""
        self.heal()
        faults = self.faults
        faults.loss = faults.duplication = 0.0
        self.run(PAUSE_MAX_S + LEAVE_TOLD_S * 2 + LEAVE_LINGER_S)
        for name in self.alone & set(self._well()):
            assert any(self.join(name, other) for other in self._well() if other not in self.alone)
        self._introduce()
        push_pull_s = push_pull_interval_s(LAN.push_pull_interval_s, len(self.players))
        # Somebody silent is probed within a round, suspected, and may come back at another address only later still;
        # those that lost each other try again: one exchange brings the accusation, the next brings the objection.
        bound_s = len(self.players) * LAN.probe_interval_s + self.suspicion_max_s + LAN.reclaim_s
        bound_s += 4 * RECONNECT_S + 2 * push_pull_s
        self.run_until(lambda: self.converged() and self.agreed(), bound_s, 1.0)
        # An event that gossip missed travels by full exchanges alone, each round of which doubles those who know.
        self.run_until(self.delivered, 8 * push_pull_s, 1.0)
        self.check_events()
        self.run(len(self.players) * LAN.probe_interval_s + LAN.gossip_to_dead_s + 10.0)
        assert self.converged() and self.agreed()
        self.check_bounds()

    def _introduce(self) -> None:
        """Where those who knew both sides are gone, no protocol helps: an operator joins the sides."""
        running = {player.name: player for player in self.serf_players()}
        # Who would ever try to reach whom: the failed are tried again, those that left are not.
        known = {
            (name, member.name): Address(member.address, member.port)
            for name, player in running.items()
            for member in player.serf.members()
        }
        tried = {
            (name, other)
            for name, player in running.items()
            for other, status in player.statuses().items()
            if status is not MemberStatus.LEFT and other in running and running[other].address == known[name, other]
        }  # fmt: skip
        first, *others = running
        reached = [first]
        for name in reached:
            reached += [other for other in running if other not in reached and {(name, other), (other, name)} & tried]
        for name in others:
            if name not in reached:
                self.done["introduced"] += 1
                assert self.join(name, first)
                self.run(1.0)
                self._introduce()
                return

    def _well(self) -> list[str]:
        """Who runs and may be told to do something."""
        return [
            name for name, player in self.players.items()
            if player.running and not player.paused and name not in self.leavers
        ]  # fmt: skip

    def _some(self, least: int) -> str | None:
        """Somebody, as long as at least that many would remain."""
        well = self._well()
        return self.dice.choice(well) if len(well) > least else None

    def _new_member(self) -> None:
        if self._names < self.size + 4 and not self.faults.cut:  # else it would be a bridge over the cut
            name = f"n{self._names}"
            self._names += 1
            self._enter(name, None)

    def _enter(self, name: str, address: Any) -> None:
        others = [other for other in self._well() if other != name and other not in self.alone]
        self.alone.discard(name)
        self.add(name, address, rate=self.dice.uniform(0.98, 1.02))
        self._ill(name)
        self.dice.shuffle(others)
        for other in others:
            if self.join(name, other):
                return
        if others:
            self.alone.add(name)

    def _kill(self) -> None:
        name = self._some(SMALLEST - 1)
        if name is not None:
            self._ill(name)
            self.kill(name)

    def _leave(self) -> None:
        name = self._some(SMALLEST - 1)
        if name is not None:
            self._ill(name, 1e9)
            self.leavers.add(name)
            self.leave(name)

    def _restart(self) -> None:
        """One that was killed or has left comes back, at once or later, here or elsewhere."""
        gone = [name for name, player in self.players.items() if not player.running]
        if not gone:
            name = self._some(SMALLEST)
            if name is None:
                return
            self.kill(name)
            gone = [name]
        name = self.dice.choice(gone)
        self.leavers.discard(name)
        self.ill_until.pop(name, None)
        # Elsewhere the name is taken only when the old address was found dead, and for some time.
        moved = self.dice.random() < 0.5
        self._enter(name, None if moved else self.players[name].address)
        self._ill(name, self.suspicion_max_s + LAN.reclaim_s + 100.0 if moved else 0.0)

    def _pause(self) -> None:
        name = self._some(1)
        if name is not None:
            for_s = self.dice.choice((0.3, 2.0, PAUSE_MAX_S))
            self._ill(name, for_s)
            self.pause(name, for_s)

    def _partition(self) -> None:
        names = list(self.players)
        self.dice.shuffle(names)
        at = self.dice.randrange(1, len(names) // 2 + 1)
        self._cut(names[:at], names[at:], one_way=self.dice.random() < 0.3)

    def _isolate(self) -> None:
        name = self._some(0)
        if name is not None:
            self._cut([name], [other for other in self.players if other != name], one_way=False)

    def _cut_one_way(self) -> None:
        """One path in one direction: nobody is ill, since others can be asked."""
        well = self._well()
        if len(well) >= 5 and not self.faults.cut:
            one, other = self.dice.sample(well, 2)
            self.faults.cut.add((one, other))
            self.at(self.now + self.dice.uniform(5.0, 40.0), self.heal)

    def _cut(self, few: list[str], many: list[str], *, one_way: bool) -> None:
        if self.faults.cut:
            return
        for_s = self.dice.uniform(1.0, 60.0)
        for name in few:
            self._ill(name, for_s)
        self.partition(few, many)
        if one_way:
            self.faults.cut -= {(a, b) for a in few for b in many}
        self.at(self.now + for_s, self.heal)

    def _tag(self) -> None:
        name = self._some(0)
        if name is not None:
            self.set_tags(name, {"role": "node", "version": str(self.dice.randrange(1000))})

    def _fire(self) -> None:
        name = self._some(0)
        if name is not None:
            fired = Fired(("deploy", str(len(self.fired)).encode()), self.player(name), [])
            # Who is there, in this life. One not yet joined, or joined to those who do not know, would not be.
            known = self.player(name).statuses()
            fired.wanted = [self.player(other) for other in known if self.players[other].running]
            self.fired.append(fired)
            self.fire(name, *fired.event)


def last(happenings: list[Happening], count: int = 200) -> str:
    return "\n".join(map(str, happenings[-count:]))
