"""What a node itself knows of who may do what: a server from its state, a client agent by asking servers.

A client keeps what it was told for ``token_ttl``, ``policy_ttl`` and ``role_ttl``, also that a token is nobody's. When
no server can be asked, ``down_policy`` decides (Consul docs: agent/config, acl): ``extend-cache`` goes by what was
known last, ``async-cache`` does so always and asks beside it, ``allow`` and ``deny`` are what they say. What was never
known is the default policy's under the first two.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, NamedTuple

from proconsul.engine.meters import Meters
from proconsul.engine.store.table import Table
from proconsul.engine.store.watch import WatchSet
from proconsul.features.acl.authorizer import Authorizer
from proconsul.features.acl.decisions import recorded
from proconsul.features.acl.denials import UNKNOWN_FOR_NOW, refused
from proconsul.features.acl.model import ANONYMOUS_SECRET, ACLToken
from proconsul.features.acl.named import POLICY_RESOLVE, ROLE_RESOLVE
from proconsul.features.acl.requests import PolicyBatchRequest, RoleBatchRequest, TokenGetRequest
from proconsul.features.acl.resolver import NOT_FOUND, ACLNotFound, Resolver
from proconsul.features.acl.rules import Level
from proconsul.features.acl.settings import AclSettings
from proconsul.features.acl.state import ROLES, ACLState
from proconsul.features.acl.tokens import TOKEN_READ
from proconsul.features.errors import ACLDisabled, ConsulError, PermissionDenied
from proconsul.features.server import ReadMethod

log = logging.getLogger("agent.client.acl")

# Tokens in use at one agent; those used longest ago are forgotten first.
KNOWN_MAX = 4096
EXTENDS = ("extend-cache", "async-cache")

# Asks any server. Raises ConsulError, whose text is the server's when it answered.
Ask = Callable[[ReadMethod, Any], Awaitable[Any]]


class TokenRights(ABC):
    """Who may do what, as far as this node can say."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled

    @property
    def always_ready(self) -> bool:
        """Whether nothing ever has to be found out."""
        return False

    @abstractmethod
    def ready(self, secret: str) -> bool:
        """Whether `authorizer` can be asked of ``secret`` now; else `learn` comes first."""

    @abstractmethod
    async def learn(self, secret: str) -> None:
        """Find out what ``secret`` may do."""

    @abstractmethod
    def authorizer(self, secret: str) -> Authorizer:
        """Decides for ``secret``, "" being anonymous. Raises ACLNotFound."""

    @abstractmethod
    def token(self, secret: str) -> ACLToken | None:
        """The token with ``secret``, "" being anonymous, as far as it is known here."""

    def allows(self, secret: str, resource: str, level: Level, name: str = "") -> bool:
        """Whether who has ``secret`` may; everybody may without access control. Raises ACLNotFound."""
        return not self.enabled or recorded(self.authorizer(secret)).allows(resource, level, name)

    def require(self, secret: str, resource: str, level: Level, name: str = "") -> None:
        """Raise PermissionDenied, or ACLNotFound, unless who has ``secret`` may."""
        if not self.allows(secret, resource, level, name):
            raise self.refusal(secret, resource, level, name)

    def require_all(self, secret: str, resource: str) -> None:
        """Raise PermissionDenied, or ACLNotFound, unless who has ``secret`` may read all that is of ``resource``."""
        if self.enabled and not self.authorizer(secret).reads_all(resource):
            raise PermissionDenied(f"Permission denied: {resource}:read of all is needed")

    def refusal(
        self, secret: str, resource: str, level: Level, name: str = "", text: str = "Permission denied"
    ) -> PermissionDenied:  # fmt: skip
        """What to tell whoever has ``secret`` and may not."""
        authorizer, token = self.authorizer(secret), self.token(secret)
        if token is None and secret not in ("", ANONYMOUS_SECRET):
            return PermissionDenied(UNKNOWN_FOR_NOW)
        return refused(authorizer, token, lambda asked: asked.allows(resource, level, name), text)


class OwnTokenRights(TokenRights):
    """A server's. ``asked``: who knows of tokens, where this datacenter keeps none."""

    def __init__(self, resolver: Resolver, asked: AskedTokenRights | None = None) -> None:
        super().__init__(enabled=resolver.enabled)
        self._resolver, self.asked = resolver, asked

    @property
    def always_ready(self) -> bool:
        return self.asked is None

    def ready(self, secret: str) -> bool:
        return self.asked is None or self.asked.ready(secret)

    async def learn(self, secret: str) -> None:
        if self.asked is not None:
            await self.asked.learn(secret)

    def authorizer(self, secret: str) -> Authorizer:
        return self._resolver.resolve(secret).authorizer

    def token(self, secret: str) -> ACLToken | None:
        return self._resolver.known(secret)


class _Answer(Enum):
    """What servers said of a token."""

    KNOWN = "known"
    NOBODY = "nobody"
    DISABLED = "disabled"  # no server has access control
    NONE = "none"  # nothing any more


class _Entry(NamedTuple):
    answer: _Answer
    until: float


class AskedTokenRights(TokenRights):
    """A client agent's, and that of a server whose datacenter keeps no tokens.

    The rows it was told stand in the tables of ``state``, which nothing else writes. ``clock``: seconds of a clock that
    never goes back. ``datacenter``: which one is asked. abroad: it is another one than ours, whose local tokens are
    nobody's here.
    """

    def __init__(
        self, state: ACLState, resolver: Resolver, settings: AclSettings, ask: Ask, clock: Callable[[], float],
        *, datacenter: str, meters: Meters | None = None, abroad: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(enabled=settings.enabled)
        self._abroad = abroad
        self._meters = meters or Meters()
        self._state, self._resolver, self._settings, self._ask = state, resolver, settings, ask
        self._clock, self._datacenter = clock, datacenter
        self._tokens: OrderedDict[str, _Entry] = OrderedDict()
        # By table and id: until when a policy or role is taken for what it was.
        self._rows: dict[tuple[str, str], float] = {}
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._index = 0

    def ready(self, secret: str) -> bool:
        """See `TokenRights.ready`; with ``async-cache`` what is too old is asked for beside it."""
        if not self.enabled:
            return True
        secret = secret or ANONYMOUS_SECRET
        entry = self._tokens.get(secret)
        self._meters.count("acl.token.cache_miss" if entry is None else "acl.token.cache_hit")
        if entry is None:
            return False
        self._tokens.move_to_end(secret)
        if entry.until > self._clock() and self._links_until(secret, entry) > self._clock():
            return True
        if self._settings.down_policy == "async-cache" and entry.answer is not _Answer.NONE:
            self._flight(secret)
            return True
        return False

    async def learn(self, secret: str) -> None:
        """See `TokenRights.learn`. Those who ask for the same at the same time share the questions."""
        if not self.ready(secret):
            await asyncio.shield(self._flight(secret or ANONYMOUS_SECRET))

    def authorizer(self, secret: str) -> Authorizer:
        entry = self._tokens.get(secret or ANONYMOUS_SECRET)
        answer = _Answer.NONE if entry is None else entry.answer
        if answer is _Answer.KNOWN:
            return self._resolver.resolve(secret).authorizer
        if answer is _Answer.NOBODY:
            raise ACLNotFound()
        allowed = {"allow": True, "deny": False}.get(self._settings.down_policy, self._settings.default_allow)
        return Authorizer((), default_allow=allowed or answer is _Answer.DISABLED)

    def token(self, secret: str) -> ACLToken | None:
        return self._resolver.known(secret)

    def counts(self, secret: str) -> bool:
        """Whether what servers said of ``secret`` is to be gone by, and it is somebody's."""
        entry = self._tokens.get(secret or ANONYMOUS_SECRET)
        return entry is not None and entry.answer is _Answer.KNOWN

    def watch(self, secret: str, watch: WatchSet) -> None:
        """Have ``watch`` hear of what is told anew of ``secret``."""
        self._resolver.watch(secret, watch)

    # ------------------------------------------------------------------ asking

    def _flight(self, secret: str) -> asyncio.Task[None]:
        flight = self._flights.get(secret)
        if flight is None:
            flight = self._flights[secret] = asyncio.get_running_loop().create_task(self._learn(secret))
            flight.add_done_callback(lambda _: self._flights.pop(secret, None))
        return flight

    async def _learn(self, secret: str) -> None:
        try:
            await self._ask_all(secret)
        except ACLNotFound:
            self._delete(self._state.tokens, secret)
            self._keep(secret, _Answer.NOBODY, self._settings.token_ttl_s)
        except ACLDisabled:
            self._keep(secret, _Answer.DISABLED, self._settings.disabled_ttl_s)
        except ConsulError as error:
            self._unanswered(secret, error)

    def _unanswered(self, secret: str, error: ConsulError) -> None:
        log.error("Error resolving token: error=%s", error)
        entry = self._tokens.get(secret)
        if entry is not None and entry.answer is not _Answer.NONE and self._settings.down_policy in EXTENDS:
            self._keep(secret, entry.answer, self._settings.token_ttl_s)
            until = self._clock() + self._settings.token_ttl_s
            for row in self._links(secret):
                self._rows[row] = max(self._rows.get(row, 0.0), until)
        elif entry is not None:
            self._keep(secret, _Answer.NONE, 0.0)
        else:
            # Whoever shows many tokens while no server answers takes no room from those that are known.
            self._delete(self._state.tokens, secret)

    async def _ask_all(self, secret: str) -> None:
        """Ask for the token, and for what it links to as far as that is too old. Raises ConsulError."""
        entry = self._tokens.get(secret)
        anew = entry is None or entry.answer is not _Answer.KNOWN or entry.until <= self._clock()
        if anew:
            await self._ask_token(secret)
        roles = self._too_old(self._state.roles, self._role_ids(secret))
        if roles:
            about = RoleBatchRequest(Token=secret, AllowStale=True, RoleIDs=roles, Datacenter=self._datacenter)
            found = await self._asked(ROLE_RESOLVE, about)
            self._put_all(self._state.roles, roles, found, self._settings.role_ttl_s)
        policies = self._too_old(self._state.policies, self._policy_ids(secret))
        if policies:
            args = PolicyBatchRequest(Token=secret, AllowStale=True, PolicyIDs=policies, Datacenter=self._datacenter)
            found = await self._asked(POLICY_RESOLVE, args)
            self._put_all(self._state.policies, policies, found, self._settings.policy_ttl_s)
        if anew:
            self._keep(secret, _Answer.KNOWN, self._settings.token_ttl_s)

    async def _ask_token(self, secret: str) -> None:
        args = TokenGetRequest(
            TokenID=secret, TokenIDType="secret", Token=secret, AllowStale=True, Datacenter=self._datacenter
        )
        try:
            token = await self._asked(TOKEN_READ, args)
        except ACLNotFound:
            token = None
        if token is not None and token.Local and self._abroad:
            token = None
        if token is None and secret != ANONYMOUS_SECRET:
            raise ACLNotFound()
        if token is None:
            self._delete(self._state.tokens, secret)  # before the first leader everybody is nobody in particular
        else:
            self._put(self._state.tokens, token)

    async def _asked(self, method: ReadMethod, args: Any) -> Any:
        """The value. Raises ACLNotFound, ACLDisabled, or ConsulError for what says nothing of the token."""
        try:
            return method.value_in(await self._ask(method, args))
        except ConsulError as error:
            if NOT_FOUND in str(error):
                raise ACLNotFound() from None
            if str(ACLDisabled()) in str(error):
                raise ACLDisabled() from None
            raise

    # ------------------------------------------------------------------ what was told

    def _role_ids(self, secret: str) -> list[str]:
        token = self._state.tokens.get(secret)
        return [] if token is None else [link.ID.lower() for link in token.Roles or ()]

    def _policy_ids(self, secret: str) -> list[str]:
        token = self._state.tokens.get(secret)
        return [] if token is None else self._resolver.policy_ids(token)

    def _links(self, secret: str) -> list[tuple[str, str]]:
        roles = [(ROLES, role_id) for role_id in self._role_ids(secret)]
        return roles + [(self._state.policies.name, policy_id) for policy_id in self._policy_ids(secret)]

    def _links_until(self, secret: str, entry: _Entry) -> float:
        """Until when what the token links to is taken for what it was."""
        if entry.answer is not _Answer.KNOWN:
            return entry.until
        return min((self._rows.get(row, 0.0) for row in self._links(secret)), default=entry.until)

    def _too_old(self, table: Table[Any], ids: list[str]) -> list[str]:
        now = self._clock()
        return [row_id for row_id in ids if self._rows.get((table.name, row_id), 0.0) <= now]

    def _put_all(self, table: Table[Any], asked: list[str], found: list[Any], ttl_s: float) -> None:
        """Keep what was found of what was asked for; of the rest it is known that it is not there."""
        until, rows = self._clock() + ttl_s, {row.ID.lower(): row for row in found}
        for row_id in asked:
            if row_id in rows:
                self._put(table, rows[row_id])
            else:
                self._delete(table, row_id)
            self._rows[table.name, row_id] = until

    def _put(self, table: Table[Any], row: Any) -> None:
        old = table.get(table.primary_key(row))
        if old != row:
            self._write(table, lambda tx: tx.put(table, row))

    def _delete(self, table: Table[Any], key: str) -> None:
        if table.get(key) is not None:
            self._write(table, lambda tx: tx.delete(table, key))

    def _write(self, table: Table[Any], change: Callable[[Any], object]) -> None:
        self._index += 1
        tx = self._state.store.begin(self._index)
        change(tx)
        tx.bump(table.name)
        tx.commit()

    def _keep(self, secret: str, answer: _Answer, ttl_s: float) -> None:
        self._tokens[secret] = _Entry(answer, self._clock() + ttl_s)
        self._tokens.move_to_end(secret)
        if len(self._tokens) > KNOWN_MAX:
            oldest, _ = self._tokens.popitem(last=False)
            self._delete(self._state.tokens, oldest)
            self._forget_unlinked()

    def _forget_unlinked(self) -> None:
        """Policies and roles that no known token links to any more, once there are many."""
        if len(self._rows) <= KNOWN_MAX:
            return
        linked = {row for secret in self._tokens for row in self._links(secret)}
        for table in (self._state.roles, self._state.policies):
            for row_id in [row.ID.lower() for row in table.all() if (table.name, row.ID.lower()) not in linked]:
                self._delete(table, row_id)
        self._rows = {row: until for row, until in self._rows.items() if row in linked}
