"""What question names mean, by table."""

from __future__ import annotations

import pytest

from proconsul.dns.message import SRV, A
from proconsul.dns.names import Lookup, NameKind, hex_address, parse_lookup, reverse_address, strip_domain
from proconsul.dns.settings import Settings


@pytest.mark.parametrize(
    ("name", "qtype", "wanted"),
    [
        ("db.service", A, Lookup(NameKind.SERVICE, "db")),
        ("db.service.dc2", A, Lookup(NameKind.SERVICE, "db", "", "dc2")),
        ("v1.db.service", A, Lookup(NameKind.SERVICE, "db", "v1")),
        ("m.x.db.service", A, Lookup(NameKind.SERVICE, "db", "m.x")),
        ("_db._tcp.service", A, Lookup(NameKind.SERVICE, "db")),
        ("_db._master.service.dc1", SRV, Lookup(NameKind.SERVICE, "db", "master", "dc1")),
        ("_db._tcp", SRV, Lookup(NameKind.SERVICE, "db")),
        ("_db._tcp.dc1", SRV, Lookup(NameKind.SERVICE, "db", "", "dc1")),
        ("_db._tcp", A, None),
        ("a.b.node", A, Lookup(NameKind.NODE, "a.b")),
        ("node.node", A, Lookup(NameKind.NODE, "node")),
        ("a.b.query.dc1", A, Lookup(NameKind.QUERY, "a.b", "", "dc1")),
        ("x.web.connect", A, Lookup(NameKind.CONNECT, "web")),
        ("web.ingress", A, Lookup(NameKind.INGRESS, "web")),
        ("0a000001.addr.a.b", A, Lookup(NameKind.ADDRESS, "0a000001")),
        ("x.0a000001.addr", A, None),
        ("db.service.a.b", A, None),
        ("service", A, None),
        ("web.virtual", A, None),
        ("", A, None),
    ],
)
def test_lookups(name: str, qtype: int, wanted: Lookup | None) -> None:
    assert parse_lookup(name.split(".") if name else [], qtype) == wanted


def test_the_longest_domain_is_stripped() -> None:
    domains = (("consul",), ("test", "consul"))
    assert strip_domain(["a", "node", "test", "consul"], domains) == (["a", "node"], ("test", "consul"))
    assert strip_domain(["a", "node", "consul"], domains) == (["a", "node"], ("consul",))
    assert strip_domain(["consul"], domains) == ([], ("consul",))
    assert strip_domain(["a", "com"], domains) is None


def test_reverse_names() -> None:
    assert reverse_address(["4", "3", "2", "1", "in-addr", "arpa"]) == bytes([1, 2, 3, 4])
    assert reverse_address(["3", "2", "1", "in-addr", "arpa"]) is None
    assert reverse_address(["256", "3", "2", "1", "in-addr", "arpa"]) is None
    assert reverse_address([*("0" * 31), "f", "ip6", "arpa"]) == bytes([0xF0, *[0] * 15])
    assert reverse_address([*("0" * 31), "g", "ip6", "arpa"]) is None


def test_hexadecimal_addresses() -> None:
    assert hex_address("0a000001") == bytes([10, 0, 0, 1])
    assert hex_address("0a00000g") is None
    assert hex_address("0a000001f") is None
    assert hex_address("0a") == b""


def test_service_ttl_prefers_exact_then_the_longest_prefix() -> None:
    settings = Settings(service_ttl_s={"db": 1, "d*": 2, "db-*": 3, "*": 4})
    assert [settings.ttl_of(name) for name in ("db", "dx", "db-1", "web")] == [1, 2, 3, 4]
    assert Settings().ttl_of("web") == 0
