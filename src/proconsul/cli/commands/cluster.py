"""Small commands about the agent and its membership: info, join, leave, force-leave, reload."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import ApiError, Client
from proconsul.cli.columnize import columnize
from proconsul.cli.command import Api, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

_SEPARATOR = "\x1f"


class Info(Command):
    """Prints runtime figures."""

    usage = "consul info [options]"
    api = Api.CLIENT
    body = """
  Prints figures of the running agent, grouped by subsystem. With -plugins, an
  extension of proconsul's own: which plug-ins are installed there, and what is
  wrong with those that do not run.

      $ consul info -plugins
      $ consul info -plugins -format=json
"""

    def define(self, flags: FlagSet) -> None:
        self.plugins = flags.boolean("plugins", "Show the plug-ins instead. Default: false.")
        self.format = flags.string("format", "Output format of -plugins {pretty|json}", "pretty")

    def execute(self, args: list[str]) -> int:
        client = self.client()
        if self.plugins.value:
            return self._plugins(client)
        with explain("Error querying agent: "):
            answer = cast("Mapping[str, Json]", client.get("/v1/agent/self"))
        stats = answer.get("Stats")
        if not isinstance(stats, Mapping):
            raise Failure(f"Agent response did not contain 'Stats' key: {_shown(answer)}")
        for group in sorted(stats):
            self.ui.out(f"{group}:")
            figures = stats[group]
            if not isinstance(figures, Mapping):
                raise Failure(f"Got invalid subkey in stats: {figures!r}")
            for name in sorted(figures):
                self.ui.out(f"\t{name} = {figures[name]}")
        return 0

    def _plugins(self, client: Client) -> int:
        if self.format.value not in ("pretty", "json"):
            raise Failure(f"Invalid format: {self.format.value}; it must be pretty or json")
        with explain("Error asking for the plug-ins: "):
            found = client.get("/v1/agent/plugins")
        if not isinstance(found, Sequence) or not all(isinstance(one, Mapping) and "State" in one for one in found):
            raise Failure("This agent does not tell of plug-ins; proconsul agents do")
        rows = cast("Sequence[Mapping[str, Json]]", found)
        if self.format.value == "json":
            self.ui.out(json.dumps(rows, indent=4))
        elif rows:
            head = _SEPARATOR.join(("Kind", "Name", "Distribution", "State", "Notes"))
            self.ui.out(columnize([head, *map(_plugin_row, rows)], delimiter=_SEPARATOR))
        else:
            self.ui.out("No plug-ins are installed")
        return 0


def _plugin_row(one: Mapping[str, Json]) -> str:
    brought = f"{one['Distribution']} {one['Version']}".strip()
    notes = [str(one["Problem"])] if one["Problem"] else []
    notes += [f"{one['Calls']} calls under way"] if one["Calls"] else []
    notes += [f"{one['LetGo']} calls did not end"] if one["LetGo"] else []
    cells = one["Kind"], one["Name"], brought, one["State"], "; ".join(notes)
    # What others have written may have lines and signs of its own.
    return _SEPARATOR.join("".join(c if c.isprintable() else " " for c in str(cell)) or "-" for cell in cells)


def _shown(answer: Mapping[str, Json]) -> str:
    """A map as Go prints one."""
    return f"map[{' '.join(f'{name}:{answer[name]}' for name in sorted(answer))}]"


class Join(Command):
    """Tells the agent to join."""

    usage = "consul join [options] address ..."
    api = Api.CLIENT
    body = "  Tells the running agent to join a cluster through one or more of its members."

    def define(self, flags: FlagSet) -> None:
        self.wan = flags.boolean("wan", "Join the pool of servers of all datacenters.")

    def execute(self, args: list[str]) -> int:
        if not args:
            raise ShowHelp("At least one address to join must be specified.")
        client = self.client()
        joined = 0
        for address in args:
            try:
                query = {"wan": "1"} if self.wan.value else {}
                client.ok("PUT", f"/v1/agent/join/{address}", query).close()
            except ApiError as error:
                self.ui.error(f"Error joining address '{address}': {error}")
            else:
                joined += 1
        if not joined:
            raise Failure("Failed to join any nodes.")
        self.ui.out(f"Successfully joined cluster by contacting {joined} nodes.")
        return 0


class Leave(Command):
    """Makes the agent leave."""

    usage = "consul leave [options]"
    api = Api.CLIENT
    body = "  Makes the agent leave the cluster gracefully and stop."

    def execute(self, args: list[str]) -> int:
        if args:
            self.ui.error(f"Error found unexpected args: [{' '.join(args)}]")
            self.ui.out(self.help())
            return 1
        client = self.client()
        with explain("Error leaving: "):
            client.ok("PUT", "/v1/agent/leave").close()
        self.ui.out("Graceful leave complete")
        return 0


class ForceLeave(Command):
    """Marks a member as left."""

    usage = "consul force-leave [options] name"
    api = Api.CLIENT
    body = """
  Puts a failed member into the "left" state, so that nobody tries to reach it
  any more. A member which is alive after all comes back by itself.
"""

    def define(self, flags: FlagSet) -> None:
        self.prune = flags.boolean("prune", "Also remove it from the list of members.")

    def execute(self, args: list[str]) -> int:
        if len(args) != 1:
            raise ShowHelp("A single node name must be specified to force leave.")
        client = self.client()
        query = {"prune": "1"} if self.prune.value else {}
        with explain("Error force leaving: "):
            client.ok("PUT", f"/v1/agent/force-leave/{args[0]}", query).close()
        return 0


class Reload(Command):
    """Makes the agent reload."""

    usage = "consul reload"
    api = Api.CLIENT
    body = "  Makes the agent read its configuration files again."

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error reloading: "):
            client.ok("PUT", "/v1/agent/reload").close()
        self.ui.out("Configuration reload triggered")
        return 0
