"""What clients did and what they were told: the records that `linearizability` judges."""

from __future__ import annotations

import msgspec

__all__ = ["Operation", "Row"]


class Row(msgspec.Struct, frozen=True):
    """A key as an answer shows it. ``value`` None: the answer does not show it, as those of transactions' writes."""

    key: str
    modified: int
    created: int
    value: str | None = None
    flags: int = 0
    lock_index: int = 0
    session: str = ""


class Operation(msgspec.Struct, frozen=True):
    """One operation of one client. ``msgspec.json`` reads and writes it.

    kind: ``get``, ``set``, ``cas``, ``delete``, ``delete-cas``, ``lock``, ``unlock``, ``get-tree``, ``delete-tree``
    (``key`` is the prefix), ``check-index``, ``check-session``, ``check-not-exists`` (in transactions), ``txn``
    (``steps``), ``session-create``, ``session-destroy``, ``session-get`` (``session``).
    invoked, returned: seconds; ``returned`` None when no answer ever came.
    done: True when it was carried out, False when it was refused (a conditional operation, a missing key or session, a
    transaction that was undone), None when nobody knows. Operations that certainly were not carried out for want of a
    leader do not belong into a history.
    rows: what the answer showed.
    index: the ModifyIndex that cas, delete-cas and check-index compare with.
    deletes, delays: of session-create: the behavior is ``delete``, there is a lock-delay.

    A session that may expire ends by a ``session-destroy`` of which nobody knows whether it was carried out, invoked
    when the TTL is over at the earliest.
    """

    client: str
    kind: str
    invoked: float = 0.0
    returned: float | None = None
    done: bool | None = None
    key: str = ""
    value: str = ""
    flags: int = 0
    index: int = 0
    session: str = ""
    deletes: bool = False
    delays: bool = False
    steps: tuple[Operation, ...] = ()
    rows: tuple[Row, ...] = ()

    def __str__(self) -> str:
        words = [self.kind, *(repr(word) for word in (self.key,) if word or self.kind.endswith("tree"))]
        words += [f"{name}={getattr(self, name)!r}" for name in ("value", "index", "session") if getattr(self, name)]
        words += [f"[{'; '.join(map(str, self.steps))}]"] if self.steps else []
        answer = {True: "true", False: "false", None: "unknown"}[self.done]
        shown = ", ".join(_row_text(row) for row in self.rows)
        until = "never" if self.returned is None else f"{self.returned:.4f}"
        if not self.client:
            return " ".join(words)
        return f"{self.client} {self.invoked:.4f} .. {until}: {' '.join(words)} -> {answer} {shown}".rstrip()


def _row_text(row: Row) -> str:
    lock = f" lock={row.lock_index} session={row.session!r}" if row.lock_index or row.session else ""
    return f"{row.key}={row.value!r} created={row.created} modified={row.modified}{lock}"
