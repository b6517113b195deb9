"""/v1/acl/auth-method, binding-rule, login and logout (HTTP API: acl)."""

from __future__ import annotations

from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Answer
from proconsul.engine.wire.record import replace
from proconsul.features.acl.binding import RULE_DELETE, RULE_LIST, RULE_READ, RULE_SET
from proconsul.features.acl.login import LOGIN, LOGOUT, OIDC_AUTH_URL, OIDC_CALLBACK
from proconsul.features.acl.methods import METHOD_DELETE, METHOD_LIST, METHOD_READ, METHOD_SET
from proconsul.features.acl.model import ACLAuthMethod, ACLBindingRule
from proconsul.features.acl.requests import (
    AuthMethodDeleteCall,
    AuthMethodGetRequest,
    AuthMethodSetCall,
    BindingRuleDeleteCall,
    BindingRuleGetRequest,
    BindingRuleListRequest,
    BindingRuleSetCall,
    ListRequest,
    LoginCall,
    LoginParams,
    LogoutCall,
    OIDCAuthURLCall,
    OIDCAuthURLParams,
    OIDCCallbackCall,
    OIDCCallbackParams,
)
from proconsul.features.acl.routing import MISSING, Routes, RouteTable
from proconsul.features.errors import BadRequest
from proconsul.features.options import OptionRule


class LoginRoutes(Routes):
    """Handlers of what logging in needs."""

    def table(self) -> RouteTable:
        """See `Routes`."""
        return [
            ("auth-methods", {"GET": self.list_methods}),
            ("auth-method", {"PUT": self.create_method}),
            ("auth-method/", {"GET": self.read_method, "PUT": self.update_method, "DELETE": self.delete_method}),
            ("binding-rules", {"GET": self.list_rules}),
            ("binding-rule", {"PUT": self.set_rule}),
            ("binding-rule/", {"GET": self.read_rule, "PUT": self.set_rule, "DELETE": self.delete_rule}),
            ("login", {"POST": self.login}),
            ("logout", {"POST": self.logout}),
            ("oidc/auth-url", {"POST": self.auth_url}),
            ("oidc/callback", {"POST": self.callback}),
        ]

    # ------------------------------------------------------------------ auth methods

    def list_methods(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self.read(request, self.acl.reads[METHOD_LIST](ListRequest(Token=self.web.token(request))), MISSING)

    def read_method(self, request: Request) -> Answer:
        name = self.id_of(request, "auth method name")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = AuthMethodGetRequest(AuthMethodName=name, Token=self.web.token(request))
        return self.read(request, self.acl.reads[METHOD_READ](args), MISSING)

    def create_method(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        method = self.decoded(ACLAuthMethod, request, "AuthMethod")
        return self.write(request, METHOD_SET, AuthMethodSetCall(AuthMethod=method))

    def update_method(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        method = self.decoded(ACLAuthMethod, request, "AuthMethod")
        if method.Name not in ("", request.params):
            raise BadRequest("Bad request: AuthMethod Name in URL and payload do not match")
        args = AuthMethodSetCall(AuthMethod=replace(method, Name=request.params))
        return self.write(request, METHOD_SET, args)

    def delete_method(self, request: Request) -> Answer:
        name = self.id_of(request, "auth method name")
        self.web.check(request, OptionRule.NAMESPACE)
        return self.done(request, METHOD_DELETE, AuthMethodDeleteCall(AuthMethodName=name))

    # ------------------------------------------------------------------ binding rules

    def list_rules(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = BindingRuleListRequest(AuthMethod=request.get("authmethod"), Token=self.web.token(request))
        return self.read(request, self.acl.reads[RULE_LIST](args), MISSING)

    def read_rule(self, request: Request) -> Answer:
        rule_id = self.id_of(request, "binding rule ID")
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = BindingRuleGetRequest(BindingRuleID=rule_id, Token=self.web.token(request))
        return self.read(request, self.acl.reads[RULE_READ](args), MISSING)

    def set_rule(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        rule = self.decoded(ACLBindingRule, request, "BindingRule")
        if rule.ID not in ("", request.params):
            raise BadRequest("Bad request: BindingRule ID in URL and payload do not match")
        return self.write(request, RULE_SET, BindingRuleSetCall(BindingRule=replace(rule, ID=request.params)))

    def delete_rule(self, request: Request) -> Answer:
        rule_id = self.id_of(request, "binding rule ID")
        self.web.check(request, OptionRule.NAMESPACE)
        return self.done(request, RULE_DELETE, BindingRuleDeleteCall(BindingRuleID=rule_id))

    # ------------------------------------------------------------------ logging in

    def login(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        params = self.body(LoginParams, request)
        # Whoever logs in needs no token, and one that is not known any more does not matter.
        return self.write(request, LOGIN, LoginCall(Auth=params), token="")

    def logout(self, request: Request) -> Answer:
        return self.done(request, LOGOUT, LogoutCall())

    def auth_url(self, request: Request) -> Answer:
        params = self.body(OIDCAuthURLParams, request)
        return self.write(request, OIDC_AUTH_URL, OIDCAuthURLCall(Auth=params), token="")

    def callback(self, request: Request) -> Answer:
        params = self.body(OIDCCallbackParams, request)
        return self.write(request, OIDC_CALLBACK, OIDCCallbackCall(Auth=params), token="")
