"""/v1/session (HTTP API: session)."""

from __future__ import annotations

from typing import Annotated, Any

from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.features.base import SECOND_NS, NodeSpecificRequest
from proconsul.features.catalog.model import SERF_CHECK_ID
from proconsul.features.errors import BadRequest
from proconsul.features.options import OptionRule
from proconsul.features.session.endpoint import APPLY, RENEW, Sessions
from proconsul.features.session.model import (
    CREATE,
    DESTROY,
    LOCK_DELAY_DEFAULT_NS,
    Session,
    SessionRequest,
    SessionSpecificRequest,
)
from proconsul.features.web import Reply, Web

# A bare number below this is seconds, from this on nanoseconds (HTTP API: session create).
LOCK_DELAY_SECONDS_BELOW = 1000
# The original decodes into this anonymous type; it ignores fields it does not know.
_GO_TYPE = "struct { LockDelay interface {}; *structs.Alias }"
_KNOWN = frozenset({
    "id", "name", "node", "behavior", "ttl", "nodechecks", "servicechecks", "checks", "createindex", "modifyindex",
})  # fmt: skip
_KNOWN_OF_CHECK = frozenset({"id", "namespace"})


def parse_lock_delay(value: Any) -> int:
    """Nanoseconds from a duration string or a number. Raises JSONError.

    The original takes anything below a thousand nanoseconds for seconds, in its 64 bits: "500ns" is 500 seconds, and
    what is too large for them is none at all.
    """
    if isinstance(value, str):
        try:
            delay_ns = parse_duration(value)
        except DurationError as error:
            raise gojson.JSONError(str(error)) from None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    else:
        delay_ns = gojson.int64(gojson.read_float(value, "", "LockDelay"))
    if delay_ns < LOCK_DELAY_SECONDS_BELOW:
        return (delay_ns * SECOND_NS + (1 << 63)) % (1 << 64) - (1 << 63)
    return delay_ns


def parse_session(body: bytes, node: str) -> Session:
    """The session a create request describes, with the defaults of the API. Raises JSONError."""
    value = gojson.loads(body)
    lock_delay_ns = LOCK_DELAY_DEFAULT_NS
    if isinstance(value, dict):
        spelled = [value[key] for key in value if key.lower() == "lockdelay"]
        if spelled and spelled[-1] is not None:
            lock_delay_ns = parse_lock_delay(spelled[-1])
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise gojson.JSONError(f"json: cannot unmarshal {gojson.describe(value)} into Go value of type {_GO_TYPE}")
    known = {key: _as_decoded(key.lower(), item) for key, item in value.items() if key.lower() in _KNOWN}
    request: Session = gojson.from_plain(_CreateBody, known)
    given = {key.lower() for key in known}
    known_node = any(key.lower() == "node" and item is not None for key, item in known.items())
    node_checks, checks = _checks_of(request, given)
    return Session(
        ID=request.ID, Name=request.Name, Node=request.Node if known_node else node, LockDelay=lock_delay_ns,
        Behavior=request.Behavior, TTL=request.TTL, NodeChecks=node_checks, ServiceChecks=request.ServiceChecks,
        Checks=checks,
    )  # fmt: skip


def _as_decoded(name: str, item: Any) -> Any:
    """``item`` as the original decodes it: over its defaults, and without the fields of checks it does not know."""
    if not isinstance(item, list):
        return item
    if name == "servicechecks":
        return [
            {key: part for key, part in check.items() if key.lower() in _KNOWN_OF_CHECK}
            if isinstance(check, dict) else check for check in item
        ]  # fmt: skip
    if name in ("nodechecks", "checks") and item and item[0] is None:
        return [SERF_CHECK_ID, *item[1:]]  # null leaves what is there
    return item


def _checks_of(request: Session, given: set[str]) -> tuple[list[str] | None, list[str] | None]:
    """NodeChecks and the deprecated Checks of a new session; ``given`` names the fields of the request.

    Both begin as the node's serf check. An empty one of the two takes the other's default away; Checks are in force,
    and shown, in addition to NodeChecks unless they are still the default.
    """
    default = [SERF_CHECK_ID]
    node_checks = request.NodeChecks if "nodechecks" in given else default
    checks = request.Checks if "checks" in given else default
    if not checks:
        return [], None
    if not node_checks or checks == default:
        return node_checks, None
    return node_checks, checks


class _CreateBody(Session, frozen=True, kw_only=True):
    """Session as the create endpoint accepts it: also with the deprecated Checks."""

    json_hidden = frozenset()
    go_name = ""
    go_type = _GO_TYPE
    Behavior: Annotated[str, "structs.SessionBehavior"] = ""
    Checks: list[Annotated[str, "types.CheckID"]] | None = None


_CreateBody.__name__ = ""  # the original decodes into an anonymous struct, which error texts show


class SessionRoutes:
    """Handlers of /v1/session/*."""

    def __init__(self, web: Web, sessions: Sessions, node_name: str) -> None:
        self.web = web
        self.sessions = sessions
        self.node_name = node_name

    def register(self, router: Router) -> None:
        router.add("/v1/session/create", {"PUT": self.create})
        router.add("/v1/session/destroy/", {"PUT": self.destroy})
        router.add("/v1/session/renew/", {"PUT": self.renew})
        router.add("/v1/session/info/", {"GET": self.info})
        router.add("/v1/session/node/", {"GET": self.node})
        router.add("/v1/session/list", {"GET": self.list_all})

    def create(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        session = Session(Node=self.node_name, LockDelay=LOCK_DELAY_DEFAULT_NS, NodeChecks=[SERF_CHECK_ID])
        if request.body:
            try:
                session = parse_session(request.body, self.node_name)
            except gojson.JSONError as error:
                raise BadRequest(f"Request decode failed: {error}") from None
        args = SessionRequest(
            Datacenter=self.web.datacenter_of(request), Op=CREATE, Session=session, Token=self.web.token(request)
        )
        return self.web.write(APPLY, args, lambda session_id: self.web.json(request, {"ID": session_id}))

    def _id(self, request: Request) -> str:
        if not request.params:
            raise BadRequest("Missing session")
        return request.params

    def destroy(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        session = Session(ID=self._id(request))
        args = SessionRequest(
            Datacenter=self.web.datacenter_of(request), Op=DESTROY, Session=session,
            Token=self.web.token(request),
        )  # fmt: skip
        return self.web.write(APPLY, args, lambda _: self.web.json(request, True))

    def renew(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        session_id = self._id(request)

        def answer(found: list[Session]) -> Response:
            if not found:
                return text_response(404, f"Session id '{session_id}' not found")
            return self.web.json(request, found)

        args = SessionSpecificRequest(
            Datacenter=self.web.datacenter_of(request), SessionID=session_id, Session=session_id,
            Token=self.web.token(request),
        )  # fmt: skip
        return self.web.write(RENEW, args, answer)

    def info(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        session_id = self._id(request)
        return self._list(request, self.sessions.get(SessionSpecificRequest(SessionID=session_id, Session=session_id)))

    def node(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        if not request.params:
            raise BadRequest("Missing node name")
        return self._list(request, self.sessions.node_sessions(NodeSpecificRequest(Node=request.params)))

    def list_all(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        return self._list(request, self.sessions.list_all(SessionSpecificRequest()))

    def _list(self, request: Request, read: Any) -> Answer:
        pretty = self.web.pretty(request)

        def encode(sessions: list[Session]) -> Reply:
            return Reply(200, gojson.dumps(sessions, pretty=pretty))

        return self.web.read(request, read, encode, headers_on_error=True)
