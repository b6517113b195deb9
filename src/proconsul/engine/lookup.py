"""Names of hosts and of ports as connections are made to them, and why there is no connection, as Go's ``net`` does it.

Without the event loop, so that a command of the command line need not import one.
"""

from __future__ import annotations

import socket
from typing import Final

from proconsul.engine.wire.goerrors import no_such_host
from proconsul.engine.wire.hostport import AddressError, is_domain_name, join_host_port, port_number, split_host_port

__all__ = ["DialError", "host_and_port", "is_ip", "lookup_error"]


class DialError(OSError):
    """The connection could not be made. ``not_tls``: the other side does not speak it."""

    def __init__(self, text: str, *, not_tls: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.not_tls = not_tls

    def __str__(self) -> str:
        return self.text


def host_and_port(address: str, network: str = "tcp") -> tuple[str, int]:
    """Take ``host:port`` apart; ports may be names of services. Raises DialError."""
    try:
        host, port = split_host_port(address)
        return host, _port(port, network)
    except AddressError as error:
        raise DialError(f"dial tcp: {error}") from None


# Names that are known wherever the system's own list is missing.
_PORTS: Final = {
    "tcp": {"domain": 53, "ftp": 21, "ftps": 990, "gopher": 70, "http": 80, "https": 443, "imap2": 143, "imap3": 220,
            "imaps": 993, "pop3": 110, "pop3s": 995, "smtp": 25, "ssh": 22, "telnet": 23},
    "udp": {"domain": 53},
}  # fmt: skip


def _port(text: str, network: str) -> int:
    """A number, or the name of a service. Raises AddressError."""
    number = port_number(text)
    if number is not None:
        return number
    name = text.lower()
    if name in _PORTS[network]:
        return _PORTS[network][name]
    try:
        return socket.getservbyname(name, network)
    except (OSError, ValueError):
        raise AddressError(f"{network}/{text}", "unknown port") from None


def name_server() -> str:
    """Whom the system asks for names, as error texts mention it; empty when that is not known."""
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if len(fields) > 1 and fields[0] == "nameserver":
                    return join_host_port(fields[1], 53)
    except OSError:
        return ""
    return ""


def lookup_error(host: str) -> str:
    """Why a host has no address, with whom was asked; what is no name is asked of nobody."""
    return no_such_host(host, name_server() if is_domain_name(host) else "")


def is_ip(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False
