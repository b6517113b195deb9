"""Rules common to all HTTP endpoints: options, tokens, blocking, consistency, headers, errors (HTTP API: features).

Handlers get a `Request` and return an answer, or raise a ConsulError that the front door turns into text.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, NamedTuple, Protocol

from proconsul.engine.http.request import Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.wire import gojson
from proconsul.features.agent_cache.cache import AgentCache, CacheAnswer, calling
from proconsul.features.agent_cache.reads import cache_headers, reading
from proconsul.features.catalog.addresses import translated
from proconsul.features.errors import BadRequest, ConsulError, status_of
from proconsul.features.gate import Found, Gate, Pending
from proconsul.features.options import PLAIN, OptionRule, Options, forbid_namespace, read_consistency, read_waiting
from proconsul.features.server import Read, WriteMethod

log = logging.getLogger("agent.http")

JSON = "application/json"
JSON_LINES = b"Content-Type: application/json\r\nVary: Accept-Encoding\r\n"
INTERNAL_ERROR = "internal error"
# Of 1.11 and later: something was left out of a list.
FILTERED = {"X-Consul-Results-Filtered-By-Acls": "true"}
# Of 1.9 and later: what is done about that of which no rule says anything.
DEFAULT_POLICY = "X-Consul-Default-Acl-Policy"
NO_ANSWER = {"X-Consul-Index": "1", "X-Consul-Knownleader": "false", "X-Consul-Lastcontact": "0"}
# Another server's answer is kept in its encoded form for those who get the same one, unless it is large.
KEPT_BYTES_MAX = 64 << 10
_MADE_MAX = 64
TRANSLATED_FORM = "with the addresses that lead there"
_OPTIONS_MAX = 1024
_OPTIONS_BYTES_MAX = 256


class Reply(NamedTuple):
    """An encoded answer as views keep it."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}
    # Whether the answer says its index, so that clients can wait for the next.
    indexed: bool = True
    # Whether it says nothing of the read at all: some endpoints answer so about what is not there.
    bare: bool = False

    def __len__(self) -> int:
        return len(self.body)


class Outcome(Deferred):
    """The answer to a write: told the state machine's result, it resolves at once with what ``finish`` makes of it."""

    __slots__ = ("finish",)

    def __init__(self, finish: Callable[[Any], Response]) -> None:
        super().__init__()
        self.finish = finish

    def done(self) -> bool:
        return self.cancelled

    def set_result(self, result: Any) -> None:
        self.resolve(self.finish(result))

    def set_exception(self, error: Exception) -> None:
        self.resolve(text_error(error))


class _Reading(Deferred):
    """The answer to a read that was not there at once: told what was found, it resolves with it."""

    __slots__ = ("headers_on_error", "how", "pending", "web")

    def __init__(
        self, web: Web, how: tuple[Callable[[Any], Reply], Any, bool, Any], headers_on_error: bool
    ) -> None:  # fmt: skip
        super().__init__()
        # ``how``: the further arguments of `Web.found`.
        self.web, self.how, self.headers_on_error = web, how, headers_on_error
        self.pending: Pending | None = None

    def waits_for(self, pending: Pending) -> None:
        if not self.resolved:
            self.pending = pending
            self.on_cancel, self.on_hurry = self._give_up, pending.hurry

    def _give_up(self) -> None:
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.cancel()

    def done(self) -> bool:
        return self.cancelled

    def set_result(self, found: Any) -> None:
        self.pending = None
        self.resolve(self.web.found(found, *self.how))

    def set_exception(self, error: Exception) -> None:
        self.pending = None
        self.resolve(refused(error) if self.headers_on_error else text_error(error))


class _CachedReading(_Reading):
    """The answer to a read that the agent's cache did not have."""

    __slots__ = ("asked",)

    def __init__(self, web: Web, how: tuple[Callable[[Any], Reply], Any, bool], headers_on_error: bool,
                 asked: str) -> None:  # fmt: skip
        super().__init__(web, (*how, None), headers_on_error)
        # The consistency that was asked for.
        self.asked = asked

    def set_result(self, answered: Any) -> None:
        self.pending = None
        self.resolve(self.web.cached_answer(answered, self.asked, *self.how[:3]))


class Web:
    """Builds responses. One per agent."""

    def __init__(
        self, *, gate: Gate, datacenter: str, cache: AgentCache | None = None, always_pretty: bool = False,
        translates: bool = False,
    ) -> None:  # fmt: skip
        """``translates``: what comes from other datacenters is shown with the addresses that lead there."""
        self.gate, self._translates = gate, translates
        self.cache = cache or AgentCache(random.Random())
        self.datacenter = datacenter
        self.always_pretty = always_pretty
        # For requests without a token (Consul docs: acl.tokens.default).
        self.default_token = ""
        # "allow" or "deny" with access control, else empty.
        self.default_policy = ""
        self.discovery_max_stale_ns = 0
        self.use_cache = True
        # Clients ask with the same few queries again and again. When it is full it starts anew.
        self._options: dict[str, Options] = {}
        # What was read with ``?cached`` from our own state, which is as fresh as any cache.
        self._cached: dict[Any, None] = {}
        # By another server's reply and form, both kept alive here; when it is full it starts anew.
        self._made: dict[tuple[int, Any], tuple[Any, Reply]] = {}
        self._last_reply: tuple[Reply, int, dict[str, str], Response] | None = None

    def translates(self, datacenter: str) -> bool:
        """Whether what was found in ``datacenter`` is shown with the addresses that lead there."""
        return self._translates and datacenter not in ("", self.datacenter)

    def configure(self, *, default_token: str, use_cache: bool, discovery_max_stale_ns: int) -> None:
        """Use these settings from the next request on."""
        self.default_token = default_token
        self.use_cache, self.discovery_max_stale_ns = use_cache, discovery_max_stale_ns
        self._options.clear()

    # ------------------------------------------------------------------ requests

    def pretty(self, request: Request) -> bool:
        return self.always_pretty or request.has("pretty")

    def token(self, request: Request) -> str:
        """The token of a request: in the query, X-Consul-Token or a bearer Authorization header, else the default."""
        token = request.get("token") or request.header("x-consul-token")
        if token or "authorization" not in request.headers:
            return token or self.default_token
        scheme, _, value = request.header("authorization").partition(" ")
        return (value.strip() if scheme.lower() == "bearer" else "") or self.default_token

    def check(self, request: Request, *rules: OptionRule) -> None:
        """Look at what the endpoint says, in its order, before anything else. Raises BadRequest."""
        if not request.query_string and "x-consul-namespace" not in request.headers:
            if OptionRule.OPTIONS in rules:
                self.options(request)
            return
        for rule in rules:
            if rule is OptionRule.OPTIONS:
                self.options(request)
            else:
                forbid_namespace(request)

    def datacenter_of(self, request: Request) -> str:
        """The datacenter that a request is for: the one it names, else ours."""
        return (request.get("dc") if request.query_string else "") or self.datacenter

    def options(self, request: Request) -> Options:
        """Blocking and consistency parameters, in the order in which the original refuses them. Raises BadRequest."""
        if self.discovery_max_stale_ns or "cache-control" in request.headers:
            return self._read_options(request)
        text = request.query_string
        if not text:
            return PLAIN
        found = self._options.get(text)
        if found is None:
            found = self._read_options(request)
            if len(self._options) >= _OPTIONS_MAX:
                self._options.clear()
            if len(text) <= _OPTIONS_BYTES_MAX:
                self._options[text] = found
        return found

    def _read_options(self, request: Request) -> Options:
        found = self.consistency(request)
        min_index, wait_ns = read_waiting(request)
        return found._replace(min_index=min_index, wait_ns=wait_ns)

    def consistency(self, request: Request) -> Options:
        """As `options`, for reads that cannot wait. Raises BadRequest."""
        return read_consistency(request, discovery_max_stale_ns=self.discovery_max_stale_ns, use_cache=self.use_cache)

    @staticmethod
    def body(request: Request, cls: Any) -> Any:
        """Decode the JSON body strictly. Raises BadRequest."""
        try:
            return gojson.decode(cls, request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Request decode failed: {error}") from None

    # ------------------------------------------------------------------ plain answers

    def json(self, request: Request, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        body = gojson.dumps(value, pretty=self.pretty(request))
        out = {"Content-Type": JSON, "Vary": "Accept-Encoding"}
        if headers:
            out |= headers
        return Response(status, body, out)

    @staticmethod
    def empty(status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(status, b"", {"Vary": "Accept-Encoding", **(headers or {})})

    @staticmethod
    def error(error: BaseException) -> Response:
        return text_error(error)

    # ------------------------------------------------------------------ reads

    def read(
        self,
        request: Request,
        read: Read,
        encode: Callable[[Any], Reply],
        *,
        effective: bool = False,
        cacheable: bool = False,
        form: Any = None,
        headers_on_error: bool | None = None,
    ) -> Answer:
        """Answer a read, at once or when its index has passed ``?index``.

        ``encode`` turns the value into a reply; ``form`` names it, since a view keeps one reply per form.
        ``effective`` adds the X-Consul-Effective-Consistency header; ``headers_on_error`` says that a refusal carries
        the headers of an empty answer (by default those with ``effective`` do).
        """
        errors = effective if headers_on_error is None else headers_on_error
        options = self.options(request)
        if options.max_stale_ns and not effective:
            options = options._replace(max_stale_ns=0)
        datacenter = request.get("dc") if request.query_string else ""
        token = "" if self.gate.permission.unlimited else self.token(request)
        form = (self.pretty(request), form)
        if self.translates(datacenter):
            encode, form = _translating(encode), (form, TRANSLATED_FORM)
        try:
            if cacheable and options.cached:
                token = self.token(request)
                if not self.gate.has_state_of(datacenter):
                    return self._read_cached(read, options, token, datacenter, (encode, form, effective), errors)
                options, cached = self._current(read, options, token, effective)
            else:
                cached = None
            found = self.gate.now(read, options, token, datacenter)
            if found is not None:
                return self.found(found, encode, form, effective, cached)
            if cached is not None:
                cached |= cache_headers(hit=False)
                cached.pop("Age", None)
            reading = _Reading(self, (encode, form, effective, cached), errors)
            reading.waits_for(self.gate.begin(reading, read, options, token or self.token(request), datacenter))
        except BadRequest:
            raise  # the parameters were refused: nothing was asked of a server
        except ConsulError as error:
            if not errors:
                raise
            return refused(error)
        return reading

    def found(
        self, found: Found, encode: Callable[[Any], Reply], form: Any, effective: bool, cached: Any
    ) -> Response:  # fmt: skip
        """The response to a read: see `read`. ``cached``: what is said of the agent's cache, None for nothing.

        What is made of a shared answer is kept with it.
        """
        headers: dict[str, str] = {}
        if effective:
            headers["X-Consul-Effective-Consistency"] = found.consistency
        if found.filtered:
            headers |= FILTERED
        if self.default_policy:
            headers[DEFAULT_POLICY] = self.default_policy
        if cached is not None:
            headers |= cached
        if found.view is not None:
            return self._shared(found.view.render(form, encode), found, headers)
        if found.reply is None:
            return self.reply(encode(found.value), found, headers)
        made = self._made.get((id(found.reply), form))
        if made is None or made[0] is not found.reply:
            made = found.reply, encode(found.value)
            if len(made[1]) <= KEPT_BYTES_MAX:
                if len(self._made) >= _MADE_MAX:
                    self._made.clear()
                self._made[id(found.reply), form] = made
        return self.reply(made[1], found, headers)

    def _read_cached(
        self, read: Read, options: Options, token: str, datacenter: str, how: tuple[Callable[[Any], Reply], Any, bool],
        errors: bool,
    ) -> Answer:  # fmt: skip
        """Answer from the agent's cache, which servers keep current. May raise ConsulError."""
        waiting = _CachedReading(self, how, errors, options.consistency)
        answered = self.cache.ask(
            waiting, (read.key, datacenter or self.datacenter, token), reading(self.gate, read, token, datacenter),
            refreshed=True, min_index=options.min_index,
            wait_s=self.gate.wait_s(options.wait_ns) if options.min_index else 0.0,
        )  # fmt: skip
        if isinstance(answered, CacheAnswer):
            return self.cached_answer(answered, options.consistency, *how)
        waiting.waits_for(answered)
        return waiting

    def cached_answer(
        self, answered: CacheAnswer, asked: str, encode: Callable[[Any], Reply], form: Any, effective: bool
    ) -> Response:
        """The response with what the agent's cache has found. ``asked``: the consistency that was asked for."""
        found = answered.value._replace(consistency=asked)
        return self.found(found, encode, form, effective, cache_headers(hit=answered.hit, age_s=answered.age_s))

    def _current(self, read: Read, options: Options, token: str, effective: bool) -> tuple[Options, dict[str, str]]:
        """How our own state answers a cached read: also one that does not lead, as a cache is filled by any server."""
        headers = self.cache_state((token, read.key))
        if effective:
            headers["X-Consul-Effective-Consistency"] = options.consistency
        return options._replace(consistency="stale"), headers

    def cache_state(self, key: Any) -> dict[str, str]:
        """MISS for the first cached read of a key, HIT after it; our answers are as fresh as any refresh makes them."""
        hit = key in self._cached
        if not hit:
            if len(self._cached) >= 65536:  # as many entries as a large agent cache holds; forgetting one costs a MISS
                self._cached.pop(next(iter(self._cached)))
            self._cached[key] = None
        return cache_headers(hit=hit)

    async def cached_call(
        self, request: Request, options: Options, key: Hashable, call: Callable[[], Awaitable[Any]]
    ) -> tuple[Any, dict[str, str]]:
        """What ``call`` returns, and headers that say how old it is: kept for others who ask with ``?cached``.

        For answers that cannot wait for a change. ``key``: the method's name and its arguments; the datacenter and
        the token are added. Cache-Control says how old it may be. Raises ConsulError.
        """
        if not options.cached:
            return await call(), {}
        key = (key, self.datacenter_of(request), self.token(request))
        answered = await self.cache.answer(key, calling(call), refreshed=False, control=options.control)
        return answered.value, cache_headers(hit=answered.hit, age_s=answered.age_s)

    @staticmethod
    def reply(reply: Reply, found: Found, headers: dict[str, str] | None = None) -> Response:
        """The response to a read, with its index and what is known of the leader."""
        if reply.bare:
            return Response(reply.status, reply.body, {"Vary": "Accept-Encoding"})
        merged = {**reply.headers, **(headers or {})} if reply.headers else headers
        response = Response(reply.status, reply.body, merged)
        if found.known_leader and found.last_contact_ns == 0 and reply.indexed:
            response.lines = _LEADER_LINES.get(reply.content_type, _LEADER_LINES[""]) % found.last_index
        else:
            response.lines = _header_lines(
                reply, found.last_index, found.known_leader, found.last_contact_ns // 1_000_000
            )
        return response

    def _shared(self, reply: Reply, found: Found, headers: dict[str, str]) -> Response:
        """As `reply`, but readers who are answered with the same thing in a row get the same response."""
        last = self._last_reply
        if last is not None and last[0] is reply and last[1] == found.last_index and last[2] == headers:
            return last[3]
        response = self.reply(reply, found, headers)
        response.shared = True
        self._last_reply = (reply, found.last_index, headers, response)
        asyncio.get_running_loop().call_soon(self._forget_reply)
        return response

    def _forget_reply(self) -> None:
        self._last_reply = None

    # ------------------------------------------------------------------ writes

    def write(self, method: WriteMethod, args: Any, finish: Callable[[Any], Response]) -> Answer:
        """Answer when a write is done; ``finish`` gets its result. May raise ConsulError."""
        outcome = Outcome(finish)
        self.gate.write(outcome, method, args)
        return outcome


def _translating(encode: Callable[[Any], Reply]) -> Callable[[Any], Reply]:
    return lambda value: encode(translated(value))


def encoder(request: Request, web: Web, prepare: Callable[[Any], Any] | None = None) -> Callable[[Any], Reply]:
    """Turn a value into a JSON reply, after ``prepare``."""
    pretty = web.pretty(request)

    def encode(value: Any) -> Reply:
        return Reply(200, gojson.dumps(prepare(value) if prepare is not None else value, pretty=pretty))

    return encode


async def finished(answer: Answer) -> Response:
    """Wait for an answer of whatever kind."""
    if isinstance(answer, Response):
        return answer
    if not isinstance(answer, Deferred):
        return await answer
    future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    answer.when_done(lambda response: None if future.done() else future.set_result(response))
    try:
        return await future
    except asyncio.CancelledError:
        answer.cancel()
        raise


def refused(error: BaseException) -> Response:
    """The answer to a read that a server refused; of what is not there it has no index."""
    response = text_error(error)
    if response.status != 404:
        response.headers |= NO_ANSWER
    return response


def text_error(error: BaseException) -> Response:
    """What clients are told about an error; of one that nobody foresaw the log has all, and they nothing."""
    if not isinstance(error, ConsulError | RaftError | RpcFailure):
        log.error("Answering a request failed", exc_info=error)
        return text_response(500, INTERNAL_ERROR)
    return text_response(status_of(error), str(error))


def _lines(content_type: str) -> bytes:
    first = f"Content-Type: {content_type}\r\n".encode() if content_type else b""
    return (
        first + b"Vary: Accept-Encoding\r\nX-Consul-Index: %d\r\nX-Consul-Knownleader: %b\r\n"
        b"X-Consul-Lastcontact: %d\r\n"
    )


def _header_lines(reply: Reply, index: int, known_leader: bool, last_contact_ms: int) -> bytes:
    known = b"true" if known_leader else b"false"
    if not reply.indexed:
        return _UNINDEXED_LINES % (known, last_contact_ms)
    return _LINES.get(reply.content_type, _LINES[""]) % (index, known, last_contact_ms)


_UNINDEXED_LINES = JSON_LINES + b"X-Consul-Knownleader: %b\r\nX-Consul-Lastcontact: %d\r\n"
# Header lines of reads by content type, encoded once: on the hot path only the index is filled in.
_LINES = {kind: _lines(kind) for kind in (JSON, "text/plain", "")}
_LEADER_LINES = {kind: text.replace(b"%b", b"true").replace(b"%d", b"0").replace(b"Index: 0", b"Index: %d")
                 for kind, text in _LINES.items()}  # fmt: skip


class RegistersRoutes(Protocol):
    """The handlers of a feature."""

    def register(self, router: Router) -> None:
        """Put them on their paths."""
