"""Go's ``text/template`` language, from text to a tree (Go documentation: package text/template). Pure.

Refusals have Go's texts. Positions are byte offsets within the template, as error texts show them within their line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from proconsul.agent.config.sockaddr.lexer import KEYWORDS, SyntaxProblem, Token, error_text, line_of, tokens_of
from proconsul.engine.wire.text import quoted

__all__ = [
    "Branch", "Command", "Include", "Node", "Operand", "Pipeline", "SyntaxProblem", "Text", "parse_template",
]  # fmt: skip

# Nesting that a person writes stays far below; Python's own stack ends at about a thousand frames.
DEPTH_MAX: Final = 60

_NO_OPERAND: Final = frozenset({"EOF", "error", "other", "badnumber", ",", ":=", "="}) | KEYWORDS - {"nil"}


class Text(NamedTuple):
    text: str


class Operand(NamedTuple):
    """``kind``: dot, nil, bool, number, string, field, variable, function or pipeline; ``fields``: those taken of it.

    ``shown`` is how error texts write it, ``at`` where they say it is: of a field of a field, the last one.
    """

    kind: str
    value: object
    at: int
    shown: str
    fields: tuple[str, ...] = ()


class Command(NamedTuple):
    operands: tuple[Operand, ...]

    @property
    def shown(self) -> str:
        pieces = [f"({one.shown})" if one.kind == "pipeline" else one.shown for one in self.operands]
        return " ".join(pieces)


class Pipeline(NamedTuple):
    """``names``: the variables it sets; ``assigns`` when they are there already."""

    commands: tuple[Command, ...]
    names: tuple[str, ...]
    assigns: bool

    @property
    def shown(self) -> str:
        head = f"{', '.join(self.names)} {'=' if self.assigns else ':='} " if self.names else ""
        return head + " | ".join(command.shown for command in self.commands)


class Branch(NamedTuple):
    """``if``, ``range`` and ``with``; ``print`` for a pipeline that is shown."""

    kind: str
    pipeline: Pipeline
    body: tuple[Node, ...] = ()
    otherwise: tuple[Node, ...] = ()


class Include(NamedTuple):
    """``{{template "name" pipeline}}``."""

    name: str
    pipeline: Pipeline | None
    at: int
    shown: str


Node = Text | Branch | Include


def parse_template(text: str, functions: Collection[str]) -> tuple[tuple[Node, ...], dict[str, tuple[Node, ...]]]:
    """The nodes of ``text`` and of the templates it defines. Raises SyntaxProblem."""
    parser = _Parser(text, functions)
    nodes = parser.top()
    return nodes, parser.defined


class _Parser:
    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.text = text
        self.functions = functions
        self.tokens = tokens_of(text)
        self.place = 0
        self.variables = ["$"]
        self.defined: dict[str, tuple[Node, ...]] = {}
        self.depth = 0

    def peek(self) -> Token:
        return self.tokens[self.place]

    def next(self) -> Token:
        token = self.tokens[self.place]
        self.place += token.kind != "EOF"
        return token

    def fail(self, token: Token, text: str) -> SyntaxProblem:
        return SyntaxProblem(line_of(self.text, token.at), text)

    def unexpected(self, token: Token, context: str) -> SyntaxProblem:
        if token.kind == "EOF":
            shown = "EOF" if self.place == 0 or self.tokens[self.place - 1].kind == "}}" else "unclosed action"
            if shown == "EOF" or context == "template clause":
                return self.fail(token, "unexpected EOF")
        elif token.kind == "error":
            shown = error_text(token)
        elif token.kind == "badnumber":
            shown = f"bad number syntax: {quoted(token.text)}"
        elif token.kind in KEYWORDS or token.kind == ".":
            shown = f"<{token.text}>"
        else:
            shown = quoted(token.text) if len(token.text) <= 10 else f"{quoted(token.text[:10])}..."
        return self.fail(token, f"unexpected {shown} in {context}")

    # ------------------------------------------------------------------ lists of nodes

    def top(self) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while self.peek().kind != "EOF":
            if self.peek().kind == "{{" and self.tokens[self.place + 1].kind == "define":
                self.place += 2
                self.define("define clause")
                continue
            node = self.node()
            if isinstance(node, str):
                raise self.fail(self.peek(), f"unexpected {{{{{node}}}}}")
            nodes.append(node)
        return tuple(nodes)

    def define(self, context: str) -> str:
        token = self.next()
        if token.kind not in ("string", "raw"):
            raise self.unexpected(token, context)
        name = self.unquoted(token)
        if context == "define clause":
            self.close(context)
            kept, self.variables = self.variables, ["$"]
            self.defined[name] = self.body("define")[0]
            self.variables = kept
        return name

    def body(self, kind: str) -> tuple[tuple[Node, ...], str]:
        """The nodes up to ``{{end}}`` or ``{{else}}``, and which of them it was."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.fail(self.peek(), f"nested deeper than {DEPTH_MAX}")
        nodes: list[Node] = []
        while True:
            if self.peek().kind == "EOF":
                raise self.fail(self.peek(), "unexpected EOF")
            node = self.node()
            if isinstance(node, str):
                if kind == "define" and node != "end":
                    raise self.fail(self.peek(), f"unexpected {{{{{node}}}}} in define clause")
                self.depth -= 1
                return tuple(nodes), node
            nodes.append(node)

    def node(self) -> Node | str:
        """One node; ``end``, ``else`` or ``else if`` where these stand."""
        token = self.next()
        if token.kind == "text":
            return Text(token.text)
        token = self.peek()
        if token.kind in ("if", "range", "with"):
            self.next()
            return self.branch(token.kind)
        if token.kind in ("end", "else"):
            self.next()
            if token.kind == "else" and self.peek().kind == "if":
                return "else if"
            self.close(token.kind)
            return token.kind
        if token.kind in ("template", "block"):
            self.next()
            return self.include(token)
        pipeline = self.pipeline("command", "}}")
        return Branch("print", pipeline)

    def close(self, context: str) -> None:
        token = self.next()
        if token.kind != "}}":
            raise self.unexpected(token, context)

    def branch(self, kind: str) -> Branch:
        scope = len(self.variables)
        pipeline = self.pipeline(kind, "}}")
        body, ended = self.body(kind)
        otherwise: tuple[Node, ...] = ()
        if ended == "else if":
            if kind != "if":
                raise self.unexpected(self.peek(), "else")
            self.next()
            otherwise = (self.branch("if"),)
        elif ended == "else":
            otherwise, ended = self.body(kind)
            if ended != "end":
                raise self.fail(self.peek(), f"expected end; found {{{{{ended}}}}}")
        del self.variables[scope:]
        return Branch(kind, pipeline, body, otherwise)

    def include(self, token: Token) -> Include:
        context = f"{token.kind} clause"
        name = self.define(context)
        at = self.tokens[self.place - 1].at
        pipeline = None
        if token.kind == "block" or self.peek().kind != "}}":
            pipeline = self.pipeline(context, "}}")
        else:
            self.next()
        if token.kind == "block":
            kept, self.variables = self.variables, ["$"]
            self.defined[name] = self.body("define")[0]
            self.variables = kept
        shown = f"{{{{template {quoted(name)}{' ' + pipeline.shown if pipeline else ''}}}}}"
        return Include(name, pipeline, at, shown)

    # ------------------------------------------------------------------ pipelines

    def pipeline(self, context: str, closing: str) -> Pipeline:
        names, assigns = self.declarations(context)
        commands: list[Command] = []
        while True:
            token = self.peek()
            if token.kind == closing:
                self.next()
                break
            if token.kind in ("bool", "char", "number", "string", "raw", "word", "variable", "field", ".", "(", "nil"):
                commands.append(self.command())
                continue
            self.next()
            if token.kind != ")":
                raise self.unexpected(token, context)
            break
        if not commands:
            raise self.fail(token, f"missing value for {context}")
        for number, command in enumerate(commands[1:], 2):
            if command.operands[0].kind in ("bool", "dot", "nil", "number", "string"):
                raise self.fail(token, f"non executable command in pipeline stage {number}")
        if token.kind != closing:
            raise self.unexpected(token, "input")
        if not assigns:
            self.variables += names
        return Pipeline(tuple(commands), tuple(names), assigns)

    def declarations(self, context: str) -> tuple[list[str], bool]:
        names: list[str] = []
        while self.peek().kind == "variable":
            following = self.tokens[self.place + 1]
            if following.kind in (":=", "="):
                names.append(self.next().text)
                self.next()
                if following.kind == "=":
                    for name in names:
                        self.known(name, following)
                return names, following.kind == "="
            if following.kind != ",":
                break
            names.append(self.next().text)
            comma = self.next()
            if context != "range" or len(names) > 1:
                raise self.fail(comma, f"too many declarations in {context}")
            if self.peek().kind not in ("variable", "}}", ")"):
                raise self.fail(comma, "range can only initialize variables")
        self.variables += names
        return names, False

    def command(self) -> Command:
        operands: list[Operand] = []
        while True:
            if self.peek().kind not in ("}}", ")", "|"):
                operands.append(self.operand())
            token = self.peek()
            if token.kind in ("}}", ")"):
                break
            if token.kind == "|":
                self.next()
                break
            if token.kind == "error":
                raise self.fail(token, error_text(token))
            if not token.spaced:
                self.next()
                raise self.unexpected(token, "operand")
            if token.kind in _NO_OPERAND:
                self.next()
                raise self.unexpected(token, "operand" if token.kind != "EOF" else "command")
        return Command(tuple(operands))

    def operand(self) -> Operand:
        first = self.next()
        operand = self.term(first)
        fields = []
        last = first
        while self.peek().kind == "field" and not self.peek().spaced:
            last = self.next()
            fields.append(last.text[1:])
        if not fields:
            return operand
        if operand.kind in ("bool", "string", "number", "nil", "dot"):
            raise self.fail(first, f"unexpected . after term {quoted(operand.shown)}")
        shown = operand.shown + "".join(f".{name}" for name in fields)
        if operand.kind in ("field", "variable"):
            return operand._replace(fields=(*operand.fields, *fields), shown=shown, at=last.at)
        # The texts name what stands before the fields.
        return operand._replace(fields=(*operand.fields, *fields))

    def term(self, token: Token) -> Operand:
        kind, text, at = token.kind, token.text, token.at
        if kind == "word":
            if text not in self.functions:
                raise self.fail(token, f"function {quoted(text)} not defined")
            return Operand("function", text, at, text)
        if kind == ".":
            return Operand("dot", None, at, ".")
        if kind == "nil":
            return Operand("nil", None, at, "nil")
        if kind == "variable":
            self.known(text, token)
            return Operand("variable", text, at, text)
        if kind == "field":
            return Operand("field", None, at, text, (text[1:],))
        if kind == "bool":
            return Operand("bool", text == "true", at, text)
        if kind in ("string", "raw"):
            return Operand("string", self.unquoted(token), at, text)
        if kind in ("number", "char"):
            return Operand("number", self.number(token), at, text)
        if kind != "(":
            raise self.unexpected(token, "operand")
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.fail(token, f"nested deeper than {DEPTH_MAX}")
        pipeline = self.pipeline("parenthesized pipeline", ")")
        self.depth -= 1
        return Operand("pipeline", pipeline, pipeline.commands[0].operands[0].at, pipeline.shown)

    def known(self, name: str, token: Token) -> None:
        if name not in self.variables:
            raise self.fail(token, f"undefined variable {quoted(name)}")

    def number(self, token: Token) -> int | float | complex:
        text = token.text
        if token.kind == "char":
            try:
                value = _unquote(text)
            except ValueError:
                value = ""
            if len(value) != 1:
                raise self.fail(token, f"malformed character constant: {text}")
            return ord(value)
        try:
            if text.endswith("i"):
                return complex(0, float(text[:-1].replace("_", "")))
            if re.fullmatch(r"[+-]?0[0-7_]+", text):
                return int(text.replace("_", ""), 8)
            return int(text, 0) if re.fullmatch(r"[+-]?(0[xXbBoO][0-9a-fA-F_]+|[0-9_]+)", text) else float(text)
        except ValueError:
            raise self.fail(token, f"illegal number syntax: {quoted(text)}") from None

    def unquoted(self, token: Token) -> str:
        if token.kind == "raw":
            return token.text[1:-1]
        try:
            return _unquote(token.text)
        except ValueError:
            raise self.fail(token, "invalid syntax") from None


_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))", re.DOTALL
)
_SIMPLE: Final = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))


def _unquote(text: str) -> str:
    """A Go string or character literal. Raises ValueError."""
    quote = text[0]

    def value(match: re.Match[str]) -> str:
        if match[1] is not None:
            if match[1] in "'\"" and match[1] != quote:
                raise ValueError(text)
            return _SIMPLE[match[1]]
        if match[6] is not None:
            raise ValueError(text)
        code = int(match[5], 8) if match[5] is not None else int(match[2] or match[3] or match[4], 16)
        return chr(code)

    return _ESCAPE.sub(value, text[1:-1])
