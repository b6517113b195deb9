"""``consul acl templated-policy``, of newer releases."""

from __future__ import annotations

from typing import cast

from proconsul.cli import acl_format, acl_schemas
from proconsul.cli.acl_common import AclCommand, Row, template_variables
from proconsul.cli.command import Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson


class List(AclCommand):
    """Shows all templated policies."""

    usage = "consul acl templated-policy list [options]"
    body = "  Lists the builtin templated policies."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags, meta=False)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        self.check_format()
        with explain("Failed to retrieve the templated policies list: "):
            found = cast(Row, client.get("/v1/acl/templated-policies"))
        if self.format.value == "json":
            self.ui.out(gojson.dumps(found, indent="    "))
        else:
            self.ui.out("".join(f"{name}\n" for name in sorted(found)))
        return 0


class Read(AclCommand):
    """Shows a templated policy."""

    usage = "consul acl templated-policy read -name NAME [options]"
    body = "  Shows a templated policy with its rules."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags, meta=False)
        self.name = flags.string("name", "Name of the templated policy.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            raise Failure("Must specify the -name parameter")
        client = self.client()
        with explain("Error reading templated policy: "):
            found = cast(Row, client.get(f"/v1/acl/templated-policy/name/{self.name.value}"))
        return self.show(found, acl_format.templated_policy, acl_schemas.TEMPLATED_POLICY)


class Preview(AclCommand):
    """Shows what a templated policy comes to."""

    usage = "consul acl templated-policy preview -name NAME [options]"
    body = """
  Shows the policy that a templated policy stands for:

      $ consul acl templated-policy preview -name builtin/service -var name:web
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.name = flags.string("name", "Name of the templated policy.")
        self.variables = flags.strings("var", "Variable of the templated policy: NAME:VALUE. Repeat for more.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            raise Failure("Must specify the -name parameter")
        body = gojson.dumps(template_variables(self.variables.value)).encode("utf-8", "surrogateescape")
        client = self.client()
        with explain("Failed to generate the policy preview: "):
            found = client.ok("POST", f"/v1/acl/templated-policy/preview/{self.name.value}", body=body).json()
        return self.show(cast(Row, found), acl_format.policy, acl_schemas.POLICY)
