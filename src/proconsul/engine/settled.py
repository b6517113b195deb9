"""Where the outcome of something asked for goes."""

from __future__ import annotations

from typing import Any, Protocol


class Settled(Protocol):
    """A future, or something cheaper that is told at once, without a turn of the event loop. It is told one of both."""

    def done(self) -> bool:
        """True when an outcome is no longer wanted."""

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: Exception, /) -> None: ...
