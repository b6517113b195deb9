"""Address ranges by the RFC that sets them aside, as templates name them (go-sockaddr documentation). Pure.

Which of them the original knows, and with which ranges, was asked of it.
"""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["BY_RFC", "Net", "contains", "is_forwardable", "is_reserved"]

Net = ipaddress.IPv4Network | ipaddress.IPv6Network


def _nets(text: str) -> tuple[Net, ...]:
    return tuple(ipaddress.ip_network(part) for part in text.split())


_TEST_NETS: Final = "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24"

BY_RFC: Final = {
    number: _nets(text)
    for number, text in {
        919: "255.255.255.255/32",
        1112: "224.0.0.0/4",
        1122: "0.0.0.0/8 127.0.0.0/8",
        1918: "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16",
        2544: "198.18.0.0/15",
        2765: "::ffff:0:0:0/96",
        2928: "2001::/16",
        3056: "2002::/16",
        3068: "192.88.99.0/24",
        3171: "224.0.0.0/4",
        3330: "0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.2.0/24 192.88.99.0/24 "
        "192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4",
        3849: "2001:db8::/32",
        3927: "169.254.0.0/16",
        4038: "::ffff:0:0/96",
        4193: "fc00::/7",
        4291: "::/96 fe80::/10 fec0::/10 ff00::/8",
        4380: "2001::/32",
        4773: "2001::/23",
        4843: "2001:10::/28",
        5180: "2001:200::/48",
        5735: f"{_TEST_NETS} 198.18.0.0/15",
        5737: _TEST_NETS,
        6052: "64:ff9b::/96",
        6333: "192.0.0.0/29",
        6598: "100.64.0.0/10",
        6666: "100::/64",
        6890: f"0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
        f"192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 240.0.0.0/4 {_TEST_NETS} "
        "::1/128 ::/128 64:ff9b::/96 100::/64 2001::/16 2002::/16 fc00::/7 fe80::/10",
        7335: "192.0.0.0/29",
    }.items()
}  # fmt: skip

_NOT_FORWARDABLE: Final = _nets(
    f"0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 192.0.0.0/24 240.0.0.0/4 {_TEST_NETS} "
    "::1/128 ::/128 2001:db8::/32 2001:10::/28 fe80::/10"
)


def contains(nets: tuple[Net, ...], inner: Net) -> bool:
    """Whether one of ``nets`` holds all of ``inner``."""
    return any(
        net.version == inner.version
        and net.network_address <= inner.network_address  # type: ignore[operator]
        and inner.broadcast_address <= net.broadcast_address  # type: ignore[operator]
        for net in nets
    )


def is_reserved(inner: Net) -> bool:
    """Whether it lies in a range that RFC 6890 lists."""
    return contains(BY_RFC[6890], inner)


def is_forwardable(inner: Net) -> bool:
    """Whether routers may pass it on."""
    return not contains(_NOT_FORWARDABLE, inner)
