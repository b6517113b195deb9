"""What the ways to agents have in common: where these are, what is kept, and what the errors are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from proconsul.client.errors import BadAnswer, ConsulError, Unavailable
from proconsul.client.settings import ClientConfig, Place
from proconsul.client.wire import AnswerReader, fixed_fields

if TYPE_CHECKING:
    import ssl

__all__ = ["IDLE_MAX", "IDLE_S_MAX", "PIECE_BYTES", "Endpoint", "Upload", "broke_off", "chunk"]

# Connections that nobody uses: few agents' clients have more calls at once, and Consul allows 200 (limits).
IDLE_MAX: Final = 16
# Shorter than the times after which firewalls and proxies forget connections.
IDLE_S_MAX: Final = 55.0
PIECE_BYTES: Final = 64 * 1024


class Upload(Protocol):
    """A body that is read while it is sent."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes."""


class Endpoint:
    """The agents, and how to connect to them. ``fixed``: for each the header fields of all requests."""

    config: ClientConfig
    places: tuple[Place, ...]
    connect_timeout_s: float
    header: dict[str, str]
    fixed: list[bytes]

    def __init__(
        self, config: ClientConfig, places: Sequence[Place], header: Mapping[str, str], connect_timeout_s: float
    ) -> None:  # fmt: skip
        self.config, self.places, self.connect_timeout_s = config, tuple(places), connect_timeout_s
        self.header = dict(header)
        self.fixed = [fixed_fields("localhost" if one.unix_path else one.host, header) for one in places]
        self._has_files = config.check_tls()

    def tls_context(self) -> ssl.SSLContext:
        """What connections to https are secured with. Raises SettingsError."""
        return self.config.tls_context(self._has_files)


def broke_off(reason: str, reader: AnswerReader) -> ConsulError:
    """Why there is no whole answer, where the connection ended."""
    if not reader.begun:
        return Unavailable(f"the connection ended without an answer: {reason}", sent=True)
    if reader.head is None:
        return BadAnswer(f"the connection ended inside an answer that is none: {reason}")
    return Unavailable(f"the answer broke off: {reason}", sent=True)


def chunk(piece: bytes) -> bytes:
    """A piece of a body of unknown length as it is sent; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)
