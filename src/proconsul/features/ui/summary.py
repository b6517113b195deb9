"""Instances as the list of services shows them: a line per service, encoded once while it stays the same.

Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any

from proconsul.engine.wire import gojson
from proconsul.features.catalog.model import HEALTH_CRITICAL, HEALTH_PASSING, HEALTH_WARNING, CheckServiceNode
from proconsul.features.ui.model import BehindGateway, ServiceInfo

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
        "GatewayConfig": gojson.Object(Addresses=list(addresses)) if addresses else gojson.Object(),
    }  # fmt: skip
    return shown


def _sorted(texts: Iterable[str]) -> list[str] | None:
    return sorted(texts, key=_bytes) or None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Summaries:
    """Encodes lists of services. What was encoded of a service before is used again for the same instances."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, tuple[list[CheckServiceNode], bytes]] = OrderedDict()

    def encoded(self, rows: Iterable[CheckServiceNode]) -> bytes:
        """The compact JSON of all services that have an instance in ``rows``, by name."""
        by_name: dict[str, list[CheckServiceNode]] = {}
        for row in rows:
            name = row.Service.Service
            found = by_name.get(name)
            if found is None:
                by_name[name] = [row]
            else:
                found.append(row)
        names = sorted(by_name) if all(map(str.isascii, by_name)) else sorted(by_name, key=_bytes)
        return b"[" + b",".join([self._line(name, by_name[name]) for name in names]) + b"]"

    def _line(self, name: str, rows: list[CheckServiceNode]) -> bytes:
        kept = self._lines.get(name)
        if kept is not None and len(kept[0]) == len(rows) and all(map(is_, kept[0], rows)):
            return kept[1]
        line = gojson.dumps(summary(name, rows)).removesuffix(b"\n")
        self._lines[name] = (rows, line)
        if len(self._lines) > LINES_MAX:
            self._lines.popitem(last=False)
        return line


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
