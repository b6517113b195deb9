"""Ids of state store rows."""

from __future__ import annotations

from proconsul.features.errors import StateError

UUID_LENGTH = 36
_HEX = frozenset("0123456789abcdefABCDEF")


def uuid_key(text: str) -> str:
    """What the original's tables compare of an id: its hexadecimal digits. Neither case nor hyphens matter."""
    return text.replace("-", "").lower()


def check_uuid(text: str, what: str) -> None:
    """Refuse ids that cannot be a UUID, with the text of the original's UUID index. Raises StateError."""
    if len(text) != UUID_LENGTH:
        raise StateError(f"failed {what} lookup: index error: UUID must be 36 characters")
    if text.count("-") > 4:
        raise StateError(f'failed {what} lookup: index error: UUID should have maximum of 4 "-"; got {text.count("-")}')
    fault = _hex_fault(text.replace("-", ""))
    if fault:
        raise StateError(f"failed {what} lookup: index error: Invalid UUID: {fault}")


def _hex_fault(digits: str) -> str:
    bad = next((char for char in digits if char not in _HEX), None)
    return "" if bad is None else f"encoding/hex: invalid byte: U+{ord(bad):04X} '{bad}'"


def uuid_fault(text: str) -> str:
    """What the original's parser of UUIDs says of a text, empty when it is one."""
    if len(text) != UUID_LENGTH:
        return "uuid string is wrong length"
    if [place for place, char in enumerate(text) if char == "-"] != [8, 13, 18, 23]:
        return "uuid is improperly formatted"
    return _hex_fault(text.replace("-", ""))


def is_uuid(text: str) -> bool:
    """True for 8-4-4-4-12 hexadecimal digits."""
    return not uuid_fault(text)
