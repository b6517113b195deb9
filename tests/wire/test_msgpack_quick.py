"""The quick and the tolerant way of reading msgpack give the same values."""

from __future__ import annotations

from typing import Any

import pytest

from proconsul.engine.wire import msgpack
from proconsul.features.catalog.model import HealthCheck, NodeService, RegisterRequest
from proconsul.features.session.model import SessionRequest

VALUES: list[dict[str, Any]] = [
    {},
    {"Node": "n1", "Address": "127.0.0.1", "Unknown": {"a": [1]}},
    {"Node": None, "TaggedAddresses": None, "NodeMeta": {"a": "b"}, "SkipNodeUpdate": None},
    {"Node": "caf\udce9", "NodeMeta": {"k\udcff": ""}, "Service": None, "Checks": None},
    {"Service": {"ID": "web", "Tags": None, "Port": 80, "Weights": None, "Proxy": {"Config": {"a": [1, None, 2.5]}}}},
    {"Service": {"ID": "web", "Tags": ["a", "b"], "Meta": {}, "Weights": {"Passing": 1, "Warning": None}}},
    {"Check": {"CheckID": "c", "ServiceTags": None, "Definition": {"Interval": 10_000_000_000, "Header": None}}},
    {"Checks": [{"CheckID": "c"}, {"CheckID": "d", "Status": None}]},
]


@pytest.mark.parametrize("value", VALUES)
def test_both_ways_agree(value: dict[str, Any]) -> None:
    quick = msgpack.decoder_for(RegisterRequest)(value)
    assert quick == msgpack._struct_decoder(RegisterRequest)(value)
    assert isinstance(quick, RegisterRequest)


@pytest.mark.parametrize("value", [{"Node": 5}, {"Service": {"Port": "80"}}, {"Checks": {"a": 1}}, {"NodeMeta": []}])
def test_both_ways_refuse(value: dict[str, Any]) -> None:
    with pytest.raises(msgpack.DecodeError):
        msgpack.decoder_for(RegisterRequest)(value)


@pytest.mark.parametrize("kind", [RegisterRequest, NodeService, HealthCheck, SessionRequest])
def test_large_types_take_the_quick_way(kind: type) -> None:
    assert msgpack._is_plain(kind)


def test_types_with_bytes_do_not() -> None:
    from proconsul.features.kv.model import KVSRequest

    assert not msgpack._is_plain(KVSRequest)
    assert msgpack.decoder_for(KVSRequest)({"DirEnt": {"Key": "a", "Value": "dGV4dA=="}}).DirEnt.Value == b"dGV4dA=="
