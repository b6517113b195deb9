"""Hygiene as a test: import directions, purity of cores, sizes, leftovers."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.order import LONGEST_FIRST
from support.reference import require_reference

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/proconsul"
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80

# Who may import whom: the room on the left, the rooms below it on the right.
LAYERS = {
    "engine": set(),
    "features": {"engine"},
    "server": {"features", "engine"},
    "agent": {"server", "features", "engine", "dns", "client"},
    "dns": {"features", "engine"},
    "client": {"engine"},
    "ui": {"features", "engine"},
    "cli": {"agent", "server", "features", "engine", "client"},
    "testing": {"agent", "server", "features", "engine", "client", "dns", "cli"},
}
# A pure core takes time and randomness as arguments and does no I/O.
PURE = (
    "engine/raft/core.py", "engine/raft/election.py", "engine/raft/replication.py", "engine/raft/membership.py",
    "engine/raft/follower.py", "engine/raft/raft_log.py", "engine/raft/read_index.py", "engine/raft/transfer.py",
    "engine/raft/state.py", "engine/raft/terms.py", "engine/raft/events.py", "engine/raft/quorum.py",
    "engine/raft/progress.py", "engine/raft/configuration.py", "engine/raft/messages.py",
    "engine/rpc/yamux.py", "engine/rpc/codec.py", "engine/rpc/errors.py",
    "engine/gossip/lzw.py", "engine/gossip/coordinate.py", "engine/gossip/lifeguard.py",
    "engine/gossip/codec.py", "engine/gossip/packet.py", "engine/gossip/stream.py", "engine/gossip/intake.py",
    "engine/gossip/serf.py", "engine/gossip/serf_context.py", "engine/gossip/members.py", "engine/gossip/lamport.py",
    "engine/gossip/recent.py", "engine/gossip/user_events.py", "engine/gossip/queries.py",
    "engine/gossip/query_filters.py", "engine/gossip/keys.py", "engine/gossip/snapshot_file.py",
    "engine/gossip/swim.py", "engine/gossip/probe.py", "engine/gossip/broadcast.py", "engine/gossip/timers.py",
    "engine/gossip/delegate.py", "engine/gossip/effects.py", "engine/gossip/config.py",
    "testing/simulation.py", "testing/serf_simulation.py", "testing/lifeguard_experiment.py",
    "testing/history.py", "testing/linearizability.py", "testing/kv_model.py",
    "engine/store/table.py", "engine/store/watch.py", "engine/store/view.py",
    "features/kv/state.py", "features/session/state.py", "features/catalog/state.py", "features/catalog/reads.py",
    "features/catalog/tables.py", "features/catalog/records.py", "features/session/tables.py",
    "features/coordinate/state.py",
    "features/coordinate/distance.py",
    "features/txn/state.py", "features/state.py", "features/acl/state.py", "features/acl/rules.py",
    "features/acl/authorizer.py", "features/acl/hashes.py", "features/acl/identities.py", "features/acl/setup.py",
    "features/acl/resolver.py", "features/query/state.py",
    "features/query/template.py",
    "features/intention/state.py", "features/connect/state.py", "features/config_entry/state.py",
    "features/config_entry/gateway_services.py", "features/config_entry/graph.py",
    "features/federation/state.py", "features/operator/state.py",
    "engine/wire/gotime.py", "server/chunk_records.py", "server/fsm.py",
    "server/session_timers.py", "server/tombstones.py", "server/autopilot_plan.py", "server/autopilot_health.py",
    "server/autopilot_why.py",
    "server/lock_delays.py", "server/reconcile.py", "server/server_details.py", "server/merge_rules.py",
    "agent/local_state.py", "agent/plan.py", "agent/content_hash.py", "agent/checks/status.py",
    "agent/checks/scheduler.py", "engine/http/url.py", "engine/http/fields.py", "engine/http/client.py",
    "engine/http/message.py", "engine/wire/hostport.py", "engine/wire/gostrconv.py", "engine/wire/goregexp.py",
    "dns/names.py", "dns/answers.py", "dns/trim.py",
)  # fmt: skip
IMPURE_MODULES = {"asyncio", "socket", "os", "time", "threading", "subprocess", "select"}
# Slow to import; the agent must answer within a second of its start.
LAZY_MODULES = {"hcl2", "lark", "httpx", "psutil", "prometheus_client", "cryptography", "dns", "grpc"}
FEATURE_PRIVATE = {"endpoint", "http", "cli"}


@functools.cache
def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Parsed once: each of the many tests below looks at every module."""
    return ast.parse(path.read_text(), str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def top_level_imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from imports(node)


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_go_downward(path: Path) -> None:
    room = name_of(path).split("/")[0]
    if room not in LAYERS:
        return
    for module in imports(tree_of(path)):
        parts = module.split(".")
        if parts[0] == "proconsul" and len(parts) > 1 and parts[1] in LAYERS and parts[1] != room:
            assert parts[1] in LAYERS[room], f"{room} must not import {module}"


def test_features_use_only_models_and_states_of_each_other() -> None:
    for path in (SOURCE / "features").rglob("*.py"):
        feature = path.parent.name
        for module in imports(tree_of(path)):
            parts = module.split(".")
            if parts[:2] == ["proconsul", "features"] and len(parts) == 4 and parts[2] != feature:
                if parts[3] in FEATURE_PRIVATE:
                    assert feature == "features", f"{name_of(path)} must not import {module}"


@pytest.mark.parametrize("name", PURE)
def test_cores_are_pure(name: str) -> None:
    path = SOURCE / name
    assert path.exists(), f"{name} has moved: correct the list"
    found = {module.split(".")[0] for module in imports(tree_of(path))} & IMPURE_MODULES
    assert not found, f"{name} is a pure core and must not import {found}"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_heavy_modules_are_imported_late(path: Path) -> None:
    found = {module.split(".")[0] for module in top_level_imports(tree_of(path))} & LAZY_MODULES
    assert not found, f"import {found} inside the function that needs it"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_sizes(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= FILE_LINES_MAX, f"{lines} lines"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_no_leftovers(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", text)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            assert "NotImplementedError" not in ast.dump(node.exc)
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            assert node.type is not None and getattr(node.type, "id", "") not in ("Exception", "BaseException")


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_modules_say_what_they_are(path: Path) -> None:
    if path.name == "__init__.py" and not path.read_text().strip():
        return
    assert ast.get_docstring(tree_of(path)), "a module starts with its law"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_cancellations_are_not_lost(path: Path) -> None:
    """Before Python 3.12, wait_for forgets one that comes together with the result; asyncio.timeout does not."""
    assert "asyncio.wait_for(" not in path.read_text()


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_streams_are_written_to_in_one_way(path: Path) -> None:
    """See `proconsul.engine.streams`: uvloop's error for a connection that is over is not an OSError."""
    if path == SOURCE / "engine/streams.py":
        return
    found = re.findall(r"\b\w*writer\.write(?:_eof|lines)?\(|stdin\.write\(", path.read_text(encoding="utf-8"))
    assert not found, found


def test_the_order_of_tests_names_what_is_there() -> None:
    gone = [name for name in LONGEST_FIRST if not (ROOT / name).exists()]
    assert set(gone) <= {"tests/stories/"}, "has moved: correct the list"


def test_the_reference_is_looked_up_in_one_place() -> None:
    own = {ROOT / "tests/support/reference.py", Path(__file__)}
    paths = set((ROOT / "tests").rglob("*.py")) - own
    found = [path for path in sorted(paths) if "PROCONSUL_REFERENCE" in path.read_text()]
    assert found == []


def test_a_missing_reference_is_a_failure_where_it_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCONSUL_REFERENCE", "/nowhere")
    monkeypatch.delenv("REQUIRE_REFERENCE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="NO REFERENCE"):
        require_reference()
    monkeypatch.setenv("REQUIRE_REFERENCE", "1")
    with pytest.raises(pytest.fail.Exception, match="NO REFERENCE"):
        require_reference()


# Distributions whose modules have another name.
MODULES = {"google-re2": "re2", "prometheus-client": "prometheus_client"}


def test_every_dependency_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = {re.split("[<>=!~; \\[]", line)[0] for line in declared}
    imported = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition(".")[0])
    # grpcio is for those who install the extra; nothing of ours needs it yet.
    assert {name for name in names if MODULES.get(name, name.replace("-", "_")) not in imported} <= {"grpcio"}


def test_the_table_of_compatibility_counts_its_rows() -> None:
    text = (ROOT / "COMPATIBILITY.md").read_text()
    states = ("done", "partly", "differs", "not yet")
    counted = {priority: dict.fromkeys(states, 0) for priority in ("P0", "P1", "P2", "P3")}
    for priority, state in re.findall(r"^\| [A-Z]{2}-\d+ \| (P\d)[^|]*\| .* \| ([^|]*) \|$", text, re.MULTILINE):
        counted[priority][re.split("[:;,]", state)[0].strip()] += 1
    shown = re.findall(r"^\| (P\d) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert {priority: dict(zip(states, map(int, numbers), strict=True)) for priority, *numbers in shown} == counted
