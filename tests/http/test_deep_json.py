"""JSON that is nested deeply, where anything is taken: it can be read, or is refused, and never an accident."""

from __future__ import annotations

import pytest

from proconsul.testing import AgentInLoop

DEEP = "DEEP"
PROXY = '{"DestinationServiceName": "x", "Config": {"x": DEEP}}'
DOORS = [
    ("/v1/agent/service/register", f'{{"Name": "a", "Kind": "connect-proxy", "Port": 1, "Proxy": {PROXY}}}',
     "/v1/agent/services"),
    ("/v1/catalog/register",
     '{"Node": "n", "Address": "127.0.0.1", "Service": '
     f'{{"Service": "b", "Kind": "connect-proxy", "Port": 1, "Proxy": {PROXY}}}}}', "/v1/health/service/b"),
]  # fmt: skip


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}")])
async def test_deep_values_are_taken_or_refused(opens: str, closes: str) -> None:
    async with AgentInLoop({}) as inside:
        for levels in (200, 300, 450, 900, 5000):
            for path, body, shown in DOORS:
                deep = opens * levels + "1" + closes * levels
                answer = await inside.request("PUT", path, body.replace(DEEP, deep).encode())
                assert answer.status == (200 if levels < 250 else 400), (path, levels, answer.body[:200])
                assert (await inside.request("GET", shown)).status == 200
