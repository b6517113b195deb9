"""``consul acl binding-rule``."""

from __future__ import annotations

from typing import cast

from proconsul.cli import acl_format, acl_schemas
from proconsul.cli.acl_common import AclCommand, Row, rows, rule_id, template_variables
from proconsul.cli.api import Client, unexpected
from proconsul.cli.command import EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json
from proconsul.engine.wire.text import quoted


def _read(client: Client, found: str, prefix: str) -> Row:
    with explain(prefix):
        response = client.request("GET", f"/v1/acl/binding-rule/{found}")
        if response.status == 404:
            response.close()
            raise Failure(f"Binding rule not found with ID {quoted(found)}")
        if response.status != 200:
            raise unexpected(response)
        return cast(Row, response.json())


class _Described(AclCommand):
    def define_rule(self, flags: FlagSet) -> None:
        self.description = flags.string("description", "Description of the binding rule.")
        self.selector = flags.string("selector", "Expression over the identity; without one, every identity matches.")
        self.bind_type = flags.string(
            "bind-type", 'What to bind: "service", "node", "role", "policy" or "templated-policy".', "service"
        )
        self.bind_vars = flags.strings("bind-vars", "Variable of a templated policy: name:VALUE, may hold ${var}.")
        self.bind_name = flags.string("bind-name", "Name to bind, may hold ${var}. Required.")

    def variables(self) -> Json:
        """The variables given, None for none; raises :class:`Failure`."""
        return template_variables(self.bind_vars.value) or None

    def missing(self, name: str) -> int:
        """Complain about a flag that is missing and show the help page; return the exit code."""
        self.ui.error(f"Missing required '-{name}' flag")
        self.ui.error(self.help())
        return 1


class Create(_Described):
    """Adds a binding rule."""

    usage = "consul acl binding-rule create [options]"
    body = """
  Adds a binding rule:

      $ consul acl binding-rule create -method ci -bind-type service \\
          -bind-name 'web-${value.team}' -selector 'value.team != ""'
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.method = flags.string("method", "Name of the auth method the rule is for. Required.")
        self.define_rule(flags)

    def execute(self, args: list[str]) -> int:
        for name, flag in (("method", self.method), ("bind-type", self.bind_type), ("bind-name", self.bind_name)):
            if not flag.value:
                return self.missing(name)
        client = self.client()
        body: dict[str, Json] = {
            "Description": self.description.value,
            "AuthMethod": self.method.value,
            "BindType": self.bind_type.value,
            "BindName": self.bind_name.value,
            "Selector": self.selector.value,
        }
        if self.variables():
            body["BindVars"] = self.variables()
        with explain("Failed to create new binding rule: "):
            rule = cast(Row, client.put("/v1/acl/binding-rule", body=body).json())
        return self.show(rule, acl_format.binding_rule, acl_schemas.BINDING_RULE)


class Read(AclCommand):
    """Shows a binding rule."""

    usage = "consul acl binding-rule read -id ID [options]"
    body = "  Shows a binding rule."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.id = flags.string("id", "ID of the binding rule, or enough of its beginning.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Must specify the -id parameter.")
        client = self.client()
        with explain("Error determining binding rule ID: "):
            found = rule_id(client, self.id.value)
        rule = _read(client, found, f'Error reading binding rule "{found}": ')
        return self.show(rule, acl_format.binding_rule, acl_schemas.BINDING_RULE)


class List(AclCommand):
    """Shows all binding rules."""

    usage = "consul acl binding-rule list [options]"
    body = "  Lists all binding rules, or those of one auth method."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.method = flags.string("method", "Only rules for this auth method.")

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed to retrieve the binding rule list: "):
            query = {"authmethod": self.method.value} if self.method.value else None
            found = rows(client, "/v1/acl/binding-rules", query)
        return self.show_all(found, acl_format.binding_rules, acl_schemas.BINDING_RULE)


class Delete(Command):
    """Removes a binding rule."""

    usage = "consul acl binding-rule delete -id ID [options]"
    api = EVERYTHING
    body = "  Removes a binding rule."

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the binding rule, or enough of its beginning.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Must specify the -id parameter")
        client = self.client()
        with explain("Error determining binding rule ID: "):
            found = rule_id(client, self.id.value)
        with explain(f'Error deleting binding rule "{found}": '):
            client.ok("DELETE", f"/v1/acl/binding-rule/{found}").close()
        self.ui.out(f'Binding rule "{found}" deleted successfully')
        return 0


class Update(_Described):
    """Changes a binding rule."""

    usage = "consul acl binding-rule update -id ID [options]"
    body = "  Changes what is given of a binding rule; with -no-merge, also empties the rest."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.id = flags.string("id", "ID of the binding rule, or enough of its beginning.")
        self.define_rule(flags)
        self.no_merge = flags.boolean("no-merge", "Replace everything but the ID, also by nothing.")

    def execute(self, args: list[str]) -> int:
        if not self.id.value:
            raise Failure("Cannot update a binding rule without specifying the -id parameter")
        client = self.client()
        with explain("Error determining binding rule ID: "):
            found = rule_id(client, self.id.value)
        present = _read(client, found, "Error when retrieving current binding rule: ")
        body: dict[str, Json] = dict(present)
        if self.no_merge.value:
            for name, flag in (("bind-type", self.bind_type), ("bind-name", self.bind_name)):
                if not flag.value:
                    return self.missing(name)
        for key, flag in (
            ("Description", self.description),
            ("BindType", self.bind_type),
            ("BindName", self.bind_name),
            ("Selector", self.selector),
        ):
            if flag.value or self.no_merge.value:
                body[key] = flag.value
        if self.variables() or self.no_merge.value:
            body["BindVars"] = self.variables()
        with explain(f'Error updating binding rule "{found}": '):
            shaped = acl_schemas.BINDING_RULE.shape(body)
            rule = cast(Row, client.put(f"/v1/acl/binding-rule/{found}", body=shaped).json())
        return self.show(rule, acl_format.binding_rule, acl_schemas.BINDING_RULE)
