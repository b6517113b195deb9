"""Who is refused by the pools, in Consul's words (seen on 1.8.7 with members whose tags were made up)."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

import pytest

from proconsul.engine.gossip.delegate import NodeRefused
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.server.merge_rules import allow_networks, lan_rule, wan_rule

RULE = lan_rule(name="me", node_id="i0", datacenter="dc1")
BASE = {"role": "node", "dc": "dc1", "segment": "", "build": "1.8.7:"}
SERVER = BASE | {"role": "consul", "port": "8300", "vsn": "2", "id": "i9"}


def member(name: str, tags: dict[str, str | None], status: MemberStatus = MemberStatus.ALIVE) -> Member:
    merged = {key: value for key, value in (BASE | tags).items() if value is not None}
    return Member(name, "10.0.0.1", 8301, merged, status)


def refusal(rule: Callable[[list[Member]], None], *members: Member) -> str:
    try:
        rule(list(members))
    except NodeRefused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"id": "i1"}, ""),
        ({"id": None}, ""),
        ({"id": ""}, ""),
        ({"segment": None}, ""),
        ({"role": "consul", "port": "x"}, ""),
        ({"dc": "dc2"}, "Member 'a' part of wrong datacenter 'dc2'"),
        ({"dc": "DC1"}, "Member 'a' part of wrong datacenter 'DC1'"),
        ({"dc": None}, "Member 'a' part of wrong datacenter ''"),
        ({"segment": "x"}, "Member 'a' part of wrong segment 'x' (expected '')"),
        ({"segment": "x", "dc": "dc2"}, "Member 'a' part of wrong datacenter 'dc2'"),
        ({"id": "i0"}, "Member 'a' has conflicting node ID 'i0' with this agent's ID"),
        ({"id": "I0"}, ""),
        ({"id": "i0", "build": "0.8.4:"}, "Member 'a' has conflicting node ID 'i0' with this agent's ID"),
        ({"id": "i0", "build": None}, "Member 'a' has conflicting node ID 'i0' with this agent's ID"),
        ({"id": "i0", "dc": "dc2"}, "Member 'a' has conflicting node ID 'i0' with this agent's ID"),
    ],
)
def test_one_member_of_the_lan(tags: dict[str, str | None], text: str) -> None:
    assert refusal(RULE, member("a", tags)) == text


def test_our_own_id_under_our_own_name_is_us() -> None:
    assert refusal(RULE, member("me", {"id": "i0"})) == ""


CLASH = "Member 'b' has conflicting node ID 'i1' with member 'a'"


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("1.8.7", "1.8.7", CLASH),
        ("0.8.5", "0.8.5", CLASH),
        ("0.8.5-dev", "0.8.5-dev", CLASH),
        ("1.8.7", "0.8.4", CLASH),
        ("0.8.4", "1.8.7", ""),
        ("0.8.4", "0.8.4", ""),
        ("x", "x", ""),
    ],
)
def test_an_id_belongs_to_one_name_since_0_8_5(first: str, second: str, text: str) -> None:
    pair = member("a", {"id": "i1", "build": first}), member("b", {"id": "i1", "build": second})
    assert refusal(RULE, *pair) == text


def test_failed_members_count_and_left_ones_do_not() -> None:
    failed = member("a", {"id": "i1"}, MemberStatus.FAILED)
    left = member("a", {"id": "i1", "dc": "dc2"}, MemberStatus.LEFT)
    other = member("b", {"id": "i1"})
    assert refusal(RULE, failed, other) == CLASH
    assert refusal(RULE, left, other) == ""
    assert refusal(wan_rule, member("a", {}, MemberStatus.LEFT)) == ""


def test_the_wan_is_for_servers_of_any_datacenter() -> None:
    same_id = member("a.dc1", SERVER), member("b.dc2", SERVER | {"dc": "dc2"})
    assert refusal(wan_rule, *same_id) == ""
    assert refusal(wan_rule, same_id[0], member("c", {})) == "Member 'c' is not a server"
    assert refusal(wan_rule, member("d", SERVER | {"port": "x"})) == "Member 'd' is not a server"


def test_addresses_outside_of_the_allowed_networks() -> None:
    accept = allow_networks([ip_network("127.0.0.5/32"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
    for address in ("127.0.0.5", "10.9.8.7", "fd00::1"):
        accept(address)
    for address in ("127.0.0.1", "::1", "nonsense"):
        with pytest.raises(NodeRefused, match=f"^{address} is not allowed$"):
            accept(address)
    allow_networks([])("192.0.2.1")
