"""``consul acl role``."""

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
    role_id,
    role_id_by_name,
    rows,
    service_identities,
)
from proconsul.cli.api import Client, unexpected
from proconsul.cli.command import EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json
from proconsul.engine.wire.text import quoted


def read_role(client: Client, path: str) -> Row | None:
    """Return a role, None when there is no such role; raises :class:`ApiError`."""
    response = client.request("GET", path)
    if response.status == 404:
        response.close()
        return None
    if response.status != 200:
        raise unexpected(response)
    return cast(Row, response.json())


class _Granting(AclCommand):
    def define_grants(self, flags: FlagSet) -> None:
        self.description = flags.string("description", "Description of the role.")
        self.policy_ids = flags.strings("policy-id", "ID of a policy of the role. Repeat for more.")
        self.policy_names = flags.strings("policy-name", "Name of a policy of the role. Repeat for more.")
        self.services = flags.strings(
            "service-identity", "Service the role speaks for: NAME or NAME:DATACENTER1,DATACENTER2. Repeat for more."
        )
        self.nodes = flags.strings("node-identity", "Node the role speaks for: NAME:DATACENTER. Repeat for more.")
        self.templated = TemplatedFlags(flags)

    def grants(self, client: Client) -> dict[str, list[Json]]:
        """Return what the flags grant; raises :class:`Failure`."""
        policies = policy_links(client, self.policy_names.value, self.policy_ids.value)
        grants = {
            "Policies": policies,
            "ServiceIdentities": service_identities(self.services.value),
            "NodeIdentities": node_identities(self.nodes.value),
        }
        templated = self.templated.given()
        # Agents of 1.8.7 do not know it.
        return {**grants, "TemplatedPolicies": templated} if templated else grants


class Create(_Granting):
    """Adds a role."""

    usage = "consul acl role create -name NAME [options]"
    body = """
  Adds a role:

      $ consul acl role create -name web -policy-name ops -service-identity web
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.name = flags.string("name", "Name of the role. Required.")
        self.define_grants(flags)

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            self.ui.error("Missing require '-name' flag")
            self.ui.error(self.help())
            return 1
        given = (self.policy_names, self.policy_ids, self.services, self.nodes, self.templated.name)
        if not any(flag.value for flag in given):
            raise Failure(
                "Cannot create a role without specifying -policy-name, -policy-id, -service-identity, "
                "or -node-identity at least once"
            )
        client = self.client()
        body: dict[str, Json] = {"Name": self.name.value, "Description": self.description.value, **self.grants(client)}
        with explain("Failed to create new role: "):
            role = cast(Row, client.put("/v1/acl/role", body=body).json())
        return self.show(role, acl_format.role, acl_schemas.ROLE)


class Read(AclCommand):
    """Shows a role."""

    usage = "consul acl role read [options] ROLE"
    body = "  Shows a role, found by ID or name."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.id = flags.string("id", "ID of the role, or enough of its beginning.")
        self.name = flags.string("name", "Name of the role.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value and not self.name.value:
            raise Failure("Must specify either the -id or -name parameters")
        client = self.client()
        if self.id.value:
            with explain("Error determining role ID: "):
                found = role_id(client, self.id.value)
            with explain(f'Error reading role "{found}": '):
                role = read_role(client, f"/v1/acl/role/{found}")
            if role is None:
                raise Failure(f"Role not found with ID {quoted(found)}")
        else:
            with explain(f'Error reading role "{self.name.value}": '):
                role = read_role(client, f"/v1/acl/role/name/{self.name.value}")
            if role is None:
                raise Failure(f"Role not found with name {quoted(self.name.value)}")
        return self.show(role, acl_format.role, acl_schemas.ROLE)


class List(AclCommand):
    """Shows all roles."""

    usage = "consul acl role list [options]"
    body = "  Lists all roles."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed to retrieve the role list: "):
            found = rows(client, "/v1/acl/roles")
        return self.show_all(found, acl_format.roles, acl_schemas.ROLE)


class Delete(Command):
    """Removes a role."""

    usage = "consul acl role delete [options] -id ROLE"
    api = EVERYTHING
    body = "  Removes a role, found by ID or name."

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the role, or enough of its beginning.")
        self.name = flags.string("name", "Name of the role.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value and not self.name.value:
            raise Failure("Must specify the -id or -name parameters")
        client = self.client()
        with explain("Error determining role ID: "):
            found = role_id(client, self.id.value) if self.id.value else role_id_by_name(client, self.name.value)
        with explain(f'Error deleting role "{found}": '):
            client.ok("DELETE", f"/v1/acl/role/{found}").close()
        self.ui.out(f'Role "{found}" deleted successfully')
        return 0


class Update(_Granting):
    """Changes a role."""

    usage = "consul acl role update [options]"
    body = "  Adds to what a role grants; with -no-merge, replaces it."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.id = flags.string("id", "ID of the role, or enough of its beginning.")
        self.name = flags.string("name", "New name of the role.")
        self.define_grants(flags)
        self.no_merge = flags.boolean("no-merge", "Replace everything but the ID, also by nothing.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Cannot update a role without specifying the -id parameter")
        client = self.client()
        with explain("Error determining role ID: "):
            found = role_id(client, self.id.value)
        with explain("Error when retrieving current role: "):
            present = read_role(client, f"/v1/acl/role/{found}")
        if present is None:
            raise Failure(f"Role not found with ID {quoted(found)}")
        grants = self.grants(client)
        body: dict[str, Json] = {"ID": found, "Name": self.name.value, "Description": self.description.value, **grants}
        if not self.no_merge.value:
            body["Name"] = self.name.value or present.get("Name")
            body["Description"] = self.description.value or present.get("Description")
            body["Policies"] = merged(present.get("Policies"), grants["Policies"], ("ID", "Name"))
            body["ServiceIdentities"] = merged(
                present.get("ServiceIdentities"), grants["ServiceIdentities"], ("ServiceName",)
            )
            body["NodeIdentities"] = merged(present.get("NodeIdentities"), grants["NodeIdentities"], ("NodeName",))
            templated = merged(present.get("TemplatedPolicies"), grants.get("TemplatedPolicies", []), ())
            if templated:
                body["TemplatedPolicies"] = templated
        with explain(f'Error updating role "{found}": '):
            role = cast(Row, client.put(f"/v1/acl/role/{found}", body=body).json())
        return self.show(role, acl_format.role, acl_schemas.ROLE)
