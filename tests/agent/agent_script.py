"""Interpreter of the golden scripts in ``testdata/*.txt``: what is registered with an agent, reloaded, and sent.

A script is a list of blocks: command lines, a line ``----``, the expected trace, an empty line. Commands:

    register JSON / register-check JSON      as over HTTP; ``replacing`` before the JSON replaces existing checks
    deregister ID / deregister-check ID / pass ID TEXT / fail ID TEXT / maintenance on|off
    disk                write what is on its way; changes that are through are settled
    disk full FOLDER..  the same, but writes into these folders are refused; what they belong to is taken back
    reload TEXT         read TEXT as a configuration file and reload; ``\\n`` in it ends a line
    restart TEXT        a new agent over the same files, with TEXT as its configuration
    catalog down|up / catalog refuse NAME... / catalog has ID...   the servers, what they say no to, what they hold
    push / sync         send changes / compare everything with the catalog first
    show                services, checks, what runs, files
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proconsul.agent.checks import CheckStatus, RunnableCheck, runnable
from proconsul.agent.config import ConfigError, load
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.change import RegistrationChange
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import Persistence, file_name
from proconsul.agent.local.registration_service import rules_of
from proconsul.agent.local.registrations import Registrations, refusal
from proconsul.engine.wire import gojson
from proconsul.features.catalog.definition import CheckDefinition, DefinitionError, ServiceDefinition
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.errors import ConsulError, Unanswered

SECOND = 10**9


class Runners:
    """Remembers which checks run."""

    def __init__(self, state: LocalState) -> None:
        self.state = state
        self.running: dict[str, RunnableCheck] = {}

    def start(self, check_id: str, check: RunnableCheck) -> None:
        self.running[check_id] = check

    def stop(self, check_id: str) -> None:
        self.running.pop(check_id, None)

    def hold(self, check_id: str) -> Any:
        return self.running.get(check_id)

    def put_back(self, check_id: str, held: Any) -> None:
        self.running[check_id] = held

    def report(self, check_id: str, status: CheckStatus, output: str) -> str:
        self.state.update_check(check_id, status.value, output)
        return output

    def ttl_s(self, check_id: str) -> float | None:
        return self.running[check_id].definition.TTL / SECOND


class Disk:
    """Implements `FileWriter`: nothing is written before `write`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.queue: list[tuple[Path, Callable[[], None], asyncio.Future[OSError | None]]] = []
        self.names: dict[str, str] = {}

    def submit(self, path: Path, operation: Callable[[], None]) -> asyncio.Future[OSError | None]:
        outcome: asyncio.Future[OSError | None] = asyncio.get_running_loop().create_future()
        self.queue.append((path, operation, outcome))
        return outcome

    def write(self, full: set[str]) -> None:
        queue, self.queue = self.queue, []
        for path, operation, outcome in queue:
            folder, name = path.parent.name, self.names.get(path.name, path.name)
            verb = "write" if "replace_file" in repr(operation) else "remove"
            if folder in full and verb == "write":
                self.say(f"disk  {verb} {folder}/{name}: no space left")
                outcome.set_result(OSError("no space left"))
            else:
                self.say(f"disk  {verb} {folder}/{name}")
                operation()
                outcome.set_result(None)

    def drain(self) -> None:
        assert not self.queue, "the script has to say what the disk does"

    def close(self) -> None:
        """Nothing to end."""


class Catalog:
    """Implements `CatalogPort`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.up = True
        self.refused: set[str] = set()
        self.node: Node | None = None
        self.services: dict[str, NodeService] = {}
        self.checks: dict[str, HealthCheck] = {}

    async def reachable(self) -> bool:
        return self.up

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]:
        self._answer("read", "")
        return self.node, list(self.services.values())

    async def own_checks(self, node: str) -> list[HealthCheck]:
        self._answer("read", "")
        return list(self.checks.values())

    def _answer(self, verb: str, name: str) -> None:
        if not self.up:
            raise Unanswered("No cluster leader")
        if name and name in self.refused:
            self.say(f"send  {verb} {name}: refused")
            raise ConsulError("Permission denied" if name.startswith("secret") else "it does not fit")
        if name:
            self.say(f"send  {verb} {name}")

    async def register(self, request: RegisterRequest) -> None:
        checks = [*(request.Checks or []), *([request.Check] if request.Check is not None else [])]
        if request.Check is not None:
            name = request.Check.CheckID
        else:
            name = request.Service.ID if request.Service is not None else request.Node
        told = "".join(f" +{check.CheckID}" for check in checks if check.CheckID != name)
        self._answer("register", name)
        if told:
            self.say(f"      with{told}")
        self.node = Node(ID=request.ID, Node=request.Node, Address=request.Address, Meta=request.NodeMeta,
                         TaggedAddresses=request.TaggedAddresses)  # fmt: skip
        if request.Service is not None:
            self.services[request.Service.ID] = request.Service
        self.checks |= {check.CheckID: check for check in checks}

    async def deregister(self, request: DeregisterRequest) -> None:
        name = request.ServiceID or request.CheckID
        self._answer("deregister", name)
        self.services.pop(name, None)
        self.checks.pop(name, None)
        self.checks = {key: check for key, check in self.checks.items() if check.ServiceID != name}


class Script:
    """State between the blocks of one script."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.out: list[str] = []
        self.catalog = Catalog(self.say)
        self.disk = Disk(self.say)
        self.changes: list[tuple[str, RegistrationChange]] = []
        self._make("")

    def say(self, text: str) -> None:
        self.out.append(text)

    def _make(self, text: str) -> None:
        config = self._read(text)
        self.state = LocalState("n1", clock=lambda: 0.0)
        self.runners = Runners(self.state)
        disk: Any = self.disk
        self.registrations = Registrations(
            Holdings(self.state, Persistence(str(self.directory / "data"), disk), self.runners), node="n1",
            rules=rules_of(config.fixed, config.reloadable), wall_clock=lambda: 1000.0,
        )  # fmt: skip
        self.sync = AntiEntropy(
            self.state, self.catalog, lambda: Node(ID="1", Node="n1", Address="10.0.0.1", Datacenter="dc1"),
            token=lambda from_file: "", agent_token=lambda: "", cluster_size=lambda: 1, rng=random.Random(1),
        )  # fmt: skip
        self.registrations.load(config.reloadable.service_definitions, config.reloadable.check_definitions)

    def _read(self, text: str) -> Any:
        path = self.directory / "agent.hcl"
        path.write_bytes(text.encode("latin-1"))
        return load({"dev": True, "node_name": "n1", "config_files": [str(path)]})[0]

    async def run(self, text: str) -> str:
        """Run a block; returns its trace."""
        self.out = []
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            try:
                done = getattr(self, "do_" + word.replace("-", "_"))(rest)
                if done is not None:
                    await done
            except (ConfigError, ConsulError, DefinitionError, gojson.JSONError) as error:
                self.say(f"{word}: {error}".replace(str(self.directory), "DIR").replace("\n", "\\n"))
        return "\n".join(self.out) or "(nothing)"

    def _began(self, what: str, change: RegistrationChange) -> None:
        self.changes.append((what, change))

    # -- registrations -------------------------------------------------------------------------------------------------

    def do_register(self, text: str) -> None:
        replacing = text.startswith("replacing ")
        body = json.loads(text.removeprefix("replacing "))
        definition: ServiceDefinition = gojson.from_plain(ServiceDefinition, body)
        planner = self.registrations.planner()
        sidecar = planner.sidecar_of(definition)
        checks = [runnable(one) for one in definition.check_types()]
        wanted = [(definition.node_service(), checks), *([sidecar] if sidecar is not None else [])]
        planned = [planner.service(service, checks) for service, checks in wanted]
        change = self.registrations.register(planned, replace_existing_checks=replacing)
        self._began(f"register {definition.Name}", change)

    def do_register_check(self, text: str) -> None:
        definition: CheckDefinition = gojson.from_plain(CheckDefinition, json.loads(text))
        planned = self.registrations.planner().check(definition.health_check("n1"), runnable(definition))
        self._began(f"register-check {definition.Name}", self.registrations.register_check(planned))

    def do_deregister(self, service_id: str) -> None:
        self._began(f"deregister {service_id}", self.registrations.remove_service(service_id))

    def do_deregister_check(self, check_id: str) -> None:
        self._began(f"deregister-check {check_id}", self.registrations.remove_check(check_id))

    def do_pass(self, text: str) -> None:
        check_id, _, output = text.partition(" ")
        self._began(f"pass {check_id}", self.registrations.update_ttl(check_id, "passing", output))

    def do_fail(self, text: str) -> None:
        check_id, _, output = text.partition(" ")
        self._began(f"fail {check_id}", self.registrations.update_ttl(check_id, "critical", output))

    def do_maintenance(self, text: str) -> None:
        self._began(f"maintenance {text}", self.registrations.node_maintenance(text == "on", "why"))

    def do_disk(self, text: str) -> None:
        full = set(text.split()[1:])
        for services in (self.state.services, self.state.checks):
            self.disk.names |= {file_name(key): key for key in services}
        self.disk.write(full)
        changes, self.changes = self.changes, []
        for what, change in changes:
            error = change.error()
            if error is None:
                change.settle()
            else:
                self.say(f"{what}: {refusal(error)}")
                change.undo()
        if self.disk.queue:
            self.disk.write(full)

    # -- reload and restart --------------------------------------------------------------------------------------------

    def do_reload(self, text: str) -> None:
        config = self._read(text.replace("\\n", "\n"))
        rules = rules_of(config.fixed, config.reloadable)
        services, checks = config.reloadable.service_definitions, config.reloadable.check_definitions
        plan = self.registrations.plan(services, checks, rules)
        with self.sync.holding_back():
            self.registrations.apply(plan, rules)
        for kind, dropped in (("service", plan.dropped_services), ("check", plan.dropped_checks)):
            for one in dropped:
                self.say(f"reload: {kind} {one.id} goes: {one.reason or 'the configuration has it'}")

    def do_restart(self, text: str) -> None:
        self._make(text.replace("\\n", "\n"))

    # -- the catalog ---------------------------------------------------------------------------------------------------

    def do_catalog(self, text: str) -> None:
        word, *names = text.split()
        if word == "refuse":
            self.catalog.refused = set(names)
        elif word == "has":
            self.catalog.services |= {name: NodeService(ID=name, Service=name) for name in names}
        else:
            self.catalog.up = word == "up"

    async def do_push(self, _: str) -> None:
        await self.sync.sync_changes()

    async def do_sync(self, _: str) -> None:
        await self.sync.sync_full()

    # -- looking -------------------------------------------------------------------------------------------------------

    def do_show(self, _: str) -> None:
        state = self.state
        for key, entry in sorted(state.services.items()):
            if not entry.deleted:
                shown = entry.service.Port
                self.say(f"service {key} port {shown}{_flags(entry)}")
        for key, check in sorted(state.checks.items()):
            if not check.deleted:
                runs = "" if key in self.runners.running else ", not run"
                output = f" {check.check.Output!r}" if check.check.Output else ""
                owner = check.check.ServiceID or "the node"
                self.say(f"check {key} of {owner} {check.check.Status}{output}{runs}{_flags(check)}")
        gone = [key for key, service in state.services.items() if service.deleted]
        gone += [key for key, check in state.checks.items() if check.deleted]
        if gone:
            self.say(f"to be deregistered: {' '.join(sorted(gone))}")
        names = self.disk.names
        data = self.directory / "data"
        paths = [path for path in data.rglob("*") if path.is_file()]
        files = sorted(f"{path.parent.name}/{names.get(path.name, path.name)}" for path in paths)
        self.say(f"files: {' '.join(files) or 'none'}")


def _flags(entry: Any) -> str:
    return ("" if entry.in_sync else ", to be sent") + (", of the configuration" if entry.from_config else "")
