"""``consul kv get``, ``put`` and ``delete``."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import ApiError, Client, Query, write_key
from proconsul.cli.columnize import tabwriter
from proconsul.cli.command import EVERYTHING, Command, Failure, explain, read_argument
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

Pair = Mapping[str, Json]
_QUERYING = "Error querying Consul agent: "


def value_of(pair: Pair) -> bytes:
    """Return the value of a pair as the API sends it."""
    return b64decode(cast("str | None", pair.get("Value")) or "")


def fetch(client: Client, key: str, query: Query) -> Json:
    """Read keys; ``None`` when there are none.  Raises :class:`ApiError` without the answer's text, as Consul does."""
    response = client.request("GET", "/v1/kv/" + key.removeprefix("/"), query, stale_allowed=True)
    if response.status == 404:
        response.close()
        return None
    if response.status != 200:
        response.close()
        raise ApiError(f"Unexpected response code: {response.status}", response.status)
    return response.json()


def list_pairs(client: Client, prefix: str) -> Sequence[Pair]:
    """Return all pairs below a prefix."""
    return cast("Sequence[Pair] | None", fetch(client, prefix, {"recurse": ""})) or ()


class Get(Command):
    """Reads or lists keys."""

    usage = "consul kv get [options] [KEY_OR_PREFIX]"
    api = EVERYTHING
    body = """
  Prints the value of a key. A missing key is an error, an empty value prints
  nothing. To see everything known about the key, to list what is below a
  prefix, or only the names there:

      $ consul kv get -detailed foo
      $ consul kv get -recurse foo
      $ consul kv get -keys foo
"""

    def define(self, flags: FlagSet) -> None:
        self.base64 = flags.boolean("base64", "Print values base64 encoded. Default: false.")
        self.detailed = flags.boolean("detailed", "Print indexes, flags and session of each key too. Default: false.")
        self.keys = flags.boolean("keys", "Print only the names below the prefix, up to -separator. Default: false.")
        self.recurse = flags.boolean(
            "recurse", "Take the argument as a prefix and print every key below it. Default: false."
        )
        self.separator = flags.string("separator", "Where -keys cuts names off.", "/")

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 1)
        key = args[0] if args else ""
        key = key.removeprefix("/")
        if not key and not (self.recurse.value or self.keys.value):
            raise Failure("Error! Missing KEY argument")
        client = self.client()
        with explain(_QUERYING):
            if self.keys.value:
                query = {"keys": "", **({"separator": self.separator.value} if self.separator.value else {})}
                for name in cast("Sequence[str] | None", fetch(client, key, query)) or ():
                    self.ui.out(name)
                return 0
            if self.recurse.value:
                return self._show_all(list_pairs(client, key))
            pairs = cast("Sequence[Pair] | None", fetch(client, key, {}))
        if not pairs:
            raise Failure(f"Error! No key exists at: {key}")
        if self.detailed.value:
            self._show_details(pairs[0])
        else:
            self.ui.out(self._encoded(pairs[0]))
        return 0

    def _encoded(self, pair: Pair) -> bytes:
        value = value_of(pair)
        return b64encode(value) if self.base64.value else value

    def _show_all(self, pairs: Sequence[Pair]) -> int:
        for position, pair in enumerate(pairs):
            if self.detailed.value:
                self._show_details(pair)
                if position < len(pairs) - 1:
                    self.ui.out("")
            else:
                name = cast(str, pair["Key"]).encode("utf-8", "surrogateescape")
                self.ui.out(name + b":" + self._encoded(pair))
        return 0

    def _show_details(self, pair: Pair) -> None:
        rows = [[name, str(pair[name])] for name in ("CreateIndex", "Flags", "Key", "LockIndex", "ModifyIndex")]
        rows.append(["Session", str(pair.get("Session") or "-")])
        text = f"Value\t{self._encoded(pair).decode('utf-8', 'surrogateescape')}"
        # Tabs and line ends within the value make columns and lines of their own.
        rows += [line.split("\t") for line in text.split("\n")]
        shown = tabwriter(rows)
        self.ui.out(shown.rstrip(" ") if text == "Value\t" else shown)


class Put(Command):
    """Writes a key."""

    usage = "consul kv put [options] KEY [DATA]"
    api = EVERYTHING
    body = """
  Writes DATA to a key: the argument itself, a file's content with "@", standard
  input with "-", or nothing when it is left out.

      $ consul kv put config/redis/maxconns 5
      $ consul kv put config/program/license @license.lic
      $ echo "abcd1234" | consul kv put config/program/license -

  Check-and-set writes only if nobody changed the key since it was read:

      $ consul kv put -cas -modify-index=844 config/redis/maxconns 5
"""

    def define(self, flags: FlagSet) -> None:
        self.cas = flags.boolean("cas", "Write only if the key still has -modify-index. Default: false.")
        self.user_flags = flags.unsigned(
            "flags", "Number to keep with the key; Consul gives it no meaning. Default: 0."
        )
        self.base64 = flags.boolean("base64", "DATA is base64 encoded. Default: false.")
        self.modify_index = flags.unsigned("modify-index", "The index -cas compares with.")
        self.session = flags.string("session", "Session for -acquire and -release.")
        self.acquire = flags.boolean("acquire", "Lock the key with -session, creating it if need be. Default: false.")
        self.release = flags.boolean("release", "Unlock the key held by -session. Default: false.")

    def execute(self, args: list[str]) -> int:
        key, data = self._arguments(args)
        if self.base64.value:
            data = self._decoded(data)
        if not self.session.value and (self.acquire.value or self.release.value):
            raise Failure("Error! Missing -session (required with -acquire and -release)")
        if self.cas.value and self.modify_index.value == 0:
            raise Failure("Must specify -modify-index with -cas!")
        client = self.client()
        query: dict[str, str | int] = {"flags": self.user_flags.value} if self.user_flags.value else {}
        if self.cas.value:
            if self._write(client, key, data, {**query, "cas": self.modify_index.value}, "Did not write"):
                self.ui.out(f"Success! Data written to: {key}")
                return 0
            raise Failure(f"Error! Did not write to {key}: CAS failed")
        if self.acquire.value:
            if self._write(client, key, data, {**query, "acquire": self.session.value}, "Failed writing data"):
                self.ui.out(f"Success! Lock acquired on: {key}")
                return 0
            raise Failure("Error! Did not acquire lock")
        if self.release.value:
            try:
                released = write_key(client, key, data, {**query, "release": self.session.value})
            except ApiError:
                # The key where the reason should be: this is what Consul prints.
                raise Failure(f"Error! Failed writing data: {key}") from None
            if released:
                self.ui.out(f"Success! Lock released on: {key}")
                return 0
            raise Failure("Error! Did not release lock")
        self._write(client, key, data, query, "Failed writing data")
        self.ui.out(f"Success! Data written to: {key}")
        return 0

    def _arguments(self, args: list[str]) -> tuple[str, bytes]:
        if not args:
            raise Failure("Error! Missing KEY argument")
        if len(args) > 2:
            raise Failure(f"Error! Too many arguments (expected 1 or 2, got {len(args)})")
        try:
            text = read_argument(args[1]) if len(args) == 2 else ""
        except Failure as failure:
            raise Failure(f"Error! {failure}") from None
        return args[0], text.encode("utf-8", "surrogateescape")

    def _decoded(self, data: bytes) -> bytes:
        try:
            return strict_base64(data)
        except Base64Error as error:
            # Consul complains, yet goes on with what it could decode; scripts may rely on the exit code 0.
            self.ui.error(f"Error! Cannot base 64 decode data: {error}")
            return error.partial

    def _write(self, client: Client, key: str, data: bytes, query: Query, trouble: str) -> bool:
        with explain(f"Error! {trouble}: " if trouble != "Did not write" else f"Error! Did not write to {key}: "):
            return write_key(client, key, data, query)


class Base64Error(ValueError):
    """Data is no base64; ``str()`` is Go's text, ``partial`` what could be decoded before the fault."""

    def __init__(self, position: int, partial: bytes) -> None:
        super().__init__(f"illegal base64 data at input byte {position}")
        self.partial = partial


def strict_base64(data: bytes) -> bytes:
    """Decode standard base64 as Go does, line ends skipped; raises :class:`Base64Error`."""
    import binascii

    clean = data.replace(b"\r", b"").replace(b"\n", b"")
    try:
        return b64decode(clean, validate=True)
    except binascii.Error:
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        body = clean.rstrip(b"=")
        wrong = next((position for position, byte in enumerate(clean) if byte not in alphabet), len(body))
        if wrong == len(body) and len(clean) % 4 and clean == body:
            wrong = len(body) // 4 * 4
        raise Base64Error(wrong, b64decode(clean[: wrong // 4 * 4])) from None


class Delete(Command):
    """Removes keys."""

    usage = "consul kv delete [options] KEY_OR_PREFIX"
    api = EVERYTHING
    body = """
  Removes a key, or with -recurse every key below a prefix:

      $ consul kv delete foo
      $ consul kv delete -recurse foo
"""

    def define(self, flags: FlagSet) -> None:
        self.cas = flags.boolean("cas", "Remove only if the key still has -modify-index. Default: false.")
        self.modify_index = flags.unsigned("modify-index", "The index -cas compares with.")
        self.recurse = flags.boolean("recurse", "Remove everything below the prefix. Default: false.")

    def execute(self, args: list[str]) -> int:
        key = self._checked(args)
        client = self.client()
        path = "/v1/kv/" + key.removeprefix("/")
        if self.recurse.value:
            with explain(f"Error! Did not delete prefix {key}: "):
                client.ok("DELETE", path, {"recurse": ""}).close()
            self.ui.out(f"Success! Deleted keys with prefix: {key}")
        elif self.cas.value:
            with explain(f"Error! Did not delete key {key}: "):
                done = b"true" in client.ok("DELETE", path, {"cas": self.modify_index.value}).read()
            if not done:
                raise Failure(f"Error! Did not delete key {key}: CAS failed")
            self.ui.out(f"Success! Deleted key: {key}")
        else:
            with explain(f"Error deleting key {key}: "):
                client.ok("DELETE", path).close()
            self.ui.out(f"Success! Deleted key: {key}")
        return 0

    def _checked(self, args: list[str]) -> str:
        self.too_many(args, 1)
        key = args[0] if args else ""
        key = key.removeprefix("/")
        if not key and not self.recurse.value:
            raise Failure("Error! Missing KEY argument")
        if self.cas.value and self.modify_index.value == 0:
            raise Failure("Must specify -modify-index with -cas!")
        if self.modify_index.value and not self.cas.value:
            raise Failure("Cannot specify -modify-index without -cas!")
        if self.recurse.value and self.cas.value:
            raise Failure("Cannot specify both -cas and -recurse!")
        return key
