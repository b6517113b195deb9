"""Which members are servers, and what their tags say. The verdicts are those of Consul 1.8.7's WAN pool."""

# mypy: disable-error-code="arg-type,list-item"

from __future__ import annotations

import pytest

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.hostport import Address
from proconsul.server.server_details import (
    AclMode,
    Build,
    ServerDetails,
)

BASE = {
    "role": "consul", "dc": "dc1", "segment": "", "id": "i1", "vsn": "2", "vsn_min": "2", "vsn_max": "3",
    "build": "1.8.7:abc", "port": "8300", "raft_vsn": "3",
}  # fmt: skip


def member(name: str = "s1", status: MemberStatus = MemberStatus.ALIVE, **changes: str | None) -> Member:
    tags = {key: value for key, value in (BASE | changes).items() if value is not None}
    return Member(name, "10.0.0.1", 8301, tags, status)


def details(name: str = "s1", **changes: str | None) -> ServerDetails:
    found = ServerDetails.parse(member(name, **changes))
    assert found is not None
    return found


SERVERS: list[dict[str, str | None]] = [
    {}, *({tag: None} for tag in ("dc", "id", "vsn_min", "vsn_max", "raft_vsn", "segment")),
    *({"port": text} for text in ("0", "-1", "99999", "+5", "01")),
    *({"build": text} for text in (
        "1.8.7", "1.8.7-dev:x", "v1.8.7", "1.8.7.2:x", "x:1.8.7", "foo1.8.7bar", "1.8.7+ent:ab", ":1.8.7", "1.08.7:",
    )),
    {"vsn_min": "x"}, {"vsn_max": "x"}, {"raft_vsn": "-3"}, {"expect": "3"}, {"expect": "-1"}, {"bootstrap": "0"},
    {"wan_join_port": "8302"}, {"nonvoter": "x"}, {"read_replica": "1"}, {"use_tls": ""}, {"acls": "x"}, {"acls": "9"},
    {"ft_fs": "1"}, {"ft_fs": "-1"}, {"ft_zz": "7"}, {"id": "x"}, {"dc": ""},
    {"sl_": "1.2.3.4:5"}, *({"sl_a": text} for text in ("1.2.3.4:5", "host:5", ":5", "[::1]:4", "1.2.3.4:99999")),
]  # fmt: skip
NOT_SERVERS: list[dict[str, str | None]] = [
    *({tag: None} for tag in ("role", "vsn", "build", "port")), {"role": "node"}, {"role": "Consul"},
    *({"port": text} for text in ("x", "0x10", " 1", "", "99999999999999999999", "1_0", "\u0663")),
    {"vsn": "x"}, {"vsn": ""}, {"raft_vsn": "x"}, {"raft_vsn": ""},
    *({"build": text} for text in ("", "x", "1", "1.8", "99999999999999999999.1.1")),
    {"expect": "x"}, {"expect": ""}, {"wan_join_port": "x"}, {"wan_join_port": ""},
    *({"ft_fs": text} for text in ("x", "")), {"ft_": "x"}, {"ft_zz": "x"},
    {"sl_": "x"}, *({"sl_a": text} for text in ("x", "1.2.3.4", "1.2.3.4:x", "", "::1:4", "[::1]", "[::1")),
]  # fmt: skip


@pytest.mark.parametrize("changes", SERVERS, ids=str)
def test_servers(changes: dict[str, str | None]) -> None:
    assert ServerDetails.parse(member(**changes)) is not None


@pytest.mark.parametrize("changes", NOT_SERVERS, ids=str)
def test_not_servers(changes: dict[str, str | None]) -> None:
    assert ServerDetails.parse(member(**changes)) is None


def test_every_tag_has_its_field() -> None:
    found = details(
        "s1.dc1", expect="3", bootstrap="1", wan_join_port="8302", nonvoter="1", acls="2", use_tls="1", ft_fs="1",
        ft_si="2", sl_alpha="[::1]:9000", sl_beta="10.0.0.9:9001",
    )  # fmt: skip
    assert found == ServerDetails(
        name="s1.dc1", id="i1", datacenter="dc1", segment="", address=Address("10.0.0.1", 8300),
        status=MemberStatus.ALIVE, build=Build(1, 8, 7), version=2, raft_version=3, wan_join_port=8302,
        bootstrap=True, expect=3, read_replica=True, acls=AclMode.LEGACY, use_tls=True,
        segments={"alpha": Address("::1", 9000), "beta": Address("10.0.0.9", 9001)}, features={"fs": 1, "si": 2},
    )  # fmt: skip
    assert (found.short_name, found.raft_id) == ("s1", "i1")
    assert str(found) == "s1.dc1 (Addr: tcp/10.0.0.1:8300) (DC: dc1)"


def test_what_is_absent_is_off() -> None:
    found = details(raft_vsn=None, id=None)
    assert not (found.bootstrap or found.read_replica or found.use_tls or found.expect or found.wan_join_port)
    assert found.acls is AclMode.UNKNOWN
    assert found.raft_id == "10.0.0.1:8300"
    assert found.short_name == "s1"


def test_only_the_own_datacenter_is_cut_from_the_name() -> None:
    assert details("a.dc1.dc2", dc="dc2").short_name == "a.dc1"
    assert details("a.dc1", dc="dc2").short_name == "a.dc1"


def test_builds_compare_by_number() -> None:
    assert Build.parse("1.10.0:x") > Build.parse("1.9.17+ent")
    assert str(Build.parse("v1.8.7-rc1:ab")) == "1.8.7"
    with pytest.raises(ValueError):
        Build.parse("one")
