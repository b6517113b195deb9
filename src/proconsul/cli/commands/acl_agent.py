"""``consul acl set-agent-token`` and ``acl translate-rules``."""

from __future__ import annotations

import re

from proconsul.cli.api import ApiError
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain, read_argument
from proconsul.cli.commands.acl_policy import rules_of_legacy_token
from proconsul.cli.flags import FlagSet

# what people write -> what the API calls it
_KINDS = {"default": "default", "agent": "agent", "master": "agent_master", "replication": "replication"}
_BAD_RULES = re.compile(r"Unexpected response code: 400 \(Bad request: (.*)\)", re.DOTALL)


class SetAgentToken(Command):
    """Gives the agent one of its own tokens."""

    usage = "consul acl set-agent-token [options] TYPE TOKEN"
    api = CLIENT_AND_SERVER
    body = """
  Sets a token the agent itself uses. TYPE is default, agent, master or
  replication.

      $ consul acl set-agent-token default c4d0f8df-3aba-4ab6-a7a0-35b760dc29a1
"""

    def execute(self, args: list[str]) -> int:
        if not args:
            raise Failure("Error! Missing TYPE and TOKEN arguments")
        if len(args) == 1:
            raise Failure("Error! Missing TOKEN argument")
        if len(args) > 2:
            raise Failure(f"Error! Too many arguments: expected 2 got {len(args)}")
        kind, token = args
        client = self.client()
        if kind not in _KINDS:
            raise Failure("Unknown token type")
        with explain(f'Failed to set ACL token "{kind}": '):
            client.put(f"/v1/agent/token/{_KINDS[kind]}", body={"Token": token}).close()
        self.ui.out(f'ACL token "{kind}" set successfully')
        return 0


class TranslateRules(Command):
    """Rewrites legacy rules."""

    usage = "consul acl translate-rules  [options] TRANSLATE"
    api = CLIENT_AND_SERVER
    body = """
  Prints rules of the legacy syntax in the present one: the argument, a file
  with "@", standard input with "-", or those of a legacy token.
"""

    def define(self, flags: FlagSet) -> None:
        self.accessor = flags.boolean("token-accessor", "The argument is the accessor ID of a legacy token.")
        self.secret = flags.boolean("token-secret", "The argument is the secret ID of a legacy token.")

    def execute(self, args: list[str]) -> int:
        if not args:
            raise Failure("Error! Missing TRANSLATE argument")
        if len(args) > 1:
            raise Failure(f"Error! Too many arguments: expected 1 got {len(args)}")
        client = self.client()
        if self.accessor.value or self.secret.value:
            self.ui.out(rules_of_legacy_token(client, args[0]))
            return 0
        try:
            rules = read_argument(args[0])
        except Failure as failure:
            raise Failure(f"Error! {failure}") from None
        body = rules.encode("utf-8", "surrogateescape")
        try:
            text = client.ok("POST", "/v1/acl/rules/translate", body=body).read()
        except ApiError as error:
            # The agent wraps what is wrong with the rules; Consul's command shows only that.
            match = _BAD_RULES.fullmatch(str(error))
            raise Failure(f"Error translating rules: {match.group(1) if match else error}") from None
        self.ui.out(text)
        return 0
