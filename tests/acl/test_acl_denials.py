"""What those are told who may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.features.acl.authorizer import Authorizer, Origin
from proconsul.features.acl.denials import refused
from proconsul.features.acl.model import ANONYMOUS_ACCESSOR_ID, ACLToken
from proconsul.features.acl.rules import BARE, NAMED, Level, parse_rules
from support.normal import short_denials

NAMES = st.sampled_from(["", "a", "ab", 'a"b', "a\n}", "ab/c", "\u00e4", "b)"])
WORDS = st.sampled_from(["deny", "read", "write"])
RESOURCES = st.sampled_from(NAMED)


def quoted(name: str) -> str:
    return name.replace('"', '\\"').replace("\n", "\\n")


@st.composite
def rule(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return f'{draw(st.sampled_from(sorted(BARE)))} = "{draw(WORDS)}"'
    prefix = "_prefix" if draw(st.booleans()) else ""
    return f'{draw(RESOURCES)}{prefix} "{quoted(draw(NAMES))}" {{ policy = "{draw(WORDS)}" }}'


def authorizer(*policies: tuple[str, str]) -> Authorizer:
    return Authorizer([Origin(name, parse_rules(rules)) for name, rules in policies], default_allow=False)


@given(st.lists(rule(), max_size=6), st.sampled_from([*NAMED, *sorted(BARE), "intention", "tree"]), NAMES,
       st.sampled_from([Level.READ, Level.WRITE]))  # fmt: skip
def test_the_rule_that_is_named_would_allow_it(rules: list[str], resource: str, name: str, level: Level) -> None:
    """Unless a rule for exactly that name denies it, which counts first."""
    given, token = list(enumerate(rules)), ACLToken(AccessorID="me")

    def ask(who: Authorizer) -> bool:
        if resource == "tree":
            return who.decide_tree(name).allowed
        return who.allows(resource, level, "" if resource in BARE else name)

    policies = [(f"policy {number}", text) for number, text in given]
    before = authorizer(*policies)
    if ask(before):
        return
    text = refused(before, token, ask).text
    assert "\n" not in text and short_denials(text) == "Permission denied"
    assert text.startswith("Permission denied: token with AccessorID 'me' lacks permission '")
    needs = text.rpartition("needs: ")[2]
    after = authorizer(*policies, ("more", needs))
    if not ask(after):
        # It says which rule stands in the way; without those of the same resource nothing does.
        assert 'of "policy ' in text
        assert ask(authorizer(("more", needs)))
    if "default, as no rule" not in text:
        said = text.partition("Decided by the rule ")[2].partition("; to be allowed")[0]
        found, _, policy = said.rpartition(" of ")
        assert parse_rules(found) == parse_rules(dict(policies)[policy.strip('"')])


def test_nobody_in_particular_is_told_who_that_is() -> None:
    for token in (None, ACLToken(AccessorID=ANONYMOUS_ACCESSOR_ID)):
        text = refused(authorizer(), token, lambda who: who.allows("key", Level.READ, "a")).text
        assert text == (
            "Permission denied: anonymous token lacks permission 'key:read' on \"a\". The anonymous token is used "
            "implicitly when a request does not specify a token. Decided by the default, as no rule speaks of it; "
            'to be allowed it needs: key "a" { policy = "read" }'
        )


@pytest.mark.parametrize("length", [256, 257, 500_000])
def test_names_may_be_long(length: int) -> None:
    text = refused(authorizer(), None, lambda who: who.allows("key", Level.READ, "k" * length)).text
    assert len(text) < 1200 and ("needs:" in text) == (length <= 256)


def test_one_of_several_decisions_is_the_one_that_denied() -> None:
    def both(who: Authorizer) -> bool:
        return who.write("node", "n") and who.write("service", "web")

    text = refused(authorizer(("p", 'node "n" { policy = "write" }')), None, both).text
    assert "lacks permission 'service:write' on \"web\"" in text
