"""Go's regular expressions (RE2 syntax) in terms of Python's ``re``, with Go's texts for what is refused.

An expression may come from anybody who may ask, and is matched where nothing else is done meanwhile: what would take
too long is refused, though Go would try it. Pure.
"""

from __future__ import annotations

import re
from typing import Protocol

# Names are short; a pattern longer than this is a mistake, and the compiled form of long ones is large.
PATTERN_CHARS_MAX = 4096
REPEAT_MAX = 1000
# Instructions of a compiled expression: at worst each is tried for every byte of a text. `[a-z]{1,63}` has some 130.
PROGRAM_MAX = 20_000
# What RE2 may use to compile and to match.
MEMORY_MAX = 4 << 20

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ", "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
# The Unicode classes people use, as far as ranges of common scripts go.
_UNICODE = {
    "L": "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0370-\u03ff\u0400-\u052f\u0531-\u0587"
    "\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e30\u10a0-\u10ff\u1e00-\u1fff\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3",
    "Lu": "A-Z\u00c0-\u00d6\u00d8-\u00de\u0410-\u042f\u0391-\u03a9",
    "Ll": "a-z\u00b5\u00df-\u00f6\u00f8-\u00ff\u0430-\u044f\u03b1-\u03c9",
    "N": "0-9\u00b2\u00b3\u00b9\u00bc-\u00be\u0660-\u0669\u0966-\u096f",
    "Nd": "0-9\u0660-\u0669\u0966-\u096f",
    "P": r"!-#%-*,-/:;?@\[-\]_{}" + "\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027\u3001-\u3003",
    "S": r"$+<=>^`|~" + "\u00a2-\u00a6\u00a8\u00a9\u00ac\u00ae-\u00b1\u00b4\u00b8\u00d7\u00f7\u20a0-\u20bf",
    "Z": " \u00a0\u2000-\u200a\u2028\u2029\u202f\u3000",
}  # fmt: skip
_PERL = {"d": "0-9", "s": r"\t\n\f\r ", "w": "0-9A-Za-z_"}
_PERL_NEGATED = {"D": "d", "S": "s", "W": "w"}
_REPEAT = re.compile(r"\{(\d{1,9})(?:(,)(\d{1,9})?)?\}")
_OCTAL = re.compile(r"[1-7][0-7]{1,2}|0[0-7]{0,2}")
_HEX = re.compile(r"x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})")
_PROPERTY = re.compile(r"[pP](?:([A-Za-z])|\{(\^?)(\w+)\})")


class Pattern(Protocol):
    """A compiled expression; only whether it matches somewhere is ever asked."""

    def search(self, text: str, /) -> object: ...


# What surrogateescape makes of bytes that are no UTF-8.
_NO_TEXT = re.compile("[\ud800-\udfff]")


class ExpressionTooLarge(ValueError):
    """Something that is good, and that would take too long, or too much memory."""

    def __init__(self, text: str = "error parsing regexp: expression too large") -> None:
        super().__init__(text)


def compile_go(pattern: str) -> Pattern:
    """Compile a Go pattern; raises ``ValueError`` with Go's text, `ExpressionTooLarge` for what only we refuse.

    Matching is RE2's, the engine Go's grew out of: linear in the text, so a hostile expression cannot stall the agent.
    Python's ``re`` stands in where there is no RE2 for the platform, and nowhere else: it may try for ages.
    """
    if len(pattern) > PATTERN_CHARS_MAX:
        raise ExpressionTooLarge
    invalid = _NO_TEXT.search(pattern)
    if invalid is not None:
        raise _bad("invalid UTF-8", pattern[invalid.start() :])
    translator = _Translator(pattern)
    translated = translator.translate()
    try:
        import re2

    except ImportError:
        return _compiled_by_python(pattern, translated, translator.untranslated)
    options = re2.Options()
    options.log_errors, options.max_mem = False, MEMORY_MAX
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        # Everything else that Go refuses was found by reading it.
        raise ExpressionTooLarge if text.startswith("pattern too large") else _bad(text, pattern) from None
    if compiled.programsize > PROGRAM_MAX:
        raise ExpressionTooLarge
    found: Pattern = compiled
    return found


def _compiled_by_python(pattern: str, translated: str, untranslated: str) -> Pattern:
    if untranslated:
        raise _bad("invalid character class range", untranslated)
    try:
        return re.compile(translated)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"error parsing regexp: {error}: `{pattern}`") from None


def _is_property(text: str) -> bool:
    """Whether RE2 knows the Unicode class ``text``, such as ``\\p{Greek}``; Go has the same."""
    try:
        import re2
    except ImportError:
        return False
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error:
        return False
    return True


def _bad(reason: str, part: str) -> ValueError:
    return ValueError(f"error parsing regexp: {reason}: `{part}`")


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.out: list[str] = []
        # For each open group: the scopes of flags open around it, the flags outside it, and the highest count there.
        self.groups: list[tuple[list[str], frozenset[str], int]] = []
        self.scopes: list[str] = []
        self.flags: frozenset[str] = frozenset()
        # Where the last repeatable item starts in the pattern, and where the last repetition does; -1: none.
        self.item = -1
        self.repeated = -1
        # How often the innermost part of the last item is repeated, and that of the other items of its group, at most.
        self.item_count = self.others = 1
        # The first part that is good and that Python has no words for.
        self.untranslated = ""

    def translate(self) -> str:
        pattern = self.pattern
        while self.at < len(pattern):
            self.one(pattern[self.at])
        if self.groups:
            raise _bad("missing closing )", pattern)
        self.out.append(")" * len(self.scopes))
        return "".join(self.out)

    def one(self, char: str) -> None:
        if char in "*+?":
            self.repetition(self.at + 1)
        elif char == "{" and (found := _REPEAT.match(self.pattern, self.at)):
            low, high = int(found[1]), int(found[3]) if found[3] else None
            if low > REPEAT_MAX or (high is not None and (high > REPEAT_MAX or high < low)):
                raise _bad("invalid repeat count", found[0])
            times = (low or 1) if found[2] and high is None else low if high is None else high
            self.repetition(found.end(), times, counts=max(low, high or 0) > 1)
        elif char == "(":
            self.open_group()
        elif char == ")":
            self.close_group()
        elif char == "[":
            self.emit(*self.char_class(self.at))
        elif char == "\\":
            self.escape()
        elif char == "|":
            # Flags set inside an alternative hold for the following ones, so their scopes are opened again.
            self.out += [")" * len(self.scopes), "|", *self.scopes]
            self.at, self.item, self.repeated = self.at + 1, -1, -1
        elif char == "$":
            self.emit("(?:$)" if "m" in self.flags else r"(?:\Z)", self.at + 1)
        elif char in "^.":
            # Grouped, because Python refuses to repeat a bare assertion and Go does not.
            self.emit("(?:^)" if char == "^" else ".", self.at + 1)
        else:
            self.emit(re.escape(char), self.at + 1)

    def emit(self, text: str, end: int) -> None:
        self.out.append(text)
        self.begin_item()
        self.at = end

    def begin_item(self, count: int = 1) -> None:
        self.others, self.item_count = max(self.others, self.item_count), count
        self.item, self.repeated = self.at, -1

    def repetition(self, end: int, times: int = 1, *, counts: bool = False) -> None:
        start = self.at
        if self.pattern[end : end + 1] == "?":
            end += 1
        if self.repeated >= 0:
            raise _bad("invalid nested repetition operator", self.pattern[self.repeated : end])
        if self.item < 0:
            raise _bad("missing argument to repetition operator", self.pattern[start:end])
        self.item_count *= times
        if counts and self.item_count > REPEAT_MAX:
            raise _bad("invalid repeat count", self.pattern[start:end])
        self.out.append(self.pattern[start:end])
        self.repeated, self.at = start, end

    def open_group(self) -> None:
        pattern = self.pattern
        if not pattern.startswith("(?", self.at):
            self.begin("(", self.at + 1)
        elif pattern.startswith("(?P<", self.at):
            end = pattern.find(">", self.at) + 1
            if not end:
                raise _bad("invalid named capture", pattern[self.at :])
            if not re.fullmatch(r"\w+", pattern[self.at + 4 : end - 1], re.ASCII):
                raise _bad("invalid named capture", pattern[self.at : end])
            self.begin("(", end)
        else:
            self.flag_group()

    def begin(self, text: str, end: int) -> None:
        self.groups.append((self.scopes, self.flags, max(self.others, self.item_count)))
        self.scopes, self.others, self.item_count = [], 1, 1
        self.out.append(text)
        self.at, self.item, self.repeated = end, -1, -1

    def flag_group(self) -> None:
        """``(?i-s:`` and ``(?i-s)``."""
        pattern, at = self.pattern, self.at + 2
        switched: list[set[str]] = [set(), set()]
        off, flag_seen, closing = False, False, ""
        while not closing:
            char = pattern[at : at + 1]
            at += 1
            if char and char in "imsU":
                switched[off].add(char)
                flag_seen = True
            elif char == "-" and not off:
                off, flag_seen = True, False
            elif char in (":", ")") and (flag_seen or not off):
                closing = char
            else:
                raise _bad("invalid or unsupported Perl syntax", pattern[self.at : at])
        self.switch(switched[0], switched[1], closing, at)

    def switch(self, on: set[str], off: set[str], closing: str, end: int) -> None:
        outer = self.flags
        flags = (outer | on) - off
        # Python knows no U: which text is matched first does not matter here.
        added, removed = "".join(sorted(on - {"U"})), "".join(sorted(off - on - {"U"}))
        scope = f"(?{added}{'-' + removed if removed else ''}:" if added or removed else "(?:"
        if closing == ":":
            self.begin(scope, end)
        else:
            # Flags to the end of the enclosing group: a scope closed together with that group.
            self.out.append(scope)
            self.scopes.append(scope)
            # What came before may still be repeated.
            self.at, self.repeated = end, -1
        self.flags = frozenset(flags)

    def close_group(self) -> None:
        if not self.groups:
            raise _bad("unexpected )", self.pattern)
        self.out.append(")" * (len(self.scopes) + 1))
        inside = max(self.others, self.item_count)
        self.scopes, self.flags, self.others = self.groups.pop()
        self.item_count = 1
        self.begin_item(inside)
        self.at += 1

    def escape(self) -> None:
        pattern, at = self.pattern, self.at
        if at + 1 >= len(pattern):
            raise _bad("trailing backslash at end of expression", "")
        char = pattern[at + 1]
        if char == "Q":
            end = pattern.find("\\E", at + 2)
            literal = pattern[at + 2 : end if end >= 0 else len(pattern)]
            self.out.append(re.escape(literal))
            self.begin_item()
            self.at = end + 2 if end >= 0 else len(pattern)
        elif char in "Az":
            self.emit(r"(?:\A)" if char == "A" else r"(?:\Z)", at + 2)
        elif char in "bB":
            self.emit(f"(?a:\\{char})", at + 2)
        else:
            self.emit(*self.escaped(at, inside=False))

    def escaped(self, at: int, *, inside: bool) -> tuple[str, int]:
        """An escape that may stand inside or outside of a class; the translation and the position behind it."""
        pattern = self.pattern
        char = pattern[at + 1 : at + 2]
        if char in _PERL:
            return (_PERL[char] if inside else f"[{_PERL[char]}]"), at + 2
        if char in _PERL_NEGATED:
            return (f"\\{char}" if inside else f"[^{_PERL[_PERL_NEGATED[char]]}]"), at + 2
        if (found := _PROPERTY.match(pattern, at + 1)) is not None:
            name = found[1] or found[3]
            negated = (char == "P") != (found[2] == "^")
            if name not in _UNICODE or (inside and negated):
                if not _is_property("\\" + found[0]):
                    raise _bad("invalid character class range", pattern[at : found.end()])
                self.untranslated = self.untranslated or pattern[at : found.end()]
                return "x", found.end()
            ranges = _UNICODE[name]
            return (ranges if inside else f"[{'^' if negated else ''}{ranges}]"), found.end()
        if char == "x":
            return self.hexadecimal(at)
        if (found := _OCTAL.match(pattern, at + 1)) is not None and (found.end() > at + 2 or char == "0"):
            return re.escape(chr(int(found[0], 8))), found.end()
        if char and char in "afnrtv":
            return f"\\{char}", at + 2
        if char and ord(char) < 0x80 and not char.isalnum():
            return re.escape(char), at + 2
        raise _bad("invalid escape sequence", pattern[at : at + 2])

    def hexadecimal(self, at: int) -> tuple[str, int]:
        """``\\x41`` or ``\\x{41}``."""
        pattern = self.pattern
        if (found := _HEX.match(pattern, at + 1)) is not None and int(found[1] or found[2], 16) <= 0x10FFFF:
            return re.escape(chr(int(found[1] or found[2], 16))), found.end()
        # Go names what it has read when it finds the fault.
        end = at + 2
        if pattern[end : end + 1] == "{":
            end += 1
            code = 0
            while end < len(pattern):
                char = pattern[end]
                end += 1
                if char not in "0123456789abcdefABCDEF":
                    break
                code = code * 16 + int(char, 16)
                if code > 0x10FFFF:
                    break
        else:
            end = min(end + 2, len(pattern))
        raise _bad("invalid escape sequence", pattern[at:end])

    def char_class(self, start: int) -> tuple[str, int]:
        pattern = self.pattern
        at = start + 1
        parts = ["["]
        if pattern[at : at + 1] == "^":
            parts.append("^")
            at += 1
        first = True
        while first or pattern[at : at + 1] != "]":
            if at >= len(pattern):
                raise _bad("missing closing ]", pattern[start:])
            first = False
            found = re.compile(r"\[:(\^?)(\w+):\]").match(pattern, at)
            if found is not None:
                if found[2] not in _CLASSES:
                    raise _bad("invalid character class range", found[0])
                if found[1]:
                    self.untranslated = self.untranslated or found[0]
                parts.append(_CLASSES[found[2]])
                at = found.end()
                continue
            low, end, single = self.class_member(at)
            if single and pattern[end : end + 1] == "-" and pattern[end + 1 : end + 2] not in ("]", ""):
                start_of_high = end + 1
                high, end, single = self.class_member(start_of_high)
                if not single:
                    raise _bad("invalid escape sequence", pattern[start_of_high : start_of_high + 2])
                if _code(high) < _code(low):
                    raise _bad("invalid character class range", pattern[at:end])
                low = f"{low}-{high}"
            parts.append(low)
            at = end
        return "".join(parts) + "]", at + 1

    def class_member(self, at: int) -> tuple[str, int, bool]:
        """One member of a class, the position behind it, and whether it is a single character."""
        pattern = self.pattern
        char = pattern[at]
        if char != "\\":
            return ("\\" + char if char in "\\[]^-&~|" else char), at + 1, True
        if at + 1 >= len(pattern):
            raise _bad("trailing backslash at end of expression", "")
        text, end = self.escaped(at, inside=True)
        return text, end, pattern[at + 1] not in "dDsSwWpP"


def _code(text: str) -> int:
    """The code point of a translated single character."""
    if text.startswith("\\") and len(text) == 2:
        named = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
        return named.get(text[1], ord(text[1]))
    return ord(text[-1])
