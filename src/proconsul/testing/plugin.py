"""The pytest plugin: fixtures with agents in the test's process, or a real Consul in their place.

`consul_agent`, `async_consul_agent` and `consul_cluster`, with settings by the marker ``consul`` or by the fixtures
`consul_settings` and `consul_reference`, which a test module may override. docs/testing.md shows how.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from proconsul.testing.dev_agent import AsyncDevAgent, DevAgent
    from proconsul.testing.dev_cluster import DevCluster

Function = TypeVar("Function", bound=Callable[..., Any])
try:
    import pytest_asyncio

    async_fixture: Callable[[Function], Function] = cast(Any, pytest_asyncio.fixture)
except ImportError:  # anyio, or nobody, runs asynchronous tests
    async_fixture = cast(Any, pytest.fixture)

SCOPES: dict[str, type[pytest.Collector]] = {
    "class": pytest.Class, "module": pytest.Module, "package": pytest.Package, "session": pytest.Session,
}  # fmt: skip
OPTIONS = ("settings", "scope", "reference", "dns", "seed", "token", "frozen", "servers", "datacenters")
MARKER = (
    "consul(settings={}, scope='function', reference='', dns=False, seed=None, token='', frozen=False, servers=3, "
    "datacenters=1): of the agents that proconsul's fixtures give"
)
SEED = pytest.StashKey[int]()
SHARED = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("consul")
    group.addoption("--consul-seed", type=int, help="of everything that agents do by chance (default: another one)")
    group.addoption("--consul-reference", default="", metavar="PROGRAM", help=(
        "run consul_agent's tests against this program: 'consul' (CONSUL_BIN, or of PATH) or a path"
    ))  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    given = config.getoption("--consul-seed")
    config.stash[SEED] = random.SystemRandom().getrandbits(32) if given is None else given
    config.stash[SHARED] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Say how a failure of a test with an agent is replayed."""
    report = yield
    fixtures = getattr(item, "fixturenames", ())
    if report.failed and any("consul_agent" in name or name == "consul_cluster" for name in fixtures):
        report.sections.append(("consul", f"replay: --consul-seed={item.config.stash[SEED]}"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """What only an agent in this process can do is no fault of a test that is run with another one."""
    try:
        return (yield)
    except NotImplementedError as error:
        from proconsul.testing.consul_process import Unsupported

        if isinstance(error, Unsupported):
            pytest.skip(str(error))
        raise


# ---------------------------------------------------------------------- what a test asks for


@pytest.fixture
def consul_settings() -> Mapping[str, Any]:
    """Configuration keys of the agents; to be overridden. Those of the marker come on top."""
    return {}


@pytest.fixture
def consul_reference() -> str:
    """The program that stands in for our agent, "" for none; to be overridden, or given parameters."""
    return ""


@pytest.fixture
def _consul_wishes(
    request: pytest.FixtureRequest, consul_settings: Mapping[str, Any], consul_reference: str
) -> dict[str, Any]:
    """All that is asked for: the fixtures', then the markers' from the outermost to the test's own."""
    found: dict[str, Any] = {"settings": dict(consul_settings)}
    for marker in reversed(list(request.node.iter_markers("consul"))):
        unknown = [name for name in marker.kwargs if name not in OPTIONS]
        if unknown or marker.args:
            raise pytest.UsageError(f"the marker consul takes {', '.join(OPTIONS)}, not {unknown or marker.args}")
        found["settings"].update(marker.kwargs.get("settings") or {})
        found.update({name: value for name, value in marker.kwargs.items() if name != "settings"})
    scope = found.setdefault("scope", "function")
    if scope != "function" and scope not in SCOPES:
        raise pytest.UsageError(f"consul: no scope is called {scope!r}")
    fixed = consul_reference or request.config.getoption("--consul-reference")
    found["reference"] = found.get("reference") or fixed
    if found.get("seed") is None:
        # A test alone has the same course as among others. What is shared goes by the settings.
        of = request.node.nodeid if scope == "function" else json.dumps(found, sort_keys=True, default=str)
        found["seed"] = zlib.crc32(of.encode(), request.config.stash[SEED] & 0xFFFFFFFF)
    return found


def _picked(wishes: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: wishes[name] for name in names if name in wishes}


def _program(reference: str) -> str:
    """Where the program is. Skips when there is none."""
    from proconsul.testing.consul_process import find_consul

    found = find_consul("" if reference == "consul" else reference)
    if found is None:
        pytest.skip(f"there is no {reference}: name one with CONSUL_BIN")
    return found


def _made(wishes: Mapping[str, Any]) -> Any:
    if wishes["reference"]:
        from proconsul.testing.consul_process import ConsulProcess

        if wishes.get("frozen"):
            pytest.skip("the time of a real Consul passes")
        program = _program(wishes["reference"])
        return ConsulProcess(wishes["settings"], program=program, **_picked(wishes, "dns", "token"))
    from proconsul.testing.dev_agent import DevAgent

    return DevAgent(wishes["settings"], **_picked(wishes, "dns", "seed", "token", "frozen"))


def _shared(request: pytest.FixtureRequest, wishes: Mapping[str, Any]) -> Any:
    """The agent of a wider scope, as at its start."""
    node = request.node.getparent(SCOPES[wishes["scope"]]) or request.node.getparent(pytest.Module)
    key = json.dumps([node.nodeid, wishes], sort_keys=True, default=str)
    shared = request.config.stash[SHARED]
    agent = shared.get(key)
    if agent is None:
        agent = shared[key] = _made(wishes).start()

        def end() -> None:
            shared.pop(key).stop()

        node.addfinalizer(end)
        return agent
    agent.token = wishes.get("token", "")
    agent.reset()
    if not wishes["reference"]:
        _ = agent.freeze() if wishes.get("frozen") else agent.thaw()
    return agent


# ---------------------------------------------------------------------- agents


@pytest.fixture
def consul_agent(request: pytest.FixtureRequest, _consul_wishes: dict[str, Any]) -> Iterator[DevAgent]:
    """An agent in this process, of this test alone, or reset for it where the marker gives it a wider scope."""
    if _consul_wishes["scope"] == "function":
        with _made(_consul_wishes) as agent:
            yield agent
    else:
        yield _shared(request, _consul_wishes)


@pytest.fixture
def consul_agent_address(consul_agent: DevAgent) -> str:
    """``host:port`` for any Consul client."""
    return consul_agent.http_address


@async_fixture
async def async_consul_agent(_consul_wishes: dict[str, Any]) -> AsyncIterator[AsyncDevAgent]:
    """As `consul_agent`, within the test's event loop; always of this test alone."""
    maker: Callable[..., Any]
    if _consul_wishes["reference"]:
        from proconsul.testing.consul_process import AsyncConsulProcess

        maker, options = AsyncConsulProcess, _picked(_consul_wishes, "dns", "token")
        options["program"] = _program(_consul_wishes["reference"])
    else:
        from proconsul.testing.dev_agent import AsyncDevAgent as maker

        options = _picked(_consul_wishes, "dns", "seed", "token", "frozen")
    async with maker(_consul_wishes["settings"], **options) as agent:
        yield agent


@pytest.fixture
def consul_cluster(_consul_wishes: dict[str, Any]) -> Iterator[DevCluster]:
    """Servers in one process and thread, with virtual time and network; the marker's ``servers`` of them."""
    from proconsul.testing.dev_cluster import DevCluster

    if _consul_wishes["reference"]:
        pytest.skip("a cluster is simulated")
    options = _picked(_consul_wishes, "servers", "datacenters", "seed", "token")
    with DevCluster(_consul_wishes["settings"], **options) as cluster:
        yield cluster
