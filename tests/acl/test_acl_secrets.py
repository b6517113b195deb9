"""Secrets are told apart as texts are, whatever is in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proconsul.features.acl.secrets import among_secrets, same_secret

# Also what is no text: a header or a body may bring lone surrogates.
TEXTS = st.one_of(st.text(st.characters(exclude_categories=()), max_size=4), st.sampled_from(["a", "\ud800", "\udcff"]))


@given(TEXTS, TEXTS)
def test_two_are_the_same_as_texts_are(one: str, other: str) -> None:
    assert same_secret(one, other) == (one == other) and same_secret(one, one)


@given(TEXTS, st.lists(TEXTS))
def test_one_is_among_others_as_texts_are(one: str, others: list[str]) -> None:
    assert among_secrets(one, iter(others)) == (one in others)
