"""``consul catalog datacenters``, ``nodes`` and ``services``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import Client
from proconsul.cli.columnize import columnize, tabwriter
from proconsul.cli.command import CLIENT_AND_SERVER, EVERYTHING, Command, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

Row = Mapping[str, Json]


def _joined(mapping: Json) -> str:
    pairs = cast("Mapping[str, str] | None", mapping) or {}
    return ", ".join(f"{key}={pairs[key]}" for key in sorted(pairs))


class Datacenters(Command):
    """Lists the known datacenters."""

    usage = "consul catalog datacenters [options]"
    api = CLIENT_AND_SERVER
    body = "  Prints the name of every datacenter the agent knows, the nearest first."

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 0)
        client = self.client()
        with explain("Error listing datacenters: "):
            names = cast("Sequence[str]", client.get("/v1/catalog/datacenters"))
        for name in names:
            self.ui.out(name)
        return 0


class Nodes(Command):
    """Lists nodes."""

    usage = "consul catalog nodes [options]"
    api = CLIENT_AND_SERVER
    body = """
  Lists the nodes of a datacenter, all of them or those which match:

      $ consul catalog nodes -service web
      $ consul catalog nodes -node-meta rack=7 -near _agent
"""

    def define(self, flags: FlagSet) -> None:
        self.detailed = flags.boolean("detailed", "Print full IDs, tagged addresses and metadata too.")
        self.near = flags.string(
            "near", 'Sort by estimated round trip time from this node; "_agent" is the agent\'s own.'
        )
        self.node_meta = flags.mapping(
            "node-meta", "Only nodes with this metadata, as `key=value`. Repeat to require more pairs."
        )
        self.service = flags.string("service", "Only nodes with a service of this `id or name`.")
        self.filter = flags.string("filter", "Only nodes for which this expression is true.")

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 0)
        client = self.client()
        with explain("Error listing nodes for service: " if self.service.value else "Error listing nodes: "):
            nodes = self._nodes(client)
        if not nodes:
            self.ui.error("No nodes match the given query - try expanding your search.")
            return 0
        self.ui.out(columnize(self._lines(nodes)))
        return 0

    def _nodes(self, client: Client) -> Sequence[Row]:
        query: dict[str, str | list[str]] = {}
        if self.filter.value:
            query["filter"] = self.filter.value
        if self.near.value:
            query["near"] = self.near.value
        if self.node_meta.value:
            query["node-meta"] = [f"{key}:{value}" for key, value in self.node_meta.value.items()]
        path = f"/v1/catalog/service/{self.service.value}" if self.service.value else "/v1/catalog/nodes"
        return cast("Sequence[Row] | None", client.get(path, query)) or ()

    def _lines(self, nodes: Sequence[Row]) -> list[str]:
        if not self.detailed.value:
            rows = [f"{n['Node']}|{str(n['ID'])[:8]}|{n['Address']}|{n['Datacenter']}" for n in nodes]
            return ["Node|ID|Address|DC", *rows]
        lines = ["Node|ID|Address|DC|TaggedAddresses|Meta"]
        for node in nodes:
            meta = node.get("NodeMeta") if self.service.value else node.get("Meta")
            lines.append(
                f"{node['Node']}|{node['ID']}|{node['Address']}|{node['Datacenter']}"
                f"|{_joined(node.get('TaggedAddresses'))}|{_joined(meta)}"
            )
        return lines


class Services(Command):
    """Lists services."""

    usage = "consul catalog services [options]"
    api = EVERYTHING
    body = """
  Lists the services of a datacenter, or of one node:

      $ consul catalog services -tags
      $ consul catalog services -node web-1
"""

    def define(self, flags: FlagSet) -> None:
        self.node = flags.string("node", "Only services on the node with this `id or name`.")
        self.node_meta = flags.mapping(
            "node-meta", "Only services on nodes with this metadata, as `key=value`. Repeat to require more pairs."
        )
        self.tags = flags.boolean("tags", "Print the tags of each service beside its name.")

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 0)
        client = self.client()
        query: dict[str, str | list[str]] = {}
        if self.node_meta.value:
            query["node-meta"] = [f"{key}:{value}" for key, value in self.node_meta.value.items()]
        if self.node.value:
            with explain("Error listing services for node: "):
                services = self._of_node(client, query)
        else:
            with explain("Error listing services: "):
                services = {
                    name: list(tags or ())
                    for name, tags in cast(
                        "Mapping[str, Sequence[str] | None]", client.get("/v1/catalog/services", query)
                    ).items()
                }
        if not services:
            self.ui.error("No services match the given query - try expanding your search.")
            return 0
        if self.tags.value:
            rows = [[name, ",".join(sorted(services[name]))] for name in sorted(services)]
            self.ui.out(tabwriter(rows).strip())
        else:
            for name in sorted(services):
                self.ui.out(name)
        return 0

    def _of_node(self, client: Client, query: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
        answer = cast("Mapping[str, Json] | None", client.get(f"/v1/catalog/node/{self.node.value}", query))
        services: dict[str, list[str]] = {}
        if not answer:
            return services
        for entry in (cast("Mapping[str, Row] | None", answer.get("Services")) or {}).values():
            tags = services.setdefault(cast(str, entry["Service"]), [])
            for tag in cast("Sequence[str] | None", entry.get("Tags")) or ():
                if tag not in tags:
                    tags.append(tag)
        return services
