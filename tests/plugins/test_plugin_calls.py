"""Calls of plug-ins, in the loop or on threads, within their time; and what loading survives."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.agent.checks.plugin import result_of
from proconsul.agent.checks.status import CheckStatus
from proconsul.features.acl.auth.plugin import problem_of_login
from proconsul.plugins import LoginResult, PluginKind, SettingsError
from proconsul.plugins.calling import Plugin, PluginInstance, PluginTimeout
from proconsul.plugins.foreign import shown
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError
from proconsul.plugins.workers import THREADS_MAX, WorkerDied
from support.distributions import FakeDistributions
from support.patience import PATIENCE_S

KIND = PluginKind.CHECKS


class Anything:
    """A plug-in whose method is its settings."""

    def __init__(self, settings: Any) -> None:
        if isinstance(settings, BaseException):
            raise settings


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    """What hanging threads wait for; they end with the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
async def plugin(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("proconsul.plugins.calling.GRACE_S", 0.1)
    made = Plugin(KIND, "any", Anything)
    yield made
    made.stop()


async def test_where_methods_run(plugin: Plugin) -> None:
    loop_thread = threading.current_thread().name

    def plain(a: int) -> tuple[int, str]:
        return a, threading.current_thread().name

    async def in_the_loop(a: int) -> tuple[int, str]:
        await asyncio.sleep(0)
        return a, threading.current_thread().name

    assert await plugin.call(plain, 1, timeout_s=PATIENCE_S) == (1, "plugin-checks-any-1")
    assert await plugin.call(in_the_loop, 2, timeout_s=PATIENCE_S) == (2, loop_thread)
    # What a plain method gives back to be awaited is awaited in the loop.
    assert await plugin.call(lambda: in_the_loop(3), timeout_s=PATIENCE_S) == (3, loop_thread)


async def test_a_plain_method_does_not_block_the_loop(plugin: Plugin, hold: threading.Event) -> None:
    calls = [asyncio.ensure_future(plugin.call(hold.wait, timeout_s=PATIENCE_S)) for _ in range(THREADS_MAX + 3)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert plugin.workers.running == THREADS_MAX  # the others wait for a thread
    hold.set()
    assert await asyncio.gather(*calls) == [True] * len(calls)
    assert plugin.workers.running == 0


async def test_hanging_threads_are_few_and_given_up(hold: threading.Event, caplog: pytest.LogCaptureFixture) -> None:
    plugin = Plugin(KIND, "any", Anything)
    for number in range(THREADS_MAX + 2):
        with pytest.raises(PluginTimeout, match='plug-in "any" has not answered within') as caught:
            await plugin.call(hold.wait, timeout_s=0.02)
        assert ("calls have not come back" in str(caught.value)) == (number > 0)
    assert plugin.workers.running == THREADS_MAX
    plugin.stop()
    assert f"kind=checks name=any calls={THREADS_MAX}" in caplog.text
    # Others of the agent are not held up by it.
    other = Plugin(KIND, "other", Anything)
    assert await other.call(lambda: 1, timeout_s=PATIENCE_S) == 1
    other.stop()


class Cancelled:
    """What a coroutine makes of being cancelled."""

    def __init__(self) -> None:
        self.cleaned = False

    async def ends(self) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            self.cleaned = True

    async def swallows_once(self) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return "late"

    async def swallows_always(self) -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    async def swallows_everything(self) -> None:
        for _ in range(100):  # not for ever: the garbage collector ends it, too
            try:
                await asyncio.sleep(3600)
            except BaseException:
                continue


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("method", "let_go"), [("ends", 0), ("swallows_once", 0), ("swallows_always", 1), ("swallows_everything", 1)]
)
async def test_coroutines_that_take_too_long(plugin: Plugin, method: str, let_go: int) -> None:
    odd = Cancelled()
    tasks = asyncio.all_tasks()
    with pytest.raises(PluginTimeout):
        await plugin.call(getattr(odd, method), timeout_s=0.02)
    assert plugin.let_go == let_go
    assert odd.cleaned == (method == "ends")
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= tasks  # nothing is left behind
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("method", ["ends", "swallows_once", "swallows_always", "swallows_everything"])
async def test_who_calls_may_be_cancelled(plugin: Plugin, method: str) -> None:
    tasks = asyncio.all_tasks()
    call = asyncio.ensure_future(plugin.call(getattr(Cancelled(), method), timeout_s=PATIENCE_S))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= tasks
    gc.collect()


def _raiser(error: BaseException) -> Callable[[], None]:
    def raises() -> None:
        raise error

    return raises


ERRORS: list[tuple[BaseException, type[BaseException]]] = [
    (ValueError("x"), ValueError), (StopIteration(1), RuntimeError), (SystemExit(3), WorkerDied),
    (KeyboardInterrupt(), WorkerDied), (GeneratorExit(), WorkerDied), (asyncio.CancelledError(), RuntimeError),
    (TimeoutError("mine"), TimeoutError), (RecursionError(), RecursionError), (MemoryError(), MemoryError),
]  # fmt: skip


@pytest.mark.parametrize(("error", "seen"), ERRORS, ids=repr)
async def test_what_plain_methods_raise(plugin: Plugin, error: BaseException, seen: type[BaseException]) -> None:
    with pytest.raises(seen) as caught:
        await plugin.call(_raiser(error), timeout_s=PATIENCE_S)
    assert isinstance(caught.value, Exception) and not isinstance(caught.value, PluginError)
    assert await plugin.call(lambda: 1, timeout_s=PATIENCE_S) == 1


class Ends(BaseException):
    """Neither an error nor what ends programs."""


@pytest.mark.parametrize("waits", [0, 2])
@pytest.mark.parametrize(
    ("error", "seen"),
    [*((error, Exception) for error, _ in ERRORS), (Ends("x"), WorkerDied), (SystemExit(3), WorkerDied)], ids=repr,
)  # fmt: skip
async def test_what_coroutines_raise(
    plugin: Plugin, error: BaseException, seen: type[BaseException], waits: int
) -> None:  # fmt: skip
    async def raises() -> None:
        for _ in range(waits):
            await asyncio.sleep(0)
        raise error

    with pytest.raises(seen) as caught:
        await plugin.call(raises, timeout_s=PATIENCE_S)
    assert isinstance(caught.value, Exception)
    current = asyncio.current_task()
    assert current is not None and not current.cancelling()
    if isinstance(error, asyncio.CancelledError):
        assert str(caught.value) == 'plug-in "any" has cancelled itself'


async def test_errors_that_come_too_late_are_nobodys(plugin: Plugin, caplog: pytest.LogCaptureFixture) -> None:
    async def late() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise OSError("too late")

    with pytest.raises(PluginTimeout):
        await plugin.call(late, timeout_s=0.02)
    gc.collect()
    assert "never retrieved" not in caplog.text


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_errors_are_shown_as_one_text() -> None:
    assert shown(ValueError("x" * 5000)) == f"ValueError: {'x' * 1024}..."
    assert shown(ValueError()) == "ValueError"
    assert shown(Silent()) == "Silent: an error that cannot say what it is"


async def test_instances_are_made_again_after_a_failure(plugin: Plugin, caplog: pytest.LogCaptureFixture) -> None:
    for raised, text in (
        (SettingsError("no path"), 'plug-in "any": no path'),
        (OSError("refused"), 'plug-in "any" cannot be made: OSError: refused'),
    ):
        instance = PluginInstance(plugin, raised, "check x")
        for _ in range(2):
            with pytest.raises(PluginError) as caught:
                await instance.ready()
            assert str(caught.value) == text
        instance._settings = None
        made = await instance.ready()
        assert made is await instance.ready()
        await instance.close()  # has none
    assert caplog.text.count("plug-in failed") == 1  # said once, and settings are not the author's to mend


async def test_who_waits_for_an_object_waits_for_one_attempt(
    monkeypatch: pytest.MonkeyPatch, hold: threading.Event
) -> None:
    attempts: list[Any] = []

    class Slow:
        def __init__(self, settings: Any) -> None:
            attempts.append(settings)
            hold.wait(60)

    monkeypatch.setattr("proconsul.plugins.calling.MAKE_TIMEOUT_S", 0.2)
    plugin = Plugin(KIND, "slow", Slow)
    instance = PluginInstance(plugin, None, "x")
    given_up = asyncio.ensure_future(instance.ready())
    calls = [asyncio.ensure_future(instance.call("check", timeout_s=PATIENCE_S)) for _ in range(50)]
    await asyncio.sleep(0)
    given_up.cancel()
    ends = await asyncio.gather(*calls, given_up, return_exceptions=True)
    assert [type(one) for one in ends] == [PluginTimeout] * 50 + [asyncio.CancelledError]
    assert len(attempts) == 1
    hold.set()
    assert isinstance(await instance.ready(), Slow) and len(attempts) == 2
    # Nobody waits for this one, and it goes with the agent.
    hold.clear()
    left = asyncio.ensure_future(PluginInstance(plugin, None, "y").ready())
    await asyncio.sleep(0)
    left.cancel()
    plugin.stop()
    await asyncio.wait([left])
    hold.set()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.sampled_from(["passing", "warning", "critical", *CheckStatus]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    | st.tuples(inner, inner) | st.tuples(st.sampled_from(["passing", "critical"]), st.text(st.characters())),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ANYTHING, st.integers(1, 40))
def test_whatever_a_check_returns_is_a_result_or_none(found: Any, limit: int) -> None:
    result = result_of(found, limit)
    fits = isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], str)
    if result is None:
        assert not fits or found[0] not in ("passing", "warning", "critical")
    else:
        assert fits and result.status == found[0]
        kept = (
            result.output.rpartition("\n...\n")[2]
            if len(found[1].encode("utf-8", "replace")) > limit
            else result.output
        )
        assert len(kept.encode()) <= limit * 3  # a character that was cut is replaced by one of three bytes


@settings(max_examples=60, deadline=None)
@given(
    ANYTHING | st.builds(LoginResult, ANYTHING, ANYTHING)
    | st.builds(
        LoginResult, st.dictionaries(st.sampled_from(["user", "team", "x"]), st.text() | st.integers(), max_size=2),
        st.dictionaries(st.text(), st.lists(st.text() | st.none()) | st.text(), max_size=2),
    )
)  # fmt: skip
def test_whatever_a_login_returns_is_judged(found: Any) -> None:
    problem = problem_of_login(found, frozenset({"user", "team"}))
    if not problem:
        assert isinstance(found, LoginResult) and set(found.values) <= {"user", "team"}
        assert all(isinstance(text, str) for text in found.values.values())
        assert all(isinstance(text, str) for texts in found.lists.values() for text in texts)


def test_a_login_has_bounds() -> None:
    for found in (
        LoginResult({"user": "x" * 70_000}), LoginResult({}, {"g": ["x"] * 40_000}),
        LoginResult({}, {"x" * 70_000: []}),
    ):  # fmt: skip
        assert problem_of_login(found, frozenset({"user"})) == "a login has more than 65536 characters"


MODULES = {
    "fine": """
        class Plugin:
            api_version = 1
            def __init__(self, settings): ...
            def check(self, timeout_s): ...
    """,
    "raises": "raise RuntimeError('at import')\n", "ends": "raise SystemExit(3)\n", "syntax": "def\n",
    "lacks": "import a_module_that_is_nowhere\n", "empty": "", "number": "Plugin = 1\n",
    "old": "class Plugin:\n    api_version = 0\n", "sleeps": "import time\ntime.sleep(1)\nPlugin = 1\n",
}  # fmt: skip


async def test_loading_survives_everything(
    distributions: FakeDistributions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("proconsul.plugins.host.IMPORT_TIMEOUT_S", 0.5)
    points = [f"{name} = plug_{name}:Plugin" for name in MODULES]
    modules = {f"plug_{name}": text for name, text in MODULES.items()}
    distributions.add("many", {"proconsul.checks": [*points, "http = plug_fine:Plugin"], "other": ["x = y:z"]}, modules)
    distributions.add("one", {"proconsul.checks": ["twice = plug_fine:Plugin"]})
    distributions.add("two", {"proconsul.checks": ["twice = plug_fine:Plugin", "nowhere = plug_gone:Plugin"]})
    distributions.add("odd", {"proconsul.checks": ["target = not a target"], "proconsul.nothing": ["x = y:z"]})
    (distributions.folder / "broken-1.0.dist-info").mkdir()
    (distributions.folder / "broken-1.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00 no metadata")
    (distributions.folder / "broken-1.0.dist-info" / "entry_points.txt").write_bytes(b"no [ entry ] points \xff")
    host = PluginHost(["*"])
    time_before = time.monotonic()
    await host.load([])
    assert time.monotonic() - time_before < PATIENCE_S
    report = {one.name: one for one in await host.report()}
    assert report["fine"].state == "loaded"
    assert (report["fine"].distribution, report["fine"].version) == ("many", "1.0")
    wanted = {
        "raises": "its import failed: RuntimeError: at import", "ends": "its import failed: SystemExit: 3",
        "syntax": "its import failed: SyntaxError", "lacks": "its import failed: ModuleNotFoundError: No module named",
        "empty": "its import failed: AttributeError", "number": "it must be a class, not an int",
        "old": "it is written for api_version 0", "sleeps": "its import has not come back within 0.5 s",
        "http": "its name is that of a built-in of checks", "twice": "several have its name",
        "nowhere": "its import failed: ModuleNotFoundError", "target": "its import failed",
    }  # fmt: skip
    for name, text in wanted.items():
        assert report[name].state == "broken" and text in report[name].problem, report[name]
        with pytest.raises(PluginError, match="cannot be used"):
            host.plugin(KIND, name)
    assert "plug-in is left out: kind=checks name=raises distribution=many" in caplog.text
    assert set(report) == {"fine", *wanted}
    host.stop()


async def test_looking_imports_nothing(distributions: FakeDistributions) -> None:
    distributions.add("many", {"proconsul.checks": ["ends = plug_ends:Plugin"]}, {"plug_ends": MODULES["ends"]})
    for allow, state in ((None, "not loaded"), ([], "not allowed")):
        host = PluginHost(allow)
        await host.load([])
        [one] = await host.report()
        assert (one.state, one.problem, one.target) == (state, "", "plug_ends:Plugin")
        host.stop()
