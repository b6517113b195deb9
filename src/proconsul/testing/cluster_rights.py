"""Access control in a simulated cluster: tokens whose rights change, or that go, while others read and wait with them.

One administrator per process writes policies and tokens; readers list keys with those tokens, and wait for changes.
What is judged: nobody ever sees a row that no rule in force during the call allowed. A write of which it is not known
whether it was done may be done at any time; its token is then judged by everything that was ever asked for it.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from proconsul.engine.raft.errors import RaftError
from proconsul.features.acl.model import ACLPolicy, ACLToken, Link
from proconsul.features.acl.named import POLICY_SET
from proconsul.features.acl.requests import PolicySetCall, TokenDeleteCall, TokenSetCall
from proconsul.features.acl.settings import AclSettings
from proconsul.features.acl.tokens import TOKEN_DELETE, TOKEN_SET
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError, PermissionDenied
from proconsul.features.kv.endpoint import APPLY, KVS
from proconsul.features.kv.model import DirEntry, KeyListRequest, KVSRequest
from proconsul.features.options import PLAIN
from proconsul.testing.cluster_clients import AskedProcess

__all__ = ["SETTINGS", "SimRights"]

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
# Everybody without a token may do everything, so that the other clients go on as they do.
SETTINGS = AclSettings(enabled=True, default_allow=True, initial_management=ROOT)
KEYS = tuple(f"rights/{number}" for number in range(6))
WAIT_NS = SECOND_NS // 2


@dataclass
class _Version:
    """What a token may read from some moment on. ``returned``: when that was acknowledged, None until it is."""

    allowed: frozenset[str]
    invoked: float
    returned: float | None = None


@dataclass
class _Held:
    """A token of the simulation. ``doubtful``: the outcome of one of its writes is not known."""

    secret: str
    accessor: str
    policy: ACLPolicy
    versions: list[_Version] = field(default_factory=list)
    doubtful: bool = False
    gone: bool = False

    def allowed(self, began: float, ended: float) -> frozenset[str]:
        """All that a call between these two may show."""
        found: set[str] = set()
        for version, after in zip(self.versions, [*self.versions[1:], None], strict=True):
            over = after is not None and after.returned is not None and after.returned < began
            if self.doubtful or (version.invoked <= ended and not over):
                found |= version.allowed
        return frozenset(found)


class SimRights:
    """The tokens of one cluster, and how often what was tried."""

    def __init__(self) -> None:
        self._tokens: list[_Held] = []
        # What somebody saw that nobody had allowed.
        self.leaks: list[str] = []
        self.seen = self.refused = self.changed = 0

    # ------------------------------------------------------------------ the administrator

    async def administrator(self, process: AskedProcess) -> None:
        """Make tokens, give them other rights, and take them away, until the end."""
        cluster = process.cluster
        for key in KEYS:
            await self._write(process, APPLY, KVSRequest(Datacenter="dc1", Op="set", DirEnt=DirEntry(Key=key)))
        while cluster.busy:
            await asyncio.sleep(cluster.rng.expovariate(2 / cluster.pace_s))
            mine = [held for held in self._tokens if not (held.doubtful or held.gone)]
            if len(mine) < 4:
                await self._make(process)
            elif cluster.rng.random() < 0.2:
                await self._delete(process, cluster.rng.choice(mine))
            else:
                await self._change(process, cluster.rng.choice(mine))

    async def _write(self, process: AskedProcess, method: Any, args: Any) -> bool:
        assert process.server is not None
        try:
            await process.server.gate.written(method, args)
        except (ConsulError, RaftError) as error:
            process.cluster.trace(process.name, f"{method.name} -> {error!r}")
            return False
        return process.alive

    async def _set_rules(self, process: AskedProcess, held: _Held) -> bool:
        """Give the policy other rules."""
        rng, time = process.cluster.rng, process.cluster.time
        allowed = frozenset(key for key in KEYS if rng.random() < 0.5)
        rules = " ".join(f'key "{key}" {{ policy = "{"read" if key in allowed else "deny"}" }}' for key in KEYS)
        version = _Version(allowed, time.now)
        held.versions.append(version)
        policy = ACLPolicy(ID=held.policy.ID, Name=held.policy.Name, Rules=rules)
        if not await self._write(process, POLICY_SET, PolicySetCall(Policy=policy, Token=ROOT, Datacenter="dc1")):
            held.doubtful = True
            return False
        version.returned = time.now
        return True

    async def _make(self, process: AskedProcess) -> None:
        rng = process.cluster.rng
        assert process.server is not None
        name, secret, accessor = (str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(3))
        asked = PolicySetCall(Policy=ACLPolicy(Name=name), Token=ROOT, Datacenter="dc1")
        try:
            held = _Held(secret, accessor, await process.server.gate.written(POLICY_SET, asked))
        except (ConsulError, RaftError):
            return
        if not await self._set_rules(process, held):
            return
        token = ACLToken(AccessorID=held.accessor, SecretID=held.secret, Policies=[Link(ID=held.policy.ID)])
        args = TokenSetCall(ACLToken=token, Create=True, Token=ROOT, Datacenter="dc1")
        if await self._write(process, TOKEN_SET, args):
            self._tokens.append(held)

    async def _change(self, process: AskedProcess, held: _Held) -> None:
        held.gone = True  # nobody else changes it meanwhile
        if await self._set_rules(process, held):
            self.changed += 1
        held.gone = False

    async def _delete(self, process: AskedProcess, held: _Held) -> None:
        held.gone = True
        version = _Version(frozenset(), process.cluster.time.now)
        held.versions.append(version)
        args = TokenDeleteCall(TokenID=held.accessor, Token=ROOT, Datacenter="dc1")
        if await self._write(process, TOKEN_DELETE, args):
            version.returned = process.cluster.time.now
        else:
            held.doubtful = True

    # ------------------------------------------------------------------ readers

    async def reader(self, process: AskedProcess) -> None:
        """List keys with a random token, now or when something changes, until the end."""
        cluster, server = process.cluster, process.server
        assert server is not None
        index = 0
        while cluster.busy:
            await asyncio.sleep(cluster.rng.expovariate(2 / cluster.pace_s))
            if not self._tokens:
                continue
            held = cluster.rng.choice(self._tokens)
            level = cluster.rng.choice(("leader", "leader", "consistent"))
            waits = cluster.rng.random() < 0.5
            options = PLAIN._replace(consistency=level, min_index=index if waits else 0, wait_ns=WAIT_NS)
            read = server.endpoint(KVS).list_keys(KeyListRequest(Prefix="rights/"))
            began = cluster.time.now
            try:
                found = await server.gate.found(read, options, held.secret)
            except PermissionDenied:
                self.refused += 1
                continue
            except (ConsulError, RaftError):
                continue
            if process.alive:
                index = found.last_index
                self._judge(process, held, frozenset(found.value or ()), began)

    def _judge(self, process: AskedProcess, held: _Held, shown: frozenset[str], began: float) -> None:
        allowed = held.allowed(began, process.cluster.time.now)
        if not shown <= allowed:
            now = process.cluster.time.now
            self.leaks.append(f"{sorted(shown - allowed)} shown between {began} and {now} to {held.versions}")
        self.seen += len(shown)
