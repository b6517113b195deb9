# Made by scripts/make_blocking_client.py of ../aio/kv.py: change that one.
"""/v1/kv (HTTP API: kv), and keys below a prefix as a mapping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, Unpack, overload

from proconsul.client.blocking.group import Group
from proconsul.client.codecs import BYTES, Codec
from proconsul.client.errors import ConflictError, Unavailable
from proconsul.client.options import ReadOptions, WriteOptions, given
from proconsul.client.wire import path_of
from proconsul.features.kv.model import DirEntry

__all__ = ["KV", "Mapping"]

V = TypeVar("V")
D = TypeVar("D")

_PREFIX: Final = "/v1/kv/"
# Who loses so often in a row does not wait for a turn, but for somebody who writes all the time.
_ROUNDS_MAX: Final = 64


def key_path(key: str) -> str:
    """The path of a key. Raises ValueError for what is none."""
    if not key:
        raise ValueError("a key is not empty")
    if key.startswith("/"):
        raise ValueError(f"a key does not begin with a slash: {key!r}")
    return path_of(_PREFIX, key)


class KV(Group):
    """Keys and their values, which are bytes; text is sent as UTF-8."""

    __slots__ = ()

    def get(self, key: str, **options: Unpack[ReadOptions]) -> bytes | None:
        """The value, None where there is no such key."""
        entry = self.entry(key, **options)
        return None if entry is None else entry.Value or b""

    def entry(self, key: str, **options: Unpack[ReadOptions]) -> DirEntry | None:
        """The key with its flags, its session and its indexes; None where there is none."""
        found = self._call.find(key_path(key), list[DirEntry], options)
        return found[0] if found else None

    def entries(self, prefix: str = "", **options: Unpack[ReadOptions]) -> list[DirEntry]:
        """All keys that begin with ``prefix``, in the order of their names."""
        path = path_of(_PREFIX, prefix)
        return self._call.find(path, list[DirEntry], options, given(recurse=True)) or []

    def keys(self, prefix: str = "", *, separator: str = "", **options: Unpack[ReadOptions]) -> list[str]:
        """The names alone; with ``separator`` each only up to the first one behind the prefix, and once."""
        query = given(keys=True, separator=separator or None)
        return self._call.find(path_of(_PREFIX, prefix), list[str], options, query) or []

    def raw(self, key: str, **options: Unpack[ReadOptions]) -> bytes | None:
        """As `get`, sent by the server as it is: less to send for large values."""
        return self._call.read_bytes(key_path(key), options, given(raw=True))

    def put(
        self, key: str, value: bytes | str = b"", *, flags: int | None = None, cas: int | None = None,
        acquire: str | None = None, release: str | None = None, **options: Unpack[WriteOptions],
    ) -> bool:  # fmt: skip
        """Write; whether it was done.

        ``cas``: only if the key's ModifyIndex is that, 0 for only if there is no such key. ``acquire``, ``release``: a
        session that shall hold the key, or no longer. ``flags``: a number that is kept with it.

        Raises Unavailable with ``sent`` when it may have been done or not: a write is not made twice, but with
        ``acquire``, which may be, and with ``cas``, of which the second is done only if the first was not.
        """
        if (cas is not None) + (acquire is not None) + (release is not None) > 1:
            raise ValueError("one of cas, acquire and release")
        data = value.encode() if isinstance(value, str) else bytes(value)
        query = given(flags=flags, cas=cas, acquire=acquire, release=release)
        path, repeatable = key_path(key), acquire is not None
        try:
            answer = self._call.write("PUT", path, options, query, body=data, repeatable=repeatable)
        except Unavailable as lost:
            if cas is None or not lost.sent:
                raise
            answer = self._call.write("PUT", path, options, query, body=data)
            if answer.body.strip() != b"true":
                raise lost from None  # by now it is another version: ours, or somebody else's
        return answer.body.strip() == b"true"

    def delete(self, key: str, *, cas: int | None = None, **options: Unpack[WriteOptions]) -> bool:
        """Remove; whether it was done, as it is where nothing is. ``cas``: only if its ModifyIndex is that."""
        answer = self._call.write("DELETE", key_path(key), options, given(cas=cas))
        return answer.body.strip() == b"true"

    def delete_tree(self, prefix: str, **options: Unpack[WriteOptions]) -> bool:
        """Remove all keys that begin with ``prefix``; the empty one is all there is."""
        answer = self._call.write("DELETE", path_of(_PREFIX, prefix), options, given(recurse=True))
        return answer.body.strip() == b"true"

    @overload
    def mapping(self, prefix: str) -> Mapping[bytes]: ...

    @overload
    def mapping(self, prefix: str, codec: Codec[V]) -> Mapping[V]: ...

    def mapping(self, prefix: str, codec: Codec[Any] = BYTES) -> Mapping[Any]:
        """The keys below ``prefix`` as a mapping of values that ``codec`` makes of bytes."""
        return Mapping(self, prefix, codec)


class Mapping(Generic[V]):
    """``prefix`` is put before every name, as it is: it ends with a slash where names are below a folder."""

    def __init__(self, kv: KV, prefix: str, codec: Codec[V]) -> None:
        self._kv, self._prefix, self._codec = kv, prefix, codec

    def get(self, name: str, default: D | None = None) -> V | D | None:
        """The value, or ``default``. Raises BadAnswer when it is not of the mapping's kind."""
        data = self._kv.get(self._prefix + name)
        return default if data is None else self._codec.read(data)

    def versioned(self, name: str) -> tuple[V | None, int]:
        """The value and its version, for `set` with ``version``; None and 0 for what is not there."""
        entry = self._kv.entry(self._prefix + name)
        return (None, 0) if entry is None else (self._codec.read(entry.Value or b""), entry.ModifyIndex)

    def set(self, name: str, value: V, *, version: int | None = None) -> bool:
        """Write; whether it was done. ``version``: only if it is still that, 0 for only if it is not there."""
        return self._kv.put(self._prefix + name, self._codec.write(value), cas=version)

    def add(self, name: str, value: V) -> bool:
        """Write what is not there yet; whether it was done."""
        return self.set(name, value, version=0)

    def delete(self, name: str, *, version: int | None = None) -> bool:
        """Remove; whether it was done. ``version``: only if it is still that."""
        return self._kv.delete(self._prefix + name, cas=version)

    def update(self, name: str, change: Callable[[V | None], V]) -> V:
        """Have ``change`` make the new value of the old one, None where there is none, until nobody writes in between.

        Raises ConflictError when others are always quicker.
        """
        for _ in range(_ROUNDS_MAX):
            before, version = self.versioned(name)
            value = change(before)
            if self.set(name, value, version=version):
                return value
        raise ConflictError(f"{self._prefix}{name} is written by others all the time", 409)

    def names(self) -> list[str]:
        """What is there, without the prefix."""
        return [key[len(self._prefix) :] for key in self._kv.keys(self._prefix)]

    def items(self) -> dict[str, V]:
        """All there is at one moment."""
        found = self._kv.entries(self._prefix)
        return {entry.Key[len(self._prefix) :]: self._codec.read(entry.Value or b"") for entry in found}

    def clear(self) -> None:
        """Remove all there is."""
        self._kv.delete_tree(self._prefix)
