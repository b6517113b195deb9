"""``consul rtt``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import Client
from proconsul.cli.command import Api, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

Entry = Mapping[str, Json]


def distance_s(one: Entry, other: Entry) -> float:
    """Return the estimated round trip time in seconds between two network coordinates.

    Euclidean distance of the vectors plus both heights; the adjustments are added only while the sum stays
    positive (Consul documentation, "Network Coordinates").
    """
    vectors = zip(cast("Sequence[float]", one["Vec"]), cast("Sequence[float]", other["Vec"]), strict=True)
    plain = math.sqrt(sum((a - b) ** 2 for a, b in vectors))
    plain += cast(float, one["Height"]) + cast(float, other["Height"])
    adjusted = plain + cast(float, one["Adjustment"]) + cast(float, other["Adjustment"])
    return adjusted if adjusted > 0 else plain


class Rtt(Command):
    """Estimates a round trip time."""

    usage = "consul rtt [options] node1 [node2]"
    api = Api.CLIENT
    body = """
  Estimates the round trip time between two nodes from their network
  coordinates. The second node defaults to the agent's own. With -wan, nodes are
  servers, written <node name>.<datacenter>.

      $ consul rtt n1 n2
"""

    def define(self, flags: FlagSet) -> None:
        self.wan = flags.boolean("wan", "Use the coordinates of servers across datacenters.")

    def execute(self, args: list[str]) -> int:
        if not 1 <= len(args) <= 2:
            raise ShowHelp("One or two node names must be specified")
        client = self.client()
        names = list(args)
        if self.wan.value:
            one, other = self._wan_coordinates(client, names)
        else:
            one, other = self._lan_coordinates(client, names)
        for name, coordinate in zip(names, (one, other), strict=True):
            if coordinate is None:
                raise Failure(f'Could not find a coordinate for node "{name}"')
        assert one is not None and other is not None
        milliseconds = int(distance_s(one, other) * 1e9) / 1e6
        pool = "WAN" if self.wan.value else "LAN"
        self.ui.out(f"Estimated {names[0]} <-> {names[1]} rtt: {milliseconds:.3f} ms (using {pool} coordinates)")
        return 0

    def _self(self, client: Client) -> tuple[str, str]:
        with explain("Unable to look up agent info: "):
            answer = cast("Mapping[str, Mapping[str, Json]]", client.get("/v1/agent/self"))
        config = answer["Config"]
        return str(config["NodeName"]), str(config["Datacenter"])

    def _lan_coordinates(self, client: Client, names: list[str]) -> tuple[Entry | None, Entry | None]:
        if len(names) == 1:
            names.append(self._self(client)[0])
        with explain("Error getting coordinates: "):
            entries = cast("Sequence[Entry] | None", client.get("/v1/coordinate/nodes")) or ()
        found: dict[str, Entry] = {}
        for entry in entries:
            found.setdefault(str(entry["Node"]), cast(Entry, entry["Coord"]))
        return found.get(names[0]), found.get(names[1])

    def _wan_coordinates(self, client: Client, names: list[str]) -> tuple[Entry | None, Entry | None]:
        if len(names) == 1:
            node, datacenter = self._self(client)
            names.append(f"{node}.{datacenter}")
        places = []
        for name in names:
            parts = name.split(".")
            if len(parts) != 2:
                raise Failure("Node names must be specified as <node name>.<datacenter> with -wan")
            places.append((parts[0], parts[1]))
        with explain("Error getting coordinates: "):
            maps = cast("Sequence[Entry] | None", client.get("/v1/coordinate/datacenters")) or ()
        found: list[Entry | None] = [None, None]
        for area in maps:
            for entry in cast("Sequence[Entry] | None", area.get("Coordinates")) or ():
                for position, place in enumerate(places):
                    if (entry["Node"], area["Datacenter"]) == place:
                        found[position] = cast(Entry, entry["Coord"])
            if None not in found:
                return found[0], found[1]
        # Coordinates of different areas cannot be compared, so one alone is as good as none.
        return None, None
