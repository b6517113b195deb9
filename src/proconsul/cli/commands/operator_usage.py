"""``consul operator usage instances``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from proconsul.cli.columnize import tabwriter
from proconsul.cli.command import CLIENT_AND_SERVER, Command, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

Usage = Mapping[str, Mapping[str, Json]]


class Instances(Command):
    """Shows how much is in the catalog."""

    usage = "consul operator usage instances [options]"
    api = CLIENT_AND_SERVER
    body = """
  Counts nodes, services and their instances, in the agent's datacenter or in all.

      $ consul operator usage instances
      $ consul operator usage instances -all-datacenters
"""

    def define(self, flags: FlagSet) -> None:
        self.everywhere = flags.boolean("all-datacenters", "Count in every datacenter.")
        self.billable = flags.boolean("billable", "Only instances that are neither the mesh's nor the servers'.")
        self.connect = flags.boolean("connect", "Only instances of the mesh's kinds.")

    def execute(self, args: list[str]) -> int:
        query = {"global": ""} if self.everywhere.value else {}
        with explain("Error fetching usage information: "):
            response = self.client().ok("GET", "/v1/operator/usage", query, stale_allowed=True)
            found = cast("Usage", cast("Mapping[str, Json]", response.json()).get("Usage") or {})
        both = self.billable.value == self.connect.value
        parts = []
        if both or self.billable.value:
            parts += [_totals(found), _services(found), _nodes(found)]
        if both or self.connect.value:
            parts.append(_mesh(found))
        self.ui.out("\n\n".join(parts))
        return 0


def _number(usage: Mapping[str, Json], name: str) -> int:
    return int(cast("int", usage.get(name) or 0))


def _totals(found: Usage) -> str:
    billed = {name: _number(usage, "BillableServiceInstances") for name, usage in found.items()}
    lines = [f"Billable Service Instances Total: {sum(billed.values())}"]
    return "\n".join([*lines, *(f"{name} Billable Service Instances: {billed[name]}" for name in sorted(billed))])


def _services(found: Usage) -> str:
    return "Billable Services\n" + _per_datacenter(
        found, ("Services", "Service instances"), ("Services", "BillableServiceInstances")
    )


def _nodes(found: Usage) -> str:
    return "Nodes\n" + _per_datacenter(found, ("Count",), ("Nodes",))


def _per_datacenter(found: Usage, titles: tuple[str, ...], names: tuple[str, ...]) -> str:
    rows = [["Datacenter", *titles]]
    rows += [[name, *(str(_number(found[name], one)) for one in names)] for name in sorted(found)]
    rows.append(["Total", *(str(sum(_number(usage, one) for usage in found.values())) for one in names)])
    return tabwriter(rows)


def _mesh(found: Usage) -> str:
    rows = [["Datacenter", "Type", "Service instances"]]
    for name in sorted(found):
        kinds = cast("Mapping[str, Json]", found[name].get("ConnectServiceInstances") or {})
        rows += [[name, kind, str(_number(kinds, kind))] for kind in sorted(kinds)]
    return "Connect Services\n" + tabwriter(rows)
