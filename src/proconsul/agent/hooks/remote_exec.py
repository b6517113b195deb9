"""``consul exec`` on the side of the agent: run what a job in the KV store says and write there what comes of it.

An event names the session and the prefix under which the job lies; acknowledgement, output and exit code go below
``<prefix>/<session>/<node>/``, locked by the session, so that they vanish with it. Nothing of this is done unless
``disable_remote_exec = false`` (Consul docs: commands/exec; keys, pieces and codes as Consul 1.8.7 writes them).
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from pathlib import Path

import msgspec

from proconsul.agent.hooks.events import UserEvent
from proconsul.agent.hooks.kv_port import KVPort
from proconsul.agent.hooks.processes import kill_group, start_group
from proconsul.agent.part import Part
from proconsul.engine.wire.goerrors import errno_text
from proconsul.engine.wire.text import quoted
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

EVENT = "_rexec"
# Output goes out in pieces of this size, or when it has waited this long.
PIECE_BYTES = 4 << 10
FLUSH_S = 0.5
# A program that says nothing is reported to be alive every ``Wait`` of the job; a smaller one would flood the store.
HEARTBEAT_MIN_S = 0.1
# Programs at a time. More only come from a caller gone wild: one operator has one job, each a program per agent.
JOBS_MAX = 32
# Exit codes of programs that could not be started, or were ended by a signal.
NOT_STARTED, KILLED = 255, -1


class _Call(msgspec.Struct):
    """The payload of the event."""

    Prefix: str = ""
    Session: str = ""


class _Job(msgspec.Struct):
    """What to run: a shell command, a program with arguments, or a script. ``Wait`` is nanoseconds."""

    Command: str = ""
    Args: list[str] | None = None
    Script: bytes | None = None
    Wait: int = 0


class RemoteExec(Part):
    """Runs the jobs of remote exec events. ``enabled`` is the opposite of disable_remote_exec."""

    def __init__(self, kv: KVPort, node: str, *, enabled: bool) -> None:
        self._kv = kv
        self._node = node
        self._enabled = enabled
        self._running: set[asyncio.Task[None]] = set()

    def received(self, event: UserEvent) -> None:
        """Begin the job that ``event`` announces. Whatever is wrong with it is logged."""
        if not self._enabled:
            log.info("ignoring remote exec event, disabled.: event_name=%s event_id=%s", event.Name, event.ID)
            return
        log.debug("received remote exec event: id=%s", event.ID)
        if len(self._running) >= JOBS_MAX:
            log.error("ignoring remote exec event, too many jobs are running: id=%s limit=%d", event.ID, JOBS_MAX)
            return
        task = asyncio.get_running_loop().create_task(self._handle(event))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """End all programs and what they started."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _handle(self, event: UserEvent) -> None:
        try:
            call = msgspec.json.decode(event.Payload or b"", type=_Call)
        except msgspec.DecodeError as error:
            log.error("failed to decode remote exec event: error=%s", quoted(str(error)))
            return
        base = "/".join(part for part in (call.Prefix.strip("/"), call.Session) if part)
        answers = _Answers(self._kv, f"{base}/{self._node}", call.Session)
        try:
            job = await self._job(f"{base}/job")
            if job is not None and await answers.write("ack", b"", "ack remote exec job"):
                await answers.write("exit", str(await self._run(job, answers)).encode(), "write remote exec exit code")
        except Exception:
            log.exception("remote exec failed")

    async def _job(self, key: str) -> _Job | None:
        try:
            data = await self._kv.read(key)
        except ConsulError as error:
            log.error("failed to get remote exec job: error=%s", quoted(str(error)))
            return None
        if data is None:
            log.debug("remote exec aborted, job spec missing")
            return None
        try:
            return msgspec.json.decode(data, type=_Job)
        except msgspec.DecodeError as error:
            log.error("failed to decode remote exec spec: error=%s", quoted(str(error)))
            return None

    async def _run(self, job: _Job, answers: _Answers) -> int:
        """Run the job's program and return its exit code."""
        if not job.Script:
            return await self._run_program(job, job.Command, answers)
        script = await asyncio.to_thread(_write_script, job.Script)
        try:
            return await self._run_program(job, script, answers)
        finally:
            Path(script).unlink(missing_ok=True)

    async def _run_program(self, job: _Job, command: str, answers: _Answers) -> int:
        words = job.Args or [os.environ.get("SHELL") or "/bin/sh", "-c", command]
        log.info("remote exec script: script=%s", quoted(command))
        try:
            process = await start_group(
                *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = errno_text(error) if isinstance(error, OSError) else "invalid argument"
            log.debug("failed to start remote exec: error=%s", quoted(f"fork/exec {words[0]}: {reason}"))
            return NOT_STARTED
        try:
            assert process.stdout is not None
            await answers.stream(process.stdout, max(job.Wait / 1e9, HEARTBEAT_MIN_S))
            code = await process.wait()
        except BaseException:
            kill_group(process)
            raise
        return code if code >= 0 else KILLED


class _Answers:
    """What one node writes for one job. After a write that failed there is nobody left to write for."""

    def __init__(self, kv: KVPort, base: str, session: str) -> None:
        self._kv = kv
        self._base = base
        self._session = session
        self._pieces = 0
        self._lost = False

    async def write(self, name: str, value: bytes, what: str) -> bool:
        """Write below our prefix under the job's lock; False, and a line in the log, when that is refused."""
        if self._lost:
            return False
        try:
            reason = "" if await self._kv.acquire(f"{self._base}/{name}", value, self._session) else "lock is taken"
        except ConsulError as error:
            reason = str(error)
        if reason:
            log.error("failed to %s: error=%s", what, quoted(reason))
            self._lost = True
        return not reason

    async def stream(self, output: asyncio.StreamReader, heartbeat_s: float) -> None:
        """Write pieces until the output ends; when there is none for ``heartbeat_s``, an empty one as a sign of life.

        Reading waits while a piece is written, so a program that talks too fast waits, too.
        """
        now = asyncio.get_running_loop().time
        piece = bytearray()
        silent_since = waiting_since = now()
        ended = False
        while not ended:
            due = waiting_since + FLUSH_S if piece else silent_since + heartbeat_s
            try:
                async with asyncio.timeout_at(due):
                    data = await output.read(PIECE_BYTES - len(piece))
            except TimeoutError:
                data = None
            if data:
                waiting_since = waiting_since if piece else now()
                piece += data
            ended = data == b""
            if len(piece) >= PIECE_BYTES or data is None or (ended and piece):
                await self.write(f"out/{self._pieces:05x}", bytes(piece), "write output for remote exec job")
                self._pieces += 1
                piece.clear()
                silent_since = now()


def _write_script(text: bytes) -> str:
    descriptor, path = tempfile.mkstemp(prefix="rexec")
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    os.chmod(path, 0o750)
    return path
