"""Small commands about the agent and its membership: info, join, leave, force-leave, reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from proconsul.cli.api import ApiError
from proconsul.cli.command import Api, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json


class Info(Command):
    """Prints runtime figures."""

    usage = "consul info [options]"
    api = Api.CLIENT
    body = "  Prints figures of the running agent, grouped by subsystem."

    def execute(self, args: list[str]) -> int:
        client = self.client()
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
