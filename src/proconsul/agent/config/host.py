"""What the configuration asks of the machine: host name, interfaces, directories."""

from __future__ import annotations

import os
import socket
from typing import Any, NamedTuple, Protocol

__all__ = ["Host", "Interface", "RealHost"]


class Interface(NamedTuple):
    """One address of one network interface."""

    name: str
    address: str
    prefix_length: int
    loopback: bool = False
    up: bool = True
    # The flags besides those above, of: broadcast, pointtopoint, multicast.
    flags: tuple[str, ...] = ("broadcast", "multicast")
    number: int = 0
    mtu: int = 1500
    # Pairs of hexadecimal digits; empty when it has none.
    hardware_address: str = ""

    @property
    def flags_text(self) -> str:
        """All flags in Go's order and writing."""
        held = {*self.flags, *(["up"] if self.up else []), *(["loopback"] if self.loopback else [])}
        return "|".join(name for name in _FLAGS if name in held) or "0"


_FLAGS = ("up", "broadcast", "loopback", "pointtopoint", "multicast")


class Host(Protocol):
    """The machine, replaceable in tests."""

    def hostname(self) -> str: ...

    def interfaces(self) -> list[Interface]: ...

    def default_interface(self) -> str:
        """The interface of the default route, empty when there is none."""
        ...

    def is_directory(self, path: str) -> bool | None:
        """None when nothing is there."""
        ...


class RealHost:
    def hostname(self) -> str:
        return socket.gethostname()

    def interfaces(self) -> list[Interface]:
        """All addresses of all interfaces, in the system's order."""
        import psutil

        stats = psutil.net_if_stats()
        rank = {name: index for index, name in socket.if_nameindex()}
        found: list[Interface] = []
        for name, addresses in sorted(psutil.net_if_addrs().items(), key=lambda item: rank.get(item[0], 1 << 30)):
            hardware = [entry.address for entry in addresses if entry.family == psutil.AF_LINK]
            flags = set(stats[name].flags.split(",")) if name in stats else set()
            up = "up" in flags if any(flags) else name in stats and stats[name].isup
            named = tuple(_PSUTIL_FLAGS[flag] for flag in sorted(flags & _PSUTIL_FLAGS.keys()))
            address = hardware[0] if hardware and hardware[0] != "00:00:00:00:00:00" else ""
            mtu = stats[name].mtu if name in stats else 0
            blank = Interface(name, "", 0, "loopback" in flags, up, named, rank.get(name, 0), mtu, address)
            found += [_with_address(blank, entry) for entry in addresses if entry.family in _FAMILIES]
        return found

    def default_interface(self) -> str:
        try:
            with open("/proc/net/route", encoding="ascii") as routes:
                for line in routes.readlines()[1:]:
                    fields = line.split()
                    if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000":
                        return fields[0]
        except OSError:
            return ""
        return ""

    def is_directory(self, path: str) -> bool | None:
        return os.path.isdir(path) if os.path.exists(path) else None


_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_PSUTIL_FLAGS = {"broadcast": "broadcast", "pointopoint": "pointtopoint", "multicast": "multicast"}


def _with_address(blank: Interface, entry: Any) -> Interface:
    import ipaddress

    address = ipaddress.ip_address(entry.address.partition("%")[0])
    length = _prefix_length(entry.netmask, address.max_prefixlen)
    loopback = blank.loopback or address.is_loopback
    return blank._replace(address=str(address), prefix_length=length, loopback=loopback)


def _prefix_length(netmask: str | None, bits: int) -> int:
    if not netmask:
        return bits
    import ipaddress

    return int(ipaddress.ip_address(netmask)).bit_count()
