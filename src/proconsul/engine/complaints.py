"""What goes on being wrong, said once: a fault that is met every minute must not fill the log, nor hide in it.

Pure. Whoever keeps the list says of whom, and logs only what is new.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["Complaints"]


class Complaints:
    """The last complaint about each of those somebody looks after. Bounded by those who are looked after."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._last)

    def is_new(self, about: str, text: str) -> bool:
        """Whether this has to be said: it is the first about ``about``, or another one than the last."""
        if self._last.get(about) == text:
            return False
        self._last[about] = text
        return True

    def over(self, about: str) -> bool:
        """All is well with ``about``. True when it was not before."""
        return self._last.pop(about, None) is not None

    def keep(self, those: Collection[str]) -> None:
        """Forget everybody who is not looked after any more."""
        self._last = {about: text for about, text in self._last.items() if about in those}
