"""Hygiene as a test: import directions, purity of cores, sizes, leftovers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from support import tidy
from support.order import LONGEST_FIRST
from support.reference import require_reference
from support.tidy import Package

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/proconsul"
FILE_LINES = 500
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80
CLASS_METHODS_MAX = 20

# Who may import whom: the room on the left, the rooms below it on the right.
LAYERS = {
    "engine": set(),
    "plugins": {"engine"},
    "features": {"engine", "plugins"},
    "server": {"features", "engine", "plugins"},
    "agent": {"server", "features", "engine", "dns", "client", "plugins"},
    "dns": {"features", "engine"},
    "client": {"features", "engine"},
    "ui": {"features", "engine"},
    "cli": {"agent", "server", "features", "engine", "client"},
    "embed": {"agent", "server", "features", "engine", "client"},
    "testing": {"agent", "server", "features", "engine", "client", "dns", "cli", "plugins"},
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
    "engine/hil.py", "engine/store/table.py", "engine/store/watch.py", "engine/store/view.py",
    "features/kv/state.py", "features/session/state.py", "features/catalog/state.py", "features/catalog/reads.py",
    "features/catalog/tables.py", "features/catalog/records.py", "features/session/tables.py",
    "features/coordinate/state.py",
    "features/coordinate/distance.py", "features/agent_cache/entries.py", "engine/token_bucket.py",
    "features/txn/state.py", "features/state.py", "features/acl/state.py", "features/acl/rules.py",
    "features/acl/authorizer.py", "features/acl/hashes.py", "features/acl/identities.py", "features/acl/setup.py",
    "features/acl/resolver.py", "features/acl/secrets.py", "features/acl/placement.py",
    "features/acl/denials.py", "features/query/state.py",
    "features/query/template.py", "features/ui/kept.py", "features/ui/summary.py", "features/ui/overview.py",
    "features/intention/state.py", "features/connect/state.py", "features/config_entry/state.py",
    "features/config_entry/gateway_services.py", "features/config_entry/graph.py",
    "features/federation/state.py", "features/operator/state.py",
    "engine/wire/gotime.py", "engine/wire/hcl1_layout.py", "features/acl/translate.py", "features/acl/templated.py",
    "features/acl/auth/claims.py", "features/acl/auth/settings.py", "features/acl/auth/jose.py",
    "server/chunk_records.py", "server/fsm.py",
    "server/session_timers.py", "server/tombstones.py", "server/autopilot_plan.py", "server/autopilot_health.py",
    "server/autopilot_why.py",
    "server/lock_delays.py", "server/reconcile.py", "server/server_details.py", "server/merge_rules.py",
    "agent/local/local_state.py", "agent/local/plan.py", "agent/local/agent_plan.py",
    "agent/local/content_hash.py", "agent/checks/definition.py", "agent/checks/status.py",
    "agent/checks/scheduler.py", "features/acl/replication.py",
    "engine/http/url.py", "engine/http/fields.py", "engine/http/client.py",
    "engine/http/message.py", "engine/wire/hostport.py", "engine/wire/gostrconv.py", "engine/wire/goregexp.py",
    "dns/names.py", "dns/answers.py", "dns/trim.py",
    "client/errors.py", "client/options.py", "client/retry.py", "client/wire.py", "client/decoding.py",
    "client/asking.py", "client/codecs.py", "client/watching.py", "client/leases.py", "client/lock_keys.py",
    "client/choosing.py", "client/operations.py", "client/checks.py", "client/types.py", "client/setting_values.py",
    "cli/doctor/facts.py", "cli/doctor/rules.py", "server/snapshot_contents.py",
    "agent/telemetry/prometheus.py", "agent/telemetry/name_filter.py",
    "plugins/kinds.py", "plugins/protocols.py", "plugins/registry.py", "plugins/shape.py", "agent/config/plugins.py",
)  # fmt: skip
IMPURE_MODULES = {"asyncio", "socket", "os", "time", "threading", "subprocess", "select"}
# Slow to import; the agent must answer within a second of its start.
LAZY_MODULES = {"hcl2", "lark", "httpx", "aiohttp", "psutil", "cryptography", "dns", "grpc", "jwt"}
FEATURE_PRIVATE = {"endpoint", "http", "cli"}


# Modules that a pure core may import although they could do more: what of them it uses does nothing of it.
HARMLESS = {
    "engine/wire/goerrors.py": "words of errors: os gives the system's, ssl and socket the classes",
    "server/snapshot_records.py": "reads the records of a restore from a file that is open",
}
# Imports that do not count as part of a circle of files.
CIRCLES_ALLOWED = {
    ("engine/gossip/probe.py", "engine/gossip/swim.py"): "type only: the prober is half of the core",
    ("engine/gossip/serf_effects.py", "engine/gossip/keys.py"): "type only: effects have handles",
    ("engine/gossip/serf_effects.py", "engine/gossip/queries.py"): "type only: effects have handles",
}  # fmt: skip
# Rooms whose circles are being ended.
CIRCLES_OPEN: tuple[str, ...] = ()
FILES_ALLOWED = {
    "engine/gossip/codec.py", "engine/gossip/swim.py", "engine/http/protocol.py", "engine/wire/gojson.py",
}  # fmt: skip
CLASSES_ALLOWED = {
    "client/aio/agent.py:AsyncAgent": "one method for each route",
    "client/blocking/agent.py:Agent": "one method for each route",
    "agent/local/local_state.py:LocalState": "services and checks have each their own verbs",
    "dns/answers.py:_Run": "one method for each kind of question",
    "engine/filter/syntax.py:_Parser": "one method for each rule of the grammar",
    "engine/gossip/serf.py:Serf": "serf's core is memberlist's delegate and the agent's interface in one",
    "engine/gossip/swim.py:Swim": "memberlist's core: one method for each message",
    "engine/raft/readings.py:Readings": "one property for each thing that is asked of a node",
    "features/acl/http.py:ACLRoutes": "one method for each route",
    "server/gate.py:Gate": "every door's questions go through it",
    "server/node.py:ConsulNode": "what endpoints need from the server that hosts them",
    "server/server.py:ConsulServer": "what endpoints need from the server that hosts them",
}  # fmt: skip
TWINS_ALLOWED = {
    "AutopilotConfig": "the section of the configuration, and what the API shows and sets",
    "Command": "of the command line, and of a template's pipeline",
    "Coordinate": "Vivaldi's, and the row that has one",
    "Endpoint": "where a listener listens, and a feature's methods",
    "FSM": "what Raft needs of a state machine, and ours",
    "FSMSnapshot": "what Raft needs of a state machine, and ours",
    "Gate": "what doors see of it, and how it is done",
    "KeyOperation": "serf's internal query, and the API's of the same name in the original",
    "KeyRequest": "names on the wire: serf's, and the RPC's",
    "Kind": "of a configuration value, and of a gossip message",
    "Membership": "of a pool, and of a Raft cluster",
    "Peers": "Raft's connections, and the servers that are known",
    "RaftConfig": "the section of the configuration, and what Raft is given",
    "Reply": "Raft's effect, and an answer to a read",
    "Route": "of the HTTP router, and of a service router (Consul's name)",
    "Server": "Raft's, and what endpoints need from the one that hosts them",
    "Session": "yamux's, and Consul's",
    "UserEvent": "the agent's ring has more than serf's event",
}  # fmt: skip
TWIN_ROOMS_ALLOWED = {
    "cli/commands/": "the class of a command has its name: Create, List, Read",
    "client/": "what users of the client import has the field's names",
}
# What programs call: methods there are used by nobody in the package. tests/client looks after them.
PUBLIC_ROOMS = {
    "plugins/protocols.py", "plugins/conformance.py", "embed/agent.py", "embed/service.py",
    "client/adapters.py", "client/operations.py", "client/choosing.py", "client/codecs.py", "client/checks.py",
    "client/setting_values.py",
    *(f"client/{room}/{name}.py" for room in ("aio", "blocking") for name in (
        "acl", "agent", "catalog", "client", "internal", "kv", "locks", "mesh", "operator", "recipes", "registration",
        "session", "resolver", "election", "transaction", "watch", "live_settings",
    )),
}  # fmt: skip
# Used by nobody in the package, scripts and benchmarks.
DEAD_ALLOWED = {
    "datagram_received": "asyncio's", "error_received": "asyncio's", "is_reading": "asyncio's",
    "get_protocol": "asyncio's", "_timer_handle_cancelled": "asyncio's",
    "get_debug": "asyncio's", "is_running": "asyncio's", "consul_agent_address": "a fixture of pytest's plugin",
    "pytest_addoption": "pytest's", "pytest_configure": "pytest's", "pytest_runtest_makereport": "pytest's",
    "pytest_runtest_call": "pytest's", "async_consul_agent": "a fixture of pytest's plugin",
    "post": "for users of test agents",
    "hang_disk": "for users of test clusters", "step_down": "for users of test clusters",
    "let_lead": "for users of test clusters", "lossy": "for users of test clusters",
    "agreed": "for users of the simulator", "seen_as": "for users of the simulator",
    "converged": "for users of the simulator", "SimRights": "for users of the simulator",
    "administrator": "for users of the simulator",
    "RaftSimulation": "for users of the simulator", "Federation": "for users of the simulator",

    "encode_user": "what a peer sends; tests are one",
    "last_snapshot": "what tests of a node look at",
    "unread_fields": "compared with the table of what has no effect", "as_markdown": "the rows of COMPATIBILITY.md",
}  # fmt: skip


@functools.cache
def package() -> Package:
    return Package.read(SOURCE)


@functools.cache
def users() -> Package:
    """What may use the package beside itself."""
    paths = [path for folder in ("scripts", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py")]
    return Package.of({str(path.relative_to(ROOT)): path.read_text() for path in paths})


def hold(complaints: Iterable[str]) -> None:
    """No complaints."""
    found = list(complaints)
    assert not found, "\n".join(found)


def test_imports_go_downward() -> None:
    hold(tidy.layers(package(), LAYERS))


def test_features_use_only_models_and_states_of_each_other() -> None:
    hold(tidy.private_parts_of_features(package(), FEATURE_PRIVATE))


def test_no_circle_of_files() -> None:
    found = tidy.circles(package(), CIRCLES_ALLOWED)
    hold(one for one in found if not one.startswith(tuple(f"a circle: {room}" for room in CIRCLES_OPEN)))


def test_cores_are_pure() -> None:
    hold(tidy.impure_imports(package(), PURE, IMPURE_MODULES))


def test_cores_are_pure_in_what_they_import() -> None:
    hold(tidy.impure_through_others(package(), PURE, IMPURE_MODULES, HARMLESS))


def test_cores_have_no_chance_of_their_own() -> None:
    hold(tidy.unseeded_chance(package(), PURE))


def test_heavy_modules_are_imported_late() -> None:
    hold(tidy.late_imports(package(), LAZY_MODULES))


def test_what_only_plugins_need_is_imported_late() -> None:
    """The search for them takes longer to import than all of ours, and the kits are for authors."""
    own = {f"plugins/{name}.py" for name in ("calling", "conformance", "loader", "registry", "shape")}
    own |= {"agent/audit/plugin_output.py", "agent/checks/plugin.py", "features/acl/auth/plugin.py"}
    late = "importlib.metadata", *(f"proconsul.{name[:-3].replace('/', '.')}" for name in own)
    hold(
        f"{module.name} imports {name} at its top"
        for module in package().values() for name in module.runtime_imports
        if name.startswith(late) and module.name not in own
    )  # fmt: skip


def test_sizes() -> None:
    hold(tidy.large_files(package(), FILE_LINES, FILE_LINES_MAX, FILES_ALLOWED))
    hold(tidy.large_functions(package(), FUNCTION_LINES_MAX))
    hold(tidy.large_classes(package(), CLASS_METHODS_MAX, CLASSES_ALLOWED))


def test_no_public_class_name_twice() -> None:
    hold(tidy.twin_classes(package(), TWINS_ALLOWED, TWIN_ROOMS_ALLOWED))


def test_nothing_is_dead() -> None:
    hold(tidy.dead_declarations(package(), users(), DEAD_ALLOWED, PUBLIC_ROOMS))


def test_no_leftovers() -> None:
    hold(tidy.leftovers(package()))


def test_modules_say_what_they_are() -> None:
    hold(tidy.modules_without_a_word(package()))


def test_cancellations_are_not_lost() -> None:
    """Before Python 3.12, wait_for forgets one that comes together with the result; asyncio.timeout does not."""
    hold(tidy.forbidden_text(package(), r"asyncio\.wait_for\("))


def test_streams_are_written_to_in_one_way() -> None:
    """See `proconsul.engine.streams`: uvloop's error for a connection that is over is not an OSError."""
    pattern = r"\b\w*writer\.write(?:_eof|lines)?\(|stdin\.write\("
    hold(tidy.forbidden_text(package(), pattern, {"engine/streams.py"}))


def test_servers_of_a_loop_are_begun_in_one_way() -> None:
    """See `proconsul.engine.streams.listener`: who is cancelled leaves one behind that listens."""
    hold(tidy.forbidden_text(package(), r"await [a-z_.]*\b(?:create_server|create_unix_server|start_server)\("))


def test_transports_are_known_by_no_class() -> None:
    """uvloop's are no `asyncio.Transport`."""
    hold(tidy.forbidden_text(package(), r"isinstance\(\w*transport, asyncio\."))


def test_secrets_are_compared_in_one_way() -> None:
    """See `proconsul.features.acl.secrets`."""
    hold(tidy.compared_secrets(package()))
    hold(tidy.forbidden_text(package(), r"compare_digest\(", {"features/acl/secrets.py"}))


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


def test_the_table_of_compatibility_counts_its_rows() -> None:
    text = (ROOT / "COMPATIBILITY.md").read_text()
    states = ("done", "partly", "differs", "not yet")
    counted = {priority: dict.fromkeys(states, 0) for priority in ("P0", "P1", "P2", "P3")}
    for priority, state in re.findall(r"^\| [A-Z]{2}-\d+ \| (P\d)[^|]*\| .* \| ([^|]*) \|$", text, re.MULTILINE):
        counted[priority][re.split("[:;,]", state)[0].strip()] += 1
    shown = re.findall(r"^\| (P\d) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert {priority: dict(zip(states, map(int, numbers), strict=True)) for priority, *numbers in shown} == counted


# Who starts programs otherwise, and why.
LAUNCHERS = {
    "tests/support/harness.py": "the launcher of agents",
    "tests/support/pages.py": "a shell with the commands of a page",
    "tests/support/preloaded.py": "what the launcher forks from",
    "tests/distribution/test_wheel.py": "the agent of an installed wheel",
    "tests/interop/test_demo.py": "the demonstration, and the commands it shows",
    "tests/test_preloaded.py": "tests what the launcher forks from",
    "tests/test_ports.py": "tests that take ports from each other",
    "tests/raft/test_raft_crash.py": "a child that writes a log and is killed",
    "tests/agent/test_remote_exec.py": "the command `exec`",
    "tests/features/test_keyring_routes.py": "the command `keyring`",
    "tests/cli/test_cli_recipes.py": "the command `lock`",
    "tests/acl/test_acl_agent.py": "the command `login`",
    "tests/embed/test_examples.py": "an example under its own server",
    "tests/client/test_recipes.py": "the command `lock` of the reference",
    "tests/clients/test_clients_reference_cli.py": "the reference's commands",
    "tests/stories/test_scale.py": "processes of many agents each",
    "tests/stories/test_leadership.py": "the command `lock`",
    "tests/stories/test_starts_and_ends.py": "the commands `monitor` and `watch`",
}


def test_agents_are_started_in_one_place() -> None:
    paths = set((ROOT / "tests").rglob("*.py")) - {Path(__file__)}
    pattern = re.compile(r"subprocess\.Popen\(|create_subprocess_exec\(")
    found = {str(path.relative_to(ROOT)) for path in paths if pattern.search(path.read_text())}
    assert found == set(LAUNCHERS)
