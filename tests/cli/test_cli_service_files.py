"""Files of ``consul services register`` and ``consul validate``: refused as the original refuses them, by the agent's
own reader."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli_reference as reference
import pytest

from proconsul.cli.main import main

Bodies = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def agent() -> Iterator[tuple[str, Bodies]]:
    """The address of something that takes every registration, and what it took."""
    taken: Bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            taken.append((self.path, json.loads(body) if body else None))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", taken
    server.shutdown()


FILES = [
    ("json", '{"service":{"name":"web","prt":8080}}'),
    ("json", '{"service":{"name":"web","port":"8080"}}'),
    ("json", '{"service":{"name":"web","tags":"a"}}'),
    ("json", '{"service":{"name":"web","check":{"htp":"x"}}}'),
    ("json", '{"service":{"name":"web","check":{"ttl":"soon"}}}'),
    ("json", '{"service":{"name":"web","checks":{"ttl":"1s"}}}'),
    ("json", '{"service":{"name":"web","connect":{"sidecar_service":{"prt":1}}}}'),
    ("json", '{"service":{"name":"web","proxy":{"upstreams":[{"destination":"x"}]}}}'),
    ("json", '{"service":{"name":"web","weights":{"failing":1}}}'),
    ("json", '{"Service":{"Name":"web","EnableTagOverride":true}}'),
    ("json", '{"services":[{"name":"a"},{"nam":"b"}]}'),
    ("json", '{"bogus":1}'),
    ("json", "{}"),
    ("json", "[]"),
    ("json", "{"),
    ("json", '{"service":"x"}'),
    ("json", '{"datacenter":"UPPER CASE","service":{"name":"web"}}'),
    ("json", '{"ports":{"http":99999999},"service":{"name":"web"}}'),
    ("json", '{"acl_datacenter":"dc1","service":{"name":"web"}}'),
    ("hcl", 'service { name = "web" prt = 1 }'),
    ("hcl", 'service { name = "web" port = 1 check { ttl = "1s" } check { ttl = "2s" } }\nservice { name = "b" }'),
    ("hcl", "service {"),
    ("txt", "service {}"),
    ("json", '{"service":{"name":"web","port":80,"tags":["a"],"check":{"http":"http://x","interval":"10s"}}}'),
    ("hcl", 'services = [{ name = "a" }, { name = "b", id = "b1", meta = { k = "v" }, checks = [{ ttl = "90m" }] }]'),
]


def _theirs(command: list[str], file: str, folder: Path, environ: dict[str, str]) -> tuple[int, str, str]:
    done = subprocess.run(
        [reference.binary(), *command, file], cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["services register", "services deregister", "validate"])
@pytest.mark.parametrize(("extension", "text"), FILES)
def test_files_are_read_as_the_original_reads_them(
    command: str, extension: str, text: str, agent: tuple[str, Bodies], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    name = f"web.{extension}"
    (tmp_path / name).write_text(text)
    if command == "validate":
        text = text.replace("{", '{"data_dir":"/tmp/x",', 1) if extension == "json" and len(text) > 2 else text
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", agent[0])
    theirs = _theirs(command.split(), name, tmp_path, {"CONSUL_HTTP_ADDR": agent[0]})
    requests = [path for path, _ in agent[1]]
    agent[1].clear()
    code = main([*command.split(), name])
    shown = capsys.readouterr()
    assert (code, shown.out, shown.err) == theirs
    assert [path for path, _ in agent[1]] == requests
    agent[1].clear()


def test_what_is_registered(agent: tuple[str, Bodies], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file says, in the names and durations of the API; also the command of a check, which the original
    loses."""
    check = {"args": ["a", "b"], "interval": "5s", "timeout": "1s", "deregister_critical_service_after": "90m"}
    sidecar = {"port": 9, "check": {"ttl": "1s"}, "proxy": {"upstreams": [{"destination_name": "db"}]}}
    service = {"name": "web", "id": "w1", "port": 80, "enable_tag_override": True, "meta": {"k": "v"}, "check": check,
               "weights": {"passing": 3, "warning": 1}, "connect": {"sidecar_service": sidecar}}  # fmt: skip
    (tmp_path / "web.json").write_text(json.dumps({"service": service}))
    monkeypatch.setenv("CONSUL_HTTP_ADDR", agent[0])
    agent[1].clear()
    assert main(["services", "register", str(tmp_path / "web.json")]) == 0
    ((path, body),) = agent[1]
    assert path == "/v1/agent/service/register"
    upstream = {"DestinationType": "service", "DestinationName": "db"}
    expected_check = {"Args": ["a", "b"], "Interval": "5s", "Timeout": "1s"}
    assert body == {
        "Name": "web", "ID": "w1", "Port": 80, "EnableTagOverride": True, "Meta": {"k": "v"},
        "Weights": {"Passing": 3, "Warning": 1},
        "Checks": [expected_check | {"DeregisterCriticalServiceAfter": "1h30m0s"}],
        "Connect": {"SidecarService": {"Port": 9, "Checks": [{"TTL": "1s"}], "Proxy": {"Upstreams": [upstream]}}},
    }  # fmt: skip
