"""The registry of running checks: start, replace and stop by check id.

One timer drives all periodic checks and TTLs; a task exists only while a check runs. Stopping cancels the run, and a
cancelled script kills its whole process group, so nothing outlives the agent.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from proconsul.agent.checks.alias import AliasFollower, AliasLookup, AliasState
from proconsul.agent.checks.base import CheckNotify, DefaultTlsContexts, Probe, ProbeResult, TlsContexts
from proconsul.agent.checks.definition import INTERVAL_NS_MIN, CheckKind, RunnableCheck
from proconsul.agent.checks.output import OUTPUT_BYTES_MAX, output_limit
from proconsul.agent.checks.probes import make_probe
from proconsul.agent.checks.scheduler import CONCURRENT_MAX, Schedule
from proconsul.agent.checks.status import CheckStatus, StatusCounter
from proconsul.agent.checks.ttl import TtlState
from proconsul.engine.wire.durations import SECOND_NS, format_duration
from proconsul.engine.wire.text import quoted
from proconsul.plugins.host import PluginHost

__all__ = ["CheckLog", "CheckRunners", "Held", "NoTtlError"]

# How long ``close`` waits for cancelled runs; they only have to close sockets and reap killed children.
_CLOSE_TIMEOUT_S: Final = 5.0


class NoTtlError(LookupError):
    """A report for a check that has no TTL. ``str()`` is Consul's text."""


class CheckLog(Protocol):
    """Where the checks write their log lines: level, sentence, fields."""

    def __call__(self, level: str, message: str, **fields: object) -> None: ...


def _silent(level: str, message: str, **fields: object) -> None:
    """The default log: none."""


@dataclass
class _Running:
    """One started check."""

    check: RunnableCheck
    counter: StatusCounter
    probe: Probe | None = None
    ttl: TtlState | None = None
    task: asyncio.Task[None] | None = None
    published: tuple[str, str] = field(default=("", ""))


class Held(NamedTuple):
    """A check as it ran: to be put back in place of what replaced it. ``at_s`` is a TTL's deadline (loop time)."""

    running: _Running
    at_s: float | None


class CheckRunners:
    """All checks of one agent. Use it on the event loop's thread only."""

    def __init__(
        self,
        notify: CheckNotify,
        *,
        rng: random.Random | None = None,
        output_bytes_max: int = OUTPUT_BYTES_MAX,
        tls: TlsContexts | None = None,
        aliases: AliasState | None = None,
        remote_aliases: AliasLookup | None = None,
        log: CheckLog = _silent,
        concurrent_max: int = CONCURRENT_MAX,
        plugins: PluginHost | None = None,
    ) -> None:
        self._notify = notify
        self._rng = rng or random.Random()
        self._output_bytes_max = output_bytes_max
        self._tls = tls or DefaultTlsContexts()
        self._aliases = aliases
        self._remote_aliases = remote_aliases
        self._log = log
        self._plugins = plugins
        self._checks: dict[str, _Running] = {}
        self._schedule = Schedule(self._rng, concurrent_max)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    # ------------------------------------------------------------------------------------------------- registry

    def configure(self, output_bytes_max: int, tls: TlsContexts) -> None:
        """What checks that are started from now on use."""
        self._output_bytes_max, self._tls = output_bytes_max, tls

    def start(self, check_id: str, check: RunnableCheck) -> None:
        """Start or replace a check."""
        assert not self._closed, "the registry is closed"
        definition, kind = check.definition, check.kind
        if kind is not CheckKind.ALIAS and 0 < definition.Interval < INTERVAL_NS_MIN:
            minimum = format_duration(INTERVAL_NS_MIN)
            self._log("WARN", f"check has interval below minimum: minimum_interval={minimum}", check=check_id)
        self.stop(check_id)
        limit = output_limit(definition.OutputMaxSize, self._output_bytes_max)
        counter = StatusCounter(
            definition.SuccessBeforePassing, definition.FailuresBeforeCritical, definition.FailuresBeforeWarning
        )
        running = _Running(check, counter)
        self._checks[check_id] = running
        now_s = self._now()
        if kind is CheckKind.TTL:
            running.ttl = TtlState(definition.TTL / SECOND_NS, limit)
            self._schedule.add_deadline(check_id, now_s + running.ttl.ttl_s)
        elif kind is CheckKind.ALIAS:
            self._start_alias(check_id, running)
        else:
            running.probe = make_probe(check, limit, self._tls, self._plugins)
            self._schedule.add(check_id, check.interval_s, now_s)
        self._arm()

    def stop(self, check_id: str) -> None:
        """Stop a check and whatever it is running. Unknown ids are fine."""
        running = self._checks.pop(check_id, None)
        if running is None:
            return
        self._schedule.remove(check_id)
        if running.task is not None:
            running.task.cancel()
        self._arm()

    def hold(self, check_id: str) -> Held | None:
        """The check as it runs now, for `put_back`; None when there is none. It goes on."""
        running = self._checks.get(check_id)
        return Held(running, self._schedule.deadline(check_id)) if running is not None else None

    def put_back(self, check_id: str, held: Held) -> None:
        """Run ``held`` again with its counters; a TTL has what was left of its time."""
        self.stop(check_id)
        running = held.running
        self._checks[check_id] = running
        if running.ttl is not None:
            if held.at_s is not None:  # else it has run out, and said so
                self._schedule.add_deadline(check_id, held.at_s)
        elif running.probe is None:
            self._start_alias(check_id, running)
        else:
            self._schedule.add(check_id, running.check.interval_s, self._now())
        self._arm()

    def __contains__(self, check_id: object) -> bool:
        return check_id in self._checks

    def __len__(self) -> int:
        return len(self._checks)

    def counts(self) -> dict[CheckKind, int]:
        """How many run of each kind."""
        return Counter(running.check.kind for running in self._checks.values())

    async def close(self) -> None:
        """Stop everything and wait until no run and no child process is left."""
        self._closed = True
        for check_id in list(self._checks):
            self.stop(check_id)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_TIMEOUT_S)

    # ------------------------------------------------------------------------------------------------------ TTL

    def report(self, check_id: str, status: CheckStatus, output: str) -> str:
        """A TTL check's owner reports: publish and start its time anew. Returns the output within the check's limit.

        Raises NoTtlError.
        """
        running = self._checks.get(check_id)
        if running is None or running.ttl is None:
            raise NoTtlError(f"CheckID {quoted(check_id)} does not have associated TTL")
        result = running.ttl.report(status, output)
        self._log("DEBUG", "Check status updated", check=check_id, status=status.value)
        self._schedule.add_deadline(check_id, self._now() + running.ttl.ttl_s)
        self._arm()
        self._notify.update_check(check_id, result.status.value, result.output)
        return result.output

    def ttl_s(self, check_id: str) -> float | None:
        """The time a TTL check has between two reports; None for other checks."""
        running = self._checks.get(check_id)
        return running.ttl.ttl_s if running is not None and running.ttl is not None else None

    def _expire(self, check_id: str) -> None:
        running = self._checks[check_id]
        assert running.ttl is not None
        result = running.ttl.expired()
        self._log("WARN", "Check missed TTL, is now critical", check=check_id)
        self._notify.update_check(check_id, result.status.value, result.output)

    # ---------------------------------------------------------------------------------------------------- alias

    def _start_alias(self, check_id: str, running: _Running) -> None:
        assert self._aliases is not None, "alias checks need the local state"

        def publish(result: ProbeResult) -> None:
            if self._checks.get(check_id) is running and running.published != result:
                running.published = (result.status.value, result.output)
                self._notify.update_check(check_id, result.status.value, result.output)

        follower = AliasFollower(
            check_id,
            running.check.definition.AliasNode,
            running.check.definition.AliasService,
            self._aliases,
            self._remote_aliases,
            publish,
            self._rng,
        )
        running.task = self._spawn(follower.run())

    # ----------------------------------------------------------------------------------------------------- runs

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _arm(self) -> None:
        """Set the one timer to the earliest deadline."""
        at_s = None if self._closed else self._schedule.next_deadline()
        if self._timer is not None and at_s == self._timer_at_s:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at_s = at_s
        if at_s is not None:
            self._timer = asyncio.get_running_loop().call_at(at_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        # The clock may be read a hair before the deadline we were woken for.
        now_s = max(self._now(), self._timer_at_s or 0.0)
        runs, expired = self._schedule.due(now_s)
        for check_id in expired:
            self._expire(check_id)
        self._launch(runs)
        self._arm()

    def _launch(self, runs: list[tuple[str, int]]) -> None:
        for check_id, ticket in runs:
            running = self._checks[check_id]
            running.task = self._spawn(self._run(check_id, ticket, running))

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, check_id: str, ticket: int, running: _Running) -> None:
        assert running.probe is not None
        try:
            result = await running.probe.run()
            if self._checks.get(check_id) is running:
                self._observe(check_id, running, result)
        finally:
            running.task = None
            waiting = self._schedule.finished(check_id, ticket, self._now())
            if not self._closed:
                self._launch(waiting)
                self._arm()

    def _observe(self, check_id: str, running: _Running, result: ProbeResult) -> None:
        status = running.counter.observe(result.status)
        if status is None:
            self._log("DEBUG", "Check result below its threshold", check=check_id, status=result.status.value)
            return
        if status is CheckStatus.CRITICAL:
            self._log("WARN", "Check is now critical", check=check_id)
        else:
            self._log("DEBUG", "Check status updated", check=check_id, status=status.value)
        self._notify.update_check(check_id, status.value, result.output)
