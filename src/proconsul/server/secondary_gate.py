"""The gate of a secondary datacenter's servers, whose access control is another datacenter's.

What is the primary's is carried out there. Where no tokens are copied, it is asked there first who has a token; only
then a call is admitted, and again when one has waited for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from proconsul.engine.completion import Completion, tell_error
from proconsul.engine.store.view import View
from proconsul.features.acl.placement import BY_STATE
from proconsul.features.gate import Found
from proconsul.features.options import Options
from proconsul.features.server import CallMethod, Read, WriteMethod
from proconsul.server.gate import Gate, GateReading


class Learner(Protocol):
    """Finds out what tokens may do; see `features.acl.token_rights.TokenRights`."""

    def ready(self, secret: str) -> bool:
        """Whether it is known what ``secret`` may do."""

    async def learn(self, secret: str) -> None:
        """Find out. Raises nothing: what nobody says is decided as configured."""


class SecondaryGate(Gate):
    """``placed``: the arguments of a method by its name, with the datacenter that is to carry it out.

    learner: who is asked about tokens.
    """

    placed: Callable[[str, Any], Any]
    learner: Learner
    _learning: set[asyncio.Task[None]]

    def prepare(self, placed: Callable[[str, Any], Any], learner: Learner) -> SecondaryGate:
        """Have what it needs beyond any gate."""
        self.placed, self.learner, self._learning = placed, learner, set()
        return self

    def _placed(self, read: Read, datacenter: str) -> tuple[Read, str]:
        args = self.placed(read.method.name, read.args) if self.is_ours(datacenter) else read.args
        return (read, datacenter) if args is read.args else (read._replace(args=args), args.Datacenter)

    # ------------------------------------------------------------------ see `features.gate.Gate`

    def now(self, read: Read, options: Options, token: str = "", datacenter: str = "") -> Found | None:
        """See `features.gate.Gate`."""
        read, datacenter = self._placed(read, datacenter)
        if self.is_ours(datacenter) and not self.learner.ready(token):
            if self.limits is not None:
                self.limits.spend(read.method)
            return None
        return super().now(read, options, token, datacenter)

    def begin(
        self, waiter: Completion, read: Read, options: Options, token: str = "", datacenter: str = ""
    ) -> GateReading:
        """See `features.gate.Gate`."""
        read, datacenter = self._placed(read, datacenter)
        reading = _LearningReading(self, waiter, read, options, token, self.elsewhere(datacenter))
        reading.begin()
        return reading

    def write(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        """See `features.gate.Gate`."""
        if self.is_ours(args.Datacenter) and (self.authority.on_duty or method.name not in BY_STATE):
            args = self.placed(method.name, args)
        # Who may is asked by the leader; another server only passes it on.
        if self.authority.on_duty and self.is_ours(args.Datacenter) and not self.learner.ready(args.Token):
            self._start(self._learn_and_write(waiter, method, args))
        else:
            super().write(waiter, method, args)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)

    async def _learn_and_write(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        try:
            await self.learner.learn(args.Token)
            super().write(waiter, method, args)
        except Exception as error:
            tell_error(waiter, error)

    async def admit(self, method: Any, args: Any) -> None:
        """See `Gate.admit`."""
        await self.learner.learn(args.Token)
        await super().admit(method, args)

    async def call(self, method: CallMethod, args: Any) -> Any:
        """See `features.gate.Gate`."""
        if self.is_ours(args.Datacenter):
            args = self.placed(method.name, args)
        if self.is_ours(args.Datacenter):
            await self.learner.learn(args.Token)
        return await super().call(method, args)


class _LearningReading(GateReading):
    """Finds out who asks before it looks."""

    __slots__ = ()
    _gate: SecondaryGate

    def begin(self) -> None:
        if self._way is None and not self._gate.learner.ready(self._token):
            self._cancel = asyncio.get_running_loop().create_task(self._learn()).cancel
        else:
            super().begin()

    async def _learn(self) -> None:
        try:
            await self._gate.learner.learn(self._token)
            self._cancel = None
            super().begin()
        except Exception as error:
            tell_error(self._waiter, error)

    def _changed(self, view: View) -> None:
        """It may have waited for longer than it is known what the token may do."""
        if self._gate.learner.ready(self._token):
            super()._changed(view)
            return
        self._release()
        self._options = self._options._replace(min_index=0)
        self.begin()
