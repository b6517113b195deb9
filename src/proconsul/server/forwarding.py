"""Calls that another server has to answer: to the leader from its followers, to any server from a client agent, to a
server of another datacenter.

What fails because nobody leads for a moment is tried again until rpc_hold_timeout is over (RPC reference, common parts:
consistency and forwarding); another datacenter's servers wait for their leader themselves. A request that may have been
carried out is not repeated unless it only reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion, Mapped, tell, tell_error
from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferInProgressError,
    NotLeaderError,
    ShutdownError,
)
from proconsul.engine.rpc.codec import Empty
from proconsul.engine.rpc.dial import Tls
from proconsul.engine.rpc.errors import (
    GETTING_CLIENT,
    ConnectionFailed,
    ConnectionLost,
    RpcError,
    RpcFailure,
    making_call,
)
from proconsul.engine.rpc.pool import TIMED_OUT, Call, ConnectionPool
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import DecodeError, decode
from proconsul.engine.wire.record import replace
from proconsul.features.base import JITTER_FRACTION, MAX_QUERY_TIME_NS, SECOND_NS, query_time_ns
from proconsul.features.errors import ConsulError, NoServers, Unanswered
from proconsul.features.server import CallMethod, ReadMethod, WriteMethod, complete_from

log = logging.getLogger("agent.server.rpc")

# Beside the time a blocking query waits, its answer gets as much as any other call.
CALL_TIMEOUT_S = 30.0
NO_LEADER = "No cluster leader"
RESUBMIT = "please resubmit call for rechunking"
# What a server answers that cannot get a write decided now.
UNDECIDED = (NO_LEADER, *map(str, (NotLeaderError(), LeadershipLostError(), LeadershipTransferInProgressError(),
                                   ShutdownError())))  # fmt: skip
# What a server answers that could not reach the leader, or lost it: it refuses nothing.
UNREACHED = (GETTING_CLIENT, ": EOF", TIMED_OUT, "connection reset by peer", "broken pipe", "session shutdown")
# Reads remembered for those who ask the same; more than come together before they are sent.
UNSENT_MAX = 256
# Replies worth keeping, by their size in bytes, and how many of a method.
KEPT_BYTES_MIN, KEPT_BYTES_MAX, KEPT_REPLIES_MAX = 512, 64 << 10, 32

# Where to send the next call, None when nobody is known.
Choose = Callable[[], Address | None]


class Way(NamedTuple):
    """The way to the servers of ``datacenter``.

    choose: where to send the next call, None when nobody is known. failed: hears of those that did not answer.
    unavailable: what it means that nobody is known. leads: whether this server does itself what is asked there.
    look_again: waits a moment for somebody to lead there: to look whether there is anybody to ask costs nothing, unlike
    to ask. None where nobody is waited for. attempts: how many servers are worth asking, one after the other.
    tls: how to dial; None is as in our own datacenter.
    """

    datacenter: str
    choose: Choose
    failed: Callable[[Address], None]
    unavailable: Callable[[], ConsulError]
    leads: Callable[[], bool]
    look_again: Callable[[], Awaitable[None]] | None = None
    attempts: Callable[[], float] = lambda: math.inf
    tls: Callable[[], Tls | None] = lambda: None


class _Question(NamedTuple):
    """A method's name, arguments and type of reply; whether it only reads."""

    method: str
    args: Any
    reply: Any
    reads: bool


class Forwarding:
    """``home``: the way to the servers of our own datacenter."""

    def __init__(
        self, pool: ConnectionPool | None, home: Way, *, hold_timeout_s: float, rng: random.Random
    ) -> None:  # fmt: skip
        self.home = home
        self._pool, self._hold_timeout_s, self._rng = pool, hold_timeout_s, rng
        self._unsent: dict[tuple[str, Any], _Forwarded] = {}
        # By method, what was made of the answers that came last: where nothing changes they are the same bytes again,
        # and what doors make of a reply is kept with it.
        self._decoded: dict[str, dict[bytes, Any]] = {}

    def ask(
        self, waiter: Completion, method: ReadMethod, args: Any, way: Way, *, patient: bool = True
    ) -> Callable[[], None] | None:
        """Ask another server, for as long as a leader is waited for; ``waiter`` is told its reply or a ConsulError.

        The reply is None when this server leads by now, and so may answer itself. Returns what gives the call up; None,
        and nothing was asked, when this server leads already or knows nobody to ask. Where all goes well this costs
        neither a task nor a future, and equal reads share one call as long as it has not been sent: those who ask at
        the same time get the same answer.
        """
        address = None if way.leads() else way.choose()
        if address is None:
            return None
        args = _completed(args, way)
        known = self._known(method.name, args)
        if known is not None:
            return known.join(waiter)
        asked = _Forwarded(self, _Question(method.name, args, method.reply, patient), way)
        if patient:
            self._remember(method.name, args, asked)
        return asked.begin(waiter, address, self._pool)

    def write(self, written: Written, method: WriteMethod, args: Any, way: Way) -> None:
        """Have another server do it, for as long as a leader is waited for, or ourselves when we lead by then."""
        question = _Question(method.name, _completed(args, way), method.reply or Empty, method.repeatable)
        _Forwarded(self, question, way).begin(written, way.choose(), self._pool)

    def _known(self, method: str, args: Any) -> _Forwarded | None:
        """The same read, when it was not sent yet. Arguments with maps in them are no keys and equal nothing."""
        try:
            known = self._unsent.get((method, args))
        except TypeError:
            return None
        return known if known is not None and known.may_be_joined else None

    def _remember(self, method: str, args: Any, asked: _Forwarded) -> None:
        if len(self._unsent) >= UNSENT_MAX:
            self._unsent.clear()
        with contextlib.suppress(TypeError):
            self._unsent[method, args] = asked

    def decoded(self, question: _Question, body: bytes) -> Any:
        """The reply that ``body`` is. Raises DecodeError."""
        if not (question.reads and KEPT_BYTES_MIN <= len(body) <= KEPT_BYTES_MAX):
            return decode(question.reply, body)
        known = self._decoded.setdefault(question.method, {})
        reply = known.get(body)
        if reply is None:
            reply = decode(question.reply, body)
            if len(known) >= KEPT_REPLIES_MAX:
                known.clear()
            known[body] = reply
        return reply

    async def call(self, method: CallMethod, args: Any, way: Way) -> Any:
        """The reply of another server; None, and nothing was asked, when we lead by now. Raises ConsulError."""
        return await self.retry(_Question(method.name, _completed(args, way), method.reply or Empty, method.reads), way)

    @staticmethod
    def error(way: Way, address: Address, failure: RpcFailure) -> ConsulError:
        """What a failed call means to whoever asked.

        A server that did not answer, or knows nobody who could decide, is not asked next time, if there is another: it
        may have been cut off from the rest, or be none of the peers any more, and would say the same for ever.
        """
        if isinstance(failure, RpcError) and not any(text in str(failure) for text in (*UNDECIDED, *UNREACHED)):
            return ConsulError(making_call(failure))
        way.failed(address)
        return Unanswered(making_call(failure))

    async def retry(self, question: _Question, way: Way, error: ConsulError | None = None) -> Any:
        """Ask until there is a reply or the time is over. ``error``: how it failed already."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._hold_timeout_s
        left = way.attempts()
        if error is not None:
            left -= 1
            if left < 1:
                raise error
            await self._pause()
        while True:
            if way.leads():
                return None
            address = way.choose()
            if address is None or self._pool is None:
                error = way.unavailable()
                # Servers are found by joining, which no request waits for.
                if way.look_again is None or isinstance(error, NoServers) or loop.time() >= until:
                    raise error
                await way.look_again()
            else:
                left -= 1
                try:
                    return await self._once(self._pool, address, question, way)
                except RpcFailure as failure:
                    error = self.error(way, address, failure)
                    if left < 1 or not _may_repeat(failure, question.reads, way) or loop.time() >= until:
                        raise error from None
                await self._pause()

    @staticmethod
    async def _once(pool: ConnectionPool, address: Address, question: _Question, way: Way) -> Any:
        """Raises RpcFailure, and ConsulError for a reply that cannot be read."""
        method, args, reply, _ = question
        try:
            return await pool.call(address, method, args, reply, timeout_s=_timeout_s(args), tls=way.tls())
        except DecodeError as failure:
            raise undecodable(failure) from None

    async def _pause(self) -> None:
        await asyncio.sleep(self._hold_timeout_s / JITTER_FRACTION * self._rng.random())


class _Forwarded:
    """One call for those who wait without a task; a task only retries when the first attempt fails."""

    __slots__ = ("_address", "_call", "_forwarding", "_question", "_task", "_waiters", "_way")

    def __init__(self, forwarding: Forwarding, question: _Question, way: Way) -> None:
        self._forwarding, self._question, self._way = forwarding, question, way
        self._waiters: list[Completion] = []
        self._address: Address | None = None
        self._call: Call | None = None
        self._task: asyncio.Future[Any] | None = None

    @property
    def may_be_joined(self) -> bool:
        return self._call is not None and not self._call.sent

    def join(self, waiter: Completion) -> Callable[[], None]:
        self._waiters.append(waiter)
        return partial(self._leave, waiter)

    def _leave(self, waiter: Completion) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            if not self._waiters:
                self._cancel()

    def begin(self, waiter: Completion, address: Address | None, pool: ConnectionPool | None) -> Callable[[], None]:
        leave = self.join(waiter)
        question = self._question
        if address is not None and pool is not None:
            self._address = address
            timeout_s = _timeout_s(question.args)
            try:
                self._call = pool.begin(
                    self, address, question.method, question.args, timeout_s=timeout_s, tls=self._way.tls()
                )
            except RpcFailure as failure:
                self.set_exception(failure)
                return leave
        if self._call is None:
            self._start_retrying()
        return leave

    def _start_retrying(self, error: ConsulError | None = None) -> None:
        self._task = asyncio.ensure_future(self._forwarding.retry(self._question, self._way, error))
        self._task.add_done_callback(self._retried)

    def _retried(self, task: asyncio.Future[Any]) -> None:
        for waiter in self._all():
            complete_from(waiter, task)

    def _all(self) -> list[Completion]:
        """Everybody who waits; they are told once."""
        waiters, self._waiters = self._waiters, []
        return waiters

    def _cancel(self) -> None:
        call, self._call = self._call, None  # which nobody may join any more
        if call is not None:
            call.cancel()
        if self._task is not None:
            self._task.cancel()

    def done(self) -> bool:
        return not self._waiters

    def set_result(self, body: bytes) -> None:
        self._call = None
        try:
            reply = self._forwarding.decoded(self._question, body)
        except DecodeError as failure:
            self._fail(undecodable(failure))
            return
        for waiter in self._all():
            tell(waiter, reply)

    def set_exception(self, failure: Exception) -> None:
        self._call = None
        if not isinstance(failure, RpcFailure):
            self._fail(failure)
            return
        assert self._address is not None
        error = self._forwarding.error(self._way, self._address, failure)
        if _may_repeat(failure, self._question.reads, self._way):
            self._start_retrying(error)
        else:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        for waiter in self._all():
            tell_error(waiter, error)


class Written(Mapped):
    """Tells ``waiter`` what came of a write elsewhere, in the form that endpoints have.

    ``do`` does it here, when this server turns out to lead, and tells ``waiter`` itself.
    """

    __slots__ = ("_do",)

    def __init__(self, waiter: Completion, method: WriteMethod, do: Callable[[], None]) -> None:
        super().__init__(waiter, lambda reply: method.to_result(None if method.reply is None else reply))
        self._do = do

    def set_result(self, reply: Any) -> None:
        """Another server's reply; None when it is ours to do by now."""
        if reply is not None:
            super().set_result(reply)
            return
        try:
            self._do()
        except Exception as error:
            tell_error(self._waiter, error)


def undecodable(failure: DecodeError) -> ConsulError:
    """What a reply that cannot be read means to whoever asked."""
    return ConsulError(f"rpc error making call: {failure}")


def _completed(args: Any, way: Way) -> Any:
    """Consul's servers refuse requests that name no datacenter."""
    return replace(args, Datacenter=way.datacenter) if getattr(args, "Datacenter", None) == "" else args


def _may_repeat(failure: RpcFailure, reads: bool, way: Way) -> bool:
    text = str(failure)
    # Where no leader is waited for here, the server that was asked has done so.
    if isinstance(failure, ConnectionFailed) or RESUBMIT in text or (way.look_again is not None and NO_LEADER in text):
        return True
    if way.look_again is not None and any(undecided in text for undecided in UNDECIDED):
        return reads  # its server ceased to lead or ends: a write may have been carried out, a read does no harm
    return reads and isinstance(failure, ConnectionLost)


def _timeout_s(args: Any) -> float:
    """How long an answer may take: blocking queries wait as long as they were asked to, and a little more."""
    if not getattr(args, "MinQueryIndex", 0):
        return CALL_TIMEOUT_S
    wait_s = query_time_ns(args.MaxQueryTime, MAX_QUERY_TIME_NS) / SECOND_NS
    return wait_s * (1 + 1 / JITTER_FRACTION) + CALL_TIMEOUT_S
