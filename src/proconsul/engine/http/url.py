"""URLs as the original takes them apart: what is refused, with which words, and what is asked of the server.

Pure. Source: Go's net/url as documented, and the answers of Consul 1.8.7 to checks with such URLs.
"""

from __future__ import annotations

import string
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from proconsul.engine.wire.text import quoted

__all__ = ["Url", "UrlError", "parse"]

_LETTERS: Final = frozenset(string.ascii_letters)
_SCHEME: Final = frozenset(string.ascii_letters + string.digits + "+-.")
_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-_.~")
_USER: Final = frozenset(string.ascii_letters + string.digits + "-._:~!$&'()*+,;=%@")
_HOST: Final = _UNRESERVED | frozenset("!$&'()*+,;=:[]<>\"%")
_PATH: Final = _UNRESERVED | frozenset("$&+,/:;=@")
_PATH_AS_GIVEN: Final = _PATH | frozenset("!'()*[]%")
_HEX: Final = frozenset(string.hexdigits)


class UrlError(ValueError):
    """The text is no URL. ``str()`` is Go's text."""


class Url(NamedTuple):
    """The parts. ``host`` is without port and brackets, ``port`` 0 when none is given; ``target`` is asked for."""

    scheme: str
    user: tuple[str, str] | None
    host: str
    port: int
    # Host and port as a Host header and an error text have them.
    authority: str
    target: str

    @property
    def hostname(self) -> str:
        return self.host


def parse(text: str) -> Url:
    """Raises UrlError."""
    url, hash_mark, fragment = text.partition("#")
    try:
        result = _parse(url)
    except UrlError as error:
        raise UrlError(f"parse {quoted(url)}: {error}") from None
    if hash_mark:
        try:
            _require_escapes(fragment)
        except UrlError as error:
            raise UrlError(f"parse {quoted(text)}: {error}") from None
    return result


def _parse(url: str) -> Url:
    if any(char < " " or char == "\x7f" for char in url):
        raise UrlError("net/url: invalid control character in URL")
    scheme, rest = _scheme(url)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:  # what is opaque has no host
            return Url(scheme, None, "", 0, "", rest)
        head = rest.partition("/")[0]
        if ":" in head:
            raise UrlError("first path segment in URL cannot contain colon")
    user, host, port, authority = None, "", 0, ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        given, slash, path = rest[2:].partition("/")
        user, host, port, authority = _authority(given)
        rest = slash + path
    _require_escapes(rest)
    # A space would end the target; whoever writes one means it.
    target = _escaped(rest or "/") + (f"?{query.replace(' ', '%20')}" if query else "")
    return Url(scheme, user, host, port, authority, target)


def _scheme(url: str) -> tuple[str, str]:
    for position, char in enumerate(url):
        if char == ":":
            if position == 0:
                raise UrlError("missing protocol scheme")
            return url[:position].lower(), url[position + 1 :]
        if char not in _SCHEME or (position == 0 and char not in _LETTERS):
            break
    return "", url


def _authority(given: str) -> tuple[tuple[str, str] | None, str, int, str]:
    name, at, place = given.rpartition("@")
    host, port = _host(place.removesuffix(":"))
    authority = place.removesuffix(":")
    if not at:
        return None, host, port, authority
    if not set(name) <= _USER:
        raise UrlError("net/url: invalid userinfo")
    _require_escapes(name)
    user, _, password = name.partition(":")
    return (_unescaped(user), _unescaped(password)), host, port, authority


def _host(place: str) -> tuple[str, int]:
    if place.startswith("["):
        end = place.rfind("]")
        if end < 0:
            raise UrlError("missing ']' in host")
        host, port = place[1:end], place[end + 1 :]
    else:
        host, colon, digits = place.rpartition(":")
        host, port = (host, colon + digits) if colon else (place, "")
    if port and not (port[0] == ":" and all(digit in string.digits for digit in port[1:])):
        raise UrlError(f"invalid port {quoted(port)} after host")
    _require_escapes(host)
    for char in host:
        if char < "\x80" and char not in _HOST:
            raise UrlError(f"invalid character {quoted(char)} in host name")
    for position, char in enumerate(host):
        if char == "%" and host[position + 1] in "01234567" and host[position : position + 3] != "%25":
            raise UrlError(f"invalid URL escape {quoted(host[position : position + 3])}")
    return _unescaped(host), int(port[1:] or 0)


def _require_escapes(text: str) -> None:
    position = text.find("%")
    while position >= 0:
        if not (len(text) > position + 2 and text[position + 1] in _HEX and text[position + 2] in _HEX):
            raise UrlError(f"invalid URL escape {quoted(text[position : position + 3])}")
        position = text.find("%", position + 3)


def _unescaped(text: str) -> str:
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _escaped(path: str) -> str:
    """As it is given where that may be sent, else escaped anew."""
    if set(path) <= _PATH_AS_GIVEN:
        return path
    data = unquote_to_bytes(path.encode("utf-8", "surrogateescape"))
    return "".join(chr(byte) if chr(byte) in _PATH else f"%{byte:02X}" for byte in data)
