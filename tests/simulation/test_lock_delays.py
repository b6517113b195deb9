"""The judge of lock-delays: what it accuses, and what it does not."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

import pytest

from proconsul.testing.history import Operation
from proconsul.testing.lock_delays import early_acquisition

DELAY_S = 15.0


def op(kind: str, times: tuple[float, float | None], done: bool | None = True, session: str = "", **fields: bool) -> (
    Operation
):  # fmt: skip
    return Operation("c", kind, *times, done, key="" if kind.startswith("session") else "k", session=session, **fields)


HOLDER = op("session-create", (0, 1), session="s", delays=True)
OTHER = op("session-create", (0, 1), session="t")
HELD = op("lock", (1, 2), session="s")
ENDED = op("session-destroy", (3, 4), session="s")
BEGIN = [HOLDER, OTHER, HELD]

GOOD = {
    "after the delay": [*BEGIN, ENDED, op("lock", (18, 19), session="t")],
    "under way when the delay is over": [*BEGIN, ENDED, op("lock", (10, 18), session="t")],
    "no delay": [OTHER, HELD, ENDED, op("lock", (5, 6), session="t")],
    "refused within the delay": [*BEGIN, ENDED, op("lock", (5, 6), False, session="t")],
    "before the holder": [*BEGIN, ENDED, op("lock", (0, 1.5), session="t")],
    "let go of by its holder": [*BEGIN, op("unlock", (2, 3), session="s"), ENDED, op("lock", (5, 6), session="t")],
    "perhaps let go of": [*BEGIN, op("unlock", (2, None), None, session="s"), ENDED, op("lock", (5, 6), session="t")],
    "deleted": [*BEGIN, op("delete", (2, 3)), ENDED, op("lock", (5, 6), session="t")],
    "expired before": [*BEGIN, op("session-destroy", (2, None), None, session="s"), ENDED,
                       op("lock", (5, 6), session="t")],
    "the end is unknown": [*BEGIN, op("session-destroy", (3, None), None, session="s"),
                           op("lock", (5, 6), session="t")],
    "the same session": [*BEGIN, ENDED, op("lock", (5, 6), session="s")],
}  # fmt: skip
BAD = {
    "two holders within the delay": [*BEGIN, ENDED, op("lock", (5, 6), session="t")],
    "under way when the holder ended": [*BEGIN, op("lock", (2.5, 4), session="t"), ENDED],
    "an unlock that was refused": [*BEGIN, op("unlock", (2, 3), False, session="t"), ENDED,
                                   op("lock", (17, 17.9), session="t")],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_nobody_is_accused(name: str) -> None:
    assert early_acquisition(GOOD[name], DELAY_S) is None


@pytest.mark.parametrize("name", BAD)
def test_who_came_too_early_is_named(name: str) -> None:
    early = early_acquisition(BAD[name], DELAY_S)
    assert early is not None and early.acquired.session == "t"
    assert "k was acquired within its lock-delay" in str(early)
