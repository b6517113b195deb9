"""``consul config list``, ``read``, ``write`` and ``delete``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli import config_schema
from proconsul.cli.api import ApiError
from proconsul.cli.command import EVERYTHING, Command, Failure, explain, read_argument, read_stdin
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json


class List(Command):
    """Lists entries."""

    usage = "consul config list [options] -kind <config kind>"
    api = EVERYTHING
    body = "  Prints the names of all configuration entries of a kind."

    def define(self, flags: FlagSet) -> None:
        self.kind = flags.string("kind", "Kind of the entries.")

    def execute(self, args: list[str]) -> int:
        if not self.kind.value:
            raise Failure("Must specify the -kind parameter")
        client = self.client()
        with explain(f'Error listing config entries for kind "{self.kind.value}": '):
            entries = cast("Sequence[Json] | None", client.get(f"/v1/config/{self.kind.value}")) or ()
            named = [_kinded(entry) for entry in entries]
        for entry in named:
            self.ui.out(str(entry.get("Name") or ""))
        return 0


def _kinded(entry: Json) -> Mapping[str, Json]:
    """An entry of a known kind. Raises ApiError for one that does not say its kind."""
    if not isinstance(entry, Mapping) or not any(key in entry for key in ("kind", "Kind")):
        raise ApiError("Payload does not contain a kind/Kind key at the top level")
    return entry


class _Named(Command):
    api = EVERYTHING

    def define(self, flags: FlagSet) -> None:
        self.kind = flags.string("kind", "Kind of the entry.")
        self.name = flags.string("name", "Name of the entry.")

    def _check(self) -> None:
        if not self.kind.value:
            raise Failure("Must specify the -kind parameter")
        if not self.name.value:
            raise Failure("Must specify the -name parameter")


class Read(_Named):
    """Shows an entry."""

    usage = "consul config read [options] -kind <config kind> -name <config name>"
    body = "  Prints a configuration entry as JSON."

    def execute(self, args: list[str]) -> int:
        self._check()
        kind, name = self.kind.value, self.name.value
        client = self.client()
        if kind not in config_schema.KINDS:
            raise Failure(f"Error reading config entry {kind}/{name}: invalid config entry kind: {kind}")
        with explain(f"Error reading config entry {kind}/{name}: "):
            entry = _kinded(client.get(f"/v1/config/{kind}/{name}"))
        self.ui.out(gojson.dumps(config_schema.shape(kind, entry), indent="    "))
        return 0


class Delete(_Named):
    """Removes an entry."""

    usage = "consul config delete [options] -kind <config kind> -name <config name>"
    body = "  Removes a configuration entry."

    def execute(self, args: list[str]) -> int:
        self._check()
        kind, name = self.kind.value, self.name.value
        client = self.client()
        with explain(f"Error deleting config entry {kind}/{name}: "):
            client.ok("DELETE", f"/v1/config/{kind}/{name}").close()
        self.ui.out(f"Config entry deleted: {kind}/{name}")
        return 0


class Write(Command):
    """Creates or changes an entry."""

    usage = "consul config write [options] <configuration>"
    api = EVERYTHING
    body = """
  Writes a configuration entry from a file of HCL or JSON, or from standard
  input with "-".

      $ consul config write web.service.hcl
"""

    def define(self, flags: FlagSet) -> None:
        self.cas = flags.boolean("cas", "Write only if the entry still has -modify-index. Default: false.")
        self.modify_index = flags.unsigned("modify-index", "The index -cas compares with.")

    def execute(self, args: list[str]) -> int:
        if len(args) != 1:
            raise Failure("Must provide exactly one positional argument to specify the config entry to write")
        try:
            text = read_stdin() if args[0] == "-" else read_argument("@" + args[0])
        except Failure as failure:
            raise Failure(f"Failed to load data: {failure}") from None
        try:
            entry = cast("Mapping[str, Json]", config_schema.decode(_document(text)))
        except config_schema.EntryError as error:
            raise Failure(f"Failed to decode config entry input: {error}") from None
        label = f"{entry['Kind']}/{entry['Name']}"
        client = self.client()
        query = {"cas": self.modify_index.value} if self.cas.value else {}
        with explain(f"Error writing config entry {label}: "):
            written = b"true" in client.put("/v1/config", query, body=entry).read()
        if not written:
            raise Failure(f"Config entry not updated: {label}")
        self.ui.out(f"Config entry written: {label}")
        return 0


def _document(text: str) -> Mapping[str, Json]:
    from proconsul.engine.wire.hcl1 import HclError, parse_hcl1

    try:
        return cast("Mapping[str, Json]", parse_hcl1(text))
    except HclError as error:
        reason = "unexpected end of JSON input" if str(error) == "unexpected EOF" else str(error)
        raise config_schema.EntryError(f"Failed to decode config entry input: {reason}") from None
