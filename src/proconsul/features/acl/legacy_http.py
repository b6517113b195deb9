"""/v1/acl/create, update, destroy, info, clone, list and rules/translate (HTTP API: acl/legacy)."""

from __future__ import annotations

from typing import Any

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer
from proconsul.engine.wire.record import replace
from proconsul.features.acl.legacy import APPLY, GET, LIST
from proconsul.features.acl.model import LEGACY_CLIENT, ACLToken, LegacyACL, LegacyACLRequest, LegacyOp
from proconsul.features.acl.requests import LegacyGetRequest, TokenGetRequest
from proconsul.features.acl.routing import MISSING, UNKNOWN, Routes, RouteTable
from proconsul.features.acl.tokens import ACCESSOR, TOKEN_READ
from proconsul.features.acl.translate import translate
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import BadRequest, ConsulError, PermissionDenied
from proconsul.features.options import OptionRule
from proconsul.features.web import Reply, finished

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class LegacyRoutes(Routes):
    """Handlers of what tokens from before 1.4 need."""

    def table(self) -> RouteTable:
        """See `Routes`."""
        return [
            ("create", {"PUT": self.create}),
            ("update", {"PUT": self.update}),
            ("destroy/", {"PUT": self.destroy}),
            ("info/", {"GET": self.info}),
            ("clone/", {"PUT": self.clone}),
            ("list", {"GET": self.list_all}),
            ("rules/translate", {"POST": self.translate}),
            ("rules/translate/", {"GET": self.translate_token}),
        ]

    @staticmethod
    def _secret(request: Request) -> str:
        if not request.params:
            raise BadRequest("Missing ACL")
        return request.params

    def _given(self, request: Request) -> LegacyACL:
        given: LegacyACL = self.web.body(request, LegacyACL) if request.body else LegacyACL()
        return given if given.Type else replace(given, Type=LEGACY_CLIENT)

    def _apply(self, request: Request, op: LegacyOp, acl: LegacyACL) -> Answer:
        args = LegacyACLRequest(
            Datacenter=self.web.datacenter_of(request), Op=op, ACL=acl, Token=self.web.token(request)
        )
        show: Any = (lambda secret: {"ID": secret}) if op == LegacyOp.SET else (lambda _: True)
        return self.web.write(APPLY, args, lambda result: self.web.json(request, show(result)))

    def create(self, request: Request) -> Answer:
        return self._apply(request, LegacyOp.SET, self._given(request))

    def update(self, request: Request) -> Answer:
        acl = self._given(request)
        if not acl.ID:
            raise BadRequest("ACL ID must be set")
        return self._apply(request, LegacyOp.SET, acl)

    def destroy(self, request: Request) -> Answer:
        return self._apply(request, LegacyOp.DELETE, LegacyACL(ID=self._secret(request)))

    def info(self, request: Request) -> Answer:
        return self.read(request, self.acl.reads[GET](LegacyGetRequest(ACL=self._secret(request))), MISSING)

    def list_all(self, request: Request) -> Answer:
        args = DCSpecificRequest(Token=self.web.token(request))
        return self.read(request, self.acl.reads[LIST](args), MISSING)

    async def clone(self, request: Request) -> Response:
        """A token with another secret. The answer has the headers of the read that it began with."""
        read = self.acl.reads[GET](LegacyGetRequest(ACL=self._secret(request)))
        shown: list[LegacyACL] = []

        def encode(found: list[LegacyACL]) -> Reply:
            shown.extend(found)
            return Reply(200, b"", "")

        response = await finished(self.web.read(request, read, encode, headers_on_error=True))
        if response.status != 200:
            return response
        try:
            if not shown:
                raise PermissionDenied()
            copy = replace(shown[0], ID="", CreateIndex=0, ModifyIndex=0)
            answer = await finished(self._apply(request, LegacyOp.SET, copy))
        except ConsulError as error:
            answer = self.web.error(error)
        answer.headers.pop("Vary", None)
        answer.lines = response.lines
        return answer

    # ------------------------------------------------------------------ rules

    async def translate(self, request: Request) -> Response:
        await self.require_reader(request)
        try:
            text = translate(request.body.decode("utf-8", "surrogateescape"))
        except ValueError as error:
            raise BadRequest(f"Bad request: Failed to parse rules: {error}") from None
        return _translated(text.encode("utf-8", "surrogateescape"))

    async def translate_token(self, request: Request) -> Response:
        """Only refusals have the headers of a read."""
        self.web.check(request, OptionRule.OPTIONS)
        accessor = self.id_of(request, "token ID")
        args = TokenGetRequest(TokenID=accessor, TokenIDType=ACCESSOR, Token=self.web.token(request))

        def encode(token: ACLToken | None) -> Reply:
            if token is None:
                return UNKNOWN
            try:
                if not token.Rules:
                    raise ValueError("The specified token does not have any rules set")
                text = translate(token.Rules)
            except ValueError as error:
                return Reply(500, str(error).encode("utf-8", "surrogateescape"), "", _TEXT)
            return Reply(200, text.encode("utf-8", "surrogateescape"), "", _TEXT)

        read = self.acl.reads[TOKEN_READ](args)
        response = await finished(self.web.read(request, read, encode, form="translated", headers_on_error=True))
        return _translated(response.body) if response.status == 200 else response


def _translated(body: bytes) -> Response:
    return Response(200, body, {"Vary": "Accept-Encoding", **(_TEXT if body else {})})
