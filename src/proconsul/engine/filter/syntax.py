"""The grammar of filter expressions (HTTP API: filtering) and the exact texts of its syntax errors.

The parser remembers, like every parsing-expression parser, the furthest position at which something was expected
and did not come; that set is what the error names, so the order of attempts below is part of the behaviour.
Positions are counted in characters for the column and in UTF-8 bytes for the offset in brackets. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from proconsul.engine.filter.errors import FilterError

# Longer than any expression seen in practice (a few hundred "or" terms), short enough to parse in milliseconds.
EXPRESSION_CHARS_MAX = 64 * 1024
# Parentheses recurse; Python's own stack must never be the bound.
DEPTH_MAX = 60

_SPACE = " \t\r\n"
_WANT_SPACE = "[ \\t\\r\\n]"
_LETTERS = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_ESCAPE = re.compile(
    r"\\(?:[abfnrtv\\\"]|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    r"|U00(?:0[0-9a-fA-F]|10)(?![dD][89a-fA-F])[0-9a-fA-F]{4})"
)
# What surrogateescape makes of bytes that are no UTF-8.
_NO_TEXT = re.compile("[\ud800-\udfff]")
_SIMPLE_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}


class Operator(Enum):
    """Match operators; the value is the name used in error texts."""

    EQUAL = "Equal"
    NOT_EQUAL = "Not Equal"
    IN = "In"
    NOT_IN = "Not In"
    IS_EMPTY = "Is Empty"
    IS_NOT_EMPTY = "Is Not Empty"
    MATCHES = "Matches"
    NOT_MATCHES = "Not Matches"


@dataclass(frozen=True, slots=True)
class Match:
    """``selector operator value``; ``value`` is the text as written, None for the emptiness operators."""

    selector: tuple[str, ...]
    operator: Operator
    value: str | None


@dataclass(frozen=True, slots=True)
class Not:
    term: Expression


@dataclass(frozen=True, slots=True)
class Both:
    """All of ``terms`` (``every``), else any of them."""

    terms: tuple[Expression, ...]
    every: bool


Expression = Match | Not | Both

# What a rule gives back: the position behind it and its value, or None when it did not match.
_Found = tuple[int, Expression] | None


def parse(text: str) -> Expression:
    """Parse an expression. Raises FilterError with the position and what was expected there."""
    if len(text) > EXPRESSION_CHARS_MAX:
        raise FilterError(f"expression of {len(text)} characters is longer than {EXPRESSION_CHARS_MAX}")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.furthest = 0
        self.wanted: set[str] = set()
        # Errors found on the way; they win over "no match found" even when another alternative matched later.
        self.errors: dict[str, None] = {}
        self.depth = 0
        # Results of or_expression by position: alternatives try the same text again.
        self.seen: dict[int, _Found] = {}

    def parse(self) -> Expression:
        invalid = _NO_TEXT.search(self.text)
        if invalid is not None:
            position = invalid.start()
            rule = "rule Identifier: " if _LETTERS.match(self.text[max(position - 1, 0) : position]) else ""
            raise FilterError(f"{self.where(position)}: {rule}invalid encoding")
        found = self.whole()
        if self.errors:
            raise FilterError("\n".join(self.errors))
        if found is None:
            raise FilterError(f"{self.where(self.furthest)}: no match found, expected: {self.wanted_text()}")
        return found

    def whole(self) -> Expression | None:
        start = self.space(0, needed=False)
        opened = self.literal(start, "(")
        if opened >= 0:
            inner = self.or_expression(self.space(opened, needed=False))
            if inner is not None:
                closed = self.literal(self.space(inner[0], needed=False), ")")
                if closed >= 0 and self.at_end(self.space(closed, needed=False)):
                    return inner[1]
        found = self.or_expression(start)
        if found is not None and self.at_end(self.space(found[0], needed=False)):
            return found[1]
        return None

    # Bookkeeping of failures.

    def fail(self, position: int, want: str) -> int:
        if position > self.furthest:
            self.furthest = position
            self.wanted.clear()
        if position == self.furthest:
            self.wanted.add(want)
        return -1

    def error(self, position: int, rule: str, text: str) -> None:
        self.errors[f'{self.where(position)}: rule "{rule}": {text}'] = None

    def where(self, position: int) -> str:
        before = self.text[: position + 1]
        line = before.count("\n") + 1
        column = position + 1 if line == 1 else position - before.rindex("\n")
        return f"{line}:{column} ({len(self.text[:position].encode('utf-8', 'surrogateescape'))})"

    def wanted_text(self) -> str:
        wants = sorted(self.wanted - {"EOF"}) + (["EOF"] if "EOF" in self.wanted else [])
        return wants[0] if len(wants) == 1 else f"{', '.join(wants[:-1])} or {wants[-1]}"

    # Terminals: each returns the position behind it, or -1.

    def literal(self, position: int, word: str) -> int:
        if self.text.startswith(word, position):
            return position + len(word)
        return self.fail(position, '"\\""' if word == '"' else f'"{word}"')

    def space(self, position: int, *, needed: bool) -> int:
        end = position
        text = self.text
        while end < len(text) and text[end] in _SPACE:
            end += 1
        self.fail(end, _WANT_SPACE)
        return -1 if needed and end == position else end

    def at_end(self, position: int) -> bool:
        if position == len(self.text):
            return True
        self.fail(position, "EOF")
        return False

    # Expressions.

    def or_expression(self, position: int) -> _Found:
        if position in self.seen:
            return self.seen[position]
        if self.depth >= DEPTH_MAX:
            raise FilterError(f"{self.where(position)}: expression is nested deeper than {DEPTH_MAX}")
        self.depth += 1
        found = self.chain(position, "or", self.and_expression)
        self.depth -= 1
        self.seen[position] = found
        return found

    def and_expression(self, position: int) -> _Found:
        return self.chain(position, "and", self.not_expression)

    def chain(self, position: int, word: str, term: Callable[[int], _Found]) -> _Found:
        """One or more terms with ``word`` between them."""
        first = term(position)
        if first is None:
            return None
        end, terms = first[0], [first[1]]
        while True:
            at = self.space(end, needed=True)
            at = self.literal(at, word) if at >= 0 else -1
            at = self.space(at, needed=True) if at >= 0 else -1
            more = term(at) if at >= 0 else None
            if more is None:
                return end, terms[0] if len(terms) == 1 else Both(tuple(terms), word == "and")
            end = more[0]
            terms.append(more[1])

    def not_expression(self, position: int) -> _Found:
        """Any number of "not", without recursion; two of them cancel each other."""
        starts: list[int] = []
        while True:
            at = self.literal(position, "not")
            at = self.space(at, needed=True) if at >= 0 else -1
            if at < 0:
                break
            starts.append(position)
            position = at
        found = self.grouping(position)
        while starts:
            start = starts.pop()
            if found is None:
                found = self.grouping(start)
            else:
                end, inner = found
                found = end, inner.term if isinstance(inner, Not) else Not(inner)
        return found

    def grouping(self, position: int) -> _Found:
        opened = self.literal(position, "(")
        inner = self.or_expression(self.space(opened, needed=False)) if opened >= 0 else None
        if inner is not None:
            closed = self.literal(self.space(inner[0], needed=False), ")")
            if closed >= 0:
                return closed, inner[1]
        found = self.match(position)
        if found is None and inner is not None:
            self.error(self.space(inner[0], needed=False), "grouping", "Unmatched parentheses")
        return found

    # Matches.

    def match(self, position: int) -> _Found:
        selected = self.selector(position)
        if selected is not None:
            end, selector = selected
            found = self.selector_first(end, selector)
            if found is not None:
                return found
        return self.value_first(position)

    def selector_first(self, end: int, selector: tuple[str, ...]) -> _Found:
        for words, operator in _VALUE_OPERATORS:
            at = self.operator(end, words, tail=True)
            if at < 0:
                continue
            value = self.value(at)
            if value is not None:
                return value[0], Match(selector, operator, value[1])
            break
        for words, operator in _EMPTY_OPERATORS:
            at = self.operator(end, words, tail=False)
            if at >= 0:
                return at, Match(selector, operator, None)
        return None

    def value_first(self, position: int) -> _Found:
        value = self.value(position)
        if value is None:
            return None
        for words, operator in _IN_OPERATORS:
            at = self.operator(value[0], words, tail=True)
            if at < 0:
                continue
            selected = self.selector(at)
            if selected is not None:
                return selected[0], Match(selected[1], operator, value[1])
            self.error(at, "match", "Invalid selector")
        return None

    def operator(self, position: int, words: tuple[str, ...], *, tail: bool) -> int:
        """The operator's words; the symbols need no space around them. ``tail``: space must follow as well."""
        symbol = words[0] in ("==", "!=")
        at = position
        for word in words:
            at = self.space(at, needed=not symbol)
            at = self.literal(at, word) if at >= 0 else -1
            if at < 0:
                return -1
        return self.space(at, needed=not symbol) if tail else at

    def selector(self, position: int) -> tuple[int, tuple[str, ...]] | None:
        end, name = self.identifier(position)
        if end < 0:
            return None
        path = [name]
        while True:
            at = self.literal(end, ".")
            if at >= 0:
                at, name = self.identifier(at)
            if at < 0:
                at, name = self.index(end)
            if at < 0:
                return end, tuple(path)
            end = at
            path.append(name)

    def identifier(self, position: int) -> tuple[int, str]:
        found = _LETTERS.match(self.text, position)
        if found is None:
            return self.fail(position, "[a-zA-Z]"), ""
        self.fail(found.end(), "[a-zA-Z0-9_]")
        return found.end(), found.group()

    def index(self, position: int) -> tuple[int, str]:
        at = self.literal(position, "[")
        if at < 0:
            return -1, ""
        at = self.space(at, needed=False)
        key = self.string(at)
        if key is None:
            self.error(at, "index", "Invalid index")
            return -1, ""
        end = self.space(key[0], needed=False)
        closed = self.literal(end, "]")
        if closed < 0:
            self.error(end, "index", "Unclosed index expression")
        return closed, key[1]

    def value(self, position: int) -> tuple[int, str] | None:
        selected = self.selector(position)
        if selected is not None:
            return selected[0], ".".join(selected[1])
        return self.number(position) or self.string(position)

    def number(self, position: int) -> tuple[int, str] | None:
        at = self.literal(position, "-")
        at = position if at < 0 else at
        found = _NUMBER.match(self.text, at)
        if found is None:
            self.fail(at, '"0"')
            self.fail(at, "[1-9]")
            return None
        end = found.end()
        if "." in found.group():
            self.fail(end, "[0-9]")
        elif not self.text.startswith(".", end):
            self.fail(end, '"."')
            if found.group() != "0":
                self.fail(end, "[0-9]")
        else:
            self.fail(end + 1, "[0-9]")
        if end == len(self.text):
            self.fail(end, _WANT_SPACE)
        if end < len(self.text) and self.text[end] not in " \t\r\n)":
            self.error(end, "number", "Invalid number literal")
            return None
        return end, self.text[position:end]

    def string(self, position: int) -> tuple[int, str] | None:
        quote = self.text[position : position + 1]
        self.literal(position, "`")
        self.literal(position, '"')
        if quote not in ("`", '"') or not quote:
            return None
        end = self.text.find(quote, position + 1)
        if end < 0:
            self.error(len(self.text), "string", "Unterminated string literal")
            return None
        body = self.text[position + 1 : end]
        if quote == "`":
            return end + 1, body.replace("\r", "")
        plain = _unquote(body)
        if plain is None:
            self.error(position, "string", "invalid syntax")
        return end + 1, plain or ""


_Operators = tuple[tuple[tuple[str, ...], Operator], ...]
_VALUE_OPERATORS: _Operators = (
    (("==",), Operator.EQUAL),
    (("!=",), Operator.NOT_EQUAL),
    (("contains",), Operator.IN),
    (("not", "contains"), Operator.NOT_IN),
    (("matches",), Operator.MATCHES),
    (("not", "matches"), Operator.NOT_MATCHES),
)
_EMPTY_OPERATORS: _Operators = ((("is", "empty"), Operator.IS_EMPTY), (("is", "not", "empty"), Operator.IS_NOT_EMPTY))
_IN_OPERATORS: _Operators = ((("in",), Operator.IN), (("not", "in"), Operator.NOT_IN))


def _unquote(body: str) -> str | None:
    """The text of a double-quoted string, its escapes resolved as in Go; None when one is malformed."""
    if "\n" in body:
        return None
    if "\\" not in body:
        return body
    out = bytearray()
    at = 0
    while at < len(body):
        if body[at] != "\\":
            out += body[at].encode("utf-8", "surrogateescape")
            at += 1
            continue
        found = _ESCAPE.match(body, at)
        if found is None:
            return None
        escape = found.group()[1:]
        if escape in _SIMPLE_ESCAPES:
            out.append(_SIMPLE_ESCAPES[escape])
        elif escape[0] == "x":
            out.append(int(escape[1:], 16))
        elif escape[0] in "uU":
            out += chr(int(escape[1:], 16)).encode()
        else:
            out.append(int(escape, 8))
        at = found.end()
    return out.decode("utf-8", "surrogateescape")
