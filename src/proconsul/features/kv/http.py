"""/v1/kv (HTTP API: kv)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proconsul.engine.http.request import Request, Response, encode_query
from proconsul.engine.http.router import Answer, Router, too_large
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gostrconv import NumberError, parse_uint
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.gate import Found
from proconsul.features.kv.endpoint import APPLY, KVS
from proconsul.features.kv.model import VALUE_BYTES_MAX, DirEntry, KeyListRequest, KeyRequest, KVOp, KVSRequest
from proconsul.features.options import OptionRule
from proconsul.features.web import JSON_LINES, Reply, Web

_encode_json = msgspec.json.Encoder().encode
# Answers to plain reads of single keys, kept while the row is the same: clients read few keys often. When full it
# starts anew. At most 8 MiB, and far less with common values.
RESPONSES_MAX = 4096
RESPONSE_BYTES_MAX = 1024
_MISSING = Reply(404, b"", "")
_RAW_HEADERS = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}


def _unsigned(text: str) -> int:
    """A uint64 of the query. Raises ConsulError (status 500, as the original)."""
    try:
        return parse_uint(text)
    except NumberError as error:
        raise ConsulError(str(error)) from None


def encode_entries(entries: list[DirEntry], pretty: bool) -> bytes:
    """Entries as JSON. An empty Session is cut out of the bytes: quotes inside keys and values are escaped, so the
    pattern can match nothing but the field."""
    try:
        body = _encode_json(entries)
    except UnicodeEncodeError:
        return gojson.dumps(entries, pretty=pretty)
    body = gojson.escape_html(body.replace(b',"Session":""', b""))
    return msgspec.json.format(body, indent=4) + b"\n" if pretty else body


class KVRoutes:
    """Handlers of /v1/kv/<key>."""

    def __init__(self, web: Web, kvs: KVS, value_bytes_max: int = VALUE_BYTES_MAX) -> None:
        self.web = web
        self.kvs = kvs
        self.value_bytes_max = value_bytes_max
        self._responses: dict[str, tuple[DirEntry, Response]] = {}

    def register(self, router: Router) -> None:
        router.add(
            "/v1/kv/",
            {"GET": self.get, "PUT": self.put, "DELETE": self.delete},
            body_bytes_max=self.value_bytes_max,
            checks_size=True,
        )

    # ------------------------------------------------------------------ reading

    def get(self, request: Request) -> Answer:
        key = request.params
        headers = request.headers
        if not request.query_string and "cache-control" not in headers and "x-consul-namespace" not in headers:
            if not key:
                raise BadRequest("Missing key name")
            return self._get(request, key)
        self.web.check(request, OptionRule.OPTIONS)
        if key or request.has("keys") or request.has("recurse"):
            self.web.check(request, OptionRule.NAMESPACE)
        if request.has("keys"):
            return self._keys(request, key)
        if request.has("recurse"):
            pretty = self.web.pretty(request)

            def encode(entries: list[DirEntry]) -> Reply:
                return Reply(200, encode_entries(entries, pretty)) if entries else _MISSING

            return self.web.read(request, self.kvs.list(KeyRequest(Key=key)), encode)
        if not key:
            raise BadRequest("Missing key name")
        return self._get(request, key)

    def _get(self, request: Request, key: str) -> Answer:
        if not request.query_string and self.web.gate.plain:  # nor any option in a header
            # The most frequent request of all: no options, no wait, one row.
            index, entry = self.kvs.entry(key)
            if entry is None:
                return self.web.reply(_MISSING, Found(max(index, 1), None, True, 0))
            return self._recent(entry)
        if request.has("raw"):
            return self.web.read(request, self.kvs.get(KeyRequest(Key=key)), _encode_raw, form="raw")
        pretty = self.web.pretty(request)

        def encode(entry: DirEntry | None) -> Reply:
            return Reply(200, encode_entries([entry], pretty)) if entry is not None else _MISSING

        return self.web.read(request, self.kvs.get(KeyRequest(Key=key)), encode)

    def _recent(self, entry: DirEntry) -> Response:
        """The answer to a plain read of ``entry`` while this server leads: it depends on nothing else."""
        known = self._responses.get(entry.Key)
        if known is not None and known[0] is entry:
            return known[1]
        reply = Reply(200, encode_entries([entry], self.web.always_pretty))
        response = self.web.reply(reply, Found(entry.ModifyIndex, entry, True, 0))
        if len(response.body) <= RESPONSE_BYTES_MAX:
            if len(self._responses) >= RESPONSES_MAX:
                self._responses.clear()
            response.shared = True
            self._responses[entry.Key] = entry, response
        return response

    def _keys(self, request: Request, prefix: str) -> Answer:
        pretty = self.web.pretty(request)

        def encode(keys: list[str]) -> Reply:
            if not keys and prefix:
                return _MISSING
            return Reply(200, gojson.dumps(keys, pretty=pretty))

        args = KeyListRequest(Prefix=prefix, Seperator=request.get("separator"))
        return self.web.read(request, self.kvs.list_keys(args), encode)

    # ------------------------------------------------------------------ writing

    def put(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        key = request.params
        if not key:
            raise BadRequest("Missing key name")
        op, flags, cas, session = KVOp.SET, 0, 0, ""
        if request.query_string:
            self._refuse_conflicts(request, "cas", "acquire", "release")
            if request.has("flags"):
                flags = _unsigned(request.get("flags"))
            if request.has("cas"):
                op, cas = KVOp.CAS, _unsigned(request.get("cas"))
            if request.has("acquire"):
                op, session = KVOp.LOCK, request.get("acquire")
            if request.has("release"):
                op, session = KVOp.UNLOCK, request.get("release")
        if request.body_bytes > self.value_bytes_max:
            more = " See https://www.consul.io/docs/agent/options.html#kv_max_value_size."
            return too_large(request.body_bytes, self.value_bytes_max, more)
        entry = DirEntry(Key=key, Flags=flags, Value=request.body or None, Session=session, ModifyIndex=cas)
        return self._apply(request, op, entry)

    def delete(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        self._refuse_conflicts(request, "recurse", "cas")
        if request.has("recurse"):
            return self._apply(request, KVOp.DELETE_TREE, DirEntry(Key=request.params))
        if not request.params:
            raise BadRequest("Missing key name")
        if request.has("cas"):
            entry = DirEntry(Key=request.params, ModifyIndex=_unsigned(request.get("cas")))
            return self._apply(request, KVOp.DELETE_CAS, entry)
        return self._apply(request, KVOp.DELETE, DirEntry(Key=request.params))

    def _apply(self, request: Request, op: KVOp, entry: DirEntry) -> Answer:
        args = KVSRequest(
            Datacenter=self.web.datacenter_of(request), Op=op.value, DirEnt=entry, Token=self.web.token(request)
        )
        return self.web.write(APPLY, args, _ANSWERS[op in _CONDITIONAL, self.web.pretty(request)])

    @staticmethod
    def _refuse_conflicts(request: Request, *flags: str) -> None:
        if sum(request.has(flag) for flag in flags) > 1:
            raise BadRequest(f"Conflicting flags: {encode_query(request.query)}")


def _encode_raw(entry: DirEntry | None) -> Reply:
    return Reply(200, entry.Value or b"", "text/plain", _RAW_HEADERS) if entry is not None else _MISSING


def _boolean(result: Any) -> Response:
    """True and False print as they are; operations without a result succeeded."""
    response = Response(200, b"false" if result is False else b"true")
    response.lines = JSON_LINES
    return response


def _boolean_pretty(result: Any) -> Response:
    response = _boolean(result)
    response.body += b"\n"
    return response


# Whether the operation may say no, and whether the answer is to be pretty. Servers answer the others with false, too.
_CONDITIONAL = frozenset({KVOp.CAS, KVOp.DELETE_CAS, KVOp.LOCK, KVOp.UNLOCK})
_ANSWERS: dict[tuple[bool, bool], Callable[[Any], Response]] = {
    (True, False): _boolean, (True, True): _boolean_pretty,
    (False, False): lambda _: _boolean(True), (False, True): lambda _: _boolean_pretty(True),
}  # fmt: skip
