"""Instances as the list of services shows them, and lists whose lines are encoded once while they stay the same.

Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import is_
from typing import Any

from proconsul.engine.wire import gojson
from proconsul.features.catalog.model import HEALTH_CRITICAL, HEALTH_PASSING, HEALTH_WARNING, CheckServiceNode
from proconsul.features.ui.model import BehindGateway, NodeInfo, ServiceInfo

EXTERNAL_SOURCE = "external-source"
CONNECT_PROXY = "connect-proxy"
# A line is some hundred bytes: enough for the largest catalogs, and no more than some ten megabytes.
LINES_MAX = 50_000


def summary(name: str, rows: Iterable[CheckServiceNode], addresses: Sequence[str] = ()) -> gojson.Object:
    """What is shown of a service with these instances. ``addresses``: under which a gateway offers it."""
    kind = ""
    tags: dict[str, None] = {}
    sources: dict[str, None] = {}
    proxied: dict[str, None] = {}
    nodes: list[str] = []
    checks = {HEALTH_PASSING: 0, HEALTH_WARNING: 0, HEALTH_CRITICAL: 0}
    for row in rows:
        service = row.Service
        kind = service.Kind  # of the last one
        nodes.append(row.Node.Node)
        tags.update(dict.fromkeys(service.Tags or ()))
        if service.Kind == CONNECT_PROXY:
            proxied[service.Proxy.DestinationServiceName] = None
        source = (service.Meta or {}).get(EXTERNAL_SOURCE)
        if source:
            sources[source] = None
        for check in row.Checks or ():
            if check.Status in checks:  # others, as who registers may name them, are not counted
                checks[check.Status] += 1
    shown = gojson.Object(Kind=kind) if kind else gojson.Object()
    shown |= {"Name": name, "Tags": _sorted(tags), "Nodes": _sorted(nodes), "InstanceCount": len(nodes)}
    if proxied:
        shown["ProxyFor"] = list(proxied)
    shown |= {
        "ChecksPassing": checks[HEALTH_PASSING], "ChecksWarning": checks[HEALTH_WARNING],
        "ChecksCritical": checks[HEALTH_CRITICAL], "ExternalSources": list(sources) or None,
        "GatewayConfig": {"Addresses": list(addresses)} if addresses else {},
    }  # fmt: skip
    return shown


def _sorted(texts: Iterable[str]) -> list[str] | None:
    return sorted(texts, key=_bytes) or None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Lines:
    """Lists whose elements are encoded once while they are made of the same objects."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bool], tuple[Sequence[Any], bytes]] = OrderedDict()

    def line(self, key: str, parts: Sequence[Any], make: Callable[[], Any], *, pretty: bool) -> bytes:
        """The element ``key``, which is made of ``parts``; what ``make`` gives is encoded."""
        kept = self._kept.get((key, pretty))
        if kept is not None and len(kept[0]) == len(parts) and all(map(is_, kept[0], parts)):
            return kept[1]
        made = make()
        if pretty:
            encoded = gojson.dumps(made, pretty=True).rstrip(b"\n").replace(b"\n", b"\n    ")
        else:
            encoded = gojson.dumps_plain(made) if type(made) is gojson.Object else gojson.dumps(made)
        self._kept[key, pretty] = (parts, encoded)
        if len(self._kept) > LINES_MAX:
            self._kept.popitem(last=False)
        return encoded


def _itself(value: Any) -> Any:
    return value


def joined(lines: Sequence[bytes], *, pretty: bool) -> bytes:
    """The list of encoded elements."""
    if not pretty:
        return b"[" + b",".join(lines) + b"]"
    return b"[\n    " + b",\n    ".join(lines) + b"\n]\n" if lines else b"[]\n"


class Summaries:
    """Encodes lists of services, by their names."""

    def __init__(self) -> None:
        self._lines = Lines()

    def encoded(self, rows: Iterable[CheckServiceNode], *, pretty: bool = False) -> bytes:
        """The JSON of all services that have an instance in ``rows``."""
        by_name: dict[str, list[CheckServiceNode]] = {}
        for row in rows:
            name = row.Service.Service
            found = by_name.get(name)
            if found is None:
                by_name[name] = [row]
            else:
                found.append(row)
        names = sorted(by_name) if all(map(str.isascii, by_name)) else sorted(by_name, key=_bytes)
        line = self._lines.line
        return joined(
            [line(name, by_name[name], partial(summary, name, by_name[name]), pretty=pretty) for name in names],
            pretty=pretty,
        )


class NodeLines:
    """Encodes lists of nodes."""

    def __init__(self) -> None:
        self._lines = Lines()

    def encoded(self, nodes: Iterable[NodeInfo], *, pretty: bool = False) -> bytes:
        """The JSON of ``nodes``, in their order."""
        line = self._lines.line
        return joined(
            [line(node.Node, (node,), partial(_itself, node), pretty=pretty) for node in nodes], pretty=pretty
        )


def behind_gateway(dump: Iterable[ServiceInfo], datacenter: str, domains: Sequence[str]) -> list[Any]:
    """What is shown of the services behind a gateway, by name. ``domains``: of the DNS names that lead to it."""
    instances: dict[str, list[CheckServiceNode]] = {}
    addresses: dict[str, dict[str, None]] = {}
    for info in dump:
        behind = info.GatewayService
        if behind is None:
            continue
        name = behind.Service.Name
        found = instances.setdefault(name, [])
        if info.instance is not None:
            found.append(info.instance)
        addresses.setdefault(name, {}).update(dict.fromkeys(_addresses(behind, datacenter, domains)))
    return [summary(name, instances[name], list(addresses[name])) for name in sorted(instances, key=_bytes)]


def _addresses(behind: BehindGateway, datacenter: str, domains: Sequence[str]) -> list[str]:
    if not behind.Port:
        return []
    usual = [f"{behind.Service.Name}.ingress.{datacenter}.{domain}" for domain in domains]
    return [f"{host}:{behind.Port}" for host in behind.Hosts or usual]
