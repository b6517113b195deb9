"""Rules common to all HTTP endpoints: options, tokens, blocking, consistency, headers, errors (HTTP API: features).

Handlers get a `Request` and return an answer, or raise a ConsulError that the front door turns into text.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from proconsul.engine.http.request import Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.settled import Settled
from proconsul.engine.store.view import View, Views, Waiter
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.features.base import DEFAULT_QUERY_TIME_NS, JITTER_FRACTION, MAX_QUERY_TIME_NS, SECOND_NS, query_time_ns
from proconsul.features.errors import BadRequest, ConsulError, NoPathToDatacenter, status_of
from proconsul.features.options import PLAIN, Options, Rule, forbid_namespace, read_consistency, read_waiting
from proconsul.features.server import Read, ReadMethod, settle

log = logging.getLogger("agent.http")

JSON = "application/json"
JSON_LINES = b"Content-Type: application/json\r\nVary: Accept-Encoding\r\n"
INTERNAL_ERROR = "internal error"
NO_ANSWER = {"X-Consul-Index": "1", "X-Consul-Knownleader": "false", "X-Consul-Lastcontact": "0"}
# Another server's answer is kept in its encoded form for those who get the same one, unless it is large.
KEPT_BYTES_MAX = 64 << 10
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

    def __len__(self) -> int:
        return len(self.body)


class Authority(Protocol):
    """The part of the node that knows who leads."""

    # Whether this server leads as far as it knows. For what answers say of it, not for who may answer.
    on_duty: bool

    @property
    def leading(self) -> bool:
        """Whether this server leads, has applied everything of earlier terms, and nobody else can lead yet."""

    def answers(self, consistency: str) -> bool:
        """True when this server may answer such a read from its own state, now."""

    async def may_answer(self, consistency: str) -> bool:
        """As `answers`, after asking the other servers who leads if need be. False: ask another server instead."""

    def ask_for(self, waiter: Settled, method: ReadMethod, args: Any) -> Callable[[], None] | None:
        """Ask another server, for as long as a leader is waited for; ``waiter`` is told its reply or a ConsulError.

        The reply is None when this server leads by now, and so may answer itself. Returns what gives the call up; None,
        and nothing was asked, when this server leads already or knows nobody to ask.
        """

    def known_leader(self) -> bool: ...

    def last_contact_ms(self) -> int: ...


class _Blocked(Deferred):
    """A read that waits for its view to change. Ends once: by the change, by its time-out or with its client."""

    __slots__ = ("encode", "form", "headers", "timer", "waiter", "web")

    def __init__(self, web: Web, encode: Callable[[Any], Reply], form: Any, headers: dict[str, str]) -> None:
        super().__init__()
        self.web = web
        self.encode = encode
        self.form = form
        self.headers = headers
        self.waiter: Waiter | None = None
        self.timer: asyncio.TimerHandle | None = None

    def _release(self) -> Waiter:
        """Stop waiting; nothing may be left that refers back here, or the collector would have to find it."""
        assert self.waiter is not None and self.timer is not None, "ended twice"
        self.timer.cancel()
        waiter, self.waiter, self.timer = self.waiter, None, None
        return waiter

    def finish(self, view: View) -> None:
        self._release()
        if view.error is not None:
            self.resolve(self.web.error(view.error))
            return
        try:
            reply = view.render(self.form, self.encode)
            response = self.web.shared_reply(reply, view.index, self.headers)
        except Exception as error:
            response = self.web.error(error)
        self.resolve(response)

    def expire(self) -> None:
        assert self.waiter is not None
        view = self.waiter.view
        self.waiter.cancel()
        view.reread()
        self.finish(view)

    def abandon(self) -> None:
        self._release().cancel()


class Outcome(Deferred):
    """The answer to a write: told the state machine's result, it resolves at once with what ``finish`` makes of it."""

    __slots__ = ("finish",)

    def __init__(self, finish: Callable[[Any], Response]) -> None:
        super().__init__()
        self.finish = finish

    def done(self) -> bool:
        return self.cancelled

    def set_result(self, result: Any) -> None:
        self.resolve(text_error(result) if isinstance(result, BaseException) else self.finish(result))

    def set_exception(self, error: Exception) -> None:
        self.resolve(text_error(error))


class _Reading(NamedTuple):
    """What `Web.read` was asked, for reads that this server may not answer now."""

    request: Request
    read: Read
    options: Options
    encode: Callable[[Any], Reply]
    effective: bool
    cacheable: bool
    form: Any


class _Asked(Deferred):
    """A read that another server answers: told its reply, it resolves at once."""

    __slots__ = ("reading", "web")

    def __init__(self, web: Web, reading: _Reading) -> None:
        super().__init__()
        self.web = web
        self.reading = reading

    def done(self) -> bool:
        return self.cancelled

    def set_result(self, found: Any) -> None:
        self.on_cancel = None
        try:
            answer = self.web.from_elsewhere(found, self.reading)
        except ConsulError as error:
            self.set_exception(error)
            return
        if isinstance(answer, Response):
            self.resolve(answer)
        else:  # we lead by now, and it waits for a change
            assert isinstance(answer, Deferred)
            self.on_cancel, self.on_hurry = answer.cancel, answer.hurry
            answer.when_done(self.resolve)

    def ask_again(self) -> None:
        """The same once more, without waiting for a change."""
        on_cancel, self.on_cancel = self.on_cancel, None
        if on_cancel is not None:
            on_cancel()
        self.reading = self.reading._replace(options=self.reading.options._replace(min_index=0))
        self.web.ask_again(self)

    def set_exception(self, error: Exception) -> None:
        response = text_error(error)
        if self.reading.effective:
            response.headers |= NO_ANSWER
        self.resolve(response)


class Web:
    """Builds responses. One per agent."""

    def __init__(self, *, views: Views, authority: Authority, datacenter: str, always_pretty: bool = False) -> None:
        self.views = views
        self.authority = authority
        self.datacenter = datacenter
        self.always_pretty = always_pretty
        # For requests without a token (Consul docs: acl.tokens.default).
        self.default_token = ""
        self.default_query_time_ns = DEFAULT_QUERY_TIME_NS
        self.max_query_time_ns = MAX_QUERY_TIME_NS
        self.discovery_max_stale_ns = 0
        self.use_cache = True
        # Only spreads time-outs; nothing depends on its values.
        self.jitter = random.Random()
        # Clients ask with the same few queries again and again. When it is full it starts anew.
        self._options: dict[str, Options] = {}
        self._cached: dict[Any, None] = {}
        self._last_found: tuple[Any, Any, Reply] = (None, None, Reply(0, b""))
        self._last_reply: tuple[Reply, int, dict[str, str], Response] | None = None

    def configure(
        self, *, default_token: str, default_query_time_ns: int, max_query_time_ns: int, use_cache: bool,
        discovery_max_stale_ns: int,
    ) -> None:  # fmt: skip
        """Use these settings from the next request on."""
        self.default_token = default_token
        self.default_query_time_ns, self.max_query_time_ns = default_query_time_ns, max_query_time_ns
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

    def check(self, request: Request, *rules: Rule) -> None:
        """Look at what the endpoint says, in its order, before anything else. Raises BadRequest."""
        if not request.query_string and "x-consul-namespace" not in request.headers:
            if Rule.OPTIONS in rules:
                self.options(request)
            return
        for rule in rules:
            if rule is Rule.OPTIONS:
                self.options(request)
            else:
                forbid_namespace(request)

    def require_datacenter(self, request: Request) -> None:
        """Refuse requests for another datacenter. Raises NoPathToDatacenter."""
        if request.query_string:
            dc = request.get("dc")
            if dc and dc != self.datacenter:
                raise NoPathToDatacenter()

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
        return read_consistency(
            request, discovery_max_stale_ns=self.discovery_max_stale_ns, use_cache=self.use_cache
        )

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
        try:
            return self._read(request, read, encode, effective, cacheable, form)
        except BadRequest:
            raise  # the parameters were refused: nothing was asked of a server
        except ConsulError as error:
            if not (effective if headers_on_error is None else headers_on_error):
                raise
            response = self.error(error)
            response.headers |= NO_ANSWER
            return response

    def _read(
        self, request: Request, read: Read, encode: Callable[[Any], Reply], effective: bool, cacheable: bool, form: Any
    ) -> Answer:
        options = self.options(request)
        self.require_datacenter(request)
        if options.max_stale_ns and effective and self._too_old(options, self.authority.last_contact_ms() * 1_000_000):
            options = options._replace(consistency="leader")
        if not self.authority.answers(options.consistency):
            reading = _Reading(request, read, options, encode, effective, cacheable, form)
            return self._ask(reading) or self._later(reading)
        return self._answer(request, read, options, encode, effective, cacheable, form)

    @staticmethod
    def _too_old(options: Options, last_contact_ns: int) -> bool:
        return options.consistency == "stale" and last_contact_ns > options.max_stale_ns > 0

    def _headers(self, read: Read, options: Options, effective: bool, cacheable: bool) -> dict[str, str]:
        headers: dict[str, str] = {}
        if effective:
            headers["X-Consul-Effective-Consistency"] = options.consistency
        if cacheable:
            headers |= self.cache_headers(options, read.key)
        return headers

    def _answer(
        self, request: Request, read: Read, options: Options, encode: Callable[[Any], Reply], effective: bool,
        cacheable: bool, form: Any,
    ) -> Answer:  # fmt: skip
        """From our own state."""
        form = (self.pretty(request), form)
        headers = self._headers(read, options, effective, cacheable)
        if not read.shared and (options.min_index == 0 or not read.waits):
            index, value = read.run(None)  # type: ignore[arg-type]
            return self.reply(encode(value), max(index, 1), headers)
        view = self.views.get(read.key, read.run)
        if options.min_index and view.index <= options.min_index:
            return self._wait(view, options, encode, form, headers)
        return self.reply(view.render(form, encode), view.index, headers)

    def cache_headers(self, options: Options, key: Any) -> dict[str, str]:
        """What a read with ``?cached`` says about the agent's cache."""
        if not options.cached:
            return {}
        state = self._cache_state(key)
        return {"X-Cache": state, "Age": "0"} if state == "HIT" else {"X-Cache": state}

    def _cache_state(self, key: Any) -> str:
        """MISS for the first cached read of a key, HIT after it; our answers are as fresh as any refresh makes them."""
        if key in self._cached:
            return "HIT"
        if len(self._cached) >= 65536:  # as many entries as a large agent cache holds; forgetting one costs a MISS
            self._cached.pop(next(iter(self._cached)))
        self._cached[key] = None
        return "MISS"

    def reply(self, reply: Reply, index: int, headers: dict[str, str] | None = None) -> Response:
        """The response to a read, with its index and what is known of the leader."""
        merged = {**reply.headers, **(headers or {})} if reply.headers else headers
        response = Response(reply.status, reply.body, merged)
        if self.authority.on_duty and reply.indexed:
            response.lines = _LEADER_LINES.get(reply.content_type, _LEADER_LINES[""]) % index
        else:
            known = self.authority.known_leader()
            response.lines = _header_lines(reply, index, known, self.authority.last_contact_ms())
        return response

    def wait_s(self, wait_ns: int) -> float:
        """How long a blocking query may wait: the default or the caller's bound, plus up to a sixteenth."""
        wait_ns = query_time_ns(wait_ns, self.default_query_time_ns, self.max_query_time_ns)
        wait_ns += int(self.jitter.random() * wait_ns / JITTER_FRACTION)
        return max(wait_ns, 0) / SECOND_NS

    def _wait(
        self, view: View, options: Options, encode: Callable[[Any], Reply], form: Any, headers: dict[str, str]
    ) -> Deferred:
        blocked = _Blocked(self, encode, form, headers)
        blocked.waiter = self.views.wait(view, options.min_index, blocked.finish)
        blocked.timer = asyncio.get_running_loop().call_later(self.wait_s(options.wait_ns), blocked.expire)
        blocked.on_cancel, blocked.on_hurry = blocked.abandon, blocked.expire
        return blocked

    def shared_reply(self, reply: Reply, index: int, headers: dict[str, str]) -> Response:
        """As `reply`, but readers who are answered with the same thing in a row get the same response."""
        last = self._last_reply
        if last is not None and last[0] is reply and last[1] == index and last[2] == headers:
            return last[3]
        response = self.reply(reply, index, headers)
        response.shared = True
        self._last_reply = (reply, index, headers, response)
        asyncio.get_running_loop().call_soon(self._forget_reply)
        return response

    def _forget_reply(self) -> None:
        self._last_reply = None

    async def _later(self, reading: _Reading) -> Response:
        """This server may not answer now: find out whether it may in a moment, or ask one that may."""
        try:
            if not await self.authority.may_answer(reading.options.consistency):
                asked = self._ask(reading)
                if asked is not None:
                    return await finished(asked)
            return await finished(self._answer(*reading))
        except ConsulError as error:
            response = self.error(error)
            if reading.effective:
                response.headers |= NO_ANSWER
            return response

    def _ask(self, reading: _Reading) -> Deferred | None:
        """Have another server answer, if there is one that can."""
        asked = _Asked(self, reading)
        return asked if self._begin(asked) else None

    def ask_again(self, asked: _Asked) -> None:
        """Answer it now, by another server or, if that is over, by ourselves."""
        if self._begin(asked):
            return
        try:
            asked.resolve(cast(Response, self._answer(*asked.reading)))
        except Exception as error:
            asked.set_exception(error)

    def _begin(self, asked: _Asked) -> bool:
        """Whether there is another server to ask; then it is asked."""
        read, options = asked.reading.read, asked.reading.options
        args = replace(
            read.args, Datacenter=self.datacenter, Token=self.token(asked.reading.request),
            MinQueryIndex=options.min_index, MaxQueryTime=options.wait_ns,
            AllowStale=options.consistency == "stale", RequireConsistent=options.consistency == "consistent",
            MaxStaleDuration=options.max_stale_ns,
        )  # fmt: skip
        cancel = self.authority.ask_for(asked, read.method, args)
        if cancel is None:
            return False
        if not asked.resolved:
            asked.on_cancel = cancel
            asked.on_hurry = asked.ask_again if options.min_index else None
        return True

    def from_elsewhere(self, found: Any, reading: _Reading) -> Answer:
        """Another server's answer, encoded here; our own when ``found`` is None. Raises ConsulError."""
        if found is None:
            return self._answer(*reading)
        if reading.effective and self._too_old(reading.options, found.LastContact):
            fresh = reading._replace(options=reading.options._replace(consistency="leader"))
            return self._ask(fresh) or self._answer(*fresh)
        read = reading.read
        form = (self.pretty(reading.request), reading.form)
        if found is self._last_found[0] and form == self._last_found[1]:
            reply = self._last_found[2]
        else:
            reply = reading.encode(read.method.value_in(found))
            if len(reply) <= KEPT_BYTES_MAX:
                self._last_found = (found, form, reply)
        headers = self._headers(read, reading.options, reading.effective, reading.cacheable)
        response = Response(reply.status, reply.body, {**reply.headers, **headers})
        last_contact_ms = found.LastContact // 1_000_000
        response.lines = _header_lines(reply, max(found.Index, 1), found.KnownLeader, last_contact_ms)
        return response

    # ------------------------------------------------------------------ writes

    def when_written(self, future: Any, finish: Callable[[Any], Response]) -> Answer:
        """Answer when a proposal is done; ``finish`` gets the FSM's result."""
        if not isinstance(future, asyncio.Future):
            return finish(future)
        outcome = Outcome(finish)
        future.add_done_callback(partial(settle, outcome))
        return outcome


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


Routes = Callable[[Router], None]
