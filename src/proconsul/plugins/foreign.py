"""What belongs to a plug-in and is looked at outside its calls: its class, the hooks of its ``Settings``, what it
returned, its errors. Any of it may be code of the author's, which raises what it likes, or wants to end the program.
Pure.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import Final

__all__ = ["HIDDEN", "WHATEVER", "plain_text", "shown", "words"]

# What stands in place of a secret.
HIDDEN: Final = "<hidden>"

# Not KeyboardInterrupt: that is the user's. On threads of the plug-in's own it is caught as well, see `workers`.
WHATEVER: Final = (Exception, SystemExit, GeneratorExit, CancelledError)
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
