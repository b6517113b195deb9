"""The servers of other datacenters, as the WAN pool knows them: which datacenters there are, how far they are, whom to
ask there (Consul docs: WAN federation).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.features.coordinate.distance import nearest_first
from proconsul.features.coordinate.endpoint import WanCoordinate
from proconsul.features.coordinate.model import Coord
from proconsul.server.peers import Peers
from proconsul.server.server_details import ServerDetails


class Datacenters:
    """The datacenters of the WAN pool, read anew when the pool has `changed`; ``own`` is always among them.

    ``members``: of the pool, none where this node is in none. ``coordinates``: where its servers stand, None without.
    """

    def __init__(
        self, own: str, node_name: str, members: Callable[[], Sequence[Member]],
        coordinates: Callable[[], Iterable[WanCoordinate] | None], rng: random.Random,
    ) -> None:  # fmt: skip
        self._own, self._node_name, self._rng = own, node_name, rng
        self._members, self._coordinates = members, coordinates
        self._known: dict[str, list[Member]] | None = None
        self._peers: dict[str, Peers] = {}

    def changed(self) -> None:
        """A member of the pool came, went or changed."""
        self._known = None
        for peers in self._peers.values():
            peers.changed()

    def _servers(self) -> dict[str, list[Member]]:
        """The servers by datacenter, those that failed too: who left is none of it any more."""
        if self._known is None:
            self._known = {}
            for member in self._members():
                server = ServerDetails.parse(member)
                if server is not None and server.status is not MemberStatus.LEFT:
                    self._known.setdefault(server.datacenter, []).append(member)
            for gone in self._peers.keys() - self._known.keys():
                del self._peers[gone]
        return self._known

    def peers(self, datacenter: str) -> Peers | None:
        """The servers of ``datacenter``; None when no such datacenter is known."""
        if datacenter not in self._servers():
            return None
        found = self._peers.get(datacenter)
        if found is None:
            found = self._peers[datacenter] = Peers(partial(self._servers_of, datacenter), self._rng)
        return found

    def _servers_of(self, datacenter: str) -> list[Member]:
        return self._servers().get(datacenter, [])

    def by_distance(self) -> list[str]:
        """All datacenters by the median distance of their servers from us, then by name."""
        there: dict[str, list[Coord]] = {}
        own = None
        for row in self._coordinates() or ():
            there.setdefault(row.datacenter, []).append(row.coord)
            if (row.datacenter, row.node) == (self._own, self._node_name):
                own = row.coord
        return nearest_first({self._own, *self._servers()}, there, own)
