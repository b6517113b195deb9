"""Keys: installed, used, removed; what they encrypt; how they are written."""

from __future__ import annotations

import gossip_vectors as vectors
import pytest

from proconsul.engine.gossip.keyring import (
    KEYS_MAX,
    OVERHEAD,
    DecryptError,
    Keyring,
    KeyringError,
    format_key,
    format_keyring,
    parse_key,
    parse_keyring,
)

A, B, C = b"a" * 16, b"b" * 24, b"c" * 32


def counted(count: int) -> bytes:
    return bytes(range(count))


def test_rotation() -> None:
    old, new = Keyring([A]), Keyring([A])
    new.install(B)
    new.install(B)
    assert new.keys() == [A, B]
    old.install(B)
    new.use(B)
    assert (new.keys(), new.primary) == ([B, A], B)
    assert old.decrypt(new.encrypt(b"x")) == b"x"
    assert new.decrypt(old.encrypt(b"x")) == b"x"
    new.remove(A)
    new.remove(A)
    assert new.keys() == [B]
    with pytest.raises(DecryptError, match=r"^No installed keys could decrypt the message$"):
        new.decrypt(old.encrypt(b"x"))


def test_refusals_use_the_originals_texts() -> None:
    ring = Keyring([A, B])
    with pytest.raises(KeyringError, match=r"^Requested key is not in the keyring$"):
        ring.use(C)
    with pytest.raises(KeyringError, match=r"^Removing the primary key is not allowed$"):
        ring.remove(A)
    for size in (0, 15, 17, 31, 33):
        with pytest.raises(KeyringError, match=r"^key size must be 16, 24 or 32 bytes$"):
            ring.install(bytes(size))
    assert ring.keys() == [A, B]
    for keys in ([], parse_keyring("[null]")):
        with pytest.raises(KeyringError, match=r"^Empty primary key not allowed$"):
            Keyring(keys)


def test_the_number_of_keys_is_bounded() -> None:
    ring = Keyring([number.to_bytes(16, "big") for number in range(KEYS_MAX)])
    with pytest.raises(KeyringError):
        ring.install(C)
    ring.install(bytes(16))


def test_captured_encryption_comes_back() -> None:
    for name, version, aad in (("ml-encrypt-v0", 0, b""), ("ml-encrypt-label", 1, b"blue")):
        ring = Keyring([vectors.key(name)], random_bytes=counted)
        sealed = ring.encrypt(vectors.decoded(name)["plain"], aad, version)
        assert vectors.wire(name).endswith(sealed)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1400])
@pytest.mark.parametrize("key", [A, B, C])
def test_every_size_of_key_and_message(version: int, length: int, key: bytes) -> None:
    ring = Keyring([key])
    sealed = ring.encrypt(bytes(length), b"aad", version)
    assert ring.decrypt(sealed, b"aad") == bytes(length)
    assert 0 < len(sealed) - length <= OVERHEAD[version]
    with pytest.raises(DecryptError):
        ring.decrypt(sealed, b"other")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "Cannot decrypt empty payload"),
        (b"\x02" + bytes(60), "Unsupported encryption version 2"),
        (b"\x01" + bytes(27), "Payload is too small to decrypt: 28"),
        (b"\x00" + bytes(43), "Payload is too small to decrypt: 44"),
        (b"\x01" + bytes(28), "No installed keys could decrypt the message"),
    ],
)
def test_what_cannot_be_decrypted(data: bytes, text: str) -> None:
    with pytest.raises(DecryptError, match=f"^{text}$"):
        Keyring([A]).decrypt(data)


def test_padding_from_a_holder_of_the_key_is_checked() -> None:
    ring = Keyring([A], random_bytes=counted)
    for last in (0, 17, 255):
        sealed = ring.encrypt(bytes(31) + bytes((last,)), b"", 1)
        with pytest.raises(DecryptError, match="padding"):
            ring.decrypt(_as_version_0(sealed))


def _as_version_0(sealed: bytes) -> bytes:
    return b"\x00" + sealed[1:]


@pytest.mark.parametrize("key", [A, B, C])
def test_keys_as_text(key: bytes) -> None:
    assert parse_key(format_key(key)) == key
    assert parse_key(format_key(key)[:8] + "\n" + format_key(key)[8:] + "\r\n") == key


# As Consul 1.8.7 answers "encrypt" with such values.
@pytest.mark.parametrize(
    ("text", "at"), [("abc", 0), ("ab=", 3), ("abc=d", 4), ("ab=c", 2), ("====", 0), ("YWJj!!!!", 4), ("abcdab==x", 8)]
)
def test_keys_that_are_not_base64(text: str, at: int) -> None:
    with pytest.raises(KeyringError, match=f"^illegal base64 data at input byte {at}$"):
        parse_key(text)


def test_keyring_files() -> None:
    assert parse_keyring(format_keyring([A, B])) == [A, B]
    assert parse_keyring('["pUqJrVyVRj5jsiYEkM/tFQ=="]') == [parse_key("pUqJrVyVRj5jsiYEkM/tFQ==")]


# The texts after "Failed to configure keyring: " of Consul 1.8.7 started with such a file.
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x", "invalid character 'x' looking for beginning of value"),
        ("{}", "json: cannot unmarshal object into Go value of type []string"),
        ("[1]", "json: cannot unmarshal number into Go value of type string"),
        ('["!!"]', "illegal base64 data at input byte 0"),
        ("[]", "no keys present in keyring"),
        ("", "unexpected end of JSON input"),
        ('["abc"', "unexpected end of JSON input"),
        ("[] x", "invalid character 'x' after top-level value"),
        ("null", "no keys present in keyring"),
        ("[" * 100_000, None),
        (str(["a"] * (KEYS_MAX + 1)).replace("'", '"'), "keyring holds 65 keys, limit is 64"),
    ],
)
def test_damaged_keyring_files(text: str, fault: str | None) -> None:
    with pytest.raises(KeyringError) as caught:
        parse_keyring(text)
    assert fault is None or str(caught.value) == fault
