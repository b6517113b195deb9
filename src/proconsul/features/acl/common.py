"""What the ACL methods share: who may call them, how names are checked, and answers made of what was applied."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from proconsul.engine.completion import Completion, Mapped
from proconsul.engine.store.table import Table
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.decisions import recorded
from proconsul.features.acl.denials import refused
from proconsul.features.acl.model import Link
from proconsul.features.acl.resolver import Identity, Resolver
from proconsul.features.acl.rules import Level
from proconsul.features.acl.state import POLICIES, ROLES, TOKENS, ACLState
from proconsul.features.errors import ACLDisabled, ConsulError
from proconsul.features.ids import check_uuid, is_uuid
from proconsul.features.messages import MessageType
from proconsul.features.server import Server

POLICY_NAME = re.compile(r"[A-Za-z0-9\-_]{1,128}")
ROLE_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
RESERVED = "00000000-0000-0000-0000-0000000000"


class Desk:
    """One per server: the state, who may change it, and how to."""

    def __init__(self, server: Server, resolver: Resolver) -> None:
        self.server, self.resolver = server, resolver
        self.state: ACLState = server.state.acl
        # What no other token may have, for `new_id`.
        self.token_ids = (self.state.tokens, ""), (self.state.tokens, "accessor")

    def require_enabled(self) -> None:
        """Raise ACLDisabled without access control."""
        if not self.resolver.enabled:
            raise ACLDisabled()

    def require(self, secret: str, level: Level) -> Identity:
        """Who has ``secret``, who must have ``level`` of access control. Raises PermissionDenied."""
        identity = self.resolver.resolve(secret)
        if not recorded(identity.authorizer).allows("acl", level):
            raise refused(identity.authorizer, identity.token, lambda authorizer: authorizer.allows("acl", level))
        return identity

    def may_read(self, secret: str) -> bool:
        """Whether who has ``secret`` may read access control. Raises ACLNotFound, ACLDisabled."""
        return self.resolver.resolve(secret).authorizer.allows("acl", Level.READ)

    def watched(self, watch: WatchSet | None, table: str) -> int:
        """The index of ``table``; ``watch`` hears of every change of what answers and rights are made of."""
        if watch is not None:
            watch.add(TOKENS, POLICIES, ROLES, table)
        return self.state.store.max_index(table)

    def propose(self, waiter: Completion, kind: MessageType, request: Any, answer: Callable[[], Any]) -> None:
        """Apply a command, and answer with what there is then."""
        self.server.propose_for(Mapped(waiter, lambda _: answer()), kind, request)

    def new_id(self, *tables: tuple[Table[Any], str]) -> str:
        """A UUID that none of ``tables`` has, by the index named with each, "" being its key."""
        while True:
            candidate = self.server.new_id()
            if not any(t.by(i, candidate) if i else t.get(candidate) is not None for t, i in tables):
                return candidate


def find_row(table: Table[Any], row_id: str, name: str, what: str) -> Any:
    """The row of an id, or when that is empty of a name. Raises StateError when the id cannot be one."""
    if row_id:
        check_uuid(row_id, f"acl {what}")
        return table.get(row_id.lower())
    found = table.by("name", name.lower())
    return found[0] if found else None


def resolve_links(links: list[Link] | None, table: Table[Any], what: str, *, by_id: bool) -> list[Link] | None:
    """Each link once, by id and with the name of now. Raises ConsulError for names, with ``by_id`` also for ids,
    that are not known."""
    resolved: dict[str, Link] = {}
    for link in links or ():
        if link.ID:
            target = table.get(link.ID.lower())
            if target is None and by_id:
                raise ConsulError(f"No such ACL {what} with ID {quoted(link.ID)}")
            resolved.setdefault(link.ID, link if target is None else Link(target.ID, target.Name))
            continue
        found = table.by("name", link.Name.lower())
        if not found:
            raise ConsulError(f"No such ACL {what} with name {quoted(link.Name)}")
        resolved.setdefault(found[0].ID, Link(found[0].ID, found[0].Name))
    return list(resolved.values()) or None


def checked_name(table: Table[Any], row: Any, what: str, pattern: re.Pattern[str]) -> Any:
    """The row that ``row`` replaces, None for a new one. Raises ConsulError when its name or id is not possible."""
    title = what.capitalize()
    if not row.Name:
        raise ConsulError(f"Invalid {title}: no Name is set")
    if pattern.fullmatch(row.Name) is None:
        raise ConsulError(f"Invalid {title}: invalid Name. Only alphanumeric characters, '-' and '_' are allowed")
    holders = table.by("name", row.Name.lower())
    if not row.ID:
        if holders:
            raise ConsulError(f"Invalid {title}: A {title} with Name {quoted(row.Name)} already exists")
        return None
    if not is_uuid(row.ID):
        raise ConsulError(f"{title} ID invalid UUID")
    old = table.get(row.ID.lower())
    if old is None:
        raise ConsulError(f"cannot find {what} {row.ID}")
    if old.Name != row.Name and any(holder.ID != old.ID for holder in holders):
        raise ConsulError(f"Invalid {title}: A {what} with name {quoted(row.Name)} already exists")
    return old
