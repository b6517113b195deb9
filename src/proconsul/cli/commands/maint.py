"""``consul maint``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from proconsul.cli.api import Client
from proconsul.cli.command import Api, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

_NODE_CHECK = "_node_maintenance"
_SERVICE_PREFIX = "_service_maintenance:"


class Maint(Command):
    """Switches maintenance mode."""

    usage = "consul maint [options]"
    api = Api.CLIENT
    body = """
  Takes the node, or one of its services, out of service discovery and back.
  Without options, lists what is in maintenance mode.

      $ consul maint -enable -reason "kernel update"
      $ consul maint -disable -service web
"""

    def define(self, flags: FlagSet) -> None:
        self.enable = flags.boolean("enable", "Switch maintenance mode on.")
        self.disable = flags.boolean("disable", "Switch maintenance mode off.")
        self.reason = flags.string("reason", "Why, for others to see.")
        self.service = flags.string("service", "ID of the service meant, instead of the node.")

    def execute(self, args: list[str]) -> int:
        enable, disable = self.enable.value, self.disable.value
        if enable and disable:
            raise Failure("Only one of -enable or -disable may be provided")
        if not enable and self.reason.value:
            raise Failure("Reason may only be provided with -enable")
        if not enable and not disable and self.service.value:
            raise Failure("Service requires either -enable or -disable")
        client = self.client()
        if not enable and not disable:
            return self._list(client)
        what = "service" if self.service.value else "node"
        doing = "enabling" if enable else "disabling"
        path = f"/v1/agent/service/maintenance/{self.service.value}" if self.service.value else "/v1/agent/maintenance"
        query = {"enable": "true", "reason": self.reason.value} if enable else {"enable": "false"}
        with explain(f"Error {doing} {what} maintenance: "):
            client.ok("PUT", path, query).close()
        subject = f'Service maintenance is now {{}} for "{self.service.value}"'
        if not self.service.value:
            subject = "Node maintenance is now {}"
        self.ui.out(subject.format("enabled" if enable else "disabled"))
        return 0

    def _list(self, client: Client) -> int:
        with explain("Error querying Consul agent: "):
            answer = cast("Mapping[str, Mapping[str, Json]]", client.get("/v1/agent/self"))
            name = (answer.get("Config") or {}).get("NodeName") or ""
        with explain("Error querying checks: "):
            checks = cast("Mapping[str, Mapping[str, Json]]", client.get("/v1/agent/checks"))
        for check_id in sorted(checks):
            check = checks[check_id]
            if check["CheckID"] == _NODE_CHECK:
                self.ui.out(f"Node:\n  Name:   {name}\n  Reason: {check['Notes']}\n")
            elif str(check["CheckID"]).startswith(_SERVICE_PREFIX):
                self.ui.out(f"Service:\n  ID:     {check['ServiceID']}\n  Reason: {check['Notes']}\n")
        return 0
