"""Go's words: errors of the system, of the resolver and of TLS, addresses, booleans and numbers."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.wire.goerrors import (
    ListenError,
    dial_error,
    errno_text,
    exit_text,
    listening,
    no_such_host,
    path_error,
    start_error,
    tls_error,
)
from proconsul.engine.wire.gostrconv import NumberError, OutOfRange, parse_bool, parse_int, parse_uint
from proconsul.engine.wire.hostport import (
    Address,
    AddressError,
    join_host_port,
    port_number,
    split_address,
    split_host_port,
    with_port,
)

SOURCE = Path(__file__).resolve().parents[2] / "src/proconsul"
# What makes any of these texts, and where alone they may be made.
WORDS = {
    r"os\.strerror|\.strerror\b": {"engine/wire/goerrors.py"},
    r"no such host": {"engine/wire/goerrors.py"},
    r"i/o timeout": {
        "engine/wire/goerrors.py", "agent/checks/tcp.py", "dns/recursor.py", "engine/rpc/mux.py",
        "engine/raft/network.py", "testing/cluster_network.py",
    },
    r"connection refused|no such file or directory|permission denied|executable file not found": {
        "engine/wire/goerrors.py", "agent/doors/tls.py", "server/network.py",
        "testing/cluster_network.py",
    },
    r"x509: |remote error: tls|does not look like a TLS": {
        "engine/wire/goerrors.py", "server/network.py", "agent/checks/grpc.py",
    },
    r"in address\"|invalid port\"|unknown port\"": {
        "engine/wire/hostport.py", "engine/lookup.py", "engine/dial.py", "agent/doors/dns_service.py",
    },
    r'\]:\{|\[%s\]:%d|rpartition\(":"\)|rsplit\(":"': {
        "engine/wire/hostport.py", "engine/http/url.py", "engine/http/fields.py",
    },
    r"strconv\.\{|strconv\.Parse|strconv\.Atoi": {"engine/wire/gostrconv.py"},
}  # fmt: skip


@pytest.mark.parametrize("pattern", WORDS)
def test_every_text_is_made_in_one_place(pattern: str) -> None:
    found = set()
    for path in SOURCE.rglob("*.py"):
        lines = path.read_text().splitlines()
        code = [line for line in lines if not line.lstrip().startswith(("#", '"""', "``"))]
        if any(re.search(pattern, line) for line in code):
            found.add(str(path.relative_to(SOURCE)))
    assert not {name for name in found if not name.startswith(tuple(WORDS[pattern]))}


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_system_errors_begin_with_a_small_letter_unless_it_is_an_abbreviation(number: int) -> None:
    theirs = os.strerror(number)
    ours = errno_text(OSError(number, "what Python says"))
    assert ours[1:] == theirs[1:] or number == errno.ETIMEDOUT
    assert ours[0] == (theirs[0] if theirs[1].isupper() else theirs[0].lower())


@pytest.mark.parametrize(("error", "text"), [
    (OSError(errno.ENOTNAM, "x"), "not a XENIX named type file"),
    (OSError(errno.EDOTDOT, "x"), "RFS specific error"),
    (OSError(errno.ETIMEDOUT, "x"), "connection timed out"),
    (OSError("what is no number"), "what is no number"),
    (TimeoutError(), "i/o timeout"),
])  # fmt: skip
def test_words_of_errors(error: OSError, text: str) -> None:
    assert errno_text(error) == text


def test_what_files_connections_and_programs_fail_with() -> None:
    none, refused = OSError(errno.ENOENT, "x"), ConnectionRefusedError(errno.ECONNREFUSED, "x")
    assert path_error("open", "/a b", none) == "open /a b: no such file or directory"
    assert path_error("open", "/", OSError(errno.EISDIR, "x")) == "read /: is a directory"
    assert path_error("mkdir", "/", OSError(errno.EISDIR, "x")) == "mkdir /: is a directory"
    with pytest.raises(ListenError, match=r"^listen tcp \[::1\]:80: bind: permission denied$"):
        with listening("tcp", Address("::1", 80)):
            raise OSError(errno.EACCES, "x")
    assert dial_error(Address("::1", 80), refused) == "dial tcp [::1]:80: connect: connection refused"
    assert dial_error("/s", refused, network="unix") == "dial unix /s: connect: connection refused"
    assert dial_error("h:1", TimeoutError()) == "dial tcp h:1: i/o timeout"
    assert dial_error("h:1", TimeoutError(errno.ETIMEDOUT, "x")) == "dial tcp h:1: connect: connection timed out"
    assert dial_error("h:1", socket.gaierror(-2, "x"), host="h") == "dial tcp: lookup h: no such host"
    assert no_such_host("h", "[::1]:53") == "lookup h on [::1]:53: no such host"
    assert start_error("/x", none) == "fork/exec /x: no such file or directory"
    assert start_error("x", none) == 'exec: "x": executable file not found in $PATH'
    assert start_error("x\0", ValueError("embedded null byte")) == "fork/exec x\0: invalid argument"
    assert [exit_text(code) for code in (0, 1, 255, -9, -15, -64)] == [
        "", "exit status 1", "exit status 255", "signal: killed", "signal: terminated", "signal: signal 64",
    ]  # fmt: skip


def _tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(("reason", "text"), [
    ("TLSV1_ALERT_UNKNOWN_CA", "remote error: tls: unknown certificate authority"),
    ("SSLV3_ALERT_BAD_CERTIFICATE", "remote error: tls: bad certificate"),
    ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "remote error: tls: expired certificate"),
    ("SSLV3_ALERT_CERTIFICATE_REVOKED", "remote error: tls: revoked certificate"),
    ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "remote error: tls: unknown certificate"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "remote error: tls: handshake failure"),
    ("SSLV3_ALERT_BAD_RECORD_MAC", "remote error: tls: bad record MAC"),
    ("TLSV1_ALERT_PROTOCOL_VERSION", "remote error: tls: protocol version not supported"),
    ("TLSV1_ALERT_INTERNAL_ERROR", "remote error: tls: internal error"),
    ("TLSV1_ALERT_DECODE_ERROR", "remote error: tls: error decoding message"),
    ("TLSV1_UNRECOGNIZED_NAME", "remote error: tls: unrecognized name"),
    ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "remote error: tls: certificate required"),
    ("WRONG_VERSION_NUMBER", "tls: first record does not look like a TLS handshake"),
    ("HTTP_REQUEST", "tls: first record does not look like a TLS handshake"),
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "tls: client didn't provide a certificate"),
    ("SOMETHING_NEW", "tls: something new"),
])  # fmt: skip
def test_words_of_tls(reason: str, text: str) -> None:
    assert tls_error(_tls(reason)) == text
    assert dial_error("h:1", _tls(reason)) == text


# ---------------------------------------------------------------------- addresses

# Told by Consul 1.8.7: `services register -tagged-address lan=...`.
SPLIT = {
    "x": "address x: missing port in address", "": "address : missing port in address",
    "[::1": "address [::1: missing ']' in address", "a:b:c": "address a:b:c: too many colons in address",
    "[::1]": "address [::1]: missing port in address", "[a]b:1": "address [a]b:1: missing port in address",
    "[a]:b:1": "address [a]:b:1: too many colons in address", "a[b:1": "address a[b:1: unexpected '[' in address",
    "a]b:1": "address a]b:1: unexpected ']' in address", "[[a]:1": "address [[a]:1: unexpected '[' in address",
    "[a]:1]": "address [a]:1]: unexpected ']' in address",
}  # fmt: skip


@pytest.mark.parametrize("text", SPLIT)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError, match=f"^{re.escape(SPLIT[text])}$"):
        split_host_port(text)


@pytest.mark.parametrize(("text", "parts"), [
    (":5", ("", "5")), ("x:", ("x", "")), ("[::1]:8", ("::1", "8")), ("[]:8", ("", "8")), ("a b:http", ("a b", "http")),
])  # fmt: skip
def test_what_is_an_address(text: str, parts: tuple[str, str]) -> None:
    assert split_host_port(text) == parts


@given(st.text(alphabet="abc1.:%-", max_size=12), st.integers(0, 65535))
def test_what_is_joined_comes_apart(host: str, port: int) -> None:
    assert split_host_port(join_host_port(host, port)) == (host, str(port))
    assert split_address(str(Address(host, port))) == (host, port)


@given(st.text(alphabet="ab1:[]", max_size=8))
def test_any_text_is_an_address_or_refused_in_go_s_words(text: str) -> None:
    try:
        host, port = split_host_port(text)
    except AddressError as error:
        assert str(error).startswith(f"address {text}: ")
        assert error.reason.endswith("in address")
    else:
        assert text in (f"{host}:{port}", f"[{host}]:{port}")


@pytest.mark.parametrize(("text", "number"), [
    ("", 0), ("0", 0), ("+80", 80), ("-0", 0), ("0080", 80), ("65535", 65535), ("http", None),
    ("8x", None), ("\u0663", None),
])  # fmt: skip
def test_numbers_of_ports(text: str, number: int | None) -> None:
    assert port_number(text) == number


@pytest.mark.parametrize("text", ["65536", "-1", "9" * 5000])
def test_no_numbers_of_ports(text: str) -> None:
    with pytest.raises(AddressError, match="invalid port"):
        port_number(text)
    with pytest.raises(AddressError, match="unknown port"):
        split_address("h:http")


@pytest.mark.parametrize(("text", "whole"), [
    ("h", "h:7"), ("h:1", "h:1"), ("::1", "[::1]:7"),
    ("[::1]", "[::1]:7"), ("[::1]:1", "[::1]:1"), ("h:", "h:"),
    ("[::1", "[::1"), ("", ":7"),
])  # fmt: skip
def test_a_port_is_added_where_there_is_none(text: str, whole: str) -> None:
    assert with_port(text, 7) == whole


# ---------------------------------------------------------------------- booleans and numbers


@pytest.mark.parametrize(("text", "base", "value"), [
    ("0", 10, 0), ("007", 10, 7), ("18446744073709551615", 10, (1 << 64) - 1), ("0x1F", 0, 31), ("0b1_0", 0, 2),
    ("0o17", 0, 15), ("017", 0, 15), ("0_17", 0, 15), ("1_000", 0, 1000), ("0", 0, 0), ("0" * 5000 + "7", 10, 7),
])  # fmt: skip
def test_unsigned_numbers(text: str, base: int, value: int) -> None:
    assert parse_uint(text, base=base) == value


@pytest.mark.parametrize("text", ["", "+1", "-1", " 1", "1 ", "1_0", "0x1", "a", "\u0663", "1.0"])
def test_no_unsigned_numbers(text: str) -> None:
    with pytest.raises(NumberError, match=r"^strconv\.ParseUint: parsing .*: invalid syntax$"):
        parse_uint(text)


@pytest.mark.parametrize("text", ["_1", "1__0", "1_", "0x", "08", "0b2", "1e3"])
def test_no_numbers_with_prefixes(text: str) -> None:
    with pytest.raises(NumberError, match="invalid syntax"):
        parse_uint(text, base=0)


@pytest.mark.parametrize("text", ["18446744073709551616", "9" * 5000])
def test_numbers_too_large(text: str) -> None:
    with pytest.raises(OutOfRange, match="value out of range"):
        parse_uint(text)


@given(st.integers(-(1 << 70), 1 << 70), st.sampled_from([16, 32, 64]))
def test_signed_numbers(number: int, bits: int) -> None:
    if -(1 << bits - 1) <= number < 1 << bits - 1:
        assert parse_int(str(number), bits=bits) == parse_int(f"{number:+}", bits=bits) == number
    else:
        with pytest.raises(OutOfRange):
            parse_int(str(number), bits=bits)


def test_booleans() -> None:
    assert all(parse_bool(text) for text in ("1", "t", "T", "TRUE", "true", "True"))
    assert not any(parse_bool(text) for text in ("0", "f", "F", "FALSE", "false", "False"))
    for text in ("", "yes", "TrUe", " 1", "2"):
        with pytest.raises(NumberError, match=r"strconv\.ParseBool"):
            parse_bool(text)
