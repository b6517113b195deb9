"""Whether what clients saw could have been done by one machine, one thing after the other (Herlihy & Wing 1990).

A history is a list of `Operation`: what was asked, when, and what was answered. `check` looks for an order that agrees
with the times (who returned before another was invoked comes first) and with the model in `kv_model`. The search is
Wing & Gong's (1993) with Lowe's memory of what was tried (2017), for each group of keys that can influence each other
on its own. Pure: times are numbers of any clock that all clients share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from proconsul.testing.history import Operation, Row
from proconsul.testing.kv_model import Model

__all__ = ["Operation", "Row", "UndecidedError", "Violation", "check"]

# Steps of one search. A history whose clients rarely fail needs a few per operation; each unanswered write doubles that
# at worst, until a read shows whether it was carried out.
STEPS_MAX = 2_000_000


class Violation(msgspec.Struct, frozen=True):
    """Why a history cannot have happened. ``str`` explains it.

    keys: those of the part that has no order. ordered: the longest order found. state: what it leads to.
    stuck: the operations of which one had to come next, and none could.
    """

    keys: tuple[str, ...]
    ordered: tuple[Operation, ...]
    state: str
    stuck: tuple[Operation, ...]

    def __str__(self) -> str:
        lines = [f"no order explains what was seen of {', '.join(self.keys)}; the longest that was found ends with:"]
        lines += [f"  {operation}" for operation in self.ordered[-12:]]
        lines += [f"then there is: {self.state}", "and none of these could come next:"]
        lines += [f"  {operation}" for operation in self.stuck]
        return "\n".join(lines)


class UndecidedError(Exception):
    """The search was given up: too much of the history is unknown."""


def check(history: Iterable[Operation], *, steps_max: int = STEPS_MAX) -> Violation | None:
    """None when the history is linearizable. Raises UndecidedError after ``steps_max`` steps of a search."""
    for part in _parts(list(history)):
        violation = _Search(part, steps_max).run()
        if violation is not None:
            return violation
    return None


# ---------------------------------------------------------------------------------------------------------- parts


def _parts(history: Sequence[Operation]) -> list[list[Operation]]:
    """Groups of operations without a common key or session, which can be ordered independently."""
    names = _names_below_prefixes(history)
    roots: dict[str, str] = {}

    def root(name: str) -> str:
        while roots.setdefault(name, name) != name:
            roots[name] = name = roots[roots[name]]
        return name

    for found in names:
        for name in found[1:]:
            roots[root(name)] = root(found[0])
    parts: dict[str, list[Operation]] = {}
    for operation, found in zip(history, names, strict=True):
        if found:
            parts.setdefault(root(found[0]), []).append(operation)
    return list(parts.values())


def _names_below_prefixes(history: Sequence[Operation]) -> list[list[str]]:
    """The keys and sessions of each operation; of one on a tree all keys of the history below it."""
    keys = sorted({step.key for operation in history for step in _steps(operation) if _is_single(step)})
    found = []
    for operation in history:
        names = []
        for step in _steps(operation):
            if _is_single(step):
                names.append(f"key {step.key}")
            elif step.kind.endswith("-tree"):
                names += [f"key {key}" for key in keys if key.startswith(step.key)]
            if step.session:
                names.append(f"session {step.session}")
        found.append(names)
    return found


def _steps(operation: Operation) -> Sequence[Operation]:
    return operation.steps if operation.kind == "txn" else (operation,)


def _is_single(step: Operation) -> bool:
    return not step.kind.startswith("session-") and not step.kind.endswith("-tree")


# ---------------------------------------------------------------------------------------------------------- search


def _end(operation: Operation) -> float:
    """When an operation was over at the latest; one of which nobody knows may be carried out at any later time."""
    if operation.done is None:
        return math.inf
    assert operation.returned is not None, "an answered operation has a time of its return"
    return operation.returned


class _Search:
    """Depth first over orders: the next operation is one that no other had returned before."""

    def __init__(self, part: Sequence[Operation], steps_max: int) -> None:
        # What nobody knows of and shows nothing may as well not have happened.
        useful = [one for one in part if one.done is not None or not one.kind.startswith(("get", "session-get"))]
        self._operations = sorted(useful, key=lambda one: one.invoked)
        self._model = Model(step for operation in part for step in _steps(operation))
        self._ends = [_end(one) for one in self._operations]
        self._needed = sum(1 << at for at, one in enumerate(self._operations) if one.done is not None)
        self._steps_left = steps_max

    def run(self) -> Violation | None:
        model, operations = self._model, self._operations
        state, done = model.initial, 0
        best: tuple[int, object, list[int]] = (0, state, [])
        order: list[int] = []
        known = 0
        seen = {(done, state)}
        # One frame per operation in the order: what else might have come in its place.
        frames = [(done, state, iter(self._candidates(done)))]
        while frames:
            done, state, candidates = frames[-1]
            if done & self._needed == self._needed:
                return None
            for at in candidates:
                self._count()
                after = model.step(state, operations[at])
                if after is not None and (key := (done | 1 << at, after)) not in seen:
                    seen.add(key)
                    order.append(at)
                    known += operations[at].done is not None
                    if known > best[0]:
                        best = known, after, list(order)
                    frames.append((key[0], after, iter(self._candidates(key[0]))))
                    break
            else:
                frames.pop()
                if order:
                    known -= operations[order.pop()].done is not None
        return self._violation(best[1], best[2])

    def _count(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise UndecidedError(f"no order found, and none excluded, for {', '.join(self._model.names)}")

    def _candidates(self, done: int) -> list[int]:
        """Operations that may come next: those invoked before the first of the others returned.

        Those whose answer is known come first: they show which of the unknown ones are needed.
        """
        first = math.inf
        found = []
        for at in range((done + 1 & ~done).bit_length() - 1, len(self._operations)):
            if self._operations[at].invoked > first:
                break
            if not done >> at & 1:
                found.append(at)
                first = min(first, self._ends[at])
        found.sort(key=self._ends.__getitem__)
        return [at for at in found if self._operations[at].invoked <= first]

    def _violation(self, state: object, order: Sequence[int]) -> Violation:
        stuck = self._candidates(sum(1 << at for at in order))
        return Violation(
            tuple(self._model.names), tuple(self._operations[at] for at in order), self._model.describe(state),
            tuple(self._operations[at] for at in stuck),
        )  # fmt: skip
