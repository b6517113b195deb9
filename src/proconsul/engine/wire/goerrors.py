"""Errors of the operating system, of the resolver and of TLS in the words of Go, which operators search for.

Every text that tells why a file, a connection or a handshake failed is made here. Sources: Go's ``os``, ``net``,
``crypto/tls`` and ``crypto/x509`` as documented, and what Consul 1.8.7 prints.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proconsul.engine.wire.text import quoted

if TYPE_CHECKING:
    import ssl

# OpenSSL's reasons for what Go's crypto/tls says in other words: our own, and those in which the other side ended it.
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "client didn't provide a certificate",
    "CALLBACK_FAILED": "no certificates configured",
    "NO_SHARED_CIPHER": "no cipher suite supported by both client and server",
    "UNSUPPORTED_PROTOCOL": "protocol version not supported",
}
_ALERTS = {
    "BAD_RECORD_MAC": "bad record MAC", "CERTIFICATE_EXPIRED": "expired certificate",
    "CERTIFICATE_REVOKED": "revoked certificate", "CERTIFICATE_UNKNOWN": "unknown certificate",
    "DECODE_ERROR": "error decoding message", "DECRYPT_ERROR": "error decrypting message",
    "INSUFFICIENT_SECURITY": "insufficient security level", "PROTOCOL_VERSION": "protocol version not supported",
    "UNKNOWN_CA": "unknown certificate authority", "USER_CANCELLED": "user canceled",
}  # fmt: skip
_ALERT = re.compile(r"(?:SSLV3_ALERT_|TLSV1_ALERT_|TLSV13_ALERT_|TLSV1_)(.*)")
# What OpenSSL says of a first record that is none, depending on its version and on what came.
_NO_TLS = frozenset({
    "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "UNKNOWN_PROTOCOL",
})  # fmt: skip
# Of X509_verify_cert: what makes an issuer unknown, and a date wrong.
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_WRONG_DATE = frozenset({9, 10})
_SIGNALS_BY_NAME = {
    "SIGHUP": "hangup", "SIGINT": "interrupt", "SIGQUIT": "quit", "SIGILL": "illegal instruction",
    "SIGTRAP": "trace/breakpoint trap", "SIGABRT": "aborted", "SIGBUS": "bus error",
    "SIGFPE": "floating point exception", "SIGKILL": "killed", "SIGUSR1": "user defined signal 1",
    "SIGSEGV": "segmentation fault", "SIGUSR2": "user defined signal 2", "SIGPIPE": "broken pipe",
    "SIGALRM": "alarm clock", "SIGTERM": "terminated",
}  # fmt: skip
# Windows has few of them.
_SIGNALS: dict[int, str] = {
    getattr(signal, name): text for name, text in _SIGNALS_BY_NAME.items() if hasattr(signal, name)
}


def errno_text(error: OSError) -> str:
    """The system's words for the error's number, else those of the error."""
    number = error.errno
    if not isinstance(number, int) or number <= 0:  # the resolver's numbers and TLS's are of another kind
        return "i/o timeout" if isinstance(error, TimeoutError) else str(error)
    if number == errno.ETIMEDOUT:  # some C libraries have other words for it
        return "connection timed out"
    text = os.strerror(number)
    # As in Go's tables: the first letter small, except of what is spelled in capitals.
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def path_error(operation: str, path: object, error: OSError) -> str:
    """``open x: no such file or directory``. Go opens directories, and only fails to read them."""
    if error.errno == errno.EISDIR and operation == "open":
        operation = "read"
    return f"{operation} {path}: {errno_text(error)}"


class ListenError(OSError):
    """Nobody can listen there; ``str()`` is Go's text: ``listen tcp 127.0.0.1:80: bind: permission denied``."""


@contextlib.contextmanager
def listening(network: str, target: object) -> Iterator[None]:
    """Turns an OSError of those who begin to listen at ``target`` into a ListenError."""
    try:
        yield
    except OSError as error:
        raise ListenError(f"listen {network} {target}: bind: {errno_text(error)}") from error


def no_such_host(host: str, server: str = "") -> str:
    """Why a name has no address. ``server``: who was asked for it, where that is known."""
    return f"lookup {host}{f' on {server}' if server else ''}: no such host"


def dial_error(target: object, error: BaseException, *, network: str = "tcp", host: str = "") -> str:
    """Why there is no connection to ``target``. ``host``: the name that was looked up, for errors of the resolver.

    ``dial tcp 127.0.0.1:1: connect: connection refused``, ``dial tcp 127.0.0.1:1: i/o timeout``, or the text of TLS.
    """
    import socket
    import ssl

    if isinstance(error, ssl.SSLError):
        return tls_error(error)
    if isinstance(error, socket.gaierror):
        return f"dial {network}: {no_such_host(host)}"
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"dial {network} {target}: i/o timeout"
    text = errno_text(error) if isinstance(error, OSError) else str(error)
    return f"dial {network} {target}: connect: {text}"


def tls_error(error: ssl.SSLError) -> str:
    """Why a handshake failed: ``x509: ...`` of certificates, ``remote error: tls: ...`` of the other side."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _UNKNOWN_AUTHORITY:
            return "x509: certificate signed by unknown authority"
        if error.verify_code in _WRONG_DATE:
            return "x509: certificate has expired or is not yet valid"
        return f"x509: {error.verify_message or error.reason}"
    if isinstance(error, ssl.SSLEOFError):
        return "EOF"
    reason = getattr(error, "reason", None) or str(error)
    alert = _ALERT.fullmatch(reason)
    if alert is not None:
        return f"remote error: tls: {_ALERTS.get(alert[1]) or _words(alert[1])}"
    if is_no_tls(error):
        return "tls: first record does not look like a TLS handshake"
    return f"tls: {_REASONS.get(reason) or _words(reason)}"


def is_no_tls(error: BaseException) -> bool:
    """Whether what the other side speaks is something other than TLS, such as HTTP."""
    return getattr(error, "reason", None) in _NO_TLS


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")


def server_name_error(name: str) -> str:
    """That no certificate can be asked for in the name ``name``."""
    return f"tls: invalid server name {quoted(name)}"


def read_error(local: object, remote: object, error: OSError) -> str:
    """Why a connection broke off: ``read tcp 127.0.0.1:5->127.0.0.1:8500: read: connection reset by peer``."""
    return f"read tcp {local}->{remote}: read: {errno_text(error)}"


def start_error(program: str, error: OSError | ValueError) -> str:
    """Why a program could not be started."""
    if not isinstance(error, OSError):  # a zero byte in an argument
        return f"fork/exec {program}: invalid argument"
    if error.errno == errno.ENOENT and "/" not in program:
        return f"exec: {quoted(program)}: executable file not found in $PATH"
    return f"fork/exec {program}: {errno_text(error)}"


def exit_text(code: int) -> str:
    """How a program ended, as subprocess has it: empty for 0, ``exit status 3``, ``signal: killed``."""
    if code >= 0:
        return f"exit status {code}" if code else ""
    return f"signal: {_SIGNALS.get(-code) or f'signal {-code}'}"
