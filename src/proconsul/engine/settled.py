"""Where the outcome of something asked for goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger("agent")


class Settled(Protocol):
    """A future, or something cheaper that is told at once, without a turn of the event loop. It is told one of both."""

    def done(self) -> bool:
        """True when an outcome is no longer wanted."""

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: Exception, /) -> None: ...


def tell_result(waiter: Settled, result: Any) -> None:
    """Give ``waiter`` what it waits for, if it still wants it.

    Whoever brings outcomes serves many: a waiter that cannot cope with its result is told its own exception, so that
    its request does not stay without an answer, and nobody else hears of it.
    """
    if waiter.done():
        return
    try:
        waiter.set_result(result)
    except Exception as error:
        log.exception("A waiter failed on its result")
        tell_error(waiter, error)


def tell_error(waiter: Settled, error: Exception) -> None:
    """Tell ``waiter`` why there is no result, if it still wants one."""
    if not waiter.done():
        undisturbed(waiter.set_exception, error)


def undisturbed(call: Callable[..., object], *arguments: Any) -> None:
    """Call one of many; what it raises is logged, since the others are owed their call."""
    try:
        call(*arguments)
    except Exception:
        log.exception("A waiter failed")
