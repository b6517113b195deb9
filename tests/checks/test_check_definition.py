"""Check definitions: kinds, validation texts, minimums; output limits and TTL reports."""

from __future__ import annotations

import pytest
from check_definitions import checked

from proconsul.agent.checks import CheckKind, CheckStatus
from proconsul.agent.checks.output import TailBuffer, captured_text, output_limit
from proconsul.agent.checks.ttl import TtlState
from proconsul.features.catalog.definition import DefinitionError

TEN = "10s"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"TTL": TEN}, CheckKind.TTL),
        ({"HTTP": "http://a", "Interval": TEN}, CheckKind.HTTP),
        ({"HTTP": "http://a", "TCP": "a:1", "Interval": TEN}, CheckKind.HTTP),
        ({"TCP": "a:1", "Interval": TEN}, CheckKind.TCP),
        ({"UDP": "a:1", "Interval": TEN}, CheckKind.UDP),
        ({"GRPC": "a:1", "Interval": TEN}, CheckKind.GRPC),
        ({"H2PING": "a:1", "Interval": TEN}, CheckKind.H2PING),
        ({"OSService": "x", "Interval": TEN}, CheckKind.OS_SERVICE),
        ({"Args": ["x"], "Interval": TEN}, CheckKind.SCRIPT),
        ({"ScriptArgs": ["x"], "Interval": 10**10}, CheckKind.SCRIPT),
        ({"Args": ["x"], "DockerContainerID": "c", "Interval": TEN}, CheckKind.DOCKER),
        ({"AliasService": "web"}, CheckKind.ALIAS),
        ({"AliasNode": "n", "AliasService": "web"}, CheckKind.ALIAS),
    ],
)
def test_kind(fields: dict[str, object], kind: CheckKind) -> None:
    assert checked(fields).kind is kind


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "TTL must be > 0 for TTL checks"),
        ({"TTL": "-5s"}, "TTL must be > 0 for TTL checks"),
        ({"TTL": TEN, "Interval": TEN}, "Interval and TTL cannot both be specified"),
        ({"HTTP": "a"}, "Interval must be > 0 for Script, HTTP, or TCP checks"),
        ({"HTTP": "a", "TTL": TEN}, "Interval must be > 0 for Script, HTTP, or TCP checks"),
        ({"AliasService": "a", "TTL": TEN}, "TTL must be not be set for Alias checks"),
        ({"AliasNode": "a", "HTTP": "b", "Interval": TEN}, "Interval cannot be set for Alias checks"),
        ({"Interval": TEN}, "TTL must be > 0 for TTL checks"),
        ({"Shell": "/bin/sh", "Interval": TEN}, "TTL must be > 0 for TTL checks"),
        ({"DockerContainerID": "a", "Interval": TEN}, "TTL must be > 0 for TTL checks"),
        ({"HTTP": "a", "Interval": TEN, "OutputMaxSize": -1}, "MaxOutputMaxSize must be positive"),
    ],
)
def test_refused(fields: dict[str, object], fault: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        checked(fields)
    assert str(caught.value) == fault


def test_intervals_are_no_shorter_than_a_second() -> None:
    for given, wanted in (("10ms", 1.0), ("1s", 1.0), ("90s", 90.0)):
        assert checked({"HTTP": "a", "Interval": given}).interval_s == wanted


@pytest.mark.parametrize("pieces", [[b"abcdefgh"], [b"abc", b"defgh"], [b"a", b"bc", b"d", b"e", b"f", b"g", b"h"]])
def test_tail_buffer_keeps_the_end_however_it_is_fed(pieces: list[bytes]) -> None:
    tail = TailBuffer(5)
    for piece in pieces:
        tail.write(piece)
    assert (bytes(tail), tail.total) == (b"defgh", 8)
    assert captured_text(tail) == "Captured 5 of 8 bytes\n...\ndefgh"


def test_output_within_the_limit_is_untouched() -> None:
    tail = TailBuffer(8)
    tail.write(b"abc\xff")
    assert captured_text(tail) == "abc\ufffd"
    assert (output_limit(0, 4096), output_limit(10, 4096), output_limit(9999, 100)) == (4096, 10, 100)


def test_ttl_texts() -> None:
    ttl = TtlState(10.0, 10)
    assert ttl.expired() == (CheckStatus.CRITICAL, "TTL expired")
    assert ttl.report(CheckStatus.PASSING, "fine") == (CheckStatus.PASSING, "fine")
    assert ttl.expired() == (CheckStatus.CRITICAL, "TTL expired (last output before timeout follows): fine")
    report = ttl.report(CheckStatus.WARNING, "abcdefghijklmnopqrstuvwxyz")
    assert report.output == "abcdefghij ... (captured 10 of 26 bytes)"
