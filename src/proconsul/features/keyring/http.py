"""/v1/operator/keyring (HTTP API: operator/keyring)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Handler, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gostrconv import NumberError, parse_bool, parse_int
from proconsul.engine.wire.record import Record
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.keyring.endpoint import require_success
from proconsul.features.keyring.model import OPERATE, KeyOperation, KeyringRequest, KeyringResponse
from proconsul.features.server import Carry
from proconsul.features.web import Web

# More relays only multiply traffic (Consul docs: keyring).
RELAY_FACTOR_MAX = 5


class _Body(Record, frozen=True):
    go_type: ClassVar[str] = "agent.keyringArgs"
    go_name: ClassVar[str | None] = "keyringArgs"
    Key: str = ""


class KeyringRoutes:
    """Handlers of /v1/operator/keyring. ``call`` carries a method out, here or on another server."""

    def __init__(self, web: Web, call: Carry) -> None:
        self.web = web
        self._call = call

    def register(self, router: Router) -> None:
        handlers: dict[str, Handler] = {
            "GET": self.list_keys,
            "POST": self._changing(KeyOperation.INSTALL),
            "PUT": self._changing(KeyOperation.USE),
            "DELETE": self._changing(KeyOperation.REMOVE),
        }
        router.add("/v1/operator/keyring", handlers, body_methods=frozenset({"POST", "PUT", "DELETE"}))

    async def list_keys(self, request: Request) -> Response:
        args = KeyringRequest(
            Operation=KeyOperation.LIST, Datacenter=self.web.datacenter, Token=self.web.token(request),
            RelayFactor=_relay_factor(request), LocalOnly=_local_only(request),
        )  # fmt: skip
        responses = await self._operate(args)
        return self.web.json(request, responses)

    async def _operate(self, args: KeyringRequest) -> list[KeyringResponse]:
        """What the pools answered. Raises ConsulError."""
        if not self.web.gate.has_state_of(""):
            raise ConsulError("keyring operations must run against a server node")
        responses = (await self._call(OPERATE, args)).Responses or []
        require_success(responses)
        return responses

    def _changing(self, operation: KeyOperation) -> Callable[[Request], Awaitable[Response]]:
        async def change(request: Request) -> Response:
            try:
                body = gojson.decode(_Body, request.body)
            except gojson.JSONError as error:
                raise BadRequest(f"Bad request: Request decode failed: {error}") from None
            relay_factor = _relay_factor(request)
            if _local_only(request):
                raise BadRequest("Bad request: Invalid use of local-only: local-only can only be set for list requests")
            args = KeyringRequest(
                Operation=operation, Key=body.Key, Datacenter=self.web.datacenter, Token=self.web.token(request),
                RelayFactor=relay_factor,
            )  # fmt: skip
            await self._operate(args)
            return self.web.empty()

        return change


def _relay_factor(request: Request) -> int:
    """``relay-factor`` of the query, 0 when absent. Raises BadRequest."""
    text = request.get("relay-factor")
    if not text:
        return 0
    try:
        factor = parse_int(text, function="Atoi")
    except NumberError as error:
        raise BadRequest(f"Bad request: Error parsing relay factor: {error}") from None
    if not 0 <= factor <= RELAY_FACTOR_MAX:
        raise BadRequest(f"Bad request: Invalid relay-factor: Relay factor must be in range: [0, {RELAY_FACTOR_MAX}]")
    return factor


def _local_only(request: Request) -> bool:
    """``local-only`` of the query. Raises BadRequest."""
    text = request.get("local-only")
    try:
        return parse_bool(text) if text else False
    except NumberError as error:
        raise BadRequest(f"Bad request: Error parsing local-only: {error}") from None
