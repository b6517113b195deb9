"""``consul acl auth-method``."""

from __future__ import annotations

from typing import cast

from proconsul.cli import acl_format, acl_schemas
from proconsul.cli.acl_common import AclCommand, Row, rows
from proconsul.cli.api import Client, unexpected
from proconsul.cli.command import EVERYTHING, Command, Failure, explain, read_argument
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.text import quoted


def _read(client: Client, name: str, prefix: str) -> Row:
    with explain(prefix):
        response = client.request("GET", f"/v1/acl/auth-method/{name}")
        if response.status == 404:
            response.close()
            raise Failure(f"Auth method not found with name {quoted(name)}")
        if response.status != 200:
            raise unexpected(response)
        return cast(Row, response.json())


class _Described(AclCommand):
    # Consul words the same complaint differently in create and update.
    flag_word = "flag"

    def define_method(self, flags: FlagSet) -> None:
        self.description = flags.string("description", "Description of the auth method.")
        self.display_name = flags.string("display-name", "Name to show instead of the name.")
        self.ttl = flags.duration("max-token-ttl", "How long tokens of this auth method are valid.")
        self.locality = flags.string("token-locality", "Which tokens to make: 'local' or 'global'.")
        self.name_format = flags.string("token-name-format", "Template of the names of tokens, may hold ${var}.")
        self.config = flags.string(
            "config", "Configuration as JSON, itself or from a file with '@' or from standard input with '-'."
        )
        self.k8s_host = flags.string("kubernetes-host", "Address of the Kubernetes API, for type 'kubernetes'.")
        self.k8s_ca = flags.string(
            "kubernetes-ca-cert", "CA certificate of the Kubernetes API as PEM, itself or from a file with '@'."
        )
        self.k8s_jwt = flags.string("kubernetes-service-account-jwt", "Service account token for the Kubernetes API.")

    def parsed_config(self) -> Json:
        """Return the configuration given by ``-config``; raises :class:`Failure`."""
        if self.k8s_host.value or self.k8s_ca.value or self.k8s_jwt.value:
            raise Failure(f"Cannot use command line arguments with '-config' {self.flag_word}")
        try:
            text = read_argument(self.config.value)
        except Failure as failure:
            raise Failure(f"Error loading configuration file: {failure}") from None
        try:
            return gojson.loads(text)
        except gojson.GoJsonError as error:
            raise Failure(f"Error parsing JSON configuration file: {error}") from None

    def ca_cert(self) -> str:
        """Return the certificate given by ``-kubernetes-ca-cert``; raises :class:`Failure`."""
        try:
            return read_argument(self.k8s_ca.value)
        except Failure as failure:
            raise Failure(f"Error loading ca certificate: {failure}") from None


class Create(_Described):
    """Adds an auth method."""

    flag_word = "flags"

    usage = "consul acl auth-method create -name NAME -type TYPE [options]"
    body = """
  Adds an auth method:

      $ consul acl auth-method create -type jwt -name ci -config @jwt.json
"""

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.type = flags.string("type", "Type of the auth method. Required.")
        self.name = flags.string("name", "Name of the auth method. Required.")
        self.define_method(flags)

    def execute(self, args: list[str]) -> int:
        for name, flag in (("type", self.type), ("name", self.name)):
            if not flag.value:
                self.ui.error(f"Missing required '-{name}' flag")
                self.ui.error(self.help())
                return 1
        client = self.client()
        body: dict[str, Json] = {
            "Name": self.name.value,
            "Type": self.type.value,
            "DisplayName": self.display_name.value,
            "Description": self.description.value,
            "TokenLocality": self.locality.value,
        }
        if self.name_format.value:
            body["TokenNameFormat"] = self.name_format.value
        if self.ttl.value > 0:
            body["MaxTokenTTL"] = format_duration(self.ttl.value)
        if self.config.value:
            body["Config"] = self.parsed_config()
        elif self.type.value == "kubernetes":
            body["Config"] = self._kubernetes()
        with explain("Failed to create new auth method: "):
            shaped = acl_schemas.AUTH_METHOD.shape(body)
            method = cast(Row, client.put("/v1/acl/auth-method", body=shaped).json())
        return self.show(method, acl_format.auth_method, acl_schemas.AUTH_METHOD)

    def _kubernetes(self) -> Json:
        host, certificate, token = self.k8s_host.value, self.ca_cert(), self.k8s_jwt.value
        for name, value in (("host", host), ("ca-cert", certificate), ("service-account-jwt", token)):
            if not value:
                raise Failure(f"Missing required '-kubernetes-{name}' flag")
        return {"Host": host, "CACert": certificate, "ServiceAccountJWT": token}


class Read(AclCommand):
    """Shows an auth method."""

    usage = "consul acl auth-method read -name NAME [options]"
    body = "  Shows an auth method."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.name = flags.string("name", "Name of the auth method.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            raise Failure("Must specify the -name parameter")
        client = self.client()
        method = _read(client, self.name.value, f'Error reading auth method "{self.name.value}": ')
        return self.show(method, acl_format.auth_method, acl_schemas.AUTH_METHOD)


class List(AclCommand):
    """Shows all auth methods."""

    usage = "consul acl auth-method list [options]"
    body = "  Lists all auth methods."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Failed to retrieve the auth method list: "):
            found = rows(client, "/v1/acl/auth-methods")
        return self.show_all(found, acl_format.auth_methods, acl_schemas.AUTH_METHOD_ENTRY)


class Delete(Command):
    """Removes an auth method."""

    usage = "consul acl auth-method delete -name NAME [options]"
    api = EVERYTHING
    body = "  Removes an auth method, its binding rules and its tokens."

    def define(self, flags: FlagSet) -> None:
        self.name = flags.string("name", "Name of the auth method.")

    def execute(self, args: list[str]) -> int:
        if not self.name.value:
            raise Failure("Must specify the -name parameter")
        client = self.client()
        with explain(f'Error deleting auth method "{self.name.value}": '):
            client.ok("DELETE", f"/v1/acl/auth-method/{self.name.value}").close()
        self.ui.out(f'Auth method "{self.name.value}" deleted successfully')
        return 0


class Update(_Described):
    """Changes an auth method."""

    usage = "consul acl auth-method update -name NAME [options]"
    body = "  Changes what is given of an auth method; with -no-merge, also empties the rest."

    def define(self, flags: FlagSet) -> None:
        self.define_output(flags)
        self.name = flags.string("name", "Name of the auth method.")
        self.define_method(flags)
        self.no_merge = flags.boolean("no-merge", "Replace everything but the name, also by nothing.")

    def execute(self, args: list[str]) -> int:
        name = self.name.value
        if not name:
            raise Failure("Cannot update an auth method without specifying the -name parameter")
        client = self.client()
        present = _read(client, name, "Error when retrieving current auth method: ")
        merge = not self.no_merge.value
        body: dict[str, Json] = dict(present) if merge else {"Name": name, "Type": present["Type"]}
        for key, flag in (
            ("DisplayName", self.display_name),
            ("Description", self.description),
            ("TokenLocality", self.locality),
        ):
            if flag.value:
                body[key] = flag.value
        if self.name_format.value:
            body["TokenNameFormat"] = self.name_format.value
        if self.ttl.value > 0:
            body["MaxTokenTTL"] = format_duration(self.ttl.value)
        if self.config.value:
            body["Config"] = self.parsed_config()
        elif present["Type"] == "kubernetes":
            body["Config"] = self._kubernetes(present, merge)
        with explain(f'Error updating auth method "{name}": '):
            shaped = acl_schemas.AUTH_METHOD.shape(body)
            method = cast(Row, client.put(f"/v1/acl/auth-method/{name}", body=shaped).json())
        return self.show(method, acl_format.auth_method, acl_schemas.AUTH_METHOD)

    def _kubernetes(self, present: Row, merge: bool) -> Json:
        given = {"Host": self.k8s_host.value, "CACert": self.ca_cert(), "ServiceAccountJWT": self.k8s_jwt.value}
        if not merge:
            flags = {"Host": "host", "CACert": "ca-cert", "ServiceAccountJWT": "service-account-jwt"}
            for key, flag in flags.items():
                if not given[key]:
                    raise Failure(f"Missing required '-kubernetes-{flag}' flag")
            return {**given}
        config: dict[str, Json] = dict(cast("Row | None", present.get("Config")) or {})
        config.update({key: value for key, value in given.items() if value})
        return config
