"""The counters that turn results into a status: by exhaustive table and against a plain restatement of the rule."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

import itertools

import pytest

from proconsul.agent.checks.status import CheckStatus, StatusCounter

PASS, WARN, FAIL = CheckStatus.PASSING, CheckStatus.WARNING, CheckStatus.CRITICAL
LETTERS = {"p": PASS, "w": WARN, "c": FAIL, "-": None}


@pytest.mark.parametrize(
    ("passing", "critical", "warning", "results", "published"),
    [
        (0, 0, 0, "pwcpc", "pwcpc"),
        (1, 1, 0, "pwcpc", "pwcpc"),
        (2, 0, 0, "cppcp", "c-pc-"),
        (2, 3, 0, "pcccpp", "p--c-p"),
        (3, 3, 0, "cpppccc", "c--p--c"),
        (2, 2, 0, "cpwcw", "c-w--"),  # a warning counts as a success; one failure of two says nothing
        (0, 3, 2, "pcccp", "p-wcp"),
        (0, 3, 1, "pcccp", "pwwcp"),
        (0, 3, 3, "pcccp", "p--cp"),
    ],
)
def test_table(passing: int, critical: int, warning: int, results: str, published: str) -> None:
    counter = StatusCounter(passing, critical, warning)
    assert [counter.observe(LETTERS[letter]) for letter in results] == [LETTERS[letter] for letter in published]


def _rule(passing: int, critical: int, results: tuple[CheckStatus, ...]) -> list[CheckStatus | None]:
    """The rule once more, from the whole history: the run of one side, and the first result always counts."""
    out: list[CheckStatus | None] = []
    for end in range(1, len(results) + 1):
        side = results[end - 1] is FAIL
        run = 0
        for result in reversed(results[:end]):
            if (result is FAIL) != side:
                break
            run += 1
        needed = critical if side else passing
        whole_history = run == end
        out.append(results[end - 1] if run >= needed or whole_history else None)
    return out


def test_every_short_history_follows_the_rule() -> None:
    for passing, critical in itertools.product(range(4), repeat=2):
        for results in itertools.product((PASS, WARN, FAIL), repeat=6):
            counter = StatusCounter(passing, critical)
            assert [counter.observe(result) for result in results] == _rule(passing, critical, results)
