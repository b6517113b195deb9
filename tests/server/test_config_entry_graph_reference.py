"""Random config entries, one after the other, to a real server and to our state machine: both take the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgpack as msgpack_c
import pytest

from proconsul.features.config_entry import model
from proconsul.features.config_entry.model import ConfigEntry, ConfigEntryRequest
from proconsul.features.errors import StateError
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.server.fsm import FSM, encode_command
from support.fsm_story import Rpc
from support.harness import Agent, Subject

pytestmark = pytest.mark.reference

WRITES = 5000
SERVICES = ("a", "b", "c", "d")
# What the state machine says. All else is said of a single entry, before it is proposed.
GRAPH_ERRORS = ("discovery chain", 'service "', "detected circular", "cannot create")


class Entries:
    """Makes random entries over few services, so that they meet."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._makers = {
            self._defaults: 4, self._proxy: 1, self._router: 2, self._splitter: 2, self._resolver: 4,
            self._ingress: 1, self._terminating: 1,
        }  # fmt: skip

    def any(self) -> ConfigEntry:
        maker = self._rng.choices(list(self._makers), list(self._makers.values()))[0]
        return maker(self._rng.choice(SERVICES))

    def _other(self) -> str:
        return self._rng.choice((*SERVICES, "", ""))

    def _subset(self) -> str:
        return self._rng.choice(("", "", "v1", "v2"))

    def _defaults(self, name: str) -> ConfigEntry:
        protocol = self._rng.choice(("http", "http", "http", "http", "grpc", "tcp"))
        sni = "sni" if self._rng.random() < 0.1 else ""
        return model.ServiceDefaults(Kind=model.SERVICE_DEFAULTS, Name=name, Protocol=protocol, ExternalSNI=sni)

    def _proxy(self, name: str) -> ConfigEntry:
        protocol = self._rng.choice(("http", "http", "tcp", "grpc", ""))
        config = {"protocol": protocol} if protocol else None
        return model.ProxyDefaults(Kind=model.PROXY_DEFAULTS, Name=model.GLOBAL, Config=config)

    def _router(self, name: str) -> ConfigEntry:
        match = model.RouteMatch(model.HTTPMatch(PathPrefix="/x"))
        routes = []
        for _ in range(self._rng.randint(0, 2)):
            destination = model.RouteDestination(self._other(), self._subset()) if self._rng.random() < 0.8 else None
            routes.append(model.Route(match, destination))
        return model.ServiceRouter(Kind=model.SERVICE_ROUTER, Name=name, Routes=routes)

    def _splitter(self, name: str) -> ConfigEntry:
        pairs = {(self._other().replace(name, ""), self._subset()) for _ in range(self._rng.randint(1, 2))}
        splits = [model.Split(100.0 / len(pairs), service, subset) for service, subset in sorted(pairs)]
        return model.ServiceSplitter(Kind=model.SERVICE_SPLITTER, Name=name, Splits=splits)

    def _resolver(self, name: str) -> ConfigEntry:
        if self._rng.random() < 0.35:
            datacenter = "dc2" if self._rng.random() < 0.15 else ""
            redirect = model.Redirect(self._other() or "a", self._subset(), "", datacenter)
            return model.ServiceResolver(Kind=model.SERVICE_RESOLVER, Name=name, Redirect=redirect)
        subsets = {subset: model.ResolverSubset() for subset in ("v1", "v2") if self._rng.random() < 0.6}
        failover = {}
        for key in (*subsets, "*"):
            if self._rng.random() < 0.35:
                service, subset = self._other(), self._subset()
                if not service and subset not in subsets:
                    subset = ""
                datacenters = ["dc2"] if not (service or subset) or self._rng.random() < 0.1 else None
                failover[key] = model.Failover(service, subset, "", datacenters)
        return model.ServiceResolver(
            Kind=model.SERVICE_RESOLVER, Name=name, Subsets=subsets or None, Failover=failover or None,
            DefaultSubset=self._rng.choice(("", *subsets)),
        )  # fmt: skip

    def _ingress(self, name: str) -> ConfigEntry:
        listeners = []
        for port, protocol in enumerate(self._rng.sample(("http", "tcp", "grpc"), self._rng.randint(0, 2)), 8080):
            count = self._rng.randint(1, 2) if protocol == "http" else 1
            names = self._rng.sample(SERVICES if protocol == "tcp" else (*SERVICES, "*"), count)
            listeners.append(model.IngressListener(port, protocol, [model.IngressService(one) for one in names]))
        gateway = self._rng.choice(("g", "h", "a"))
        return model.IngressGateway(Kind=model.INGRESS_GATEWAY, Name=gateway, Listeners=listeners)

    def _terminating(self, name: str) -> ConfigEntry:
        gateway = self._rng.choice(("g", "h"))
        return model.TerminatingGateway(
            Kind=model.TERMINATING_GATEWAY, Name=gateway, Services=[model.LinkedService(name)]
        )


@pytest.fixture
def rpc(reference_binary: Path, tmp_path: Path) -> Iterator[Rpc]:
    agent = Agent(Subject.REFERENCE, tmp_path)
    agent.start()
    try:
        agent.wait_ready()
        yield Rpc(agent.ports["server"])
    finally:
        agent.kill()


def ask(rpc: Rpc, request: ConfigEntryRequest) -> str:
    """The real server's error text, empty when it took the entry."""
    raw = encode_command(MessageType.CONFIG_ENTRY, request)[1:]
    method = "ConfigEntry.Delete" if request.Op == "delete" else "ConfigEntry.Apply"
    return rpc.exchange(msgpack_c.packb({"Seq": 1, "ServiceMethod": method}, use_bin_type=False) + raw)[0]


def test_the_same_entries_are_taken_in_any_order(rpc: Rpc) -> None:
    rng = Random(20)
    entries = Entries(rng)
    machine = FSM(State())
    taken = refused = 0
    for index in range(1, WRITES + 1):
        rows = machine.state.config_entries.table.all()
        op, entry = "upsert", entries.any()
        if rows and rng.random() < 0.2:
            old = rng.choice(rows)
            op, entry = "delete", type(old)(Kind=old.Kind, Name=old.Name)
        request = ConfigEntryRequest(Op=op, Datacenter="dc1", Entry=entry)
        theirs = ask(rpc, request)
        if theirs and not theirs.startswith(GRAPH_ERRORS):
            continue
        ours = machine.apply(index, 1, 0, encode_command(MessageType.CONFIG_ENTRY, request), None)
        assert isinstance(ours, StateError) == bool(theirs), f"{op} {entry}: {ours!r}, but {theirs!r}; over {rows}"
        taken += not theirs
        refused += bool(theirs)
    assert taken > WRITES / 4
    assert refused > WRITES / 10
