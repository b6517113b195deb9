"""JSON with Go's rules: names, types, texts, escapes."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.wire import gojson
from proconsul.engine.wire.gojson_scan import explain_syntax
from proconsul.engine.wire.record import Duration, Record, UInt64


class Inner(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Note"})
    Port: int = 0
    Note: str = ""


class Outer(Record, frozen=True):
    json_aliases: ClassVar[dict[str, str]] = {"wait_time": "Wait"}
    Name: str = ""
    Tags: list[str] | None = None
    Meta: dict[str, str] | None = None
    Inner: Inner = Inner()
    Wait: Duration = 0
    Flags: UInt64 = 0
    Value: bytes | None = None
    Weight: float = 0.0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"Name":"a"}', Outer(Name="a")),
        ('{"name":"a","TAGS":["x"]}', Outer(Name="a", Tags=["x"])),
        ('{"Name":null,"Tags":null}', Outer()),
        ('{"Wait":"1m30s"}', Outer(Wait=90 * 10**9)),
        ('{"wait_time":5}', Outer(Wait=5)),
        ('{"Wait":"1s","wait_time":"2s"}', Outer(Wait=10**9)),
        ('{"Inner":{"port":80}}', Outer(Inner=Inner(80))),
        ('{"Flags":18446744073709551615}', Outer(Flags=2**64 - 1)),
        ('{"Value":"AP8="}', Outer(Value=b"\x00\xff")),
        ('{"Tags":["a",null]}', Outer(Tags=["a", ""])),
        ('{"Name":"a"} trailing', Outer(Name="a")),
        ('{"Name":"a","Name":"b"}', Outer(Name="b")),
    ],
)
def test_reading(body: str, expected: Outer) -> None:
    assert gojson.decode(Outer, body.encode()) == expected


def test_null_is_what_is_there_without_it() -> None:
    assert gojson.decode(Outer, b"null") == Outer()
    assert gojson.decode(list[str], b" null ") == []
    assert gojson.decode(list[Inner], b"null") == []
    assert gojson.decode(dict[str, str], b"null") == {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "EOF"),
        ("{", "unexpected EOF"),
        ('{"Name"', "unexpected EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ('{"Name" 1}', "invalid character '1' after object key"),
        ("{1}", "invalid character '1' looking for beginning of object key string"),
        ('{"Name":"a",}', "invalid character '}' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
        ('"\\x"', "invalid character 'x' in string escape code"),
        ('{"Bogus":1}', 'json: unknown field "Bogus"'),
        ('{"Name":1}', "json: cannot unmarshal number into Go struct field Outer.Name of type string"),
        ('{"Inner":{"Port":"x"}}', "json: cannot unmarshal string into Go struct field Inner.Inner.Port of type int"),
        ('{"Tags":{}}', "json: cannot unmarshal object into Go struct field Outer.Tags of type []string"),
        ('{"Meta":[]}', "json: cannot unmarshal array into Go struct field Outer.Meta of type map[string]string"),
        ('{"Flags":-1}', "json: cannot unmarshal number -1 into Go struct field Outer.Flags of type uint64"),
        ("[]", "json: cannot unmarshal array into Go value of type structs.Outer"),
        ('{"Value":"!"}', "illegal base64 data at input byte 0"),
    ],
)
def test_refusals_use_gos_texts(body: str, text: str) -> None:
    with pytest.raises(gojson.JSONError) as caught:
        gojson.decode(Outer, body.encode())
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Inner(1), b'{"Port":1}'),
        (Inner(1, "n"), b'{"Port":1,"Note":"n"}'),
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        (gojson.Object(b=1, a=2), b'{"b":1,"a":2}'),
        ("<a> & b", b'"\\u003ca\\u003e \\u0026 b"'),
        ("\u2028", b'"\\u2028"'),
        ("caf\u00e9", b'"caf\xc3\xa9"'),
        ("bad \udcff byte", b'"bad \\ufffd byte"'),
        ([1.0, 0.5, 1e-5], b"[1,0.5,0.00001]"),
        (b"\x00\xff", b'"AP8="'),
        (None, b"null"),
        (True, b"true"),
    ],
)
def test_writing(value: Any, expected: bytes) -> None:
    assert gojson.dumps(value) == expected


def test_pretty_is_four_spaces_and_a_newline() -> None:
    assert gojson.dumps({"a": [1]}, pretty=True) == b'{\n    "a": [\n        1\n    ]\n}\n'


@given(st.text(max_size=60) | st.text(alphabet="01.eE+-[],", max_size=8))
def test_the_scanner_agrees_with_a_parser(text: str) -> None:
    try:
        stripped = text.lstrip(" \t\r\n")
        value, end = json.JSONDecoder(strict=True).raw_decode(stripped)
        # Python reads "0." as 0; to Go the number has only begun. One that has such a part already is over.
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        parts = set(stripped[:end].lower())
        more = {".", "e"} if not parts & {".", "e"} else {"e"} if "e" not in parts else set()
        valid = not (number and stripped[end : end + 1].lower() in more)
    except (ValueError, RecursionError):
        valid = False
    lenient = any(word in text for word in ("NaN", "Infinity"))  # Python reads these, JSON has none
    assert lenient or (explain_syntax(text) is None) == valid


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 9000 + b"]" * 9000])
def test_depth_bombs_are_refused_or_read_without_a_crash(bomb: bytes) -> None:
    try:
        gojson.loads(bomb)
    except gojson.JSONError as error:
        assert str(error) in ("exceeded max depth", "unexpected EOF")
    else:
        assert bomb.endswith(b"]")


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_has_one_bound(opens: bytes, closes: bytes) -> None:
    per_turn = len(closes)
    for levels in (gojson.DEPTH_MAX, gojson.DEPTH_MAX + 2, 400, 900, 2000, 9000):
        turns = levels // per_turn
        for body in (opens * turns + b"[]" + closes * turns, opens * turns + b"[-0]" + closes * turns):
            if turns * per_turn < gojson.DEPTH_MAX:
                gojson.loads(body)
            else:
                with pytest.raises(gojson.JSONError, match="exceeded max depth"):
                    gojson.loads(body)
    gojson.loads(b"[" + b"[]," * 10_000 + b"[]]")  # wide is not deep
