"""Logging to the system's log (Consul docs: enable_syslog, syslog_facility).

Lines are those of standard output, behind the head that the system's log wants: ``<priority>time consul[pid]:``. The
priority follows the level (features of 1.8.7 say so; 1.8.7 itself sends everything as a notice). Nothing waits for the
system's log: what it does not take at once is dropped, counted, and told of when it takes lines again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable

from proconsul.agent.telemetry.dropping import DroppingHandler
from proconsul.engine.unix_sockets import unix_family

__all__ = ["FACILITIES", "SyslogError", "SyslogHandler", "connect"]

# Where Linux, macOS and the BSDs have it.
PATHS = ("/dev/log", "/var/run/syslog", "/var/run/log")
TAG = "consul"
RETRIES, RETRY_S = 12, 5.0
_KERNEL_TO_CRON = "KERN USER MAIL DAEMON AUTH SYSLOG LPR NEWS UUCP CRON AUTHPRIV FTP"
FACILITIES = {name: number for number, name in enumerate(_KERNEL_TO_CRON.split())} | {
    f"LOCAL{number}": 16 + number for number in range(8)
}
_DEBUG, _INFO, _NOTICE, _WARNING, _ERROR = 7, 6, 5, 4, 3


class SyslogError(OSError):
    """The system's log cannot be had, or there is no facility of that name."""


def priority(facility: int, level: int) -> int:
    """The number before a line: trace, debug, info, warn, error are debug, info, notice, warning, err there."""
    if level >= logging.ERROR:
        severity = _ERROR
    elif level >= logging.WARNING:
        severity = _WARNING
    elif level >= logging.INFO:
        severity = _NOTICE
    else:
        severity = _INFO if level >= logging.DEBUG else _DEBUG
    return facility * 8 + severity


class SyslogHandler(DroppingHandler):
    """Sends lines. Raises SyslogError when it is made and nobody listens."""

    def __init__(self, facility: str, paths: tuple[str, ...] = PATHS) -> None:
        super().__init__()
        number = FACILITIES.get(facility.upper())
        if number is None:
            raise SyslogError(f"invalid syslog facility: {facility}")
        self._facility, self._paths = number, paths
        self._socket: socket.socket | None = self._connect()

    def _connect(self) -> socket.socket:
        family = unix_family()
        for path in self._paths if family is not None else ():
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                opened = socket.socket(family or 0, kind)
                opened.setblocking(False)
                try:
                    opened.connect(path)
                except OSError:
                    opened.close()
                    continue
                return opened
        raise SyslogError("Unix syslog delivery error")

    def write(self, level: int, text: str) -> None:
        """See `DroppingHandler`."""
        stamp = time.strftime("%b %e %H:%M:%S")
        head = f"<{priority(self._facility, level)}>{stamp} {TAG}[{os.getpid()}]: "
        line = (head + text.lstrip() + "\n").encode("utf-8", "replace")
        try:
            self._send(line)
        except BlockingIOError:  # it is full
            raise
        except OSError:  # it may have been restarted in between
            self._forget()
            self._send(line)

    def _send(self, line: bytes) -> None:
        """Raises OSError."""
        if self._socket is None:
            self._socket = self._connect()
        if self._socket.send(line) < len(line):
            self._forget()  # a stream that took half a line; the rest would be read as the next one
            raise BlockingIOError

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self._forget()
        super().close()


async def connect(
    facility: str, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    open_: Callable[[str], SyslogHandler] = SyslogHandler,
) -> SyslogHandler:  # fmt: skip
    """The system's log, waited for as an agent does that is started together with it. Raises SyslogError."""
    for _ in range(RETRIES):
        try:
            return open_(facility)
        except SyslogError as error:
            if facility.upper() not in FACILITIES:
                raise SyslogError(f"Syslog setup error: {error}") from None
        await sleep(RETRY_S)
    raise SyslogError("Syslog setup did not succeed within timeout (1m0s).")
