"""What belongs to a plug-in and is looked at outside its calls: its class, the hooks of its ``Settings``, what it
returned, its errors. Any of it may be code of the author's, which raises what it likes, or wants to end the program.
Pure.
"""

from __future__ import annotations

from typing import Final

__all__ = ["HIDDEN", "WHATEVER", "plain_text", "shown", "words"]

# What stands in place of a secret.
HIDDEN: Final = "<hidden>"

# What ends programs and tasks as well. Who presses Ctrl-C is heard by a handler of signals, and not by this.
WHATEVER: Final = (BaseException,)
# Characters of what a plug-in raises that are shown to others.
_TEXT_MAX: Final = 1024


def words(error: BaseException, secret: str = "") -> str:
    """What an error says, as a text that can be sent and written anywhere, and without ``secret``."""
    try:
        text = plain_text(str(error))
    except WHATEVER:
        text = "an error that cannot say what it is"
    if secret:  # before it is cut, perhaps within the secret
        text = text.replace(secret, HIDDEN)
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX] + "..."


def shown(error: BaseException, secret: str = "") -> str:
    """An error of a plug-in's for others, as `words`, with what it is."""
    text = words(error, secret)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def plain_text(text: str) -> str:
    """A text as one of no class of its own, with a '?' for each half of a character that stands alone: of these
    there is no UTF-8."""
    return str.encode(text, "utf-8", "replace").decode()
