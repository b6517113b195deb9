"""Requests over HTTP that block their thread: one request, one connection, Go's error texts. For the command line.

The network's modules are imported with the first request, as many commands send none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from proconsul.engine.http.client import Exchange, HttpClientError, ResponseHead, ResponseReader
from proconsul.engine.http.url import Url
from proconsul.engine.lookup import DialError, host_and_port, is_ip, lookup_error
from proconsul.engine.unix_sockets import require_unix
from proconsul.engine.wire.goerrors import dial_error, is_no_tls, read_error, tls_error
from proconsul.engine.wire.hostport import Address, join_host_port

if TYPE_CHECKING:
    import socket
    import ssl

__all__ = ["BlockingResponse", "Connector", "ReadsBody", "send"]

_READ_BYTES = 64 * 1024
_TIMED_OUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class ReadsBody(Protocol):
    """What can be sent as a streamed request body."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes."""


class Connector:
    """How to reach who is asked. ``context`` is called when TLS is needed; ``timeout_s`` bounds connecting, sending and
    every read."""

    def __init__(
        self, *, timeout_s: float | None = None, unix_path: str = "", server_name: str = "",
        context: Callable[[], ssl.SSLContext],
    ) -> None:  # fmt: skip
        self.timeout_s = timeout_s
        self._unix_path, self._server_name, self._context = unix_path, server_name, context

    def connect(self, parts: Url) -> socket.socket:
        """Raises DialError."""
        if self._unix_path:
            return self._unix()
        host, port = host_and_port(join_host_port(parts.host, parts.port or (443 if parts.scheme == "https" else 80)))
        sock = self._dial(host, port)
        return self._secured(sock, host) if parts.scheme == "https" else sock

    def _unix(self) -> socket.socket:
        import socket

        try:
            sock = socket.socket(require_unix(), socket.SOCK_STREAM)
        except OSError as error:
            raise DialError(dial_error(self._unix_path, error, network="unix")) from None
        try:
            sock.settimeout(self.timeout_s)
            sock.connect(self._unix_path)
        except OSError as error:
            sock.close()
            raise DialError(dial_error(self._unix_path, error, network="unix")) from None
        return sock

    def _dial(self, host: str, port: int) -> socket.socket:
        import socket

        try:
            addresses = [host] if not host or is_ip(host) else _addresses(host, port)
        except (OSError, ValueError):
            raise DialError(f"dial tcp: {lookup_error(_ascii(host))}") from None
        failed: DialError | None = None
        for address in addresses:
            try:
                sock = socket.create_connection((address or "127.0.0.1", port), timeout=self.timeout_s)
            except OSError as error:
                failed = failed or DialError(dial_error(Address(address, port), error))
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        assert failed is not None
        raise failed

    def _secured(self, sock: socket.socket, host: str) -> socket.socket:
        import ssl

        try:
            return self._context().wrap_socket(sock, server_hostname=self._server_name or host or None)
        except (OSError, ValueError) as error:
            sock.close()
            if isinstance(error, ssl.SSLError):
                raise DialError(tls_error(error), not_tls=is_no_tls(error)) from None
            if isinstance(error, TimeoutError):
                raise DialError("net/http: TLS handshake timeout") from None
            raise DialError("EOF" if not isinstance(error, OSError) or not error.errno else str(error)) from None
        except BaseException:
            sock.close()
            raise


def _addresses(host: str, port: int) -> list[str]:
    """Raises OSError, and ValueError for what is no name."""
    import socket

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


class BlockingResponse:
    """An answer whose body has not necessarily been read."""

    def __init__(self, exchange: Exchange, sock: socket.socket, ends: tuple[object, object]) -> None:
        self._exchange, self._sock = exchange, sock
        self._ends = ends
        self._pieces: deque[bytes] = deque()
        self._answer = ResponseReader(exchange.method, self._pieces.append)
        # Why the body broke off; told when what came before it was read.
        self._broken: HttpClientError | None = None
        while self._answer.head is None:
            self._more()
        self.head: ResponseHead = self._answer.head

    def _more(self) -> None:
        """Take in what comes next. Raises HttpClientError while there is no head."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except TimeoutError:
            error = HttpClientError(_TIMED_OUT)
        except (OSError, ValueError) as failure:
            text = "use of closed network connection"
            if isinstance(failure, OSError) and failure.errno:
                text = read_error(*self._ends, failure)
            error = HttpClientError(text)
        else:
            try:
                if data:
                    self._answer.feed(data)
                else:
                    self._answer.end()
                return
            except HttpClientError as fault:
                error = fault
        if self._answer.head is None:
            self.close()
            raise self._exchange.failed(str(error)) from None
        self._broken = self._broken or error

    def read_some(self) -> bytes:
        """The next bytes as soon as there are any, ``b""`` at the end. Raises HttpClientError when it ends early."""
        while not self._pieces and self._broken is None and not self._answer.done:
            self._more()
        if self._pieces:
            return self._pieces.popleft()
        if self._broken is not None:
            raise self._broken
        return b""

    def close(self) -> None:
        """Give the connection up."""
        self._sock.close()

    def interrupt(self) -> None:
        """End a stream that another thread is reading: the reader sees the end of the body."""
        import contextlib
        import socket

        with contextlib.suppress(OSError):  # the peer was faster; what matters is that a blocked reader wakes up
            self._sock.shutdown(socket.SHUT_RDWR)


def _ends(sock: socket.socket) -> tuple[object, object]:
    """The addresses of both ends, empty where there is none any more."""

    def shown(name: object) -> object:
        return Address(*name[:2]) if isinstance(name, tuple) else name

    try:
        return shown(sock.getsockname()), shown(sock.getpeername())
    except OSError:
        return "", ""


def send(exchange: Exchange, connector: Connector, body: ReadsBody | None = None) -> BlockingResponse:
    """Do a request and its redirects; the answer with its body unread. Raises HttpClientError.

    ``body``: what is sent in chunks when the exchange is streamed; an OSError of its own is raised as it is.
    """
    while True:
        parts = exchange.place()
        try:
            sock = connector.connect(parts)
        except DialError as error:
            text = "http: server gave HTTP response to HTTPS client" if error.not_tls else str(error)
            raise exchange.failed(text) from None
        ends = _ends(sock)  # now, as who has gone has no address
        try:
            _send_request(sock, exchange.head(parts), exchange.body or b"", body if exchange.streamed else None)
            response = BlockingResponse(exchange, sock, ends)
            if not exchange.redirected(response.head):
                return response
        except BaseException:
            sock.close()
            raise
        sock.close()


def _send_request(sock: socket.socket, head: bytes, body: bytes, stream: ReadsBody | None) -> None:
    """What the other side takes of it: one that has answered before it had everything may not."""
    try:
        sock.sendall(head + body)
    except OSError:
        return
    while stream is not None:
        data = stream.read(_READ_BYTES)
        try:
            sock.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            return
        if not data:
            return
