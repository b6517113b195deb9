"""What every type of auth method is to those who log in with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from proconsul.engine.wire import gojson
from proconsul.features.errors import ConsulError

# A remote side that has not answered by then does not answer: whoever logs in waits, and may try again.
REMOTE_TIMEOUT_S = 10.0
# The largest answers are key sets and reviews: tens of kilobytes.
REMOTE_BYTES_MAX = 1 << 20


class AuthError(ConsulError):
    """The secret proves nothing, the configuration is of no use, or the remote side does not answer."""


class Verified(NamedTuple):
    """Whom a method vouches for.

    fields: what selectors of binding rules look at. variables: what their names may be made of.
    """

    fields: msgspec.Struct
    variables: Mapping[str, str]


class Validator(Protocol):
    """An auth method with its configuration, which was found to be of use.

    row_type: what its selectors look at. blank: its variables, without values.
    """

    row_type: type[msgspec.Struct]
    blank: Mapping[str, str]

    async def check(self) -> None:
        """Ask the remote side for what it is asked first, if there is any. Raises AuthError."""

    async def login(self, bearer: str) -> Verified:
        """Whom ``bearer`` is of. Raises AuthError."""


class Clock(Protocol):
    def __call__(self) -> int:
        """Nanoseconds since 1970."""


# Makes a validator of a configuration. Raises AuthError.
Make = Callable[[Mapping[str, Any], Clock], Validator]


def document(data: bytes) -> Any:
    """What somebody else sent as JSON, with numbers as far as a double holds them: whoever sends others is refused
    before anything is done with them. Raises JSONError."""
    return gojson.from_plain(Any, gojson.loads(data))
