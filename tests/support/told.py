"""A waiter by hand: what the gate, the lock gate and endpoints tell."""

from __future__ import annotations


class Told:
    """Somebody who waits, and what became of it."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.results: list[object] = []

    def done(self) -> bool:
        return self.gone or bool(self.results)

    def set_result(self, result: object) -> None:
        self.results.append(result)

    def set_exception(self, exception: Exception) -> None:
        self.results.append(exception)
