"""When the certificates of an agent expire, as the page and monitoring are told."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from test_reloading import make_pair

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.api.certificates import CRITICAL, INFO, WARNING, Severity, _File, described, severity_of
from proconsul.agent.config import load
from proconsul.agent.telemetry.certificate_watch import CertificateWatch
from proconsul.engine.wire import gojson
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
        assert (own["subtype"], own["severity"], own["color"]) == ("internal_rpc,https", "CRITICAL", "red")
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


def test_certificates_that_nobody_can_read_are_told_of(tmp_path: Path) -> None:
    """Any byte may be wrong: each file is described, or has failed and says why."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    make_pair(tmp_path, "own")
    good = x509.load_pem_x509_certificate((tmp_path / "own.pem").read_bytes()).public_bytes(Encoding.DER)
    file = tmp_path / "odd.pem"
    failures = set()
    for at in range(len(good)):
        for value in (good[at] ^ 1, 0xFF, 0x05):
            odd = base64.encodebytes(good[:at] + bytes([value]) + good[at + 1 :])
            file.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + odd + b"-----END CERTIFICATE-----\n")
            [one] = described([_File(file, "ca", "https")], "n-1", time.time())
            assert json.loads(gojson.dumps(one))["path"] == str(file)
            if "renewal_failure" in one:
                failures.add(one["renewal_failure"]["failure_reason"])
    assert len(failures) > 5 and "" not in failures
    [folder] = described([_File(tmp_path, "ca", "https")], "n-1", time.time())
    assert "Is a directory" in folder["renewal_failure"]["failure_reason"]


async def test_the_metrics_and_the_log_tell_of_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of the agent's own certificate, from the start; a reload that takes TLS away ends it."""
    pair = make_pair(tmp_path, "own")
    async with AgentInLoop({"tls": {"defaults": pair}}) as agent:
        [watch] = [part for part in agent.agent._parts._parts if isinstance(part, CertificateWatch)]
        await watch.look()
        left = watch.left_s()
        assert left is not None and left > 0
        ends = time.time() + left

        async def gauges() -> dict[str, Any]:
            agent.agent.measure.sample()
            await asyncio.sleep(0)
            shown = agent.agent.metrics.latest()
            return {one["Name"]: (one["Value"], one["Labels"]) for one in shown["Gauges"]}

        assert abs((await gauges())["consul.agent.tls.cert.expiry"][0] - left) < 60
        assert (await gauges())["consul.version"] == (1.0, {"pre_release": "", "version": COMPATIBLE_VERSION})
        for days, told in ((29, 0), (27, 1), (-1, 1)):
            caplog.clear()
            watch._clock = lambda days=days: ends - days * DAY_S  # type: ignore[misc]
            await watch.look()
            assert sum("about to expire" in one.getMessage() for one in caplog.records) == told, days
        watch.reloaded(without_tls())
        assert watch.left_s() is None and watch._task is None


def without_tls() -> Any:
    """Settings without any TLS."""
    return load({"dev": True})[0].reloadable
