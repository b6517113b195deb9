"""HCL 1 in its usual layout, with its comments: what the original's printer makes of a text; pure.

Items of one line that follow each other line by line stay together, with their values in one column; others are set
apart by an empty line. Comments stay above what they were above.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from proconsul.engine.wire.hcl1 import _Kind, _Scanner, parse_hcl1

_INDENT = "  "
# Marks lines that stay where they are; no text of HCL holds it.
_FIXED = "\0"


class Item(NamedTuple):
    """``keys``: as they are written. ``value``: of assignments, as it is written; None for a block.

    comments: the lines above it, empty ones among them. after: a comment behind it, on its line. trailing: comments at
    the end of a block. line, last_line: where it begins and ends.
    """

    keys: tuple[str, ...]
    value: str | None
    body: tuple[Item, ...] = ()
    comments: tuple[str, ...] = ()
    trailing: tuple[str, ...] = ()
    line: int = 0
    last_line: int = 0
    assigned: bool = False
    after: str = ""


class _Comment(NamedTuple):
    text: str
    line: int
    last_line: int


class _Commented(_Scanner):
    """A scanner that remembers the comments before a token."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.comments: list[_Comment] = []

    def skip_blank(self) -> None:
        text = self.text
        while self.position < len(text):
            start, line = self.position, self.line
            if text[start] == "#" or text.startswith("//", start):
                end = text.find("\n", start)
                self.position = len(text) if end < 0 else end
                self.comments.append(_Comment(text[start : self.position].rstrip(), line, line))
            elif text.startswith("/*", start):
                self.skip_block_comment()
                self.comments.append(_Comment(text[start : self.position], line, self.line))
            elif text[start] == "\n":
                self.newline(start + 1)
                self.position += 1
            elif text[start] in " \t\r":
                self.position += 1
            else:
                return


class _Reader:
    """Reads items of a text that is known to be HCL."""

    def __init__(self, text: str) -> None:
        self._scanner = _Commented(text)
        self._advance()

    def _advance(self) -> None:
        scanner = self._scanner
        scanner.skip_blank()
        self._start = scanner.position
        self._token = scanner.next()
        self._end = scanner.position

    def _comments(self, until: int | None = None) -> tuple[str, ...]:
        """The lines of those before the token, which begins on line ``until``; apart as they were apart."""
        lines: list[str] = []
        previous: _Comment | None = None
        for comment in self._scanner.comments:
            if previous is not None and comment.line > previous.last_line + 1:
                lines.append("")
            lines += comment.text.replace("\n", f"\n{_FIXED}").split("\n")
            previous = comment
        if previous is not None and until is not None and until > previous.last_line + 1:
            lines.append("")
        self._scanner.comments = []
        return tuple(lines)

    def _behind(self, item: Item) -> Item:
        """``item`` with the comment on its line, if there is one."""
        comments = self._scanner.comments
        if comments and comments[0].line == item.last_line:
            return item._replace(after=comments.pop(0).text)
        return item

    def items(self) -> tuple[tuple[Item, ...], tuple[str, ...]]:
        """Up to the end of the block or text, and the comments that follow the last of them."""
        found: list[Item] = []
        while True:
            if self._token.kind in (_Kind.RBRACE, _Kind.EOF):
                return tuple(found), self._comments()
            item = self._item(self._comments(self._token.line))
            if self._token.kind is _Kind.COMMA:
                self._advance()
            found.append(self._behind(item))

    def _item(self, comments: tuple[str, ...]) -> Item:
        line, keys = self._token.line, []
        while self._token.kind in (_Kind.IDENT, _Kind.STRING, _Kind.BOOL):
            keys.append(self._token.text)
            self._advance()
        assigned = self._token.kind is _Kind.ASSIGN
        if assigned:
            self._advance()
        if self._token.kind is _Kind.LBRACE:
            self._advance()
            body, trailing = self.items()
            last_line = self._token.line
            self._advance()
            return Item(tuple(keys), None, body, comments, trailing, line, last_line, assigned)
        value, last_line = self._value()
        return Item(tuple(keys), value, (), comments, (), line, last_line, True)

    def _value(self) -> tuple[str, int]:
        """A literal or a list, as it is written, and where it ends."""
        start, depth = self._start, 0
        while True:
            kind = self._token.kind
            if kind is _Kind.EOF:
                return self._scanner.text[start : self._end].strip(), self._token.line
            depth += {_Kind.LBRACK: 1, _Kind.LBRACE: 1, _Kind.RBRACK: -1, _Kind.RBRACE: -1}.get(kind, 0)
            # A heredoc ends on another line than it began on.
            end, line = self._end, self._scanner.line if kind is _Kind.HEREDOC else self._token.line
            if depth == 0:
                text = self._scanner.text[start:end]
                self._advance()
                return text, line
            self._advance()


def read_items(text: str) -> tuple[list[Item], tuple[str, ...]]:
    """The items of a text in HCL or JSON, and the comments at its end. Raises HclError."""
    parsed = parse_hcl1(text)
    if text.lstrip().startswith("{"):
        # The printer shows names of assignments as JSON has them, at the top only.
        return [
            item if item.value is None else item._replace(keys=(json.dumps(item.keys[0], ensure_ascii=False),))
            for item in _of_json(parsed)
        ], ()  # fmt: skip
    items, trailing = _Reader(text).items()
    return list(items), trailing


def _of_json(blocks: dict[str, object]) -> list[Item]:
    items: list[Item] = []
    for key, value in blocks.items():
        for one in value if isinstance(value, list) else [value]:
            items += _labelled((key,), one) if isinstance(one, dict) else [Item((key,), json.dumps(one))]
    return items


def _labelled(keys: tuple[str, ...], body: dict[str, object]) -> list[Item]:
    """Objects in objects are blocks with labels, down to one that says something itself."""
    objects = {label: value if isinstance(value, list) else [value] for label, value in body.items()}
    if body and all(isinstance(one, dict) for inner in objects.values() for one in inner):
        found: list[Item] = []
        for label, inner in objects.items():
            for one in inner:
                assert isinstance(one, dict), "all of them are"
                found += _labelled((*keys, json.dumps(label, ensure_ascii=False)), one)
        return found
    return [Item(keys, None, tuple(_of_json(body)))]


# ---------------------------------------------------------------------------------------------------- writing


def laid_out(items: Sequence[Item], trailing: Sequence[str] = ()) -> str:
    """The text of items; with a line end at its end when it ends with comments."""
    text = "\n".join(_joined(items, trailing, inside=False)).replace(_FIXED, "")
    return text + "\n" if trailing else text


def _joined(items: Sequence[Item], trailing: Sequence[str], *, inside: bool) -> list[str]:
    lines = _lines(items, inside=inside)
    if trailing:
        lines += ["", *trailing] if lines else list(trailing)
    return lines


def _is_single(item: Item) -> bool:
    return item.value is not None and "\n" not in item.value


def _together(one: Item, following: Item, inside: bool) -> bool:
    """Whether no empty line is set between two items: of assignments in a block, and of empty blocks anywhere."""
    if following.line != one.last_line + 1 or following.comments or not one.line:
        return False
    empty = not one.body and not one.trailing and not following.body and not following.trailing
    if one.value is None and following.value is None:
        return empty
    return inside and _is_single(one) and _is_single(following)


def _lines(items: Sequence[Item], *, inside: bool) -> list[str]:
    lines: list[str] = []
    position = 0
    while position < len(items):
        end = position + 1
        while end < len(items) and _together(items[end - 1], items[end], inside):
            end += 1
        if lines:
            lines.append("")
        group = items[position:end]
        width = max(len(" ".join(item.keys)) for item in group) if len(group) > 1 else 0
        for item in group:
            lines += [*item.comments, *_of_item(item, width)]
        position = end
    return lines


def _of_item(item: Item, width: int) -> list[str]:
    head, behind = " ".join(item.keys), f" {item.after}" if item.after else ""
    if item.value is not None:
        # What a heredoc holds is not moved.
        return f"{head.ljust(width)} = {item.value}{behind}".replace("\n", f"\n{_FIXED}").split("\n")
    head += " = " if item.assigned else " "
    inside = _joined(item.body, item.trailing, inside=True)
    inner = [line if line[:1] in ("", _FIXED) else f"{_INDENT}{line}" for line in inside]
    if not item.body and not item.trailing:
        return [head + "{}" + behind]
    return [head + "{", *inner, "}" + behind]
