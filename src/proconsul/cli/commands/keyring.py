"""``consul keyring``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import Client, Query
from proconsul.cli.command import Api, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json

_PATH = "/v1/operator/keyring"
# More relays only multiply traffic; the servers refuse them too.
_RELAY_FACTOR_MAX = 5


class Keyring(Command):
    """Manages gossip keys."""

    usage = "consul keyring [options]"
    api = Api.CLIENT
    body = """
  Lists, adds, switches and removes the keys that encrypt gossip. To rotate a
  key: install the new one, use it, remove the old one.

      $ consul keyring -list
      $ consul keyring -install <key>
"""

    def define(self, flags: FlagSet) -> None:
        self.install = flags.string("install", "Give this key to all members.")
        self.use = flags.string("use", "Encrypt with this key, which all members must have.")
        self.remove = flags.string("remove", "Take this key from all members; not the one in use.")
        self.list = flags.boolean("list", "List all keys in the cluster.")
        self.list_primary = flags.boolean("list-primary", "List the keys the cluster encrypts with.")
        self.relay = flags.integer("relay-factor", "Send answers also through this many other members, at most 5.")
        self.local_only = flags.boolean("local-only", "Ask only the members of this datacenter. Only when listing.")

    def execute(self, args: list[str]) -> int:
        chosen = [self.install.value, self.use.value, self.remove.value, self.list.value, self.list_primary.value]
        actions = sum(bool(action) for action in chosen)
        if actions == 0:
            raise ShowHelp()
        if actions > 1:
            raise Failure("Only a single action is allowed")
        if not 0 <= self.relay.value <= _RELAY_FACTOR_MAX:
            raise Failure(f"Error parsing relay factor: Relay factor must be in range: [0, {_RELAY_FACTOR_MAX}]")
        if self.local_only.value and not self.list.value:
            raise Failure("Error validating local-only: local-only can only be set for list requests")
        client = self.client()
        query: dict[str, str | int] = {"relay-factor": self.relay.value} if self.relay.value else {}
        if self.list.value or self.list_primary.value:
            if self.local_only.value:
                query["local-only"] = "true"
            return self._list(client, query)
        for method, key, text in (
            ("POST", self.install.value, "Installing new gossip encryption key..."),
            ("PUT", self.use.value, "Changing primary gossip encryption key..."),
            ("DELETE", self.remove.value, "Removing gossip encryption key..."),
        ):
            if key:
                self.ui.out(f"==> {text}")
                with explain("error: "):
                    body = gojson.dumps({"Key": key}).encode("utf-8", "surrogateescape")
                    client.ok(method, _PATH, query, body=body).close()
        return 0

    def _list(self, client: Client, query: Query) -> int:
        primary = self.list_primary.value
        what = "primary encryption" if primary else "encryption"
        self.ui.out(f"==> Gathering installed {what} keys...")
        with explain("error: "):
            pools = cast("Sequence[Mapping[str, Json]] | None", client.get(_PATH, query)) or ()
        for pool in pools:
            keys = cast("Mapping[str, int] | None", pool.get("PrimaryKeys" if primary else "Keys")) or {}
            title = "WAN" if pool["WAN"] else f"{pool['Datacenter']} (LAN)"
            if pool.get("Segment"):
                title += f" [{pool['Segment']}]"
            self.ui.out(f"\n{title}:")
            for key in sorted(keys):
                self.ui.out(f"  {key} [{keys[key]}/{pool['NumNodes']}]")
        return 0
