"""Real agent processes, ours and the reference's: start on free ports, wait until ready, stop by pid."""

from __future__ import annotations

import enum
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from proconsul.testing.ports import free_ports
from support import preloaded
from support.patience import PATIENCE_S
from support.preloaded import AnyProcess
from support.reference import reference_path

REPOSITORY = Path(__file__).resolve().parents[2]
# What begins and ends is waited for as long as anything.
READY_TIMEOUT_S = PATIENCE_S
STOP_TIMEOUT_S = PATIENCE_S
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.2
PORT_NAMES = ("http", "server", "serf_lan", "serf_wan")
T = TypeVar("T")
NODE_ID = "11111111-2222-3333-4444-555555555555"


class Subject(enum.Enum):
    """Which program is meant."""

    OURS = "ours"
    REFERENCE = "reference"


def program(subject: Subject) -> list[str]:
    """The words a command line begins with."""
    if subject is Subject.OURS:
        return [sys.executable, "-m", "proconsul"]
    path = reference_path()
    assert path is not None, "ask for the reference_binary fixture first"
    return [str(path)]


# What Python says of an error that nobody heard: of a task, a callback, a thread, a generator.
UNHEARD = (
    "Traceback (most recent call last)", "never retrieved", "Exception in callback", "exception in callback",
    "was destroyed but it is pending", "Exception ignored in", "was never awaited", "Unhandled exception",
)  # fmt: skip


def require_quiet(name: str, log: str) -> None:
    """Fail when a program's log has an error in it that nobody heard; to be called at every end of every agent."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if any(mark in line for mark in UNHEARD):
            shown = "\n".join(lines[max(0, number - 3) : number + 40])
            raise AssertionError(f"an error nobody heard in the log of {name}:\n{shown}")


def eventually(probe: Callable[[], T], what: str, timeout_s: float = READY_TIMEOUT_S) -> T:
    """The first true result of ``probe``; OSErrors count as not yet. Fails with ``what`` at the deadline."""
    began = time.monotonic()
    deadline = began + timeout_s
    last: object = None
    while (now := time.monotonic()) < deadline:
        try:
            result = probe()
            if result:
                return result
            last = result
        except (OSError, http.client.HTTPException) as error:
            last = error
        # Who has waited long can wait a little longer: asking costs the time of those who are waited for.
        time.sleep(min(max((now - began) / 10, PAUSE_MIN_S), PAUSE_MAX_S))
    raise AssertionError(f"not within {timeout_s:.0f} s: {what} (last: {last!r})")


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "backslashreplace")

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def index(self) -> int:
        return int(self.header("X-Consul-Index"))


class Client:
    """One kept-alive connection, sending exactly what it is told to."""

    def __init__(self, host: str, port: int, timeout_s: float = PATIENCE_S) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout_s)

    def call(
        self, method: str, target: str, body: bytes | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> Reply:
        connection = self._connection
        given = {name.lower() for name, _ in headers}
        connection.putrequest(method, target, skip_accept_encoding=True, skip_host="host" in given)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value)
        try:
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._connection.close()


@dataclass
class Agent:
    """One agent process with its own directory (log, and data when it is not a development agent)."""

    subject: Subject
    directory: Path
    arguments: list[str] = field(default_factory=list)
    dev: bool = True
    # Whether ``arguments`` say everything.
    plain: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Callable[[], None] | None = None
    ports: dict[str, int] = field(default_factory=dict)
    process: AnyProcess | None = None
    runs: int = 0
    # Whether ours begins from what is imported already; not where its start is what is tested.
    preloaded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.ports:
            self.ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def address(self) -> str:
        return f"{self.host}:{self.ports['http']}"

    @property
    def data_dir(self) -> Path:
        return self.directory / "data"

    @property
    def log_path(self) -> Path:
        return self.directory / "log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def command(self) -> list[str]:
        if self.plain:
            return [*program(self.subject), "agent", *self.arguments]
        words = [*program(self.subject), "agent", "-node", "n1", "-log-level=warn"]
        if self.dev:
            words += ["-dev", "-node-id", NODE_ID]
        else:
            words += ["-server", "-bootstrap-expect=1", "-data-dir", str(self.data_dir), "-bind", "127.0.0.1"]
            words += ["-hcl", "performance { raft_multiplier = 1 }"]
        for name in PORT_NAMES:
            words += [f"-{name.replace('_', '-')}-port", str(self.ports[name])]
        return [*words, "-dns-port", "-1", "-grpc-port", "-1", *self.arguments]

    def start(self) -> None:
        """Start the process; its output is appended to the log file."""
        assert self.process is None or self.process.poll() is not None
        self.runs += 1
        environment = {**os.environ, **self.environment}
        with self.log_path.open("ab") as log:
            if (self.preloaded or self.runs > 1) and self.limits is None:
                self.process = preloaded.start(
                    self.command(), output=log.fileno(), directory=self.directory, environment=environment
                )
                return
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                cwd=self.directory, env=environment, preexec_fn=self.limits,
            )  # fmt: skip

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def client(self, timeout_s: float = PATIENCE_S) -> Client:
        return Client(self.host, self.ports["http"], timeout_s)

    def call(
        self, method: str, target: str, body: bytes | str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> Reply:
        """One request on a connection of its own."""
        client = self.client()
        data = body.encode() if isinstance(body, str) else body
        if data is None and method in ("PUT", "POST"):
            data = b""
        try:
            return client.call(method, target, data, headers)
        finally:
            client.close()

    def wait_ready(self) -> None:
        """Until the agent leads, has registered itself and knows its own service and health."""

        def ready() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"{self.subject.value} ended with {self.process.returncode}:\n{self.log()}")
            node = self.call("GET", "/v1/catalog/node/n1")
            health = self.call("GET", "/v1/health/node/n1")
            return b"consul-network-segment" in node.body and b'"consul"' in node.body and b"serfHealth" in health.body

        eventually(ready, f"{self.subject.value} is ready; log:\n{self.log()[-2000:]}")

    def wait_for(self, path: str, wanted: bytes) -> None:
        """Until an answer holds the wanted text."""
        eventually(lambda: wanted in self.call("GET", path).body, f"{wanted!r} in {path}; log:\n{self.log()[-2000:]}")

    def __enter__(self) -> Self:
        """Start, and end with kill -9 behind the block."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait_exit(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        assert self.process is not None
        return self.process.wait(timeout_s)

    def require_quiet(self) -> None:
        """See `require_quiet`."""
        if self.subject is Subject.OURS:
            require_quiet(self.directory.name, self.log())

    def kill(self) -> None:
        """kill -9, and wait. Nothing happens when the process has ended already."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)

    def restart(self) -> None:
        self.start()
        self.wait_ready()


def run(command: Sequence[str], timeout_s: float = PATIENCE_S, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it printed."""
    environment = options.get("env") or os.environ
    if preloaded.can_fork(command, environment) and options.keys() <= {"env", "cwd"}:
        done = preloaded.run(
            command, stdin=b"", directory=options.get("cwd") or Path.cwd(), environment=environment, timeout_s=timeout_s
        )
        printed = (data.decode(errors="backslashreplace").replace("\r\n", "\n") for data in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(command, done.returncode, *printed)
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, stdin=options.pop("stdin", subprocess.DEVNULL),
        errors="backslashreplace", **options,
    )  # fmt: skip
