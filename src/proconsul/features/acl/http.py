"""/v1/acl and /v1/internal/acl (HTTP API: acl)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router
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
from proconsul.features.acl.legacy_http import LegacyRoutes
from proconsul.features.acl.login_http import LoginRoutes
from proconsul.features.acl.model import (
    ACLPolicy,
    ACLRole,
    ACLRow,
    ACLToken,
    Link,
    TemplatedPolicy,
    TemplateVariables,
)
from proconsul.features.acl.named import (
    POLICY_DELETE,
    POLICY_LIST,
    POLICY_READ,
    POLICY_SET,
    ROLE_DELETE,
    ROLE_LIST,
    ROLE_READ,
    ROLE_SET,
)
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
from proconsul.features.acl.routing import MISSING, UNKNOWN, Routes, RouteTable
from proconsul.features.acl.templated import checked, preview, templates
from proconsul.features.acl.tokens import (
    ACCESSOR,
    TOKEN_CLONE,
    TOKEN_DELETE,
    TOKEN_EXPANDED,
    TOKEN_LIST,
    TOKEN_READ,
    TOKEN_SET,
)
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.options import OptionRule
from proconsul.features.web import Web


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


class ACLRoutes(Routes):
    """Handlers of /v1/acl/* and /v1/internal/acl/*."""

    def table(self) -> RouteTable:
        """See `Routes`."""
        return [
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
            ("templated-policies", {"GET": self.list_templates}),
            ("templated-policy/name/", {"GET": self.read_template}),
            ("templated-policy/preview/", {"POST": self.preview_template}),
            ("token/", {"GET": self.read_token, "PUT": self.change_token, "DELETE": self.delete_token}),
        ]

    def register(self, router: Router) -> None:
        """See `Routes`."""
        super().register(router)
        router.add("/v1/internal/acl/authorize", {"POST": self.guarded(self.authorize)})
        router.add("/v1/internal/acl/explain", {"GET": self.guarded(self.explain)})

    # ------------------------------------------------------------------ the whole

    def bootstrap(self, request: Request) -> Answer:
        def show(token: ACLToken) -> BootstrapAnswer:
            fields = (name for name in BootstrapAnswer.__struct_fields__ if name != "ID")
            return BootstrapAnswer(ID=token.SecretID, **{name: getattr(token, name) for name in fields})

        return self.write(request, BOOTSTRAP, BootstrapCall(), show)

    async def replication(self, request: Request) -> Response:
        args = DCSpecificRequest(Datacenter=request.get("dc"), Token=self.web.token(request))
        return self.web.json(request, await self.call(REPLICATION, args))

    async def authorize(self, request: Request) -> Response:
        questions = self.body(list[Question], request)
        check_questions(questions or [])
        args = AuthorizeRequest(
            Datacenter=self.web.datacenter_of(request), Token=self.web.token(request), Requests=questions
        )
        return self.web.json(request, (await self.call(AUTHORIZE, args)) or [])

    async def explain(self, request: Request) -> Response:
        question = Question(request.get("resource"), request.get("segment"), request.get("access"))
        args = ExplainRequest(
            Datacenter=self.web.datacenter_of(request), Token=self.web.token(request),
            AccessorID=request.get("accessor"), Question=question,
        )  # fmt: skip
        return self.web.json(request, await self.call(EXPLAIN, args))

    # ------------------------------------------------------------------ policies

    def list_policies(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self.read(request, self.acl.reads[POLICY_LIST](ListRequest(Token=self.web.token(request))), MISSING)

    def read_policy(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._policy(request, PolicyGetRequest(PolicyID=self.id_of(request, "policy ID")))

    def read_policy_named(self, request: Request) -> Answer:
        name = self.id_of(request, "policy Name")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._policy(request, PolicyGetRequest(PolicyName=name))

    def _policy(self, request: Request, args: PolicyGetRequest) -> Answer:
        read = self.acl.reads[POLICY_READ](replace(args, Token=self.web.token(request)))
        return self.read(request, read, UNKNOWN)

    def create_policy(self, request: Request) -> Answer:
        policy = self.decoded(ACLPolicy, request, "Policy")
        if policy.ID:
            raise BadRequest("Bad request: Cannot specify the ID when creating a new policy")
        return self.write(request, POLICY_SET, PolicySetCall(Policy=policy))

    def update_policy(self, request: Request) -> Answer:
        policy = self.decoded(ACLPolicy, request, "Policy")
        if policy.ID not in ("", request.params):
            raise BadRequest("Bad request: Policy ID in URL and payload do not match")
        return self.write(request, POLICY_SET, PolicySetCall(Policy=replace(policy, ID=request.params)))

    def delete_policy(self, request: Request) -> Answer:
        return self.done(request, POLICY_DELETE, PolicyDeleteCall(PolicyID=self.id_of(request, "policy ID")))

    # ------------------------------------------------------------------ roles

    def list_roles(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = ListRequest(Policy=request.get("policy"), Token=self.web.token(request))
        return self.read(request, self.acl.reads[ROLE_LIST](args), MISSING)

    def read_role(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._role(request, RoleGetRequest(RoleID=self.id_of(request, "role ID")))

    def read_role_named(self, request: Request) -> Answer:
        name = self.id_of(request, "role Name")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._role(request, RoleGetRequest(RoleName=name))

    def _role(self, request: Request, args: RoleGetRequest) -> Answer:
        return self.read(request, self.acl.reads[ROLE_READ](replace(args, Token=self.web.token(request))), MISSING)

    def set_role(self, request: Request) -> Answer:
        role = self.decoded(ACLRole, request, "Role")
        if role.ID not in ("", request.params):
            raise BadRequest("Bad request: Role ID in URL and payload do not match")
        return self.write(request, ROLE_SET, RoleSetCall(Role=replace(role, ID=request.params)))

    def delete_role(self, request: Request) -> Answer:
        return self.done(request, ROLE_DELETE, RoleDeleteCall(RoleID=self.id_of(request, "role ID")))

    # ------------------------------------------------------------------ templated policies

    async def list_templates(self, request: Request) -> Response:
        await self.require_reader(request)
        return self.web.json(request, templates())

    async def read_template(self, request: Request) -> Response:
        found = templates().get(self.id_of(request, "templated policy Name"))
        await self.require_reader(request)
        if found is None:
            raise BadRequest(f"Invalid templated policy Name: {request.params}")
        return self.web.json(request, found)

    async def preview_template(self, request: Request) -> Response:
        name = self.id_of(request, "templated policy Name")
        await self.require_reader(request)
        variables = self.body(TemplateVariables, request) if request.body.strip() else None
        try:
            policy = checked(TemplatedPolicy(name, variables), "preview")
        except ConsulError as error:
            raise BadRequest(str(error)) from None
        return self.web.json(request, preview(policy))

    # ------------------------------------------------------------------ tokens

    def list_tokens(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = TokenListRequest(
            IncludeLocal=True, IncludeGlobal=True, Policy=request.get("policy"), Role=request.get("role"),
            AuthMethod=request.get("authmethod"), ServiceName=request.get("servicename"), Token=self.web.token(request),
        )  # fmt: skip
        return self.read(request, self.acl.reads[TOKEN_LIST](args), MISSING)

    def read_own(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        secret = self.web.token(request)
        return self._token(request, TokenGetRequest(TokenID=secret, TokenIDType="secret", Token=secret))

    def read_token(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        accessor = self.id_of(request, "token ID")
        return self._token(
            request, TokenGetRequest(TokenID=accessor, TokenIDType=ACCESSOR, Token=self.web.token(request))
        )

    def _token(self, request: Request, args: TokenGetRequest) -> Answer:
        expanded = request.has("expanded") and request.get("expanded") != "false"
        return self.read(request, self.acl.reads[TOKEN_EXPANDED if expanded else TOKEN_READ](args), UNKNOWN)

    def create_token(self, request: Request) -> Answer:
        token = self.decoded(ACLToken, request, "Token")
        return self.write(request, TOKEN_SET, TokenSetCall(ACLToken=token, Create=True))

    def change_token(self, request: Request) -> Answer:
        accessor, clone = request.params, request.params.endswith("/clone")
        accessor = accessor.removesuffix("/clone")
        token = self.decoded(ACLToken, request, "Token")
        if token.AccessorID not in ("", accessor):
            raise BadRequest("Bad request: Token Accessor ID in URL and payload do not match")
        args = TokenSetCall(ACLToken=replace(token, AccessorID=accessor))
        return self.write(request, TOKEN_CLONE if clone else TOKEN_SET, args)

    def delete_token(self, request: Request) -> Answer:
        return self.done(request, TOKEN_DELETE, TokenDeleteCall(TokenID=self.id_of(request, "token ID")))


class _All:
    """Several parts as one."""

    def __init__(self, *parts: Routes) -> None:
        self._parts = parts

    def register(self, router: Router) -> None:
        """See `features.web.RegistersRoutes`."""
        for part in self._parts:
            part.register(router)


def acl_routes(web: Web, acl: ACL, call: Callable[..., Awaitable[Any]], *, enabled: bool) -> _All:
    """All routes of access control. ``call`` is the gate's."""
    return _All(*(part(web, acl, call, enabled=enabled) for part in (ACLRoutes, LoginRoutes, LegacyRoutes)))
