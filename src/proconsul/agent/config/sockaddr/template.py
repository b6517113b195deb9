"""Runs templates: Go's ``text/template`` over the values of address templates. Pure.

Source: Go documentation, package text/template.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus

from proconsul.agent.config.sockaddr.functions import CallError, Function
from proconsul.agent.config.sockaddr.interfaces import IfAddr, IfAddrs, SockAddr
from proconsul.agent.config.sockaddr.printing import shown, sprint, sprintf, type_name
from proconsul.agent.config.sockaddr.syntax import (
    Branch,
    Command,
    Include,
    Node,
    Operand,
    Pipeline,
    SyntaxProblem,
    Text,
    parse_template,
)
from proconsul.engine.wire.text import quoted

__all__ = ["TemplateError", "run"]

_NAME: Final = "sockaddr.Parse"
# Templates that include themselves end here; Go allows 100,000, which its stack can hold.
_DEPTH_MAX: Final = 100
# Nodes that may run, and characters that may come out: thousands of times what an address takes.
_STEPS_MAX: Final = 100_000
_CHARS_MAX: Final = 1 << 20
# No value was piped in.
_MISSING: Final = object()


class TemplateError(ValueError):
    """The template cannot be read or run; ``str()`` is the original's text."""


class _Problem(Exception):
    def __init__(self, text: str, operand: Operand | None = None, context: str = "") -> None:
        super().__init__(text)
        self.at = operand.at if operand is not None else 0
        self.context = context or (operand.shown if operand is not None else "")


def run(text: str, functions: Mapping[str, Function], data: object) -> str:
    """The text that ``text`` makes of ``data``. Raises TemplateError."""
    known = {**BUILTINS, **functions}
    try:
        nodes, defined = parse_template(text, known.keys())
    except SyntaxProblem as problem:
        reason = f"template: {_NAME}:{problem.line}: {problem}"
        raise TemplateError(f"unable to parse template {quoted(text)}: {reason}") from None
    runner = _Runner(known, defined)
    try:
        runner.nodes(nodes, data, [("$", data)])
    except _Problem as problem:
        line = text.count("\n", 0, problem.at) + 1
        column = len(text[text.rfind("\n", 0, problem.at) + 1 : problem.at].encode("utf-8", "surrogateescape"))
        place = f"template: {_NAME}:{line}:{column}: executing {quoted(runner.running)} at <{problem.context}>"
        raise TemplateError(f"unable to execute sockaddr input {quoted(text)}: {place}: {problem}") from None
    return "".join(runner.out)


Scope = list[tuple[str, object]]


class _Runner:
    def __init__(self, functions: Mapping[str, Function], defined: Mapping[str, tuple[Node, ...]]) -> None:
        self.functions = functions
        self.defined = defined
        self.out: list[str] = []
        self.chars = 0
        self.steps = 0
        self.depth = 0
        self.running = _NAME
        # What was looked at last; texts about types name it.
        self.last: Operand | None = None

    def nodes(self, nodes: Sequence[Node], dot: object, scope: Scope) -> None:
        for node in nodes:
            self.steps += 1
            if self.steps > _STEPS_MAX or self.chars > _CHARS_MAX:
                raise _Problem("the template runs for too long", self.last)
            if isinstance(node, Text):
                self.write(node.text)
            elif isinstance(node, Include):
                self.include(node, dot, scope)
            else:
                self.branch(node, dot, scope)

    def write(self, text: str) -> None:
        self.chars += len(text)
        self.out.append(text)

    def include(self, node: Include, dot: object, scope: Scope) -> None:
        operand = Operand("string", node.name, node.at, node.shown)
        nodes = self.defined.get(node.name)
        if nodes is None:
            raise _Problem(f"template {quoted(node.name)} not defined", operand)
        if self.depth == _DEPTH_MAX:
            raise _Problem(f"exceeded maximum template depth ({_DEPTH_MAX})", operand)
        value = self.pipeline(node.pipeline, dot, scope) if node.pipeline is not None else None
        outer, self.running = self.running, node.name
        self.depth += 1
        self.nodes(nodes, value, [("$", value)])
        self.depth -= 1
        self.running = outer

    def branch(self, node: Branch, dot: object, scope: Scope) -> None:
        mark = len(scope)
        value = self.pipeline(node.pipeline, dot, scope)
        if node.kind == "print":
            if not node.pipeline.names:
                self.write(shown(value) if value is not None else "<no value>")
            return
        if node.kind == "range":
            self.range(node, value, dot, scope, mark)
        elif _truth(value):
            self.nodes(node.body, value if node.kind == "with" else dot, scope)
        else:
            self.nodes(node.otherwise, dot, scope)
        del scope[mark:]

    def range(self, node: Branch, value: object, dot: object, scope: Scope, mark: int) -> None:
        if not isinstance(value, list):
            raise _Problem(f"range can't iterate over {shown(value)}", self.last)
        names = node.pipeline.names
        for number, item in enumerate(value):
            del scope[mark:]
            if names:
                scope.append((names[-1], item))
            if len(names) > 1:
                scope.append((names[0], number))
            self.nodes(node.body, item, scope)
        if not value:
            self.nodes(node.otherwise, dot, scope)

    # ------------------------------------------------------------------ values

    def pipeline(self, pipeline: Pipeline, dot: object, scope: Scope) -> object:
        value: object = _MISSING
        for command in pipeline.commands:
            value = self.command(command, dot, scope, value)
        if pipeline.assigns:
            for at in range(len(scope) - 1, -1, -1):
                if scope[at][0] == pipeline.names[0]:
                    scope[at] = (pipeline.names[0], value)
                    break
        else:
            scope += [(name, value) for name in pipeline.names]
        return value

    def command(self, command: Command, dot: object, scope: Scope, final: object) -> object:
        first, rest = command.operands[0], command.operands[1:]
        given = bool(rest) or final is not _MISSING
        if first.kind == "pipeline" and given:
            raise _Problem(f"can't give argument to non-function {first.shown}", self.last or first)
        self.last = first
        if first.kind == "function":
            value = self.call(first, command, dot, scope, final)
            return self.fields(value, first, first.fields, False)
        if first.kind == "pipeline":
            assert isinstance(first.value, Pipeline)
            return self.fields(self.pipeline(first.value, dot, scope), first, first.fields, False)
        if first.kind == "nil":
            raise _Problem("nil is not a command", first)
        if given and not first.fields:
            raise _Problem(f"can't give argument to non-function {first.shown}", first)
        return self.value(first, dot, scope, given=given)

    def value(self, operand: Operand, dot: object, scope: Scope, *, given: bool = False) -> object:
        """An operand that is no command of its own; ``given``: arguments follow."""
        self.last = operand
        kind = operand.kind
        if kind == "function":
            return self.command(Command((operand,)), dot, scope, _MISSING)
        if kind == "pipeline":
            assert isinstance(operand.value, Pipeline)
            return self.fields(self.pipeline(operand.value, dot, scope), operand, operand.fields, False)
        if kind == "variable":
            value = next(value for name, value in reversed(scope) if name == operand.value)
            return self.fields(value, operand, operand.fields, given)
        if kind == "field":
            return self.fields(dot, operand, operand.fields, given)
        return dot if kind == "dot" else operand.value

    @staticmethod
    def fields(value: object, operand: Operand, names: Sequence[str], given: bool) -> object:
        for number, name in enumerate(names):
            if not isinstance(value, IfAddr | SockAddr) or name not in value.FIELDS:
                text = f"can't evaluate field {name} in type {type_name(value)}"
                if value is None:
                    text = f"nil data; no entry for key {quoted(name)}"
                raise _Problem(text, operand)
            if given and number == len(names) - 1:
                raise _Problem(f"{name} has arguments but cannot be invoked as function", operand)
            value = value.field(name)
        return value

    def call(self, name: Operand, command: Command, dot: object, scope: Scope, final: object) -> object:
        function = self.functions[name.shown]
        operands = command.operands[1:]
        count = len(operands) + (final is not _MISSING)
        wanted = len(function.takes)
        if function.variadic and count < wanted - 1:
            raise _Problem(f"wrong number of args for {name.shown}: want at least {wanted - 1} got {count}", name)
        if not function.variadic and count != wanted:
            raise _Problem(f"wrong number of args for {name.shown}: want {wanted} got {count}", name)
        arguments = []
        for number, operand in enumerate(operands):
            kind = function.takes[min(number, wanted - 1)]
            arguments.append(self.argument(operand, kind, dot, scope))
        if final is not _MISSING:
            arguments.append(self.fitting(final, function.takes[min(count, wanted) - 1]))
        try:
            return function.call(*arguments)
        except CallError as error:
            raise _Problem(f"error calling {name.shown}: {error}", name, command.shown) from None

    def argument(self, operand: Operand, kind: str, dot: object, scope: Scope) -> object:
        value = self.value(operand, dot, scope)
        if kind == "any" or operand.kind not in ("bool", "number", "string", "nil"):
            return self.fitting(value, kind)
        if kind == "string" and operand.kind == "string":
            return value
        if kind in ("int", "uint") and operand.kind == "number":
            whole = isinstance(value, int | float) and value == int(value)
            if whole and (kind == "int" or value >= 0):  # type: ignore[operator]
                return int(value)  # type: ignore[call-overload]
        if kind == "string":
            raise _Problem(f"expected string; found {operand.shown}", operand)
        if kind in ("int", "uint"):
            raise _Problem(f"expected {'unsigned ' * (kind == 'uint')}integer; found {operand.shown}", operand)
        if operand.kind == "nil":
            raise _Problem(f"cannot assign nil to {kind}", operand)
        raise _Problem(f"can't handle {operand.shown} for arg of type {kind}", operand)

    def fitting(self, value: object, kind: str) -> object:
        if kind not in ("any", type_name(value)):
            raise _Problem(f"wrong type for value; expected {kind}; got {type_name(value)}", self.last)
        return value


def _truth(value: object) -> bool:
    return True if isinstance(value, IfAddr | SockAddr) else bool(value)


# What every template has.


def _compared(name: str, left: object, right: object) -> bool:
    for value in (left, right):
        if isinstance(value, IfAddrs):
            raise CallError(f"uncomparable type {type_name(value)}: {shown(value)}")
    if type(left) is not type(right):
        raise CallError("incompatible types for comparison")
    if name in ("eq", "ne"):
        return (left == right) == (name == "eq")
    if isinstance(left, bool | IfAddr | SockAddr | complex) or left is None:
        raise CallError("invalid type for comparison")
    below, same = bool(left < right), left == right  # type: ignore[operator]
    return {"lt": below, "le": below or same, "gt": not below and not same, "ge": not below}[name]


def _equal(first: object, *others: object) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    found = [_compared("eq", first, other) for other in others]
    return any(found)


def _index(value: object, *places: object) -> object:
    for place in places:
        if not isinstance(value, str | list):
            raise CallError(f"can't index item of type {type_name(value)}")
        if isinstance(place, bool) or not isinstance(place, int):
            raise CallError(f"cannot index slice/array with type {type_name(place)}")
        sequence = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        if not 0 <= place < len(sequence):
            raise CallError(f"index out of range: {place}")
        value = sequence[place]
    return value


def _slice(value: object, *places: object) -> object:
    if not isinstance(value, str | list):
        raise CallError(f"can't slice item of type {type_name(value)}")
    if len(places) > (2 if isinstance(value, str) else 3):
        text = f"too many slice indexes: {len(places)}"
        raise CallError("cannot 3-index slice a string" if len(places) == 3 else text)
    sequence = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    bounds = [0, len(sequence)]
    for number, place in enumerate(places[:2]):
        if isinstance(place, bool) or not isinstance(place, int):
            raise CallError(f"cannot index slice/array with type {type_name(place)}")
        if not 0 <= place <= len(sequence):
            raise CallError(f"index out of range: {place}")
        bounds[number] = place
    if bounds[0] > bounds[1]:
        raise CallError(f"invalid slice index: {bounds[0]} > {bounds[1]}")
    part = sequence[bounds[0] : bounds[1]]
    return part.decode("utf-8", "surrogateescape") if isinstance(part, bytes) else IfAddrs(part)


def _len(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, list):
        return len(value)
    raise CallError(f"len of type {type_name(value)}")


def _call(value: object, *arguments: object) -> object:
    raise CallError(f"non-function of type {type_name(value)}")


def _text(values: Sequence[object]) -> str:
    return values[0] if len(values) == 1 and isinstance(values[0], str) else sprint(list(values))


def _script(*values: object) -> str:
    out = ""
    for char in _text(values):
        if char in "\\'\"":
            out += "\\" + char
        elif char in "<>&=":
            out += f"\\u{ord(char):04X}"
        else:
            out += char if char.isprintable() else f"\\u{ord(char):04X}"
    return out


def _markup(*values: object) -> str:
    return html.escape(_text(values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("\0", "\ufffd")


def _any(call: Callable[..., object], least: int) -> Function:
    return Function(call, ("any",) * (least + 1), variadic=True)


BUILTINS: Final[dict[str, Function]] = {
    "and": _any(lambda first, *others: next((v for v in (first, *others) if not _truth(v)), (first, *others)[-1]), 1),
    "or": _any(lambda first, *others: next((v for v in (first, *others) if _truth(v)), (first, *others)[-1]), 1),
    "not": Function(lambda value: not _truth(value), ("any",)),
    "call": _any(_call, 1),
    "html": _any(_markup, 0),
    "index": _any(_index, 1),
    "js": _any(_script, 0),
    "len": Function(_len, ("any",)),
    "print": _any(lambda *values: sprint(list(values)), 0),
    "printf": Function(lambda text, *values: sprintf(text, list(values)), ("string", "any"), variadic=True),
    "println": _any(lambda *values: " ".join(map(shown, values)) + "\n", 0),
    "slice": _any(_slice, 1),
    "urlquery": _any(lambda *values: quote_plus(_text(values)), 0),
    "eq": _any(_equal, 1),
    "ne": Function(lambda left, right: _compared("ne", left, right), ("any", "any")),
    "lt": Function(lambda left, right: _compared("lt", left, right), ("any", "any")),
    "le": Function(lambda left, right: _compared("le", left, right), ("any", "any")),
    "gt": Function(lambda left, right: _compared("gt", left, right), ("any", "any")),
    "ge": Function(lambda left, right: _compared("ge", left, right), ("any", "any")),
}
