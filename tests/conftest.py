"""Fixtures every room may use. Being here, this file also makes `support` importable from all tests."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from support.harness import Agent, Subject
from support.order import by_time
from support.reference import require_reference


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # keep the order in which the workers have collected, see below


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: by_time(item.nodeid.partition("::")[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports travel between processes as UTF-8; what tests log of strange bytes must not end the run."""
    report = yield
    report.sections = [(name, _printable(content)) for name, content in report.sections]
    if report.longrepr is not None and report.failed:
        text = str(report.longrepr)
        if text != _printable(text):
            report.longrepr = _printable(text)
    return report


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@pytest.fixture(autouse=True)
def _agent_log_as_it_was() -> Iterator[None]:
    """What a test's agent makes of the log of agents must not reach the tests after it."""
    logger = logging.getLogger("agent")
    before = logger.level, logger.propagate, list(logger.handlers)
    yield
    logger.propagate, logger.handlers = before[1:]
    logger.setLevel(before[0])


@pytest.fixture(scope="session")
def reference_binary() -> Path:
    """The real Consul 1.8.7; the test is skipped, loudly, where there is none."""
    return require_reference()


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Start agents that end with the test: ``start_agent(arguments..., subject=..., dev=...)``."""
    started: list[Agent] = []

    def start(*arguments: str, subject: Subject = Subject.OURS, dev: bool = True, wait: bool = True) -> Agent:
        directory = tmp_path / f"agent{len(started)}"
        agent = Agent(subject, directory, list(arguments), dev=dev)
        started.append(agent)
        agent.start()
        if wait:
            agent.wait_ready()
        return agent

    yield start
    for agent in started:
        agent.kill()
    for agent in started:
        agent.require_quiet()


@pytest.fixture(scope="module")
def dev_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One of our development agents for all tests of a module."""
    agent = Agent(Subject.OURS, tmp_path_factory.mktemp("agent"), ["-hcl", "enable_script_checks=true"])
    agent.start()
    agent.wait_ready()
    yield agent
    agent.kill()
    agent.require_quiet()


@pytest.fixture(scope="module")
def agents(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Agent]]:
    """A development agent of the reference and one of ours, for all tests of a module."""
    pair = [Agent(subject, tmp_path_factory.mktemp(subject.value)) for subject in (Subject.REFERENCE, Subject.OURS)]
    for agent in pair:
        agent.start()
    try:
        for agent in pair:
            agent.wait_ready()
        yield pair
    finally:
        for agent in pair:
            agent.kill()
    for agent in pair:
        agent.require_quiet()
