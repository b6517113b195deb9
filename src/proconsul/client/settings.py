"""Where the agent is and how to talk to it: the one rule, for the command line and for programs.

The variables are those of Consul's own tools (Consul documentation, "Commands", environment variables). Imports of the
network's modules happen where they are needed, as many commands never need them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from proconsul.engine.wire.goerrors import path_error
from proconsul.engine.wire.gostrconv import NumberError, parse_bool
from proconsul.engine.wire.hostport import url_host_and_port

if TYPE_CHECKING:
    import ssl

__all__ = ["DEFAULT_ADDRESS", "ClientConfig", "Place", "SettingsError", "basic_credentials", "place_of"]

DEFAULT_ADDRESS = "127.0.0.1:8500"


class SettingsError(ValueError):
    """The settings lead nowhere; ``str()`` is the text of Consul's Go client."""


class Place(NamedTuple):
    """One agent. ``host``: what it was called, with its port; ``unix_path``: the socket, where it is one."""

    scheme: str
    host: str
    unix_path: str

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The name without brackets, and the port, that of the scheme when there is none."""
        host, port = url_host_and_port(self.host)
        return host, int(port or 0) or (443 if self.scheme == "https" else 80)


class ClientConfig:
    """Where the agent is and how to talk to it: environment first, what is assigned afterwards above."""

    address: str
    scheme: str
    token: str
    token_file: str
    basic_auth: str
    ca_file: str
    ca_path: str
    client_cert: str
    client_key: str
    tls_server_name: str
    namespace: str
    verify: bool

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        self.address = env.get("CONSUL_HTTP_ADDR") or DEFAULT_ADDRESS
        self.scheme = "http"
        self.token = env.get("CONSUL_HTTP_TOKEN", "")
        self.token_file = env.get("CONSUL_HTTP_TOKEN_FILE", "")
        self.basic_auth = env.get("CONSUL_HTTP_AUTH", "")
        self.ca_file = env.get("CONSUL_CACERT", "")
        self.ca_path = env.get("CONSUL_CAPATH", "")
        self.client_cert = env.get("CONSUL_CLIENT_CERT", "")
        self.client_key = env.get("CONSUL_CLIENT_KEY", "")
        self.tls_server_name = env.get("CONSUL_TLS_SERVER_NAME", "")
        self.namespace = env.get("CONSUL_NAMESPACE", "")
        self.datacenter = ""
        self.stale = False
        self.verify = True
        self.warnings: list[str] = []
        if self._env_bool(env, "CONSUL_HTTP_SSL", False):
            self.scheme = "https"
        self.verify = self._env_bool(env, "CONSUL_HTTP_SSL_VERIFY", True)

    def _env_bool(self, env: Mapping[str, str], name: str, default: bool) -> bool:
        text = env.get(name, "")
        if not text:
            return default
        try:
            return parse_bool(text)
        except NumberError as error:
            self.warnings.append(f'could not parse {name}: error="{error}"')
            return default

    def read_token(self) -> str:
        """The token: that of the file, where one is named and says any. Raises SettingsError."""
        if not self.token_file:
            return self.token
        try:
            with open(self.token_file, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read().strip()
        except OSError as error:
            raise SettingsError(f"Error loading token file: {path_error('open', self.token_file, error)}") from None
        return text or self.token

    def check_tls(self) -> bool:
        """Look at the files of TLS; True when any is named. Raises SettingsError."""
        if bool(self.client_cert) != bool(self.client_key):
            raise SettingsError("both client cert and client key must be provided")
        for path, prefix in (
            (self.client_cert, ""),
            (self.client_key, ""),
            (self.ca_file, "Error loading CA File: "),
        ):
            if path:
                try:
                    with open(path, "rb"):
                        pass
                except OSError as error:
                    raise SettingsError(prefix + path_error("open", path, error)) from None
        if self.ca_path and not self.ca_file:
            try:
                os.lstat(self.ca_path)
            except OSError as error:
                raise SettingsError(path_error("lstat", self.ca_path, error)) from None
        return bool(self.client_cert or self.ca_file or self.ca_path)

    def tls_context(self, has_files: bool) -> ssl.SSLContext:
        """What connections are secured with. ``has_files``: what `check_tls` said. Raises SettingsError."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            if has_files and self.client_cert:
                context.load_cert_chain(self.client_cert, self.client_key)
            if self.ca_file:
                context.load_verify_locations(cafile=self.ca_file)
            elif self.ca_path:
                for root, _, names in os.walk(self.ca_path):
                    for name in names:
                        context.load_verify_locations(cafile=os.path.join(root, name))
            else:
                context.load_default_certs()
        except ssl.SSLError as error:
            raise SettingsError(f"tls: {error.reason or error}") from None
        return context


def place_of(address: str, scheme: str = "http") -> Place:
    """Read ``host:port``, ``http://...``, ``https://...`` or ``unix://path``. Raises SettingsError."""
    given, separator, rest = address.partition("://")
    if not separator:
        return Place(scheme, address, "")
    if given not in ("http", "https", "unix"):
        raise SettingsError(f"Unknown protocol scheme: {given}")
    return Place("https" if given == "https" else scheme, rest, rest if given == "unix" else "")


def basic_credentials(user_and_password: str) -> dict[str, str]:
    """The header for ``user:password``, if there is one."""
    if not user_and_password:
        return {}
    from base64 import b64encode

    user, _, password = user_and_password.partition(":")
    value = b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
    return {"Authorization": f"Basic {value}"}
