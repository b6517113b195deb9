"""The one gate for every call, from HTTP, RPC, DNS and the agent itself (see `proconsul.features.gate`).

Reads: ``leader`` needs a leader with a valid lease, ``consistent`` one that a quorum has just confirmed, ``stale``
anybody who has heard a leader, unless that was longer ago than was allowed. Writes need the leader. Whoever is not the
one to answer forwards; what is forwarded is repeated by the rule in `forwarding`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.store.view import View, Views, Waiter
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.base import (
    DEFAULT_QUERY_TIME_NS,
    JITTER_FRACTION,
    MAX_QUERY_TIME_NS,
    SECOND_NS,
    query_time_ns,
)
from proconsul.features.errors import ConsulError
from proconsul.features.gate import Found
from proconsul.features.options import PLAIN, Options
from proconsul.features.permission import AllowEverything, Permission
from proconsul.features.server import CallMethod, Do, Read, ReadMethod, WriteMethod
from proconsul.server.as_seen import AsSeen, left_out
from proconsul.server.bearers import Bearers
from proconsul.server.forwarding import Forwarding, Way, Written
from proconsul.server.request_limits import RequestLimits

_LEADS = True, 0


class Authority(Protocol):
    """Who leads, as this node knows it."""

    @property
    def leading(self) -> bool:
        """Whether this server leads, has applied everything of earlier terms, and nobody else can lead yet."""

    @property
    def on_duty(self) -> bool:
        """Whether this server leads as far as it knows."""

    @property
    def is_client(self) -> bool:
        """Whether this agent has no state of its own."""

    def answers(self, consistency: str) -> bool:
        """True when this server may answer such a read from its own state, now."""

    async def may_answer(self, consistency: str) -> bool:
        """As `answers`, after asking the other servers who leads if need be. False: ask another server instead.

        Raises ConsulError when nobody leads in time.
        """

    def way_to(self, datacenter: str) -> Way:
        """The way to another datacenter's servers. Raises NoPathToDatacenter."""

    def knows(self) -> tuple[bool, int]:
        """Whether somebody leads, and how many nanoseconds ago the leader was heard, 0 on the leader."""


class Gate:
    """Implements `features.gate.Gate`. The tables of methods are filled by ``serve``."""

    def __init__(
        self, authority: Authority, views: Views, forwarding: Forwarding, datacenter: str,
        *, permission: Permission | None = None, rng: random.Random | None = None,
    ) -> None:  # fmt: skip
        self.authority, self.views, self.forwarding, self.datacenter = authority, views, forwarding, datacenter
        self.permission = permission or AllowEverything()
        self.default_query_time_ns, self.max_query_time_ns = DEFAULT_QUERY_TIME_NS, MAX_QUERY_TIME_NS
        # Only spreads time-outs.
        self._jitter = rng or random.Random()
        # Of a server that takes only so many requests a second.
        self.limits: RequestLimits | None = None
        self._reads: dict[ReadMethod, Callable[[Any], Read]] = {}
        self._writes: dict[WriteMethod, Do] = {}
        self._calls: dict[CallMethod, Callable[[Any], Awaitable[Any]]] = {}
        self._confirming: set[asyncio.Task[None]] = set()
        self.bearers = Bearers(self.permission, views.watches)

    def serve(
        self, reads: Mapping[ReadMethod, Callable[[Any], Read]] = {}, writes: Mapping[WriteMethod, Do] = {},
        calls: Mapping[CallMethod, Callable[[Any], Awaitable[Any]]] = {},
    ) -> None:  # fmt: skip
        """Answer these methods from now on."""
        self._reads |= reads
        self._writes |= writes
        self._calls |= calls

    @property
    def methods(self) -> list[ReadMethod | WriteMethod | CallMethod]:
        """All that can be called."""
        return [*self._reads, *self._writes, *self._calls]

    # ------------------------------------------------------------------ which datacenter, and who

    def is_ours(self, datacenter: str) -> bool:
        """Whether a call for ``datacenter`` is for our own, as one that names none is."""
        return not datacenter or datacenter == self.datacenter

    def elsewhere(self, datacenter: str) -> Way | None:
        """The way to ``datacenter``; None when that is ours, as "" is. Raises NoPathToDatacenter."""
        return None if self.is_ours(datacenter) else self.authority.way_to(datacenter)

    def has_state_of(self, datacenter: str) -> bool:
        """See `features.gate.Gate`."""
        return not self.authority.is_client and self.is_ours(datacenter)

    @property
    def plain(self) -> bool:
        """See `features.gate.Gate`."""
        return self.limits is None and self.authority.leading and self.permission.unlimited

    def admitted(self, asked: Read, before: Read | None, token: str) -> Read:
        """``asked`` as it may be done now; that is ``before`` while ``token`` has the rights it had then.

        Those who are shown something else have views of their own. Raises what `features.gate.Permission.admit` raises.
        """
        if self.permission.unlimited:
            return asked
        sees = self.permission.admit(asked.method, asked.args, token)
        if sees is None:
            return asked
        if before is not None and before is not asked and before.key[0] == sees:  # type: ignore[index]
            return before
        return asked._replace(key=(sees, asked.key), run=AsSeen(self.permission, asked, sees))

    # ------------------------------------------------------------------ reads

    def reading(self, method: ReadMethod, args: Any) -> Read:
        """The read that ``method`` is with ``args``."""
        return self._reads[method](args)

    def now(self, read: Read, options: Options, token: str = "", datacenter: str = "") -> Found | None:
        """See `features.gate.Gate`."""
        if self.limits is not None:
            self.limits.spend(read.method)
        if datacenter and self.elsewhere(datacenter) is not None:
            return None
        level = self.level(options)
        if not self.authority.answers(level):
            return None  # whoever answers decides who may ask: here a new token may not have arrived yet
        return self.here(self.admitted(read, None, token), options, level)

    def begin(
        self, waiter: Completion, read: Read, options: Options, token: str = "", datacenter: str = ""
    ) -> GateReading:
        """See `features.gate.Gate`."""
        reading = GateReading(self, waiter, read, options, token, self.elsewhere(datacenter))
        reading.begin()
        return reading

    async def found(self, read: Read, options: Options = PLAIN, token: str = "", datacenter: str = "") -> Found:
        """What was found, for those who wait in a task. Raises ConsulError."""
        found = self.now(read, options, token, datacenter)
        if found is not None:
            return found
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        pending = self.begin(future, read, options, token, datacenter)
        try:
            return await future
        finally:
            if future.cancelled():
                pending.cancel()

    async def value(self, read: Read, options: Options = PLAIN, token: str = "", datacenter: str = "") -> Any:
        """See `features.gate.Gate`."""
        return (await self.found(read, options, token, datacenter)).value

    def level(self, options: Options) -> str:
        """The consistency with which to read: who has heard the leader too long ago is as good as nobody."""
        level = options.consistency
        if options.max_stale_ns and level == "stale" and self.authority.knows()[1] > options.max_stale_ns:
            return "leader"
        return level

    def look(self, method: ReadMethod, args: Any, token: str, watch: WatchSet) -> Any:
        """What our own state shows to ``token``; ``watch`` hears of all that would change it. Raises ConsulError."""
        permission = self.permission
        sees = permission.admit(method, args, token)
        permission.watch(token, watch)
        _, value = self.reading(method, args).run(watch)
        return value if sees is None else permission.visible(method, value, sees).value

    def may_be_here(self, options: Options) -> bool:
        """Whether our own state may answer now."""
        return self.authority.answers(self.level(options))

    def here(self, read: Read, options: Options, level: str) -> Found | None:
        """The answer of our own state; None when it has to wait for a change."""
        if not read.shared and (options.min_index == 0 or not read.waits):
            index, value = read.run(None)  # type: ignore[arg-type]
            return Found(max(index, 1), value, *self._knows(level), level, filtered=left_out(read.run))
        view = self.views.get(read.key, read.run)
        if options.min_index and view.index <= options.min_index:
            return None
        return self.found_in(view, level)

    def found_in(self, view: View, level: str) -> Found:
        return Found(view.index, view.value, *self._knows(level), level, view, filtered=left_out(view.run))

    def _knows(self, level: str) -> tuple[bool, int]:
        """Of whoever may answer with another level than ``stale``, it is known already: it leads."""
        return self.authority.knows() if level == "stale" else _LEADS

    def wait_s(self, wait_ns: int) -> float:
        """See `features.gate.Gate`: the default or the caller's bound, plus up to a sixteenth."""
        wait_ns = query_time_ns(wait_ns, self.default_query_time_ns, self.max_query_time_ns)
        wait_ns += int(self._jitter.random() * wait_ns / JITTER_FRACTION)
        return max(wait_ns, 0) / SECOND_NS

    def forward_read(
        self, waiter: Completion, read: Read, options: Options, token: str, way: Way | None
    ) -> Callable[[], None] | None:
        """Have another server answer, by ``way`` one of another datacenter's.

        None when there is none to ask, or it is ours to do; else what gives it up.
        """
        way = way or self.forwarding.home
        if way.datacenter != self.datacenter:
            token = self.permission.abroad(token)
        args = replace(
            read.args, Datacenter=way.datacenter, Token=token, MinQueryIndex=options.min_index,
            MaxQueryTime=options.wait_ns, AllowStale=options.consistency == "stale",
            RequireConsistent=options.consistency == "consistent", MaxStaleDuration=options.max_stale_ns,
        )  # fmt: skip
        return self.forwarding.ask(waiter, read.method, args, way, patient=options.patient)

    # ------------------------------------------------------------------ writes

    def write(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        """See `features.gate.Gate`."""
        if self.limits is not None:
            self.limits.spend(method)
        way = self.elsewhere(args.Datacenter)
        if way is not None:
            self.forward_write(waiter, method, self.leaving(args, way), way)
            return
        if not args.Datacenter:
            args = replace(args, Datacenter=self.datacenter)
        if (method.anywhere and not self.authority.is_client) or self.authority.leading:
            self._do(waiter, method, args)
        elif self.authority.on_duty:
            task = asyncio.get_running_loop().create_task(self._confirm(waiter, method, args))
            self._confirming.add(task)
            task.add_done_callback(self._confirming.discard)
        else:
            self.forward_write(waiter, method, args)

    def _do(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        """Do it here, if whoever asks may. Who may is decided where it is done: others know new tokens later."""
        if not self.permission.unlimited:
            self.permission.admit(method, args, args.Token)
        self._writes[method](waiter, args)

    async def _confirm(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        """Do it here if a quorum says that we lead: without a lease our own word is not enough."""
        try:
            if await self.authority.may_answer("leader"):
                self._do(waiter, method, args)
            else:
                self.forward_write(waiter, method, args)
        except Exception as error:
            tell_error(waiter, error)

    def forward_write(self, waiter: Completion, method: WriteMethod, args: Any, way: Way | None = None) -> None:
        """Have the leader do it, by ``way`` another datacenter's; or do it here, when that has become ours."""
        written = Written(waiter, method, partial(self._do, waiter, method, args))
        self.forwarding.write(written, method, args, way or self.forwarding.home)

    def leaving(self, args: Any, way: Way) -> Any:
        """``args`` as they go that way: a token that counts only here does not leave the datacenter."""
        token = args.Token if way.datacenter == self.datacenter else self.permission.abroad(args.Token)
        return args if token is args.Token else replace(args, Token=token)

    async def written(self, method: WriteMethod, args: Any) -> Any:
        """See `features.gate.Gate`."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.write(future, method, args)
        return await future

    # ------------------------------------------------------------------ what is neither

    async def call(self, method: CallMethod, args: Any) -> Any:
        """Carry ``method`` out, here or on the leader; on any server when that is good enough. Raises ConsulError."""
        if self.limits is not None:
            self.limits.spend(method)
        way = self.elsewhere(args.Datacenter)
        if way is not None:
            reply = await self.forwarding.call(method, self.leaving(args, way), way)
            return None if method.reply is None else reply
        authority = self.authority
        stale = method.anywhere or (method.may_be_stale and getattr(args, "AllowStale", False))
        level = "consistent" if getattr(args, "RequireConsistent", False) else "leader"
        leads = authority.leading and level == "leader"
        if not (leads or (stale and not authority.is_client) or await authority.may_answer(level)):
            reply = await self.forwarding.call(method, args, self.forwarding.home)
            if reply is not None:
                return None if method.reply is None else reply
        self.permission.admit(method, args, args.Token)
        try:
            return await self._calls[method](args)
        except RaftError as error:
            raise ConsulError(str(error)) from None

    async def admit(self, method: Any, args: Any) -> None:
        """Raise ConsulError unless whoever asks may; for what is not carried out here."""
        self.permission.admit(method, args, args.Token)

    async def whom_to_ask(self, datacenter: str, *, stale: bool) -> Way | None:
        """The way to those who are to answer something of its own kind, like an archive; None when it is ours to do.

        Raises ConsulError.
        """
        way = self.elsewhere(datacenter)
        if way is not None:
            return way
        level = "stale" if stale else "consistent"
        ours = self.authority.answers(level) or await self.authority.may_answer(level)
        return None if ours else self.forwarding.home


class GateReading:
    """A read that was not answered at once: it waits for a change, for another server, or for a leader."""

    __slots__ = (
        "_asked", "_cancel", "_gate", "_options", "_read", "_timer", "_token", "_view_waiter", "_waiter", "_way",
    )  # fmt: skip

    def __init__(
        self, gate: Gate, waiter: Completion, asked: Read, options: Options, token: str, way: Way | None
    ) -> None:  # fmt: skip
        """``way``: to another datacenter, which answers."""
        self._gate, self._waiter, self._asked, self._options, self._token = gate, waiter, asked, options, token
        self._way = way
        # What is asked for as it may be done here by whoever has the token, once that was looked at.
        self._read: Read | None = None
        # What ends the waiting for another server, or for somebody to lead.
        self._cancel: Callable[[], object] | None = None
        self._view_waiter: Waiter | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._way is not None:
            if not self._ask():
                tell_error(self._waiter, self._way.unavailable())
            return
        level = self._gate.level(self._options)
        if level != self._options.consistency:
            self._options = self._options._replace(consistency=level, max_stale_ns=0)
        if self._gate.authority.answers(level):
            self._look()
        elif not self._ask():
            self._cancel = asyncio.get_running_loop().create_task(self._later()).cancel

    # ------------------------------------------------------------------ here

    def _look(self) -> None:
        """Answer from our own state, now or when it changes."""
        gate, options = self._gate, self._options
        try:
            self._read = read = gate.admitted(self._asked, self._read, self._token)
            found = gate.here(read, options, options.consistency)
        except Exception as error:
            tell_error(self._waiter, error)
            return
        if found is not None:
            tell(self._waiter, found)
            return
        view = gate.views.get(read.key, read.run)
        self._view_waiter = gate.views.wait(view, options.min_index, self._changed)
        if not gate.permission.unlimited:
            gate.bearers.join(self._token, self)
        self._timer = asyncio.get_running_loop().call_later(gate.wait_s(options.wait_ns), self.hurry)

    def _release(self) -> Waiter | None:
        """Stop waiting; nothing may be left that refers back here, or the collector would have to find it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._view_waiter is not None and not self._gate.permission.unlimited:
            self._gate.bearers.leave(self._token, self)
        view_waiter, self._view_waiter, self._timer = self._view_waiter, None, None
        return view_waiter

    def rights_changed(self) -> None:
        """What the token may do may have changed: answer as to one who asks now, if it has."""
        waiter = self._view_waiter
        if waiter is None:
            return
        try:
            same = self._gate.admitted(self._asked, self._read, self._token) is self._read
        except Exception:
            same = False  # it is refused by now, and will be told so
        if not same:
            self._release()
            waiter.cancel()
            self._options = self._options._replace(min_index=0)
            self.begin()

    def _changed(self, view: View) -> None:
        self._release()
        try:
            admitted = self._gate.admitted(self._asked, self._read, self._token)
        except Exception as error:
            tell_error(self._waiter, error)
            return
        if admitted is not self._read:
            self._options = self._options._replace(min_index=0)
            self.begin()
        elif view.error is not None:
            tell_error(self._waiter, view.error)
        elif self._gate.may_be_here(self._options):
            tell(self._waiter, self._gate.found_in(view, self._options.consistency))
        else:
            self.begin()  # much may have happened while it waited: somebody else may lead

    # ------------------------------------------------------------------ elsewhere

    def _ask(self) -> bool:
        """Whether there is another server to ask; then it is asked."""
        try:
            cancel = self._gate.forward_read(self, self._asked, self._options, self._token, self._way)
        except ConsulError as error:
            tell_error(self._waiter, error)
            return True
        if cancel is not None and not self._waiter.done():
            self._cancel = cancel
        return cancel is not None

    def done(self) -> bool:
        return self._waiter.done()

    def set_result(self, reply: Any) -> None:
        """Another server's reply; None when it is ours to answer by now."""
        self._cancel = None
        options = self._options
        if reply is None:
            self._look()
        elif options.max_stale_ns and options.consistency == "stale" and reply.LastContact > options.max_stale_ns:
            self._options = options._replace(consistency="leader", max_stale_ns=0)
            self.begin()
        else:
            value = self._asked.method.value_in(reply)
            index = max(getattr(reply, "Index", 0), 1)
            known = index, value, reply.KnownLeader, reply.LastContact, options.consistency, None, reply
            tell(self._waiter, Found(*known, getattr(reply, "ResultsFilteredByACLs", False)))

    def set_exception(self, error: Exception) -> None:
        tell_error(self._waiter, error)

    async def _later(self) -> None:
        """Wait until somebody leads."""
        try:
            must_forward = not await self._gate.authority.may_answer(self._options.consistency)
        except Exception as error:
            tell_error(self._waiter, error)
            return
        self._cancel = None
        if not (must_forward and self._ask()):
            self._look()

    # ------------------------------------------------------------------ for whoever waits

    def hurry(self) -> None:
        """See `features.gate.Pending`."""
        if not self._options.min_index:
            return
        self._options = self._options._replace(min_index=0)
        view_waiter = self._release()
        if view_waiter is not None:
            view = view_waiter.view
            view_waiter.cancel()
            view.reread()
            self._changed(view)
        else:
            self.cancel()
            self.begin()

    def cancel(self) -> None:
        """See `features.gate.Pending`."""
        view_waiter = self._release()
        if view_waiter is not None:
            view_waiter.cancel()
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
