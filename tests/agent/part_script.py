"""Interpreter of the golden scripts in ``testdata/parts*.txt``: the life of an agent's parts.

parts NAME...           an agent of these parts
NAME fails start|stop|commit   by an error of the program
NAME refuses            to run with another configuration
NAME waits              in its start, until it is told to end
NAME lingers            when it takes over another configuration
start / stop            as `main` does it
signal                  a signal to end while the start waits
reload                  through `Reloading`; twice: two at once
cut                     the same, whoever asked goes away in the middle; then the agent ends, and others ask
show                    which parts have begun and not ended, and with which configuration
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Iterator
from typing import Any

import msgspec

from proconsul.agent.config import load
from proconsul.agent.config.runtime import ReloadableConfig, RuntimeConfig
from proconsul.agent.part import Commit, Part, Parts
from proconsul.agent.reloading import Reloading
from proconsul.agent.signals import Signals
from proconsul.features.errors import ConsulError


class Player(Part):
    """A part that says what happens to it, and does as the script says."""

    def __init__(self, name: str, say: Any) -> None:
        self.name, self.say = name, say
        self.fails: set[str] = set()
        self.begun = False
        self.level = "INFO"

    def _do(self, what: str) -> None:
        self.say(f"{self.name}  {what}")
        if what in self.fails:
            raise RuntimeError(f"{self.name} has a fault")

    async def start(self) -> None:
        self.begun = True  # whatever comes now, something may have to be closed
        if "wait" in self.fails:
            self.say(f"{self.name}  waits")
            await asyncio.Event().wait()
        self._do("start")

    async def _later(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        self.say(f"{self.name}  has it")

    async def stop(self) -> None:
        if self.begun:
            self.begun = False
            self._do("stop")

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        self.say(f"{self.name}  plan")
        if "plan" in self.fails:
            raise ConsulError(f"{self.name} cannot run with it")

        def commit() -> Awaitable[object] | None:
            self._do("commit")
            self.level = config.log_level
            return self._later() if "linger" in self.fails else None

        return commit


class PartScript:
    """State between the blocks of one script; also what `Signals` needs of an agent."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.players: dict[str, Player] = {}
        self.loads = 0
        self.metrics: Any = None
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, text: str) -> str:
        """Run a block; returns its trace."""
        self.out = []
        handler = logging.Handler()
        handler.emit = lambda record: self.out.append(f"log   {record.getMessage()}")  # type: ignore[method-assign]
        logger = logging.getLogger("agent")
        before = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        try:
            for line in text.splitlines():
                await self._do(line.split())
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)
        return "\n".join(self.out) or "(nothing)"

    async def _do(self, words: list[str]) -> None:
        if words[0] in self.players:
            what = {"refuses": "plan", "waits": "wait", "lingers": "linger"}.get(words[1]) or words[2]
            self.players[words[0]].fails.add(what)
            return
        try:
            await getattr(self, f"do_{words[0]}")(*words[1:])
        except Exception as error:
            self.out.append(f"{words[0]}: {type(error).__name__}: {error}")

    async def do_parts(self, *names: str) -> None:
        self.players = {name: Player(name, self._say) for name in names}
        self.parts = Parts(list(self.players.values()))
        self.reloading = Reloading(load({"dev": True})[0], self.parts, self._read, self._held)

    def _say(self, text: str) -> None:
        self.out.append(text)

    def _read(self, current: RuntimeConfig) -> RuntimeConfig:
        self.loads += 1
        config = msgspec.structs.replace(current.reloadable, log_level=f"LEVEL{self.loads}")
        return msgspec.structs.replace(current, reloadable=config)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        self.out.append("      held back")
        try:
            yield
        finally:
            self.out.append("      let go")

    @property
    def config(self) -> RuntimeConfig:
        return self.reloading.config

    async def reload(self) -> None:
        await self.reloading.reload()

    async def leave(self) -> None:
        """Nobody has to be told."""

    async def do_start(self) -> None:
        await self.parts.start()

    async def do_stop(self) -> None:
        await self.parts.stop()

    async def do_signal(self) -> None:
        signals = Signals(self, running=False)
        try:
            asyncio.get_running_loop().call_soon(signals._finish, 1)
            begun = await signals.start(self.parts.start())
            self.out.append(f"begun: {begun}, exit code {await signals.wait()}")
            await self.parts.stop()
        finally:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
                asyncio.get_running_loop().remove_signal_handler(number)

    async def do_reload(self, times: str = "once") -> None:
        await asyncio.gather(*(self.reload() for _ in range(2 if times == "twice" else 1)))

    async def do_cut(self) -> None:
        task = asyncio.ensure_future(self.reload())
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        self.out.append(f"      cut short: {type(ended[0]).__name__}")
        await self.reloading.finish()
        await self.reload()

    async def do_show(self) -> None:
        for name, player in self.players.items():
            self.out.append(f"{name}  {'begun' if player.begun else 'ended'} {player.level}")
        self.out.append(f"in force: {self.config.reloadable.log_level}")
