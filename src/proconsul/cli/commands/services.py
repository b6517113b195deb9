"""``consul services register`` and ``deregister``."""

from __future__ import annotations

import sys
from typing import cast

from proconsul.cli import definitions, gotypes
from proconsul.cli.command import EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json


def read_services(paths: list[str]) -> list[dict[str, Json]]:
    """Return the service definitions of configuration files; raises :class:`Failure`."""
    documents = [_read(path) for path in paths]
    found: list[dict[str, Json]] = []
    for document in documents:
        blocks = [*definitions.many(document.get("services")), *definitions.many(document.get("service"))]
        for block in blocks:
            try:
                found.append(definitions.registration(block))
            except definitions.DefinitionError as error:
                raise Failure(f"Error: {error}") from None
    return found


def _read(path: str) -> definitions.Block:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        raise Failure(f"Error: config: Open failed on {path}. {gotypes.os_error(error, path=path)}") from None
    if path.endswith(".json"):
        try:
            document = gojson.loads(text)
        except gojson.GoJsonError as error:
            raise Failure(f"Error: failed to parse {path}: {error}") from None
    elif path.endswith(".hcl"):
        from proconsul.engine.wire.hcl1 import HclError, parse_hcl1

        try:
            document = cast(Json, parse_hcl1(text))
        except HclError as error:
            raise Failure(f"Error: failed to parse {path}: {error}") from None
    else:
        # Like an agent, which skips files of other kinds.
        sys.stderr.write(f"skipping file {path}, extension must be .hcl or .json, or config format must be set\n")
        return {}
    return cast(definitions.Block, document) if isinstance(document, dict) else {}


class Register(Command):
    """Adds services."""

    usage = "consul services register [options] [FILE...]"
    api = EVERYTHING
    body = """
  Registers services with the local agent, from configuration files or from
  options. They stay until they are deregistered.

      $ consul services register web.hcl
      $ consul services register -name web -port 80
"""

    def define(self, flags: FlagSet) -> None:
        self.kind = flags.string("kind", "Kind of the service.")
        self.id = flags.string("id", "ID of the service. Default: its name.")
        self.name = flags.string("name", "Name of the service.")
        self.address = flags.string("address", "Address of the service.")
        self.port = flags.integer("port", "Port of the service.")
        self.meta = flags.mapping("meta", "Metadata as key=value. Repeat for more.")
        self.tags = flags.strings("tag", "Tag of the service. Repeat for more.")
        self.tagged_addresses = flags.mapping(
            "tagged-address", "Further address as name=address:port. Repeat for more."
        )

    def execute(self, args: list[str]) -> int:
        if not args and not self.name.value:
            raise Failure("Service registration requires at least one argument or flags.")
        if args and (self.id.value or self.name.value):
            raise Failure("Service registration requires arguments or -id, not both.")
        bodies = read_services(args) if args else [self._from_flags()]
        client = self.client()
        for body in bodies:
            with explain(f"Error registering service {gotypes.quote(str(body.get('Name') or ''))}: "):
                client.put("/v1/agent/service/register", body=body).close()
            self.ui.out(f"Registered service: {body.get('Name') or ''}")
        return 0

    def _from_flags(self) -> dict[str, Json]:
        addresses: dict[str, Json] = {}
        for name, text in self.tagged_addresses.value.items():
            addresses[name] = _host_port(text)
        body: dict[str, Json] = {
            "Kind": self.kind.value,
            "ID": self.id.value,
            "Name": self.name.value,
            "Tags": list(self.tags.value),
            "Port": self.port.value,
            "Address": self.address.value,
            "TaggedAddresses": addresses,
            "Meta": dict(self.meta.value),
        }
        return {key: value for key, value in body.items() if value}


def _host_port(text: str) -> Json:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise Failure(f"Invalid Tagged Address: address {text}: missing port in address")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise Failure(f"Invalid Tagged Address: address {text}: too many colons in address")
    try:
        number = gotypes.parse_int(port, base=10, func="Atoi")
    except gotypes.GoSyntaxError as error:
        raise Failure(f"Invalid Tagged Address: {error}") from None
    return {"Address": host.strip("[]"), "Port": number}


class Deregister(Command):
    """Removes services."""

    usage = "consul services deregister [options] [FILE...]"
    api = EVERYTHING
    body = """
  Removes services from the local agent, by ID or by the files they were
  registered from.

      $ consul services deregister -id web
      $ consul services deregister web.hcl
"""

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the service. Not together with files.")

    def execute(self, args: list[str]) -> int:
        if not args and not self.id.value:
            raise Failure("Service deregistration requires at least one argument or -id.")
        if args and self.id.value:
            raise Failure("Service deregistration requires arguments or -id, not both.")
        bodies: list[dict[str, Json]] = read_services(args) if args else [{"ID": self.id.value}]
        client = self.client()
        for body in bodies:
            service_id = str(body.get("ID") or body.get("Name") or "")
            # The failure speaks of registering: this is what Consul prints.
            with explain(f"Error registering service {gotypes.quote(str(body.get('Name') or ''))}: "):
                client.put(f"/v1/agent/service/deregister/{service_id}").close()
            self.ui.out(f"Deregistered service: {service_id}")
        return 0
