"""Tests for a plug-in of one's own, public: what the agent relies on, tried as the agent would, without an agent.

An author's test file has a class of these for each plug-in, with settings that work in a test:

    class TestDisk(CheckConformance):
        plugin = DiskCheck
        settings = {"path": "/"}
        bad_settings = [{"path": 1}]

pytest collects its methods; they need nothing else, and may be called by anything. Each raises AssertionError with a
sentence for the author.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from proconsul.plugins.calling import Plugin, PluginInstance, PluginTimeout
from proconsul.plugins.foreign import shown
from proconsul.plugins.kinds import PluginKind
from proconsul.plugins.protocols import (
    CheckOutcome,
    LoginRefused,
    LoginResult,
    Metric,
    MetricsInterval,
    SettingsError,
    WatchChange,
)
from proconsul.plugins.shape import METHODS, problem_of, settings_of

__all__ = [
    "AuditSinkConformance", "AuthMethodConformance", "CheckConformance", "MetricsSinkConformance",
    "WatchHandlerConformance",
]  # fmt: skip

T = TypeVar("T")

# So long an ``async def`` method may keep the event loop to itself; more is felt by everybody the agent serves.
BLOCKED_S: Final = 0.25
# A machine that is busy with other things looks like a method that blocks, but not every time.
TRIES: Final = 3
# How much longer than its time-out a plain check may take to come back.
LATE_S: Final = 5.0
_ENDED_S: Final = 5.0


class _Conformance:
    """What all kinds have in common. ``plugin``: the class; ``settings``: with which it works in a test;
    ``bad_settings``: which it must refuse; ``timeout_s``: what each of its calls may take; ``threads``: how many of its
    own it may leave running."""

    kind: ClassVar[PluginKind]
    plugin: ClassVar[type]
    settings: ClassVar[Mapping[str, Any]] = {}
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    timeout_s: ClassVar[float] = 10.0
    threads: ClassVar[int] = 0
    # Whether the agent has several calls of one object under way.
    _overlaps: ClassVar[bool] = True

    def arguments(self) -> Sequence[Any]:
        """What it is called with, the usual and the odd."""
        return ()

    def hanging_settings(self, address: str) -> Mapping[str, Any] | None:
        """Settings with which a call has to wait: ``address`` (``host:port``) accepts connections and says nothing.
        None when the plug-in waits for nobody."""
        return None

    # ------------------------------------------------------------------ the tests

    def test_it_has_the_shape_of_its_kind(self) -> None:
        problem = problem_of(self.kind, self.plugin)
        assert not problem, f"{self.plugin.__name__}: {problem}"

    def test_it_takes_its_settings(self) -> None:
        try:
            settings_of(self.plugin, self.settings)
        except ValueError as error:
            raise AssertionError(f"it does not take the settings of the test: {error}") from None
        self._run(lambda instance: instance.ready())

    def test_it_keeps_settings_of_its_own(self) -> None:
        before = repr(self.settings)
        self._run(self._all_calls)
        assert repr(self.settings) == before, "it changes the settings that it was given"

    def test_it_refuses_bad_settings(self) -> None:
        for bad in self.bad_settings:
            try:
                decoded = settings_of(self.plugin, bad)
            except ValueError:
                continue
            try:
                self.plugin(decoded)
            except SettingsError as error:
                assert str(error), f"it refuses the settings {bad!r} without a word"
                continue
            except Exception as error:
                raise AssertionError(
                    f"for the settings {bad!r} it raises {shown(error)}; a SettingsError says that they are to blame"
                ) from error
            raise AssertionError(f"it takes the settings {bad!r}")

    def test_it_does_what_its_kind_does(self) -> None:
        self._run(self._all_calls)

    def test_calls_may_overlap(self) -> None:
        if self._overlaps:
            self._run(self._overlapping)

    def test_it_does_not_block_the_event_loop(self) -> None:
        if not inspect.iscoroutinefunction(self._method(self.plugin)):
            return  # it runs on a thread
        for argument in self.arguments():
            longest = min(self._longest_step(argument) for _ in range(TRIES))
            assert longest < BLOCKED_S, (
                f"{self._shown(argument)} keeps the event loop to itself for {longest:.2f} s: what blocks belongs into "
                "a plain method, which runs on a thread"
            )

    def test_it_ends_when_it_is_cancelled(self) -> None:
        with _silence() as address:
            hanging = self.hanging_settings(address)
            for settings in (self.settings, *((hanging,) if hanging is not None else ())):
                self._run(self._cancelled, settings)

    def test_it_keeps_its_time(self) -> None:
        with _silence() as address:
            settings = self.hanging_settings(address)
            if settings is not None:
                self._run(self._in_time, settings)

    def test_it_leaves_nothing_behind(self) -> None:
        before = set(threading.enumerate())
        self._run(self._all_calls, leftovers=True)
        end_s = time.monotonic() + _ENDED_S
        while len(left := [one for one in threading.enumerate() if one not in before]) > self.threads:
            assert time.monotonic() < end_s, f"it leaves threads behind: {', '.join(one.name for one in left)}"
            time.sleep(0.01)

    # ------------------------------------------------------------------ how

    def _problem_of_result(self, found: Any) -> str:
        """What is wrong with what a call returned."""
        raise AssertionError("of a kind")

    def _may_raise(self, error: Exception) -> bool:
        """Whether raising ``error`` is an answer of this kind."""
        return False

    def _call_timeout_s(self, argument: Any) -> float:
        return self.timeout_s

    def _method(self, thing: Any) -> Any:
        return getattr(thing, METHODS[self.kind][0])

    def _shown(self, argument: Any) -> str:
        text = repr(argument)
        return f"{METHODS[self.kind][0]}({text if len(text) < 100 else text[:100] + '...'})"

    def _run(
        self, work: Callable[[PluginInstance], Awaitable[object]], settings: Mapping[str, Any] | None = None, *,
        leftovers: bool = False,
    ) -> None:  # fmt: skip
        """``work`` with an object of the plug-in, as the agent has one. ``leftovers``: look for tasks that are left."""

        async def run() -> None:
            plugin = Plugin(self.kind, "under-test", self.plugin)
            given = self.settings if settings is None else settings
            instance = PluginInstance(plugin, settings_of(self.plugin, given), "conformance")
            tasks = asyncio.all_tasks()
            try:
                await work(instance)
            finally:
                await instance.close()
                plugin.stop()
            left = [task.get_name() for task in asyncio.all_tasks() - tasks]
            assert not (leftovers and left), f"it leaves tasks behind: {', '.join(left)}"
            assert not plugin.let_go, "a call does not end when it is cancelled"

        asyncio.run(run())

    async def _all_calls(self, instance: PluginInstance) -> None:
        for argument in self.arguments():
            await self._one_call(instance, argument)

    async def _one_call(self, instance: PluginInstance, argument: Any) -> None:
        timeout_s = self._call_timeout_s(argument)
        try:
            found = await instance.call(METHODS[self.kind][0], argument, timeout_s=timeout_s)
        except PluginTimeout:
            raise AssertionError(f"{self._shown(argument)} has not ended within {timeout_s:g} s") from None
        except Exception as error:
            if self._may_raise(error):
                return
            raise AssertionError(f"{self._shown(argument)} raises {shown(error)}") from error
        problem = self._problem_of_result(found)
        assert not problem, f"{self._shown(argument)}: {problem}"

    async def _overlapping(self, instance: PluginInstance) -> None:
        async with asyncio.TaskGroup() as group:
            for argument in self.arguments():
                for _ in range(2):
                    group.create_task(self._one_call(instance, argument))

    def _longest_step(self, argument: Any) -> float:
        longest = 0.0

        async def run() -> None:
            nonlocal longest
            made = self.plugin(settings_of(self.plugin, self.settings))
            metered = _Metered(self._method(made)(argument))
            with contextlib.suppress(Exception):  # what it raises is another test's concern
                await metered
            longest = metered.longest_s
            close = getattr(made, "close", None)
            if close is not None and inspect.isawaitable(closing := close()):
                await closing

        asyncio.run(run())
        return longest

    async def _cancelled(self, instance: PluginInstance) -> None:
        """Cancel each call at its first waits; afterwards the object works as before, or as its errors say."""
        await instance.ready()
        for argument in self.arguments():
            for turns in (0, 1, 2, 5):
                call = asyncio.ensure_future(self._ignored(instance, argument))
                for _ in range(turns):
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.wait([call])
                assert not instance.plugin.let_go, f"{self._shown(argument)} does not end when it is cancelled"

    async def _ignored(self, instance: PluginInstance, argument: Any) -> None:
        with contextlib.suppress(Exception):
            await instance.call(METHODS[self.kind][0], argument, timeout_s=self.timeout_s)

    async def _in_time(self, instance: PluginInstance) -> None:
        """A call that has to wait for ever ends: by itself when it is plain, or when it is cancelled."""
        timeout_s = 0.2
        for argument in self.arguments()[:1]:
            with contextlib.suppress(Exception):
                await instance.call(METHODS[self.kind][0], self._hurried(argument, timeout_s), timeout_s=timeout_s)
            end_s = time.monotonic() + timeout_s + LATE_S
            while instance.plugin.workers.running:
                assert time.monotonic() < end_s, (
                    f"{self._shown(argument)} is still running {LATE_S:g} s after its time: a thread cannot be "
                    "cancelled, so a plain method must watch its time itself"
                )
                await asyncio.sleep(0.01)

    def _hurried(self, argument: Any, timeout_s: float) -> Any:
        """``argument`` as it is when there is only ``timeout_s``."""
        return argument


class _Metered:
    """Awaits a coroutine and measures its longest step."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self.longest_s = 0.0

    def __await__(self) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        while True:
            began_s = time.monotonic()
            try:
                waited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration as done:
                return done.value
            finally:
                self.longest_s = max(self.longest_s, time.monotonic() - began_s)
            try:
                yield waited
                error = None
            except BaseException as thrown:
                error = thrown


@contextlib.contextmanager
def _silence() -> Iterator[str]:
    """The address of somebody who accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"{host}:{port}"


class CheckConformance(_Conformance):
    """Of a health check. ``output_characters_max``: more output is for nobody, as an agent keeps 4 KiB."""

    kind = PluginKind.CHECKS
    output_characters_max: ClassVar[int] = 64 * 1024

    def arguments(self) -> Sequence[float]:
        """Time-outs."""
        return (self.timeout_s,)

    def _hurried(self, argument: Any, timeout_s: float) -> float:
        return timeout_s

    def _problem_of_result(self, found: Any) -> str:
        if not isinstance(found, CheckOutcome):
            return f"it must return a CheckOutcome, and returned something of type {type(found).__name__}"
        if found.status not in ("passing", "warning", "critical"):
            return f"its status must be passing, warning or critical, not {found.status!r}"
        if not isinstance(found.output, str):
            return f"its output must be a text, not of type {type(found.output).__name__}"
        if len(found.output) > self.output_characters_max:
            return f"its output has {len(found.output)} characters; the agent keeps the last 4096 bytes"
        return ""


class WatchHandlerConformance(_Conformance):
    """Of a watch handler. ``changes``: results of the watches it is for."""

    kind = PluginKind.WATCH_HANDLERS
    changes: ClassVar[Sequence[WatchChange]] = ()

    def arguments(self) -> Sequence[WatchChange]:
        """``changes``, and a key: not there, there, and with what no text is."""
        key = {"Key": "a/ü", "Value": "AP8=", "Flags": 2**64 - 1, "CreateIndex": 1, "ModifyIndex": 2, "LockIndex": 0}
        return self.changes or (WatchChange("key", 1, None), WatchChange("key", 2, key), WatchChange("services", 3, {}))

    def _problem_of_result(self, found: Any) -> str:
        if found is None or isinstance(found, str):
            return ""
        return f"it must return a text or None, and returned something of type {type(found).__name__}"


class AuthMethodConformance(_Conformance):
    """Of an auth method. ``good``: secrets that it takes; all others it is tried with it must refuse."""

    kind = PluginKind.AUTH_METHODS
    good: ClassVar[Sequence[str]] = ()

    def arguments(self) -> Sequence[str]:
        """Secrets, most of them nobody's."""
        return (
            *self.good,
            "",
            " ",
            "nobody",
            "a:b",
            "\x00",
            "ü\U0001f511",
            "x" * 65536,
            "a.b.c",
            "{}",
            "'; --",
            "\r\n",
        )

    def _may_raise(self, error: Exception) -> bool:
        return isinstance(error, LoginRefused)

    def _problem_of_result(self, found: Any) -> str:
        if not isinstance(found, LoginResult):
            return f"it must return a LoginResult, and returned something of type {type(found).__name__}"
        variables = set(getattr(self.plugin, "variables", ()))
        if extra := sorted(set(found.values) - variables):
            return f"it returns values that its 'variables' do not list: {', '.join(extra)}"
        if not all(isinstance(text, str) for text in found.values.values()):
            return "all values of a login must be texts"
        lists = found.lists.values()
        if any(isinstance(one, str) or not all(isinstance(text, str) for text in one) for one in lists):
            return "all lists of a login must be lists of texts"
        return ""

    def test_it_lets_in_whom_it_should_and_nobody_else(self) -> None:
        self._run(self._verdicts)

    async def _verdicts(self, instance: PluginInstance) -> None:
        for bearer in self.arguments():
            try:
                await instance.call("login", bearer, timeout_s=self.timeout_s)
                taken = True
            except LoginRefused as error:
                taken = False
                assert bearer not in str(error) or len(bearer) < 4, "a refusal shows the secret"
            if bearer in self.good:
                assert taken, "it refuses a good secret"
            else:
                assert not taken, f"{self._shown(bearer)} lets in who has no good secret"


class AuditSinkConformance(_Conformance):
    """Of an audit sink."""

    kind = PluginKind.AUDIT_SINKS
    _overlaps = False

    def arguments(self) -> Sequence[list[bytes]]:
        """Lines: one, as many as come at a time, a long one."""
        line = b'{"created_at":"2026-01-01T00:00:00Z","event_type":"audit","payload":{}}\n'
        return [line], [line] * 512, [line[:-2] + b',"pad":"' + b"x" * 100_000 + b'"}\n']

    def _problem_of_result(self, found: Any) -> str:
        return "" if found is None else f"it must return None, and returned something of type {type(found).__name__}"


class MetricsSinkConformance(_Conformance):
    """Of a metrics sink."""

    kind = PluginKind.METRICS_SINKS
    _overlaps = False

    def arguments(self) -> Sequence[MetricsInterval]:
        """Intervals: empty, of every kind, many, with odd names and numbers, a short one at a stop."""
        labels = (("le", "ü"), ("path", "/a b"))
        every = (
            Metric("gauge", "consul.state.nodes", (), 1, 3.0, 3.0, 3.0),
            Metric("counter", "consul.rpc.request", labels, 3, 7.0, 1.0, 5.0, 2.3),
            Metric("sample", "consul.http.GET.v1.kv._", (), 2, 1e-9, 0.0, 1e-9, 7e-10),
            Metric("gauge", "x" * 300, labels * 10, 1, -1e300, -1e300, -1e300),
        )
        return (
            MetricsInterval(1_790_000_000.0, 10.0, ()), MetricsInterval(1_790_000_010.0, 10.0, every),
            MetricsInterval(1_790_000_020.0, 10.0, every * 500), MetricsInterval(1_790_000_030.0, 0.001, every[:1]),
        )  # fmt: skip

    def _problem_of_result(self, found: Any) -> str:
        return "" if found is None else f"it must return None, and returned something of type {type(found).__name__}"
