"""Regular expressions on the command line are Go's: taken and refused as the original does, with its texts."""

from __future__ import annotations

import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import cli_reference as reference
import pytest

from proconsul.cli.main import main
from proconsul.engine.wire.goregexp import compile_go

PARTS = [
    *"ab()[]*+?|^$.{}-é", "{2}", "{2,1}", "{,3}", "{1001}", "??", "\\", "\\d", "\\b", "\\A", "\\z", "\\Z", "\\C", "\\Q",
    "\\E", "\\1", "\\8", "\\07", "\\400", "\\x", "\\x4", "\\x41", "\\x{41}", "\\x{110000}", "\\u0041", "\\G", "\\K",
    "\\pL", "\\PN", "\\p{Greek}", "\\p{Foo}", "\\P{^Lu}", "[[:alpha:]]", "[[:^alpha:]]", "[[:foo:]]", "[\\d-z]",
    "[\\PL]",
    "[b-a]", "[a-\\pN]", "[]a]", "[^]a]", "(?i)", "(?s)", "(?-", "(?i-s:", "(?:", "(?=a)", "(?!", "(?P<n>", "(?<n>",
    "(?P<n", "(?P=n)", "(?P<1a>x)", "(?#c)", "(?x)", "(?U)a+",
]  # fmt: skip


def _patterns() -> list[str]:
    rng = random.Random(9)
    made = ["".join(rng.choice(PARTS) for _ in range(rng.randrange(2, 6))) for _ in range(130)]
    return list(dict.fromkeys(PARTS + made))


def _theirs(pattern: str) -> str | None:
    """The original's complaint about a filter; it goes on to ask an agent that is not there when it has none."""
    command = [reference.binary(), "event", "-http-addr", "127.0.0.1:1", "-name", "x", "-node", pattern]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    text = done.stderr.decode(errors="replace").strip()
    return None if "connection refused" in text else text


def _ours(pattern: str) -> str | None:
    try:
        compile_go(pattern)
    except ValueError as error:
        return f"Failed to compile node filter regexp: {error}"
    return None


def test_patterns_are_taken_and_refused_like_the_original() -> None:
    patterns = _patterns()
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(_theirs, patterns))
    assert [(pattern, text) for pattern, text in zip(patterns, map(_ours, patterns), strict=True)] == list(
        zip(patterns, theirs, strict=True)
    )
    assert sum(text is None for text in theirs) > 30


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["members", "-status", "(?=a)"], "Failed to compile status regexp: "),
        (["event", "-name", "x", "-node", "(?=a)"], "Failed to compile node filter regexp: "),
        (["event", "-name", "x", "-service", "(?=a)"], "Failed to compile service filter regexp: "),
        (["event", "-name", "x", "-service", "a", "-tag", "(?=a)"], "Failed to compile tag filter regexp: "),
        (["exec", "-node", "(?=a)", "true"], "Failed to compile node filter regexp: "),
    ],
)
def test_commands_use_them(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert f"{text}error parsing regexp: invalid or unsupported Perl syntax: `(?=`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^\pL+$", "alivé", True), (r"^\p{Greek}$", "λ", True), (r"^\p{Greek}$", "l", False), (r"[\PL]", "a", False),
        (r"[\PL]", "1", True), ("[[:^alpha:]]", "a", False), ("[[:^alpha:]]", "1", True), ("(?i)ALIVE", "alive", True),
        (r"\x{61}live\z", "alive\n", False), ("a(?i)*b$", "aaaB", True),
    ],
)  # fmt: skip
def test_what_they_match(pattern: str, text: str, found: bool) -> None:
    assert (compile_go(pattern).search(text) is not None) is found
