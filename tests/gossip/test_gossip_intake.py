"""Bounds of incoming streams."""

from __future__ import annotations

from proconsul.engine.gossip.intake import HELD_BYTES_MAX, READING_MAX, Intake


def test_the_slowest_makes_room_for_the_next() -> None:
    intake: Intake[int] = Intake()
    assert [intake.begin(number) for number in range(READING_MAX)] == [None] * READING_MAX
    intake.serve(0)  # read in time, so nobody takes its place
    assert intake.begin(1000) is None
    assert intake.begin(1001) == 1
    intake.end(1)
    intake.end(2)
    assert intake.begin(1002) is None
    assert intake.begin(1003) == 3


def test_the_longest_makes_room_for_bytes() -> None:
    intake: Intake[str] = Intake()
    for name in ("served", "long", "short"):
        assert intake.begin(name) is None
    assert intake.grow("served", HELD_BYTES_MAX // 2) is None
    intake.serve("served")
    assert intake.grow("long", HELD_BYTES_MAX // 2 - 10) is None
    assert intake.grow("short", 10) is None
    assert intake.grow("short", 1) == "long"
    intake.end("long")
    assert intake.grow("short", HELD_BYTES_MAX // 4) is None
    # Alone with what is served already, a stream may be the longest itself.
    assert intake.grow("short", HELD_BYTES_MAX // 2) == "short"
    intake.end("short")
    assert intake.grow("short", HELD_BYTES_MAX) is None
    intake.end("short")
    intake.end("served")
    assert intake.begin("next") is None
    assert intake.grow("next", HELD_BYTES_MAX) is None
