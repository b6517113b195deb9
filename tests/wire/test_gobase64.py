"""Base64 as Go reads it; the errors are those of Consul 1.8.7 for the same texts."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.wire.gobase64 import Base64Error, decode, encode

REFUSED = {
    "aGk==": 4, "aGk": 0, "aG=k": 2, "a": 0, "aGk=aGk=": 4, "==": 0, "a Gk=": 1, "aGkh=": 4, "aGk*": 3, "a\u00e9Gk": 1,
    "aGk=\n\n\n=": 7, "aG\r\n*k=": 4, "aGkhaG=": 7, "aGkhaG=x": 6, "a===": 1, "====": 0, "aGkhaGkh=": 8, "aG\n": 1,
}  # fmt: skip
TAKEN = {"": b"", "\n": b"", "aG\nk=": b"hi", "aGk=\r\n": b"hi", "aGk\n=": b"hi", "aG=\n=": b"h", "aGl=": b"hi"}


@pytest.mark.parametrize("text", REFUSED)
def test_errors_name_the_byte(text: str) -> None:
    with pytest.raises(Base64Error) as caught:
        decode(text)
    assert str(caught.value) == f"illegal base64 data at input byte {REFUSED[text]}"


@pytest.mark.parametrize("text", TAKEN)
def test_line_ends_are_passed_over(text: str) -> None:
    assert decode(text) == TAKEN[text]


@given(st.binary(max_size=40), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["\n", "\r", "\r\n"]))))
def test_what_was_encoded_is_read_with_any_line_ends(data: bytes, ends: list[tuple[int, str]]) -> None:
    text = encode(data)
    assert text == base64.b64encode(data).decode()
    for place, end in ends:
        text = text[:place] + end + text[place:]
    assert decode(text) == data


@given(st.text(alphabet="aGk=+/ \n*", max_size=12))
def test_anything_else_is_refused_at_a_byte_of_the_text(text: str) -> None:
    clean = text.replace("\n", "")
    try:
        expected = base64.b64decode(clean, validate=True)
        valid = len(clean) % 4 == 0 and not clean.endswith("===")
    except ValueError:
        valid = False
    if valid:
        assert decode(text) == expected
    else:
        with pytest.raises(Base64Error) as caught:
            decode(text)
        assert 0 <= caught.value.position <= len(text)
