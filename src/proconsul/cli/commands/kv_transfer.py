"""``consul kv export`` and ``import``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import cast

from proconsul.cli.api import write_key
from proconsul.cli.command import EVERYTHING, Command, Failure, explain, read_argument
from proconsul.cli.commands.kv import list_pairs, strict_base64, value_of
from proconsul.cli.output import ProgressLine
from proconsul.client import gojson
from proconsul.client.gojson import Json


class Export(Command):
    """Writes a tree of keys as JSON."""

    usage = "consul kv export [KEY_OR_PREFIX]"
    api = EVERYTHING
    body = """
  Prints the keys below a prefix as JSON, which "consul kv import" reads:

      $ consul kv export vault > vault.json
"""

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 1)
        prefix = (args[0] if args else "").removeprefix("/")
        client = self.client()
        with explain("Error querying Consul agent: "):
            pairs = list_pairs(client, prefix)
        progress = ProgressLine("Exported keys", len(pairs))
        document: list[Json] = []
        for pair in pairs:
            value = b64encode(value_of(pair)).decode()
            document.append({"key": pair["Key"], "flags": pair["Flags"], "value": value})
            progress.advance()
        progress.done()
        self.ui.out(gojson.dumps(document, indent="\t"))
        return 0


class Import(Command):
    """Loads a tree of keys."""

    usage = "consul kv import [DATA]"
    api = EVERYTHING
    body = """
  Writes the keys of an exported tree: from a file with "@", from standard input
  with "-", or from the argument.

      $ consul kv import @vault.json
"""

    def execute(self, args: list[str]) -> int:
        text = self._data(args)
        client = self.client()
        try:
            entries = gojson.loads(text)
        except gojson.GoJsonError as error:
            raise Failure(f"Cannot unmarshal data: {error}") from None
        pairs = _checked(entries)
        progress = ProgressLine("Imported keys", len(pairs))
        for entry in pairs:
            key, flags = str(entry.get("key") or ""), cast("int", entry.get("flags") or 0)
            try:
                value = strict_base64(str(entry.get("value") or "").encode())
            except ValueError as error:
                raise Failure(f"Error base 64 decoding value for key {key}: {error}") from None
            with explain(f"Error! Failed writing data for key {key}: "):
                write_key(client, key, value, {"flags": flags} if flags else {})
            self.ui.out(f"Imported: {key}")
            progress.advance()
        progress.done()
        return 0

    def _data(self, args: list[str]) -> str:
        if not args:
            raise Failure("Error! Missing DATA argument")
        if len(args) > 1:
            raise Failure(f"Error! Too many arguments (expected 1, got {len(args)})")
        if not args[0]:
            raise Failure("Error! Empty DATA argument")
        try:
            return read_argument(args[0])
        except Failure as failure:
            raise Failure(f"Error! {failure}") from None


def _checked(entries: Json) -> list[Mapping[str, Json]]:
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise Failure(
            f"Cannot unmarshal data: json: cannot unmarshal {gojson.kind_of(entries)} into Go "
            f"value of type []*impexp.Entry"
        )
    pairs: list[Mapping[str, Json]] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise Failure(
                f"Cannot unmarshal data: json: cannot unmarshal {gojson.kind_of(entry)} into Go "
                f"value of type impexp.Entry"
            )
        pairs.append({str(key).lower(): value for key, value in entry.items()})
    for pair in pairs:
        for name, kind in (("key", "string"), ("flags", "uint64"), ("value", "string")):
            _check_type(name, kind, pair.get(name))
    return pairs


def _check_type(name: str, kind: str, value: Json) -> None:
    if value is None or (kind == "string" and isinstance(value, str)):
        return
    shown = gojson.kind_of(value)
    if kind == "uint64" and shown == "number":
        if isinstance(value, int) and 0 <= value < 1 << 64:
            return
        shown = f"number {gojson.dumps(value)}"
    raise Failure(
        f"Cannot unmarshal data: json: cannot unmarshal {shown} into Go struct field Entry.{name} of type {kind}"
    )
