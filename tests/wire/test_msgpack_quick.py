"""The quick and the tolerant way of reading msgpack give the same values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Record
from proconsul.features.catalog.model import HealthCheck, NodeService, RegisterRequest
from proconsul.features.kv.model import DirEntry, IndexedDirEntries, KVSRequest
from proconsul.features.session.model import SessionRequest

VALUES: list[dict[str, Any]] = [
    {},
    {"Node": "n1", "Address": "127.0.0.1", "Unknown": {"a": [1]}},
    {"Node": None, "TaggedAddresses": None, "NodeMeta": {"a": "b"}, "SkipNodeUpdate": None},
    {"Node": "caf\udce9", "NodeMeta": {"k\udcff": ""}, "Service": None, "Checks": None},
    {"Node": "n1", "\udc89": 1, "Service": {"ID": "web", "x\udcff": "y"}},
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


LARGE = [RegisterRequest, NodeService, HealthCheck, SessionRequest, KVSRequest, IndexedDirEntries]


@pytest.mark.parametrize("kind", LARGE)
def test_large_types_take_the_quick_way(kind: type) -> None:
    assert msgpack._is_quick(kind)


class Files(Record, frozen=True):
    """Bytes wherever a field may have them."""

    Name: str = ""
    Raw: bytes = b""
    Maybe: bytes | None = None
    Entry: DirEntry | None = None
    Entries: list[DirEntry] = []
    Named: dict[str, DirEntry] = {}


@pytest.mark.parametrize(
    "value",
    [
        {"Raw": "dGV4dA==", "Maybe": "caf\udce9"},
        {"Raw": b"\xff\xfe", "Maybe": None, "Entry": None},
        {"Raw": None, "Name": "caf\udce9"},
        {"Entry": {"Key": "a", "Value": "dGV4dA=="}, "Entries": [{"Value": "\udcff"}, {"Value": None}, {}]},
        {"Named": {"k\udcff": {"Value": "dGV4dA=="}}, "Entries": None},
    ],
)
def test_bytes_are_never_taken_for_base64(value: dict[str, Any]) -> None:
    tolerant = msgpack._struct_decoder(Files)(copy.deepcopy(value))
    assert msgpack.decoder_for(Files)(value) == tolerant
    assert msgpack.decode(Files, msgpack.encode(tolerant)) == tolerant


@pytest.mark.parametrize(
    "value", [{"Raw": 5}, {"Entry": {"Value": [1]}}, {"Entries": {"Value": "x"}}, {"Named": ["x"]}]
)
def test_what_is_no_bytes_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(msgpack.DecodeError):
        msgpack.decoder_for(Files)(value)


@pytest.mark.parametrize("kind", [list[bytes], dict[str, bytes], tuple[str, ...]])
def test_what_the_quick_way_cannot_read_is_not_tried(kind: Any) -> None:
    assert not msgpack._is_quick(kind)
