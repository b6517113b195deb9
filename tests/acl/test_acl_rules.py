"""The rule language, and what compiled rules decide: by table, against a naive interpreter, against the reference."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from acl_reference import ACL_ON, call, token_of
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.features.acl.authorizer import Authorizer, Compiled, Origin
from proconsul.features.acl.rules import BARE, NAMED, Level, Rule, RuleError, parse_rules
from support.harness import Agent, Subject, eventually

RESOURCES = ("acl", "agent", "event", "intention", "key", "keyring", "node", "operator", "query", "service", "session")
SEGMENTS = ["", "a", "ab", "abc", "b", "a/b", "a/b/c", "web", "web-sidecar-proxy", "*"]


def authorizer(*policies: str, default_allow: bool = False) -> Authorizer:
    origins = [Origin(f"p{number}", parse_rules(rules)) for number, rules in enumerate(policies)]
    return Authorizer(origins, default_allow=default_allow)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ('acl = "bad"', 'Invalid acl policy: "bad"'),
        ('keyring = "list"', 'Invalid keyring policy: "list"'),
        ("operator = 1", 'Invalid operator policy: "1"'),
        ('key "a" { policy = "bad" }',
         'Invalid key policy: &acl.KeyRule{Prefix:"a", Policy:"bad", EnterpriseRule:acl.EnterpriseRule{}}'),
        ('key_prefix "a" {}',
         'Invalid key_prefix policy: &acl.KeyRule{Prefix:"a", Policy:"", EnterpriseRule:acl.EnterpriseRule{}}'),
        ('node "x" { policy = "list" }',
         'Invalid node policy: &acl.NodeRule{Name:"x", Policy:"list", EnterpriseRule:acl.EnterpriseRule{}}'),
        ('agent_prefix "x" { policy = "zz" }', 'Invalid agent_prefix policy: &acl.AgentRule{Node:"x", Policy:"zz"}'),
        ('session "x" { policy = "zz" }', 'Invalid session policy: &acl.SessionRule{Node:"x", Policy:"zz"}'),
        ('event "x" { policy = "zz" }', 'Invalid event policy: &acl.EventRule{Event:"x", Policy:"zz"}'),
        ('query "x" { policy = "zz" }', 'Invalid query policy: &acl.PreparedQueryRule{Prefix:"x", Policy:"zz"}'),
        ('service "s" { policy = "read" intentions = "bad" }',
         'Invalid service intentions policy: &acl.ServiceRule{Name:"s", Policy:"read", Intentions:"bad", '
         "EnterpriseRule:acl.EnterpriseRule{}}"),
        ('{"key": {"a": {"policy": "bad"}}}',
         'Invalid key policy: &acl.KeyRule{Prefix:"a", Policy:"bad", EnterpriseRule:acl.EnterpriseRule{}}'),
        ("}", "Failed to parse ACL rules: At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE"),
        ('key "a" {', "Failed to parse ACL rules: At 1:11: object expected closing RBRACE got: EOF"),
    ],
)  # fmt: skip
def test_bad_rules_are_refused_as_the_original_does(rules: str, text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(rules)
    assert caught.value.text == text


@pytest.mark.parametrize(
    "rules", ['key = "a"', "acl = true", 'acl = ["read"]', 'acl "x" { policy = "read" }', 'key { policy = "read" }',
              'key "a" { policy = ["read"] }', "{", '{"acl":}', 'operator { policy = "read" }', 'key = ["a"]'],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rules: str) -> None:
    with pytest.raises(RuleError, match="Failed to parse ACL rules"):
        parse_rules(rules)


@pytest.mark.parametrize(
    "rules", ["", " # nothing", "bogus = 1", 'namespace "x" { policy = "write" }', 'identity "x" { policy = "read" }',
              'partition "x" {}', 'acl = ""'],
)  # fmt: skip
def test_what_is_not_known_says_nothing(rules: str) -> None:
    assert parse_rules(rules) == ()


def test_a_rule_is_written_as_it_is_read() -> None:
    text = 'acl = "read"\nkey "a\\"" { policy = "list" }\nservice_prefix "" { policy = "deny" intentions = "write" }'
    rules = parse_rules(text)
    assert parse_rules("\n".join(str(rule) for rule in rules)) == rules
    assert len(rules) == 3


def test_rules_in_json_may_be_listed() -> None:
    listed = parse_rules(
        '{"key": [{"a": {"policy": "read"}}, {"b": {"policy": "deny"}}], "node": {"n": [{"policy": "read"}]}}'
    )
    assert [str(rule) for rule in listed] == [
        'key "a" { policy = "read" }', 'key "b" { policy = "deny" }', 'node "n" { policy = "read" }',
    ]  # fmt: skip
    with pytest.raises(RuleError, match="Invalid key policy"):
        parse_rules('{"key": [{"a": {"policy": "reed"}}]}')


def test_a_decision_says_where_it_was_made() -> None:
    found = authorizer('key_prefix "a" { policy = "read" }', 'key_prefix "a" { policy = "deny" }')
    decision = found.decide("key", Level.READ, "abc")
    assert (decision.allowed, decision.policy, str(decision.rule)) == (
        False, "p1", 'key_prefix "a" { policy = "deny" }'
    )  # fmt: skip
    assert found.decide("key", Level.READ, "b").rule is None


def test_tokens_with_the_same_policies_share_one_authorizer() -> None:
    compiled, made = Compiled(default_allow=False, size_max=2), []

    def origins() -> list[Origin]:
        made.append(1)
        return [Origin("p", parse_rules('acl = "write"'))]

    assert compiled.of(("p", 1), origins) is compiled.of(("p", 1), origins)
    assert compiled.of(("p", 2), origins).manages
    compiled.of(("p", 3), origins)
    compiled.of(("p", 1), origins)  # the oldest was forgotten
    assert len(made) == 4


def test_the_default_does_not_grant_access_control() -> None:
    found = authorizer(default_allow=True)
    assert found.write("operator") and found.write("key", "a")
    assert not found.read("acl") and not found.manages


# ---------------------------------------------------------------------- the naive interpreter


def naive(policies: list[list[Rule]], resource: str, need: Level, name: str) -> bool | None:
    """What the documentation says of the rules, by looking at all of them. None is the default's."""

    def merged(levels: list[Level]) -> Level | None:
        return Level.DENY if Level.DENY in levels else max(levels, default=None)

    # Within one policy the last of several bare rules counts, as of any value that is given twice.
    every = [
        rule for rules in policies for at, rule in enumerate(rules)
        if rule.resource not in BARE or not any(later.resource == rule.resource for later in rules[at + 1 :])
    ]  # fmt: skip
    if resource == "intention":
        every = naive_intentions(every)
    mine = [rule for rule in every if rule.resource == resource]
    if resource == "intention" and name == "*":
        said = {(rule.prefix, rule.name): rule.level for rule in mine}.values()
        if not said:
            return None
        return any(level >= need for level in said) if need is Level.READ else all(level >= need for level in said)
    level = merged([rule.level for rule in mine if not rule.prefix and rule.name == name])
    for length in range(len(name), -1, -1):
        if level is None:
            level = merged([rule.level for rule in mine if rule.prefix and rule.name == name[:length]])
    if level is None:
        return False if resource == "acl" else None
    return level >= need


def naive_intentions(rules: list[Rule]) -> list[Rule]:
    out = []
    for prefix, name in {(rule.prefix, rule.name) for rule in rules if rule.resource == "service"}:
        same = [rule for rule in rules if (rule.resource, rule.prefix, rule.name) == ("service", prefix, name)]
        given = [rule.intentions for rule in same if rule.intentions is not None]
        if given:
            level = Level.DENY if Level.DENY in given else max(given)
        else:
            level = Level.DENY if any(rule.level is Level.DENY for rule in same) else Level.READ
        out.append(Rule("intention", prefix, name, level))
    return out


def naive_tree(policies: list[list[Rule]], prefix: str) -> bool | None:
    keys = [rule for rules in policies for rule in rules if rule.resource == "key"]
    names = {(rule.prefix, rule.name) for rule in keys}
    level = {
        one: Level.DENY if any(rule.level is Level.DENY for rule in keys if (rule.prefix, rule.name) == one)
        else max(rule.level for rule in keys if (rule.prefix, rule.name) == one) for one in names
    }  # fmt: skip
    above = [one for one in names if one[0] and prefix.startswith(one[1])]
    longest = max(above, key=lambda one: len(one[1]), default=None)
    if longest is not None and level[longest] is not Level.WRITE:
        return False
    if any(level[one] is not Level.WRITE for one in names if one[1].startswith(prefix)):
        return False
    return None if longest is None else True


LEVEL = st.sampled_from([Level.DENY, Level.READ, Level.WRITE])
NAMES = st.text("ab/", max_size=4)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    resource = draw(st.sampled_from([*sorted(BARE - {"mesh", "peering"}), *NAMED, "key", "service"]))
    if resource in BARE:
        return Rule(resource, False, "", draw(LEVEL))
    level = draw(st.sampled_from(list(Level))) if resource == "key" else draw(LEVEL)
    intentions = draw(st.none() | LEVEL) if resource == "service" else None
    return Rule(resource, draw(st.booleans()), draw(NAMES), level, intentions)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(rules(), max_size=6), max_size=4), st.booleans(),
    st.lists(st.tuples(st.sampled_from(RESOURCES), LEVEL, NAMES | st.just("*")), min_size=5, max_size=20),
)  # fmt: skip
def test_compiled_rules_decide_as_the_documentation_says(
    policies: list[list[Rule]], default_allow: bool, questions: list[tuple[str, Level, str]]
) -> None:  # fmt: skip
    texts = ["\n".join(str(rule) for rule in policy) for policy in policies]
    compiled = authorizer(*texts, default_allow=default_allow)
    for resource, need, name in questions:
        if need is Level.DENY:
            continue
        name = "" if resource in BARE else name
        expected = naive(policies, resource, need, name)
        assert compiled.allows(resource, need, name) == (default_allow if expected is None else expected)
        tree = naive_tree(policies, name)
        assert compiled.decide_tree(name).allowed == (default_allow if tree is None else tree)


# ---------------------------------------------------------------------- the reference


@pytest.fixture(scope="module")
def reference(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    agent = Agent(Subject.REFERENCE, tmp_path_factory.mktemp("acl"), ["-hcl", ACL_ON])
    agent.start()
    try:
        eventually(lambda: call(agent, "GET", "/v1/acl/token/self").status == 200, "access control is ready")
        yield agent
    finally:
        agent.kill()


def random_policy(rng: random.Random) -> str:
    out = []
    for _ in range(rng.randrange(1, 9)):
        resource = rng.choice([*sorted(BARE - {"mesh", "peering"}), *NAMED, *NAMED, "key", "service"])
        if resource in BARE:
            out.append(Rule(resource, False, "", rng.choice([Level.DENY, Level.READ, Level.WRITE])))
            continue
        levels = list(Level) if resource == "key" else [Level.DENY, Level.READ, Level.WRITE]
        intentions = rng.choice([None, None, Level.DENY, Level.READ, Level.WRITE]) if resource == "service" else None
        out.append(Rule(resource, rng.random() < 0.5, rng.choice(SEGMENTS[:-1]), rng.choice(levels), intentions))
    return "\n".join(str(rule) for rule in out)


@pytest.mark.reference
def test_the_reference_decides_alike(reference: Agent) -> None:
    """More than two thousand questions to real tokens of random policies."""
    rng, asked = random.Random(13), 0
    needs = {"read": Level.READ, "list": Level.LIST, "write": Level.WRITE}
    for _ in range(36):
        policies = [random_policy(rng) for _ in range(rng.randrange(1, 4))]
        compiled, secret = authorizer(*policies), token_of(reference, policies)
        questions = [
            (resource, access, "" if resource in BARE else rng.choice(SEGMENTS))
            for resource in RESOURCES for access in ("read", "write") for _ in range(3)
        ][:64]  # fmt: skip
        questions[:6] = [("key", access, rng.choice(SEGMENTS)) for access in ("list", "write-prefix") for _ in range(3)]
        body = [{"Resource": r, "Access": a, "Segment": s} for r, a, s in questions]
        answers = call(reference, "POST", "/v1/internal/acl/authorize", body, secret).json()
        for (resource, access, segment), answer in zip(questions, answers, strict=True):
            asked += 1
            if access == "write-prefix":
                ours = compiled.decide_tree(segment).allowed
            else:
                ours = compiled.allows(resource, needs[access], segment)
            assert ours == answer["Allow"], (policies, resource, access, segment)
    assert asked >= 2000
