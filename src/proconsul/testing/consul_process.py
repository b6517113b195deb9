"""A Consul program as a process of its own, with the words of `DevAgent`: one suite for it and for us.

Time, faults and memory of such a process are in nobody's hand: what needs them raises `Unsupported`, which the pytest
plugin makes a skip of.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from proconsul.testing.answers import AsyncAsking, Body, HttpAnswer, SyncAsking, encoded, headers_of
from proconsul.testing.ports import free_ports

__all__ = ["AsyncConsulProcess", "ConsulProcess", "Unsupported", "find_consul"]

HOST = "127.0.0.1"
# Far beyond anything but a broken machine.
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
ASK_TIMEOUT_S = 660.0
PORTS = ("http", "server", "serf_lan", "dns")


class Unsupported(NotImplementedError):
    """Only an agent in this process can do that."""


def find_consul(path: str = "") -> str | None:
    """``path``, else what CONSUL_BIN names, else ``consul`` of PATH; None when there is none."""
    wanted = path or os.environ.get("CONSUL_BIN") or "consul"
    return shutil.which(wanted)


class ConsulProcess(SyncAsking):
    """``program agent -dev`` on ports of its own, with a directory that goes with it. A context manager.

    ``settings``: configuration keys. ``program``: see `find_consul`. Raises FileNotFoundError when there is none.
    """

    settings: dict[str, Any]
    token: str

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, program: str = "", dns: bool = False, token: str = ""
    ) -> None:  # fmt: skip
        self.settings, self.token, self._dns = dict(settings or {}), token, dns
        found = find_consul(program)
        if found is None:
            raise FileNotFoundError(f"there is no {program or 'consul'}: name one with CONSUL_BIN")
        self.program = found
        self.ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._begin = b""

    # ------------------------------------------------------------------ life

    def start(self) -> Self:
        """Ready when this returns. Raises RuntimeError with the process's log when it ends instead."""
        self._directory = tempfile.TemporaryDirectory(prefix="proconsul-testing-")
        try:
            self._begin_process()
            if not self._ready():
                raise RuntimeError(f"{self.program} is not ready:\n{self.log()[-4000:]}")
            self._begin = self.get("snapshot").body
        except BaseException:
            self.stop()
            raise
        return self

    def _begin_process(self) -> None:
        assert self._directory is not None
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        ports = {**self.ports, "grpc": -1, "serf_wan": -1, **({} if self._dns else {"dns": -1})}
        given = {"node_name": "test", "bind_addr": HOST, **self.settings}
        given["ports"] = {**ports, **(given.get("ports") or {})}
        config = Path(self._directory.name) / "settings.json"
        config.write_text(json.dumps(given))
        with (Path(self._directory.name) / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self.program, "agent", "-dev", "-log-level=warn", f"-config-file={config}"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, cwd=self._directory.name,
            )  # fmt: skip

    def _ready(self) -> bool:
        """Whether it came to lead and to know itself; False when it has ended or takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        name = self.settings.get("node_name", "test")
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                answer = self.get(f"health/node/{name}")
                if b"serfHealth" in answer.body or answer.status == 403:
                    return True
            time.sleep(0.02)
        return False

    def log(self) -> str:
        """What the process has printed."""
        assert self._directory is not None
        return (Path(self._directory.name) / "log").read_text(errors="replace")

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def stop(self) -> None:
        """Nothing of it is left. May be called twice."""
        self._end_process()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------ where it is, what it is asked

    @property
    def http_port(self) -> int:
        return self.ports["http"]

    @property
    def http_address(self) -> str:
        return f"{HOST}:{self.http_port}"

    @property
    def url(self) -> str:
        return f"http://{self.http_address}"

    @property
    def dns_port(self) -> int:
        if not self._dns:
            raise RuntimeError("this agent answers no DNS: begin it with dns=True")
        return self.ports["dns"]

    @property
    def dns_address(self) -> str:
        return f"{HOST}:{self.dns_port}"

    def env(self) -> dict[str, str]:
        """See `DevAgent.env`."""
        found = {"CONSUL_HTTP_ADDR": self.http_address, "CONSUL_HTTP_SSL": "false"}
        return {**found, "CONSUL_HTTP_TOKEN": self.token} if self.token else found

    def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        """One request over a connection of its own. Raises OSError."""
        with closing(http.client.HTTPConnection(HOST, self.http_port, timeout=ASK_TIMEOUT_S)) as connection:
            connection.request(method, target, encoded(body), headers_of(self.token, headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return HttpAnswer(response.status, found, response.read())

    # ------------------------------------------------------------------ state

    def snapshot(self) -> bytes:
        """The replicated state, as an archive."""
        return self.get("snapshot").body

    def restore(self, snapshot: bytes) -> None:
        """Put the replicated state back. What is registered with the agent stays, and comes back to the catalog."""
        answer = self.put("snapshot", snapshot)
        if not answer.ok:
            raise RuntimeError(f"the snapshot is refused: {answer.text}")

    def reset(self) -> None:
        """As at the start: nothing registered with the agent, and the state of then."""
        for service in self.get("agent/services").json():
            self.put(f"agent/service/deregister/{service}")
        for check in self.get("agent/checks").json():
            self.put(f"agent/check/deregister/{check}")
        self.restore(self._begin)

    # ------------------------------------------------------------------ what it cannot

    def settle(self) -> None:
        """Wait until the agent's registrations are in the catalog, as far as can be seen from here. Raises
        TimeoutError."""
        name = self.settings.get("node_name", "test")
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            mine = {*self.get("agent/services").json()}
            known = {*self.get(f"catalog/node/{name}").json()["Services"]}
            if mine == known - {"consul"}:
                return
            time.sleep(0.02)
        raise TimeoutError(f"the catalog does not have what is registered after {READY_TIMEOUT_S:g} s")

    def __getattr__(self, name: str) -> Any:
        if name in ONLY_IN_PROCESS:
            return _unsupported(name)
        raise AttributeError(name)


ONLY_IN_PROCESS = frozenset((
    "advance", "agent", "deny", "fail", "faults", "fill_disk", "freeze", "lose_leader", "lose_leader_in_next_write",
    "now", "recover", "refuse", "slow_answers", "slow_disk", "thaw",
))  # fmt: skip


def _unsupported(name: str) -> NoReturn:
    raise Unsupported(f"{name} needs an agent in this process")


class AsyncConsulProcess(AsyncAsking):
    """As `ConsulProcess`, awaited; an asynchronous context manager."""

    def __init__(self, settings: Mapping[str, Any] | None = None, **options: Any) -> None:
        self._process = ConsulProcess(settings, **options)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._process.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._process.stop)

    async def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        return await asyncio.to_thread(self._process.request, method, target, body, headers)

    async def snapshot(self) -> bytes:
        return await asyncio.to_thread(self._process.snapshot)

    async def restore(self, snapshot: bytes) -> None:
        await asyncio.to_thread(self._process.restore, snapshot)

    async def reset(self) -> None:
        await asyncio.to_thread(self._process.reset)

    async def settle(self) -> None:
        await asyncio.to_thread(self._process.settle)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)
