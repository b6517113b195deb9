"""Runs the reference program and ours against one agent and compares what they print."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from support import harness, preloaded
from support.patience import PATIENCE_S
from support.reference import require_reference

HERE = Path(__file__).parent
OURS = [sys.executable, "-m", "proconsul"]
_START_TIMEOUT_S = PATIENCE_S
_RUN_TIMEOUT_S = PATIENCE_S

# What differs from run to run, and what stands for it.  Help pages are ours, so they are cut off where they begin.
NORMALISERS = (
    (re.compile(r"^Usage:.*", re.MULTILINE | re.DOTALL), "Usage\n"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000 UTC|Z)?"), "<time>"),
    (re.compile(r'("?(?:Create|Modify) ?Index"?:? +)\d+'), r"\1<index>"),
    (re.compile(r"((?:applied_index|commit_index|last_log_index|runtime|goroutines|cpu_count)\S* = )\d+"), r"\1<n>"),
    (re.compile(r"((?:intent_queue|event_queue|query_queue|event_time|query_time|member_time) = )\d+"), r"\1<n>"),
    (re.compile(r"(to index )\d+"), r"\1<index>"),
    (re.compile(r"tmp\d+"), "tmp<n>"),
    # The reference walks over a map here, so either name may come first.
    (re.compile(r'file missing for "[^"]+"'), "file missing for <name>"),
    (re.compile(r"(reset index: )\d+"), r"\1<index>"),
    (re.compile(r"(Hash: +)[0-9a-f]{64}"), r"\1<hash>"),
    (re.compile(r'("Hash": )"[^"]+"'), r"\1<hash>"),
)


def binary() -> str:
    """Return the path of the reference program, or skip the test."""
    return str(require_reference())


class Agent:
    """A running reference agent in development mode, called ref1."""

    def __init__(self, folder: Path, configuration: str) -> None:
        config = folder / "agent.hcl"
        config.write_text(configuration)
        binary()
        arguments = ["-node", "ref1", "-log-level", "info", "-config-file", str(config)]
        self._agent = harness.Agent(harness.Subject.REFERENCE, folder / "agent", arguments)
        ports = self._agent.ports
        self.http, self.serf, self.wan, self.address = (
            ports["http"], ports["serf_lan"], ports["serf_wan"], self._agent.address
        )  # fmt: skip
        self._agent.start()

    def wait_until_ready(self, path: str, wanted: bytes) -> None:
        """Wait until an answer of the agent holds the wanted text."""
        self._agent.wait_for(path, wanted)

    def stop(self) -> None:
        """End the agent."""
        self._agent.kill()


@contextlib.contextmanager
def running(
    folder: Path,
    configuration: str = "",
    path: str = "/v1/health/node/ref1",
    wanted: bytes = b"serfHealth",
) -> Iterator[Agent]:
    """Run an agent while the block lasts, ready when an answer holds the wanted text: by default, itself."""
    agent = Agent(folder, configuration)
    try:
        agent.wait_until_ready(path, wanted)
        yield agent
    finally:
        agent.stop()


# What newer releases print more of, below what 1.8.7 prints.
LONGER = ("snapshot inspect",)


def normalise(text: str) -> str:
    """Replace what differs from run to run."""
    for pattern, replacement in NORMALISERS:
        text = pattern.sub(replacement, text)
    return text


Result = tuple[int, str, str]


def run(program: list[str], arguments: list[str], folder: Path, environ: Mapping[str, str], stdin: bytes) -> Result:
    """Run a program and return exit code, output and errors, normalised."""
    base = {key: value for key, value in os.environ.items() if not key.startswith("CONSUL_")}
    done = preloaded.run(
        [*program, *arguments], directory=folder, environment={**base, **environ}, stdin=stdin, timeout_s=_RUN_TIMEOUT_S
    )
    return (
        done.returncode,
        normalise(done.stdout.decode("utf-8", "replace")),
        normalise(done.stderr.decode("utf-8", "replace")),
    )


class Case:
    """One command line of a case file, with what must be run before it."""

    def __init__(self, line: str, resets: list[str]) -> None:
        self.line = line
        self.resets = resets
        command, _, text = line.partition(" <<< ")
        self.stdin = text.encode()
        self.arguments = shlex.split(command)
        self.environ: dict[str, str] = {}
        while self.arguments and re.match(r"^[A-Z_]+=", self.arguments[0]):
            name, _, value = self.arguments.pop(0).partition("=")
            self.environ[name] = value


def cases(name: str, values: Mapping[str, str]) -> list[Case]:
    """Read a case file.

    A line is a command line, with variables before it and its input after ``<<<``.  Lines with ``~`` are command
    lines that put the state back before each of the two runs of the next case.  ``#`` begins a comment.
    """
    found: list[Case] = []
    resets: list[str] = []
    for line in (HERE / "cases" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        for key, value in values.items():
            line = line.replace("{" + key + "}", value)
        if line.startswith("#"):
            continue
        if line.startswith("~"):
            resets.append(line[1:].strip())
            continue
        found.append(Case(line, resets))
        resets = []
    return found


def differences(
    name: str, folder: Path, environ: Mapping[str, str], values: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Run every case of a file with both programs; return their number and a text about each difference."""
    reports: list[str] = []
    all_cases = cases(name, values)
    for case in all_cases:
        results = []
        for program in ([binary()], OURS):
            for reset in case.resets:
                run([binary()], shlex.split(reset), folder, environ, b"")
            results.append(run(program, case.arguments, folder, {**environ, **case.environ}, case.stdin))
        for what, theirs, ours in zip(("exit code", "output", "errors"), *results, strict=True):
            if what == "output" and case.line.startswith(LONGER):
                ours = ours[: len(theirs)]
            if theirs != ours:
                reports.append(
                    f"$ consul {case.line}\n  {what} of the reference: {theirs!r}\n  {what} of ours: {ours!r}"
                )
    return len(all_cases), reports


def copy_files(folder: Path) -> None:
    """Put the files the cases mention into the folder they run in."""
    (folder / "dbg" / "exists").mkdir(parents=True)
    shutil.copytree(HERE / "files", folder, dirs_exist_ok=True)
