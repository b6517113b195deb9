"""Address templates: ``{{ GetPrivateIP }}``, ``{{ GetInterfaceIP "eth0" }}`` and pipelines over interfaces.

The common part of the go-sockaddr template language, as the configuration reference shows it: sources
(GetPrivateIP, GetPublicIP, GetInterfaceIP, GetAllInterfaces, ...) and filters (include, exclude, sort, limit, offset,
unique, attr, join). Text outside of ``{{ }}`` stays.

Pure: interfaces are an argument.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Final

from proconsul.agent.config.host import Host, Interface

__all__ = ["TemplateError", "is_private", "render"]

# 64 steps: a written pipeline has three or four.
_STEPS_MAX: Final = 64

_ACTION: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_WORD: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|`([^`]*)`|(\||[^\s|"`]+)')

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# RFC 6890 ranges that are neither private nor routable on the Internet.
_NOT_FORWARDABLE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24",
                 "203.0.113.0/24", "240.0.0.0/4", "::1/128", "::/128", "fe80::/10", "2001:db8::/32")
)


class TemplateError(ValueError):
    """The template cannot be evaluated."""


def is_private(address: str) -> bool:
    """Whether an address lies in a range for private networks (RFC 1918, 6598, 4193)."""
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE)


def _is_forwardable(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not any(parsed.version == network.version and parsed in network for network in _NOT_FORWARDABLE)


def render(template: str, host: Host) -> str:
    """Replace every ``{{ }}`` by its value. Raises TemplateError."""
    return _ACTION.sub(lambda match: _evaluate(match.group(1), host), template)


def _evaluate(expression: str, host: Host) -> str:
    words: list[tuple[str, bool]] = []
    for match in _WORD.finditer(expression):
        quoted = match.group(1) if match.group(1) is not None else match.group(2)
        words.append((quoted, True) if quoted is not None else (match.group(3), False))
    steps: list[list[str]] = [[]]
    for word, quoted_word in words:
        if word == "|" and not quoted_word:
            steps.append([])
        else:
            steps[-1].append(word)
    if len(steps) > _STEPS_MAX or not all(steps):
        raise TemplateError(f"unable to parse template {expression!r}")
    value: list[Interface] | str = _source(steps[0], host)
    for step in steps[1:]:
        value = _filter(step, value, host)
    if isinstance(value, str):
        return value
    return " ".join(item.address for item in value)


def _source(step: Sequence[str], host: Host) -> list[Interface] | str:
    name, arguments = step[0], step[1:]
    items = host.interfaces()
    if name == "GetAllInterfaces":
        return items
    if name == "GetDefaultInterfaces":
        return [item for item in items if item.name == host.default_interface()]
    usable = [item for item in items if _is_forwardable(item.address)]
    private = [item for item in usable if is_private(item.address)]
    public = [item for item in usable if not is_private(item.address)]
    if name in ("GetPrivateInterfaces", "GetPublicInterfaces"):
        return private if name == "GetPrivateInterfaces" else public
    if name in ("GetPrivateIP", "GetPublicIP"):
        chosen = _sorted(private if name == "GetPrivateIP" else public, "type,size", host)
        return chosen[0].address if chosen else ""
    if name in ("GetPrivateIPs", "GetPublicIPs"):
        return " ".join(item.address for item in (private if name == "GetPrivateIPs" else public))
    if name in ("GetInterfaceIP", "GetInterfaceIPs"):
        if len(arguments) != 1:
            raise TemplateError(f"wrong number of args for {name}")
        pool = usable if name == "GetInterfaceIP" else items
        found = [item for item in pool if re.search(arguments[0], item.name)]
        if name == "GetInterfaceIPs":
            return " ".join(item.address for item in found)
        found = _sorted(found, "type,size", host)
        return found[0].address if found else ""
    raise TemplateError(f'function "{name}" not defined')


def _filter(step: Sequence[str], value: list[Interface] | str, host: Host) -> list[Interface] | str:
    name, arguments = step[0], list(step[1:])
    if isinstance(value, str):
        raise TemplateError(f"{name} needs a list of addresses")
    if name in ("include", "exclude") and len(arguments) == 2:
        test = _selector(arguments[0], arguments[1])
        return [item for item in value if test(item) == (name == "include")]
    if name == "sort" and len(arguments) == 1:
        return _sorted(value, arguments[0], host)
    if name in ("limit", "offset") and len(arguments) == 1 and arguments[0].isdigit():
        count = int(arguments[0])
        return value[:count] if name == "limit" else value[count:]
    if name == "unique" and len(arguments) == 1:
        return list({_attribute(item, arguments[0]): item for item in reversed(value)}.values())[::-1]
    if name == "attr" and len(arguments) == 1:
        return _attribute(value[0], arguments[0]) if value else ""
    if name == "join" and len(arguments) == 2:
        return arguments[1].join(_attribute(item, arguments[0]) for item in value)
    raise TemplateError(f'function "{name}" not defined')


def _sorted(items: Sequence[Interface], fields: str, host: Host) -> list[Interface]:
    """Insertion sort, because the comparison is no total order: the families cannot be compared with each other."""
    keys = [(field.lstrip("+-"), -1 if field.startswith("-") else 1) for field in fields.split(",")]

    def before(left: Interface, right: Interface) -> bool:
        for field, sign in keys:
            order = _compare(left, right, field, host) * sign
            if order:
                return order < 0
        return False

    out: list[Interface] = []
    for item in items:
        place = len(out)
        while place > 0 and before(item, out[place - 1]):
            place -= 1
        out.insert(place, item)
    return out


def _compare(left: Interface, right: Interface, field: str, host: Host) -> int:
    """Negative when ``left`` comes first, zero when the field does not tell."""
    if field in ("address", "size"):
        a, b = ipaddress.ip_address(left.address), ipaddress.ip_address(right.address)
        if a.version != b.version:
            return 0
        return int(a) - int(b) if field == "address" else left.prefix_length - right.prefix_length
    if field == "default":
        name = host.default_interface()
        return (right.name == name) - (left.name == name)
    if field == "private":
        return _is_local(right.address) - _is_local(left.address)
    a_text, b_text = _attribute(left, field), _attribute(right, field)
    return (a_text > b_text) - (a_text < b_text)


def _is_local(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return is_private(address) or (parsed.version == 6 and (parsed.is_loopback or parsed.is_link_local))


def _attribute(item: Interface, field: str) -> str:
    network = ipaddress.ip_network(f"{item.address}/{item.prefix_length}", strict=False)
    values = {
        "address": item.address,
        "name": item.name,
        "network": str(network.network_address),
        "mask_bits": str(item.prefix_length),
        "size": str(network.num_addresses),
        "type": "IPv6" if ":" in item.address else "IPv4",
    }
    if field not in values:
        raise TemplateError(f"unknown attribute {field!r}")
    return values[field]


def _selector(kind: str, argument: str) -> Callable[[Interface], bool]:
    if kind == "name":
        return lambda item: re.search(argument, item.name) is not None
    if kind == "address":
        return lambda item: re.search(argument, item.address) is not None
    if kind == "network":
        networks = [ipaddress.ip_network(text, strict=False) for text in argument.split("|")]
        return lambda item: any(
            ipaddress.ip_address(item.address).version == net.version and ipaddress.ip_address(item.address) in net
            for net in networks
        )
    if kind == "type":
        wanted = argument.lower()
        return lambda item: wanted == "ip" or wanted == ("ipv6" if ":" in item.address else "ipv4")
    if kind == "flags":
        flags = argument.split("|")
        return lambda item: all(_has_flag(item, flag) for flag in flags)
    if kind == "rfc":
        if argument not in ("1918", "6890"):
            raise TemplateError(f"unsupported rfc {argument}")
        if argument == "1918":
            return lambda item: ":" not in item.address and is_private(item.address)
        return lambda item: is_private(item.address) or not _is_forwardable(item.address)
    raise TemplateError(f"unknown selector {kind!r}")


def _has_flag(item: Interface, flag: str) -> bool:
    if flag == "up":
        return True
    if flag == "loopback":
        return item.loopback
    if flag == "forwardable":
        return _is_forwardable(item.address)
    if flag in ("global", "global unicast"):
        return not item.loopback and not item.address.startswith("fe80:")
    raise TemplateError(f"unknown flag {flag!r}")
