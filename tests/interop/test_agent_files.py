"""The files of an agent, taken over by Consul 1.8.7 and back: services, checks, results, tokens, node id, keyring."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.local.persistence import NEWER_CHECK_FIELDS, file_name
from support.harness import Agent, Subject
from support.pools import require_reference

pytestmark = pytest.mark.reference
OURS, REFERENCE = Subject.OURS, Subject.REFERENCE
KEY = "MTIzNDU2Nzg5MDEyMzQ1Ng=="
TOKEN = ("X-Consul-Token", "11111111-2222-3333-4444-555555555555")
# What an agent keeps of itself; the rest is a server's, in formats that are compared elsewhere.
OF_THE_AGENT = {"services", "checks", "node-id", "serf"}

WEB: dict[str, Any] = {
    "ID": "w1", "Name": "web", "Port": 80, "Tags": ["a"], "Meta": {"k": "v"}, "Address": "10.1.1.1",
    "TaggedAddresses": {"lan": {"Address": "1.2.3.4", "Port": 5}}, "Weights": {"Passing": 2, "Warning": 3},
    "EnableTagOverride": True,
    "Checks": [
        {"CheckID": "ttl", "TTL": "1h"},
        {"CheckID": "http", "HTTP": "http://127.0.0.1:9/", "Interval": "9h", "Header": {"A": ["b"]}, "Method": "POST",
         "Body": "x", "TLSSkipVerify": True, "Timeout": "3s", "DeregisterCriticalServiceAfter": "5m",
         "SuccessBeforePassing": 2, "FailuresBeforeCritical": 3},
        {"CheckID": "tcp", "TCP": "127.0.0.1:9", "Interval": "9h"},
        {"CheckID": "grpc", "GRPC": "127.0.0.1:9", "GRPCUseTLS": True, "Interval": "9h"},
        {"CheckID": "script", "Args": ["true"], "Interval": "9h", "OutputMaxSize": 100},
        {"CheckID": "docker", "Args": ["true"], "DockerContainerID": "x", "Shell": "sh", "Interval": "9h"},
    ],
    "Connect": {"SidecarService": {"Check": {"TTL": "1h"}}},
}  # fmt: skip
PROXY: dict[str, Any] = {
    "Name": "px", "Kind": "connect-proxy", "Port": 1,
    "Proxy": {"DestinationServiceName": "web", "Config": {"a": 1, "b": {"c": "d"}}, "MeshGateway": {"Mode": "local"},
              "Upstreams": [{"DestinationName": "db", "LocalBindPort": 9, "Config": {"x": "y"}}]},
}  # fmt: skip


def registered(agent: Agent) -> None:
    """Something of every kind that is kept in a file."""
    for target, body in (
        ("service/register", WEB), ("service/register", PROXY),
        ("service/register", {"Name": "native", "Connect": {"Native": True}}),
        ("check/register", {"ID": "mem", "Name": "memory", "TTL": "1h", "Notes": "n"}),
        ("check/register", {"Name": "alias", "AliasService": "native"}),
        ("check/pass/ttl?note=fine", None), ("check/warn/mem?note=hm", None),
        ("service/maintenance/w1?enable=true&reason=why", None), ("maintenance?enable=true", None),
    ):  # fmt: skip
        reply = agent.call("PUT", f"/v1/agent/{target}", json.dumps(body) if body is not None else b"", [TOKEN])
        assert reply.status == 200, reply.text


def shown(agent: Agent) -> dict[str, Any]:
    checks = agent.call("GET", "/v1/agent/checks").json()
    checks["alias"]["Output"] = ""  # which of several failing checks it names is chance
    return {
        "services": agent.call("GET", "/v1/agent/services").json(), "checks": checks,
        "node": agent.call("GET", "/v1/agent/self").json()["Config"]["NodeID"],
        "keys": [sorted(ring["Keys"]) for ring in agent.call("GET", "/v1/operator/keyring").json()],
    }  # fmt: skip


def tokens(data_dir: Path) -> dict[str, str]:
    files = [path for folder in ("services", "checks") for path in (data_dir / folder).iterdir() if path.is_file()]
    return {str(path.relative_to(data_dir)): json.loads(path.read_text())["Token"] for path in files}


@pytest.mark.parametrize("order", [(OURS, REFERENCE, OURS), (REFERENCE, OURS, REFERENCE)], ids=["ours", "reference"])
def test_each_takes_over_the_files_of_the_other(order: tuple[Subject, ...], tmp_path: Path) -> None:
    require_reference()
    seen: list[dict[str, Any]] = []
    kept: list[dict[str, str]] = []
    for subject in order:
        arguments = ["-hcl", "enable_script_checks = true", *(["-encrypt", KEY] if not seen else [])]
        agent = Agent(subject, tmp_path, arguments, dev=False)
        agent.start()
        try:
            agent.wait_ready()
            if not seen:
                registered(agent)
            seen.append(shown(agent))
            kept.append(tokens(agent.data_dir))
        finally:
            agent.kill()
        for path in agent.data_dir.iterdir():
            if path.name not in OF_THE_AGENT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert len(kept[0]) == 15 and set(kept[0].values()) == {TOKEN[1]}
    assert seen[1] == seen[0] and seen[2] == seen[0]
    assert kept[1] == kept[0] and kept[2] == kept[0]


def test_what_is_newer_is_written_where_it_says_something(tmp_path: Path) -> None:
    agent = Agent(OURS, tmp_path, dev=False)
    agent.start()
    newer = {"DisableRedirects": True, "TLSServerName": "x", "FailuresBeforeWarning": 1, "FailuresBeforeCritical": 2}
    try:
        agent.wait_ready()
        for name, more in (("old", {}), ("new", newer)):
            body = {"ID": name, "Name": name, "HTTP": "http://127.0.0.1:9/", "Interval": "9h", **more}
            assert agent.call("PUT", "/v1/agent/check/register", json.dumps(body)).status == 200
    finally:
        agent.kill()
    written = {name: json.loads((agent.data_dir / "checks" / file_name(name)).read_text())["ChkType"]
               for name in ("old", "new")}  # fmt: skip
    assert not NEWER_CHECK_FIELDS & written["old"].keys()
    assert NEWER_CHECK_FIELDS & written["new"].keys() == newer.keys() & NEWER_CHECK_FIELDS
