"""What a secondary datacenter copies from the primary: policies, roles and tokens, round by round; pure.

A round compares what the primary lists with what is here, removes what is gone, asks for what is new or has another
hash, and writes that. Local tokens are nobody's but this datacenter's. Links may lead to what has not been copied yet:
policies, roles and tokens come in rounds of their own (Consul docs: security/acl, replication).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from proconsul.engine.store.table import Table
from proconsul.engine.wire.gotime import from_unix_ns
from proconsul.engine.wire.record import replace
from proconsul.features.acl import model
from proconsul.features.acl.requests import HIDDEN, ReplicationStatus
from proconsul.features.acl.state import ACLState
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType

# As many ids, and as many bytes of rows, as one command takes: larger ones would hold up the writes of others.
IDS_MAX = 4096
WRITTEN_BYTES_MAX = 256 << 10

Command = tuple[MessageType, Any]


class Plan(NamedTuple):
    """``delete``: ids to remove before ``fetch`` is asked for and written, both in order.

    Some of ``delete`` may be fetched again: where two rows exchanged their names one has to go for a moment.
    """

    delete: list[str]
    fetch: list[str]


class Kind(NamedTuple):
    """One of the three things that are copied. ``key``: the field of its id."""

    name: str
    key: str
    table: Callable[[ACLState], Table[Any]]
    removal: Callable[[list[str]], Command]
    write: Callable[[list[Any]], Command]

    def id_of(self, row: Any) -> str:
        return str(getattr(row, self.key)).lower()

    def rows(self, state: ACLState) -> dict[str, Any]:
        """What is here of what is copied, by id: without local tokens, and those of before 1.4, which have no id."""
        rows = ((self.id_of(row), row) for row in self.table(state).all() if not getattr(row, "Local", False))
        return {row_id: row for row_id, row in rows if row_id}


KINDS = (
    Kind(
        "policies", "ID", lambda state: state.policies,
        lambda ids: (MessageType.ACL_POLICY_DELETE, model.PolicyDeleteRequest(PolicyIDs=ids)),
        lambda rows: (MessageType.ACL_POLICY_SET, model.PolicySetRequest(Policies=rows)),
    ),
    Kind(
        "roles", "ID", lambda state: state.roles,
        lambda ids: (MessageType.ACL_ROLE_DELETE, model.RoleDeleteRequest(RoleIDs=ids)),
        lambda rows: (MessageType.ACL_ROLE_SET, model.RoleSetRequest(Roles=rows, AllowMissingLinks=True)),
    ),
    Kind(
        "tokens", "AccessorID", lambda state: state.tokens,
        lambda ids: (MessageType.ACL_TOKEN_DELETE, model.TokenDeleteRequest(TokenIDs=ids)),
        lambda rows: (
            MessageType.ACL_TOKEN_SET, model.TokenSetRequest(Tokens=rows, AllowMissingLinks=True, FromReplication=True)
        ),
    ),
)  # fmt: skip


def plan(kind: Kind, state: ACLState, listed: Iterable[Any]) -> Plan:
    """What has to be done so that what is here is what the primary ``listed`` (rows, or stubs with their hashes)."""
    here, there = kind.rows(state), {kind.id_of(row): row for row in listed if not getattr(row, "Local", False)}
    gone = [row_id for row_id in sorted(here) if row_id not in there and not _stays(row_id)]
    fetch = [row_id for row_id in sorted(there) if row_id not in here or here[row_id].Hash != there[row_id].Hash]
    holders = {row.Name.lower(): row_id for row_id, row in here.items() if hasattr(row, "Name")}
    in_the_way = {
        holder for row_id in fetch
        if (holder := holders.get(getattr(there[row_id], "Name", "").lower())) not in (None, row_id)
    }  # fmt: skip
    in_the_way -= {*gone, model.MANAGEMENT_POLICY_ID}
    return Plan(gone + sorted(in_the_way), sorted({*fetch, *(in_the_way & there.keys())}))


def _stays(row_id: str) -> bool:
    """What every datacenter makes for itself and no command removes."""
    return row_id in (model.MANAGEMENT_POLICY_ID, model.ANONYMOUS_ACCESSOR_ID)


def removals(kind: Kind, found: Plan) -> Iterator[Command]:
    """The commands that remove what has to go."""
    for ids in batches(found.delete):
        yield kind.removal(ids)


def batches(ids: Sequence[str]) -> Iterator[list[str]]:
    """``ids`` in as many questions, or commands, as are needed."""
    for start in range(0, len(ids), IDS_MAX):
        yield list(ids[start : start + IDS_MAX])


def writes(kind: Kind, rows: Iterable[Any]) -> Iterator[Command]:
    """The commands that write what was fetched. Raises ConsulError where secrets were hidden from us."""
    batch: list[Any] = []
    size = 0
    for row in rows:
        if isinstance(row, model.ACLToken) and row.SecretID in ("", HIDDEN):
            raise ConsulError("can't replicate tokens: the replication token lacks acl:write, and secrets are hidden")
        bytes_ = _size(row)
        if batch and size + bytes_ > WRITTEN_BYTES_MAX:
            yield kind.write(batch)
            batch, size = [], 0
        batch.append(replace(row, CreateIndex=0, ModifyIndex=0))
        size += bytes_
    if batch:
        yield kind.write(batch)


def _size(row: Any) -> int:
    """About how much of a command ``row`` takes: its texts, and its links with their ids and names."""
    texts = sum(len(getattr(row, name, "")) for name in ("Name", "Description", "Rules"))
    links = (getattr(row, name, None) or () for name in ("Policies", "Roles", "ServiceIdentities", "NodeIdentities"))
    return 256 + texts + 128 * sum(len(found) for found in links)


class ReplicationProgress:
    """How far the rounds are, as ``/v1/acl/replication`` tells it."""

    def __init__(self, *, enabled: bool, source: str, tokens: bool) -> None:
        self._status = ReplicationStatus(
            Enabled=enabled, SourceDatacenter=source if enabled else "",
            ReplicationType=("tokens" if tokens else "policies") if enabled else "",
        )  # fmt: skip

    @property
    def status(self) -> ReplicationStatus:
        return self._status

    def running(self, *, running: bool) -> None:
        """The leader has begun, or ceased, to copy."""
        self._status = replace(self._status, Running=running)

    def done(self, kind: Kind, index: int, now_ns: int) -> None:
        """What ``kind`` is here is what it was in the primary at ``index``."""
        field = {
            "policies": "ReplicatedIndex", "roles": "ReplicatedRoleIndex", "tokens": "ReplicatedTokenIndex"
        }[kind.name]  # fmt: skip
        self._status = replace(self._status, LastSuccess=from_unix_ns(now_ns), **{field: index})

    def failed(self, now_ns: int) -> None:
        self._status = replace(self._status, LastError=from_unix_ns(now_ns))
