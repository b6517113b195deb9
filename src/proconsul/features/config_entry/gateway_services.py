"""Which services are behind which gateway: a table derived from gateways' config entries and the catalog.

A wildcard stands for all ordinary services, those that register later included. As in the original, an ordinary service
that changes while a wildcard covers it takes over the wildcard's settings even where the gateway names it itself, until
the gateway's services are written anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import CONSUL_SERVICE_NAME, ServiceNode
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.config_entry.model import (
    ConfigEntry,
    GatewayService,
    IngressGateway,
    TerminatingGateway,
)

TABLE = "gateway-services"
WILDCARD = "*"


class GatewayServices:
    """Rows by gateway, service and port; rows of wildcards themselves are kept too."""

    def __init__(self, store: Store, catalog: CatalogTables) -> None:
        self.store = store
        self._catalog = catalog
        self.table: Table[GatewayService] = Table(
            TABLE, lambda row: (row.Gateway.lower(), row.Service.lower(), row.Port),
            indexes={
                "gateway": lambda row: row.Gateway.lower(),
                "service": lambda row: row.Service.lower(),
            },
        )  # fmt: skip
        store.add(self.table)

    def of_gateway(self, watch: WatchSet | None, gateway: str) -> tuple[int, list[GatewayService]]:
        """The services behind a gateway, without the wildcards they may come from."""
        if watch is not None:
            watch.add(TABLE)
        rows = [row for row in self.table.by("gateway", gateway.lower()) if row.Service != WILDCARD]
        return self.store.max_index(TABLE), rows

    def before(self, service: str) -> set[str]:
        """Names, in lower case, of the gateways before a service."""
        return {row.Gateway.lower() for row in self.table.by("service", service.lower())}

    # ------------------------------------------------------------------ config entries

    def entry_written(self, tx: Transaction, entry: ConfigEntry, old: ConfigEntry | None) -> None:
        """A config entry was written; a gateway whose services are the same keeps its rows."""
        if not isinstance(entry, (IngressGateway, TerminatingGateway)):
            return
        if old is not None and _described(old) == _described(entry):
            return
        self._remove_gateway(tx, entry.Name)
        self._insert(tx, entry)
        tx.bump(TABLE)

    def entry_deleted(self, tx: Transaction, entry: ConfigEntry) -> None:
        if isinstance(entry, (IngressGateway, TerminatingGateway)):
            self._remove_gateway(tx, entry.Name)
            tx.bump(TABLE)

    def _remove_gateway(self, tx: Transaction, name: str) -> None:
        for row in self.table.by("gateway", name.lower()):
            tx.delete(self.table, self.table.primary_key(row))

    def _insert(self, tx: Transaction, entry: IngressGateway | TerminatingGateway) -> None:
        """Rows of all services of a gateway; those it names go before those its wildcards catch."""
        rows = list(_rows_of(entry))
        for row in rows:
            tx.put(self.table, replace(row, CreateIndex=tx.index, ModifyIndex=tx.index))
        for row in rows:
            if row.Service == WILDCARD:
                for service in self._ordinary_services():
                    caught = replace(row, Service=service, FromWildcard=True)
                    if self.table.get(self.table.primary_key(caught)) is None:
                        tx.put(self.table, replace(caught, CreateIndex=tx.index, ModifyIndex=tx.index))

    def _ordinary_services(self) -> list[str]:
        rows = self._catalog.services.by("kind", "")
        return list({row.ServiceName.lower(): row.ServiceName for row in rows if _is_ordinary(row)}.values())

    # ------------------------------------------------------------------ the catalog

    def service_written(self, tx: Transaction, service: ServiceNode) -> None:
        """A service instance was registered or changed."""
        if not _is_ordinary(service):
            return
        for row in self.table.by("service", WILDCARD):
            caught = replace(row, Service=service.ServiceName, FromWildcard=True)
            old = self.table.get(self.table.primary_key(caught))
            created = old.CreateIndex if old is not None else tx.index
            if old is None or caught != replace(old, CreateIndex=row.CreateIndex, ModifyIndex=row.ModifyIndex):
                tx.put(self.table, replace(caught, CreateIndex=created, ModifyIndex=tx.index))
                tx.bump(TABLE)

    def service_gone(self, tx: Transaction, name: str) -> None:
        """The last instance of a service is gone; gateways that name it keep it."""
        for row in self.table.by("service", name.lower()):
            if row.FromWildcard:
                tx.delete(self.table, self.table.primary_key(row))
                tx.bump(TABLE)

    # ------------------------------------------------------------------ restoring

    def rebuild(self, entries: list[ConfigEntry]) -> None:
        """Derive all rows anew, for a state that came from a snapshot; their indexes are those of the entries."""
        for entry in entries:
            if isinstance(entry, (IngressGateway, TerminatingGateway)):
                self._insert(self.store.begin(entry.ModifyIndex), entry)


def _is_ordinary(service: ServiceNode) -> bool:
    return not service.ServiceKind and service.ServiceName != CONSUL_SERVICE_NAME


def _described(entry: ConfigEntry) -> object:
    """What the rows of a gateway are made of."""
    if isinstance(entry, IngressGateway):
        return entry.Listeners
    return entry.Services if isinstance(entry, TerminatingGateway) else None


def _rows_of(entry: IngressGateway | TerminatingGateway) -> Iterator[GatewayService]:
    if isinstance(entry, IngressGateway):
        for listener in entry.Listeners or ():
            for service in listener.Services or ():
                yield GatewayService(
                    Gateway=entry.Name, Service=service.Name, GatewayKind=entry.Kind, Port=listener.Port,
                    Protocol=listener.Protocol, Hosts=service.Hosts,
                )  # fmt: skip
    else:
        for linked in entry.Services or ():
            yield GatewayService(
                Gateway=entry.Name, Service=linked.Name, GatewayKind=entry.Kind, CAFile=linked.CAFile,
                CertFile=linked.CertFile, KeyFile=linked.KeyFile, SNI=linked.SNI,
            )  # fmt: skip
