"""HIL, the language of templates: ``${...}`` in texts (Consul docs: prepared query templates, binding rules); pure.

Variables, ``match(N)`` where there is something to match, strings that nest ``${...}``, numbers, and arithmetic, in
which strings are taken for numbers. Where the original stops (a division by zero, an operator without its left side)
the template is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from proconsul.engine.wire.gostrconv import NumberError, parse_int

# Deeper ones are attacks on the stack; people nest two or three levels.
DEPTH_MAX = 50
# A chain of operators is as deep as it is long once it is read; nobody adds up two hundred numbers.
OPERATORS_MAX = 200
_NAME = re.compile(r"[^\W\d][\w\-.*]*|\.[\w\-.*]+")
_NUMBER = re.compile(r"\d+(\.\d*)?(?![\w.])")
_SPACE = re.compile(r"[ \t\r\n]*")
_INT64_MAX = (1 << 63) - 1
Value = str | int | float


class HilError(ValueError):
    """A template cannot be read or rendered; the text is the original's."""


class _Node(NamedTuple):
    """One expression. ``kind``: text, join, name, call, sum, product, negation or index; ``parts``: its operands."""

    kind: str
    at: int
    value: Any = None
    parts: tuple[_Node, ...] = ()


class _Parser:
    """Reads one string. Raises HilError."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._operators = 0

    def whole(self) -> _Node:
        node = self._string("")
        if self._at < len(self._text):
            raise HilError("parse error: syntax error")
        return node

    def _string(self, end: str) -> _Node:
        """Text up to the quote ``end`` (or the end of all), with the expressions in it."""
        parts, plain, start = [], "", self._at
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == end:
                break
            if end and char == "\\" and self._at + 1 < len(self._text):
                plain += {"n": "\n", "t": "\t"}.get(self._text[self._at + 1], self._text[self._at + 1])
                self._at += 2
            elif self._text.startswith("$${", self._at):
                plain += "${"
                self._at += 3
            elif self._text.startswith("${", self._at):
                parts += [_Node("text", start, plain), self._interpolation()]
                plain = ""
            else:
                plain += char
                self._at += 1
        return _Node("join", start, None, (*parts, _Node("text", start, plain)))

    def _interpolation(self) -> _Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise HilError("parse error: syntax error")
        self._at += 2
        node = self._sum()
        self._expect("}")
        self._depth -= 1
        return node

    def _peek(self) -> str:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _expect(self, char: str) -> None:
        if self._peek() != char:
            raise HilError("parse error: syntax error")
        self._at += 1

    def _sum(self) -> _Node:
        return self._chain("sum", "+-", lambda: self._chain("product", "*/%", self._unary))

    def _chain(self, kind: str, operators: str, operand: Callable[[], _Node]) -> _Node:
        node = operand()
        while (operator := self._peek()) and operator in operators:
            self._at += 1
            self._operators += 1
            if self._operators > OPERATORS_MAX:
                raise HilError("parse error: syntax error")
            node = _Node(kind, node.at, operator, (node, operand()))
        return node

    def _unary(self) -> _Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise HilError("parse error: syntax error")
        char, at = self._peek(), self._at
        if char == "-":
            self._at += 1
            node = _Node("negation", at, None, (self._unary(),))
        elif char == "(":
            self._at += 1
            node = self._sum()
            self._expect(")")
        elif char == '"':
            node = self._literals(at)
        elif number := _NUMBER.match(self._text, at):
            self._at = number.end()
            node = _Node("text", at, float(number[0]) if number[1] else int(number[0]))
            if number[1] is None and node.value > _INT64_MAX:
                raise HilError("parse error: syntax error")
        else:
            node = self._named(at)
        self._depth -= 1
        return node

    def _literals(self, at: int) -> _Node:
        """One or more strings in quotes, one after the other."""
        parts = []
        while self._peek() == '"':
            self._at += 1
            parts.append(self._string('"'))
            self._expect('"')
        return _Node("join", at, None, tuple(parts))

    def _named(self, at: int) -> _Node:
        name = _NAME.match(self._text, at)
        if name is None:
            raise HilError("parse error: syntax error")
        self._at = name.end()
        char = self._peek()
        if char == "[":
            self._at += 1
            self._sum()
            self._expect("]")
            return _Node("index", at, name[0])
        if char != "(":
            return _Node("name", at, name[0])
        self._at += 1
        arguments: list[_Node] = []
        if self._peek() != ")":
            arguments.append(self._sum())
            while self._peek() == ",":
                self._at += 1
                arguments.append(self._sum())
        self._expect(")")
        return _Node("call", at, name[0], tuple(arguments))


class _Evaluator:
    """Gives an expression its value. Raises HilError with the original's text."""

    def __init__(self, text: str, variables: Mapping[str, str], match: Callable[[int], str] | None) -> None:
        self._text = text
        self._variables = variables
        self._match = match

    def check(self, node: _Node) -> None:
        """Names and operators, before anything is computed."""
        for part in node.parts:
            self.check(part)
        where = self._where(node)
        if node.kind == "name" and node.value not in self._variables:
            raise HilError(f"{where}: unknown variable accessed: {node.value}")
        if node.kind == "call" and (node.value != "match" or self._match is None):
            raise HilError(f"{where}: unknown function called: {node.value}")
        if node.kind == "call" and len(node.parts) != 1:
            raise HilError(f"{where}: match: expected 1 arguments, got {len(node.parts)}")
        line, _, column = where.partition(":")
        if node.kind == "index" and node.value not in self._variables:
            raise HilError(f"At column {column}, line {line}: unknown variable accessed: {node.value}")
        if node.kind == "index":
            raise HilError(
                f"At column {column}, line {line}: invalid index operation into non-indexable type: TypeString"
            )
        if node.kind == "product" and node.value == "%" and self._type(node) is float:
            raise HilError(f"At column {column}, line {line}: modulo cannot be used with floats")

    def _where(self, node: _Node) -> str:
        before = self._text[: node.at]
        return f"{before.count(chr(10)) + 1}:{node.at - before.rfind(chr(10))}"

    def _type(self, node: _Node) -> type[Value]:
        """Arithmetic is of the kind of its first operand that is no string."""
        if node.kind == "text":
            return type(node.value)
        if node.kind not in ("sum", "product", "negation"):
            return str
        return next((kind for part in node.parts if (kind := self._type(part)) is not str), int)

    def value(self, node: _Node) -> Value:
        if node.kind == "text":
            result: Value = node.value
            return result
        if node.kind == "join":
            return "".join(_text(self.value(part)) for part in node.parts)
        if node.kind == "name":
            return self._variables[node.value]
        if node.kind == "call":
            assert self._match is not None, "calls were checked"
            return self._match(int(_number(self.value(node.parts[0]), int)))
        kind = self._type(node)
        numbers = [_number(self.value(part), kind) for part in node.parts]
        if node.kind == "negation":
            return -numbers[0]
        return _arithmetic(node.value, *numbers)


def _text(value: Value) -> str:
    """A number as text, floats as short as Go writes them."""
    return format(value, "f").rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _float(text: str) -> float:
    """Raises NumberError."""
    try:
        return float(text)
    except ValueError:
        raise NumberError("ParseFloat", text, "invalid syntax") from None


def _number(value: Value, kind: type[Value]) -> int | float:
    if isinstance(value, str):
        try:
            return _float(value) if kind is float else parse_int(value, base=0)
        except NumberError as error:
            raise HilError(f"__builtin_StringTo{'Float' if kind is float else 'Int'}: {error}") from None
    return float(value) if kind is float else int(value)


def _arithmetic(operator: str, left: int | float, right: int | float) -> int | float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if not right:
        raise HilError("divide by zero")
    if isinstance(left, float):
        return left / right
    # Go truncates towards zero.
    quotient = abs(left) // abs(int(right)) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - quotient * int(right)


class HilTemplate:
    """A text with ``${...}`` in it. Raises HilError when it cannot be read."""

    __slots__ = ("_node", "_text")

    def __init__(self, text: str) -> None:
        self._text, self._node = text, _Parser(text).whole()

    def render(self, variables: Mapping[str, str], match: Callable[[int], str] | None = None) -> str:
        """The text with its expressions replaced.

        match: what ``match(N)`` gives, None where there is no such function. Raises HilError for names that are
        not known, and for what cannot be computed.
        """
        evaluator = _Evaluator(self._text, variables, match)
        evaluator.check(self._node)
        return _text(evaluator.value(self._node))
