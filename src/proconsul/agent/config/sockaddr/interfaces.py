"""The values that address templates work on: an address of an interface, and lists of them. Pure."""

from __future__ import annotations

import ipaddress
from typing import ClassVar

from proconsul.agent.config.host import Interface
from proconsul.agent.config.sockaddr.ranges import Net

__all__ = ["IfAddr", "IfAddrs", "SockAddr", "UnknownAttribute"]


class UnknownAttribute(Exception):
    """``str()`` is the text."""


class SockAddr:
    """An IP address with its mask."""

    go_type: ClassVar = "sockaddr.SockAddr"
    FIELDS: ClassVar = ("String", "Type")

    def __init__(self, address: str, bits: int) -> None:
        self.interface = ipaddress.ip_interface(f"{address}/{bits}")

    @property
    def network(self) -> Net:
        return self.interface.network

    @property
    def family(self) -> str:
        return f"IPv{self.interface.version}"

    def __str__(self) -> str:
        """The mask is left out when it covers the address alone."""
        whole = self.interface.network.prefixlen == self.interface.max_prefixlen
        return str(self.interface.ip) if whole else str(self.interface)

    def field(self, name: str) -> object:
        return str(self) if name == "String" else self.family

    def attribute(self, name: str) -> str:
        """Raises UnknownAttribute."""
        address, network = self.interface.ip, self.network
        version, bits = self.interface.version, network.prefixlen
        number = int(address)
        if name in ("address", "host"):
            return str(address)
        if name == "string":
            return str(self)
        if name == "type":
            return self.family
        if name == "port":
            return "0"
        if name == "netmask":
            return str(network.netmask)
        if name == "network":
            return str(self._of(network.network_address))
        if name == "mask_bits":
            return str(bits)
        if name == "size":
            return str(network.num_addresses)
        if name == "hex":
            return address.packed.hex()
        if name == "binary":
            return f"{number:0{address.max_prefixlen}b}"
        if name == "octets":
            return " ".join(map(str, address.packed))
        if name in ("first_usable", "last_usable"):
            spared = version == 4 and bits < 31
            first = network.network_address + spared
            return str(first if name == "first_usable" else network.broadcast_address - spared)
        if name == f"uint{address.max_prefixlen}":
            return str(number)
        if name == "broadcast" and version == 4:
            return str(network.broadcast_address)
        raise UnknownAttribute(f'unsupported attribute name "{name}"')

    @staticmethod
    def _of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> object:
        return address


class IfAddr:
    """One address of one network interface."""

    go_type: ClassVar = "sockaddr.IfAddr"
    # The fields and methods that templates may ask for, by Go's names.
    FIELDS: ClassVar = ("SockAddr", "Index", "MTU", "Name", "HardwareAddr", "Flags", "Interface", "String", "Type")

    def __init__(self, item: Interface, sock: SockAddr | None = None) -> None:
        self.item = item
        self.sock = sock or SockAddr(item.address, item.prefix_length)

    @property
    def interface(self) -> str:
        item = self.item
        return f"{{{item.number} {item.mtu} {item.name} {item.hardware_address} {item.flags_text}}}"

    def __str__(self) -> str:
        return f"{self.sock} {self.interface}"

    def field(self, name: str) -> object:
        item = self.item
        known: dict[str, object] = {
            "SockAddr": self.sock, "Index": item.number, "MTU": item.mtu, "Name": item.name, "Flags": item.flags_text,
            "HardwareAddr": item.hardware_address, "Interface": self.interface, "String": str(self),
            "Type": self.sock.family,
        }  # fmt: skip
        return known[name]

    def attribute(self, name: str) -> str:
        """An attribute of the interface or of the address, whatever the case of ``name``. Raises UnknownAttribute."""
        lower = name.lower()
        if lower == "name":
            return self.item.name
        if lower == "flags":
            return self.item.flags_text
        return self.sock.attribute(lower)


class IfAddrs(list[IfAddr]):
    go_type: ClassVar = "sockaddr.IfAddrs"

    def __str__(self) -> str:
        return "[" + " ".join(map(str, self)) + "]"
