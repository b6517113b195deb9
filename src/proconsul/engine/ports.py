"""Ports that nobody has: which they are, and how it is told that one was taken all the same."""

from __future__ import annotations

import random
import socket
from typing import Final

__all__ = ["FIRST_PORT", "LAST_PORT", "is_free", "is_taken", "some_free"]

# Below what Linux offers by itself (32768 and up; other systems begin higher), above the ports that Consul has: one
# that the system has offered is anybody's as soon as it is closed.
FIRST_PORT: Final = 10_000
LAST_PORT: Final = 32_000
_TRIES: Final = 1000


def is_free(port: int) -> bool:
    """Whether nobody has this port now, for TCP or UDP, on any address."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(("", port))
            udp.bind(("", port))
        except OSError:
            return False
    return True


def some_free(count: int, rng: random.Random) -> list[int]:
    """Ports that nobody has now; somebody may take them in between (`is_taken`). Raises OSError when none are found."""
    found: list[int] = []
    for _ in range(_TRIES):
        port = rng.randrange(FIRST_PORT, LAST_PORT)
        if port not in found and is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"fewer than {count} ports are free from {FIRST_PORT} to {LAST_PORT}")


def is_taken(error: BaseException) -> bool:
    """Whether something failed because somebody has the port; the text is that of errors of the system."""
    return "address already in use" in str(error).lower()
