"""Where the outcome of something asked for goes. It is told once, of a result or of an error.

Whoever brings outcomes uses `tell` and `tell_error`. An exception object as outcome, which is how state machines
refuse, is told as the error that it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger("agent")


class Completion(Protocol):
    """A future, or something cheaper that hears of it without a turn of the event loop."""

    def done(self) -> bool:
        """True when an outcome is no longer wanted."""

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: Exception, /) -> None: ...


def tell(waiter: Completion, outcome: Any) -> None:
    """Give ``waiter`` what it waits for, if it still wants it.

    Whoever brings outcomes serves many: a waiter that cannot cope with its result is told its own exception, so that
    its request does not stay without an answer, and nobody else hears of it.
    """
    if isinstance(outcome, Exception):
        tell_error(waiter, outcome)
    elif not waiter.done():
        try:
            waiter.set_result(outcome)
        except Exception as error:
            log.exception("A waiter failed on its result")
            tell_error(waiter, error)


def tell_error(waiter: Completion, error: Exception) -> None:
    """Tell ``waiter`` why there is no result, if it still wants one."""
    if not waiter.done():
        undisturbed(waiter.set_exception, error)


def undisturbed(call: Callable[..., object], *arguments: Any) -> None:
    """Call one of many; what it raises is logged, since the others are owed their call."""
    try:
        call(*arguments)
    except Exception:
        log.exception("A waiter failed")


class Mapped:
    """Tells ``waiter`` what ``make`` makes of a result; an exception that ``make`` raises or returns is its error."""

    __slots__ = ("_make", "_waiter")

    def __init__(self, waiter: Completion, make: Callable[[Any], Any]) -> None:
        self._waiter, self._make = waiter, make

    def done(self) -> bool:
        """See `Completion`."""
        return self._waiter.done()

    def set_result(self, result: Any) -> None:
        """See `Completion`."""
        try:
            made = self._make(result)
        except Exception as error:
            made = error
        tell(self._waiter, made)

    def set_exception(self, exception: Exception) -> None:
        """See `Completion`."""
        tell_error(self._waiter, exception)
