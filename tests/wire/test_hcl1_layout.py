"""The usual layout of HCL 1: it says what the text has said, and is its own layout."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.wire.hcl1 import HclError, parse_hcl1
from proconsul.engine.wire.hcl1_layout import laid_out, read_items
from proconsul.features.acl.translate import translate

NAMES = st.sampled_from(["key", "service", "a", "x-y", '"quoted"', '"with space"', "policy"])
VALUES = st.sampled_from(['"text"', '"${a "b"}"', '"\\"\\n"', "1", "-2.5", "true", "[1, 2]", '["a"]', "<<E\n  in\nE"])
COMMENTS = st.sampled_from(["", "# one\n", "// two\n", "/* three\n more */\n", "\n\n", "# four\n\n"])
ASSIGNMENTS = st.tuples(COMMENTS, NAMES, VALUES, st.sampled_from(["", " # behind"])).map(
    lambda parts: f"{parts[0]}{parts[1]} = {parts[2]}{'' if parts[2].startswith('<<') else parts[3]}\n"
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(COMMENTS, NAMES, st.sampled_from(["", ' "label"', " ="]), st.lists(inner, max_size=3)).map(
        lambda parts: f"{parts[0]}{parts[1]}{parts[2]} {{\n{''.join(parts[3])}}}\n"
    )


TEXTS = st.lists(st.recursive(ASSIGNMENTS, blocks, max_leaves=6), max_size=4).map("".join)


def layout(text: str) -> str:
    return laid_out(*read_items(text))


@settings(max_examples=80, deadline=None)
@given(TEXTS)
def test_the_layout_says_the_same_and_is_its_own(text: str) -> None:
    try:
        meant = parse_hcl1(text)
    except HclError:
        with pytest.raises(HclError):
            layout(text)
        return
    found = layout(text)
    assert parse_hcl1(found) == meant
    assert layout(found) == found
    for comment in ("# one", "// two", "/* three", "# four", "# behind"):
        assert found.count(comment) == text.count(comment)


def test_rules_become_those_of_prefixes_and_nothing_else() -> None:
    text = 'key "a" { policy = "read" } key_prefix "b" { policy = "read" } acl = "read" { x = 1 }'
    assert parse_hcl1(translate('{"service": [{"a": {"policy": "read"}}]}')) == parse_hcl1(
        'service_prefix "a" { policy = "read" }'
    )
    with pytest.raises(HclError):
        translate(text)
    found = parse_hcl1(translate('key "a" { key = "b" } "node" "n" { policy = "deny" } KEY "x" { y = 1 }'))
    assert set(found) == {"key_prefix", "node_prefix", "KEY"}
    assert found["key_prefix"] == [{"a": [{"key": "b"}]}]
