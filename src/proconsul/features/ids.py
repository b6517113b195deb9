"""Ids of state store rows."""

from __future__ import annotations

from proconsul.features.errors import StateError

UUID_LENGTH = 36


def check_uuid(text: str, what: str) -> None:
    """Refuse ids that cannot be a UUID, with the text of the original's UUID index. Raises StateError."""
    if len(text) != UUID_LENGTH:
        raise StateError(f"failed {what} lookup: index error: UUID must be 36 characters")
    if text.count("-") > 4:
        raise StateError(f'failed {what} lookup: index error: UUID should have maximum of 4 "-"; got {text.count("-")}')
    digits = text.replace("-", "")
    bad = next((char for char in digits if char not in "0123456789abcdefABCDEF"), None)
    if bad is not None:
        raise StateError(
            f"failed {what} lookup: index error: Invalid UUID: encoding/hex: invalid byte: U+{ord(bad):04X} '{bad}'"
        )


def is_uuid(text: str) -> bool:
    """True for 8-4-4-4-12 hexadecimal digits."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        char in "0123456789abcdefABCDEF" for part in parts for char in part
    )
