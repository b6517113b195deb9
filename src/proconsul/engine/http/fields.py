"""What may stand in the request that a check sends. Nobody who defines a check may write lines of his own into it.

Pure. Source: Go's net/http as documented, and the texts of Consul 1.8.7.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Final

from proconsul.engine.wire.text import quoted

__all__ = ["FieldError", "canonical", "host_of", "require_fields", "require_method"]

_TOKEN: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")


class FieldError(ValueError):
    """The request may not be sent. ``str()`` is Go's text."""


def require_method(method: str) -> None:
    """Raises FieldError."""
    if not method or not set(method) <= _TOKEN:
        raise FieldError(f"net/http: invalid method {quoted(method)}")


def require_fields(header: Mapping[str, Sequence[str]]) -> None:
    """Raises FieldError for the first name or value, in the order of names, that may not be sent."""
    for name, values in sorted(header.items()):
        if not name or not set(name) <= _TOKEN:
            raise FieldError(f"net/http: invalid header field name {quoted(name)}")
        for value in values:
            if any((char < " " and char != "\t") or char == "\x7f" for char in value):
                raise FieldError(f"net/http: invalid header field value {quoted(value)} for key {name}")


def canonical(name: str) -> str:
    """``user-agent`` as ``User-Agent``; what is no name stays as it is."""
    if not set(name) <= _TOKEN:
        return name
    return "-".join(part.capitalize() for part in name.split("-"))


def host_of(given: str) -> str:
    """What is sent for a Host: up to a space or slash, names of other scripts in their ASCII form."""
    host = given.partition(" ")[0].partition("/")[0]
    if host.isascii():
        return host
    name, colon, port = host.rpartition(":") if ":" in host else (host, "", "")
    try:
        return name.encode("idna").decode() + colon + port
    except UnicodeError:
        return "".join(char for char in host if char.isascii())
