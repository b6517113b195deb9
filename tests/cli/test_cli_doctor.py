"""``consul doctor``: each rule by a table, and the command on agents of both kinds, well and ill."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli_reference as reference
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.cli.doctor.facts import DataDirectory, Facts
from proconsul.cli.doctor.gathering import QUESTIONS, look_at
from proconsul.cli.doctor.rules import RULES, Urgency, diagnose
from proconsul.cli.main import main
from proconsul.testing import AgentInThread, ConsulProcess

GIB = 1 << 30


def member(name: str, status: int = 1, build: str = "1.8.7:") -> dict[str, Any]:
    return {"Name": name, "Status": status, "Tags": {"build": build}}


def voter(name: str, end: int = 100, **fields: Any) -> dict[str, Any]:
    return {"Node": name, "Voter": True, "LastIndex": end, **fields}


def config(**fields: Any) -> dict[str, Any]:
    return {"DebugConfig": {"ClientAddrs": ["127.0.0.1"], **fields}}


def sampled(name: str, **fields: Any) -> dict[str, Any]:
    return {"Samples": [{"Name": f"consul.{name}", "Mean": 0, "Max": 0, **fields}], "Counters": []}


def certificate(severity: str, days: float, **fields: Any) -> dict[str, Any]:
    one = {"severity": severity, "path": "/a.pem", "seconds_remaining": days * 86400, "not_after": "then", **fields}
    return {"certificates": [one]}


def disk(**fields: Any) -> DataDirectory:
    return DataDirectory(**{"path": "/data", "free": 50 * GIB, "total": 100 * GIB, **fields})


THREE = [voter("a"), voter("b"), voter("c")]
WELL = {
    "nothing seen": Facts(),
    "alone": Facts(autopilot={"Voters": ["a"], "FailureTolerance": 0, "Servers": {"a": {"Healthy": True}}}),
    "three": Facts(
        own=config(ACLsEnabled=True, ACLDefaultPolicy="deny", EnableRemoteScriptChecks=True, ClientAddrs=["10.0.0.1"]),
        leader="1.1.1.1:1",
        members=[member("a"), member("b"), member("gone", 3)],
        raft={"Servers": THREE},
        autopilot={"Voters": ["a", "b", "c"], "FailureTolerance": 1},
        settings={"MaxTrailingLogs": 250},
        certificates=certificate("INFO", 300),
        sync={"Services": {"web": {"InSync": True}}, "Checks": None},
        metrics=sampled("runtime.loop_lag_ms", Max=20),
        clock_off_s=1.5,
        data=disk(
            modes={"acl-tokens.json": 0o600, "serf/local.keyring": 0o640},
            kinds=[(0, {"KVS": 1}), (1, {"KVS": 9 << 20})],
        ),
    ),
}

W, C = Urgency.WARNING, Urgency.CRITICAL
ILL: list[tuple[Facts, Urgency, str]] = [
    (Facts(unseen={"own": "Get ...: connection refused"}), C, "does not answer"),
    (Facts(unseen={"own": "Unexpected response code: 403 (Permission denied)"}), W, "does not let this token look"),
    (Facts(unseen={"own": 'Get "http://10.0.4.3:8403/v1": dial tcp 10.0.4.3:8403: 403'}), C, "does not answer"),
    (
        Facts(own={"Config": {"NodeID": "b"}}, data=disk(node_id="a")),
        W,
        "/data is the data directory of another agent",
    ),
    (Facts(own=config(), unseen={"raft": "Unexpected response code: 403 ()"}), W, "Not all could be looked at: raft"),
    (
        Facts(leader="", raft={"Servers": THREE}, members=[member("a"), member("b", 3)]),
        C,
        "1 of 3 voters are alive, 2 are",
    ),
    (Facts(leader="", raft={"Servers": THREE}, members=[member("a"), member("b")]), C, "Nobody leads."),
    (Facts(leader=""), C, "Nobody leads."),
    (Facts(unseen={"leader": "Unexpected response code: 500 (No cluster leader)"}), C, "Nobody leads."),
    (
        Facts(autopilot={"Servers": {"x": {"Name": "b", "Healthy": False, "Why": ["slow"]}}}),
        W,
        "Server b is not healthy",
    ),
    (
        Facts(leader="1.1.1.1:1", raft={"Servers": THREE[:2]}, members=[member("a"), member("b")]),
        C,
        "one more server stops all writes",
    ),
    (
        Facts(leader="1.1.1.1:1", raft={"Servers": THREE}, members=[member("a"), member("b"), member("c", 3)]),
        W,
        "one more server stops all writes",
    ),
    (Facts(autopilot={"Voters": ["a", "b"], "FailureTolerance": 0}), C, "one more server stops all writes"),
    (Facts(autopilot={"Voters": ["a", "b", "c"], "FailureTolerance": 0}), W, "one more server stops all writes"),
    (Facts(autopilot={"Voters": list("abcd"), "FailureTolerance": 1}), W, "4 voters bear no more losses than 3"),
    (
        Facts(raft={"Servers": [voter("a", 1000), voter("b", 700)]}, settings={"MaxTrailingLogs": 250}),
        W,
        "b is 300 log",
    ),
    (Facts(members=[member("a"), member("b", 4)]), W, "Failed: b."),
    (Facts(members=[member("a"), member("b", build="1.9.0:x")]), W, "2 versions: 1.8.7, 1.9.0"),
    (
        Facts(sync={"Services": {"web": {"InSync": False}}, "LastError": "no"}),
        W,
        "catalog does not have as they are: web",
    ),
    (Facts(sync={"Checks": {"c1": {"InSync": False}}}), W, "Checks the catalog"),
    (Facts(certificates=certificate("WARNING", 20)), W, "ends in 20 days: /a.pem"),
    (Facts(certificates=certificate("CRITICAL", -3)), C, "has ended: /a.pem"),
    (Facts(certificates=certificate("CRITICAL", 0, renewal_failure={"failure_reason": "junk"})), C, "cannot be read"),
    (Facts(clock_off_s=-30.0), W, "30 s behind"),
    (Facts(metrics=sampled("runtime.loop_lag_ms", Max=900)), W, "late by 900 ms"),
    (Facts(metrics=sampled("raft.leader.dispatchLog", Mean=150)), W, "150 ms for a write"),
    (Facts(metrics=sampled("raft.leader.lastContact", Max=2000)), W, "silent for 2000 ms"),
    (
        Facts(
            metrics={"Counters": [{"Name": "consul.rpc.rate_limit.exceeded", "Sum": 7, "Labels": {"op": "KVS.Get"}}]}
        ),
        W,
        "7 requests",
    ),
    (Facts(own=config(ClientAddrs=["0.0.0.0"])), W, "may change everything"),
    (Facts(own=config(ClientAddrs=["::"], EnableRemoteScriptChecks=True)), C, "may run commands"),
    (Facts(own=config(ACLsEnabled=True, ACLDefaultPolicy="allow")), W, "allows what no rule forbids"),
    (Facts(data=disk(free=5 * GIB)), W, "5120 MiB left"),
    (Facts(data=disk(free=100 << 20)), C, "100 MiB left"),
    (Facts(data=disk(free=20 * GIB, log_bytes=30 * GIB)), W, "more than the disk has left"),
    (Facts(data=disk(modes={"acl-tokens.json": 0o644})), W, "acl-tokens.json may be read by everybody"),
    (
        Facts(data=disk(kinds=[(0, {"KVS": 10 << 20}), (7200, {"KVS": 90 << 20})])),
        W,
        "KVS grew from 10 to 90 MiB in 2.0 hours",
    ),
]


@pytest.mark.parametrize("case", list(WELL))
def test_who_is_well_is_told_so(case: str) -> None:
    assert diagnose(WELL[case]) == []


@pytest.mark.parametrize(("facts", "urgency", "text"), ILL, ids=[text for _, _, text in ILL])
def test_what_is_wrong(facts: Facts, urgency: Urgency, text: str) -> None:
    [found] = diagnose(facts)
    assert text in found.what and found.urgency is urgency
    assert found.why and found.cure


def test_why_the_catalog_does_not_have_it() -> None:
    late = {"web": {"InSync": False, "LastError": "rate limit exceeded"}, "db": {"InSync": False}}
    [found] = diagnose(Facts(sync={"Services": late, "LastError": ""}))
    assert found.why == "rate limit exceeded"


def test_every_rule_is_tried() -> None:
    for rule in RULES:
        assert any(list(rule(facts)) for facts, _, _ in ILL), rule.__name__


def test_the_worst_comes_first() -> None:
    found = diagnose(Facts(leader="", clock_off_s=5.0, own=config(ClientAddrs=["0.0.0.0"])))
    assert [one.urgency for one in found] == [C, W, W]


# ------------------------------------------------------------------------------------------------- on real agents


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["doctor", "-format=json", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return code, found


def whats(found: dict[str, Any]) -> str:
    return "\n".join(one["What"] for one in found["Findings"])


def test_an_agent_of_ours_and_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"dev": False, "server": True, "bootstrap": True, "data_dir": str(tmp_path), "bind_addr": "127.0.0.1",
                "enable_local_script_checks": True}  # fmt: skip
    with AgentInThread(settings) as agent:
        (tmp_path / "acl-tokens.json").write_text("{}")
        (tmp_path / "acl-tokens.json").chmod(0o644)
        full = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
        code, found = run(capsys, f"-http-addr={agent.http_address}")
        assert code == 2 and "1 MiB left" in whats(found) and "acl-tokens.json may be read by everybody" in whats(found)
        assert found["NotSeen"] == {}
        assert main(["doctor", f"-http-addr={agent.http_address}"]) == 2
        out, _ = capsys.readouterr()
        assert out.startswith(f"CRITICAL: The disk of {tmp_path} has 1 MiB left.\n    ") and "    -> Make room" in out


def test_a_token_that_may_not_look(capsys: pytest.CaptureFixture[str]) -> None:
    with AgentInThread({"acl": {"enabled": True, "default_policy": "deny"}}) as agent:
        code, found = run(capsys, f"-http-addr={agent.http_address}")
    assert code >= 1 and "does not let this token look at it" in whats(found)


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "-http-addr=127.0.0.1:1")
    assert code == 2 and "does not answer" in whats(found)


@pytest.mark.reference
def test_an_agent_of_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked as far as it answers."""
    with ConsulProcess(program=reference.binary()) as agent:
        code, found = run(capsys, f"-http-addr={agent.http_address}")
    assert code in (0, 1) and "does not answer" not in whats(found)
    assert {"autopilot", "sync", "certificates"} <= set(found["NotSeen"])


NAMES = st.sampled_from([
    "Servers", "Voters", "Healthy", "Node", "Voter", "LastIndex", "MaxTrailingLogs", "Name", "Status", "Tags",
    "Services", "Checks", "Samples", "Counters", "consul.runtime.loop_lag_ms", "Max", "Sum", "certificates", "severity",
    "DebugConfig", "ClientAddrs", "Config", "NodeID", "FailureTolerance",
])  # fmt: skip


class _Odd(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"[1]",
        b"[{}]",
        b"{}",
        b'"x"',
        b"7",
        b'{"DebugConfig": null}',
        b"\xff",
        b'"\xff"',
    ],
)
def test_whatever_answers_there(odd: str, body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    _Odd.body = body
    code, found = run(capsys, f"-http-addr={odd}")
    assert code == 2 and found["NotSeen"] and "does not answer" in whats(found)


ANSWERS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(QUESTIONS)), ANSWERS), st.lists(st.dictionaries(NAMES, ANSWERS)))
@settings(max_examples=60, deadline=None)
def test_no_answer_ends_the_doctor(answers: dict[str, Any], members: list[dict[str, Any]]) -> None:
    for one in diagnose(Facts(**{**answers, "members": members, "leader": ""})):
        assert one.what and one.cure


# ------------------------------------------------------------------------------------------------ the directory


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        look_at(str(tmp_path / "nothing"))


def test_snapshots_are_read_and_damaged_ones_left_out(tmp_path: Path) -> None:
    for name, state in (("1", b"\x81\xa9LastIndex\x01"), ("2", b"junk"), ("3", b"\x81\xa9LastIndex\x03\x10\x80")):
        folder = tmp_path / "raft/snapshots" / name
        folder.mkdir(parents=True)
        (folder / "state.bin").write_bytes(state)
        (folder / "meta.json").write_text("{}")
    found = look_at(str(tmp_path))
    assert sorted(sum(kinds.values()) for _, kinds in found.kinds) == [0, 2]
