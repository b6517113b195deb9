"""``consul event``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from proconsul.cli.command import Api, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json
from proconsul.engine.wire.goregexp import compile_go


def check_filters(node: str, service: str, tag: str) -> None:
    """Refuse bad regular expressions and a tag filter alone; raises :class:`Failure`."""
    for name, pattern in (("node", node), ("service", service), ("tag", tag)):
        if name == "tag" and pattern and not service:
            raise Failure("Cannot provide tag filter without service filter.")
        if pattern:
            try:
                compile_go(pattern)
            except ValueError as error:
                raise Failure(f"Failed to compile {name} filter regexp: {error}") from None


class Event(Command):
    """Sends a user event."""

    usage = "consul event [options] [payload]"
    api = Api.CLIENT
    body = """
  Sends a user event to the datacenter. The payload is optional; the filters
  choose which agents act on the event.

      $ consul event -name deploy 1609030
"""

    def define(self, flags: FlagSet) -> None:
        self.name = flags.string("name", "Name of the event.")
        self.node = flags.string("node", "Only on nodes whose name matches this regular expression.")
        self.service = flags.string("service", "Only on nodes with a service that matches this regular expression.")
        self.tag = flags.string("tag", "Only where a tag of that service matches this regular expression.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            raise ShowHelp("Event name must be specified")
        check_filters(self.node.value, self.service.value, self.tag.value)
        if len(args) > 1:
            raise ShowHelp("Too many command line arguments.")
        client = self.client()
        with explain("Error querying Consul agent: "):
            client.get("/v1/agent/self")
        query = {}
        for name, pattern in (("node", self.node), ("service", self.service), ("tag", self.tag)):
            if pattern.value:
                query[name] = pattern.value
        body = args[0].encode("utf-8", "surrogateescape") if args and args[0] else None
        with explain("Error firing event: "):
            response = client.ok("PUT", f"/v1/event/fire/{self.name.value}", query, body=body)
            event = cast("Mapping[str, Json]", response.json())
        self.ui.out(f"Event ID: {event['ID']}")
        return 0
