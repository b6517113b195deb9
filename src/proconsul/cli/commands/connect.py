"""``consul connect ca`` and ``connect expose``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli import config_schema
from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.commands.intention import find, new_intention
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson, schemas
from proconsul.client.gojson import Json
from proconsul.engine.wire.goerrors import path_error


class GetConfig(Command):
    """Shows the CA's configuration."""

    usage = "consul connect ca get-config [options]"
    api = CLIENT_AND_SERVER
    body = "  Prints the configuration of the mesh certificate authority."

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error querying CA configuration: "):
            response = client.ok("GET", "/v1/connect/ca/configuration", stale_allowed=True)
            config = schemas.CA_CONFIG.shape(response.json())
        self.ui.out(gojson.dumps(config, indent="\t"))
        return 0


class SetConfig(Command):
    """Changes the CA's configuration."""

    usage = "consul connect ca set-config [options]"
    api = CLIENT_AND_SERVER
    body = "  Changes the configuration of the mesh certificate authority."

    def define(self, flags: FlagSet) -> None:
        self.config_file = flags.optional_string("config-file", "File with the new configuration, as JSON.")

    def execute(self, args: list[str]) -> int:
        path = self.config_file.value
        if not path:
            raise Failure("The -config-file flag is required")
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise Failure(f"Error reading config file: {path_error('open', path, error)}") from None
        try:
            document = gojson.loads(data)
        except gojson.GoJsonError as error:
            raise Failure(f"Error parsing config file: {error}") from None
        client = self.client()
        with explain("Error setting CA configuration: "):
            client.put("/v1/connect/ca/configuration", body=schemas.CA_CONFIG.shape(document)).close()
        self.ui.out("Configuration updated!")
        return 0


class Expose(Command):
    """Publishes a service through an ingress gateway."""

    usage = "consul connect expose [options]"
    api = CLIENT_AND_SERVER
    body = """
  Adds a service to an ingress gateway's configuration entry and allows the
  gateway to connect to it.

      $ consul connect expose -service=web -ingress-gateway=front -port=8888
"""

    def define(self, flags: FlagSet) -> None:
        self.gateway = flags.string("ingress-gateway", "(Required) Name of the ingress gateway's service.")
        self.service = flags.string("service", "(Required) Name of the service to publish.")
        self.port = flags.integer("port", "(Required) Port on the gateway.")
        self.protocol = flags.string("protocol", "Protocol of the service.", "tcp")
        self.hosts = flags.strings("host", "Further DNS name that routes to this service. Repeat for more.")

    def execute(self, args: list[str]) -> int:
        if not self.service.value:
            raise Failure("A service name must be given via the -service flag.")
        namespace, service = self._target(self.service.value, "Invalid service name: ")
        if not self.gateway.value:
            raise Failure("An ingress gateway service must be given via the -ingress-gateway flag.")
        gateway_namespace, gateway = self._target(self.gateway.value, "Invalid ingress gateway name: ")
        if not self.port.value:
            raise Failure("A port must be provided via the -port flag.")
        client = self.client()
        entry = self._entry(client, gateway, gateway_namespace)
        self._add(entry, service, namespace)
        query = {"cas": cast(int, entry["ModifyIndex"])}
        with explain("Error writing ingress config entry: "):
            shaped = config_schema.shape("ingress-gateway", entry)
            written = b"true" in client.put("/v1/config", query, body=shaped).read()
        if not written:
            raise Failure("Ingress config entry was changed while attempting to update, please try again.")
        self.ui.out(f'Successfully updated config entry for ingress service "{gateway}"')
        self._allow(client, gateway, service)
        return 0

    def _target(self, text: str, prefix: str) -> tuple[str, str]:
        if text.count("/") > 1:
            raise Failure(f"{prefix}target can contain at most one '/'")
        namespace, slash, name = text.partition("/")
        return (namespace, name) if slash else ("", text)

    def _entry(self, client: Client, gateway: str, namespace: str) -> dict[str, Json]:
        try:
            found = cast("Mapping[str, Json]", client.get(f"/v1/config/ingress-gateway/{gateway}"))
        except ApiError as error:
            if error.status != 404:
                raise Failure(f"Error fetching existing ingress gateway configuration: {error}") from None
            fresh: dict[str, Json] = {"Kind": "ingress-gateway", "Name": gateway, "ModifyIndex": 0}
            if namespace:
                fresh["Namespace"] = namespace
            return fresh
        return dict(found)

    def _add(self, entry: dict[str, Json], service: str, namespace: str) -> None:
        listeners = [dict(item) for item in cast("Sequence[Mapping[str, Json]] | None", entry.get("Listeners")) or ()]
        entry["Listeners"] = listeners
        wanted: dict[str, Json] = {"Name": service}
        if self.hosts.value:
            wanted["Hosts"] = list(self.hosts.value)
        if namespace:
            wanted["Namespace"] = namespace
        port = self.port.value
        for listener in listeners:
            if listener["Port"] != port:
                continue
            if listener["Protocol"] != self.protocol.value:
                raise Failure(
                    f'Listener on port {port} already configured with conflicting protocol "{listener["Protocol"]}"'
                )
            services = list(cast("Sequence[Mapping[str, Json]] | None", listener.get("Services")) or ())
            for position, present in enumerate(services):
                if present["Name"] == service and (present.get("Namespace") or "") == namespace:
                    self.ui.out(f'Updating service definition for "{service}" on listener with port {port}')
                    services[position] = wanted
                    break
            else:
                services.append(wanted)
            listener["Services"] = services
            return
        listeners.append({"Port": port, "Protocol": self.protocol.value, "Services": [wanted]})

    def _allow(self, client: Client, gateway: str, service: str) -> None:
        with explain("Error looking up existing intention: "):
            present = find(client, gateway, service)
        if present is not None and present.get("Action") == "allow":
            self.ui.out(f'Intention already exists for "{gateway}" -> "{service}"')
            return
        body = new_intention(gateway, service, "allow", {})
        with explain("Error upserting intention: "):
            if present is not None:
                client.put(f"/v1/connect/intentions/{present['ID']}", body={**body, "ID": present["ID"]}).close()
            else:
                client.ok("POST", "/v1/connect/intentions", body=gojson.dumps(body).encode()).close()
        self.ui.out(f'Successfully set up intention for "{gateway}" -> "{service}"')
