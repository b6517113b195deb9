"""TLS on the connections of the RPC port.

asyncio's own TLS ends a connection when one side has said all it has to say. Snapshots need that half-close
(RPC reference, section 6: close_notify, then the answer), and what is inside is only known once TLS is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, cast

READ_BYTES = 64 << 10
# What is written in one turn of the event loop leaves together, but not more than this waits for the turn's end.
TOGETHER_BYTES = 64 << 10


class TlsConnection(asyncio.Transport, asyncio.Protocol):
    """A protocol to the connection beneath, a transport to ``app``, which is told of it once the handshake is done.

    ``server_hostname``: of the side that dials; None accepts. Unlike asyncio's, either side may end what it sends,
    and still be sent to.
    """

    def __init__(self, app: asyncio.Protocol, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        super().__init__()
        self._app = app
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._in, self._out, server_side=server_hostname is None, server_hostname=server_hostname or None
        )
        # Done when TLS is up; fails with an OSError.
        self.handshaken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._raw: asyncio.Transport | None = None
        self._up = self._paused = self._closing = self._read_ended = self._write_ended = False
        self._flushing = False
        self._error: Exception | None = None

    # ------------------------------------------------------------------ as a protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast(asyncio.Transport, transport)
        self._advance()

    def data_received(self, data: bytes) -> None:
        self._in.write(data)
        self._advance()

    def eof_received(self) -> bool:
        if not self._read_ended:
            self._in.write_eof()
            self._advance()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        error = self._error or exc
        if self._up:
            self._app.connection_lost(error)
        elif not self.handshaken.done():
            self.handshaken.set_exception(error or ConnectionResetError("EOF"))

    def pause_writing(self) -> None:
        if self._up:
            self._app.pause_writing()

    def resume_writing(self) -> None:
        if self._up:
            self._app.resume_writing()

    def _advance(self) -> None:
        """Do what the bytes that are there allow."""
        try:
            if not self._up:
                self._tls.do_handshake()
                self._up = True
                self._flush()
                self._app.connection_made(self)
                if not self.handshaken.done():
                    self.handshaken.set_result(None)
            self._deliver()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail(error)
        self._flush()

    def _deliver(self) -> None:
        """Give the application all that came. Raises SSLWantReadError at the end of it, and SSLError."""
        while not (self._paused or self._read_ended or self._closing):
            try:
                data = self._tls.read(READ_BYTES)
            except ssl.SSLZeroReturnError:  # what comes of close_notify when ours is sent
                data = b""
            if data:
                self._app.data_received(data)
                continue
            self._read_ended = True
            if not self._app.eof_received():
                self.close()

    def _fail(self, error: ssl.SSLError) -> None:
        self._error = self._error or error
        self._closing = True
        self._flush()  # the alert
        if self._raw is not None:
            self._raw.close()

    def _flush_soon(self) -> None:
        """Consul closes snapshot connections without reading what comes behind the request. Were our close_notify
        still in its socket then, the kernel would take back what it sent: so it must come with the request."""
        if self._out.pending >= TOGETHER_BYTES:
            self._flush()
        elif not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        data = self._out.read()
        if data and self._raw is not None and not self._raw.is_closing():
            self._raw.write(data)

    # ------------------------------------------------------------------ as a transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLError as error:
            self._fail(error)
        self._flush_soon()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Say that nothing more comes (close_notify); what the other side sends is still received."""
        if self._write_ended or not self._up:
            return
        self._write_ended = True
        with contextlib.suppress(ssl.SSLError):  # that theirs has not come yet
            self._tls.unwrap()
        self._flush_soon()

    def pause_reading(self) -> None:
        self._paused = True
        if self._raw is not None:
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        self._advance()
        if not self._paused and not self._closing and self._raw is not None:
            self._raw.resume_reading()

    def is_reading(self) -> bool:
        return not (self._paused or self._closing)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self.write_eof()
            self._flush()
            self._closing = True
            if self._raw is not None:
                self._raw.close()

    def abort(self) -> None:
        self._closing = True
        if self._raw is not None:
            self._raw.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._app = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._app

    def get_write_buffer_size(self) -> int:
        return self._out.pending + (self._raw.get_write_buffer_size() if self._raw is not None else 0)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self._raw is not None:
            self._raw.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``ssl_object``, ``peercert``, or what the connection beneath knows."""
        if name == "ssl_object":
            return self._tls
        if name == "peercert":
            return self._tls.getpeercert()
        return self._raw.get_extra_info(name, default) if self._raw is not None else default
