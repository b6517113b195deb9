"""The two programs that are compared, each as one durable server of its own on loopback."""

from __future__ import annotations

import http.client
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from proconsul.testing.ports import free_ports

START_TIMEOUT_S = 60.0
POLL_S = 0.002

CONFIGURATION = """
performance { raft_multiplier = 1 }
limits { http_max_conns_per_client = 15000 }
"""


class BenchmarkError(Exception):
    """A subject did not do what it was asked to."""


class Subject:
    """One of the two. ``start`` and ``kill`` may be repeated on the same data directory."""

    def __init__(self, name: str, command: list[str], work: Path, configuration: str) -> None:
        self.name = name
        self.command = command
        self.work = work
        self.data_dir = work / "data"
        self.process: subprocess.Popen[bytes] | None = None
        work.mkdir(parents=True)
        (work / "agent.hcl").write_text(configuration)
        self.http_port, self.dns_port, *self._other_ports = free_ports(5)

    def start(self) -> None:
        """Execute the agent; it is not up yet when this returns."""
        assert self.process is None, f"{self.name} runs already"
        with (self.work / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.arguments()], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def arguments(self) -> list[str]:
        """What the agent is told."""
        server, lan, wan = self._other_ports
        return [
            "agent", "-server", "-bootstrap-expect=1", "-node", "bench", "-bind", "127.0.0.1", "-data-dir",
            str(self.data_dir), "-config-file", str(self.work / "agent.hcl"), "-log-level", "warn",
            "-http-port", str(self.http_port), "-dns-port", str(self.dns_port), "-server-port", str(server),
            "-serf-lan-port", str(lan), "-serf-wan-port", str(wan),
        ]  # fmt: skip

    def start_writable(self) -> float:
        """Start, and return the seconds until a first write is accepted."""
        began = time.perf_counter()
        self.start()
        self._until("PUT", "/v1/kv/bench/first", b"1", lambda status, body: status == 200 and body == b"true")
        return time.perf_counter() - began

    def start_answering(self, path: str) -> float:
        """Start, and return the seconds until ``path`` is answered with something in it."""
        began = time.perf_counter()
        self.start()
        self._until("GET", path, None, lambda status, body: status == 200 and len(body) > 4)
        return time.perf_counter() - began

    def wait_for(self, method: str, path: str) -> None:
        """Wait until a request is answered with 200."""
        self._until(method, path, None, lambda status, body: status == 200)

    def _until(self, method: str, path: str, body: bytes | None, good: object) -> None:
        assert callable(good) and self.process is not None
        end = time.perf_counter() + START_TIMEOUT_S
        while time.perf_counter() < end:
            if self.process.poll() is not None:
                raise BenchmarkError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            try:
                if good(*self.request(method, path, body)):
                    return
            except OSError:
                pass
            time.sleep(POLL_S)
        raise BenchmarkError(f"{self.name} was not ready in {START_TIMEOUT_S:.0f} s:\n{self.log()}")

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own. Raises OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"{self.name}: {error!r}") from error
        finally:
            connection.close()

    def put(self, path: str, body: bytes) -> None:
        """A request that must succeed. Raises BenchmarkError."""
        status, answer = self.request("PUT", path, body)
        if status != 200:
            raise BenchmarkError(f"{self.name}: PUT {path}: {status} {answer[:200]!r}")

    def memory_mib(self) -> float:
        """Resident memory of the process."""
        return self.told_mib("status", "VmRSS:", "resident")

    def told_mib(self, file: str, field: str, kind: str) -> float:
        """A ``kind`` of memory, as the kernel tells it of the process in a ``field``. Raises BenchmarkError."""
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        raise BenchmarkError(f"the kernel does not tell the {kind} memory")

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def wipe(self) -> None:
        """Forget everything that was stored."""
        assert self.process is None
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def log(self) -> str:
        return (self.work / "log").read_text(errors="replace")[-2000:]


class Pair:
    """Both subjects over a temporary directory; leaving the context ends and removes them.

    ``more``: what both are configured with beside `CONFIGURATION`.
    """

    def __init__(self, reference: Path, name: str, more: str = "") -> None:
        self._work = Path(tempfile.mkdtemp(prefix=f"proconsul-bench-{name}-"))
        configuration, ours = CONFIGURATION + more, [sys.executable, "-m", "proconsul"]
        self.ours = Subject("proconsul", ours, self._work / "ours", configuration)
        self.reference = Subject("reference", [str(reference)], self._work / "reference", configuration)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *exc: object) -> None:
        for subject in self.both():
            subject.kill()
        shutil.rmtree(self._work, ignore_errors=True)

    def both(self) -> tuple[Subject, Subject]:
        return self.ours, self.reference

    def start(self) -> None:
        for subject in self.both():
            subject.start_writable()
