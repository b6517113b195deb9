"""Keys are bytes, indexes never go back, and nobody sleeps below a change: random histories against plain dicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.store.table import byte_text, from_byte_text
from proconsul.engine.store.view import View, Views
from proconsul.engine.store.watch import WatchSet
from proconsul.features.ids import uuid_key
from proconsul.features.kv.endpoint import KVS
from proconsul.features.kv.model import DirEntry, KeyListRequest
from proconsul.features.state import State

# Few bytes, so that keys share beginnings: a letter, the separator, the two halves of a character, what is no UTF-8,
# and what follows everything.
BYTES = st.lists(st.sampled_from([b"a", b"/", b"\xc3", b"\xa9", b"\xff", b"\xf4\x8f\xbf\xbf"]), max_size=4)
KEYS = BYTES.map(b"".join)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "delete", "tree", "reap"]), KEYS), min_size=1, max_size=25
)  # fmt: skip


def text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


@given(KEYS, KEYS)
def test_the_form_in_which_keys_are_kept_is_that_of_bytes(one: bytes, other: bytes) -> None:
    a, b = byte_text(text(one)), byte_text(text(other))
    assert (a < b, a.startswith(b), len(a)) == (one < other, one.startswith(other), len(one))
    assert from_byte_text(a) == text(one)


class World:
    """Keys as the state has them and as a dict has them, and a waiting reader of every prefix."""

    def __init__(self, prefixes: set[bytes]) -> None:
        self.state = State()
        self.plain: dict[bytes, bytes] = {}
        self.index = 10
        self.now: list[Callable[[], None]] = []
        self.views = Views(self.state.store.watches, self.now.append)
        self.seen = dict.fromkeys(prefixes, 0)
        self.woken: set[bytes] = set()
        for prefix in prefixes:
            self.wait(prefix)

    def read(self, prefix: bytes) -> tuple[int, list[bytes]]:
        index, entries = self.state.kv.below(WatchSet(), text(prefix))
        return index, [entry.Key.encode("utf-8", "surrogateescape") for entry in entries]

    def wait(self, prefix: bytes) -> None:
        view = self.views.get(prefix, lambda watch: self.state.kv.below(watch, text(prefix)))

        def wake(_: View) -> None:
            self.woken.add(prefix)

        self.views.wait(view, view.index, wake)

    def change(self, kind: str, key: bytes) -> None:
        self.index += 1
        tx = self.state.store.begin(self.index)
        kv = self.state.kv
        if kind == "put":
            self.plain[key] = str(self.index).encode()
            kv.set(tx, DirEntry(Key=text(key), Value=self.plain[key]))
        elif kind == "delete":
            self.plain.pop(key, None)
            kv.delete(tx, text(key))
        elif kind == "tree":
            self.plain = {one: value for one, value in self.plain.items() if not one.startswith(key)}
            kv.delete_tree(tx, text(key))
        else:
            kv.reap_tombstones(tx, self.index)
        tx.commit()
        while self.now:
            self.now.pop(0)()


@given(CHANGES, st.sets(KEYS, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_lists_are_those_of_bytes_and_wake_who_waits(changes: list[tuple[str, bytes]], prefixes: set[bytes]) -> None:
    world = World(prefixes)
    for kind, key in changes:
        before = {prefix: world.read(prefix) for prefix in prefixes}
        values = dict(world.plain)
        world.change(kind, key)
        for prefix in prefixes:
            index, keys = world.read(prefix)
            assert keys == sorted(one for one in world.plain if one.startswith(prefix))
            assert index >= before[prefix][0], f"the index of {prefix!r} went back"
            changed = {k: v for k, v in values.items() if k.startswith(prefix)} != {
                k: v for k, v in world.plain.items() if k.startswith(prefix)
            }
            if changed:
                assert index > before[prefix][0]
                assert prefix in world.woken, f"who waits below {prefix!r} sleeps"
            if prefix in world.woken:
                world.woken.remove(prefix)
                world.wait(prefix)


@pytest.mark.parametrize(
    ("prefix", "separator", "names"),
    [
        (b"U/", b"\xa9", [b"U/\xc3\xa9"]), (b"U/", b"\xc3", [b"U/\xc3"]), (b"U/\xc3", b"\xa9", [b"U/\xc3\xa9"]),
        (b"U/\xc3", b"", [b"U/\xc3\xa9", b"U/\xc3\xa9/x"]), (b"U/", b"/", [b"U/\xc3\xa9", b"U/\xc3\xa9/"]),
        (b"U/", b"\xc3\xa9", [b"U/\xc3\xa9"]),
    ],
)  # fmt: skip
def test_names_are_cut_behind_the_bytes_of_the_separator(prefix: bytes, separator: bytes, names: list[bytes]) -> None:
    world = World(set())
    world.change("put", b"U/\xc3\xa9")
    world.change("put", b"U/\xc3\xa9/x")

    class Host:
        state = world.state

    read = KVS(Host()).list_keys(KeyListRequest(Prefix=text(prefix), Seperator=text(separator)))  # type: ignore[arg-type]
    assert [name.encode("utf-8", "surrogateescape") for name in read.run(WatchSet())[1]] == names


@given(st.uuids(), st.integers(0, 36), st.booleans())
def test_ids_compare_by_their_digits(identity: object, hyphen: int, upper: bool) -> None:
    plain = str(identity)
    digits = plain.replace("-", "")
    other = digits[:hyphen] + "-" + digits[hyphen:]
    assert uuid_key(other.upper() if upper else other) == uuid_key(plain)
