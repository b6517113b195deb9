"""What belongs to a plug-in and raises when it is only looked at: its class, its settings, its errors, its results."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from plugin_world import get, put, status_of

from proconsul.agent.checks.plugin import result_of
from proconsul.features.acl.auth.plugin import plain_login
from proconsul.plugins import LoginResult, PluginKind, SettingsError
from proconsul.plugins.calling import _COMPLAINTS_MAX, Plugin, PluginInstance
from proconsul.plugins.foreign import plain_text, shown, words
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError
from proconsul.plugins.shape import problem_of, settings_of
from proconsul.testing import AgentInLoop
from support.distributions import FakeDistributions
from support.patience import PATIENCE_S

ROOT = "root-secret"
RAISED = [RuntimeError("no"), SystemExit(3), GeneratorExit(), asyncio.CancelledError()]

EVIL = '''
    """Does nothing wrong in its methods, and everything else."""
    import sys

    import msgspec

    from proconsul.plugins import CheckOutcome, LoginRefused, LoginResult, SettingsError

    class Ends(Exception):
        def __str__(self):
            sys.exit(3)

    class Refuses(LoginRefused):
        def __str__(self):
            raise RuntimeError("no words")

    class Text(str):
        __hash__ = str.__hash__
        def __eq__(self, other):
            raise RuntimeError("no comparison")

    class Base:
        api_version = 1
        variables = ("user",)

        class Settings(msgspec.Struct):
            do: str = ""

            def __post_init__(self):
                if self.do == "exit":
                    sys.exit(3)

        def __init__(self, settings):
            self.do = settings.do
            if self.do == "make":
                raise Ends()

    class Check(Base):
        async def check(self, timeout_s):
            if self.do == "text":
                return CheckOutcome(Text("passing"), Text("fine"))
            if self.do == "half":
                raise RuntimeError("\\ud800")
            raise Ends()

    class Login(Base):
        async def login(self, bearer):
            if bearer == "half":
                return LoginResult({"user": "ja\\ud800ne"})
            if bearer == "text":
                return LoginResult({"user": Text("jane")}, {Text("groups"): (Text("staff"),)})
            if bearer.startswith("long"):
                raise LoginRefused("x" * (1024 - len(bearer) // 2) + bearer)
            raise Refuses() if bearer == "refuse" else Ends()

    class Eyes(type):
        def __getattribute__(cls, name):
            sys.exit(3)

    class Looks(metaclass=Eyes):
        pass
'''
DEEP = """
    class Check:
        api_version = 1
        def __init__(self, settings): ...
        def check(self, timeout_s): return ("passing", "")
"""
IMPORT = "class E(Exception):\n    def __str__(self): raise SystemExit(3)\nraise E\n"


@pytest.mark.parametrize("kind", PluginKind)
def test_a_class_that_cannot_be_looked_at(kind: PluginKind) -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise SystemExit(name)

    Looked = Meta("Looked", (), {})
    assert "cannot be looked at: SystemExit" in problem_of(kind, Looked)
    with pytest.raises(ValueError, match="settings: SystemExit"):
        settings_of(Looked, {})


@pytest.mark.parametrize("raised", RAISED, ids=repr)
def test_whatever_is_raised_on_our_side_is_a_word(raised: BaseException) -> None:
    class Given(msgspec.Struct):
        def __post_init__(self) -> None:
            raise raised

    class Factory:
        Settings = Given

    class Error(Exception):
        def __str__(self) -> str:
            raise raised

    class Dictionary(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            raise raised

        def __iter__(self) -> Iterator[str]:
            raise raised

        def __len__(self) -> int:
            return 1

    class Text(str):
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            raise raised

        def encode(self, *args: Any) -> bytes:
            raise raised

    class Pair(tuple[Any, ...]):
        def __iter__(self) -> Iterator[Any]:
            raise raised

    with pytest.raises(ValueError, match="settings: "):
        settings_of(Factory, {})
    assert shown(Error()) == "Error: an error that cannot say what it is"
    found = result_of((Text("passing"), Text("x")), 10)
    assert found is not None and found.status == "passing" and type(found.output) is str
    assert result_of(Pair(("passing", "x")), 10) is None
    with pytest.raises(type(raised)):
        plain_login(LoginResult(Dictionary(), {}))
    plain = plain_login(LoginResult({Text("a"): Text("b")}, {Text("c"): (Text("d"),)}))
    assert {type(text) for text in (*plain.values, *plain.values.values(), *plain.lists, *plain.lists["c"])} == {str}


def test_texts_can_be_sent_and_keep_secrets() -> None:
    assert plain_text("a\ud800b") == "a?b"
    for cut in range(1, 12):
        assert "secr" not in words(ValueError("x" * (1024 - cut) + "secret-token"), "secret-token")


async def test_a_plugin_remembers_no_more_than_it_may() -> None:
    plugin = Plugin(PluginKind.CHECKS, "any", object)
    for number in range(3 * _COMPLAINTS_MAX):
        plugin.complain(f"check {number}", ValueError())
    assert len(plugin._complaints) <= _COMPLAINTS_MAX
    plugin.stop()


async def test_the_rest_is_loaded(distributions: FakeDistributions) -> None:
    distributions.add(
        "evil", {"proconsul.checks": ["evil = evil:Check", "looks = evil:Looks", "says = evil_import:X"]},
        {"evil": EVIL, "evil_import": IMPORT},
    )  # fmt: skip
    host = PluginHost(["*"])
    await host.load([])
    states = {one.name: (one.state, one.problem) for one in await host.report()}
    assert states["evil"] == ("loaded", "")
    assert states["looks"][0] == states["says"][0] == "broken"
    assert states["says"][1] == "its import failed: E: an error that cannot say what it is"
    host.stop()


async def test_through_the_front_door(distributions: FakeDistributions) -> None:
    points = {"proconsul.checks": ["evil = evil:Check"], "proconsul.auth_methods": ["evil = evil:Login"]}
    distributions.add("evil", points, {"evil": EVIL})
    acl = {"enabled": True, "default_policy": "allow", "tokens": {"initial_management": ROOT}}
    async with AgentInLoop({"acl": acl, "plugins": {"allow": ["*"]}}) as inside:
        check = {"Name": "c", "Interval": "1s", "Plugin": "evil"}
        assert await put(inside, "/v1/agent/check/register", {**check, "PluginConfig": {"do": "exit"}}) == (
            400, 'Invalid check: plug-in "evil": settings: SystemExit: 3',
        )  # fmt: skip
        for do, status, output in (
            ("text", "passing", "fine"), ("half", "critical", 'plug-in "evil" failed: RuntimeError: ?'),
            ("make", "critical", 'plug-in "evil" cannot be made: Ends: an error that cannot say what it is'),
            ("", "critical", 'plug-in "evil" failed: Ends: an error that cannot say what it is'),
        ):  # fmt: skip
            body = {**check, "ID": f"c{do}", "PluginConfig": {"do": do}}
            assert (await put(inside, "/v1/agent/check/register", body))[0] == 200
            assert await status_of(inside, f"c{do}", status) == output
        assert len(await get(inside, "/v1/agent/checks")) == 4

        method = {"Name": "corp", "Type": "evil"}
        rule = {"AuthMethod": "corp", "BindType": "service", "BindName": "${value.user}"}
        for config, text in (({"do": "exit"}, "settings: SystemExit: 3"), ({"do": "make"}, "cannot be made: Ends")):
            status_code, answer = await put(inside, "/v1/acl/auth-method", {**method, "Config": config}, ROOT)
            assert status_code == 500 and text in answer
        assert (await put(inside, "/v1/acl/auth-method", method, ROOT))[0] == 200
        assert (await put(inside, "/v1/acl/binding-rule", rule, ROOT))[0] == 200

        async def login(bearer: str) -> tuple[int, str]:
            body = json.dumps({"AuthMethod": "corp", "BearerToken": bearer}).encode()
            answered = await inside.request("POST", "/v1/acl/login", body)
            return answered.status, answered.body.decode()

        assert "cannot be read: UnicodeEncodeError" in (await login("half"))[1]
        assert (await login("text"))[0] == 200
        for bearer in ("refuse", "other"):
            assert "an error that cannot say what it is" in (await login(bearer))[1]
        assert "long-bea" not in (await login("long-bearer-of-somebody"))[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
async def test_who_forks_comes_back_once() -> None:
    """The other one would keep the agent's sockets, or be an agent with its files."""

    def plain() -> int:
        return os.fork()

    async def coroutine() -> int:
        return os.fork()

    async def waits() -> int:
        child = os.fork()
        await asyncio.sleep(0)
        return child

    plugin = Plugin(PluginKind.CHECKS, "any", object)
    for function in (plain, coroutine, waits):
        child = await plugin.call(function, timeout_s=PATIENCE_S)
        assert child and await asyncio.to_thread(os.waitpid, child, 0) == (child, 0)
    plugin.stop()


async def test_distributions_without_a_name_are_shown(distributions: FakeDistributions) -> None:
    for folder, metadata in (("a-1.0", "Metadata-Version: 2.1\n"), ("b-1.0", None), ("c-1.0", "Name: c\n")):
        info = distributions.folder / f"{folder}.dist-info"
        info.mkdir()
        if metadata is not None:
            (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text("[proconsul.checks]\ntwice = plug:C\n")
    host = PluginHost()
    found = [(one.name, one.distribution, one.version, one.state) for one in await host.report()]
    assert found and set(found) <= {("twice", "", "", "broken"), ("twice", "c", "", "broken")}
    host.stop()


@pytest.mark.parametrize("levels", [100, 300, 480, 900, 20_000])
async def test_deep_settings_are_taken_or_refused(distributions: FakeDistributions, levels: int) -> None:
    distributions.add("evil", {"proconsul.checks": ["evil = evil_deep:Check"]}, {"evil_deep": DEEP})
    async with AgentInLoop({"plugins": {"allow": ["*"]}}) as inside:
        config = b'{"a":' * levels + b"1" + b"}" * levels
        body = b'{"Name": "deep", "Interval": "1s", "Plugin": "evil", "PluginConfig": ' + config + b"}"
        answer = await inside.request("PUT", "/v1/agent/check/register", body)
        assert answer.status == 200 or (answer.status == 400 and levels > 100), answer.body
        assert len(await get(inside, "/v1/agent/checks")) == (answer.status == 200)


@pytest.mark.parametrize("raised", [OSError("no"), SettingsError("no")], ids=repr)
async def test_an_object_that_cannot_be_made_is_told_of_once(
    raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    """As a sink's, that is tried again and again."""

    class Never:
        def __init__(self, settings: Any) -> None:
            raise raised

    plugin = Plugin(PluginKind.METRICS_SINKS, "any", Never)
    instance = PluginInstance(plugin, None, "sink 0")
    for _ in range(5):
        with pytest.raises(PluginError) as caught:
            await instance.call("emit", timeout_s=PATIENCE_S)
        instance.complain(caught.value)
    assert len([record for record in caplog.records if "plug-in failed" in record.getMessage()]) == 1
    plugin.stop()
