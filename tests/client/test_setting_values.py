"""What keys say as settings, as a table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.client import BadAnswer, SettingsSnapshot
from proconsul.client.setting_values import check_defaults, taken
from proconsul.features.kv.model import DirEntry

PREFIX = "app/"
DEFAULTS: dict[str, Any] = {
    "size": 20, "rate": 0.5, "beta": False, "title": "shop", "key": b"\x00", "tags": ["a"], "limits": {"a": 1}
}  # fmt: skip
GETTERS: dict[str, Any] = {
    "size": SettingsSnapshot.integer, "rate": SettingsSnapshot.number, "beta": SettingsSnapshot.flag,
    "title": SettingsSnapshot.text,
}  # fmt: skip


def entries(values: dict[str, bytes]) -> list[DirEntry]:
    return [DirEntry(Key=PREFIX + name, Value=value, ModifyIndex=n) for n, (name, value) in enumerate(values.items())]


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("size", b"7", 7), ("size", b" -7\n", -7), ("size", b"7.5", None), ("size", b"", None), ("size", b"\xff", None),
        ("rate", b"7", 7.0), ("rate", b"1e3", 1000.0), ("rate", b"fast", None),
        ("beta", b"true", True), ("beta", b"YES", True), ("beta", b"1", True), ("beta", b"Off\n", False),
        ("beta", b"maybe", None), ("beta", b"", None),
        ("title", "Läden".encode(), "Läden"), ("title", b"", ""), ("title", b"\xff", None),
    ],
)  # fmt: skip
def test_what_is_written_counts_if_it_is_of_its_kind(name: str, written: bytes, value: Any) -> None:
    before = SettingsSnapshot({}, DEFAULTS)
    now, wrong = taken(entries({name: written}), PREFIX, before)
    got = GETTERS[name](now, name)
    if value is None:
        assert got == DEFAULTS[name] and list(wrong) == [name] and isinstance(wrong[name], BadAnswer)
        assert name in str(wrong[name])
        with pytest.raises(BadAnswer, match=name):
            GETTERS[name](SettingsSnapshot({name: written}), name)
    else:
        assert (got, type(got), wrong) == (value, type(value), {})
        assert GETTERS[name](now, name) == value  # the second time from memory


def test_the_last_good_value_stays_and_goes_with_its_key() -> None:
    good, _ = taken(entries({"size": b"7"}), PREFIX, SettingsSnapshot({}, DEFAULTS))
    bad, wrong = taken(entries({"size": b"many", "other": b"x"}), PREFIX, good)
    assert bad.integer("size") == 7 and bad.text("other") == "x" and list(wrong) == ["size"]
    gone, wrong = taken(entries({"other": b"x"}), PREFIX, bad)
    assert gone.integer("size") == 20 and not wrong


def test_structures_defaults_and_sections() -> None:
    class Limits(msgspec.Struct):
        a: int

    now, wrong = taken(
        entries({"": b"", "folder/": b"", "tags": b'["x"]', "limits": b'{"a": 2}', "db/host": b"h"}), PREFIX,
        SettingsSnapshot({}, {**DEFAULTS, "db/port": 5432}),
    )  # fmt: skip
    assert not wrong and set(now) == {"tags", "limits", "db/host"} and now.index == 4
    assert now.json("tags", list[str]) == ["x"] and now.json("limits", Limits).a == 2
    assert now.json("none", list[int], [1]) == [1]
    assert SettingsSnapshot({}, DEFAULTS).json("limits", Limits).a == 1
    with pytest.raises(BadAnswer, match="tags"):
        now.json("tags", list[int])
    section = now.section("db")
    assert section.text("host") == "h" and section.integer("port") == 5432 and section["host"] == b"h"
    assert now.integer("none", 3) == 3
    with pytest.raises(KeyError, match="none"):
        now.integer("none")
    with pytest.raises(TypeError, match="declared as int"):
        now.text("size")
    assert "h" not in repr(now).replace("db/host", "")
    with pytest.raises(TypeError, match="soon"):
        check_defaults({"soon": None})  # type: ignore[dict-item]


@given(st.lists(st.dictionaries(st.sampled_from([*DEFAULTS, "x", "y/"]), st.binary(max_size=8)), max_size=6))
def test_whatever_is_written_declared_settings_have_values(rounds: list[dict[str, bytes]]) -> None:
    now = SettingsSnapshot({}, DEFAULTS)
    for values in rounds:
        now, wrong = taken(entries(values), PREFIX, now)
        assert set(wrong) <= set(values)
        for name, getter in GETTERS.items():
            assert isinstance(getter(now, name), type(DEFAULTS[name]))
        assert isinstance(now.json("tags", list[Any]), list) and isinstance(now.json("limits", dict[str, Any]), dict)
