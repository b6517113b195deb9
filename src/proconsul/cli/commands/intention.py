"""``consul intention create``, ``check``, ``match``, ``get`` and ``delete``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from proconsul.cli.api import ApiError, Client
from proconsul.cli.columnize import columnize
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.wire.goerrors import path_error
from proconsul.engine.wire.text import quoted

Intention = Mapping[str, Json]
_PATH = "/v1/connect/intentions"
_DEFAULT_NAMESPACE = "default"


class NotFound(Exception):
    """No intention between the two services."""


def parse_target(text: str) -> tuple[str, str]:
    """Split ``[namespace/]name``; raises ``ValueError`` with Consul's text."""
    if text.count("/") > 1:
        raise ValueError("target can contain at most one '/'")
    namespace, slash, name = text.partition("/")
    return (namespace, name) if slash else ("", text)


def _label(namespace: Json, name: Json) -> str:
    return f"{namespace}/{name}" if namespace and namespace != _DEFAULT_NAMESPACE else str(name or "")


def source(intention: Intention) -> str:
    """Return the source as people write it."""
    return _label(intention.get("SourceNS"), intention.get("SourceName"))


def destination(intention: Intention) -> str:
    """Return the destination as people write it."""
    return _label(intention.get("DestinationNS"), intention.get("DestinationName"))


def describe(intention: Intention) -> str:
    """Return ``a => b (allow)``."""
    return f"{source(intention)} => {destination(intention)} ({intention.get('Action') or ''})"


def new_intention(source_text: str, destination_text: str, action: str, meta: Mapping[str, str]) -> dict[str, Json]:
    """Return the body for a new intention; raises ``ValueError`` for bad names."""
    body: dict[str, Json] = {}
    for key, text, role in (("Source", source_text, "source"), ("Destination", destination_text, "destination")):
        try:
            namespace, name = parse_target(text)
        except ValueError as error:
            raise ValueError(f"Invalid intention {role}: {error}") from None
        if namespace:
            body[f"{key}NS"] = namespace
        body[f"{key}Name"] = name
    body["SourceType"] = "consul"
    body["Action"] = action
    if meta:
        body["Meta"] = dict(meta)
    return body


def find(client: Client, source_text: str, destination_text: str) -> Intention | None:
    """Return the intention between two services; raises :class:`ApiError`."""
    entries = cast("Sequence[Intention] | None", client.get(_PATH)) or ()
    for entry in entries:
        if source(entry) == source_text and destination(entry) == destination_text:
            return entry
    return None


def _find_id(client: Client, args: list[str]) -> str:
    if len(args) == 1:
        return args[0]
    with explain("Error: "):
        found = find(client, args[0], args[1])
    if found is None:
        names = f"{quoted(args[0])} and destination {quoted(args[1])}"
        raise Failure(f"Error: Intention with source {names} not found.")
    return str(found["ID"])


class Create(Command):
    """Adds intentions."""

    usage = "consul intention create [options] SRC DST"
    api = CLIENT_AND_SERVER
    body = """
  Allows (or with -deny, forbids) connections from one service to another.
  With -file, the arguments are JSON files with intentions.

      $ consul intention create web db
"""

    def define(self, flags: FlagSet) -> None:
        self.allow = flags.boolean("allow", "Allow connections. The default.")
        self.deny = flags.boolean("deny", "Forbid connections.")
        self.file = flags.boolean("file", "The arguments are files.")
        self.replace = flags.boolean("replace", "Change an intention that exists already.")
        self.meta = flags.mapping("meta", "Metadata as key=value. Repeat for more.")

    def execute(self, args: list[str]) -> int:
        if self.allow.value and self.deny.value:
            raise Failure("Only one of -allow or -deny may be specified.")
        try:
            bodies = self._bodies(args)
        except ValueError as error:
            raise Failure(f"Error: {error}") from None
        client = self.client()
        for body in bodies:
            if self.replace.value and self._replaced(client, body):
                continue
            with explain(f"Error creating intention {quoted(describe(body))}: "):
                client.ok("POST", _PATH, body=gojson.dumps(body).encode("utf-8", "surrogateescape")).close()
            self.ui.out(f"Created: {describe(body)}")
        return 0

    def _replaced(self, client: Client, body: dict[str, Json]) -> bool:
        try:
            present = find(client, source(body), destination(body))
        except ApiError as error:
            raise Failure(
                f"Error looking up intention for replacement with source {quoted(source(body))} "
                f"and destination {quoted(destination(body))}: {error}"
            ) from None
        if present is None:
            return False
        with explain(
            f"Error replacing intention with source {quoted(source(body))} "
            f"and destination {quoted(destination(body))}: "
        ):
            client.put(f"{_PATH}/{present['ID']}", body={**body, "ID": present["ID"]}).close()
        return True

    def _bodies(self, args: list[str]) -> list[dict[str, Json]]:
        if self.file.value:
            return [_from_file(path) for path in args]
        if len(args) != 2:
            raise ValueError("Must specify two arguments: source and destination")
        return [new_intention(args[0], args[1], "deny" if self.deny.value else "allow", self.meta.value)]


def _from_file(path: str) -> dict[str, Json]:
    try:
        with open(path, "rb") as file:
            document = gojson.loads(file.read())
    except OSError as error:
        raise ValueError(path_error("open", path, error)) from None
    if not isinstance(document, Mapping):
        kind = gojson.kind_of(document)
        raise ValueError(f"json: cannot unmarshal {kind} into Go value of type api.Intention")
    return dict(document)


class Check(Command):
    """Tells whether a connection would be allowed."""

    usage = "consul intention check [options] SRC DST"
    api = CLIENT_AND_SERVER
    usage_error_code = 2
    body = """
  Tells whether one service may connect to another: ends with 0 if so, with 1
  if not, with 2 if that could not be found out.
"""

    def execute(self, args: list[str]) -> int:
        if len(args) != 2:
            raise Failure("Error: command requires exactly two arguments: src and dst", 2)
        client = self._client()
        query = {"source": args[0], "destination": args[1], "source-type": "consul"}
        with explain("Error checking the connection: ", code=2):
            answer = cast("Mapping[str, Json]", client.get(f"{_PATH}/check", query))
        allowed = bool(answer["Allowed"])
        self.ui.out("Allowed" if allowed else "Denied")
        return 0 if allowed else 1

    def _client(self) -> Client:
        try:
            return self.client()
        except Failure as failure:
            raise Failure(str(failure), 2) from None


class Match(Command):
    """Lists the intentions which match a service."""

    usage = "consul intention match [options] SRC|DST"
    api = CLIENT_AND_SERVER
    body = "  Lists the intentions that match a service, the one that decides first."

    def define(self, flags: FlagSet) -> None:
        self.source = flags.boolean("source", "The service is the source.")
        self.destination = flags.boolean("destination", "The service is the destination. The default.")

    def execute(self, args: list[str]) -> int:
        if len(args) != 1:
            raise Failure("Error: command requires exactly one argument: src or dst")
        if self.source.value and self.destination.value:
            raise Failure("Error: only one of -source or -destination may be specified")
        client = self.client()
        query = {"by": "source" if self.source.value else "destination", "name": args[0]}
        with explain("Error matching the connection: "):
            answer = cast("Mapping[str, Sequence[Intention] | None]", client.get(f"{_PATH}/match", query))
        for intention in answer.get(args[0]) or ():
            self.ui.out(describe(intention))
        return 0


class Get(Command):
    """Shows an intention."""

    usage = "consul intention get [options] SRC DST"
    api = CLIENT_AND_SERVER
    body = "  Shows an intention, found by its two services or by its ID."

    def execute(self, args: list[str]) -> int:
        if not 1 <= len(args) <= 2:
            raise Failure("Error: command requires exactly 1 or 2 arguments")
        client = self.client()
        intention_id = _find_id(client, args)
        with explain("Error reading the intention: "):
            response = client.request("GET", f"{_PATH}/{intention_id}")
            if response.status not in (200, 404):
                text = response.read().decode("utf-8", "surrogateescape")
                raise ApiError(f"Unexpected response {response.status}: {text}", response.status)
            if response.status == 404:
                response.close()
                raise Failure(f'Error: Intention with id "{intention_id}" not found')
            intention = cast(Intention, response.json())
        lines = [
            f"Source:|{source(intention)}",
            f"Destination:|{destination(intention)}",
            f"Action:|{intention['Action']}",
            f"ID:|{intention['ID']}",
        ]
        if intention.get("Description"):
            lines.append(f"Description:|{intention['Description']}")
        meta = cast("Mapping[str, str] | None", intention.get("Meta")) or {}
        lines.extend(f"Meta[{key}]:|{meta[key]}" for key in sorted(meta))
        lines.append(f"Created At:|{rfc850(str(intention['CreatedAt']))}")
        self.ui.out(columnize(lines))
        return 0


def rfc850(text: str) -> str:
    """Return an RFC 3339 time as ``Friday, 20-Nov-26 12:18:11 UTC``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = moment.strftime("%Z")
    return f"{moment:%A, %d-%b-%y %H:%M:%S} {'UTC' if zone in ('', 'UTC') else moment.strftime('%z')}"


class Delete(Command):
    """Removes an intention."""

    usage = "consul intention delete [options] SRC DST"
    api = CLIENT_AND_SERVER
    body = "  Removes an intention, found by its two services or by its ID."

    def execute(self, args: list[str]) -> int:
        if not 1 <= len(args) <= 2:
            raise Failure("Error: command requires exactly 1 or 2 arguments")
        client = self.client()
        intention_id = _find_id(client, args)
        with explain("Error reading the intention: "):
            client.ok("DELETE", f"{_PATH}/{intention_id}").close()
        self.ui.out("Intention deleted.")
        return 0
