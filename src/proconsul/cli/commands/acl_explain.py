"""``consul acl explain``: proconsul's own."""

from __future__ import annotations

import json

from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.flags import FlagSet


class Explain(Command):
    """Says why a token may do something or not."""

    usage = "consul acl explain [options] RESOURCE:ACCESS [NAME]"
    api = CLIENT_AND_SERVER
    body = """
  Says whether a token may do something, which rule of which policy decided
  that, and which rule would allow what is not. It needs acl:read.

      $ consul acl explain -accessor 9b6c16a4 service:write web

  RESOURCE is acl, agent, event, intention, key, keyring, node, operator,
  query, service or session; ACCESS is read or write, of keys also list and
  write-prefix. Exits with 2 when it is denied.
"""

    def define(self, flags: FlagSet) -> None:
        self.accessor = flags.string("accessor", "The accessor ID of the token; by default that of the request.")

    def execute(self, args: list[str]) -> int:
        if not args or len(args) > 2:
            raise Failure("Error! Expected RESOURCE:ACCESS and at most one NAME")
        resource, colon, access = args[0].partition(":")
        if not colon:
            raise Failure(f"Error! Not of the form RESOURCE:ACCESS: {args[0]}")
        question = {"resource": resource, "access": access, "segment": args[1] if len(args) > 1 else ""}
        if self.accessor.value:
            question["accessor"] = self.accessor.value
        with explain("Error explaining: "):
            found = json.loads(self.client().ok("GET", "/v1/internal/acl/explain", question).read())
        self.ui.out(f"{'Allowed' if found['Allow'] else 'Denied'}: {args[0]} {question['segment']}".rstrip())
        self.ui.out(f"Token:   {found['AccessorID']}")
        decided = "the default policy" if found["Default"] else f"{found['Rule']}\n         in {found['Policy']}"
        self.ui.out(f"Decided: {decided}")
        if found["Needed"]:
            self.ui.out(f"Needed:  {found['Needed']}")
        return 0 if found["Allow"] else 2
