"""The simulated network of `simulation` with serf on top of every member: statuses, tags, user events.

simulation = SerfSimulation(seed=1)
simulation.form(10)
simulation.fire("n3", "deploy", b"7")
simulation.run(2.0)
assert all(player.events == [("deploy", b"7")] for player in simulation.serf_players())
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from proconsul.engine.gossip.config import LAN, SwimConfig
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.members import member_of
from proconsul.engine.gossip.messages import NodeState
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import consul
from proconsul.engine.gossip.serf_effects import MembersChanged, UserEvent
from proconsul.engine.wire.hostport import Address
from proconsul.testing.simulation import PacketFaults, Player, Simulation

__all__ = ["NotingSerf", "SerfPlayer", "SerfSimulation"]


class SerfPlayer(Player):
    """A simulated member with serf. ``events``: the user events that it was given, in order."""

    events: list[tuple[str, bytes]]

    @property
    def serf(self) -> Serf:
        return cast("Serf", self.delegate)

    def next_deadline(self, now: float) -> float | None:
        ours, theirs = self.swim.next_deadline(now), self.serf.next_deadline()
        if ours is None or theirs is None:
            return theirs if ours is None else ours
        return min(ours, theirs)

    def tick(self, now: float) -> None:
        self.swim.tick(now)
        self.serf.tick(now)

    def joined(self) -> None:
        self.serf.announce_join(self.now())

    def leaving(self) -> list[Callable[[float, Callable[[], None]], None]]:
        return [self.serf.leave, self.swim.leave]

    def flush(self) -> None:
        effects, self.serf.effects = self.serf.effects, []
        for effect in effects:
            if isinstance(effect, UserEvent):
                self.events.append((effect.name, effect.payload))
                self.simulation.note(self, "event", f"{effect.name} {effect.payload.decode('utf-8', 'replace')}")
            elif isinstance(effect, MembersChanged):
                self.simulation.note(self, f"serf-{effect.kind.value}", effect.member.name)
        super().flush()

    def statuses(self) -> dict[str, MemberStatus]:
        return {member.name: member.status for member in self.serf.members()}


class NotingSerf(Serf):
    """serf, with what memberlist tells it noted first: serf may see a death as a leave, or not at all."""

    def __init__(self, player: SerfPlayer, tags: Mapping[str, str], rng: random.Random) -> None:
        super().__init__(consul(player.name), tags, rng, player.now())
        self._player = player

    def joined(self, node: NodeRecord, now: float) -> None:
        self._player.simulation.note(self._player, "join", node.name)
        super().joined(node, now)

    def left(self, node: NodeRecord, now: float) -> None:
        what = "left" if node.state is NodeState.LEFT else "dead"
        self._player.simulation.note(self._player, what, node.name)
        super().left(node, now)


class SerfSimulation(Simulation):
    """A pool of simulated members with serf, with Consul's settings."""

    player_type = SerfPlayer

    def __init__(
        self, seed: int, config: SwimConfig = LAN, *, faults: PacketFaults | None = None,
        scan: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        def make(player: Player) -> Serf:
            assert isinstance(player, SerfPlayer)
            player.events = []
            return NotingSerf(player, {"role": "node"}, random.Random(self.rng.getrandbits(64)))

        super().__init__(seed, config, faults=faults, scan=scan, make_delegate=make)

    def player(self, name: str) -> SerfPlayer:
        return cast("SerfPlayer", self.players[name])

    def serf_players(self) -> Iterator[SerfPlayer]:
        """Those that run."""
        return (self.player(name) for name, player in self.players.items() if player.running)

    def form(self, count: int, prefix: str = "n") -> list[Player]:
        players = super().form(count, prefix)
        members = [member_of(player.swim.records[player.name]) for player in players]
        for player in players:
            cast("SerfPlayer", player).serf.adopt(members)
        return players

    def fire(self, name: str, event: str, payload: bytes) -> None:
        """A member sends a user event to all."""
        player = self.player(name)
        player.serf.fire(event, payload, False, player.now())
        player.flush()

    def set_tags(self, name: str, tags: Mapping[str, str]) -> None:
        player = self.player(name)
        player.serf.set_tags(tags, player.now())
        player.flush()

    def agreed(self) -> bool:
        """Every running member's serf shows exactly the running ones as alive, where they are, with their tags."""
        actual = {player.name: (player.address, player.serf.tags) for player in self.serf_players()}
        return all(
            actual
            == {
                member.name: (Address(member.address, member.port), member.tags)
                for member in player.serf.members()
                if member.status is MemberStatus.ALIVE
            }
            for player in self.serf_players()
        )
