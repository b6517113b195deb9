"""Regular expressions given on the command line, refused with the texts of Go's ``regexp`` package.  Pure."""

from __future__ import annotations

import re

# Python's complaint -> Go's; the offending part of the expression follows in back-quotes.
_REASONS = (
    ("unterminated character set", "missing closing ]"),
    ("missing ), unterminated subpattern", "missing closing )"),
    ("unbalanced parenthesis", "unexpected )"),
    ("nothing to repeat", "missing argument to repetition operator"),
    ("multiple repeat", "invalid nested repetition operator"),
    ("bad character range", "invalid character class range"),
    ("bad escape (end of pattern)", "trailing backslash at end of expression"),
    ("bad escape", "invalid escape sequence"),
    ("min repeat greater than max repeat", "invalid repeat count"),
    ("unknown extension", "invalid or unsupported Perl syntax"),
)


def compile_go(pattern: str) -> re.Pattern[str]:
    """Compile an expression; raises ``ValueError`` with Go's text."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"error parsing regexp: {_reason(pattern, error)}") from None


def _reason(pattern: str, error: re.error) -> str:
    position = error.pos or 0
    for python_text, go_text in _REASONS:
        if not error.msg.startswith(python_text):
            continue
        if go_text == "trailing backslash at end of expression":
            return f"{go_text}: ``"
        if go_text in ("missing closing )", "unexpected )"):
            return f"{go_text}: `{pattern}`"
        if go_text == "missing argument to repetition operator":
            return f"{go_text}: `{pattern[position : position + 1]}`"
        if go_text == "invalid nested repetition operator":
            return f"{go_text}: `{pattern[position - 1 : position + 1]}`"
        if go_text == "invalid escape sequence":
            return f"{go_text}: `{pattern[position : position + 2]}`"
        if go_text == "invalid character class range":
            return f"{go_text}: `{pattern[position : position + 3]}`"
        return f"{go_text}: `{pattern[position:]}`"
    return f"{error.msg}: `{pattern}`"
