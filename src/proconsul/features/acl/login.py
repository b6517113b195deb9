"""ACL.Login and ACL.Logout: a token for a secret of somebody else's, and its end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from proconsul.engine.completion import Completion
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gotime import from_unix_ns
from proconsul.engine.wire.record import ABSENT, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model
from proconsul.features.acl.auth.common import Verified
from proconsul.features.acl.binding import BindingRules, bindings
from proconsul.features.acl.common import Desk
from proconsul.features.acl.hashes import hash_of_token
from proconsul.features.acl.identities import node_identities, service_identities
from proconsul.features.acl.methods import AuthMethods, Background, token_name
from proconsul.features.acl.model import ACLAuthMethod, ACLToken, Link
from proconsul.features.acl.requests import (
    LoginCall,
    LogoutCall,
    OIDCAuthURL,
    OIDCAuthURLCall,
    OIDCCallbackCall,
)
from proconsul.features.acl.resolver import ACLNotFound
from proconsul.features.acl.templated import templated_policies
from proconsul.features.errors import ConsulError, PermissionDenied, StateError
from proconsul.features.messages import MessageType
from proconsul.features.server import WriteMethod

if TYPE_CHECKING:
    from proconsul.features.acl.auth.oidc import OidcMethod

LOGIN = WriteMethod("ACL.Login", LoginCall, ACLToken)
LOGOUT = WriteMethod("ACL.Logout", LogoutCall, bool)

# Ours: 1.8.7 has them in another edition.
OIDC_AUTH_URL = WriteMethod("ACL.OIDCAuthURL", OIDCAuthURLCall, OIDCAuthURL)
OIDC_CALLBACK = WriteMethod("ACL.OIDCCallback", OIDCCallbackCall, ACLToken)

DESCRIPTION = "token created via login"
OIDC_DESCRIPTION = "token created via OIDC login"
# Everybody may try to log in, and each try may have to wait for a remote side that does not answer.
WAITING_MAX = 256


def unique(links: list[Link]) -> list[Link] | None:
    """Each link once."""
    return list({link.ID: link for link in links}.values()) or None


class Logins:
    """ACL.Login and ACL.Logout."""

    def __init__(self, desk: Desk, methods: AuthMethods, rules: BindingRules) -> None:
        self._desk, self._methods, self._rules = desk, methods, rules
        self._background = Background()
        self.writes: dict[WriteMethod, Any] = {
            LOGIN: self.login, LOGOUT: self.logout, OIDC_AUTH_URL: self.auth_url, OIDC_CALLBACK: self.callback
        }  # fmt: skip

    def method(self, name: str) -> ACLAuthMethod:
        """Raises ACLNotFound."""
        method: ACLAuthMethod | None = self._desk.state.auth_methods.get(name.lower()) if name else None
        if method is None:
            raise ACLNotFound()
        return method

    def login(self, waiter: Completion, args: LoginCall) -> None:
        """Make a token for whoever shows a secret; the result is the token. Raises ConsulError."""
        self._desk.require_enabled()
        validator = self._methods.validator(self.method(args.Auth.AuthMethod))

        async def log_in() -> None:
            verified = await validator.login(args.Auth.BearerToken)
            if not self._desk.server.handed_on(waiter, LOGIN, args):
                self.make(waiter, args.Auth.AuthMethod, verified, args.Auth.Meta)

        self.wait_for(waiter, log_in)

    def wait_for(self, waiter: Completion, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Tell ``waiter`` when ``work``, which asks a remote side, is done. Raises ConsulError when too many wait."""
        if len(self._background) >= WAITING_MAX:
            raise ConsulError("too many logins are waiting for what vouches for them; try again later", 503)
        self._background.start(waiter, work)

    # ------------------------------------------------------------------ with a browser

    def _oidc(self, name: str) -> OidcMethod:
        """Raises ACLNotFound, ConsulError."""
        self._desk.require_enabled()
        validator = self._methods.validator(self.method(name))
        from proconsul.features.acl.auth.oidc import OidcMethod

        if not isinstance(validator, OidcMethod):
            raise ConsulError(f"auth method {quoted(name)} is not of type 'oidc'")
        return validator

    def auth_url(self, waiter: Completion, args: OIDCAuthURLCall) -> None:
        """Where the browser has to go; the result is an OIDCAuthURL. Raises ConsulError."""
        validator, auth = self._oidc(args.Auth.AuthMethod), args.Auth

        async def begin() -> OIDCAuthURL:
            return OIDCAuthURL(await validator.begin(auth.RedirectURI, auth.ClientNonce, auth.Meta))

        self.wait_for(waiter, begin)

    def callback(self, waiter: Completion, args: OIDCCallbackCall) -> None:
        """Make a token for whoever has come back; the result is the token. Raises ConsulError."""
        validator, auth = self._oidc(args.Auth.AuthMethod), args.Auth

        async def finish() -> None:
            verified, meta = await validator.finish(auth.State, auth.Code, auth.ClientNonce)
            self.make(waiter, auth.AuthMethod, verified, meta, OIDC_DESCRIPTION)

        self.wait_for(waiter, finish)

    # ------------------------------------------------------------------ tokens

    def make(
        self, waiter: Completion, method_name: str, verified: Verified, meta: dict[str, str] | None,
        what: str = DESCRIPTION,
    ) -> None:  # fmt: skip
        """Make the token of somebody ``verified``, if any rule gives them anything. Raises ConsulError."""
        # The method may have been removed meanwhile, and its rules changed.
        method = self.method(method_name)
        found = bindings(
            self._desk.state, self._rules.of_method(method.Name), verified, self._desk.server.datacenter
        )  # fmt: skip
        if not found.any:
            raise PermissionDenied()
        description = f"{what}: {gojson.dumps(meta).decode()}" if meta else what
        now_ns, tables = self._desk.resolver.now_ns(), self._desk.token_ids
        name = token_name(method, verified.variables) if method.TokenNameFormat else ABSENT
        token = ACLToken(
            AccessorID=self._desk.new_id(*tables), SecretID=self._desk.new_id(*tables), Description=description,
            Policies=unique(found.policies), Roles=unique(found.roles),
            ServiceIdentities=service_identities(found.services, "token"),
            NodeIdentities=node_identities(found.nodes, "token"), Name=name,
            TemplatedPolicies=templated_policies(found.templated, "token") or ABSENT,
            Local=method.TokenLocality != "global",
            AuthMethod=method.Name, CreateTime=from_unix_ns(now_ns),
            ExpirationTime=from_unix_ns(now_ns + method.MaxTokenTTL) if method.MaxTokenTTL else None,
        )  # fmt: skip
        token = replace(token, Hash=hash_of_token(token))
        request = model.TokenSetRequest(Tokens=[token], AllowMissingLinks=True, ProhibitUnprivileged=True)

        def stored() -> ACLToken:
            made = self._desk.state.token(token.AccessorID)
            return token if made is None else self._desk.resolver.shown(made)

        self._desk.propose(_Refused(waiter), MessageType.ACL_TOKEN_SET, request, stored)

    def logout(self, waiter: Completion, args: LogoutCall) -> None:
        """Remove the token that asks, which must be from a login. Raises ConsulError."""
        self._desk.require_enabled()
        if not args.Token:
            raise ACLNotFound()
        token = self._desk.resolver.resolve(args.Token).token
        if token is None:
            raise ACLNotFound()
        if not token.AuthMethod:
            raise PermissionDenied()
        request = model.TokenDeleteRequest(TokenIDs=[token.AccessorID])
        self._desk.propose(waiter, MessageType.ACL_TOKEN_DELETE, request, lambda: True)


class _Refused:
    """Tells ``waiter`` that it may not, when the state refuses the token: what it would have given has just gone."""

    __slots__ = ("_waiter",)

    def __init__(self, waiter: Completion) -> None:
        self._waiter = waiter

    def done(self) -> bool:
        """See `Completion`."""
        return self._waiter.done()

    def set_result(self, result: Any) -> None:
        """See `Completion`."""
        self._waiter.set_result(result)

    def set_exception(self, exception: Exception) -> None:
        """See `Completion`."""
        self._waiter.set_exception(PermissionDenied() if isinstance(exception, StateError) else exception)
