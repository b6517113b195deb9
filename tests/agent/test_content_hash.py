"""The fingerprint of a service: the value that others compare with, and what counts in it."""

from __future__ import annotations

from proconsul.agent.local.content_hash import content_hash
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import ConnectProxyConfig, NodeService, ServiceAddress, ServiceConnect, Weights

FOO = NodeService(ID="foo", Service="foo", Tags=["bar", "baz"], Port=8000)


def test_the_value_that_the_originals_own_tests_have() -> None:
    assert content_hash(FOO) == "6b13684bfe179e67"


def test_what_is_the_same_to_clients_has_the_same_hash() -> None:
    for same in (
        replace(FOO, Meta={}), replace(FOO, Weights=Weights(1, 1)), replace(FOO, CreateIndex=5, ModifyIndex=6),
        replace(FOO, TaggedAddresses={}), replace(FOO, Proxy=ConnectProxyConfig(DestinationServiceName="x")),
    ):  # fmt: skip
        assert content_hash(same) == content_hash(FOO)
    assert content_hash(replace(FOO, Tags=None)) == content_hash(replace(FOO, Tags=[]))


def test_everything_else_counts() -> None:
    proxy = replace(FOO, Kind="connect-proxy", Proxy=ConnectProxyConfig(DestinationServiceName="x", Config={"a": 1}))
    different = [
        FOO, replace(FOO, ID="x"), replace(FOO, Service="x"), replace(FOO, Tags=["baz", "bar"]), replace(FOO, Port=1),
        replace(FOO, Meta={"a": "b"}), replace(FOO, Meta={"b": "a"}), replace(FOO, Address="x"),
        replace(FOO, TaggedAddresses={"lan": ServiceAddress("a", 1)}), replace(FOO, Weights=Weights(1, 2)),
        replace(FOO, EnableTagOverride=True), replace(FOO, Connect=ServiceConnect(Native=True)), proxy,
        replace(proxy, Proxy=ConnectProxyConfig(DestinationServiceName="x", Config={"a": 2})),
        replace(proxy, Proxy=ConnectProxyConfig(DestinationServiceName="x", Config={"a": None})),
    ]  # fmt: skip
    assert len({content_hash(service) for service in different}) == len(different)
