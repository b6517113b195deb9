"""Makes calls: chooses the agent, keeps the deadline, tries again where that is safe, and makes errors of refusals."""

from __future__ import annotations

import random
from typing import Any, Final, TypeVar, cast

from proconsul.client.aio import kit
from proconsul.client.asking import ASKED, Ask, meta_of
from proconsul.client.decoding import decode, encode
from proconsul.client.errors import ConsulError, PermissionDenied, Unavailable, error_of
from proconsul.client.options import Pairs, ReadOptions, WriteOptions, read_query, write_query
from proconsul.client.retry import Agents, RetryPolicy
from proconsul.client.tokens import TokenSource
from proconsul.client.transport import Endpoint, Upload
from proconsul.client.wire import Answer, Call, Deadline

__all__ = ["AsyncCaller"]

T = TypeVar("T")

# How long servers let blocking queries wait that say nothing of it, and how much longer they may take (HTTP API:
# features/blocking).
_WAIT_S_DEFAULT: Final = 300.0
_WAIT_JITTER: Final = 1 / 16


class AsyncCaller:
    """What the groups of calls are written over. One per client."""

    transport: kit.Transport
    rng: random.Random

    def __init__(
        self, endpoint: Endpoint, transport: kit.Transport, tokens: TokenSource, *, defaults: ReadOptions,
        timeout_s: float, retry: RetryPolicy, rng: random.Random,
    ) -> None:  # fmt: skip
        self._endpoint, self.transport, self._tokens = endpoint, transport, tokens
        self._defaults, self._timeout_s, self._retry, self.rng = defaults, timeout_s, retry, rng
        self._agents = Agents(len(endpoint.places))
        self._attempts = max(retry.attempts, len(endpoint.places) + 1)

    # ------------------------------------------------------------------ calls by kind

    async def read(
        self, path: str, kind: type[T], options: ReadOptions, query: Pairs | None = None, *, method: str = "GET",
        body: object = None,
    ) -> T:  # fmt: skip
        """Read ``path`` as one of ``kind``. Raises ConsulError."""
        return decode((await self._read(path, options, query, method, body)).body, kind)

    async def find(
        self, path: str, kind: type[T], options: ReadOptions, query: Pairs | None = None
    ) -> T | None:  # fmt: skip
        """As `read`; None for what is not there."""
        answer = await self._read(path, options, query, absent=True)
        return None if answer.status == 404 else decode(answer.body, kind)

    async def read_bytes(
        self, path: str, options: ReadOptions, query: Pairs | None = None
    ) -> bytes | None:  # fmt: skip
        """The body as it is; None for what is not there."""
        answer = await self._read(path, options, query, absent=True)
        return None if answer.status == 404 else answer.body

    async def _read(
        self, path: str, options: ReadOptions, query: Pairs | None, method: str = "GET", body: object = None, *,
        absent: bool = False,
    ) -> Answer:  # fmt: skip
        ask = ASKED.get()
        if ask is not None and ask.index and "index" not in options:
            options = cast(ReadOptions, {**options, "index": ask.index})
            if ask.wait_s is not None:
                options["wait"] = ask.wait_s
        pairs, header = read_query(options, self._defaults)
        call = Call(
            method, path, [*(query or ()), *pairs] if query else pairs, b"" if body is None else encode(body),
            header, options.get("token"), True, self._read_timeout_s(options),
        )  # fmt: skip
        answer = await self.perform(call, absent=absent)
        if ask is not None:
            ask.meta = meta_of(answer.headers)
        return answer

    def _read_timeout_s(self, options: ReadOptions) -> float:
        """As long as was said, of a read that waits beside its waiting."""
        timeout_s = options.get("timeout", self._timeout_s)
        if not options.get("index"):
            return timeout_s
        if "timeout" in options and "wait" not in options:
            # Nobody is told of a wait that ends later than the caller wants to know.
            options["wait"] = timeout_s
        return options.get("wait", _WAIT_S_DEFAULT) * (1 + _WAIT_JITTER) + timeout_s

    async def write(
        self, method: str, path: str, options: WriteOptions, query: Pairs | None = None, *, body: object = None,
        repeatable: bool = False,
    ) -> Answer:  # fmt: skip
        """Change something; ``body``: bytes as they are, or what is sent as JSON. Raises ConsulError."""
        data = b"" if body is None else body if isinstance(body, bytes) else encode(body)
        pairs = write_query(options, self._defaults)
        return await self.perform(Call(
            method, path, [*(query or ()), *pairs], data, {}, options.get("token"), repeatable,
            options.get("timeout", self._timeout_s),
        ))  # fmt: skip

    async def written(
        self, method: str, path: str, kind: type[T], options: WriteOptions, query: Pairs | None = None, *,
        body: object = None, repeatable: bool = False,
    ) -> T:  # fmt: skip
        """As `write`, and read what is answered."""
        answer = await self.write(method, path, options, query, body=body, repeatable=repeatable)
        return decode(answer.body, kind)

    # ------------------------------------------------------------------ one call

    async def perform(
        self, call: Call, *, absent: bool = False, upload: Upload | None = None, accept: frozenset[int] = frozenset()
    ) -> Answer:  # fmt: skip
        """Do ``call`` until it has an answer or its time is over. Raises ConsulError.

        ``absent``: 404 is an answer; ``accept``: other statuses that are. ``upload``: the body, read while it is sent,
        which is never sent twice.
        """
        start = kit.now()
        deadline = self._deadline(call, start)
        attempt, renewed = 0, False
        while True:
            attempt += 1
            place = self._agents.choose(start if attempt == 1 else kit.now())
            token = self._tokens.current() if call.token is None else call.token
            try:
                answer = await self.transport.send(place, call, token, deadline, upload)
            except ConsulError as failure:
                error = failure
            else:
                if answer.status < 300 or (absent and answer.status == 404) or answer.status in accept:
                    self._agents.answered(place)
                    return answer
                error = error_of(answer.status, answer.headers, answer.body)
            if isinstance(error, PermissionDenied) and call.token is None and not renewed and self._tokens.refresh():
                renewed = True
                continue
            pause_s = self._pause_s(error, place, attempt, call, deadline) if upload is None else None
            if pause_s is None:
                error.add_note(f"{call.method} {call.path} at {self._endpoint.places[place].host}")
                raise error
            if pause_s:
                await kit.sleep(pause_s)

    def _deadline(self, call: Call, start: float) -> Deadline:
        timeout_s = self._timeout_s if call.timeout_s is None else call.timeout_s
        return Deadline(start + timeout_s, timeout_s)

    def _pause_s(self, error: ConsulError, place: int, attempt: int, call: Call, deadline: Deadline) -> float | None:
        """How long to wait before the next attempt, None for none."""
        now = kit.now()
        if isinstance(error, Unavailable):
            self._agents.failed(place, now)
        if attempt >= self._attempts:
            return None
        first_round = attempt < len(self._endpoint.places)
        pause_s = self._retry.pause_s(
            error, 1 if first_round else attempt - len(self._endpoint.places) + 1, deadline.at - now,
            repeatable=call.repeatable, rng=self.rng,
        )  # fmt: skip
        # Another agent is asked at once.
        return 0.0 if pause_s is not None and first_round and self._agents.choose(now) != place else pause_s

    async def stream(self, call: Call) -> kit.Stream:
        """Do ``call`` once; its body is read by the caller, who has to close the stream. Raises ConsulError."""
        place = self._agents.choose(kit.now())
        token = self._tokens.current() if call.token is None else call.token
        stream = await self.transport.stream(place, call, token, self._deadline(call, kit.now()))
        status, headers = stream.head
        if status < 300:
            return stream
        parts = []
        async for piece in stream.pieces():
            parts.append(piece)
        raise error_of(status, headers, b"".join(parts))

    # ------------------------------------------------------------------ for watches and jobs

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return self.transport.closed

    async def asked(self, ask: Ask, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Call ``method`` with ``ask`` for the read that it makes."""
        before = ASKED.set(ask)
        try:
            return await method(*args, **kwargs)
        finally:
            ASKED.reset(before)
