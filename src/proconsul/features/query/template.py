"""Templates of prepared queries: ``${...}`` in the strings of their service part (HTTP API: query, templates).

The language is HIL as the original has it: variables, ``match(N)``, strings that nest ``${...}``, numbers, and
arithmetic, in which strings are taken for numbers. A query that cannot be rendered for its own name is refused when it
is written, which every server must decide alike. Where the original stops (a division by zero, an operator without its
left side) the query is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from proconsul.engine.wire.goregexp import Pattern, compile_go
from proconsul.engine.wire.gostrconv import NumberError, parse_int
from proconsul.features.errors import StateError
from proconsul.features.query.model import NAME_PREFIX_MATCH, PreparedQuery, ServiceQuery

# Deeper ones are attacks on the stack; people nest two or three levels.
DEPTH_MAX = 50
# A chain of operators is as deep as it is long once it is read; nobody adds up two hundred numbers.
OPERATORS_MAX = 200
_NAME = re.compile(r"[^\W\d][\w\-.*]*|\.[\w\-.*]+")
_NUMBER = re.compile(r"\d+(\.\d*)?(?![\w.])")
_SPACE = re.compile(r"[ \t\r\n]*")
_INT64_MAX = (1 << 63) - 1
Value = str | int | float


class _SyntaxError(ValueError):
    pass


class _EvaluationError(ValueError):
    pass


class TemplateNode(NamedTuple):
    """One expression. ``kind``: text, join, name, call, sum, product, negation or index; ``parts``: its operands."""

    kind: str
    at: int
    value: Any = None
    parts: tuple[TemplateNode, ...] = ()


class _Parser:
    """Reads one string. Raises _SyntaxError."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._operators = 0

    def whole(self) -> TemplateNode:
        node = self._string("")
        if self._at < len(self._text):
            raise _SyntaxError
        return node

    def _string(self, end: str) -> TemplateNode:
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
                parts += [TemplateNode("text", start, plain), self._interpolation()]
                plain = ""
            else:
                plain += char
                self._at += 1
        return TemplateNode("join", start, None, (*parts, TemplateNode("text", start, plain)))

    def _interpolation(self) -> TemplateNode:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _SyntaxError
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
            raise _SyntaxError
        self._at += 1

    def _sum(self) -> TemplateNode:
        return self._chain("sum", "+-", lambda: self._chain("product", "*/%", self._unary))

    def _chain(self, kind: str, operators: str, operand: Callable[[], TemplateNode]) -> TemplateNode:
        node = operand()
        while (operator := self._peek()) and operator in operators:
            self._at += 1
            self._operators += 1
            if self._operators > OPERATORS_MAX:
                raise _SyntaxError
            node = TemplateNode(kind, node.at, operator, (node, operand()))
        return node

    def _unary(self) -> TemplateNode:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _SyntaxError
        char, at = self._peek(), self._at
        if char == "-":
            self._at += 1
            node = TemplateNode("negation", at, None, (self._unary(),))
        elif char == "(":
            self._at += 1
            node = self._sum()
            self._expect(")")
        elif char == '"':
            node = self._literals(at)
        elif number := _NUMBER.match(self._text, at):
            self._at = number.end()
            node = TemplateNode("text", at, float(number[0]) if number[1] else int(number[0]))
            if number[1] is None and node.value > _INT64_MAX:
                raise _SyntaxError
        else:
            node = self._named(at)
        self._depth -= 1
        return node

    def _literals(self, at: int) -> TemplateNode:
        """One or more strings in quotes, one after the other."""
        parts = []
        while self._peek() == '"':
            self._at += 1
            parts.append(self._string('"'))
            self._expect('"')
        return TemplateNode("join", at, None, tuple(parts))

    def _named(self, at: int) -> TemplateNode:
        name = _NAME.match(self._text, at)
        if name is None:
            raise _SyntaxError
        self._at = name.end()
        char = self._peek()
        if char == "[":
            self._at += 1
            self._sum()
            self._expect("]")
            return TemplateNode("index", at, name[0])
        if char != "(":
            return TemplateNode("name", at, name[0])
        self._at += 1
        arguments: list[TemplateNode] = []
        if self._peek() != ")":
            arguments.append(self._sum())
            while self._peek() == ",":
                self._at += 1
                arguments.append(self._sum())
        self._expect(")")
        return TemplateNode("call", at, name[0], tuple(arguments))


class _Evaluator:
    """Gives an expression its value. Raises _EvaluationError with the original's text."""

    def __init__(self, text: str, variables: Mapping[str, str], match: Callable[[int], str]) -> None:
        self._text = text
        self._variables = variables
        self._match = match

    def check(self, node: TemplateNode) -> None:
        """Names and operators, before anything is computed."""
        for part in node.parts:
            self.check(part)
        where = self._where(node)
        if node.kind == "name" and node.value not in self._variables:
            raise _EvaluationError(f"{where}: unknown variable accessed: {node.value}")
        if node.kind == "call" and node.value != "match":
            raise _EvaluationError(f"{where}: unknown function called: {node.value}")
        if node.kind == "call" and len(node.parts) != 1:
            raise _EvaluationError(f"{where}: match: expected 1 arguments, got {len(node.parts)}")
        line, _, column = where.partition(":")
        if node.kind == "index" and node.value not in self._variables:
            raise _EvaluationError(f"At column {column}, line {line}: unknown variable accessed: {node.value}")
        if node.kind == "index":
            raise _EvaluationError(
                f"At column {column}, line {line}: invalid index operation into non-indexable type: TypeString"
            )
        if node.kind == "product" and node.value == "%" and self._type(node) is float:
            raise _EvaluationError(f"At column {column}, line {line}: modulo cannot be used with floats")

    def _where(self, node: TemplateNode) -> str:
        before = self._text[: node.at]
        return f"{before.count(chr(10)) + 1}:{node.at - before.rfind(chr(10))}"

    def _type(self, node: TemplateNode) -> type[Value]:
        """Arithmetic is of the kind of its first operand that is no string."""
        if node.kind == "text":
            return type(node.value)
        if node.kind not in ("sum", "product", "negation"):
            return str
        return next((kind for part in node.parts if (kind := self._type(part)) is not str), int)

    def value(self, node: TemplateNode) -> Value:
        if node.kind == "text":
            result: Value = node.value
            return result
        if node.kind == "join":
            return "".join(_text(self.value(part)) for part in node.parts)
        if node.kind == "name":
            return self._variables[node.value]
        if node.kind == "call":
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
            raise _EvaluationError(f"__builtin_StringTo{'Float' if kind is float else 'Int'}: {error}") from None
    return float(value) if kind is float else int(value)


def _arithmetic(operator: str, left: int | float, right: int | float) -> int | float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if not right:
        raise _EvaluationError("divide by zero")
    if isinstance(left, float):
        return left / right
    # Go truncates towards zero.
    quotient = abs(left) // abs(int(right)) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - quotient * int(right)


def check_template(query: PreparedQuery) -> None:
    """Refuse a template that cannot be rendered for its own name. Raises StateError."""
    if not query.Template.Type:
        return
    try:
        if query.Template.Type != NAME_PREFIX_MATCH:
            raise ValueError(f"Bad Template.Type '{query.Template.Type}'")
        pattern = _pattern(query)
        parsed = [(path, text, _parse(path, text)) for path, text in _strings(query.Service)]
        for path, text, node in parsed:
            _evaluate(path, text, node, query, pattern)
    except ValueError as error:
        raise StateError(f"failed compiling template: {error}") from None


def _pattern(query: PreparedQuery) -> Pattern | None:
    try:
        return compile_go(query.Template.Regexp) if query.Template.Regexp else None
    except ValueError as error:
        raise ValueError(f"Bad Regexp: {error}") from None


def _strings(service: ServiceQuery) -> Iterator[tuple[str, str]]:
    """Every string that may hold expressions, with the name errors give it."""
    yield "Service.Service", service.Service
    for position, text in enumerate(service.Failover.Datacenters or ()):
        yield f"Service.Failover.Datacenters[{position}]", text
    for position, text in enumerate(service.IgnoreCheckIDs or ()):
        yield f"Service.IgnoreCheckIDs[{position}]", text
    yield "Service.Near", service.Near
    for position, text in enumerate(service.Tags or ()):
        yield f"Service.Tags[{position}]", text
    for name, pairs in (("NodeMeta", service.NodeMeta), ("ServiceMeta", service.ServiceMeta)):
        for key, text in (pairs or {}).items():
            yield f"Service.{name}[{key}]", text


def _parse(path: str, text: str) -> TemplateNode:
    try:
        return _Parser(text).whole()
    except _SyntaxError:
        raise ValueError(f"Bad format '{text}' in {path}: parse error: syntax error") from None


def _evaluate(path: str, text: str, node: TemplateNode, query: PreparedQuery, pattern: Pattern | None) -> Value:
    variables = {"name.full": query.Name, "name.prefix": query.Name, "name.suffix": "", "agent.segment": ""}
    found: Any = pattern.search(query.Name) if pattern is not None else None

    def match(group: int) -> str:
        groups = (found[0], *found.groups()) if found else ()
        return groups[group] or "" if 0 <= group < len(groups) else ""

    evaluator = _Evaluator(text, variables, match)
    try:
        evaluator.check(node)
        return evaluator.value(node)
    except _EvaluationError as error:
        raise ValueError(f"Bad evaluation for '{text}' in {path}: {error}") from None
