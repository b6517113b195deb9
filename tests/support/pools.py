"""Gossip pools of real processes: our agents, Consul 1.8.7 and serf 0.9.4, each on a loopback address of its own.

Members are asked over their own HTTP or RPC until they say what is expected, up to a deadline; nothing sleeps for a
fixed time. The gossip timing is that of a small fast network, so that a death is noticed within seconds.
"""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from support import preloaded
from support.harness import (
    PAUSE_MIN_S,
    STOP_TIMEOUT_S,
    Client,
    Reply,
    Subject,
    eventually,
    free_ports,
    program,
    require_quiet,
    run,
)
from support.patience import PATIENCE_S
from support.preloaded import AnyProcess
from support.reference import MISSING, reference_path, without_reference

NO_LEADER = (500, "No cluster leader")
STATUS = ("none", "alive", "leaving", "left", "failed")
# Slow enough for Python on a loaded machine to answer in time, fast enough to declare a death within five seconds.
PROBE_INTERVAL_MS, PROBE_TIMEOUT_MS, GOSSIP_INTERVAL_MS, SUSPICION_MULT = 300, 200, 50, 3
TIMING = " ".join(
    f'gossip_{pool} {{ probe_interval = "{PROBE_INTERVAL_MS}ms" probe_timeout = "{PROBE_TIMEOUT_MS}ms" '
    f'gossip_interval = "{GOSSIP_INTERVAL_MS}ms" suspicion_mult = {SUSPICION_MULT} }}'
    for pool in ("lan", "wan")
) + ' performance { leave_drain_time = "0s" raft_multiplier = 1 }'  # fmt: skip
# Two rounds of the periodic exchange: in a pool of seven about one message in two hundred misses one of the members,
# and is made up for then.
SETTLED_TIMEOUT_S = 70.0
# Keys of 32 bytes: serf takes no others.
KEYS = tuple(b64encode(bytes([number]) * 32).decode() for number in range(1, 4))
# Loopback addresses by turns, so that pools of one run do not meet; the first is left to everything else.
_hosts = itertools.cycle(range(2, 250))


def new_host() -> str:
    """A loopback address that nobody here has."""
    return f"127.0.0.{next(_hosts)}"


def serf_path() -> Path | None:
    """The real serf program, or None."""
    consul = reference_path()
    path = consul.with_name("serf") if consul is not None else None
    return path if path is not None and path.exists() else None


_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For ``preexec_fn``: kill this process when the one that started it ends, however it ends (prctl(2))."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Seen(NamedTuple):
    """One member as another shows it."""

    status: str
    address: str
    tags: Mapping[str, str]


@dataclass
class Process:
    """A program whose output goes to a log file."""

    name: str
    directory: Path
    host: str = ""
    process: AnyProcess | None = None
    environment: dict[str, str] = field(default_factory=dict)
    stdin: int = subprocess.DEVNULL

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.host = self.host or new_host()

    def command(self) -> list[str]:
        raise AssertionError("of a subclass")

    def start(self) -> None:
        assert self.process is None or self.process.poll() is not None, f"{self.name} runs"
        with (self.directory / "log").open("ab") as log:
            self.process = preloaded.start(
                self.command(), output=log.fileno(), stdin=self.stdin, directory=self.directory,
                environment={**os.environ, **self.environment}, before=die_with_parent,
            )  # fmt: skip

    def log(self) -> str:
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def require_running(self) -> None:
        if not self.running:
            raise AssertionError(f"{self.name} has ended:\n{self.log()[-3000:]}")

    def kill(self) -> None:
        """kill -9, and wait. Nothing happens when the process has ended already."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def wait_exit(self) -> int:
        assert self.process is not None
        return self.process.wait(STOP_TIMEOUT_S)


@dataclass
class ConsulMember(Process):
    """An agent, ours or the reference's; ``server`` ones lead a datacenter of their own. ``key`` encrypts."""

    subject: Subject = Subject.OURS
    server: bool = False
    key: str = ""
    arguments: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("http", "server", "serf_lan", "serf_wan")
        self.ports = self.ports or dict(zip(names, free_ports(len(names)), strict=True))

    def command(self) -> list[str]:
        words = [*program(self.subject), "agent", "-node", self.name, "-bind", self.host, "-client", self.host]
        words += ["-data-dir", str(self.data_dir), "-log-level=debug", "-hcl", TIMING]
        for name, port in self.ports.items():
            words += [f"-{name.replace('_', '-')}-port", str(port)]
        words += ["-dns-port", "-1", "-grpc-port", "-1"]
        words += ["-server", "-bootstrap-expect=1"] if self.server else []
        words += ["-encrypt", self.key] if self.key else []
        return words + self.arguments

    @property
    def gossip(self) -> str:
        """Where its LAN gossip listens."""
        return f"{self.host}:{self.ports['serf_lan']}"

    @property
    def wan_gossip(self) -> str:
        return f"{self.host}:{self.ports['serf_wan']}"

    @property
    def data_dir(self) -> Path:
        return self.directory / "data"

    def client(self, timeout_s: float = PATIENCE_S) -> Client:
        return Client(self.host, self.ports["http"], timeout_s)

    def call(self, method: str, target: str, body: bytes | None = None) -> Reply:
        client = self.client()
        try:
            return client.call(method, target, b"" if body is None and method != "GET" else body)
        finally:
            client.close()

    def ok(self, method: str, target: str, body: bytes | None = None) -> Reply:
        """As `call`, but anything except success fails the test with the answer's text.

        That there is no leader at the moment, for which nothing was done yet, may be so at any time on a busy machine:
        then it is asked again.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            reply = self.call(method, target, body)
            if (reply.status, reply.text.strip()) != NO_LEADER or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_MIN_S)
        assert reply.status == 200, f"{self.name}: {method} {target}: {reply.status} {reply.text}"
        return reply

    def wait_ready(self) -> None:
        def ready() -> bool:
            self.require_running()
            return self.call("GET", "/v1/agent/self").status == 200

        eventually(ready, f"{self.name} answers")

    def members(self, *, wan: bool = False) -> dict[str, Seen]:
        shown = self.ok("GET", "/v1/agent/members" + ("?wan=1" if wan else "")).json()
        return {one["Name"]: Seen(STATUS[one["Status"]], f"{one['Addr']}:{one['Port']}", one["Tags"]) for one in shown}

    def join(self, address: str) -> None:
        self.ok("PUT", f"/v1/agent/join/{address}")

    def leave(self) -> None:
        """Leave gracefully, and end."""
        self.ok("PUT", "/v1/agent/leave")
        self.wait_exit()

    def fire(self, name: str, payload: str) -> None:
        self.ok("PUT", f"/v1/event/fire/{name}", payload.encode())

    def has_event(self, name: str, payload: str) -> bool:
        shown = self.ok("GET", f"/v1/event/list?name={name}").json()
        return payload in [b64decode(one["Payload"] or "").decode() for one in shown]


@dataclass
class SerfMember(Process):
    """A serf agent that passes for a client of datacenter dc1: what Consul wants of a LAN member are tags."""

    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    profile: str = "local"
    ports: list[int] = field(default_factory=lambda: free_ports(2))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tags = {
            "role": "node", "dc": "dc1", "segment": "", "id": str(uuid.uuid4()), "build": "1.8.7:serf", "vsn": "2",
            "vsn_min": "2", "vsn_max": "3",
        } | self.tags  # fmt: skip
        script = self.directory / "event.sh"
        script.write_text(f'#!/bin/sh\necho "$SERF_USER_EVENT $(cat)" >> {self.directory}/events\n')
        script.chmod(0o755)
        answer = self.directory / "answer.sh"
        answer.write_text('#!/bin/sh\nprintf %s "$(cat)"\n')  # as our own members do: what was asked is the answer
        answer.chmod(0o755)

    def command(self) -> list[str]:
        words = [str(serf_path()), "agent", "-node", self.name, "-bind", self.gossip, "-rpc-addr", self.rpc]
        words += [f"-profile={self.profile}", "-log-level=debug"]
        words += [f"-event-handler=user={self.directory}/event.sh", f"-event-handler=query={self.directory}/answer.sh"]
        words += ["-encrypt", self.key] if self.key else []
        return words + [word for pair in self.tags.items() for word in ("-tag", "=".join(pair))]

    @property
    def gossip(self) -> str:
        return f"{self.host}:{self.ports[0]}"

    @property
    def rpc(self) -> str:
        return f"{self.host}:{self.ports[1]}"

    def serf(self, *words: str) -> str:
        done = run([str(serf_path()), words[0], f"-rpc-addr={self.rpc}", *words[1:]])
        if done.returncode:
            raise OSError(f"serf {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait_ready(self) -> None:
        def ready() -> bool:
            self.require_running()
            return bool(self.serf("info"))

        eventually(ready, f"{self.name} answers")

    def members(self) -> dict[str, Seen]:
        shown = json.loads(self.serf("members", "-format=json"))["members"]
        return {one["name"]: Seen(one["status"], one["addr"], one["tags"]) for one in shown}

    def join(self, address: str) -> None:
        self.serf("join", address)

    def leave(self) -> None:
        self.serf("leave")
        self.wait_exit()

    def fire(self, name: str, payload: str) -> None:
        self.serf("event", "-coalesce=false", name, payload)

    def events(self) -> str:
        """Everything the agent gave to its handler: names and payloads."""
        path = self.directory / "events"
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""

    def has_event(self, name: str, payload: str) -> bool:
        # What Consul sends is binary around the payload.
        return f"{name} " in self.events() and payload in self.events()


@dataclass
class BareMember(Process):
    """A member of ours with no agent around it, the counterpart of ``serf agent``, commanded by its standard input."""

    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    profile: str = "local"
    port: int = field(default_factory=lambda: free_ports(1)[0])
    stdin: int = subprocess.PIPE

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tags = {
            "role": "node", "dc": "dc1", "segment": "", "id": str(uuid.uuid4()), "build": "1.8.7:bare", "vsn": "2",
            "vsn_min": "2", "vsn_max": "3",
        } | self.tags  # fmt: skip

    def command(self) -> list[str]:
        words = [sys.executable, "-m", "proconsul.testing.gossip_member", "--name", self.name, "--bind", self.gossip]
        words += ["--log-level", "DEBUG", *(["--local"] if self.profile == "local" else [])]
        words += ["--key", self.key] if self.key else []
        return words + [word for pair in self.tags.items() for word in ("--tag", "=".join(pair))]

    @property
    def gossip(self) -> str:
        return f"{self.host}:{self.port}"

    def tell(self, command: str) -> None:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def said(self, *kinds: str) -> list[dict[str, Any]]:
        """All it has printed of these ``kinds``, in all its lives."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["what"] in kinds]

    def ask(self, command: str, *kinds: str) -> dict[str, Any]:
        """What it prints of these ``kinds`` after ``command``. Raises OSError when it refuses."""
        kinds = (*kinds, "error")
        before = len(self.said(*kinds))
        self.tell(command)

        def answer() -> list[dict[str, Any]]:
            self.require_running()
            return self.said(*kinds)[before:]

        first = eventually(answer, f"{self.name} answers {command!r}")[0]
        if first["what"] == "error":
            raise OSError(first["text"])
        return first

    def wait_ready(self) -> None:
        self.ask("stats", "stats")

    def members(self) -> dict[str, Seen]:
        shown = self.ask("members", "members")
        return {
            name: Seen(status, shown["addresses"][name], shown["tags"][name])
            for name, status in shown["members"].items()
        }

    def join(self, address: str) -> None:
        self.ask(f"join {address}", "joined")

    def leave(self) -> None:
        self.tell("leave")
        self.wait_exit()

    def fire(self, name: str, payload: str) -> None:
        self.tell(f"event {name} {payload}")

    def has_event(self, name: str, payload: str) -> bool:
        return any(one["name"].endswith(name) and payload in one["payload"] for one in self.said("user"))

    def dropped(self) -> dict[str, int]:
        """Why it did not use what it received, and how often."""
        counts: dict[str, int] = self.ask("stats", "stats")["dropped"]
        return counts


AnyMember = ConsulMember | SerfMember | BareMember


class Pool:
    """Members that belong together, killed at the end of the ``with`` block."""

    def __init__(self, directory: Path, key: str = "") -> None:
        self.directory, self.key = directory, key
        self.members: dict[str, AnyMember] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        for member in self.members.values():
            member.kill()
        for member in self.members.values() if kind is None else ():
            if not isinstance(member, SerfMember) and getattr(member, "subject", Subject.OURS) is Subject.OURS:
                require_quiet(member.name, member.log())

    def __iter__(self) -> Iterator[AnyMember]:
        return iter([member for member in self.members.values() if member.running])

    def consul(self, subject: Subject, *, server: bool | None = None) -> list[ConsulMember]:
        """The running agents of ``subject``."""
        return [
            member for member in self
            if isinstance(member, ConsulMember) and member.subject is subject and server in (None, member.server)
        ]  # fmt: skip

    def agents(self) -> list[ConsulMember]:
        return [member for member in self if isinstance(member, ConsulMember)]

    def add_consul(self, name: str, subject: Subject, *arguments: str, server: bool = False) -> ConsulMember:
        """Begin a process; `join_all` makes it a member."""
        member = ConsulMember(
            name, self.directory / name, subject=subject, server=server, key=self.key, arguments=list(arguments)
        )
        self._begin(member)
        return member

    def add_serf(self, name: str, *, profile: str = "local", **tags: str) -> SerfMember:
        member = SerfMember(name, self.directory / name, key=self.key, tags=tags, profile=profile)
        self._begin(member)
        return member

    def add_bare(self, name: str, *, profile: str = "local", **tags: str) -> BareMember:
        member = BareMember(name, self.directory / name, key=self.key, tags=tags, profile=profile)
        self._begin(member)
        return member

    def _begin(self, member: AnyMember) -> None:
        self.members[member.name] = member
        member.start()

    def join_all(self) -> None:
        """Wait for all processes and join each to the first, twice: the second exchange tells the early about the late
        at once, where a lost datagram would make them wait for the periodic one (30 s)."""
        members = list(self)
        for member in members:
            member.wait_ready()
        for member in members[1:] * 2:
            self.join(member)

    def join(self, member: AnyMember) -> None:
        """Join ``member`` to the first of the others."""
        member.wait_ready()
        other = next(one for one in self if one is not member)
        eventually(lambda: member.join(other.gossip) or True, f"{member.name} joins {other.name}")

    def everybody_sees(self, *, timeout_s: float = SETTLED_TIMEOUT_S, **statuses: str) -> None:
        """Wait until every running member shows the running ones as alive, and others as ``statuses`` say."""
        expected = {member.name: "alive" for member in self} | statuses

        def wrong() -> dict[str, dict[str, str]]:
            found = {}
            for member in self:
                member.require_running()
                shown = {name: seen.status for name, seen in member.members().items()}
                difference = {name: shown.get(name, "unknown") for name, status in expected.items()
                              if shown.get(name) != status}  # fmt: skip
                difference |= {name: shown[name] for name in shown.keys() - expected.keys()}
                if difference:
                    found[member.name] = difference
            return found

        self.until(wrong, f"everybody sees {expected}", timeout_s)

    def until(self, wrong: Callable[[], object], what: str, timeout_s: float = SETTLED_TIMEOUT_S) -> None:
        """Wait until ``wrong`` returns nothing; what it returned last goes into the failure."""
        last: list[object] = []

        def done() -> bool:
            last[:] = [wrong()]
            return not last[0]

        try:
            eventually(done, what, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\nwrong at last: {last}\nlogs: {self.directory}") from None


def require_reference() -> None:
    """Skip, loudly, where Consul or serf cannot be run; loopback addresses beyond the first are Linux's."""
    import pytest

    if reference_path() is None or serf_path() is None:
        without_reference(MISSING)
    if os.uname().sysname != "Linux":
        pytest.skip("NO LOOPBACK ADDRESSES: pools of real processes need all of 127.0.0.0/8")
