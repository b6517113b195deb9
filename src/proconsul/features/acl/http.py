"""/v1/acl and /v1/internal/acl (HTTP API: acl)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import replace
from proconsul.features.acl.endpoint import (
    ACL,
    AUTHORIZE,
    BOOTSTRAP,
    EXPLAIN,
    REPLICATION,
    check_questions,
)
from proconsul.features.acl.model import ACLPolicy, ACLRole, ACLRow, ACLToken, Link
from proconsul.features.acl.named import POLICY_DELETE, POLICY_SET, ROLE_DELETE, ROLE_SET
from proconsul.features.acl.requests import (
    AuthorizeRequest,
    BootstrapCall,
    ExplainRequest,
    ListRequest,
    PolicyDeleteCall,
    PolicyGetRequest,
    PolicySetCall,
    Question,
    RoleDeleteCall,
    RoleGetRequest,
    RoleSetCall,
    TokenDeleteCall,
    TokenGetRequest,
    TokenListRequest,
    TokenSetCall,
)
from proconsul.features.acl.resolver import NOT_FOUND
from proconsul.features.acl.tokens import ACCESSOR, TOKEN_CLONE, TOKEN_DELETE, TOKEN_SET
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import ACLDisabled, BadRequest
from proconsul.features.options import OptionRule
from proconsul.features.server import Read, WriteMethod
from proconsul.features.web import Reply, Web

_TEXT = "text/plain; charset=utf-8"
_UNKNOWN = Reply(403, NOT_FOUND.encode(), "", {"Content-Type": _TEXT})
_MISSING = Reply(404, b"", "")
T = TypeVar("T")
Handler = Callable[[Request], Answer]


class BootstrapAnswer(ACLRow, frozen=True, kw_only=True):
    """The first management token, its secret also under the name that clients from before 1.4 look for."""

    ID: str = ""
    AccessorID: str = ""
    SecretID: str = ""
    Description: str = ""
    Policies: list[Link] | None = None
    Local: bool = False
    CreateTime: GoTime = ZERO_TIME
    Hash: bytes | None = None


class ACLRoutes:
    """Handlers of /v1/acl/* and /v1/internal/acl/*. ``call`` is the gate's."""

    def __init__(self, web: Web, acl: ACL, call: Callable[..., Awaitable[Any]], *, enabled: bool) -> None:
        self.web, self.acl, self._call, self._enabled = web, acl, call, enabled

    def register(self, router: Router) -> None:
        routes: list[tuple[str, dict[str, Handler]]] = [
            ("bootstrap", {"PUT": self.bootstrap}),
            ("replication", {"GET": self.replication}),
            ("policies", {"GET": self.list_policies}),
            ("policy", {"PUT": self.create_policy}),
            ("policy/", {"GET": self.read_policy, "PUT": self.update_policy, "DELETE": self.delete_policy}),
            ("policy/name/", {"GET": self.read_policy_named}),
            ("roles", {"GET": self.list_roles}),
            ("role", {"PUT": self.set_role}),
            ("role/", {"GET": self.read_role, "PUT": self.set_role, "DELETE": self.delete_role}),
            ("role/name/", {"GET": self.read_role_named}),
            ("tokens", {"GET": self.list_tokens}),
            ("token", {"PUT": self.create_token}),
            ("token/self", {"GET": self.read_own}),
            ("token/", {"GET": self.read_token, "PUT": self.change_token, "DELETE": self.delete_token}),
        ]
        for path, handlers in routes:
            router.add("/v1/acl/" + path, {verb: self._guarded(handler) for verb, handler in handlers.items()})
        router.add("/v1/internal/acl/authorize", {"POST": self._guarded(self.authorize)})
        router.add("/v1/internal/acl/explain", {"GET": self._guarded(self.explain)})

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(request: Request) -> Answer:
            if not self._enabled:
                raise ACLDisabled()
            return handler(request)

        return guarded

    # ------------------------------------------------------------------ parts

    @staticmethod
    def _decoded(cls: type[T], request: Request, what: str) -> T:
        try:
            return gojson.decode(cls, request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Bad request: {what} decoding failed: {error}") from None

    @staticmethod
    def _id(request: Request, what: str) -> str:
        if not request.params:
            raise BadRequest(f"Bad request: Missing {what}")
        return request.params

    def _read(self, request: Request, read: Read, missing: Reply) -> Answer:
        pretty = self.web.pretty(request)

        def encode(value: Any) -> Reply:
            return missing if value is None else Reply(200, gojson.dumps(value, pretty=pretty))

        answer = self.web.read(request, read, encode, headers_on_error=True)
        if isinstance(answer, Response) and answer.status == 404:
            return Response(404, b"", {"Vary": "Accept-Encoding"})
        return answer

    def _write(
        self, request: Request, method: WriteMethod, args: Any, show: Callable[[Any], Any] = lambda value: value
    ) -> Answer:
        self.web.require_datacenter(request)
        args = replace(args, Datacenter=self.web.datacenter, Token=self.web.token(request))
        return self.web.write(method, args, lambda result: self.web.json(request, show(result)))

    def _done(self, request: Request, method: WriteMethod, args: Any) -> Answer:
        return self._write(request, method, args, lambda _: True)

    # ------------------------------------------------------------------ the whole

    def bootstrap(self, request: Request) -> Answer:
        def show(token: ACLToken) -> BootstrapAnswer:
            fields = (name for name in BootstrapAnswer.__struct_fields__ if name != "ID")
            return BootstrapAnswer(ID=token.SecretID, **{name: getattr(token, name) for name in fields})

        return self._write(request, BOOTSTRAP, BootstrapCall(), show)

    async def replication(self, request: Request) -> Response:
        args = DCSpecificRequest(Datacenter=request.get("dc"), Token=self.web.token(request))
        return self.web.json(request, await self._call(REPLICATION, args))

    async def authorize(self, request: Request) -> Response:
        try:
            questions = gojson.decode(list[Question], request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Bad request: Failed to decode request body: {error}") from None
        check_questions(questions or [])
        args = AuthorizeRequest(
            Datacenter=request.get("dc") or self.web.datacenter, Token=self.web.token(request), Requests=questions
        )
        return self.web.json(request, (await self._call(AUTHORIZE, args)) or [])

    async def explain(self, request: Request) -> Response:
        question = Question(request.get("resource"), request.get("segment"), request.get("access"))
        args = ExplainRequest(
            Datacenter=request.get("dc") or self.web.datacenter, Token=self.web.token(request),
            AccessorID=request.get("accessor"), Question=question,
        )  # fmt: skip
        return self.web.json(request, await self._call(EXPLAIN, args))

    # ------------------------------------------------------------------ policies

    def list_policies(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._read(request, self.acl.policies.list_all(ListRequest(Token=self.web.token(request))), _MISSING)

    def read_policy(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._policy(request, PolicyGetRequest(PolicyID=self._id(request, "policy ID")))

    def read_policy_named(self, request: Request) -> Answer:
        name = self._id(request, "policy Name")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._policy(request, PolicyGetRequest(PolicyName=name))

    def _policy(self, request: Request, args: PolicyGetRequest) -> Answer:
        read = self.acl.policies.read(replace(args, Token=self.web.token(request)))
        return self._read(request, read, _UNKNOWN)

    def create_policy(self, request: Request) -> Answer:
        policy = self._decoded(ACLPolicy, request, "Policy")
        if policy.ID:
            raise BadRequest("Bad request: Cannot specify the ID when creating a new policy")
        return self._write(request, POLICY_SET, PolicySetCall(Policy=policy))

    def update_policy(self, request: Request) -> Answer:
        policy = self._decoded(ACLPolicy, request, "Policy")
        if policy.ID not in ("", request.params):
            raise BadRequest("Bad request: Policy ID in URL and payload do not match")
        return self._write(request, POLICY_SET, PolicySetCall(Policy=replace(policy, ID=request.params)))

    def delete_policy(self, request: Request) -> Answer:
        return self._done(request, POLICY_DELETE, PolicyDeleteCall(PolicyID=self._id(request, "policy ID")))

    # ------------------------------------------------------------------ roles

    def list_roles(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = ListRequest(Policy=request.get("policy"), Token=self.web.token(request))
        return self._read(request, self.acl.roles.list_all(args), _MISSING)

    def read_role(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._role(request, RoleGetRequest(RoleID=self._id(request, "role ID")))

    def read_role_named(self, request: Request) -> Answer:
        name = self._id(request, "role Name")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._role(request, RoleGetRequest(RoleName=name))

    def _role(self, request: Request, args: RoleGetRequest) -> Answer:
        return self._read(request, self.acl.roles.read(replace(args, Token=self.web.token(request))), _MISSING)

    def set_role(self, request: Request) -> Answer:
        role = self._decoded(ACLRole, request, "Role")
        if role.ID not in ("", request.params):
            raise BadRequest("Bad request: Role ID in URL and payload do not match")
        return self._write(request, ROLE_SET, RoleSetCall(Role=replace(role, ID=request.params)))

    def delete_role(self, request: Request) -> Answer:
        return self._done(request, ROLE_DELETE, RoleDeleteCall(RoleID=self._id(request, "role ID")))

    # ------------------------------------------------------------------ tokens

    def list_tokens(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = TokenListRequest(
            IncludeLocal=True, IncludeGlobal=True, Policy=request.get("policy"), Role=request.get("role"),
            AuthMethod=request.get("authmethod"), Token=self.web.token(request),
        )  # fmt: skip
        return self._read(request, self.acl.tokens.list_all(args), _MISSING)

    def read_own(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        secret = self.web.token(request)
        args = TokenGetRequest(TokenID=secret, TokenIDType="secret", Token=secret)
        return self._read(request, self.acl.tokens.read(args), _UNKNOWN)

    def read_token(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        accessor = self._id(request, "token ID")
        args = TokenGetRequest(TokenID=accessor, TokenIDType=ACCESSOR, Token=self.web.token(request))
        return self._read(request, self.acl.tokens.read(args), _UNKNOWN)

    def create_token(self, request: Request) -> Answer:
        token = self._decoded(ACLToken, request, "Token")
        return self._write(request, TOKEN_SET, TokenSetCall(ACLToken=token, Create=True))

    def change_token(self, request: Request) -> Answer:
        accessor, clone = request.params, request.params.endswith("/clone")
        accessor = accessor.removesuffix("/clone")
        token = self._decoded(ACLToken, request, "Token")
        if token.AccessorID not in ("", accessor):
            raise BadRequest("Bad request: Token Accessor ID in URL and payload do not match")
        args = TokenSetCall(ACLToken=replace(token, AccessorID=accessor))
        return self._write(request, TOKEN_CLONE if clone else TOKEN_SET, args)

    def delete_token(self, request: Request) -> Answer:
        return self._done(request, TOKEN_DELETE, TokenDeleteCall(TokenID=self._id(request, "token ID")))
