"""A hostile expression must not stall the agent."""

from __future__ import annotations

import pytest

from proconsul.engine.wire.goregexp import compile_go


def test_nested_repetitions_are_linear() -> None:
    pytest.importorskip("re2")
    # Backtracking engines need more time than the universe has for this one.
    assert compile_go("(a+)+$").search("a" * 50_000 + "b") is None


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [("^a.c$", "abc", True), ("(?i)WEB", "my-web-1", True), (r"\d{2,}", "a1", False), ("^$", "", True)],
)
def test_expressions_are_gos(pattern: str, text: str, found: bool) -> None:
    assert (compile_go(pattern).search(text) is not None) is found
