"""Consul's keys, locks and sessions as one small machine, for `linearizability` (HTTP API: kv, session, txn).

A client does not learn at which index its write was carried out, so the model does not know it either until an answer
shows it: an index is a `Stamp`, a number that may still be unknown, of which is known what it must exceed and what it
cannot be. A state is a tuple with a cell for every key and session, so that it can be remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from proconsul.testing.history import Operation, Row

__all__ = ["Cell", "Model", "ModelSession", "Stamp", "State"]

State = tuple[Any, ...]


class Stamp(NamedTuple):
    """An index. ``at`` 0: not known yet. It is above ``after`` and none of ``never``."""

    at: int = 0
    after: int = 0
    never: frozenset[int] = frozenset()

    @property
    def low(self) -> int:
        """The least it can be."""
        return self.at or self.after + 1

    def known(self, at: int) -> Stamp | None:
        """This stamp once it is seen to be ``at``; None when it cannot be."""
        if self.at:
            return self if self.at == at else None
        return Stamp(at, self.after) if at > self.after and at not in self.never else None

    def differs(self, at: int) -> Stamp | None:
        """This stamp once it is seen not to be ``at``; None when it must be."""
        if self.at:
            return self if self.at != at else None
        return self._replace(never=self.never | {at}) if at > self.after else self


class Cell(NamedTuple):
    """A key. ``created`` None: with the last modification. ``value`` None: there is no such key, and the last write to
    it was at or above ``modified.after``. ``rested``: it was locked, then let go of or removed, so that a server that
    does not know how may give it a lock-delay."""

    value: str | None = None
    flags: int = 0
    modified: Stamp = Stamp()
    created: Stamp | None = None
    lock_index: int = 0
    session: str = ""
    rested: bool = False


class ModelSession(NamedTuple):
    """A session that was created; ``alive`` until it ends."""

    alive: bool
    deletes: bool
    delays: bool


class Model:
    """The machine for the keys and sessions that ``steps`` name."""

    def __init__(self, steps: Iterable[Operation]) -> None:
        keys, sessions = set(), set()
        for step in steps:
            if not step.kind.startswith("session-") and not step.kind.endswith("-tree"):
                keys.add(step.key)
            if step.session:
                sessions.add(step.session)
        self.names = [*sorted(keys), *sorted(sessions)]
        self._keys = {key: at for at, key in enumerate(sorted(keys))}
        self._sessions = {session: len(keys) + at for at, session in enumerate(sorted(sessions))}
        self.initial: State = (*(Cell() for _ in keys), *(None for _ in sessions))

    def step(self, state: Any, operation: Operation) -> State | None:
        """The state after ``operation`` with the answer it had; None when it cannot have had that answer."""
        run = _Run(self._keys, self._sessions, list(state), operation.rows)
        steps = operation.steps if operation.kind == "txn" else (operation,)
        if operation.done is not False:
            shown = operation.done is True
            done = all(run.carry_out(step, shown) for step in steps) and not (shown and run.rows)
            return tuple(run.cells) if done else None
        if operation.kind != "txn":
            return tuple(run.cells) if run.refuse(operation) else None
        return tuple(state) if self._undone(run, steps) else None

    @staticmethod
    def _undone(run: _Run, steps: Sequence[Operation]) -> bool:
        """Whether a step of a transaction may have failed. What a failure shows of unknown indexes is not used."""
        for step in steps:
            before = list(run.cells)
            if run.refuse(step):
                return True
            run.cells = before
            if not run.carry_out(step, False):
                return True
        return False

    def describe(self, state: Any) -> str:
        """A state for humans."""
        return "; ".join(f"{name}: {_text(cell)}" for name, cell in zip(self.names, state, strict=True))


def _text(cell: Cell | ModelSession | None) -> str:
    if cell is None:
        return "not created yet"
    if isinstance(cell, ModelSession):
        return "alive" if cell.alive else "ended"
    if cell.value is None:
        return "no key"
    created, modified = cell.created or cell.modified, cell.modified
    lock = f" lock={cell.lock_index} session={cell.session!r}" if cell.lock_index or cell.session else ""
    return f"{cell.value!r} created={_stamp_text(created)} modified={_stamp_text(modified)}{lock}"


def _stamp_text(stamp: Stamp) -> str:
    return str(stamp.at) if stamp.at else f">{stamp.after}"


class _Run:
    """One operation under way: changes ``cells``, compares with ``rows``."""

    def __init__(self, keys: dict[str, int], sessions: dict[str, int], cells: list[Any], rows: Sequence[Row]) -> None:
        self._keys, self._sessions = keys, sessions
        self.cells = cells
        self.rows = list(rows)
        # What the index of a key's first write in this operation must exceed: all its writes have the same index.
        self._after: dict[str, int] = {}

    # ------------------------------------------------------------------ what was carried out

    def carry_out(self, step: Operation, shown: bool) -> bool:
        """Do it; False when it would have been refused or, if its answer is ``shown``, answered otherwise."""
        if step.kind.startswith("session-"):
            return self._session(step)
        if step.kind == "get-tree":
            rows = self._below(step.key)
            return not shown or all(self._show(key) for key in rows)
        if step.kind == "delete-tree":
            for key in self._below(step.key):
                self._delete(key)
            return True
        return self._key(step, shown)

    def _key(self, step: Operation, shown: bool) -> bool:
        key, cell = step.key, self._cell(step.key)
        match step.kind:
            case "delete":
                self._delete(key)
                return True
            case "delete-cas":
                if cell.value is not None and not self._is_at(key, step.index):
                    return False
                self._delete(key)
                return True
            case "check-not-exists":
                return cell.value is None
            case "set":
                self._put(step, 0, cell.session)
            case "cas":
                if (cell.value is not None) != bool(step.index) or (step.index and not self._is_at(key, step.index)):
                    return False
                self._put(step, 0, self._cell(key).session)
            case "lock":
                if not self._lock(step):
                    return False
            case "unlock":
                if cell.value is None or cell.session != step.session:
                    return False
                self._put(step, cell.lock_index, "")
                self._set(key, self._cell(key)._replace(rested=True))
            case "check-index":
                if cell.value is None or not self._is_at(key, step.index):
                    return False
            case "check-session":
                if cell.value is None or cell.session != step.session:
                    return False
            case _:
                return cell.value is not None and (not shown or self._show(key))
        return not shown or not self.rows or self.rows[0].key != key or self._show(key)

    def _lock(self, step: Operation) -> bool:
        cell, session = self._cell(step.key), self.cells[self._sessions[step.session]]
        if session is None or not session.alive or cell.session not in ("", step.session):
            return False
        self._put(step, cell.lock_index if cell.session else cell.lock_index + 1, step.session)
        return True

    def _session(self, step: Operation) -> bool:
        at = self._sessions[step.session]
        session = self.cells[at]
        if step.kind == "session-create":
            self.cells[at] = ModelSession(True, step.deletes, step.delays)
            return session is None
        if step.kind == "session-get":
            return session is not None and bool(session.alive)
        if session is not None and session.alive:
            self.cells[at] = session._replace(alive=False)
            for key in [key for key, place in self._keys.items() if self.cells[place].session == step.session]:
                self._let_go(key, session)
        return True

    def _let_go(self, key: str, session: ModelSession) -> None:
        cell = self._cell(key)
        if session.deletes:
            self._delete(key)
        else:
            self._set(key, self._written(key)._replace(
                value=cell.value, flags=cell.flags, lock_index=cell.lock_index, rested=True
            ))  # fmt: skip

    # ------------------------------------------------------------------ what was refused

    def refuse(self, step: Operation) -> bool:
        """Whether it can have been refused; what that shows of unknown indexes is kept."""
        if step.kind == "session-get":
            session = self.cells[self._sessions[step.session]]
            return session is None or not session.alive
        if step.kind.startswith("session-") or step.kind.endswith("-tree"):
            return False
        cell = self._cell(step.key)
        there = cell.value is not None
        match step.kind:
            case "get":
                return not there
            case "check-not-exists":
                return there
            case "set" | "delete":
                return False
            case "lock":
                session = self.cells[self._sessions[step.session]]
                if session is None or not session.alive:
                    return True
                # A holder is never refused; others are, and for a while after the lock was let go of.
                return cell.session != step.session and (bool(cell.session) or cell.rested)
            case "unlock" | "check-session":
                return not there or cell.session != step.session
            case "cas" if not step.index:
                return there
        if not there:
            return step.kind != "delete-cas"
        modified = cell.modified.differs(step.index)
        if modified is not None:
            self._set(step.key, cell._replace(modified=modified))
        return modified is not None

    # ------------------------------------------------------------------ cells

    def _cell(self, key: str) -> Cell:
        cell = self.cells[self._keys[key]]
        assert isinstance(cell, Cell)
        return cell

    def _set(self, key: str, cell: Cell) -> None:
        self.cells[self._keys[key]] = cell

    def _below(self, prefix: str) -> list[str]:
        return [key for key in self._keys if key.startswith(prefix) and self._cell(key).value is not None]

    def _is_at(self, key: str, index: int) -> bool:
        cell = self._cell(key)
        modified = cell.modified.known(index)
        if modified is not None:
            self._set(key, cell._replace(modified=modified))
        return modified is not None

    def _written(self, key: str) -> Cell:
        """The cell of a key that is being written: stamped anew, else empty."""
        cell = self._cell(key)
        there = cell.value is not None
        if there and key in self._after:
            modified = cell.modified
            created = cell.created
        else:
            after = self._after.setdefault(key, cell.modified.low if there else cell.modified.after)
            modified = Stamp(after=after)
            created = (cell.created or cell.modified) if there else None
        return Cell(modified=modified, created=created, rested=cell.rested)

    def _put(self, step: Operation, lock_index: int, session: str) -> None:
        cell = self._cell(step.key)
        old = (cell.value, cell.flags, cell.lock_index, cell.session)
        if old == (step.value, step.flags, lock_index, session):
            return  # a write that changes nothing has no index
        written = self._written(step.key)
        self._set(
            step.key, written._replace(value=step.value, flags=step.flags, lock_index=lock_index, session=session)
        )

    def _delete(self, key: str) -> None:
        cell = self._cell(key)
        if cell.value is not None:
            after = self._after.setdefault(key, cell.modified.low)
            rested = cell.rested or cell.lock_index > 0
            self._set(key, Cell(modified=Stamp(after=after + 1), rested=rested))

    def _show(self, key: str) -> bool:
        """Compare with the next row of the answer, and learn its indexes."""
        cell = self._cell(key)
        if not self.rows:
            return False
        row = self.rows.pop(0)
        seen = (row.key, row.flags, row.lock_index, row.session)
        if seen != (key, cell.flags, cell.lock_index, cell.session) or row.value not in (None, cell.value):
            return False
        modified = cell.modified.known(row.modified)
        created = (cell.created or cell.modified).known(row.created)
        is_new = cell.created is None
        if modified is None or created is None or is_new != (row.created == row.modified) or row.created > row.modified:
            return False
        self._set(key, cell._replace(modified=modified, created=None if is_new else created))
        return True
