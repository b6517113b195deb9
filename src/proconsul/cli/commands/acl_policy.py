"""``consul acl policy``."""

from __future__ import annotations

from typing import cast

from proconsul.cli import acl_format, acl_schemas
from proconsul.cli.acl_common import AclCommand, Row, policy_id, policy_id_by_name, rows, token_id
from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import Failure, explain, read_argument
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

_RULES = "The rules, themselves or from a file with '@' or from standard input with '-'."


def _rules_of_token(client: Client, token: str, is_secret: bool) -> str:
    """Return the rules of a legacy token in the present syntax; raises :class:`Failure`."""
    try:
        if is_secret:
            found = cast(Row, client.ok("GET", "/v1/acl/token/self", token=token).json())
        else:
            found_id = token_id(client, token)
            try:
                found = cast(Row, client.get(f"/v1/acl/token/{found_id}"))
            except ApiError as error:
                raise ApiError(f"Error reading token: {error}") from None
        rules = str(found.get("Rules") or "")
        if not rules:
            raise ApiError("Token is not a legacy token with rules")
        return client.ok("POST", "/v1/acl/rules/translate", body=rules.encode()).read().decode()
    except ApiError as error:
        raise Failure(str(error)) from None


class Create(AclCommand):
    """Adds a policy."""

    usage = "consul acl policy create -name NAME [options]"
    body = """
  Adds a policy:

      $ consul acl policy create -name ops -rules @ops.hcl
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.name = flags.string("name", "Name of the policy. Required.")
        self.description = flags.string("description", "Description of the policy.")
        self.datacenters = flags.strings("valid-datacenter", "Datacenter the policy is valid in. Repeat for more.")
        self.rules = flags.string("rules", _RULES)
        self.from_token = flags.string("from-token", "Take the rules of this legacy token.")
        self.token_secret = flags.boolean("token-secret", "-from-token is a secret ID, not an accessor ID.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            self.ui.error("Missing require '-name' flag")
            self.ui.error(self.help())
            return 1
        client = self.client()
        try:
            rules = self._rules(client)
        except Failure as failure:
            raise Failure(f"Error loading rules: {failure}") from None
        body: dict[str, Json] = {
            "Name": self.name.value,
            "Description": self.description.value,
            "Datacenters": list(self.datacenters.value) or None,
            "Rules": rules,
        }
        with explain("Failed to create new policy: "):
            policy = cast(Row, client.put("/v1/acl/policy", body=body).json())
        return self.show(policy, acl_format.policy, acl_schemas.POLICY)

    def _rules(self, client: Client) -> str:
        if self.from_token.value and self.rules.value:
            raise Failure("Cannot specify both -rules and -from-token")
        if self.from_token.value:
            return _rules_of_token(client, self.from_token.value, self.token_secret.value)
        return read_argument(self.rules.value)


class _Chosen(AclCommand):
    def define_choice(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the policy, or enough of its beginning.")
        self.name = flags.string("name", "Name of the policy.")

    def find(self, client: Client) -> str:
        with explain("Error determining policy ID: "):
            return policy_id(client, self.id.value) if self.id.value else policy_id_by_name(client, self.name.value)

    def check(self) -> None:
        if not self.id.value and not self.name.value:
            raise Failure("Must specify either the -id or -name parameters")


class Read(_Chosen):
    """Shows a policy."""

    usage = "consul acl policy read [options] POLICY"
    body = "  Shows a policy, found by ID or name."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.define_choice(flags)

    def execute(self, args: list[str]) -> int:
        self.check()
        client = self.client()
        found = self.find(client)
        with explain(f'Error reading policy "{found}": '):
            policy = cast(Row, client.get(f"/v1/acl/policy/{found}"))
        return self.show(policy, acl_format.policy, acl_schemas.POLICY)


class List(AclCommand):
    """Shows all policies."""

    usage = "consul acl policy list [options]"
    body = "  Lists all policies."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed to retrieve the policy list: "):
            found = rows(client, "/v1/acl/policies")
        return self.show_all(found, acl_format.policies, acl_schemas.POLICY_ENTRY)


class Delete(_Chosen):
    """Removes a policy."""

    usage = "consul acl policy delete [options] -id POLICY"
    body = "  Removes a policy, found by ID or name."

    def define(self, flags: FlagSet) -> None:
        self.define_choice(flags)

    def execute(self, args: list[str]) -> int:
        self.check()
        client = self.client()
        found = self.find(client)
        with explain(f'Error deleting policy "{found}": '):
            client.ok("DELETE", f"/v1/acl/policy/{found}").close()
        self.ui.out(f'Policy "{found}" deleted successfully')
        return 0


class Update(_Chosen):
    """Changes a policy."""

    usage = "consul acl policy update [options]"
    body = """
  Changes what is given of a policy; with -no-merge, also empties the rest.
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.define_choice(flags)
        self.description = flags.string("description", "Description of the policy.")
        self.datacenters = flags.strings("valid-datacenter", "Datacenter the policy is valid in. Repeat for more.")
        self.rules = flags.string("rules", _RULES)
        self.no_merge = flags.boolean("no-merge", "Replace everything but the ID, also by nothing.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value and not self.name.value:
            raise Failure("Must specify either the -id or -name parameters")
        client = self.client()
        found = self.find(client)
        try:
            rules = read_argument(self.rules.value)
        except Failure as failure:
            raise Failure(f"Error loading rules: {failure}") from None
        body: dict[str, Json] = {
            "ID": found,
            "Name": self.name.value,
            "Description": self.description.value,
            "Datacenters": list(self.datacenters.value) or None,
            "Rules": rules,
        }
        if not self.no_merge.value:
            with explain(f'Error reading policy "{found}": '):
                present = cast(Row, client.get(f"/v1/acl/policy/{found}"))
            given = {
                "Name": bool(self.name.value),
                "Description": self.description.is_set,
                "Datacenters": self.datacenters.is_set,
                "Rules": self.rules.is_set,
            }
            for key, is_given in given.items():
                body[key] = body[key] if is_given else present.get(key)
        with explain(f'Error updating policy "{found}": '):
            policy = cast(Row, client.put(f"/v1/acl/policy/{found}", body=body).json())
        return self.show(policy, acl_format.policy, acl_schemas.POLICY)


def rules_of_legacy_token(client: Client, token: str) -> str:
    """Return the translated rules of a legacy token given by accessor prefix; raises :class:`Failure`."""
    return _rules_of_token(client, token, False)
