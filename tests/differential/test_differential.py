"""The same requests to the real Consul 1.8.7 and to us: every status, header and byte of the answers must agree.

The scenarios are data, one file per area in ``scenarios/``. What differs on purpose is listed in ``intended.toml`` with
its reason, and must go on differing, so that the list stays true.
"""

from __future__ import annotations

import difflib
import itertools
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.harness import Agent, Client, Reply, Subject
from support.normal import Names, normal
from support.scenarios import Rule, Scenario, Step, fill, load, pick

pytestmark = pytest.mark.reference

HERE = Path(__file__).parent
SCENARIOS = [scenario for path in sorted((HERE / "scenarios").glob("*.http")) for scenario in load(path)]
INTENDED: list[dict[str, str]] = tomllib.loads((HERE / "intended.toml").read_text())["difference"]
# What the agents of a file are told beyond what all are told. Who sends no token there manages access control.
MANAGER = "5e56ad8c-7f0a-4ee6-9d4f-9f1e5d2f6a31"
ACL_ON = (
    'acl { enabled = true default_policy = "deny" tokens { master = "' + MANAGER + '" default = "' + MANAGER + '" } }'
)
SETTINGS = {"acl": ACL_ON, "acl_login": ACL_ON, "acl_legacy": ACL_ON}
SETTLE_TIMEOUT_S = 40.0
DIFF_LINES_MAX = 60


@dataclass
class Side:
    """One of the two agents during one scenario."""

    client: Client
    names: Names

    def send(self, step: Step) -> tuple[Reply, str]:
        values = self.names.values
        body = None if step.body is None else fill(step.body.decode(), values).encode()
        headers = [(name, fill(value, values)) for name, value in step.headers]
        reply = self.client.call(step.method, fill(step.target, values), body, headers)
        return reply, normal(reply, self.names, step.rules)

    def capture(self, step: Step, reply: Reply) -> None:
        headers = {key.lower(): value for key, value in reply.headers}
        for name, path in step.captures:
            self.names.values[name] = pick(path, reply.body, headers)


class Pairs:
    """One fresh pair of agents for each scenario file; the former pair ends when the next file begins."""

    def __init__(self, directories: pytest.TempPathFactory) -> None:
        self._directories = directories
        self._file = ""
        self._agents: list[Agent] = []
        self._started: list[int] = []

    def of(self, file: str) -> tuple[Side, Side]:
        """A connection to each."""
        if file != self._file:
            self.close()
            self._file = file
            for subject in (Subject.REFERENCE, Subject.OURS):
                directory = self._directories.mktemp(subject.value)
                settings = ["enable_script_checks=true", *filter(None, [SETTINGS.get(file)])]
                agent = Agent(subject, directory, [word for one in settings for word in ("-hcl", one)])
                agent.start()
                self._agents.append(agent)
            for agent in self._agents:
                agent.wait_ready()
                self._started.append(int(agent.call("GET", "/v1/agent/self").json()["Stats"]["raft"]["applied_index"]))
        reference, ours = (
            Side(agent.client(), Names(agent, started))
            for agent, started in zip(self._agents, self._started, strict=True)
        )
        return reference, ours

    def close(self) -> None:
        for agent in self._agents:
            agent.kill()
        self._agents, self._started, self._file = [], [], ""


@pytest.fixture(scope="module")
def pairs(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    found = Pairs(tmp_path_factory)
    yield found
    found.close()


def _holds(reply: Reply, step: Step) -> bool:
    return step.awaited in "".join(reply.text.split())


def _both(reference: Side, ours: Side, step: Step) -> str:
    """Send a step to both; the diff of their answers, empty when they agree."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        expected, expected_text = reference.send(step)
        answer, answer_text = ours.send(step)
        settled = expected_text == answer_text or Rule.SETTLE not in step.rules
        if (settled and _holds(expected, step) and _holds(answer, step)) or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if not _holds(expected, step):
        return f"the reference never answered {step.awaited!r} but {expected.text[:500]!r}"
    for side, reply in ((reference, expected), (ours, answer)):
        try:
            side.capture(step, reply)
        except (ValueError, LookupError) as error:
            return f"cannot capture from {reply.text[:500]!r}: {error!r}"
    lines = difflib.unified_diff(
        expected_text.splitlines(), answer_text.splitlines(), "reference", "ours", lineterm="", n=2
    )
    return "\n".join(itertools.islice(lines, DIFF_LINES_MAX))


def _reason(scenario: Scenario, step: Step) -> str | None:
    for entry in INTENDED:
        if entry["file"] == scenario.file and entry["request"] == f"{step.method} {step.target}":
            if entry.get("body", "") in (step.body or b"").decode():
                return entry["reason"]
    return None


def _run(scenario: Scenario, sides: tuple[Side, Side]) -> list[str]:
    reference, ours = sides
    reports = []
    try:
        for step in scenario.steps:
            diff = _both(reference, ours, step)
            reason = _reason(scenario, step)
            where = f"{scenario.file}.http:{step.line}: {step}"
            if diff and reason is None:
                reports.append(f"{where}\n{diff}")
            elif not diff and reason is not None:
                reports.append(f"{where}\nno longer differs; remove it from intended.toml: {reason}")
    finally:
        reference.client.close()
        ours.client.close()
    return reports


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{one.file}: {one.title}" for one in SCENARIOS])
def test_answers_equal_the_reference(scenario: Scenario, pairs: Pairs) -> None:
    reports = _run(scenario, pairs.of(scenario.file))
    if reports:
        pytest.fail(f"{len(reports)} differences\n\n" + "\n\n".join(reports), pytrace=False)


def test_every_intended_difference_names_a_request_and_a_reason() -> None:
    requests = {(s.file, f"{step.method} {step.target}") for s in SCENARIOS for step in s.steps}
    for entry in INTENDED:
        assert (entry["file"], entry["request"]) in requests
        assert len(entry["reason"]) > 20


def test_the_scenarios_are_many() -> None:
    assert sum(len(scenario.steps) for scenario in SCENARIOS) >= 400
