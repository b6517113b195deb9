"""ACL.AuthMethod*: the ways to log in, and what vouches for those who use one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.hil import HilError, HilTemplate
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.record import ABSENT, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model
from proconsul.features.acl.auth.common import AuthError, Validator
from proconsul.features.acl.auth.types import OIDC, TYPES, maker
from proconsul.features.acl.common import Desk
from proconsul.features.acl.model import ACLAuthMethod, ACLToken
from proconsul.features.acl.requests import (
    AuthMethodDeleteCall,
    AuthMethodGetRequest,
    AuthMethodListResponse,
    AuthMethodListStub,
    AuthMethodResponse,
    AuthMethodSetCall,
    ListRequest,
)
from proconsul.features.acl.rules import Level
from proconsul.features.acl.setup import REAPED_MAX
from proconsul.features.acl.state import AUTH_METHODS
from proconsul.features.acl.tokens import EXPIRES_MAX_NS, EXPIRES_MIN_NS
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, ReadMethod, WriteMethod, or_empty
from proconsul.plugins.kinds import PluginKind

METHOD_READ = ReadMethod("ACL.AuthMethodRead", AuthMethodGetRequest, AuthMethodResponse, "AuthMethod")
METHOD_LIST = ReadMethod("ACL.AuthMethodList", ListRequest, AuthMethodListResponse, "AuthMethods", to_value=or_empty)
METHOD_SET = WriteMethod("ACL.AuthMethodSet", AuthMethodSetCall, ACLAuthMethod)
METHOD_DELETE = WriteMethod("ACL.AuthMethodDelete", AuthMethodDeleteCall, bool)

_NAME = re.compile(r"[A-Za-z0-9\-_]{1,128}")
LOCALITIES = ("", "local", "global")


class Background:
    """Work that has to wait for somebody before a waiter can be told; whatever happens, the waiter is told."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, waiter: Completion, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Tell ``waiter`` what ``work`` results in; None when it tells the waiter itself."""
        task = asyncio.get_running_loop().create_task(self._run(waiter, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, waiter: Completion, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            result = await work()
        except RaftError as error:
            tell_error(waiter, ConsulError(str(error)))
        except Exception as error:
            tell_error(waiter, error)
        else:
            if result is not None:
                tell(waiter, result)


def token_name(method: ACLAuthMethod, variables: Mapping[str, str]) -> str:
    """How a token from a login with ``method`` is called. Raises ConsulError."""
    own = {"auth_method_type": method.Type, "auth_method_name": method.Name}
    try:
        return HilTemplate(method.TokenNameFormat).render({**variables, **own})
    except HilError as error:
        raise ConsulError(f"invalid TokenNameFormat: {error}") from None


class AuthMethods:
    """ACL.AuthMethodRead, AuthMethodList, AuthMethodSet and AuthMethodDelete."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._table = desk, desk.state.auth_methods
        self._background = Background()
        # By name: what was made of a row.
        self._validators: dict[str, tuple[ACLAuthMethod, Validator]] = {}
        self.reads: dict[ReadMethod, Any] = {METHOD_READ: self.read, METHOD_LIST: self.list_all}
        self.writes: dict[WriteMethod, Any] = {METHOD_SET: self.set, METHOD_DELETE: self.delete}

    def validator(self, method: ACLAuthMethod) -> Validator:
        """What vouches for those who log in with ``method``. Raises AuthError when its configuration is of no use."""
        key, known = method.Name.lower(), self._validators.get(method.Name.lower())
        # A row that was written anew, or restored, is another object.
        if known is not None and known[0] is method:
            return known[1]
        for name in [name for name in self._validators if self._table.get(name) is None]:
            del self._validators[name]
        made = self._made(method)
        if self._table.get(key) is method:
            self._validators[key] = method, made
        return made

    def _made(self, method: ACLAuthMethod) -> Validator:
        make = maker(method.Type)
        if make is not None:
            return make(method.Config or {}, self._desk.resolver.now_ns)
        plugins = self._desk.server.acl_settings.plugins
        if plugins is None or not plugins.knows(PluginKind.AUTH_METHODS, method.Type):
            raise AuthError(f"no auth method found with type {quoted(method.Type)}")
        from proconsul.features.acl.auth import plugin

        return plugin.make(plugins, method.Type, method.Config or {})

    # ------------------------------------------------------------------ reads

    def read(self, args: AuthMethodGetRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, ACLAuthMethod | None]:
            index = self._desk.watched(watch, AUTH_METHODS)
            return index, self._table.get(args.AuthMethodName.lower())

        return Read((METHOD_READ.name, args.Token, args.AuthMethodName), run, METHOD_READ, args, shared=False)

    def list_all(self, args: ListRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, list[AuthMethodListStub]]:
            index = self._desk.watched(watch, AUTH_METHODS)
            return index, [
                AuthMethodListStub(
                    Name=row.Name, Type=row.Type, DisplayName=row.DisplayName, Description=row.Description,
                    CreateIndex=row.CreateIndex, ModifyIndex=row.ModifyIndex,
                ) for row in self._table.all()
            ]  # fmt: skip

        return Read((METHOD_LIST.name, args.Token), run, METHOD_LIST, args)

    # ------------------------------------------------------------------ writes

    def set(self, waiter: Completion, args: AuthMethodSetCall) -> None:
        """Make or change a method; the result is what is stored. Raises ConsulError."""
        method = self._checked(args.AuthMethod)
        try:
            validator = self._made(method)
        except AuthError as error:
            raise ConsulError(f"Invalid Auth Method: {error}") from None
        if method.TokenNameFormat:
            token_name(method, validator.blank)
        self._background.start(waiter, partial(self._set, waiter, args, method, validator))

    def _checked(self, method: ACLAuthMethod) -> ACLAuthMethod:
        """The method, of the type it has had. Raises ConsulError."""
        if not method.Name:
            raise ConsulError("Invalid Auth Method: no Name is set")
        if _NAME.fullmatch(method.Name) is None:
            raise ConsulError(
                "Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed"
            )
        old = self._table.get(method.Name.lower())
        if old is not None:
            method = replace(method, Type=method.Type or old.Type)
            if method.Type != old.Type:
                raise ConsulError("the Type field of an Auth Method is immutable")
        self._check_type(method.Type)
        ttl_ns = method.MaxTokenTTL
        if method.Type == OIDC and not ttl_ns:
            raise ConsulError('Invalid Auth Method: MaxTokenTTL must be set for type "oidc"')
        if ttl_ns and ttl_ns < EXPIRES_MIN_NS:
            raise ConsulError(
                f"MaxTokenTTL {format_duration(ttl_ns)} cannot be less than {format_duration(EXPIRES_MIN_NS)}"
            )
        if ttl_ns > EXPIRES_MAX_NS:
            raise ConsulError(
                f"MaxTokenTTL {format_duration(ttl_ns)} cannot be more than {format_duration(EXPIRES_MAX_NS)}"
            )
        if method.TokenLocality not in LOCALITIES:
            raise ConsulError("Invalid Auth Method: TokenLocality should be one of 'local' or 'global'")
        if method.TokenLocality == "global" and self._desk.server.acl_settings.primary:
            raise ConsulError("Invalid Auth Method: TokenLocality 'global' can only be used in the primary datacenter")
        return replace(method, TokenNameFormat=method.TokenNameFormat or ABSENT)  # type: ignore[no-any-return]

    def _check_type(self, name: str) -> None:
        """Raises ConsulError for a type that is none of ours, and of no plug-in."""
        kind, plugins = PluginKind.AUTH_METHODS, self._desk.server.acl_settings.plugins
        if name not in TYPES and (plugins is None or not plugins.knows(kind, name)):
            types = sorted((*TYPES, *(plugins.usable(kind) if plugins is not None else ())))
            raise ConsulError(f"Invalid Auth Method: Type should be one of: [{' '.join(types)}]")

    async def _set(
        self, waiter: Completion, args: AuthMethodSetCall, method: ACLAuthMethod, validator: Validator
    ) -> None:  # fmt: skip
        try:
            await validator.check()
        except AuthError as error:
            raise ConsulError(f"Invalid Auth Method: {error}") from None
        if self._desk.server.handed_on(waiter, METHOD_SET, args):
            return
        self._desk.require(args.Token, Level.WRITE)  # the token may be gone meanwhile
        old = self._table.get(method.Name.lower())
        if old is not None and old.Type != method.Type:
            raise ConsulError("the Type field of an Auth Method is immutable")
        request = model.AuthMethodSetRequest(AuthMethods=[method])
        key = method.Name.lower()
        self._desk.propose(waiter, MessageType.ACL_AUTH_METHOD_SET, request, lambda: self._table.get(key))

    def delete(self, waiter: Completion, args: AuthMethodDeleteCall) -> None:
        """Remove a method, its binding rules and its tokens; one that is not there is no error. Raises ConsulError."""
        method = self._table.get(args.AuthMethodName.lower())
        if method is None:
            tell(waiter, True)
            return
        self._background.start(waiter, partial(self._delete, waiter, args, method.Name))

    def _doomed(self, name: str) -> list[ACLToken]:
        """Tokens to be removed before the method: what removing that leaves behind, and more than it can do at once."""
        key, method = name.lower(), self._table.get(name.lower())
        if method is None:
            return []
        tokens, is_global = self._desk.state.tokens.by("auth_method", key), method.TokenLocality == "global"
        left = [token for token in tokens if token.AuthMethod != method.Name or token.Local == is_global]
        return left or (tokens if len(tokens) > REAPED_MAX else [])

    async def _delete(self, waiter: Completion, args: AuthMethodDeleteCall, name: str) -> None:
        """The method goes last, with what is left: a command for all of a large one would hold up others' writes.

        Raises RaftError when somebody else leads by then.
        """
        state, key = self._desk.state, name.lower()
        # Without rules nobody can log in any more.
        while len(rules := state.binding_rules.by("auth_method", key)) > REAPED_MAX:
            ids = [rule.ID for rule in rules[:REAPED_MAX]]
            await self._applied(
                MessageType.ACL_BINDING_RULE_DELETE, model.BindingRuleDeleteRequest(BindingRuleIDs=ids)
            )  # fmt: skip
        while tokens := self._doomed(name):
            accessors = [token.AccessorID for token in tokens[:REAPED_MAX]]
            await self._applied(MessageType.ACL_TOKEN_DELETE, model.TokenDeleteRequest(TokenIDs=accessors))
        if self._desk.server.handed_on(waiter, METHOD_DELETE, args):
            return
        request = model.AuthMethodDeleteRequest(AuthMethodNames=[name])
        self._desk.propose(waiter, MessageType.ACL_AUTH_METHOD_DELETE, request, lambda: True)

    async def _applied(self, kind: MessageType, request: Any) -> None:
        """Apply one command. Raises ConsulError or RaftError, so that nobody goes on who gets nowhere."""
        result = await self._desk.server.propose(kind, request)
        if isinstance(result, Exception):
            raise result
