"""What whoever calls an ``ACL.*`` method has to be allowed of access control, before it does anything: one table.

A method that is not in the table cannot be served: the node does not start. So no new one can forget to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion
from proconsul.engine.store.watch import WatchSet
from proconsul.features.acl.common import Desk
from proconsul.features.acl.rules import Level
from proconsul.features.acl.state import POLICIES, ROLES, TOKENS
from proconsul.features.errors import ConsulError
from proconsul.features.server import Calls, Endpoint, Read, Reads, Writes


class Need(NamedTuple):
    """``level`` of access control; None is decided by the method itself, for the reason ``why``. meter: a sample that
    gets how many milliseconds each call took, refused or not (Consul docs: telemetry). about_logins: of no use where no
    tokens are kept that logging in could make."""

    level: Level | None
    why: str = ""
    meter: str = ""
    about_logins: bool = False


_READ, _WRITE = Level.READ, Level.WRITE
NEEDS = {
    "ACL.Bootstrap": Need(None, "there is no token yet"),
    "ACL.BootstrapTokens": Need(None, "there is no token yet"),
    "ACL.Login": Need(None, "whoever logs in has no token", "acl.login", about_logins=True),
    "ACL.Logout": Need(None, "everybody may end their own token", "acl.logout", about_logins=True),
    "ACL.OIDCAuthURL": Need(None, "whoever logs in has no token", about_logins=True),
    "ACL.OIDCCallback": Need(None, "whoever logs in has no token", "acl.login", about_logins=True),
    "ACL.Authorize": Need(None, "everybody may ask about their own token"),
    "ACL.ReplicationStatus": Need(None, "it tells nothing of what is copied"),
    "ACL.Explain": Need(_READ),
    "ACL.TokenRead": Need(None, "everybody may read their own token"),
    "ACL.TokenReadExpanded": Need(None, "everybody may read their own token"),
    "ACL.TokenBatchRead": Need(None, "those who may not are shown nothing"),
    "ACL.TokenList": Need(_READ),
    "ACL.TokenSet": Need(_WRITE, meter="acl.token.upsert"),
    "ACL.TokenClone": Need(_WRITE, meter="acl.token.clone"),
    "ACL.TokenDelete": Need(_WRITE, meter="acl.token.delete"),
    "ACL.PolicyRead": Need(_READ),
    "ACL.PolicyList": Need(_READ),
    "ACL.PolicyResolve": Need(None, "everybody may ask what their own token links to"),
    "ACL.PolicyBatchRead": Need(None, "those who may not are shown nothing"),
    "ACL.PolicySet": Need(_WRITE, meter="acl.policy.upsert"),
    "ACL.PolicyDelete": Need(_WRITE, meter="acl.policy.delete"),
    "ACL.RoleRead": Need(_READ),
    "ACL.RoleList": Need(_READ),
    "ACL.RoleResolve": Need(None, "everybody may ask what their own token links to"),
    "ACL.RoleBatchRead": Need(None, "those who may not are shown nothing"),
    "ACL.RoleSet": Need(_WRITE, meter="acl.role.upsert"),
    "ACL.RoleDelete": Need(_WRITE, meter="acl.role.delete"),
    "ACL.AuthMethodRead": Need(_READ, about_logins=True),
    "ACL.AuthMethodList": Need(_READ, about_logins=True),
    "ACL.AuthMethodSet": Need(_WRITE, meter="acl.authmethod.upsert", about_logins=True),
    "ACL.AuthMethodDelete": Need(_WRITE, meter="acl.authmethod.delete", about_logins=True),
    "ACL.BindingRuleRead": Need(_READ, about_logins=True),
    "ACL.BindingRuleList": Need(_READ, about_logins=True),
    "ACL.BindingRuleSet": Need(_WRITE, meter="acl.bindingrule.upsert", about_logins=True),
    "ACL.BindingRuleDelete": Need(_WRITE, meter="acl.bindingrule.delete", about_logins=True),
    "ACL.Apply": Need(_WRITE, meter="acl.apply"),
    "ACL.Get": Need(None, "everybody may read the token whose secret they know"),
    "ACL.List": Need(_WRITE),
    "ACL.GetPolicy": Need(None, "agents ask for tokens whose secrets they know"),
}


class Guarded(Endpoint):
    """``reads``, ``writes`` and ``calls`` for those who may. Raises KeyError for a method that the table lacks."""

    def __init__(self, desk: Desk, reads: Reads, writes: Writes, calls: Calls) -> None:
        self._desk = desk
        self.reads = {method: partial(self._read, NEEDS[method.name], read) for method, read in reads.items()}
        self.writes = {method: partial(self._write, NEEDS[method.name], do) for method, do in writes.items()}
        self.calls = {method: partial(self._call, NEEDS[method.name], do) for method, do in calls.items()}

    def _read(self, need: Need, make: Callable[[Any], Read], args: Any) -> Read:
        read = make(args)
        return read if need.level is None else read._replace(run=partial(self._run, need, args.Token, read.run))

    def _run(self, need: Need, secret: str, run: Callable[[Any], Any], watch: WatchSet | None) -> tuple[int, Any]:
        if watch is not None:
            watch.add(TOKENS, POLICIES, ROLES)
        self._admit(need, secret)
        found: tuple[int, Any] = run(watch)
        return found

    def _write(self, need: Need, do: Callable[[Completion, Any], None], waiter: Completion, args: Any) -> None:
        timed = _Timed(waiter, self._desk, need.meter) if need.meter else waiter
        try:
            self._admit(need, args.Token)
            do(timed, args)
        except Exception:
            if isinstance(timed, _Timed):
                timed.take()
            raise

    async def _call(self, need: Need, do: Callable[[Any], Any], args: Any) -> Any:
        self._admit(need, args.Token)
        return await do(args)

    def _admit(self, need: Need, secret: str) -> None:
        """Raises PermissionDenied and the like, and ConsulError where logging in is of no use."""
        settings = self._desk.server.acl_settings
        if need.about_logins and settings.enabled and not settings.local_tokens:
            raise ConsulError("Token replication is required for auth methods to function")
        if need.level is not None:
            self._desk.require(secret, need.level)


class _Timed:
    """Takes how long it was until ``waiter`` is told."""

    __slots__ = ("_began", "_desk", "_meter", "_waiter")

    def __init__(self, waiter: Completion, desk: Desk, meter: str) -> None:
        self._waiter, self._desk, self._meter = waiter, desk, meter
        self._began = desk.server.clock()

    def take(self) -> None:
        server = self._desk.server
        server.meters.sample(self._meter, (server.clock() - self._began) * 1000)

    def done(self) -> bool:
        """See `Completion`."""
        return self._waiter.done()

    def set_result(self, result: Any) -> None:
        """See `Completion`."""
        self.take()
        self._waiter.set_result(result)

    def set_exception(self, exception: Exception) -> None:
        """See `Completion`."""
        self.take()
        self._waiter.set_exception(exception)
