"""HCL 1: the dialect of Consul's configuration files, ACL rules and config entries.

``parse_hcl1(text)`` returns nested dicts. A block (``service { }``, ``service = { }``, ``service "web" { }``) becomes
a ``BlockList`` of dicts, one per occurrence, because HCL 1 lets every block repeat; labels become nested blocks.
A plain list stays a ``list``. A repeated scalar takes the last value. Error texts are those of the original parser
(``At 2:10: ...``). A text whose first token is ``{`` is read as JSON, as HCL 1 does.

Pure. Depth is bounded, so hostile rules cannot exhaust the stack.
"""

from __future__ import annotations

import json
import math
import re
from enum import Enum
from typing import Final, NamedTuple

from proconsul.engine.wire.gojson_scan import explain_syntax
from proconsul.engine.wire.gostrconv import NumberError, OutOfRange, parse_int

__all__ = ["BlockList", "HclError", "parse_hcl1"]

# 64 levels: Consul's deepest documented structure (a discovery chain inside a config entry) needs 12.
DEPTH_MAX: Final = 64


class HclError(ValueError):
    """The text is no HCL 1. ``str()`` is the text Consul shows."""


class BlockList(list[object]):
    """The occurrences of one block key (each a dict), as opposed to a literal list."""


class _Kind(Enum):
    EOF = "EOF"
    IDENT = "IDENT"
    NUMBER = "NUMBER"
    FLOAT = "FLOAT"
    BOOL = "BOOL"
    STRING = "STRING"
    HEREDOC = "HEREDOC"
    LBRACK = "LBRACK"
    LBRACE = "LBRACE"
    RBRACK = "RBRACK"
    RBRACE = "RBRACE"
    COMMA = "COMMA"
    ASSIGN = "ASSIGN"


class _Token(NamedTuple):
    kind: _Kind
    text: str
    value: object
    line: int
    column: int

    @property
    def at(self) -> str:
        return f"{self.line}:{self.column}"


_PUNCTUATION: Final = {
    "[": _Kind.LBRACK,
    "{": _Kind.LBRACE,
    "]": _Kind.RBRACK,
    "}": _Kind.RBRACE,
    ",": _Kind.COMMA,
    "=": _Kind.ASSIGN,
}
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_NUMBER: Final = re.compile(
    r"-?(?:(?P<digits>0[xX][0-9a-fA-F]+|[0-9]+(?![0-9.eE]))|[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?)"
)
_INVALID: Final = re.compile("[\udc80-\udcff]")
_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")


class _Scanner:
    """Cuts the text into tokens; positions are 1-based like the messages."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.position = 0
        self.line = 1
        self.line_start = 0
        # Reading past the end while looking for the end of a word counts as columns in the original's messages.
        self.columns_past_end = 0
        # Where bytes are that are no UTF-8 (as Python's surrogateescape has them).
        self.invalid = [match.start() for match in _INVALID.finditer(self.text)]

    def refuse_invalid(self, start: int, end: int) -> None:
        """Raise HclError for what is no UTF-8 between two places: in names there is another word for it."""
        found = [position for position in self.invalid if start <= position < end]
        if found:
            line_start = self.text.rfind("\n", 0, found[-1]) + 1
            line = self.text.count("\n", 0, found[-1]) + 1
            raise HclError(f"At {line}:{found[-1] - line_start + 1}: illegal UTF-8 encoding")

    def column(self, position: int) -> int:
        return position - self.line_start + 1

    def fail(self, position: int, what: str) -> HclError:
        return HclError(f"At {self.line}:{self.column(position)}: {what}")

    def newline(self, position_after: int) -> None:
        self.line += 1
        self.line_start = position_after

    def skip_blank(self) -> None:
        text = self.text
        while self.position < len(text):
            char = text[self.position]
            if char == "\n":
                self.newline(self.position + 1)
                self.position += 1
            elif char in " \t\r":
                self.position += 1
            elif char == "#" or text.startswith("//", self.position):
                end = text.find("\n", self.position)
                self.position = len(text) if end < 0 else end
            elif text.startswith("/*", self.position):
                self.skip_block_comment()
            elif char == "/":
                raise self.fail(self.position, "expected '/' for comment")
            else:
                return

    def skip_block_comment(self) -> None:
        end = self.text.find("*/", self.position + 2)
        stop = len(self.text) if end < 0 else end + 2
        for index in range(self.position, stop):
            if self.text[index] == "\n":
                self.newline(index + 1)
        if end < 0:
            raise self.fail(len(self.text), "comment not terminated")
        self.position = stop

    def next(self) -> _Token:
        before = self.position
        self.skip_blank()
        token = self.token()
        if self.invalid:
            self.refuse_invalid(before, self.position)
        return token

    def token(self) -> _Token:
        start = self.position
        if start >= len(self.text):
            return _Token(_Kind.EOF, "", None, self.line, self.column(start) + self.columns_past_end)
        char = self.text[start]
        if char in _PUNCTUATION:
            self.position += 1
            return _Token(_PUNCTUATION[char], char, None, self.line, self.column(start))
        if char == '"':
            return self.string(start)
        if char == "<":
            return self.heredoc(start)
        if char.isalpha() or char == "_":
            return self.identifier(start)
        if char.isdigit() or char == "-" or (char == "." and self.text[start + 1 : start + 2].isdigit()):
            return self.number(start)
        raise self.fail(start, "illegal char")

    def identifier(self, start: int) -> _Token:
        end = start + 1
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] in "_-."):
            end += 1
        self.position = end
        self.columns_past_end = 1 if end == len(self.text) else 0
        word = self.text[start:end]
        column = self.column(start)
        if word in ("true", "false"):
            return _Token(_Kind.BOOL, word, word == "true", self.line, column)
        return _Token(_Kind.IDENT, word, word, self.line, column)

    def number(self, start: int) -> _Token:
        match = _NUMBER.match(self.text, start)
        if match is None:
            raise self.fail(start, "illegal number")
        word = match.group()
        self.position = match.end()
        self.columns_past_end = 2 if self.position == len(self.text) else 0
        column = self.column(start)
        if not match.group("digits"):
            try:
                value = float(word)
            except ValueError:
                raise self.fail(start, "illegal number") from None
            if math.isinf(value):
                raise HclError(str(OutOfRange("ParseFloat", word)))
            return _Token(_Kind.FLOAT, word, value, self.line, column)
        try:
            return _Token(_Kind.NUMBER, word, parse_int(word, base=0), self.line, column)
        except NumberError as error:
            raise HclError(str(error)) from None

    def string(self, start: int) -> _Token:
        """A quoted string; ``${...}`` may hold quotes and newlines and is kept as it is."""
        text, index, braces = self.text, start + 1, 0
        line, column = self.line, self.column(start)
        out: list[str] = []
        while True:
            if index >= len(text):
                raise self.fail(index, "literal not terminated")
            char = text[index]
            if char == "\0":  # the end of the text for the original
                raise self.fail(len(text), "literal not terminated")
            if char == "\n" and braces == 0:
                self.newline(index + 1)
                # The original reports the place one line further on, where the literal's text was looked for.
                end = text.find("\n", index + 1)
                raise self.fail(len(text) if end < 0 else end, "literal not terminated")
            if char == "\n":
                self.newline(index + 1)
            if char == '"' and braces == 0:
                break
            if braces == 0 and text.startswith("${", index):
                braces, out, index = 1, [*out, "${"], index + 2
                continue
            if braces:
                braces += {"{": 1, "}": -1}.get(char, 0)
                out.append(char)
                index += 1
            elif char == "\\":
                decoded, index = self.escape(index)
                out.append(decoded)
            else:
                out.append(char)
                index += 1
        self.position = index + 1
        return _Token(_Kind.STRING, text[start : index + 1], "".join(out), line, column)

    def escape(self, index: int) -> tuple[str, int]:
        """Decode the escape whose backslash is at ``index``; return the text and the next index."""
        code = self.text[index + 1 : index + 2]
        if code in _ESCAPES:
            return _ESCAPES[code], index + 2
        width = {"x": 2, "X": 2, "u": 4, "U": 8}.get(code)
        if width is not None:
            digits = self.text[index + 2 : index + 2 + width]
            if len(digits) == width and set(digits) <= _HEX_DIGITS and int(digits, 16) < 0x110000:
                return chr(int(digits, 16)), index + 2 + width
        octal = self.text[index + 1 : index + 4]
        if len(octal) == 3 and set(octal) <= frozenset("01234567"):
            return chr(int(octal, 8)), index + 4
        raise self.fail(index + 1, "illegal char escape")

    def heredoc(self, start: int) -> _Token:
        text = self.text
        line, column = self.line, self.column(start)
        if not text.startswith("<<", start):
            raise self.fail(start + 1, "heredoc expected second '<', didn't see it")
        end = text.find("\n", start)
        if end < 0:
            raise self.fail(len(text), "heredoc not terminated")
        marker = text[start + 2 : end].rstrip("\r")
        indented = marker.startswith("-")
        name = marker[1:] if indented else marker
        if not name:
            raise self.fail(start + 2, "zero-length heredoc anchor")
        if not all(char.isalnum() or char == "_" for char in name):
            raise self.fail(start + 2, "invalid characters in heredoc anchor")
        lines: list[str] = []
        index = end + 1
        while True:
            self.newline(index)
            stop = text.find("\n", index)
            row = text[index:] if stop < 0 else text[index:stop]
            if row.rstrip("\r").lstrip(" \t" if indented else "") == name:
                self.position = len(text) if stop < 0 else stop
                break
            if stop < 0:
                raise self.fail(len(text), "heredoc not terminated")
            lines.append(row + "\n")
            index = stop + 1
        return _Token(_Kind.HEREDOC, marker, _outdent(lines) if indented else "".join(lines), line, column)


def _outdent(lines: list[str]) -> str:
    """Drop the smallest common indent of an ``<<-`` heredoc."""
    indents = [len(row) - len(row.lstrip(" \t")) for row in lines if row.strip()]
    cut = min(indents, default=0)
    return "".join(row[cut:] if len(row.rstrip("\n")) >= cut else row.lstrip(" \t") for row in lines)


class _Parser:
    def __init__(self, text: str) -> None:
        self.scanner = _Scanner(text)
        self.token = self.scanner.next()

    def advance(self) -> _Token:
        taken = self.token
        self.token = self.scanner.next()
        return taken

    def object_items(self, inside: bool, depth: int) -> dict[str, object]:
        """Read ``key ... value`` items until the closing brace (or the end of the text at the top)."""
        if depth > DEPTH_MAX:
            raise HclError(f"At {self.token.at}: object nesting exceeds {DEPTH_MAX}")
        result: dict[str, object] = {}
        while True:
            if inside and self.token.kind is _Kind.RBRACE:
                return result
            if self.token.kind is _Kind.EOF:
                return result
            keys = self.keys(result)
            if keys is None:
                return result
            self.value_of(result, keys, depth)
            if self.token.kind is _Kind.COMMA:
                self.advance()

    def keys(self, seen: dict[str, object]) -> list[str] | None:
        """Read the keys before a value; the last token stays. None at the end of the text."""
        keys: list[str] = []
        texts: list[str] = []
        while True:
            token = self.token
            if token.kind in (_Kind.IDENT, _Kind.STRING):
                keys.append(str(token.value))
                texts.append(token.text)
                self.advance()
            elif token.kind is _Kind.ASSIGN:
                if not keys:
                    raise HclError(f"At {token.at}: no object keys found!")
                if len(keys) > 1:
                    raise HclError(f"At {token.at}: nested object expected: LBRACE got: ASSIGN")
                return keys
            elif token.kind is _Kind.LBRACE:
                if not keys:
                    raise HclError(f"At {token.at}: expected: IDENT | STRING got: LBRACE")
                return keys
            elif token.kind is _Kind.EOF:
                if not keys:
                    return None
                raise self.no_value(texts, token)
            else:
                raise HclError(f"At {token.at}: expected: IDENT | STRING | ASSIGN | LBRACE got: {token.kind.value}")

    def no_value(self, keys: list[str], token: _Token) -> HclError:
        names = " ".join(keys)
        return HclError(f"At {token.at}: key '{names}' expected start of object ('{{') or assignment ('=')")

    def value_of(self, result: dict[str, object], keys: list[str], depth: int) -> None:
        if self.token.kind is not _Kind.ASSIGN:
            _add_block(result, keys, self.block(depth))
            return
        self.advance()
        following = self.peek()
        if following is _Kind.EOF:
            return  # The original accepts `key =` at the very end and sets nothing.
        if following is _Kind.LBRACE:
            _add_block(result, keys, self.block(depth))
        else:
            _set_value(result, keys[0], self.value(depth))

    def peek(self) -> _Kind:
        return self.token.kind

    def block(self, depth: int) -> dict[str, object]:
        self.advance()
        body = self.object_items(inside=True, depth=depth + 1)
        if self.token.kind is not _Kind.RBRACE:
            # The end of the text has been read once already; the original counts a column for every further read.
            column = self.token.column + (self.token.kind is _Kind.EOF)
            place = f"{self.token.line}:{column}"
            raise HclError(f"At {place}: object expected closing RBRACE got: {self.token.kind.value}")
        self.advance()
        return body

    def value(self, depth: int) -> object:
        token = self.token
        if token.kind in (_Kind.NUMBER, _Kind.FLOAT, _Kind.BOOL, _Kind.STRING, _Kind.HEREDOC):
            self.advance()
            return token.value
        if token.kind is _Kind.LBRACK:
            return self.list_value(depth)
        text = f" {token.text}" if token.text else ""
        raise HclError(f"At {token.at}: Unknown token: {token.at} {token.kind.value}{text}")

    def list_value(self, depth: int) -> list[object]:
        if depth > DEPTH_MAX:
            raise HclError(f"At {self.token.at}: list nesting exceeds {DEPTH_MAX}")
        self.advance()
        result: list[object] = []
        expect_comma = False
        while True:
            token = self.token
            if token.kind is _Kind.RBRACK:
                self.advance()
                return result
            if token.kind is _Kind.COMMA:
                self.advance()
                expect_comma = False
                continue
            if expect_comma:
                found = token.kind.value
                raise HclError(f"At {token.at}: error parsing list, expected comma or list end, got: {found}")
            if token.kind is _Kind.LBRACE:
                result.append(self.block(depth))
            elif token.kind in (_Kind.EOF, _Kind.ASSIGN, _Kind.RBRACE, _Kind.IDENT):
                raise HclError(f"At {token.at}: unexpected token while parsing list: {token.kind.value}")
            else:
                result.append(self.value(depth + 1))
            expect_comma = True


def _add_block(result: dict[str, object], keys: list[str], body: dict[str, object]) -> None:
    for label in reversed(keys[1:]):
        body = {label: BlockList([body])}
    present = result.get(keys[0])
    if isinstance(present, BlockList):
        present.append(body)
    elif isinstance(present, list):
        result[keys[0]] = BlockList([*present, body])
    else:
        result[keys[0]] = BlockList([body])


def _set_value(result: dict[str, object], key: str, value: object) -> None:
    present = result.get(key)
    if isinstance(present, list) and isinstance(value, list):
        present.extend(value)
        return
    # The original decodes a later value into the type of the earlier one.
    if isinstance(present, str) and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    elif isinstance(present, int) and not isinstance(present, bool) and isinstance(value, str):
        try:
            value = parse_int(value, base=0)
        except NumberError as error:
            raise HclError(str(error)) from None
    result[key] = value


def parse_hcl1(text: str) -> dict[str, object]:
    """Parse HCL 1 (or, when the text starts with ``{``, JSON) into dicts. Raises HclError."""
    if text.lstrip().startswith("{"):
        return _from_json(text)
    parser = _Parser(text)
    result = parser.object_items(inside=False, depth=0)
    if parser.token.kind is not _Kind.EOF:
        raise HclError(f"At {parser.token.at}: unexpected token: {parser.token.kind.value}")
    return result


def _from_json(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise HclError(explain_syntax(text) or "exceeded max depth") from None
    assert isinstance(value, dict), "a text that starts with a brace is an object"
    return _json_blocks(value, 0)


def _json_blocks(value: dict[str, object], depth: int) -> dict[str, object]:
    """Give JSON objects the block form, so that both spellings decode alike."""
    if depth > DEPTH_MAX:
        raise HclError(f"object nesting exceeds {DEPTH_MAX}")
    blocks: dict[str, object] = {}
    for key, item in value.items():
        blocks[key] = BlockList([_json_blocks(item, depth + 1)]) if isinstance(item, dict) else item
    return blocks
