"""Small pieces of text formatting that error messages share with the original."""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = {
    "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"', "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v",
}  # fmt: skip


def quoted(text: str) -> str:
    """``text`` as Go's %q prints it; bytes that are not UTF-8 are what surrogateescape makes of them."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for char in text:
        if char in _NAMED:
            out.append(_NAMED[char])
        elif char.isprintable():
            out.append(char)
        elif "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char < " ":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


def multi_error(errors: Iterable[str]) -> str:
    """Several errors in one text: a header, a line for each, an empty line."""
    texts = list(errors)
    assert texts, "an error list is never empty"
    head = "1 error occurred" if len(texts) == 1 else f"{len(texts)} errors occurred"
    return f"{head}:\n" + "".join(f"\t* {text}\n" for text in texts) + "\n"
