"""The tokens of Go's ``text/template`` language (Go documentation: package text/template). Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["KEYWORDS", "SyntaxProblem", "Token", "error_text", "line_of", "tokens_of"]

KEYWORDS: Final = frozenset({"block", "define", "else", "end", "if", "range", "nil", "template", "with"})
# What may follow a word; the empty text is the end of the template.
_AFTER_WORDS: Final = frozenset(["", *" \t\r\n.,|:()"])
_WORDS: Final = frozenset({".", "word", "field", "variable", "bool"}) | KEYWORDS
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?i?"
)
_WORD: Final = re.compile(r"\w+")
_LEFT_TRIM: Final = re.compile(r"-(?=[ \t\r\n])")


class SyntaxProblem(Exception):
    """``line`` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


class Token(NamedTuple):
    kind: str
    text: str
    at: int
    # Whether white space stands before it.
    spaced: bool = False


def tokens_of(text: str) -> list[Token]:
    """Text, and for each action ``{{``, what is in it, and ``}}``."""
    found: list[Token] = []
    at = 0
    while True:
        start = text.find("{{", at)
        piece = text[at:start] if start >= 0 else text[at:]
        inside = start + 2
        trimmed = start >= 0 and _LEFT_TRIM.match(text, inside) is not None
        if trimmed:
            piece, inside = piece.rstrip(" \t\r\n"), inside + 1
        if piece:
            found.append(Token("text", piece, at))
        if start < 0:
            break
        skipped = len(text[inside:]) - len(text[inside:].lstrip(" \t\r\n")) if trimmed else 0
        if text.startswith("/*", inside + skipped):
            at = _after_comment(text, inside + skipped, start)
        else:
            found.append(Token("{{", "{{", start))
            at = _action(text, inside, found)
        if text[at - 3 : at - 2] == "-" and text[at - 4 : at - 3] in " \t\r\n":
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))
    found.append(Token("EOF", "", len(text)))
    return found


def _after_comment(text: str, at: int, start: int) -> int:
    end = text.find("*/", at)
    if end < 0:
        raise SyntaxProblem(line_of(text, start), "unexpected unclosed comment in input")
    end += 2
    trimmed = re.match(r"[ \t\r\n]+-(?=\}\})", text[end:])
    end += trimmed.end() if trimmed else 0
    if not text.startswith("}}", end):
        raise SyntaxProblem(line_of(text, start), "unexpected comment ends before closing delimiter in input")
    return end + 2


def _action(text: str, at: int, found: list[Token]) -> int:
    """Take the tokens of one action; the position behind it. What is wrong becomes a token that nothing expects."""
    depth = 0
    while True:
        before = at
        while text[at : at + 1] in (" ", "\t", "\r", "\n"):
            at += 1
        spaced = at > before
        trim = spaced and text.startswith("-}}", at)
        if trim or text.startswith("}}", at):
            if depth > 0:
                found.append(Token("error", "unclosed left paren", at))
            found.append(Token("}}", "}}", at))
            return at + (3 if trim else 2)
        kind, end = _token_at(text, at)
        found.append(Token(kind, text[at:end], at, spaced))
        if kind in _WORDS and (following := text[end : end + 1]) not in _AFTER_WORDS and not text.startswith("}}", end):
            shown = f" '{following}'" if following.isprintable() else ""
            found[-1] = Token("error", f"bad character U+{ord(following):04X}{shown}", at, spaced)
            return end
        depth += (kind == "(") - (kind == ")")
        if kind in ("error", "EOF"):
            return len(text) if kind == "EOF" else end
        at = end


def _token_at(text: str, at: int) -> tuple[str, int]:
    char = text[at : at + 1]
    if not char:
        return "EOF", at
    if char in "\"'":
        end = at + 1
        while end < len(text) and text[end] not in (char, "\n"):
            end += 2 if text[end] == "\\" else 1
        if end >= len(text) or text[end] == "\n":
            return "error", len(text)
        return ("string" if char == '"' else "char"), end + 1
    if char == "`":
        end = text.find("`", at + 1)
        return ("raw", end + 1) if end >= 0 else ("error", len(text))
    if char in "$.":
        if char == "." and text[at + 1 : at + 2].isdigit():
            return _number(text, at)
        word = _WORD.match(text, at + 1)
        kind = "variable" if char == "$" else "field" if word else "."
        return kind, word.end() if word else at + 1
    if char.isdigit() or (char in "+-" and text[at + 1 : at + 2].isdigit()):
        return _number(text, at)
    if char == ":":
        return (":=", at + 2) if text.startswith(":=", at) else ("error", at + 1)
    if char in "|(),=":
        return char, at + 1
    if char in "+-":
        # A number that is none, as its reader will say.
        return "number", at + 1
    word = _WORD.match(text, at)
    if word is not None:
        return (word[0] if word[0] in KEYWORDS else "bool" if word[0] in ("true", "false") else "word"), word.end()
    return "other", at + 1


def _number(text: str, at: int) -> tuple[str, int]:
    match = _NUMBER.match(text, at)
    assert match is not None
    following = text[match.end() : match.end() + 1]
    if following.isalnum() or following == "_":
        return "badnumber", match.end() + 1
    return "number", match.end()


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def error_text(token: Token) -> str:
    names = {'"': "quoted string", "'": "character constant", "`": "raw quoted string"}
    if token.text == ":":
        return "expected :="
    return f"unterminated {names[token.text[:1]]}" if token.text[:1] in names else token.text
