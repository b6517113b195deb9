"""What address templates may call (go-sockaddr documentation: package template). Pure: the host is an argument."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from proconsul.agent.config.host import Host
from proconsul.agent.config.sockaddr.interfaces import IfAddr, IfAddrs, SockAddr, UnknownAttribute
from proconsul.agent.config.sockaddr.printing import shown, type_name
from proconsul.agent.config.sockaddr.ranges import BY_RFC, Net, contains, is_forwardable, is_reserved
from proconsul.engine.wire.goregexp import Pattern, compile_go
from proconsul.engine.wire.gostrconv import NumberError, parse_int, parse_uint
from proconsul.engine.wire.text import quoted

__all__ = ["CallError", "Function", "functions_for"]

# Go sorts few elements by insertion, after one pass over those this far apart; it shows where elements are equal.
_SHELL_GAP: Final = 6


class CallError(Exception):
    """The function refuses; ``str()`` is its text."""


class Function(NamedTuple):
    """``takes``: the types of its arguments, by Go's names; the last one repeats when ``variadic``."""

    call: Callable[..., object]
    takes: tuple[str, ...] = ()
    variadic: bool = False


def functions_for(host: Host) -> dict[str, Function]:
    """The functions over the interfaces of ``host``."""
    at_host = _AtHost(host)
    strings = ("string",)
    lists = ("sockaddr.IfAddrs",)
    return {
        "GetAllInterfaces": Function(at_host.everything),
        "GetDefaultInterfaces": Function(at_host.default),
        "GetPrivateInterfaces": Function(at_host.private),
        "GetPublicInterfaces": Function(at_host.public),
        "GetPrivateIP": Function(lambda: _first(at_host.private())),
        "GetPublicIP": Function(lambda: _first(at_host.public())),
        "GetPrivateIPs": Function(lambda: _join("address", " ", at_host.private())),
        "GetPublicIPs": Function(lambda: _join("address", " ", at_host.public())),
        "GetInterfaceIP": Function(lambda name: _first(at_host.named(name, forwardable=True)), strings),
        "GetInterfaceIPs": Function(lambda name: _join("address", " ", at_host.named(name)), strings),
        "sort": Function(at_host.sort, strings + lists),
        "include": Function(_include, strings * 2 + lists),
        "exclude": Function(_exclude, strings * 2 + lists),
        "attr": Function(_attr, (*strings, "any")),
        "join": Function(_join, strings * 2 + lists),
        "limit": Function(lambda count, items: IfAddrs(items[:count]), ("uint", *lists)),
        "offset": Function(_offset, ("int", *lists)),
        "unique": Function(_unique, strings + lists),
        "math": Function(_math, strings * 2 + lists),
    }


class _AtHost:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._found: IfAddrs | None = None

    def everything(self) -> IfAddrs:
        if self._found is None:
            self._found = IfAddrs(IfAddr(item) for item in self._host.interfaces())
        return IfAddrs(self._found)

    def default(self) -> IfAddrs:
        name = self._host.default_interface()
        if not name:
            raise CallError("No default interface found")
        return IfAddrs(item for item in self.everything() if item.item.name == name)

    def _forwardable(self) -> IfAddrs:
        usable = [item for item in self.everything() if is_forwardable(item.sock.network) and item.item.up]
        return self.sort("type,size", IfAddrs(usable))

    def private(self) -> IfAddrs:
        return IfAddrs(item for item in self._forwardable() if is_reserved(item.sock.network))

    def public(self) -> IfAddrs:
        return IfAddrs(item for item in self._forwardable() if not is_reserved(item.sock.network))

    def named(self, pattern: str, *, forwardable: bool = False) -> IfAddrs:
        compiled = _compiled("name", pattern)
        found = IfAddrs(item for item in self.everything() if compiled.search(item.item.name))
        found = self.sort("type,size", found)
        return IfAddrs(item for item in found if not forwardable or is_forwardable(item.sock.network))

    def sort(self, keys: str, items: IfAddrs) -> IfAddrs:
        orders = [self._order(key) for key in keys.split(",")]

        def before(left: IfAddr, right: IfAddr) -> bool:
            for compare, sign in orders:
                order = compare(left, right) * sign
                if order:
                    return order < 0
            return False

        return IfAddrs(_sorted(items, before))

    def _order(self, key: str) -> tuple[Callable[[IfAddr, IfAddr], int], int]:
        name = key.strip().lower()
        sign = -1 if name.startswith("-") else 1
        compare = _COMPARISONS.get(name[1:] if name[:1] in ("+", "-") else name)
        if name.removeprefix("+").removeprefix("-") == "default" and compare is None:
            default = self._host.default_interface()
            return (lambda left, right: (right.item.name == default) - (left.item.name == default)), sign
        if compare is None:
            raise CallError(f"unknown sort type: {quoted(key)}")
        return compare, sign


def _sorted(items: Sequence[IfAddr], before: Callable[[IfAddr, IfAddr], bool]) -> list[IfAddr]:
    out = list(items)
    for at in range(_SHELL_GAP, len(out)):
        if before(out[at], out[at - _SHELL_GAP]):
            out[at], out[at - _SHELL_GAP] = out[at - _SHELL_GAP], out[at]
    for end in range(1, len(out)):
        at = end
        while at > 0 and before(out[at], out[at - 1]):
            out[at], out[at - 1] = out[at - 1], out[at]
            at -= 1
    return out


def _difference(left: int, right: int) -> int:
    return (left > right) - (left < right)


def _same_family(compare: Callable[[IfAddr, IfAddr], int]) -> Callable[[IfAddr, IfAddr], int]:
    """Addresses of different families cannot be compared."""
    return lambda left, right: compare(left, right) if left.sock.family == right.sock.family else 0


def _private_difference(left: IfAddr, right: IfAddr) -> int:
    """The original looks for both in the ranges of the left one's family, so that of two families the left is first."""
    same = left.sock.family == right.sock.family
    return (same and is_reserved(right.sock.network)) - is_reserved(left.sock.network)


_COMPARISONS: Final[dict[str, Callable[[IfAddr, IfAddr], int]]] = {
    "address": _same_family(lambda left, right: _difference(int(left.sock.interface.ip), int(right.sock.interface.ip))),
    "name": lambda left, right: (left.item.name > right.item.name) - (left.item.name < right.item.name),
    "port": lambda left, right: 0,
    "private": _private_difference,
    # The bigger network first.
    "size": _same_family(lambda left, right: _difference(left.sock.network.prefixlen, right.sock.network.prefixlen)),
    "type": lambda left, right: _difference(left.sock.interface.version, right.sock.interface.version),
}


def _compiled(what: str, pattern: str) -> Pattern:
    try:
        return compile_go(pattern)
    except ValueError as error:
        raise CallError(f"Unable to compile {what} regexp {quoted(pattern)}: {error}") from None


def _include(selector: str, argument: str, items: IfAddrs) -> IfAddrs:
    return _chosen("include", selector, argument, items)[0]


def _exclude(selector: str, argument: str, items: IfAddrs) -> IfAddrs:
    return _chosen("exclude", selector, argument, items)[1]


def _chosen(verb: str, selector: str, argument: str, items: IfAddrs) -> tuple[IfAddrs, IfAddrs]:
    """Those that match and those that do not."""
    name = selector.lower()
    if name == "type":
        return _by_types(argument, items)
    if name in ("rfc", "rfcs", "network"):
        # Of several ranges each is looked at for itself, so that an address may come more than once.
        chosen, others = IfAddrs(), IfAddrs()
        for text in argument.split("|"):
            nets = _network(text) if name == "network" else _rfc(text)
            for item in items:
                (chosen if contains(nets, item.sock.network) else others).append(item)
        return chosen, others
    tests: dict[str, Callable[[str], Callable[[IfAddr], bool]]] = {
        "address": _by_address, "flag": _by_flags, "flags": _by_flags, "name": _by_name, "port": _by_port,
        "size": _by_size,
    }  # fmt: skip
    if name not in tests:
        raise CallError(f"invalid {verb} selector {quoted(selector)}")
    test = tests[name](argument)
    chosen, others = IfAddrs(), IfAddrs()
    for item in items:
        (chosen if test(item) else others).append(item)
    return chosen, others


def _rfc(text: str) -> tuple[Net, ...]:
    try:
        number = parse_uint(text)
    except NumberError as error:
        problem = f"unable to parse RFC number {quoted(text)}: {error}"
        raise CallError(f"unable to lookup RFC number {quoted(text)}: {problem}") from None
    nets = BY_RFC.get(number)
    if nets is None:
        raise CallError(f"unable to lookup RFC number {quoted(text)}: unsupported RFC {number}")
    return nets


def _by_address(argument: str) -> Callable[[IfAddr], bool]:
    pattern = _compiled("address", argument)
    return lambda item: bool(pattern.search(str(item.sock)))


def _by_name(argument: str) -> Callable[[IfAddr], bool]:
    pattern = _compiled("name", argument)
    return lambda item: bool(pattern.search(item.item.name))


def _by_port(argument: str) -> Callable[[IfAddr], bool]:
    pattern = _compiled("port", argument)
    return lambda item: bool(pattern.search("0"))


def _network(text: str) -> tuple[Net, ...]:
    try:
        return (ipaddress.ip_network(text, strict=False),)
    except ValueError:
        raise CallError(f"unable to create an IP address from {quoted(text)}: invalid IPAddr {text}") from None


def _by_size(argument: str) -> Callable[[IfAddr], bool]:
    try:
        size = parse_uint(argument)
    except NumberError as error:
        raise CallError(f"invalid exclude size argument ({quoted(argument)}): {error}") from None

    def test(item: IfAddr) -> bool:
        if size > item.sock.interface.max_prefixlen:
            raise CallError(f"mask size out of bounds for {item.sock.family} address: {size}")
        return item.sock.network.prefixlen == size

    return test


def _by_types(argument: str, items: IfAddrs) -> tuple[IfAddrs, IfAddrs]:
    """An address is chosen, or is not, by each of the types for itself."""
    wanted = []
    for text in argument.split("|"):
        name = text.strip().lower()
        if name not in ("ip", "ipv4", "ipv6", "unix"):
            raise CallError(f"unsupported type {quoted(name)} {quoted(argument)}")
        wanted.append(name)
    chosen, others = IfAddrs(), IfAddrs()
    for item in items:
        for name in wanted:
            (chosen if name in ("ip", item.sock.family.lower()) else others).append(item)
    return chosen, others


def _by_flags(argument: str) -> Callable[[IfAddr], bool]:
    """An address matches by any of the flags of addresses, or by all of those of interfaces together."""
    of_addresses: list[Callable[[IfAddr], bool]] = []
    of_interfaces: set[str] = set()
    interfaces_count = False
    for text in argument.split("|"):
        name = text.strip().lower()
        if name not in _ADDRESS_FLAGS and name not in _INTERFACE_FLAGS:
            raise CallError(f"Unknown interface flag: {quoted(text)}")
        if name in _ADDRESS_FLAGS:
            of_addresses.append(_ADDRESS_FLAGS[name])
        if name in _INTERFACE_FLAGS:
            of_interfaces |= _INTERFACE_FLAGS[name]
            interfaces_count = True

    def test(item: IfAddr) -> bool:
        if any(one(item) for one in of_addresses):
            return True
        return interfaces_count and of_interfaces <= {*item.item.flags_text.split("|")}

    return test


def _is_global(item: IfAddr) -> bool:
    address = item.sock.interface.ip
    local = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return not local and address != ipaddress.ip_address("255.255.255.255")


def _is_multicast(item: IfAddr, scope: int, network: str = "") -> bool:
    """Whether it is a multicast address of this scope; for IPv4 the range takes its place."""
    address = item.sock.interface.ip
    if isinstance(address, ipaddress.IPv6Address):
        return address.packed[0] == 0xFF and address.packed[1] & 0x0F == scope
    return bool(network) and address in ipaddress.ip_network(network)


_ADDRESS_FLAGS: Final[dict[str, Callable[[IfAddr], bool]]] = {
    "forwardable": lambda item: is_forwardable(item.sock.network),
    "global unicast": _is_global,
    "interface-local multicast": lambda item: _is_multicast(item, 1),
    "link-local multicast": lambda item: _is_multicast(item, 2, "224.0.0.0/24"),
    "link-local unicast": lambda item: item.sock.interface.ip.is_link_local,
    "loopback": lambda item: item.sock.interface.ip.is_loopback,
    "multicast": lambda item: item.sock.interface.ip.is_multicast,
    "unspecified": lambda item: item.sock.interface.ip.is_unspecified,
}
_INTERFACE_FLAGS: Final[dict[str, set[str]]] = {
    "broadcast": {"broadcast"},
    # The original lets every interface pass.
    "down": set(),
    "loopback": {"loopback"},
    "multicast": {"multicast"},
    "point-to-point": {"pointtopoint"},
    "up": {"up"},
}


def _attr(name: str, value: object) -> str:
    if isinstance(value, IfAddrs):
        return _attribute(value[0], name) if value else ""
    if isinstance(value, IfAddr):
        return _attribute(value, name)
    raise CallError(f"unable to obtain attribute {name} from type {type_name(value)} ({shown(value)})")


def _attribute(item: IfAddr, name: str) -> str:
    try:
        return item.attribute(name)
    except UnknownAttribute as error:
        raise CallError(str(error)) from None


def _join(name: str, separator: str, items: IfAddrs) -> str:
    return separator.join(_attribute(item, name) for item in items)


def _first(items: IfAddrs) -> str:
    return items[0].attribute("address") if items else ""


def _offset(count: int, items: IfAddrs) -> IfAddrs:
    if abs(count) > len(items):
        raise CallError(
            "unable to seek past the end of the interface array: "
            f"offset ({abs(count)}) exceeds the number of interfaces ({len(items)})"
        )
    return IfAddrs(items[count:] if count else items)


def _unique(name: str, items: IfAddrs) -> IfAddrs:
    """Of those with the same value that follow each other, the first."""
    if items and name.lower() not in ("address", "name"):
        raise CallError(f"unsupported unique constraint {quoted(name)}")
    out = IfAddrs()
    last = None
    for item in items:
        value = str(item.sock) if name.lower() == "address" else item.item.name
        if value != last:
            out.append(item)
        last = value
    return out


def _math(operation: str, value: str, items: IfAddrs) -> IfAddrs:
    return IfAddrs(IfAddr(item.item, _moved(operation, value, item)) for item in items)


def _moved(operation: str, value: str, item: IfAddr) -> SockAddr:
    head = f"unable to perform an IPMath operation on {item}: "
    name = operation.lower()
    if name not in ("address", "network"):
        raise CallError(f"{head}unsupported math operation: {quoted(operation)}")
    if value[:1] not in ("+", "-"):
        raise CallError(f"{head}sign (+/-) is required for operation {quoted(operation)}")
    try:
        number = parse_int(value)
    except NumberError as error:
        raise CallError(
            f"{head}unable to convert {quoted(value)} to int for operation {quoted(operation)}: {error}"
        ) from None
    network = item.sock.network
    if name == "address":
        moved = (int(item.sock.interface.ip) + number) % (1 << network.max_prefixlen)
    else:
        # Within the network: what goes beyond its end begins again, and negative numbers count from its end.
        moved = int(network.network_address) + number % network.num_addresses
    address = type(network.network_address)(moved)
    return SockAddr(str(address), network.prefixlen)
