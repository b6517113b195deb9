"""A hostile expression must not stall the agent."""

from __future__ import annotations

import pytest

from proconsul.engine.wire.goregexp import ExpressionTooLarge, compile_go


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


# Each hides what Python's own engine would try for ages behind something that RE2 refuses.
_NO_END = "(a+)+$"


@pytest.mark.parametrize(
    "pattern",
    [r"\pL{1000}", r"\pL" * 1300, r"(\pL{0,30}){0,30}b", "((((x{0,10}){0,10}){0,10}){0,1}){0,1}" * 30, "a" * 4097],
)
def test_what_would_take_too_long_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionTooLarge, match="expression too large"):
        compile_go(f"(?:{pattern})?{_NO_END}")


def test_what_is_left_ends() -> None:
    for pattern in ("(a{0,30}){0,30}" * 8 + "b", "(x{0,10}){0,10}" * 50, "(.{0,500}a)*b", r"[\w-]{1,999}" * 4 + "!$"):
        compiled = compile_go(pattern)
        assert all(compiled.search(text) is None or "b" not in pattern for text in ("a" * 253, "x" * 253, "a-" * 126))


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        ("(a{100}){10}", ""), ("(a{100}){11}", "{11}"), ("((a{10}){10}){10}", ""), ("((a{10}){10}b){11}?", "{11}?"),
        ("(a{100}b){1,}", ""), ("(a{100}|b){11,}", "{11,}"), ("(a{100}){0,11}", "{0,11}"),
        ("(a{1000}){1}", ""), ("(a{1000})*", ""), (r"(\Qa\E{100}){11}", "{11}"), ("(a{2,}){501}", "{501}"),
        ("(a{0,}){1000}", ""), ("(ba{100}c){11}", "{11}"), ("(?:a{100})(?:b{100}){10}", ""), ("(a{100}b)c{1000}", ""),
        ("([ab]{100}x*){11}", "{11}"),
    ],
)  # fmt: skip
def test_counts_in_counts_are_multiplied(pattern: str, refused: str) -> None:
    if not refused:
        compile_go(pattern)
        return
    with pytest.raises(ValueError, match="error parsing regexp: invalid repeat count: `") as error:
        compile_go(pattern)
    assert str(error.value).endswith(f"`{refused}`")
