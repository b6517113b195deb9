"""Addresses of an agent: what it binds, what it advertises, where its listeners are.

Source: configuration reference (bind_addr, client_addr, addresses, advertise_addr, serf_lan, ports).
"""

from __future__ import annotations

from dataclasses import dataclass

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host
from proconsul.agent.config.issues import Issues
from proconsul.agent.config.runtime import Endpoint, PortsConfig
from proconsul.agent.config.values import Reader

__all__ = ["Network", "build_network", "build_ports", "join_addresses"]

_PORT_MAX = 65535
_UNIX = "unix://"
# The one address that may stand in brackets.
_ANY_V6_IN_BRACKETS = "[::]"


@dataclass(frozen=True)
class Network:
    """Every address of the agent, resolved."""

    bind_addr: str
    client_addrs: tuple[str, ...]
    advertise_lan: str
    advertise_wan: str
    tagged: dict[str, str]
    dns: tuple[Endpoint, ...]
    http: tuple[Endpoint, ...]
    https: tuple[Endpoint, ...]
    grpc: tuple[Endpoint, ...]
    grpc_tls: tuple[Endpoint, ...]
    serf_bind_lan: str
    serf_bind_wan: str


def build_ports(config: Reader) -> PortsConfig:
    """Read ``ports``; zero and negative numbers mean off."""
    ports = config.block("ports")

    def port(key: str) -> int:
        number = ports.number(key)
        if number > _PORT_MAX:
            config.issues.add(f"ports.{key}: invalid port: {number}")
            return -1
        return number if number > 0 else -1

    result = PortsConfig(
        dns=port("dns"),
        http=port("http"),
        https=port("https"),
        server=port("server"),
        grpc=port("grpc"),
        grpc_tls=port("grpc_tls"),
        serf_lan=port("serf_lan"),
        serf_wan=port("serf_wan"),
        sidecar_min=_range_port(ports, "sidecar_min_port", "proxy_min_port"),
        sidecar_max=_range_port(ports, "sidecar_max_port", "proxy_max_port"),
        expose_min=ports.number("expose_min_port"),
        expose_max=ports.number("expose_max_port"),
    )
    for name, low, high in (
        ("sidecar", result.sidecar_min, result.sidecar_max),
        ("expose", result.expose_min, result.expose_max),
    ):
        if low > high:
            raise ConfigError(f"{name}_min_port must be less than {name}_max_port. To disable, set both to zero.")
    return result


def _range_port(ports: Reader, key: str, old_key: str) -> int:
    """``proxy_*`` ports are the older spelling of ``sidecar_*`` ports."""
    return ports.number(old_key) if old_key in ports else ports.number(key)


class _Expander:
    """Evaluates templates and checks what comes out."""

    def __init__(self, config: Reader, host: Host) -> None:
        self.config = config
        self.host = host
        self.issues: Issues = config.issues

    def rendered(self, name: str, text: str) -> str:
        if "{{" not in text:
            return text
        from proconsul.agent.config.sockaddr import TemplateError, render
        from proconsul.engine.wire.text import quoted

        try:
            return render(text, self.host).strip()
        except TemplateError as error:
            self.issues.add(f"{name}: error parsing {quoted(text)}: {error}")
            return ""

    def addresses(self, name: str, text: str) -> list[str]:
        """Space-separated IP addresses and unix sockets; none of them when one cannot be read."""
        found: list[str] = []
        for part in self.rendered(name, text).split():
            if part.startswith(_UNIX):
                found.append(part)
            elif (address := _ip(part)) is not None:
                found.append(address)
            else:
                self.issues.add(f"{name}: invalid ip address: {part}")
                return []
        return found

    def ips(self, name: str, text: str) -> list[str]:
        found = self.addresses(name, text)
        if any(part.startswith(_UNIX) for part in found):
            self.issues.add(f"{name} cannot be a unix socket")
            return []
        return found

    def single_ip(self, name: str, text: str) -> str:
        """Exactly one IP address; empty when none was given."""
        if not text:
            return ""
        rendered = self.rendered(name, text)
        found = self.addresses(name, text)
        if len(found) > 1:
            self.issues.add(f"{name}: multiple addresses found: {rendered}")
            return ""
        if found and found[0].startswith(_UNIX):
            self.issues.add(f"{name} cannot be a unix socket")
            return ""
        return found[0] if found else ""


def _ip(text: str) -> str | None:
    """Normalise an IP address; None when it is none. The dotted form is cheap on purpose."""
    parts = text.split(".")
    if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    if text == _ANY_V6_IN_BRACKETS:
        return "::"
    if ":" not in text or "%" in text:
        return None
    import ipaddress

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _is_any(address: str) -> bool:
    return address in ("0.0.0.0", "::")


def _bind_address(expand: _Expander, text: str) -> str:
    found = expand.addresses("bind_addr", text)
    if not found:
        raise ConfigError("bind_addr cannot be empty")
    if len(found) > 1:
        raise ConfigError("bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.")
    if found[0].startswith(_UNIX):
        raise ConfigError("bind_addr cannot be a unix socket")
    return found[0]


def _detected_address(bind: str, host: Host) -> str:
    """The one address others can reach us at when we listen on all of them."""
    from proconsul.agent.config.sockaddr import is_private

    if bind == "0.0.0.0":
        found = [i.address for i in host.interfaces() if ":" not in i.address and is_private(i.address)]
        if not found:
            # The original falls back to the address of the default route when that is not a private one.
            route = host.default_interface()
            found = [i.address for i in host.interfaces() if i.name == route and ":" not in i.address][:1]
        kind, family = "private", "IPv4"
    else:
        found = [
            i.address
            for i in host.interfaces()
            if ":" in i.address and not is_private(i.address) and not i.loopback and not i.address.startswith("fe80:")
        ]
        kind, family = "public", "IPv6"
    if not found:
        raise ConfigError(f"No {kind} {family} address found")
    if len(found) > 1:
        raise ConfigError(
            f"Multiple {kind} {family} addresses found. Please configure one with 'bind' and/or 'advertise'."
        )
    return found[0]


def _family_address(expand: _Expander, config: Reader, key: str, version: str) -> str:
    address = expand.single_ip(key, config.text(key))
    if address and (":" in address) != (version == "ipv6"):
        raise ConfigError(f"{key} must be an {version} address")
    return address


def _advertise(expand: _Expander, config: Reader, bind: str) -> tuple[str, str, dict[str, str]]:
    """The LAN and WAN addresses and the tagged addresses made of them."""
    lan = expand.single_ip("advertise_addr", config.text("advertise_addr"))
    if not lan and config.text("advertise_addr"):
        # Asked twice by the original: once for itself, once as the default of the WAN.
        expand.single_ip("advertise_addr", config.text("advertise_addr"))
    lan_v4 = _family_address(expand, config, "advertise_addr_ipv4", "ipv4")
    lan_v6 = _family_address(expand, config, "advertise_addr_ipv6", "ipv6")
    wan = expand.single_ip("advertise_addr_wan", config.text("advertise_addr_wan"))
    wan_v4 = _family_address(expand, config, "advertise_addr_wan_ipv4", "ipv4")
    wan_v6 = _family_address(expand, config, "advertise_addr_wan_ipv6", "ipv6")
    # The addresses per family are extra tags; they never replace the main address.
    if not lan:
        lan = _detected_address(bind, expand.host) if _is_any(bind) else bind
    wan = wan or lan
    tagged = {"lan": lan, "wan": wan}
    for name, given_v4, given_v6, main in (("lan", lan_v4, lan_v6, lan), ("wan", wan_v4, wan_v6, wan)):
        v4 = given_v4 or (main if ":" not in main else "")
        v6 = given_v6 or (main if ":" in main else "")
        if v4:
            tagged[f"{name}_ipv4"] = v4
        if v6:
            tagged[f"{name}_ipv6"] = v6
    return lan, wan, tagged


def build_network(config: Reader, host: Host, ports: PortsConfig) -> Network:
    """Resolve every address. Raises ConfigError for what cannot be used at all."""
    expand = _Expander(config, host)
    bind = _bind_address(expand, config.text("bind_addr"))
    clients = expand.ips("client_addr", config.text("client_addr"))
    listeners = config.block("addresses")

    def endpoints(key: str, port: int, networks: tuple[str, ...] = ("tcp",)) -> tuple[Endpoint, ...]:
        given = expand.addresses(f"addresses.{key}", listeners.text(key)) or clients
        found: list[Endpoint] = []
        for network in networks:
            for address in given:
                if address.startswith(_UNIX):
                    found.append(Endpoint("unix", path=address.removeprefix(_UNIX)))
                elif port > 0:
                    found.append(Endpoint(network, address, port))
        return tuple(found)

    dns = endpoints("dns", ports.dns, ("tcp", "udp"))
    http = endpoints("http", ports.http)
    https = endpoints("https", ports.https)
    grpc = endpoints("grpc", ports.grpc)
    grpc_tls = endpoints("grpc_tls", ports.grpc_tls)
    lan, wan, tagged = _advertise(expand, config, bind)
    return Network(
        bind_addr=bind,
        client_addrs=tuple(clients),
        advertise_lan=lan,
        advertise_wan=wan,
        tagged={**config.text_map("tagged_addresses"), **tagged},
        dns=dns,
        http=http,
        https=https,
        grpc=grpc,
        grpc_tls=grpc_tls,
        serf_bind_lan=expand.single_ip("serf_lan", config.text("serf_lan")) or bind,
        serf_bind_wan=expand.single_ip("serf_wan", config.text("serf_wan")) or bind,
    )


def join_addresses(config: Reader, host: Host, key: str) -> tuple[str, ...]:
    """Join addresses with templates replaced; everything else stays as written."""
    expand = _Expander(config, host)
    found: list[str] = []
    for text in config.texts(key):
        if "{{" in text:
            found.extend(expand.rendered(key, text).split())
        else:
            found.append(text)
    return tuple(found)
