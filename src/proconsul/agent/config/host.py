"""What the configuration asks of the machine: host name, interfaces, directories."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple, Protocol

__all__ = ["Host", "Interface", "RealHost"]


class Interface(NamedTuple):
    """One address of one network interface that is up."""

    name: str
    address: str
    prefix_length: int
    loopback: bool = False


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
        """All addresses of interfaces that are up, in the system's order."""
        import ipaddress

        import psutil

        up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
        rank = {name: index for index, name in socket.if_nameindex()}
        found: list[Interface] = []
        for name, addresses in sorted(psutil.net_if_addrs().items(), key=lambda item: rank.get(item[0], 1 << 30)):
            if name not in up:
                continue
            for entry in addresses:
                if entry.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                address = ipaddress.ip_address(entry.address.partition("%")[0])
                length = _prefix_length(entry.netmask, address.max_prefixlen)
                found.append(Interface(name, str(address), length, address.is_loopback))
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


def _prefix_length(netmask: str | None, bits: int) -> int:
    if not netmask:
        return bits
    import ipaddress

    return int(ipaddress.ip_address(netmask)).bit_count()
