"""``consul acl token`` and ``acl bootstrap``."""

from __future__ import annotations

from typing import cast

from proconsul.cli import acl_format, acl_schemas
from proconsul.cli.acl_common import (
    AclCommand,
    Row,
    TemplatedFlags,
    merged,
    node_identities,
    policy_links,
    role_links,
    rows,
    service_identities,
    token_id,
)
from proconsul.cli.api import Client
from proconsul.cli.command import CLIENT_AND_SERVER, EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json


class Bootstrap(AclCommand):
    """Creates the first token."""

    usage = "consul acl bootstrap [options]"
    api = CLIENT_AND_SERVER
    body = "  Creates the first management token. This works only once."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags, meta=False)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed ACL bootstrapping: "):
            token = cast(Row, client.put("/v1/acl/bootstrap").json())
        return self.show(token, acl_format.token, acl_schemas.TOKEN)


class _Granting(AclCommand):
    def define_grants(self, flags: FlagSet) -> None:
        self.description = flags.string("description", "Description of the token.")
        self.policy_ids = flags.strings("policy-id", "ID of a policy of the token. Repeat for more.")
        self.policy_names = flags.strings("policy-name", "Name of a policy of the token. Repeat for more.")
        self.role_ids = flags.strings("role-id", "ID of a role of the token. Repeat for more.")
        self.role_names = flags.strings("role-name", "Name of a role of the token. Repeat for more.")
        self.services = flags.strings(
            "service-identity", "Service the token speaks for: NAME or NAME:DATACENTER1,DATACENTER2. Repeat for more."
        )
        self.nodes = flags.strings("node-identity", "Node the token speaks for: NAME:DATACENTER. Repeat for more.")
        self.templated = TemplatedFlags(flags)

    def has_grants(self) -> bool:
        """Tell whether any flag grants something."""
        names = (self.policy_names, self.policy_ids, self.role_names, self.role_ids, self.services, self.nodes,
                 self.templated.name)  # fmt: skip
        return any(flag.value for flag in names)

    def grants(self, client: Client) -> dict[str, list[Json]]:
        """Return what the flags grant; raises :class:`Failure`."""
        services = service_identities(self.services.value)
        nodes = node_identities(self.nodes.value)
        return {
            "Policies": policy_links(client, self.policy_names.value, self.policy_ids.value),
            "Roles": role_links(client, self.role_names.value, self.role_ids.value),
            "ServiceIdentities": services,
            "NodeIdentities": nodes,
            "TemplatedPolicies": self.templated.given(),
        }


class Create(_Granting):
    """Adds a token."""

    usage = "consul acl token create [options]"
    body = """
  Adds a token:

      $ consul acl token create -policy-name ops -service-identity web
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.define_grants(flags)
        self.accessor = flags.string("accessor", "Accessor ID to use, a UUID. Default: a random one.")
        self.secret = flags.string("secret", "Secret ID to use, a UUID. Default: a random one.")
        self.name = flags.string("name", "Name of the token.")
        self.local = flags.boolean("local", "Make the token valid in this datacenter only.")
        self.ttl = flags.duration("expires-ttl", "How long the token is valid.")

    def execute(self, args: list[str]) -> int:
        if not self.has_grants():
            raise Failure(
                "Cannot create a token without specifying -policy-name, -policy-id, -role-name, -role-id, "
                "-service-identity, or -node-identity at least once"
            )
        client = self.client()
        body: dict[str, Json] = {
            "Description": self.description.value,
            "Local": self.local.value,
            "AccessorID": self.accessor.value,
            "SecretID": self.secret.value,
            **self.grants(client),
        }
        if self.name.value:
            body["Name"] = self.name.value
        if not body["TemplatedPolicies"]:
            del body["TemplatedPolicies"]  # agents of 1.8.7 do not know it
        if self.ttl.value > 0:
            body["ExpirationTTL"] = self.ttl.value
        with explain("Failed to create new token: "):
            token = cast(Row, client.put("/v1/acl/token", body=body).json())
        return self.show(token, acl_format.token, acl_schemas.TOKEN)


class Read(AclCommand):
    """Shows a token."""

    usage = "consul acl token read [options] -id TOKENID"
    body = "  Shows a token, found by its accessor ID, or the token in use with -self."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.id = flags.string("id", "Accessor ID of the token, or enough of its beginning.")
        self.self = flags.boolean("self", "Show the token this command uses.")
        self.expanded = flags.boolean("expanded", "Show the rules of everything that it comes to, too.")

    def execute(self, args: list[str]) -> int:
        if not self.self.value and not self.id.value:
            raise Failure("Must specify the -id parameter")
        client = self.client()
        query = {"expanded": "true"} if self.expanded.value else {}
        if self.self.value:
            with explain("Error reading token: "):
                token = cast(Row, client.get("/v1/acl/token/self", query))
        else:
            with explain("Error determining token ID: "):
                found = token_id(client, self.id.value)
            with explain(f'Error reading token "{found}": '):
                token = cast(Row, client.get(f"/v1/acl/token/{found}", query))
        if not self.expanded.value:
            return self.show(token, acl_format.token, acl_schemas.TOKEN)
        self.check_format()
        as_json = self.format.value == "json"
        self.ui.out(gojson.dumps(token, indent="    ") if as_json else acl_format.expanded(token, self._with_meta()))
        return 0


class List(AclCommand):
    """Shows all tokens."""

    usage = "consul acl token list [options]"
    body = "  Lists all tokens."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed to retrieve the token list: "):
            found = rows(client, "/v1/acl/tokens")
        return self.show_all(found, acl_format.tokens, acl_schemas.TOKEN_ENTRY)


class Delete(Command):
    """Removes a token."""

    usage = "consul acl token delete [options] -id TOKEN"
    api = EVERYTHING
    body = "  Removes a token."

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "Accessor ID of the token, or enough of its beginning.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Must specify the -id parameter")
        client = self.client()
        with explain("Error determining token ID: "):
            found = token_id(client, self.id.value)
        with explain(f'Error deleting token "{found}": '):
            client.ok("DELETE", f"/v1/acl/token/{found}").close()
        self.ui.out(f'Token "{found}" deleted successfully')
        return 0


class Clone(AclCommand):
    """Copies a token."""

    usage = "consul acl token clone [options]"
    body = "  Makes a token with new IDs and everything else of another one."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags, meta=False)
        self.id = flags.string("id", "Accessor ID of the token, or enough of its beginning, or 'anonymous'.")
        self.description = flags.string("description", "Description of the new token.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Cannot update a token without specifying the -id parameter")
        client = self.client()
        with explain("Error determining token ID: "):
            found = token_id(client, self.id.value)
        body: dict[str, Json] = {"Description": self.description.value}
        with explain("Error cloning token: "):
            token = cast(Row, client.put(f"/v1/acl/token/{found}/clone", body=body).json())
        return self.show(token, acl_format.token, acl_schemas.TOKEN)


class Update(_Granting):
    """Changes a token."""

    usage = "consul acl token update [options]"
    body = "  Replaces what a token grants; the -merge options add to it instead."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.define_grants(flags)
        self.id = flags.string("id", "Accessor ID of the token, or enough of its beginning.")
        self.merge = {
            "Policies": flags.boolean("merge-policies", "Keep the policies the token has."),
            "Roles": flags.boolean("merge-roles", "Keep the roles the token has."),
            "ServiceIdentities": flags.boolean(
                "merge-service-identities", "Keep the service identities the token has."
            ),
            "NodeIdentities": flags.boolean("merge-node-identities", "Keep the node identities the token has."),
            "TemplatedPolicies": flags.boolean(
                "merge-templated-policies", "Keep the templated policies the token has."
            ),
        }
        self.upgrade = flags.boolean(
            "upgrade-legacy", "Turn a legacy token into a present one: policies instead of rules."
        )

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Cannot update a token without specifying the -id parameter")
        client = self.client()
        with explain("Error determining token ID: "):
            found = token_id(client, self.id.value)
        with explain("Error when retrieving current token: "):
            present = cast(Row, client.get(f"/v1/acl/token/{found}"))
        body = dict(present)
        if self.upgrade.value:
            if not present.get("Rules"):
                raise Failure("Can't use -upgrade-legacy on a non-legacy token")
            body["Rules"] = ""
        if self.description.value:
            body["Description"] = self.description.value
        keys = {
            "Policies": ("ID", "Name"),
            "Roles": ("ID", "Name"),
            "ServiceIdentities": ("ServiceName",),
            "NodeIdentities": ("NodeName",),
            "TemplatedPolicies": (),
        }
        for name, new in self.grants(client).items():
            body[name] = merged(present.get(name), new, keys[name]) if self.merge[name].value else new
        with explain(f"Failed to update token {found}: "):
            token = cast(Row, client.put(f"/v1/acl/token/{found}", body=acl_schemas.TOKEN.shape(body)).json())
        return self.show(token, acl_format.token, acl_schemas.TOKEN)
