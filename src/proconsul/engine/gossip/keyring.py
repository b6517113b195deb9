"""Gossip encryption: AES-GCM under one of several keys, so that keys can be replaced while the pool talks.

No file or socket is touched here. The nonces come from an injected source of random bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from proconsul.engine.gossip.codec import GossipError
from proconsul.engine.wire import gobase64, gojson

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZES = (16, 24, 32)
# Every packet from a stranger is tried with every key, and a pool in the middle of a rotation has two.
KEYS_MAX = 64
NONCE_BYTES = 12
TAG_BYTES = 16
BLOCK_BYTES = 16
# What encryption adds, by version: 1 is written by all that speak protocol 2 or later, 0 pads by PKCS#7.
OVERHEAD = {0: 1 + NONCE_BYTES + TAG_BYTES + BLOCK_BYTES, 1: 1 + NONCE_BYTES + TAG_BYTES}

_SPACE = " \t\r\n"  # between JSON's tokens


class KeyringError(GossipError):
    """A key or a change of keys is refused; the text is the original's."""


class DecryptError(GossipError):
    """The bytes were not encrypted with a key of ours, or were changed on the way."""


class Keyring:
    """Keys, the primary first: it encrypts, all decrypt. Raises KeyringError."""

    def __init__(self, keys: Sequence[bytes], *, random_bytes: Callable[[int], bytes] | None = None) -> None:
        """``random_bytes``: where nonces come from; the operating system's generator unless a test wants others."""
        if not keys or not keys[0]:
            raise KeyringError("Empty primary key not allowed")
        self._ciphers: dict[bytes, AESGCM] = {}
        self._random_bytes = random_bytes or _system_random()
        for key in keys:
            self.install(key)

    def keys(self) -> list[bytes]:
        """All keys, the primary first."""
        return list(self._ciphers)

    @property
    def primary(self) -> bytes:
        return next(iter(self._ciphers))

    def install(self, key: bytes) -> None:
        """Accept ``key`` from now on; nothing happens when it is there already. Raises KeyringError."""
        if len(key) not in KEY_SIZES:
            raise KeyringError("key size must be 16, 24 or 32 bytes")
        if key in self._ciphers:
            return
        if len(self._ciphers) >= KEYS_MAX:
            raise KeyringError(f"keyring already holds {KEYS_MAX} keys")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._ciphers[key] = AESGCM(key)

    def use(self, key: bytes) -> None:
        """Encrypt with ``key`` from now on. Raises KeyringError when it is not installed."""
        if key not in self._ciphers:
            raise KeyringError("Requested key is not in the keyring")
        self._ciphers = {key: self._ciphers.pop(key), **self._ciphers}

    def remove(self, key: bytes) -> None:
        """Forget ``key``; nothing happens when it is not there. Raises KeyringError when it is the primary."""
        if key == self.primary:
            raise KeyringError("Removing the primary key is not allowed")
        self._ciphers.pop(key, None)

    def encrypt(self, plain: bytes, aad: bytes = b"", version: int = 1) -> bytes:
        """``plain`` under the primary key: version, nonce, ciphertext, tag. ``aad`` is authenticated but not sent."""
        nonce = self._random_bytes(NONCE_BYTES)
        if version == 0:
            padding = BLOCK_BYTES - len(plain) % BLOCK_BYTES
            plain += bytes((padding,)) * padding
        cipher = self._ciphers[self.primary]
        return bytes((version,)) + nonce + cipher.encrypt(nonce, plain, aad)

    def decrypt(self, data: bytes, aad: bytes = b"") -> bytes:
        """What `encrypt` was given, under any of the keys. Raises DecryptError, with the original's text."""
        from cryptography.exceptions import InvalidTag

        if not data:
            raise DecryptError("Cannot decrypt empty payload")
        version = data[0]
        if version not in OVERHEAD:
            raise DecryptError(f"Unsupported encryption version {version}")
        if len(data) < OVERHEAD[version]:
            raise DecryptError(f"Payload is too small to decrypt: {len(data)}")
        nonce, sealed = data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :]
        for cipher in self._ciphers.values():
            try:
                plain = cipher.decrypt(nonce, sealed, aad)
            except InvalidTag:
                continue
            return plain if version else _unpadded(plain)
        raise DecryptError("No installed keys could decrypt the message")


def _system_random() -> Callable[[int], bytes]:
    from os import urandom

    return urandom


def _unpadded(plain: bytes) -> bytes:
    # A holder of the key wrote this, but it may still be wrong.
    padding = plain[-1]
    if not 1 <= padding <= BLOCK_BYTES:
        raise DecryptError(f"padding of {padding} bytes")
    return plain[:-padding]


def parse_key(text: str) -> bytes:
    """A key as configuration and keyring files write it. Raises KeyringError with Go's text when it is not base64.

    The size is checked where the key is used, by `Keyring.install`.
    """
    try:
        return gobase64.decode(text)
    except gobase64.Base64Error as error:
        raise KeyringError(str(error)) from None


def format_key(key: bytes) -> str:
    """``key`` as `parse_key` reads it."""
    return gobase64.encode(key)


def parse_keyring(text: str) -> list[bytes]:
    """The keys of a keyring file: a JSON array of base64, the primary first. Raises KeyringError, with Go's texts."""
    try:
        body = text.lstrip(_SPACE)
        values = gojson.decode(list[str], body.encode("utf-8", "surrogateescape"))
        _, end = json.JSONDecoder().raw_decode(body)
    except gojson.JSONError as error:
        fault = str(error)
        raise KeyringError("unexpected end of JSON input" if fault in ("EOF", "unexpected EOF") else fault) from None
    except ValueError as error:
        raise KeyringError(str(error)) from None
    rest = body[end:].lstrip(_SPACE)
    if rest:
        raise KeyringError(f"invalid character '{rest[0]}' after top-level value")
    if not values:
        raise KeyringError("no keys present in keyring")
    if len(values) > KEYS_MAX:
        raise KeyringError(f"keyring holds {len(values)} keys, limit is {KEYS_MAX}")
    return [parse_key(value) for value in values]


def format_keyring(keys: Sequence[bytes]) -> str:
    """The text of a keyring file."""
    return json.dumps([format_key(key) for key in keys], indent=2)
