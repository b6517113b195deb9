"""Internal.KeyringOperation: change or list the keys of all members of both pools (Consul docs: keyring)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from proconsul.engine.gossip.keyring import KeyringError, parse_key
from proconsul.engine.wire.text import multi_error
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.model import KeyOperation, KeyringRequest, KeyringResponse, KeyringResponses


@dataclass(frozen=True, slots=True)
class KeySummary:
    """What the members of one pool answered to a key operation.

    nodes: members known alive, responses: how many answered, failures: how many of these refused.
    messages: what members said, by name. keys, primary_keys: how many members have (encrypt with) each key, in base64.
    error: why the members could not be asked at all.
    """

    nodes: int
    responses: int
    failures: int = 0
    messages: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, int] = field(default_factory=dict)
    primary_keys: Mapping[str, int] = field(default_factory=dict)
    error: str = ""

    def fault(self) -> str:
        """Why the operation as a whole failed, empty when every member did it (gossip reference, internal queries)."""
        if self.error:
            return self.error
        if self.failures:
            return f"{self.failures}/{self.nodes} nodes reported failure"
        if self.responses != self.nodes:
            return f"{self.responses}/{self.nodes} nodes reported success"
        return ""


class KeyringOperator(Protocol):
    """One gossip pool, as far as its keys go."""

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        """Ask every member. ``key`` is empty to list; members' refusals are in the summary."""


class GossipKeys:
    """The keys of a server's two pools. ``wan`` is None when the server is in no WAN pool."""

    def __init__(self, datacenter: str, lan: KeyringOperator, wan: KeyringOperator | None) -> None:
        self._datacenter = datacenter
        self._pools = ([(True, wan)] if wan is not None else []) + [(False, lan)]

    async def operation(self, args: KeyringRequest) -> KeyringResponses:
        """Run ``args`` on one pool after the other, so that a key refused by the LAN is not in doubt on the WAN.

        Raises ConsulError for an operation that does not exist.
        """
        try:
            operation = KeyOperation(args.Operation)
        except ValueError:
            raise ConsulError(f"unknown keyring operation {args.Operation!r}") from None
        # There is one WAN pool: whoever forwards a request asks it.
        pools = [pool for pool in self._pools if not (pool[0] and (args.LocalOnly or args.Forwarded))]
        return KeyringResponses(Responses=[await self._ask(*pool, operation, args) for pool in pools])

    async def _ask(
        self, wan: bool, pool: KeyringOperator, operation: KeyOperation, args: KeyringRequest
    ) -> KeyringResponse:
        try:
            key = b"" if operation is KeyOperation.LIST else parse_key(args.Key)
        except KeyringError as error:
            return KeyringResponse(WAN=wan, Datacenter=self._datacenter, Error=str(error))
        summary = await pool.key_request(operation, key, args.RelayFactor)
        return KeyringResponse(
            WAN=wan, Datacenter=self._datacenter, Messages=dict(summary.messages), Keys=dict(summary.keys),
            PrimaryKeys=dict(summary.primary_keys), NumNodes=summary.nodes, Error=summary.fault(),
        )  # fmt: skip


def require_success(responses: Sequence[KeyringResponse]) -> None:
    """Raise ConsulError when a pool reported an error: every such pool and what its members said, in one text."""
    faults: list[str] = []
    for response in responses:
        if response.Error:
            pool = "WAN" if response.WAN else f"{response.Datacenter} (LAN)"
            pool += f" [{response.Segment}]" if response.Segment else ""
            faults.append(f"{pool} error: {response.Error}")
            faults += [f"{name}: {text}" for name, text in sorted((response.Messages or {}).items())]
    if faults:
        raise ConsulError(multi_error(faults))
