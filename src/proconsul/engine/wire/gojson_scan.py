"""Why a text is not JSON, in the words of Go's scanner. Used only after fast parsing has failed."""

from __future__ import annotations

_ESCAPES = '"\\/bfnrt'
_DEPTH_MAX = 10000  # encoding/json: maxNestingDepth
_DIGITS = "0123456789"


class _Stop(Exception):
    pass


def _quote(char: str) -> str:
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    if char.isprintable():
        return f"'{char}'"
    named = {"\n": r"'\n'", "\r": r"'\r'", "\t": r"'\t'"}
    return named.get(char) or f"'\\x{ord(char):02x}'"


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, context: str) -> _Stop:
        if self.at >= len(self.text):
            return _Stop("unexpected EOF")
        return _Stop(f"invalid character {_quote(self.text[self.at])} {context}")

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def space(self) -> str:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1
        return self.peek()

    def string(self) -> None:
        self.at += 1
        while True:
            char = self.peek()
            if char == '"':
                self.at += 1
                return
            if char == "" or char < " ":
                raise self.fail("in string literal")
            self.at += 1
            if char != "\\":
                continue
            escape = self.peek()
            if escape == "u":
                self.at += 1
                for _ in range(4):
                    if self.peek() == "" or self.peek() not in "0123456789abcdefABCDEF":
                        raise self.fail("in \\u hexadecimal character escape")
                    self.at += 1
            elif escape == "" or escape not in _ESCAPES:
                raise self.fail("in string escape code")
            else:
                self.at += 1

    def digits(self, context: str) -> None:
        if self.peek() == "" or self.peek() not in _DIGITS:
            raise self.fail(context)
        while self.peek() and self.peek() in _DIGITS:
            self.at += 1

    def number(self) -> None:
        if self.peek() == "-":
            self.at += 1
        if self.peek() == "0":
            self.at += 1
        else:
            self.digits("in numeric literal")
        if self.peek() == ".":
            self.at += 1
            self.digits("after decimal point in numeric literal")
        if self.peek() and self.peek() in "eE":
            self.at += 1
            if self.peek() and self.peek() in "+-":
                self.at += 1
            self.digits("in exponent of numeric literal")

    def word(self, word: str) -> None:
        for expected in word[1:]:
            self.at += 1
            if self.peek() != expected:
                raise self.fail(f"in literal {word} (expecting {_quote(expected)})")
        self.at += 1

    def scalar(self, char: str) -> None:
        if char == '"':
            self.string()
        elif char and char in "-0123456789":
            self.number()
        elif char in ("t", "f", "n"):
            self.word({"t": "true", "f": "false", "n": "null"}[char])
        else:
            raise self.fail("looking for beginning of value")

    def value(self) -> None:
        """Walk one value with an explicit stack, so that depth costs memory and not the interpreter's stack."""
        stack: list[str] = []
        while True:
            char = self.space()
            if char and char in "{[":
                stack.append(char)
                if len(stack) > _DEPTH_MAX:
                    raise _Stop("exceeded max depth")
                self.at += 1
                if self.space() == ("}" if char == "{" else "]"):
                    self.at += 1
                    stack.pop()
                elif char == "{":
                    self.key("looking for beginning of object key string")
                    continue
                else:
                    continue
            else:
                self.scalar(char)
            if not self.after(stack):
                return

    def key(self, context: str) -> None:
        if self.space() != '"':
            raise self.fail(context)
        self.string()
        if self.space() != ":":
            raise self.fail("after object key")
        self.at += 1

    def after(self, stack: list[str]) -> bool:
        """What follows a value: True when another value starts, False when the outermost one has ended."""
        while stack:
            char = self.space()
            is_object = stack[-1] == "{"
            if char == ",":
                self.at += 1
                if is_object:
                    self.key("looking for beginning of object key string")
                return True
            if char != ("}" if is_object else "]"):
                raise self.fail("after object key:value pair" if is_object else "after array element")
            self.at += 1
            stack.pop()
        return False


def explain_syntax(text: str) -> str | None:
    """Go's error text for the first value of ``text``, or None when that value is well formed."""
    if not text.strip(" \t\r\n"):
        return "EOF"
    try:
        _Scanner(text).value()
    except _Stop as stop:
        return str(stop)
    return None
