"""The kits for authors: each passes good plug-ins, and fails each of several bad ones by the test that is for it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from proconsul.plugins import CheckOutcome, LoginRefused, LoginResult, MetricsInterval, SettingsError, WatchChange
from proconsul.plugins import conformance as kits


class _Base:
    api_version: ClassVar[int] = 1

    def __init__(self, settings: Any) -> None:
        self.settings = settings


# ---------------------------------------------------------------------- good ones


class Port(msgspec.Struct):
    address: str
    wait: bool = False


class ConnectCheck(_Base):
    """In the loop."""

    Settings = Port

    async def check(self, timeout_s: float) -> CheckOutcome:
        host, _, port = self.settings.address.rpartition(":")
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(host, int(port))
                try:
                    if self.settings.wait:
                        await reader.read(1)
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            return CheckOutcome("critical", str(error))
        return CheckOutcome("passing", "connected")


class PlainConnectCheck(_Base):
    """On a thread."""

    Settings = Port

    def check(self, timeout_s: float) -> CheckOutcome:
        host, _, port = self.settings.address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout_s) as connection:
                if self.settings.wait:
                    connection.recv(1)
        except OSError as error:
            return CheckOutcome("critical", str(error))
        return CheckOutcome("passing")


class Log(_Base):
    def __init__(self, settings: Any) -> None:
        if not isinstance(settings.get("name", ""), str):
            raise SettingsError("name must be a text")
        super().__init__(settings)
        self.seen: list[Any] = []

    def handle(self, change: WatchChange) -> str:
        self.seen.append(change)
        return f"{change.type} at {change.index}"


class AsyncLog(Log):
    async def handle(self, change: WatchChange) -> None:  # type: ignore[override]
        await asyncio.sleep(0)


class Password(_Base):
    variables: ClassVar[Sequence[str]] = ("user",)

    def login(self, bearer: str) -> LoginResult:
        user, _, password = bearer.partition("/")
        if password != "right":
            raise LoginRefused("wrong user or password")
        return LoginResult({"user": user}, {"groups": ["all"]})


class Lines(_Base):
    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.count = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self.count += len(lines)

    def close(self) -> None:
        self.count = 0


class Numbers(_Base):
    async def emit(self, interval: MetricsInterval) -> None:
        await asyncio.sleep(0)


class _Waits(kits.CheckConformance):
    plugin: ClassVar[type] = ConnectCheck
    settings: ClassVar[Mapping[str, Any]] = {"address": "127.0.0.1:1"}
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = [{}, {"address": 1}]

    def hanging_settings(self, address: str) -> Mapping[str, Any]:
        return {"address": address, "wait": True}


class _WaitsOnAThread(_Waits):
    plugin = PlainConnectCheck


class _Handles(kits.WatchHandlerConformance):
    plugin: ClassVar[type] = Log
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = [{"name": 1}]


class _HandlesInTheLoop(_Handles):
    plugin = AsyncLog


class _LogsIn(kits.AuthMethodConformance):
    plugin = Password
    good: ClassVar[Sequence[str]] = ("jane/right",)


class _Writes(kits.AuditSinkConformance):
    plugin = Lines


class _Emits(kits.MetricsSinkConformance):
    plugin = Numbers


GOOD = (_Waits, _WaitsOnAThread, _Handles, _HandlesInTheLoop, _LogsIn, _Writes, _Emits)


def names_of(kit: type) -> list[str]:
    return [name for name in dir(kit) if name.startswith("test_")]


@pytest.mark.parametrize("kit", GOOD, ids=lambda kit: kit.__name__)
def test_good_ones_pass(kit: type) -> None:
    for name in names_of(kit):
        getattr(kit(), name)()


# ---------------------------------------------------------------------- bad ones


class TakesAny(ConnectCheck):
    Settings = dict  # type: ignore[assignment]


class WrongStatus(_Base):
    def check(self, timeout_s: float) -> Any:
        return CheckOutcome("ok")  # type: ignore[arg-type]


class NoOutcome(_Base):
    def check(self, timeout_s: float) -> Any:
        return True


class Floods(_Base):
    def check(self, timeout_s: float) -> CheckOutcome:
        return CheckOutcome("passing", "x" * 1_000_000)


class Raises(_Base):
    def check(self, timeout_s: float) -> CheckOutcome:
        raise RuntimeError("not this time")


class Blocks(_Base):
    async def check(self, timeout_s: float) -> CheckOutcome:
        time.sleep(0.3)  # noqa: ASYNC251 - the fault that is looked for
        return CheckOutcome("passing")


class Swallows(_Base):
    async def check(self, timeout_s: float) -> CheckOutcome:
        for _ in range(1000):
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
            if not self.settings.get("hang"):
                break
        return CheckOutcome("passing")


class IgnoresItsTime(PlainConnectCheck):
    def check(self, timeout_s: float) -> CheckOutcome:
        return super().check(timeout_s + 3.0)


class LeaksTasks(_Base):
    async def check(self, timeout_s: float) -> CheckOutcome:
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        return CheckOutcome("passing")


END = threading.Event()


class LeaksThreads(_Base):
    def check(self, timeout_s: float) -> CheckOutcome:
        threading.Thread(target=END.wait, args=(60,), daemon=True).start()
        return CheckOutcome("passing")


class ChangesSettings(_Base):
    """Its settings are a copy; it goes for the class's."""

    def check(self, timeout_s: float) -> CheckOutcome:
        SHARED["more"] = 1
        return CheckOutcome("passing")


SHARED: dict[str, Any] = {}


class OldVersion(NoOutcome):
    api_version: ClassVar[int] = 7


class LetsAnybodyIn(Password):
    def login(self, bearer: str) -> LoginResult:
        return LoginResult({"user": bearer[:10]})


class TellsTheSecret(Password):
    def login(self, bearer: str) -> LoginResult:
        if bearer == "jane/right":
            return LoginResult({"user": "jane"})
        raise LoginRefused(f"wrong: {bearer}")


class UnlistedValue(Password):
    def login(self, bearer: str) -> LoginResult:
        found = super().login(bearer)
        return LoginResult({**found.values, "color": "red"})


class Crashes(Password):
    def login(self, bearer: str) -> LoginResult:
        bearer.encode("ascii")
        return super().login(bearer)


class NotOneAtATime(_Base):
    """Gives back what nobody asked for."""

    def write(self, lines: Sequence[bytes]) -> int:
        return len(lines)


class DividesByTheDuration(_Base):
    def emit(self, interval: MetricsInterval) -> None:
        assert interval.duration_s > 1, "no such interval"


def kit(base: type, plugin: type, **changes: Any) -> Any:
    return type("_Kit", (base,), {"plugin": plugin, "settings": {}, "bad_settings": (), **changes})


VERDICTS, ENDS = "test_it_lets_in_whom_it_should_and_nobody_else", "test_it_ends_when_it_is_cancelled"
CHECK, LOGIN = kits.CheckConformance, kits.AuthMethodConformance
DOES = "test_it_does_what_its_kind_does"
BAD = [
    (kit(CHECK, OldVersion), "test_it_has_the_shape_of_its_kind", "it is written for api_version 7"),
    (kit(CHECK, ConnectCheck), "test_it_takes_its_settings", "missing required field `address`"),
    (kit(CHECK, NoOutcome, bad_settings=[{"x": 1}]), "test_it_refuses_bad_settings", "it takes the settings {'x': 1}"),
    (kit(CHECK, TakesAny, settings={"address": "127.0.0.1:1"}, bad_settings=[{}]), "test_it_refuses_bad_settings", ""),
    (kit(CHECK, WrongStatus), DOES, "its status must be passing, warning or critical, not 'ok'"),
    (kit(CHECK, NoOutcome), DOES, "it must return a CheckOutcome, and returned something of type bool"),
    (kit(CHECK, Floods), DOES, "its output has 1000000 characters"),
    (kit(CHECK, Raises), DOES, "raises RuntimeError: not this time"),
    (kit(CHECK, Blocks), "test_it_does_not_block_the_event_loop", "keeps the event loop to itself"),
    (kit(CHECK, Swallows, settings={"hang": 1}), ENDS, "does not end when it is cancelled"),
    (kit(_Waits, IgnoresItsTime, settings={"address": "127.0.0.1:1"}), "test_it_keeps_its_time", "after its time"),
    (kit(CHECK, LeaksTasks), "test_it_leaves_nothing_behind", "it leaves tasks behind"),
    (kit(CHECK, LeaksThreads), "test_it_leaves_nothing_behind", "it leaves threads behind"),
    (kit(CHECK, ChangesSettings, settings=SHARED), "test_it_keeps_settings_of_its_own", "it changes the settings"),
    (kit(LOGIN, LetsAnybodyIn), VERDICTS, "lets in who has no good secret"),
    (kit(LOGIN, Password, good=("x/wrong",)), VERDICTS, "refuses a good secret"),
    (kit(LOGIN, TellsTheSecret), VERDICTS, "a refusal shows the secret"),
    (kit(LOGIN, UnlistedValue, good=("x/right",)), DOES, "values that its 'variables' do not list: color"),
    (kit(LOGIN, Crashes), DOES, "raises UnicodeEncodeError"),
    (kit(kits.WatchHandlerConformance, NoOutcome), "test_it_has_the_shape_of_its_kind", "must have a method handle"),
    (kit(kits.AuditSinkConformance, NotOneAtATime), DOES, "it must return None"),
    (kit(kits.MetricsSinkConformance, DividesByTheDuration), DOES, "raises AssertionError: no such interval"),
]  # fmt: skip


@pytest.mark.parametrize(("kit", "test", "text"), BAD, ids=[f"{kit.plugin.__name__}-{test}" for kit, test, _ in BAD])
def test_bad_ones_fail(kit: Any, test: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    END.clear()
    for name, value in (("_ENDED_S", 0.1), ("LATE_S", 0.5), ("TRIES", 2)):
        monkeypatch.setattr(kits, name, value)
    monkeypatch.setattr("proconsul.plugins.calling.GRACE_S", 0.1)
    with pytest.raises(AssertionError) as caught:
        getattr(kit(), test)()
    END.set()
    assert text in str(caught.value)
