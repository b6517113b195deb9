"""A small synchronous client of the HTTP API with the error texts of Consul's own Go client.

Only what the command line needs: one request per connection, JSON or raw bodies, blocking queries by index,
TCP and unix sockets, TLS.  Imports of the network stack happen at the first request.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote as _url_quote
from urllib.parse import quote_plus

from proconsul.cli import gotypes
from proconsul.client import gojson

if TYPE_CHECKING:
    import http.client
    import socket
    import ssl

DEFAULT_ADDRESS = "127.0.0.1:8500"
# A reply larger than this is refused rather than filling memory; Consul's largest answers are KV exports.
_BODY_BYTES_MAX = 1 << 30
# Like Go's http.Client, which gives up after ten redirects.
_REDIRECTS_MAX = 10

Query = Mapping[str, "str | int | list[str]"]


class ApiError(Exception):
    """A request failed; ``str()`` is the text Consul's Go client gives.  ``status`` is 0 without an answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class ConnectionFailed(ApiError):
    """No answer: the agent could not be reached or broke off."""


class ClientConfig:
    """Where the agent is and how to talk to it: environment first, flags above."""

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
            return gotypes.parse_bool(text)
        except gotypes.GoSyntaxError as error:
            self.warnings.append(f'could not parse {name}: error="{error}"')
            return default


class ReadsBody(Protocol):
    """What can be sent as a streamed request body."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes."""


class Response:
    """An answer whose body has not necessarily been read."""

    def __init__(
        self, raw: http.client.HTTPResponse, connection: http.client.HTTPConnection, sock: socket.socket, where: str
    ) -> None:
        self.status = raw.status
        self._socket = sock
        self._raw = raw
        self._connection = connection
        self._where = where

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return self._raw.getheader(name) or ""

    @property
    def index(self) -> int:
        """``X-Consul-Index`` of the answer, 0 when absent or malformed."""
        text = self.header("X-Consul-Index")
        return int(text) if text.isdigit() else 0

    def read(self) -> bytes:
        """Return the whole body and close; raises :class:`ConnectionFailed` when it ends early."""
        import http.client

        try:
            data = self._raw.read(_BODY_BYTES_MAX + 1)
        except http.client.IncompleteRead:
            raise ConnectionFailed("unexpected EOF") from None
        except OSError as error:
            raise ConnectionFailed(f"{self._where}: {_socket_text(error)}") from None
        finally:
            self.close()
        if len(data) > _BODY_BYTES_MAX:
            raise ApiError("response body too large")
        return data

    def read_some(self, size: int = 65536) -> bytes:
        """Return the next bytes as soon as there are any, ``b""`` at the end; for endless streams."""
        import http.client

        try:
            return self._raw.read1(size)
        except http.client.IncompleteRead:
            raise ConnectionFailed("unexpected EOF") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            text = _socket_text(error) if isinstance(error, OSError) else "use of closed network connection"
            raise ConnectionFailed(text) from None

    def json(self) -> gojson.Json:
        """Return the decoded body; raises :class:`ApiError` with Go's text when it is no JSON."""
        try:
            return gojson.loads(self.read())
        except gojson.GoJsonError as error:
            raise ApiError(str(error)) from None

    def close(self) -> None:
        """Give the connection up."""
        self._raw.close()
        self._connection.close()

    def interrupt(self) -> None:
        """End a stream that another thread is reading: the reader sees the end of the body."""
        _shut(self._socket)


def _shut(sock: socket.socket) -> None:
    import socket

    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The peer was faster; what matters is that a blocked reader wakes up.
        return


class Client:
    """Sends requests to one agent."""

    def __init__(self, config: ClientConfig) -> None:
        """Check the configuration as ``api.NewClient`` does; raises :class:`ApiError`."""
        for _ in range(2):  # the Go client reads its environment twice, so warns twice
            for warning in config.warnings:
                _log_warning(warning)
        self.config = config
        self.scheme = config.scheme
        self.unix_path = ""
        self.host = config.address
        scheme, separator, rest = config.address.partition("://")
        if separator:
            if scheme not in ("http", "https", "unix"):
                raise ApiError(f"Unknown protocol scheme: {scheme}")
            self.scheme = "https" if scheme == "https" else self.scheme
            self.unix_path = rest if scheme == "unix" else ""
            self.host = rest
        self._tls = _checked_tls(config)
        self.token = _token(config)

    def url(self, path: str, query: str) -> str:
        """Return the URL as Go prints it in errors."""
        host = _url_quote(self.host, safe="!$&'()*+,;=:[]<>\"")
        return f"{self.scheme}://{host}{escape_path(path)}" + (f"?{query}" if query else "")

    def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: bytes | ReadsBody | None = None,
        headers: Mapping[str, str] | None = None,
        stale_allowed: bool = False,
        token: str | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """Send one request and return its answer whatever the status.

        The datacenter and namespace the user asked for are always sent, ``-stale`` only where ``stale_allowed``.
        ``timeout_s`` bounds connecting and every read.  Raises :class:`ConnectionFailed`.
        """
        encoded = encode_query(self._parameters(query, stale_allowed))
        all_headers = dict(headers or {})
        actual_token = self.token if token is None else token
        if actual_token:
            all_headers["X-Consul-Token"] = actual_token
        if self.config.basic_auth:
            all_headers["Authorization"] = _basic(self.config.basic_auth)
        for _ in range(_REDIRECTS_MAX):
            response = self._send(method, path, encoded, body, all_headers, timeout_s)
            location = response.header("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location.startswith("/"):
                return response
            if response.status < 307 and method not in ("GET", "HEAD"):
                # As Go's client does: what was redirected is only looked at.
                method, body = "GET", None
            response.read()
            from urllib.parse import unquote

            path, _, encoded = location.partition("?")
            path = unquote(path, errors="surrogateescape")
        raise ApiError(f'{method.title()} "{self.url(path, encoded)}": stopped after 10 redirects')

    def _parameters(self, query: Query | None, stale_allowed: bool) -> dict[str, str | list[str]]:
        parameters: dict[str, str | list[str]] = {}
        if self.config.datacenter:
            parameters["dc"] = self.config.datacenter
        if stale_allowed and self.config.stale:
            parameters["stale"] = ""
        if self.config.namespace:
            parameters["ns"] = self.config.namespace
        for name, value in (query or {}).items():
            parameters[name] = value if isinstance(value, list) else str(value)
        return parameters

    def _send(
        self,
        method: str,
        path: str,
        encoded: str,
        body: bytes | ReadsBody | None,
        headers: dict[str, str],
        timeout_s: float | None,
    ) -> Response:
        import http.client

        where = f'{method.title()} "{self.url(path, encoded)}"'
        target = escape_path(path) + (f"?{encoded}" if encoded else "")
        connection = self._connect(where, timeout_s)
        sock = connection.sock
        try:
            try:
                connection.request(method, target, body=body, headers=headers, encode_chunked=False)
            except (BrokenPipeError, ConnectionResetError):
                if body is None:
                    raise
                # The agent answered before it had the whole body, and took no more: what it said counts.
            return Response(connection.getresponse(), connection, sock, where)
        except http.client.RemoteDisconnected:
            connection.close()
            raise ConnectionFailed(f"{where}: EOF") from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            text = _socket_text(error) if isinstance(error, OSError) else f"malformed HTTP response {error}"
            raise ConnectionFailed(f"{where}: {text}") from None

    def _connect(self, where: str, timeout_s: float | None) -> http.client.HTTPConnection:
        import http.client

        host, port = self._host_and_port()
        connection = http.client.HTTPConnection(host or "127.0.0.1", port, timeout=timeout_s)
        try:
            sock = self._dial(host, port, timeout_s)
        except OSError as error:
            raise ConnectionFailed(f"{where}: {self._dial_text(error, host, port)}") from None
        if self.scheme == "https":
            name = self.config.tls_server_name or host
            try:
                sock = _tls_context(self.config, self._tls).wrap_socket(sock, server_hostname=name or None)
            except OSError as error:
                sock.close()
                raise ConnectionFailed(f"{where}: {_tls_text(error)}") from None
        connection.sock = sock
        connection.auto_open = 0
        return connection

    def _host_and_port(self) -> tuple[str, int]:
        if self.unix_path:
            return "localhost", 80
        host, colon, port = self.host.rpartition(":")
        if not colon or (self.host.endswith("]")):
            host, port = self.host, ""
        default = 443 if self.scheme == "https" else 80
        return host.strip("[]"), int(port) if port.isdigit() else default

    def _dial(self, host: str, port: int, timeout_s: float | None) -> socket.socket:
        import socket

        if self.unix_path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(timeout_s)
                sock.connect(self.unix_path)
            except OSError:
                sock.close()
                raise
            return sock
        sock = socket.create_connection((host or "127.0.0.1", port), timeout=timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _dial_text(self, error: OSError, host: str, port: int) -> str:
        import socket

        if self.unix_path:
            return f"dial unix {self.unix_path}: connect: {gotypes.errno_text(error)}"
        if isinstance(error, socket.gaierror):
            return f"dial tcp: lookup {host}{_resolver()}: no such host"
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if isinstance(error, TimeoutError):
            return f"dial tcp {where}: i/o timeout"
        return f"dial tcp {where}: connect: {gotypes.errno_text(error)}"

    def ok(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: bytes | ReadsBody | None = None,
        stale_allowed: bool = False,
        token: str | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """Send a request which must be answered 200; raises :class:`ApiError` with the answer's text."""
        response = self.request(
            method, path, query, body=body, stale_allowed=stale_allowed, token=token, timeout_s=timeout_s
        )
        if response.status != 200:
            raise unexpected(response)
        return response

    def get(self, path: str, query: Query | None = None, *, stale_allowed: bool = False) -> gojson.Json:
        """GET and decode JSON."""
        return self.ok("GET", path, query, stale_allowed=stale_allowed).json()

    def put(
        self, path: str, query: Query | None = None, body: gojson.Json = None, *, stale_allowed: bool = False
    ) -> Response:
        """PUT a JSON body (``None`` sends none)."""
        data = None if body is None else gojson.dumps(body).encode("utf-8", "surrogateescape")
        return self.ok("PUT", path, query, body=data, stale_allowed=stale_allowed)


def unexpected(response: Response) -> ApiError:
    """Return the error for an answer that is not 200, with its body in brackets."""
    text = response.read().decode("utf-8", "surrogateescape")
    return ApiError(f"Unexpected response code: {response.status} ({text})", response.status)


def escape_path(path: str) -> str:
    """Encode a path as Go's ``URL.EscapedPath`` does."""
    return _url_quote(path.encode("utf-8", "surrogateescape"), safe="$&+,/:;=@")


def encode_query(parameters: Mapping[str, str | list[str]]) -> str:
    """Encode a query string as Go's ``url.Values.Encode`` does: sorted by key, spaces as plus."""
    pairs: list[tuple[str, str]] = []
    for key in sorted(parameters):
        values = parameters[key]
        pairs.extend((key, item) for item in ([values] if isinstance(values, str) else values))
    return "&".join(f"{quote_plus(_raw(name))}={quote_plus(_raw(value))}" for name, value in pairs)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _basic(user_and_password: str) -> str:
    from base64 import b64encode

    user, _, password = user_and_password.partition(":")
    return "Basic " + b64encode(_raw(f"{user}:{password}")).decode()


def _token(config: ClientConfig) -> str:
    if not config.token_file:
        return config.token
    try:
        with open(config.token_file, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read().strip()
    except OSError as error:
        raise ApiError(f"Error loading token file: {gotypes.os_error(error, path=config.token_file)}") from None
    return text or config.token


def _log_warning(text: str) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
    sys.stderr.write(f"{stamp} [WARN]  consul-api: {text}\n")


def _resolver() -> str:
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.split()
                if len(words) > 1 and words[0] == "nameserver":
                    return f" on {words[1]}:53"
    except OSError:
        # Without the file there is nothing to name; the message stays useful.
        return ""
    return ""


def _socket_text(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    if isinstance(error, ConnectionResetError):
        return "read: connection reset by peer"
    return gotypes.errno_text(error)


def _checked_tls(config: ClientConfig) -> bool:
    """Check the TLS files; True when any TLS option was given.  Raises :class:`ApiError`."""
    if bool(config.client_cert) != bool(config.client_key):
        raise ApiError("both client cert and client key must be provided")
    for path, prefix in (
        (config.client_cert, ""),
        (config.client_key, ""),
        (config.ca_file, "Error loading CA File: "),
    ):
        if path:
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                raise ApiError(prefix + gotypes.os_error(error, path=path)) from None
    if config.ca_path and not config.ca_file:
        try:
            os.lstat(config.ca_path)
        except OSError as error:
            raise ApiError(gotypes.os_error(error, "lstat", config.ca_path)) from None
    return bool(config.client_cert or config.ca_file or config.ca_path)


def _tls_context(config: ClientConfig, has_files: bool) -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if has_files and config.client_cert:
            context.load_cert_chain(config.client_cert, config.client_key)
        if config.ca_file:
            context.load_verify_locations(cafile=config.ca_file)
        elif config.ca_path:
            for root, _, names in os.walk(config.ca_path):
                for name in names:
                    context.load_verify_locations(cafile=os.path.join(root, name))
        else:
            context.load_default_certs()
    except ssl.SSLError as error:
        raise ApiError(f"tls: {error.reason or error}") from None
    return context


def _tls_text(error: OSError) -> str:
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == 10:
            return "x509: certificate has expired or is not yet valid"
        if error.verify_code in (62, 64):
            return f"x509: {error.verify_message}"
        return "x509: certificate signed by unknown authority"
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
            return "http: server gave HTTP response to HTTPS client"
        return f"remote error: tls: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if isinstance(error, TimeoutError):
        return "net/http: TLS handshake timeout"
    return "EOF" if error.errno in (None, 0) else gotypes.errno_text(error)


def write_key(client: Client, key: str, data: bytes, query: Query) -> bool:
    """PUT a key and return whether the server did it; raises :class:`ApiError`."""
    if key.startswith("/"):
        raise ApiError(f"Invalid key. Key must not begin with a '/': {key}")
    return b"true" in client.ok("PUT", "/v1/kv/" + key, query, body=data).read()
