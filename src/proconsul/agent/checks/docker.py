"""Docker check: run a command inside of a container through the Docker API; its exit code is the status.

Source: docs/agent/checks, "Docker + Interval"; Docker Engine API, "Exec". The daemon is found like the docker command
finds it: ``DOCKER_HOST`` (unix://, tcp://, http://), else the local socket.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.output import TailBuffer, captured_text
from proconsul.agent.checks.script import exit_status
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.http.client import ResponseHead
from proconsul.engine.http.fetch import HttpClientError, HttpRequest, fetch
from proconsul.engine.wire import plainjson

__all__ = ["DockerProbe", "docker_host"]

_DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
# 256 KiB for the API's own JSON answers, which have a few hundred bytes.
_ANSWER_BYTES_MAX: Final = 256 * 1024


def docker_host() -> str:
    """The daemon's address from the environment."""
    return os.environ.get("DOCKER_HOST") or _DEFAULT_HOST


class _Refused(Exception):
    """The daemon said no; the text is shown."""


class DockerProbe:
    def __init__(
        self, container: str, args: Sequence[str], timeout_s: float, output_bytes_max: int, host: str = ""
    ) -> None:
        self.container = container
        self.args = list(args)
        self.timeout_s = timeout_s
        self.output_bytes_max = output_bytes_max
        host = host or docker_host()
        self.unix_path = host.removeprefix("unix://") if host.startswith("unix://") else ""
        if self.unix_path:
            self.base = f"http://{quote(self.unix_path, safe='')}"
        else:
            self.base = host.replace("tcp://", "http://", 1).rstrip("/")

    async def run(self) -> ProbeResult:
        buffer = TailBuffer(self.output_bytes_max)
        try:
            exec_id = await self._create()
            await self._start(exec_id, buffer)
            code = await self._exit_code(exec_id)
        except _Refused as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error))
        return ProbeResult(exit_status(code), captured_text(buffer))

    async def _call(self, verb: str, method: str, path: str, body: object, sink: TailBuffer) -> ResponseHead:
        request = HttpRequest(
            url=f"{self.base}{path}",
            method=method,
            header={"Content-Type": ["application/json"], "Host": ["docker"]},
            body=json.dumps(body).encode() if body is not None else b"",
            unix_path=self.unix_path,
        )
        try:
            return await fetch(request, sink.write, self.timeout_s)
        except HttpClientError as error:
            raise _Refused(f"{verb} exec failed for container {self.container}: {error}") from None

    def _unexpected(self, verb: str, code: int, text: str) -> _Refused:
        return _Refused(f"{verb} exec failed for container {self.container} with status {code}: {text}")

    async def _create(self) -> str:
        body = {"AttachStdin": False, "AttachStdout": True, "AttachStderr": True, "Tty": True, "Cmd": self.args}
        answer = TailBuffer(_ANSWER_BYTES_MAX)
        path = f"/containers/{quote(self.container, safe='')}/exec"
        response = await self._call("create", "POST", path, body, answer)
        if response.status == 404:
            raise _Refused(f"create exec failed for unknown container {self.container}")
        if response.status == 409:
            raise _Refused(f"create exec failed since container {self.container} is paused or stopped")
        if response.status != 201:
            raise self._unexpected("create", response.status, answer.text)
        exec_id = _field(answer, "Id")
        if not isinstance(exec_id, str):
            raise _Refused(f"create exec response for container {self.container} cannot be parsed: {answer.text}")
        return exec_id

    async def _start(self, exec_id: str, output: TailBuffer) -> None:
        body = {"Detach": False, "Tty": True}
        response = await self._call("start", "POST", f"/exec/{quote(exec_id, safe='')}/start", body, output)
        if response.status == 404:
            raise _Refused(f"start exec failed for container {self.container}: invalid exec id {exec_id}")
        if response.status == 409:
            raise _Refused(f"start exec failed since container {self.container} is paused or stopped")
        if response.status != 200:
            raise self._unexpected("start", response.status, output.text)

    async def _exit_code(self, exec_id: str) -> int:
        answer = TailBuffer(_ANSWER_BYTES_MAX)
        response = await self._call("inspect", "GET", f"/exec/{quote(exec_id, safe='')}/json", None, answer)
        if response.status == 404:
            raise _Refused(f"inspect exec failed for container {self.container}: invalid exec id {exec_id}")
        code = _field(answer, "ExitCode")
        if response.status != 200 or not isinstance(code, int):
            raise self._unexpected("inspect", response.status, answer.text)
        return code


def _field(answer: TailBuffer, name: str) -> object:
    try:
        value = plainjson.loads(bytes(answer))
    except ValueError:
        return None
    return value.get(name) if isinstance(value, dict) else None
