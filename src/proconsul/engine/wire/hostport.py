"""Addresses of hosts and ports as text, split and joined in one place, as Go's ``net`` package does. Pure.

Source: the documentation of Go's ``SplitHostPort``, ``JoinHostPort`` and ``LookupPort``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = [
    "PORT_MAX", "Address", "AddressError", "is_domain_name", "join_host_port", "port_number", "split_address",
    "split_host_port", "url_host_and_port", "with_port",
]  # fmt: skip

PORT_MAX = 65535
_NUMBER = re.compile(r"[+-]?[0-9]*", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class AddressError(ValueError):
    """The text is no address. ``str()`` is Go's text: ``address x: missing port in address``."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"address {address}: {reason}")
        self.reason = reason


class Address(NamedTuple):
    """A host, by its IP address or its name, and a port. ``str()`` puts brackets around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return join_host_port(*self)


def join_host_port(host: str, port: int | str) -> str:
    """``host:port``, ``[host]:port`` where the host has colons."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_host_port(text: str) -> tuple[str, str]:
    """Host without brackets, and port as it is written, of ``host:port`` or ``[host]:port``. Raises AddressError."""
    before, colon, port = text.rpartition(":")
    if not colon:
        raise AddressError(text, "missing port in address")
    if not text.startswith("["):
        if ":" in before:
            raise AddressError(text, "too many colons in address")
        host, rest = before, text
    else:
        end = text.find("]")
        if end < 0:
            raise AddressError(text, "missing ']' in address")
        if end + 1 != len(before):
            more = text[end + 1 : end + 2] == ":"
            raise AddressError(text, "too many colons in address" if more else "missing port in address")
        host, rest = text[1:end], text[end + 1 :]
    if "[" in (text[1:] if text.startswith("[") else text):
        raise AddressError(text, "unexpected '[' in address")
    if "]" in rest:
        raise AddressError(text, "unexpected ']' in address")
    return host, port


def port_number(text: str) -> int | None:
    """The number ``text`` spells, 0 for nothing; None when it is a name. Raises AddressError for no port's number."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    number = PORT_MAX + 1 if len(digits) > len(str(PORT_MAX)) else int(digits or "0")
    if number > PORT_MAX or (number and text.startswith("-")):
        raise AddressError(text, "invalid port")
    return number


def split_address(text: str) -> Address:
    """An address whose port is a number. Raises AddressError."""
    host, port = split_host_port(text)
    number = port_number(port)
    if number is None:
        raise AddressError(f"tcp/{port}", "unknown port")
    return Address(host, number)


def with_port(text: str, port: int) -> str:
    """``text`` with ``port`` where it has none: a name, an IPv6 address with brackets or without."""
    if text.startswith("["):
        has_port = text.rfind(":") > text.rfind("]")
    else:
        has_port = text.count(":") == 1
    return text if has_port else join_host_port(text.strip("[]"), port)


def is_domain_name(text: str) -> bool:
    """Whether a name server can be asked for ``text``: labels of up to 63 letters, digits, ``-`` and ``_``, not only
    numbers."""
    name = text.removesuffix(".")
    if not name or len(name) > 253 or not any(char not in "0123456789." for char in name):
        return False
    return all(_LABEL.fullmatch(label) for label in name.split("."))


def url_host_and_port(authority: str) -> tuple[str, str]:
    """Host without brackets, and port, empty when there is none, of what stands for them in a URL. Nothing is refused:
    what is no port belongs to the host."""
    host, colon, port = authority.rpartition(":")
    if not colon or port.strip("0123456789"):
        host, port = authority, ""
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host), port
