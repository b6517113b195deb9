"""HCL 1: blocks, values, errors and bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.wire.hcl1 import BlockList, HclError, parse_hcl1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ('a = 1 b = 2.5\nc = true d = "x"', {"a": 1, "b": 2.5, "c": True, "d": "x"}),
        ("a = -3 b = 0x1f c = 010 d = 1e3", {"a": -3, "b": 31, "c": 8, "d": 1000.0}),
        ('a = [1, "b", true,]', {"a": [1, "b", True]}),
        ("a { b = 1 }", {"a": [{"b": 1}]}),
        ("a = { b = 1 }", {"a": [{"b": 1}]}),
        ("a { b = 1 } a { b = 2 }", {"a": [{"b": 1}, {"b": 2}]}),
        ('service "web" { policy = "read" }', {"service": [{"web": [{"policy": "read"}]}]}),
        ('key "a" {} key "b" {}', {"key": [{"a": [{}]}, {"b": [{}]}]}),
        ('key_prefix "" { policy = "write" }', {"key_prefix": [{"": [{"policy": "write"}]}]}),
        ("a = <<EOF\nx\n  y\nEOF\n", {"a": "x\n  y\n"}),
        ("a = <<-EOF\n    x\n      y\n    EOF\nb = 1", {"a": "x\n  y\n", "b": 1}),
        ("# c\n// d\n/* e\nf */ a = 1 # g", {"a": 1}),
        ('a = "\\t\\"\\u00e9\\x41\\101"', {"a": '\t"éAA'}),
        ('a = "${f("x")} y"', {"a": '${f("x")} y'}),
        ("a = 1, b = 2,", {"a": 1, "b": 2}),
        ('"a b" = 1', {"a b": 1}),
        ("a = 1 a = 2", {"a": 2}),
        ('{"a": {"b": [1]}}', {"a": [{"b": [1]}]}),
    ],
)
def test_parse(text: str, value: object) -> None:
    assert parse_hcl1(text) == value


def test_blocks_differ_from_lists() -> None:
    parsed = parse_hcl1("a { } b = [{ }]")
    assert isinstance(parsed["a"], BlockList)
    assert not isinstance(parsed["b"], BlockList)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('a = "x', "At 1:7: literal not terminated"),
        ("a = [1", "At 1:9: error parsing list, expected comma or list end, got: EOF"),
        ("a = @", "At 1:5: illegal char"),
        ("a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN"),
        ("a = <<E\nx", "At 2:2: heredoc not terminated"),
        ('{"a": }', "invalid character '}' looking for beginning of value"),
        ('a = "x\udce9"', "At 1:7: illegal UTF-8 encoding"),
        ('a = "\udced\udca0\udc80"', "At 1:8: illegal UTF-8 encoding"),
        ("# c\udcff\na = 1", "At 1:4: illegal UTF-8 encoding"),
        ("/*\n\udcff */ a = 1", "At 2:1: illegal UTF-8 encoding"),
        ("a = <<E\n\udcff\nE\n", "At 2:1: illegal UTF-8 encoding"),
        ("a\udce9 = 5", "At 1:2: illegal char"),
        ('a = "\0"', "At 1:8: literal not terminated"),
    ],
)
def test_refuse(text: str, fault: str) -> None:
    with pytest.raises(HclError) as caught:
        parse_hcl1(text)
    assert str(caught.value) == fault


@pytest.mark.parametrize("text", ["a {" * 5000, "a = " + "[" * 5000, '{"a":' * 5000])
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(HclError):
        parse_hcl1(text)


@given(st.text(alphabet='ab \n\t="{}[],#/*<-E\\$1.0', max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        result = parse_hcl1(text)
    except HclError as error:
        assert str(error)
    else:
        assert isinstance(result, dict)
