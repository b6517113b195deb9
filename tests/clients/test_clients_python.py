"""Client libraries from the package index against a development agent.

py-consul and python-consul2 both install a package named `consul`; installed together one of them is damaged. Each test
therefore takes its library from site-packages only when all its files are intact, and otherwise from a folder of its
own, filled by pip.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest
import requests

from support.harness import Agent, eventually, run

HERE = Path(__file__).parent


# Both packages provide a module named `consul`, so each gets a folder of its own.
CLIENTS = {"py-consul": "1.8.0", "python-consul2": "0.1.5"}


@pytest.fixture(scope="module", params=CLIENTS)
def library(request: pytest.FixtureRequest) -> Path:
    """A folder in which `consul` is this library."""
    version = CLIENTS[request.param]
    folder = Path(str(request.config.cache.mkdir(f"client-{request.param}-{version}")))
    if not (folder / "consul").is_dir():
        wanted = f"{request.param}=={version}"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), wanted]
        done = run(command, timeout_s=90)
        if done.returncode != 0:
            pytest.skip(f"NO CLIENT: pip cannot fetch {wanted}: {done.stderr[-300:]}")
    return folder


def lives(script: str, library: Path, agent: Agent, *more: str) -> None:
    """A script comes to its end with this library and this agent."""
    paths = os.pathsep.join([str(library), *(path for path in sys.path if path)])
    command = [sys.executable, str(HERE / script), str(agent.ports["http"]), *more]
    done = run(command, timeout_s=180, env={**os.environ, "PYTHONPATH": paths})
    assert (done.returncode, done.stdout.strip()) == (0, "lived"), done.stderr


def test_the_life_of_a_service(library: Path, dev_agent: Agent) -> None:
    lives("client_life.py", library, dev_agent)


def test_messages_of_kombu(library: Path, dev_agent: Agent) -> None:
    lives("kombu_life.py", library, dev_agent, "messages")


@pytest.mark.long
def test_tasks_of_celery(library: Path, dev_agent: Agent) -> None:
    """Its workers look for tasks once in a while, so this takes long and costs little."""
    lives("kombu_life.py", library, dev_agent, "tasks")


def test_groups_and_locks_of_tooz(library: Path, dev_agent: Agent) -> None:
    lives("tooz_life.py", library, dev_agent)


def test_requests_sessions_keep_one_connection(dev_agent: Agent) -> None:
    base = f"http://{dev_agent.address}/v1"
    with requests.Session() as session:
        assert session.put(f"{base}/kv/req/ü", data=b"wert").json() is True
        answer = session.get(f"{base}/kv/req/ü")
        assert base64.b64decode(answer.json()[0]["Value"]) == b"wert"
        assert session.put(f"{base}/kv/req/chunked", data=iter([b"a", b"b"])).json() is True
        assert session.get(f"{base}/kv/req/chunked", params={"raw": ""}).content == b"ab"
        assert session.get(f"{base}/catalog/nodes", headers={"Accept-Encoding": "gzip"}).json()[0]["Node"] == "n1"
        assert session.put(f"{base}/agent/service/register", json={"Name": "req"}).text == ""
        assert session.get(f"{base}/kv/none").status_code == 404
        assert session.get(f"{base}/kv//req//ü", allow_redirects=False).status_code == 301
        assert session.options(f"{base}/kv/x").headers["Allow"] == "OPTIONS,GET,PUT,DELETE"
        with session.get(f"{base}/agent/monitor", params={"loglevel": "debug"}, stream=True, timeout=20) as stream:
            eventually(lambda: session.put(f"{base}/agent/reload").status_code == 200, "something to log")
            assert next(stream.iter_lines())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-X", "PUT", "-d", "value", "/v1/kv/curl"], "true\n"),
        (["-T", "-", "/v1/kv/upload"], "true\n"),
        (["/v1/kv/curl?raw"], "value"),
        (["--http1.0", "/v1/kv/curl?raw"], "value"),
        (["--compressed", "/v1/kv/curl?raw"], "value"),
        (["--http2", "/v1/kv/curl?raw"], "value"),
        (["-L", "/v1/kv//curl?raw"], "value"),
        (["-X", "PUT", "-H", "Expect: 100-continue", "-d", "later", "/v1/kv/curl2"], "true\n"),
        (["-X", "DELETE", "/v1/kv/curl2"], "true\n"),
        (["-o", "/dev/null", "-w", "%{http_code} %{num_connects}", "/v1/kv/none"], "404 1"),
        (["-I", "-o", "/dev/null", "-w", "%{http_code}", "/v1/kv/curl"], "405"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_curl(arguments: list[str], expected: str, dev_agent: Agent) -> None:
    *flags, target = arguments
    try:
        done = run(["curl", "-sS", "--max-time", "20", *flags, f"http://{dev_agent.address}{target}"])
    except FileNotFoundError:
        pytest.skip("NO CURL: install curl")
    if "unsupported" in done.stderr.lower() or "built-in" in done.stderr:
        pytest.skip(f"this curl cannot: {done.stderr}")
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_urls_with_many_bytes_are_one_request(dev_agent: Agent) -> None:
    listed = {"Name": "many", "Tags": [f"tag-{number}" for number in range(2000)]}
    answer = requests.put(f"http://{dev_agent.address}/v1/agent/service/register", data=json.dumps(listed), timeout=20)
    assert answer.status_code == 200
    shown = requests.get(f"http://{dev_agent.address}/v1/agent/service/many", timeout=20).json()
    assert shown["Tags"] == listed["Tags"]
