"""The operations of a transaction, one after the other (HTTP API: txn). Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from proconsul.client.decoding import plain
from proconsul.features.catalog.model import HealthCheck, Node, NodeService

__all__ = ["OPERATIONS_MAX", "Operations"]

# Of the server, which refuses more.
OPERATIONS_MAX: Final = 64
CatalogVerb = Literal["set", "cas", "get", "delete", "delete-cas"]
Fields = Mapping[str, Any]


class Operations:
    """What a transaction does: all of it or nothing. Each method adds one operation and gives the whole back.

    Raises ValueError for the 65th.
    """

    def __init__(self) -> None:
        self._operations: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._operations)

    def as_json(self) -> list[dict[str, Any]]:
        """As they are sent."""
        return list(self._operations)

    def _add(self, kind: str, operation: dict[str, Any]) -> Self:
        if len(self._operations) >= OPERATIONS_MAX:
            raise ValueError(f"a transaction has at most {OPERATIONS_MAX} operations")
        self._operations.append({kind: operation})
        return self

    def _key(self, verb: str, key: str, value: bytes | str | None = None, **more: Any) -> Self:
        operation: dict[str, Any] = {"Verb": verb, "Key": key, **{name: one for name, one in more.items() if one}}
        if value is not None:
            operation["Value"] = b64encode(value.encode() if isinstance(value, str) else value).decode()
        return self._add("KV", operation)

    # ------------------------------------------------------------------ keys

    def set(self, key: str, value: bytes | str, *, flags: int = 0) -> Self:
        """Write."""
        return self._key("set", key, value, Flags=flags)

    def cas(self, key: str, value: bytes | str, index: int, *, flags: int = 0) -> Self:
        """Write if the key's ModifyIndex is that, 0 for only if there is no such key."""
        return self._key("cas", key, value, Index=index, Flags=flags)

    def lock(self, key: str, value: bytes | str, session: str, *, flags: int = 0) -> Self:
        """Write and have the session hold it."""
        return self._key("lock", key, value, Session=session, Flags=flags)

    def unlock(self, key: str, value: bytes | str, session: str, *, flags: int = 0) -> Self:
        """Write and have the session no longer hold it."""
        return self._key("unlock", key, value, Session=session, Flags=flags)

    def get(self, key: str) -> Self:
        """Read; that there is no such key fails the transaction."""
        return self._key("get", key)

    def get_tree(self, prefix: str) -> Self:
        """Read all keys that begin so."""
        return self._key("get-tree", prefix)

    def delete(self, key: str) -> Self:
        """Remove."""
        return self._key("delete", key)

    def delete_cas(self, key: str, index: int) -> Self:
        """Remove if the key's ModifyIndex is that."""
        return self._key("delete-cas", key, Index=index)

    def delete_tree(self, prefix: str) -> Self:
        """Remove all keys that begin so."""
        return self._key("delete-tree", prefix)

    def check_index(self, key: str, index: int) -> Self:
        """Fail unless the key's ModifyIndex is that."""
        return self._key("check-index", key, Index=index)

    def check_session(self, key: str, session: str) -> Self:
        """Fail unless the session holds the key."""
        return self._key("check-session", key, Session=session)

    def check_not_exists(self, key: str) -> Self:
        """Fail if there is such a key."""
        return self._key("check-not-exists", key)

    # ------------------------------------------------------------------ the catalog

    def node(self, verb: CatalogVerb, node: Node | Fields) -> Self:
        """Something with a node; with the verbs of ``cas`` its ``ModifyIndex`` counts."""
        return self._add("Node", {"Verb": verb, "Node": plain(node)})

    def service(self, verb: CatalogVerb, node: str, service: NodeService | Fields) -> Self:
        """Something with a service of a node."""
        return self._add("Service", {"Verb": verb, "Node": node, "Service": plain(service)})

    def check(self, verb: CatalogVerb, check: HealthCheck | Fields) -> Self:
        """Something with a check."""
        return self._add("Check", {"Verb": verb, "Check": plain(check)})
