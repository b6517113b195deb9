"""When the certificates of an agent expire, as the page and monitoring are told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from test_reloading import make_pair

from proconsul.agent.api.certificates import CRITICAL, INFO, WARNING, Severity, severity_of
from proconsul.testing import AgentInLoop

DAY_S = 86_400
PATH = "/v1/agent/metrics/certificates"


@pytest.mark.parametrize(
    ("days", "severity"), [(-1, CRITICAL), (0, CRITICAL), (6.9, CRITICAL), (7, WARNING), (29.9, WARNING), (30, INFO)]
)
def test_severity(days: float, severity: Severity) -> None:
    assert severity_of(days * DAY_S) is severity


async def asked(agent: AgentInLoop) -> Any:
    reply = await agent.request("GET", PATH)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


async def test_certificates_of_an_agent(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "own")
    folder = tmp_path / "cas"
    folder.mkdir()
    other = make_pair(tmp_path, "other")
    chain = (tmp_path / "own.pem").read_bytes() + (tmp_path / "other.pem").read_bytes()
    (folder / "both.pem").write_bytes(chain)
    (folder / "broken.pem").write_text("no certificate")
    settings = {**pair, "ca_path": str(folder), "ca_file": other["cert_file"]}
    now = time.time()
    async with AgentInLoop({"node_name": "n-1"}) as agent:
        assert (await asked(agent))["certificates"] == []
        routes: Any = agent.agent._certificates
        clock = {"now": now}
        routes._clock = lambda: clock["now"]
        async with AgentInLoop({"node_name": "other", "dev": True, "tls": {"defaults": settings}}) as secured:
            config = secured.agent.config.reloadable
        routes.reloaded(config)
        found = await asked(agent)
        assert found["cached"] is False
        assert found["thresholds"] == {"critical_days": 7, "warning_days": 30}
        kinds = sorted((one["type"], Path(one["path"]).name, "renewal_failure" in one) for one in found["certificates"])
        assert kinds == [("agent", "own.pem", False), ("ca", "both.pem", False), ("ca", "both.pem", False),
                         ("ca", "broken.pem", True), ("ca", "other.pem", False)]  # fmt: skip
        [own] = [one for one in found["certificates"] if one["type"] == "agent"]
        assert (own["name"], own["issuer"], own["node_name"]) == ("CN=own", "CN=own", "n-1")
        assert (own["subtype"], own["severity"], own["color"]) == ("internal_rpc,https,grpc", "CRITICAL", "red")
        assert own["days_remaining"] == 0 and DAY_S - 60 < own["seconds_remaining"] <= DAY_S
        assert own["requires_manual_rotation"] is True and own["auto_renewable"] is False
        summary = found["summary"]
        assert (summary["total"], summary["by_type"], summary["total_with_failures"]) == (5, {"agent": 1, "ca": 4}, 1)
        assert summary["by_severity"] == {"CRITICAL": 5, "WARNING": 0, "INFO": 0}
        assert len(summary["failures_by_reason"]) == 1

        clock["now"] += 200
        again = await asked(agent)
        assert (again["cached"], again["certificates"]) == (True, found["certificates"])
        clock["now"] += 2 * DAY_S
        expired = await asked(agent)
        assert expired["cached"] is False
        assert min(one["days_remaining"] for one in expired["certificates"] if one["type"] == "agent") < 0
