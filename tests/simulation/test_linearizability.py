"""The checker: histories known to be good and bad, the model against the real tables, the search against all orders."""

from __future__ import annotations

from itertools import combinations, permutations
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from proconsul.features.catalog.model import RegisterRequest
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.session.model import (
    BEHAVIOR_DELETE,
    BEHAVIOR_RELEASE,
    CREATE,
    DESTROY,
    Session,
    SessionRequest,
)
from proconsul.features.state import State
from proconsul.server.fsm import FSM, encode_command
from proconsul.testing.history import Operation, Row
from proconsul.testing.kv_calls import kv_request, txn_request, with_rows, with_txn_answer
from proconsul.testing.kv_model import Model
from proconsul.testing.linearizability import UndecidedError, check


def op(kind: str, at: tuple[float, float | None], done: bool | None = True, **fields: Any) -> Operation:
    """``at``: from and until when, without the end: who begins at another's end comes after it."""
    fields.setdefault("key", "" if kind.startswith("session-") else "k")
    return Operation("c", kind, at[0], at[1] and at[1] - 0.1, done, **fields)


def row(value: str | None, modified: int, created: int | None = None, **fields: Any) -> Row:
    return Row("k", modified, modified if created is None else created, value, **fields)


SESSION = op("session-create", (0, 1), session="s", delays=True)
OTHER = op("session-create", (0, 1), session="t", deletes=True)
SET = op("set", (0, 1), value="a")
LOST = op("set", (2, None), None, value="b")


def read(at: tuple[float, float], *rows: Row) -> Operation:
    return op("get", at, bool(rows), rows=rows)


GOOD = {
    "a write and then a read": [SET, read((2, 3), row("a", 5))],
    "a read beside a write sees it or not": [SET, op("set", (2, 5), value="b"), read((3, 4), row("a", 5)),
                                             read((3, 6), row("b", 7, 5))],
    "a write without an answer shows late": [SET, LOST, read((3, 4), row("a", 5)), read((9, 10), row("b", 7, 5))],
    "a write without an answer never shows": [SET, LOST, read((3, 4), row("a", 5)), read((9, 10), row("a", 5))],
    "a write of the same changes no index": [SET, read((1, 2), row("a", 5)), op("set", (2, 3), value="a"),
                                             read((4, 5), row("a", 5))],
    "cas at the index that was read": [SET, read((1, 2), row("a", 5)), op("cas", (2, 3), index=5, value="b"),
                                       op("cas", (3, 4), False, index=5, value="c"), read((4, 5), row("b", 6, 5))],
    "cas of nothing creates": [op("cas", (0, 1), value="a"), op("cas", (1, 2), False, value="b")],
    "delete and create again": [SET, read((1, 2), row("a", 5)), op("delete", (2, 3)), read((3, 4)),
                                op("set", (4, 5), value="a"), read((5, 6), row("a", 7))],
    "delete-cas of nothing succeeds": [op("delete-cas", (0, 1), index=4), read((1, 2))],
    "a lock is let go of, and taken by another": [
        SESSION, OTHER, op("lock", (1, 2), session="s", value="x"), op("lock", (2, 3), False, session="t"),
        op("unlock", (3, 4), session="s", value="x"), op("lock", (4, 5), session="t", value="y"),
        read((5, 6), row("y", 9, 5, lock_index=2, session="t"))],
    "an expired session lets go, then the key rests": [
        SESSION, OTHER, op("lock", (1, 2), session="s", value="x"), op("session-destroy", (3, None), None, session="s"),
        op("lock", (4, 5), False, session="t"), read((5, 6), row("x", 9, 5, lock_index=1)),
        op("lock", (6, 7), False, session="t"), op("lock", (8, 9), session="t", value="y")],
    "a session that deletes": [SESSION, OTHER, op("lock", (1, 2), session="t"),
                               op("session-destroy", (2, 3), session="t"), read((4, 5)),
                               op("session-get", (4, 5), False, session="t")],
    "a transaction happens at once": [
        op("txn", (0, 5), steps=(op("set", (0, 0), key="k", value="a"), op("set", (0, 0), key="l", value="b"))),
        op("get-tree", (1, 2), key="", rows=()),
        op("get-tree", (2, 3), key="", rows=(row("a", 4), Row("l", 4, 4, "b")))],
    "a transaction that is undone": [
        SET, op("txn", (1, 2), False, steps=(op("delete", (0, 0)), op("get", (0, 0)))), read((2, 3), row("a", 5))],
    "two writes of one transaction share their index": [
        SET, op("txn", (1, 2), steps=(op("delete", (0, 0)), op("set", (0, 0), value="b"), op("set", (0, 0), value="c")),
                rows=(row(None, 7), row(None, 7))), read((2, 3), row("c", 7))],
    "delete-tree": [SET, op("set", (0, 1), key="l"), op("delete-tree", (1, 2), key=""), read((2, 3))],
}  # fmt: skip

BAD = {
    "an acknowledged write is lost": [SET, op("set", (1, 2), value="b"), read((3, 4), row("a", 5))],
    "a read goes back": [SET, op("set", (2, 9), value="b"), read((3, 4), row("b", 7, 5)), read((5, 6), row("a", 5))],
    "a write without an answer is undone": [SET, LOST, read((3, 4), row("b", 7, 5)), read((9, 10), row("a", 5))],
    "a value nobody wrote": [SET, read((2, 3), row("z", 5))],
    "an index goes back": [SET, read((1, 2), row("a", 5)), op("set", (2, 3), value="b"), read((4, 5), row("b", 4, 3))],
    "an index stays": [SET, read((1, 2), row("a", 5)), op("set", (2, 3), value="b"), read((4, 5), row("b", 5))],
    "CreateIndex changes with an update": [SET, read((1, 2), row("a", 5)), op("set", (2, 3), value="b"),
                                           read((4, 5), row("b", 7, 6))],
    "CreateIndex of a key that was deleted": [SET, read((1, 2), row("a", 5)), op("delete", (2, 3)),
                                              op("set", (4, 5), value="b"), read((5, 6), row("b", 7, 5))],
    "an index that was refused": [SET, op("cas", (2, 3), False, index=5), read((3, 4), row("a", 5))],
    "two cas at one index": [SET, op("cas", (2, 5), index=5, value="b"), op("cas", (2, 5), index=5, value="c")],
    "two creations": [op("cas", (0, 5), value="a"), op("cas", (0, 5), value="b")],
    "two holders": [SESSION, OTHER, op("lock", (1, 2), session="s"), op("lock", (1, 5), session="t")],
    "a holder that never was": [OTHER, op("unlock", (1, 2), session="t")],
    "LockIndex stays": [SESSION, OTHER, op("lock", (1, 2), session="s"), op("unlock", (2, 3), session="s"),
                        op("lock", (3, 4), session="t"), read((5, 6), row("", 9, 5, lock_index=1, session="t"))],
    "a lock is refused though free": [SESSION, op("lock", (1, 2), False, session="s")],
    "an ended session locks": [SESSION, op("session-destroy", (1, 2), session="s"), op("lock", (3, 4), session="s")],
    "an ended session holds": [SESSION, op("lock", (1, 2), session="s", value="x"),
                               op("session-destroy", (2, 3), session="s"),
                               read((3, 4), row("x", 5, lock_index=1, session="s"))],
    "a session ends by itself": [SESSION, op("session-get", (2, 3), False, session="s")],
    "half a transaction": [
        op("txn", (0, 5), steps=(op("set", (0, 0), key="k", value="a"), op("set", (0, 0), key="l", value="b"))),
        op("get-tree", (1, 2), key="", rows=(row("a", 4),))],
    "a transaction is undone for nothing": [SET, op("txn", (1, 2), False, steps=(op("get", (0, 0)),))],
    "a key survives its tree": [SET, op("delete-tree", (1, 2), key=""), read((2, 3), row("a", 5))],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_histories(name: str) -> None:
    assert check(GOOD[name]) is None


@pytest.mark.parametrize("name", BAD)
def test_bad_histories(name: str) -> None:
    violation = check(BAD[name])
    assert violation is not None
    assert "none of these could come next" in str(violation) and violation.stuck


def test_histories_travel_as_json() -> None:
    for history in (*GOOD.values(), *BAD.values()):
        assert msgspec.json.decode(msgspec.json.encode(history), type=list[Operation]) == history


def test_keys_are_judged_apart() -> None:
    """Fifty keys of ten concurrent writes each would be hopeless together."""
    history = [op("set", (0, 10), key=f"k{key}", value=str(n)) for key in range(50) for n in range(10)]
    history += [op("get", (11, 12), key=f"k{key}", rows=(Row(f"k{key}", 20, 8, "3"),)) for key in range(50)]
    assert check(history) is None
    with pytest.raises(UndecidedError, match="no order found, and none excluded, for k0"):
        check(history, steps_max=5)


# ---------------------------------------------------------------------------------------------------------- the model


class Machine:
    """The real state machine, one operation after the other, recorded."""

    KINDS = ("get", "set", "cas", "delete", "delete-cas", "lock", "unlock")

    def __init__(self, rng: Random) -> None:
        self.rng, self.fsm, self.index, self.time = rng, FSM(State()), 10, 0.0
        self.sessions: list[str] = []
        self._apply(MessageType.REGISTER, RegisterRequest(Node="n", Address="127.0.0.1"))

    def _apply(self, kind: MessageType, request: Any) -> Any:
        self.index += self.rng.randint(1, 3)
        return self.fsm.apply(self.index, 1, 0, encode_command(kind, request), None)

    def _random(self, *more: str) -> Operation:
        rng = self.rng
        kind = rng.choice(self.KINDS + more)
        key = rng.choice(("a", "ab", "")) if "tree" in kind else rng.choice(("a", "ab"))
        old = self.fsm.state.kv.entries.get(key)
        index = rng.choice((0, 7, *(2 * [old.ModifyIndex] if old else ()))) if kind.endswith(("cas", "index")) else 0
        session = rng.choice(self.sessions) if kind in ("lock", "unlock", "check-session") else ""
        return Operation("c", kind, key=key, value=rng.choice("xy"), index=index, session=session)

    def next(self) -> Operation:
        """Do a random operation."""
        rng = self.rng
        self.time += 1.0
        times: dict[str, Any] = {"client": "c", "invoked": self.time, "returned": self.time + 0.5}
        choice = rng.random() if len(self.sessions) >= 2 else 0.0
        if choice < 0.1:
            created = Session(ID=str(UUID(int=rng.getrandbits(128))), Node="n", LockDelay=rng.choice((0, 5)),
                              Behavior=rng.choice((BEHAVIOR_DELETE, BEHAVIOR_RELEASE)))  # fmt: skip
            self.sessions.append(self._apply(MessageType.SESSION, SessionRequest(Op=CREATE, Session=created)))
            return Operation(kind="session-create", done=True, session=created.ID, delays=created.LockDelay > 0,
                             deletes=created.Behavior == BEHAVIOR_DELETE, **times)  # fmt: skip
        if choice < 0.2:
            ended = rng.choice(self.sessions)
            self._apply(MessageType.SESSION, SessionRequest(Op=DESTROY, Session=Session(ID=ended)))
            return Operation(kind="session-destroy", done=True, session=ended, **times)
        if choice < 0.5:
            verbs = ("get-tree", "delete-tree", "check-index", "check-session", "check-not-exists")
            steps = tuple(msgspec.structs.replace(self._random(*verbs), client="") for _ in range(rng.randint(1, 3)))
            txn = Operation(kind="txn", steps=steps, **times)
            return with_txn_answer(txn, self._apply(MessageType.TXN, txn_request(txn)))
        single = msgspec.structs.replace(self._random("get-tree", "delete-tree"), **times)
        if single.kind == "get":
            _, entry = self.fsm.state.kv.get(None, single.key)
            return with_rows(single, [entry] if entry is not None else [])
        if single.kind == "get-tree":
            return with_rows(single, self.fsm.state.kv.below(None, single.key)[1])
        result = self._apply(MessageType.KVS, kv_request(single))
        return msgspec.structs.replace(single, done=not isinstance(result, ConsulError) and result is not False)


@pytest.mark.parametrize("seed", range(60))
def test_the_model_does_what_the_state_machine_does(seed: int) -> None:
    machine = Machine(Random(seed))
    history = [machine.next() for _ in range(120)]
    violation = check(history)
    assert violation is None, str(violation)


# ---------------------------------------------------------------------------------------------------------- the search


def explained(history: list[Operation]) -> bool:
    """Whether any order of all that is known and some of the rest agrees with the times and the model."""
    model = Model(step for one in history for step in (one.steps or (one,)))
    known = [one for one in history if one.done is not None]
    unknown = [one for one in history if one.done is None]
    for count in range(len(unknown) + 1):
        for chosen in combinations(unknown, count):
            for order in permutations([*known, *chosen]):
                late = [(b, a) for at, a in enumerate(order) for b in order[at + 1 :]]
                if any(b.done is not None and b.returned < a.invoked for b, a in late):  # type: ignore[operator]
                    continue
                state: Any = model.initial
                for one in order:
                    state = state if state is None else model.step(state, one)
                if state is not None:
                    return True
    return False


def perturbed(history: list[Operation], rng: Random) -> list[Operation]:
    """The same with overlapping times and a few answers lost or changed."""
    found = []
    for one in history:
        begin = one.invoked - rng.random() * 3
        changed: dict[str, Any] = {"invoked": begin, "returned": (one.returned or 0.0) + rng.random() * 3}
        if rng.random() < 0.2:
            changed |= {"done": None, "rows": (), "returned": None}
        elif rng.random() < 0.1 and one.kind not in ("set", "delete", "session-create", "session-destroy"):
            changed |= {"done": not one.done, "rows": ()}
        found.append(msgspec.structs.replace(one, **changed))
    return found


def test_the_search_agrees_with_trying_all_orders() -> None:
    verdicts = []
    for seed in range(250):
        rng = Random(seed)
        machine = Machine(rng)
        history = perturbed([machine.next() for _ in range(6)], rng)
        verdict = explained(history)
        assert (check(history) is None) == verdict, f"seed {seed}"
        verdicts.append(verdict)
    assert 25 < sum(verdicts) < 225, "both kinds of histories were compared"
