"""What the ACL commands share: output formats, IDs given by a prefix, identities on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli import acl_format
from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import EVERYTHING, Command, Failure
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json, Struct
from proconsul.engine.wire.text import quoted

Row = Mapping[str, Json]
_UUID_LENGTH = 36
ANONYMOUS_TOKEN_ID = "00000000-0000-0000-0000-000000000002"


class AclCommand(Command):
    """A command that prints ACL objects."""

    api = EVERYTHING

    def define_output(self, flags: FlagSet, *, meta: bool = True) -> None:
        """Register ``-format`` and ``-meta``."""
        self.format = flags.string("format", "Output format {pretty|json}", "pretty")
        if meta:
            self.meta = flags.boolean("meta", "Print the indexes, and hashes where there are some, too.")

    def check_format(self) -> None:
        """Refuse unknown formats; raises :class:`Failure`."""
        if self.format.value not in acl_format.FORMATS:
            raise Failure(f"Unknown format: {self.format.value}")

    def show(self, value: Row, one: acl_format.One, struct: Struct) -> int:
        """Print one object; return 0."""
        self.check_format()
        if self.format.value == "json":
            text = acl_format.as_json(struct, value)
        else:
            text = one(value, self._with_meta())
        self._print(text)
        return 0

    def show_all(self, values: Sequence[Row], several: acl_format.Several, struct: Struct) -> int:
        """Print a list of objects; return 0."""
        self.check_format()
        if self.format.value == "json":
            text = acl_format.as_json(struct, list(values))
        else:
            text = several(values, self._with_meta())
        self._print(text)
        return 0

    def _with_meta(self) -> bool:
        return bool(getattr(self, "meta", None) and self.meta.value)

    def _print(self, text: str) -> None:
        if text:
            self.ui.out(text)


def rows(client: Client, path: str, query: Mapping[str, str] | None = None) -> Sequence[Row]:
    """GET a list of objects; raises :class:`ApiError`."""
    return cast("Sequence[Row] | None", client.get(path, query)) or ()


def _by_prefix(client: Client, path: str, key: str, prefix: str, noun: str) -> str:
    if len(prefix) == _UUID_LENGTH:
        return prefix
    found = [str(row[key]) for row in rows(client, path) if str(row[key]).startswith(prefix)]
    if len(found) > 1:
        raise ApiError(f"Partial {noun} ID is not unique")
    if not found:
        raise ApiError(f"No such {noun} ID with prefix: {prefix}")
    return found[0]


def token_id(client: Client, prefix: str) -> str:
    """Return the accessor ID that starts with ``prefix``; raises :class:`ApiError`."""
    if prefix == "anonymous":
        return ANONYMOUS_TOKEN_ID
    return _by_prefix(client, "/v1/acl/tokens", "AccessorID", prefix, "token")


def policy_id(client: Client, prefix: str) -> str:
    """Return the policy ID that starts with ``prefix``; raises :class:`ApiError`."""
    if prefix == "global-management":
        return "00000000-0000-0000-0000-000000000001"
    return _by_prefix(client, "/v1/acl/policies", "ID", prefix, "policy")


def role_id(client: Client, prefix: str) -> str:
    """Return the role ID that starts with ``prefix``; raises :class:`ApiError`."""
    return _by_prefix(client, "/v1/acl/roles", "ID", prefix, "role")


def rule_id(client: Client, prefix: str) -> str:
    """Return the binding rule ID that starts with ``prefix``; raises :class:`ApiError`."""
    return _by_prefix(client, "/v1/acl/binding-rules", "ID", prefix, "rule")


def _by_name(client: Client, path: str, name: str, noun: str) -> str:
    for row in rows(client, path):
        if row["Name"] == name:
            return str(row["ID"])
    raise ApiError(f"No such {noun} with name {name}")


def policy_id_by_name(client: Client, name: str) -> str:
    """Return the ID of the policy with this name; raises :class:`ApiError`."""
    return _by_name(client, "/v1/acl/policies", name, "policy")


def role_id_by_name(client: Client, name: str) -> str:
    """Return the ID of the role with this name; raises :class:`ApiError`."""
    return _by_name(client, "/v1/acl/roles", name, "role")


def service_identities(texts: Sequence[str]) -> list[Json]:
    """Read ``name`` and ``name:dc1,dc2``; raises :class:`Failure`."""
    found: list[Json] = []
    for text in texts:
        parts = text.split(":")
        if len(parts) > 2:
            raise Failure(f"Malformed -service-identity argument: {quoted(text)}")
        identity: dict[str, Json] = {"ServiceName": parts[0]}
        if len(parts) == 2:
            identity["Datacenters"] = parts[1].split(",")
        found.append(identity)
    return found


def node_identities(texts: Sequence[str]) -> list[Json]:
    """Read ``name:datacenter``; raises :class:`Failure`."""
    found: list[Json] = []
    for text in texts:
        parts = text.split(":")
        if len(parts) != 2:
            raise Failure(f"Malformed -node-identity argument: {quoted(text)}")
        found.append({"NodeName": parts[0], "Datacenter": parts[1]})
    return found


class TemplatedFlags:
    """``-templated-policy`` and ``-var``: a builtin policy with a name filled in."""

    def __init__(self, flags: FlagSet) -> None:
        self.name = flags.string("templated-policy", "Name of a templated policy, like builtin/service.")
        self.variables = flags.strings("var", "Variable of the templated policy: NAME:VALUE. Repeat for more.")

    def given(self) -> list[Json]:
        """The templated policy as the API takes it, none or one; raises :class:`Failure`."""
        if not self.name.value:
            if self.variables.value:
                raise Failure("Cannot use -var without -templated-policy")
            return []
        policy: dict[str, Json] = {"TemplateName": self.name.value}
        variables = template_variables(self.variables.value)
        if variables:
            policy["TemplateVariables"] = variables
        return [policy]


def template_variables(texts: Sequence[str]) -> dict[str, Json]:
    """Read ``name:value``; raises :class:`Failure`."""
    found: dict[str, Json] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or name.lower() != "name":
            raise Failure(f"Malformed -var argument: {quoted(text)}, expected name:VALUE")
        found["Name"] = value
    return found


def policy_links(client: Client, names: Sequence[str], ids: Sequence[str]) -> list[Json]:
    """Return links to policies, names first; raises :class:`Failure` for unknown ID prefixes."""
    links: list[Json] = [{"Name": name} for name in names]
    for prefix in ids:
        try:
            links.append({"ID": policy_id(client, prefix)})
        except ApiError as error:
            # Consul leaves the ID out of this text.
            raise Failure(f"Error resolving policy ID : {error}") from None
    return links


def role_links(client: Client, names: Sequence[str], ids: Sequence[str]) -> list[Json]:
    """Return links to roles, names first; raises :class:`Failure` for unknown ID prefixes."""
    links: list[Json] = [{"Name": name} for name in names]
    for prefix in ids:
        try:
            links.append({"ID": role_id(client, prefix)})
        except ApiError as error:
            raise Failure(f"Error resolving role ID : {error}") from None
    return links


def merged(present: Json, new: Sequence[Json], keys: Sequence[str]) -> list[Json]:
    """Return the present items and those new ones which share none of ``keys`` with them."""
    out = list(cast("Sequence[Row] | None", present) or ())
    for item in cast("Sequence[Row]", new):
        if not any(item.get(key) and item.get(key) == old.get(key) for old in out for key in keys) or not keys:
            out.append(item)
    return list(out)
