"""A small synchronous client of the HTTP API with the error texts of Consul's own Go client.

Only what the command line needs: one request per connection, JSON or raw bodies, blocking queries by index,
TCP and unix sockets, TLS.  Imports of the network stack happen at the first request.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote as _url_quote
from urllib.parse import quote_plus

from proconsul.client import gojson
from proconsul.client.settings import ClientConfig, SettingsError, basic_credentials, place_of
from proconsul.client.shapes import answer_type, read
from proconsul.engine.http.blocking import BlockingResponse, Connector, ReadsBody, send
from proconsul.engine.http.client import Exchange, HttpClientError
from proconsul.engine.http.url import Url
from proconsul.engine.wire.hostport import url_host_and_port

if TYPE_CHECKING:
    import ssl

# A reply larger than this is refused rather than filling memory; Consul's largest answers are KV exports.
_BODY_BYTES_MAX = 1 << 30

Query = Mapping[str, "str | int | list[str]"]


class ApiError(Exception):
    """A request failed; ``str()`` is the text Consul's Go client gives.  ``status`` is 0 without an answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class AgentUnreachable(ApiError):
    """No answer: the agent could not be reached or broke off."""


class ApiResponse:
    """An answer whose body has not necessarily been read."""

    def __init__(self, answer: BlockingResponse, go_type: str) -> None:
        self._answer = answer
        # What it is taken for when it is decoded.
        self._go_type = go_type
        self.status = answer.head.status

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return self._answer.head.headers.get(name.lower(), "")

    @property
    def index(self) -> int:
        """``X-Consul-Index`` of the answer, 0 when absent or malformed."""
        text = self.header("X-Consul-Index")
        return int(text) if text.isascii() and text.isdigit() else 0

    def read(self) -> bytes:
        """Return the whole body and close; raises :class:`AgentUnreachable` when it ends early."""
        data, error = self._read()
        if error is not None:
            raise AgentUnreachable(str(error)) from None
        return data

    def _read(self) -> tuple[bytes, HttpClientError | None]:
        """What came of the body, and why it ended early."""
        parts: list[bytes] = []
        size, error = 0, None
        try:
            while data := self._answer.read_some():
                parts.append(data)
                size += len(data)
                if size > _BODY_BYTES_MAX:
                    raise ApiError("response body too large")
        except HttpClientError as failure:
            error = failure
        finally:
            self.close()
        return b"".join(parts), error

    def read_some(self) -> bytes:
        """Return the next bytes as soon as there are any, ``b""`` at the end; for endless streams."""
        try:
            return self._answer.read_some()
        except HttpClientError as error:
            raise AgentUnreachable(str(error)) from None

    def json(self) -> gojson.Json:
        """Return the decoded body; raises :class:`ApiError` with Go's text when it is no JSON.

        As in Go the body is decoded while it comes: what is wrong with its beginning is told before that it broke off.
        """
        data, error = self._read()
        try:
            return read(gojson.loads_first(data), self._go_type)
        except gojson.GoJsonError as fault:
            if str(fault) != gojson.UNFINISHED:
                raise ApiError(str(fault)) from None
            if error is not None:
                raise AgentUnreachable(str(error)) from None
            raise ApiError("unexpected EOF" if data.strip() else "EOF") from None

    def close(self) -> None:
        """Give the connection up."""
        self._answer.close()

    def interrupt(self) -> None:
        """End a stream that another thread is reading: the reader sees the end of the body."""
        self._answer.interrupt()


class Client:
    """Sends requests to one agent."""

    def __init__(self, config: ClientConfig) -> None:
        """Check the configuration as ``api.NewClient`` does; raises :class:`ApiError`."""
        for _ in range(2):  # the Go client reads its environment twice, so warns twice
            for warning in config.warnings:
                _log_warning(warning)
        self.config = config
        try:
            self._place = place_of(config.address, config.scheme)
            self._tls = config.check_tls()
            self.token = config.read_token()
        except SettingsError as error:
            raise ApiError(str(error)) from None
        self.scheme, self.host, self.unix_path = self._place

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
    ) -> ApiResponse:
        """Send one request and return its answer whatever the status.

        The datacenter and namespace the user asked for are always sent, ``-stale`` only where ``stale_allowed``.
        ``timeout_s`` bounds connecting and every read.  Raises :class:`AgentUnreachable`.
        """
        encoded = encode_query(self._parameters(query, stale_allowed))
        header = {name: (value,) for name, value in (headers or {}).items()}
        actual_token = self.token if token is None else token
        if actual_token:
            header["X-Consul-Token"] = (actual_token,)
        for name, value in basic_credentials(self.config.basic_auth).items():
            header[name] = (value,)
        data = body if isinstance(body, bytes) else None
        stream = None if body is None or isinstance(body, bytes) else body
        connector = Connector(
            timeout_s=timeout_s, unix_path=self.unix_path, server_name=self.config.tls_server_name,
            context=self._context,
        )  # fmt: skip
        try:
            exchange = Exchange(
                self.url(path, encoded), method, header, data, streamed=stream is not None, gzip=False,
                place=self._url(path, encoded),
            )  # fmt: skip
            return ApiResponse(send(exchange, connector, stream), answer_type(path, query or ()))
        except HttpClientError as error:
            raise AgentUnreachable(str(error)) from None

    def _context(self) -> ssl.SSLContext:
        try:
            return self.config.tls_context(self._tls)
        except SettingsError as error:
            raise ApiError(str(error)) from None

    def _url(self, path: str, encoded: str) -> Url:
        host, port = url_host_and_port(self.host)
        target = escape_path(path) + (f"?{encoded}" if encoded else "")
        return Url(self.scheme, None, host, int(port or 0), self.host, target)

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
    ) -> ApiResponse:
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
    ) -> ApiResponse:
        """PUT a JSON body (``None`` sends none)."""
        data = None if body is None else gojson.dumps(body).encode("utf-8", "surrogateescape")
        return self.ok("PUT", path, query, body=data, stale_allowed=stale_allowed)


def unexpected(response: ApiResponse) -> ApiError:
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


def _log_warning(text: str) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
    sys.stderr.write(f"{stamp} [WARN]  consul-api: {text}\n")


def write_key(client: Client, key: str, data: bytes, query: Query) -> bool:
    """PUT a key and return whether the server did it; raises :class:`ApiError`."""
    if key.startswith("/"):
        raise ApiError(f"Invalid key. Key must not begin with a '/': {key}")
    return b"true" in client.ok("PUT", "/v1/kv/" + key, query, body=data).read()
