"""``consul services register`` and ``deregister``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from proconsul.cli.command import EVERYTHING, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.gostrconv import parse_int
from proconsul.engine.wire.hostport import split_host_port
from proconsul.engine.wire.text import quoted


def read_services(paths: list[str], warn: Callable[[str], None]) -> list[dict[str, Json]]:
    """Return the services that configuration files define, as bodies of ``/v1/agent/service/register``.

    The files are read and checked as an agent in development mode would; ``warn`` gets its warnings. Raises Failure.
    """
    from proconsul.agent.config import ConfigError, load

    try:
        config, warnings = load({"dev": True, "config_files": paths})
    except ConfigError as error:
        raise Failure(f"Error: {error}") from None
    for text in warnings:
        warn(text)
    return [_body(service) for service in config.reloadable.service_definitions]


def _body(service: Mapping[str, object]) -> dict[str, Json]:
    out = cast("dict[str, Json]", dict(service))
    if "Checks" in out:
        out["Checks"] = [_check(check) for check in cast("Sequence[Mapping[str, Json]]", out["Checks"])]
    connect = cast("Mapping[str, object] | None", service.get("Connect"))
    if connect and connect.get("SidecarService"):
        sidecar = _body(cast("Mapping[str, object]", connect["SidecarService"]))
        out["Connect"] = {**cast("Mapping[str, Json]", connect), "SidecarService": sidecar}
    return out


def _check(check: Mapping[str, Json]) -> Json:
    from proconsul.agent.config.definitions import DURATION_FIELDS, OUTPUT_BYTES_DEFAULT

    out: dict[str, Json] = {}
    for key, value in check.items():
        if key in DURATION_FIELDS:  # which requests carry as text
            value = format_duration(cast(int, value))
        elif key == "OutputMaxSize" and value == OUTPUT_BYTES_DEFAULT:
            continue
        out["Args" if key == "ScriptArgs" else key] = value
    return out


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
        bodies = read_services(args, self.ui.error) if args else [self._from_flags()]
        client = self.client()
        for body in bodies:
            with explain(f"Error registering service {quoted(str(body.get('Name') or ''))}: "):
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
    try:
        host, port = split_host_port(text)
        return {"Address": host, "Port": parse_int(port, function="Atoi")}
    except ValueError as error:
        raise Failure(f"Invalid Tagged Address: {error}") from None


class Deregister(Command):
    """Removes services."""

    usage = "consul services deregister [options] [FILE...]"
    api = EVERYTHING
    body = """
  Removes services from the local agent, by ID or by the files they were
  registered from.

      $ consul services deregister -id web
      $ consul services deregister web.hcl

  With -everywhere, an extension of proconsul's own, every instance of that ID
  in the datacenter is removed where it is owned: at the agent of its node when
  that is alive and answers at the same HTTP port, in the catalog when there is
  none. What was done is printed; the exit code is 2 when something is left.

      $ consul services deregister -everywhere -id web
"""

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the service. Not together with files.")
        self.everywhere = flags.boolean("everywhere", "Remove the service from all nodes. Default: false.")

    def execute(self, args: list[str]) -> int:
        if not args and not self.id.value:
            raise Failure("Service deregistration requires at least one argument or -id.")
        if args and self.id.value:
            raise Failure("Service deregistration requires arguments or -id, not both.")
        bodies: list[dict[str, Json]] = read_services(args, self.ui.error) if args else [{"ID": self.id.value}]
        client = self.client()
        if self.everywhere.value:
            from proconsul.cli.commands.services_everywhere import Everywhere

            everywhere = Everywhere(client, self.ui)
            gone = [everywhere.deregister(str(body.get("ID") or body.get("Name") or "")) for body in bodies]
            return 0 if all(gone) else 2
        for body in bodies:
            service_id = str(body.get("ID") or body.get("Name") or "")
            # The failure speaks of registering: this is what Consul prints.
            with explain(f"Error registering service {quoted(str(body.get('Name') or ''))}: "):
                client.put(f"/v1/agent/service/deregister/{service_id}").close()
            self.ui.out(f"Deregistered service: {service_id}")
        return 0
