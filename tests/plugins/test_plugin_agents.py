"""Plug-ins of every kind at a real agent, through the front door."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from plugin_world import acme, get, install, put, status_of, until

from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop, DevAgent
from support.distributions import FakeDistributions
from support.patience import PATIENCE_S

ROOT = "root-secret"
CHECK = {"name": "disk", "id": "disk", "interval": "1s", "plugin": "acme"}


# ---------------------------------------------------------------------- checks


async def test_a_check_of_the_configuration(distributions: FakeDistributions) -> None:
    install(distributions)
    settings = {"checks": [{**CHECK, "plugin_config": {"text": "ab", "repeat": 50}, "output_max_size": 10}]}
    async with AgentInLoop(settings) as inside:
        assert await status_of(inside, "disk", "passing") == "Captured 10 of 100 bytes\n...\nababababab"
        assert all(name.startswith("plugin-checks-acme") for name in acme().THREADS)
        acme().STATUS[0] = "critical"
        await status_of(inside, "disk", "critical")
        acme().STATUS[0] = "warning"
        await status_of(inside, "disk", "warning")
        [row] = await get(inside, "/v1/health/node/" + inside.agent.config.fixed.node_name + "?filter=Name==disk")
        assert row["Type"] == "plugin"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("plugin-")]


async def test_checks_over_the_api(distributions: FakeDistributions) -> None:
    install(distributions)
    body = {"Name": "disk", "Interval": "1s", "Plugin": "acme-async", "PluginConfig": {"text": "fine"}}
    async with AgentInLoop({"plugins": {"allow": ["checks:acme-async", "checks:hangs", "checks:gone"]}}) as inside:
        assert await put(inside, "/v1/agent/check/register", body) == (200, "")
        assert await status_of(inside, "disk", "passing") == "fine"
        assert acme().THREADS[0] == threading.current_thread().name
        service = {"Name": "web", "Check": {**body, "CheckID": "web-disk", "Name": "x"}}
        assert await put(inside, "/v1/agent/service/register", service) == (200, "")
        await status_of(inside, "web-disk", "passing")
        for change, text in (
            ({"Plugin": "acme"}, "plug-in \"acme\" may not run here: 'plugins.allow' does not list it"),
            ({"Plugin": "gone"}, 'no plug-in "gone" is installed in the group "proconsul.checks"'),
            ({"PluginConfig": {"text": 1}}, 'plug-in "acme-async": settings: Expected `str`, got `int` - at `$.text`'),
            ({"PluginConfig": {"x": 1}}, 'plug-in "acme-async": settings: Object contains unknown field `x`'),
            ({"Plugin": "", "HTTP": "http://127.0.0.1:1/"}, "PluginConfig cannot be set without Plugin"),
            ({"Interval": "0s"}, "Interval must be > 0 for Script, HTTP, or TCP checks"),
        ):
            wrong = body | change
            assert await put(inside, "/v1/agent/check/register", wrong) == (400, f"Invalid check: {text}")
            assert await put(inside, "/v1/agent/service/register", {"Name": "w2", "Checks": [wrong]}) == (
                400, f"Invalid check: {text}",
            )  # fmt: skip
        assert "w2" not in await get(inside, "/v1/agent/services")


async def test_without_an_allow_list_the_api_has_none(distributions: FakeDistributions) -> None:
    install(distributions)
    async with AgentInLoop({"checks": [CHECK]}) as inside:
        body = {"Name": "other", "Interval": "1s", "Plugin": "acme"}
        status, text = await put(inside, "/v1/agent/check/register", body)
        assert (status, text) == (
            400, "Invalid check: plug-in \"acme\" may be named in configuration files only; to use it over the API, "
            "list it in 'plugins.allow'",
        )  # fmt: skip


async def test_a_hanging_check_and_one_that_fails(
    distributions: FakeDistributions, caplog: pytest.LogCaptureFixture
) -> None:
    install(distributions)
    checks = [
        {"name": "hangs", "interval": "1s", "timeout": "100ms", "plugin": "hangs"},
        {"name": "fails", "interval": "1s", "plugin": "fails"}, CHECK,
    ]  # fmt: skip
    async with AgentInLoop({"checks": checks}) as inside:
        try:
            assert await status_of(inside, "fails", "critical") == (
                'plug-in "fails" failed: RuntimeError: the disk is on fire'
            )
            await until(lambda: 'plug-in "hangs" has not answered' in inside.agent.local.checks["hangs"].check.Output)
            await status_of(inside, "disk", "passing")
            [row] = [one for one in await get(inside, "/v1/agent/plugins") if one["Name"] == "hangs"]
            assert (row["State"], row["Calls"] >= 1) == ("loaded", True)
        finally:
            loop = asyncio.get_running_loop()
            began = loop.time()
    assert loop.time() - began < 30
    assert "has calls that do not come back, and are given up: kind=checks name=hangs" in caplog.text
    acme().HOLD.set()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"checks": [{**CHECK, "plugin": "gone"}]}, 'no plug-in "gone" is installed in the group "proconsul.checks"'),
        ({"checks": [{**CHECK, "plugin_config": {"repeat": "x"}}]}, "Expected `int`, got `str` - at `$.repeat`"),
        ({"checks": [CHECK], "plugins": {"allow": []}}, "'plugins.allow' does not list it"),
        (
            {"watches": [{"type": "nodes", "handler_type": "plugin", "plugin": "gone"}]},
            'Failed to parse watch: no plug-in "gone" is installed in the group "proconsul.watch_handlers"',
        ),
        (
            {"watches": [{"type": "nodes", "handler_type": "plugin"}]},
            "Handler type 'plugin' requires 'plugin' to be a name, and 'plugin_config' to be a block",
        ),
        (
            {"watches": [{"type": "nodes", "handler_type": "plugin", "plugin": "acme", "args": ["true"]}]},
            "Only one watch handler allowed",
        ),
        (
            {"audit": {"enabled": True, "sink": {"s": {"type": "plugin", "plugin": "gone"}}}},
            'failed to open the audit log: sink=s error=no plug-in "gone" is installed',
        ),
        (
            {"telemetry": {"sinks": [{"plugin": "gone"}]}},
            'telemetry.sinks[0]: no plug-in "gone" is installed in the group "proconsul.metrics_sinks"',
        ),
    ],
)  # fmt: skip
async def test_what_the_configuration_names_must_be_there(
    distributions: FakeDistributions, settings: dict[str, Any], text: str
) -> None:
    install(distributions)
    with pytest.raises(ConsulError) as caught:
        async with AgentInLoop(settings):
            pass
    assert text in str(caught.value)


async def test_checks_outlive_the_agent_as_long_as_they_may_run(
    distributions: FakeDistributions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(distributions)
    settings: dict[str, Any] = {"data_dir": str(tmp_path), "dev": False, "server": True, "bootstrap": True}
    body = {"Name": "disk", "Interval": "1s", "Plugin": "acme", "PluginConfig": {"text": "kept"}}
    async with AgentInLoop({**settings, "plugins": {"allow": ["*"]}}) as inside:
        assert await put(inside, "/v1/agent/check/register", body) == (200, "")
    async with AgentInLoop({**settings, "plugins": {"allow": ["*"]}}) as inside:
        assert await status_of(inside, "disk", "passing") == "kept"
    async with AgentInLoop(settings) as inside:
        assert "disk" not in await get(inside, "/v1/agent/checks")
    assert 'Failed to restore check: check=disk error=plug-in "acme" may be named in configuration' in caplog.text
    # It was not lost for it.
    async with AgentInLoop({**settings, "plugins": {"allow": ["acme"]}}) as inside:
        assert await status_of(inside, "disk", "passing") == "kept"


# ---------------------------------------------------------------------- watches


async def test_a_watch_handler_gets_what_has_changed(
    distributions: FakeDistributions, caplog: pytest.LogCaptureFixture
) -> None:
    install(distributions)
    watch = {"type": "key", "key": "a", "handler_type": "plugin", "plugin": "acme", "plugin_config": {"to": "x"}}
    failing = {**watch, "key": "b", "plugin_config": {"fail": True}, "plugin_timeout": "3s"}
    async with AgentInLoop({"watches": [watch, failing]}) as inside:
        await inside.request("PUT", "/v1/kv/a", b"1")
        await inside.request("PUT", "/v1/kv/b", b"1")
        seen = acme().SEEN
        [(kind, index, value, settings)] = await until(lambda: [one for one in seen if one[2] and one[3].get("to")])
        assert (kind, value["Key"], settings) == ("key", "a", {"to": "x"})
        assert index == value["ModifyIndex"]
        await inside.request("PUT", "/v1/kv/b", b"2")
        await until(lambda: [one for one in seen if one[2] and one[2]["Key"] == "b" and one[2]["Value"] == "Mg=="])
    assert "plug-in failed: kind=watch_handlers name=acme of=watch of type key error=RuntimeError: no" in caplog.text


# ---------------------------------------------------------------------- logins


async def test_a_login(distributions: FakeDistributions, caplog: pytest.LogCaptureFixture) -> None:
    install(distributions)
    acl = {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": ROOT}}
    method = {"Name": "corp", "Type": "acme", "Config": {"secret": "open sesame"}}
    async with AgentInLoop({"acl": acl, "plugins": {"allow": ["auth_methods:acme"]}}) as inside:
        for config, text in (
            ({}, "Object missing required field `secret`"), ({"secret": "abc"}, "the secret is too short"),
        ):  # fmt: skip
            status, body = await put(inside, "/v1/acl/auth-method", {**method, "Config": config}, ROOT)
            assert status == 500 and text in body and body.startswith("Invalid Auth Method: "), body
        status, body = await put(inside, "/v1/acl/auth-method", {**method, "Type": "wat"}, ROOT)
        assert body == "Invalid Auth Method: Type should be one of: [acme aws-iam jwt kubernetes oidc]"
        assert (await put(inside, "/v1/acl/auth-method", method, ROOT))[0] == 200
        rule = {
            "AuthMethod": "corp", "BindType": "service", "BindName": "${value.user}-svc",
            "Selector": 'value.team == "ops" and "admins" in list.groups',
        }  # fmt: skip
        status, body = await put(inside, "/v1/acl/binding-rule", {**rule, "BindName": "${value.color}"}, ROOT)
        assert status == 500 and "invalid BindName" in body
        assert (await put(inside, "/v1/acl/binding-rule", rule, ROOT))[0] == 200

        async def login(bearer: str) -> tuple[int, str]:
            answer = await inside.request(
                "POST", "/v1/acl/login", json.dumps({"AuthMethod": "corp", "BearerToken": bearer}).encode()
            )
            return answer.status, answer.body.decode()

        status, body = await login("Jane:open sesame")
        token = json.loads(body)
        assert (status, token["ServiceIdentities"]) == (200, [{"ServiceName": "jane-svc"}])
        assert await login("jane:guess") == (500, 'plug-in "acme" refuses the login: wrong secret in <hidden>')
        assert await login("breaks:it") == (500, 'plug-in "acme" failed: RuntimeError: cannot look up <hidden>')
    assert "breaks:it" not in caplog.text


async def test_a_type_that_is_not_allowed_is_unknown(distributions: FakeDistributions) -> None:
    install(distributions)
    acl = {"enabled": True, "tokens": {"initial_management": ROOT}}
    method = {"Name": "corp", "Type": "acme", "Config": {"secret": "open sesame"}}
    async with AgentInLoop({"acl": acl}) as inside:
        assert await put(inside, "/v1/acl/auth-method", method, ROOT) == (
            500, "Invalid Auth Method: Type should be one of: [aws-iam jwt kubernetes oidc]",
        )  # fmt: skip


# ---------------------------------------------------------------------- sinks


async def test_audit_lines_at_a_sink(distributions: FakeDistributions) -> None:
    install(distributions)
    sink = {"type": "plugin", "plugin": "acme", "delivery_guarantee": "enforced", "plugin_config": {"fails": 2}}
    async with AgentInLoop({"audit": {"enabled": True, "sink": {"s": sink}}}, listen=True) as inside:
        reader, writer = await asyncio.open_connection(*inside.http_address.split(":"))
        writer.write(b"GET /v1/kv/audited HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        await until(lambda: len(acme().SEEN) >= 2)
    *lines, last = acme().SEEN
    assert last == "closed"
    paths = [json.loads(line)["payload"]["request"]["endpoint"] for line in lines]
    assert paths == ["/v1/kv/audited"] * 2


async def test_an_audit_sink_that_hangs_holds_up_nobody(
    distributions: FakeDistributions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(distributions)
    monkeypatch.setattr("proconsul.agent.audit.plugin_output.WRITE_TIMEOUT_S", 0.2)
    sink = {"type": "plugin", "plugin": "acme", "plugin_config": {"hangs": True}}
    async with AgentInLoop({"audit": {"enabled": True, "sink": {"s": sink}}}, listen=True) as inside:
        reader, writer = await asyncio.open_connection(*inside.http_address.split(":"))
        writer.write(b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"200 OK" in await reader.read()
        writer.close()
        await writer.wait_closed()
        await until(lambda: "failed to write the audit log: sink=s" in caplog.text)
    assert 'plug-in "acme" has not answered within 200ms' in caplog.text
    assert re.search("given up: kind=audit_sinks name=acme calls=[12]\n", caplog.text)
    acme().HOLD.set()


async def test_metrics_at_a_sink(distributions: FakeDistributions) -> None:
    install(distributions)
    async with AgentInLoop({"telemetry": {"sinks": [{"plugin": "acme"}]}}) as inside:
        await inside.request("PUT", "/v1/kv/a", b"1")
    found = {(one.kind, one.name): one for interval in acme().SEEN for one in interval.metrics}
    nodes = found["gauge", "consul.state.nodes"]
    assert (nodes.count, nodes.sum, nodes.min, nodes.max) == (1, 1.0, 1.0, 1.0)
    assert found["counter", "consul.fsm.kvs"].sum >= 1
    assert any(kind == "sample" for kind, _ in found)
    assert all(0 < interval.duration_s <= 10 for interval in acme().SEEN)


# ---------------------------------------------------------------------- reloads and reports


async def test_an_agent_that_names_no_plugin_looks_for_none(
    distributions: FakeDistributions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> Any:
        raise AssertionError("looked for plug-ins")

    install(distributions)
    monkeypatch.setattr("proconsul.plugins.loader.find_plugins", never)
    async with AgentInLoop({"acl": {"enabled": True}, "checks": [{"name": "t", "ttl": "10s"}]}) as inside:
        await put(inside, "/v1/agent/check/register", {"Name": "x", "Interval": "1s", "Plugin": "acme"})


async def test_a_reload_brings_plugins(distributions: FakeDistributions) -> None:
    install(distributions)
    import msgspec

    async with AgentInLoop({}) as inside:
        read: dict[str, Any] = {}

        def again(config: Any) -> Any:
            from proconsul.agent.config import load

            fresh, _ = load({"dev": True, **read})
            return msgspec.structs.replace(config, reloadable=fresh.reloadable)

        inside.agent.reloading.read = again
        read["checks"] = [{**CHECK, "plugin": "gone"}]
        with pytest.raises(ConsulError, match='no plug-in "gone"'):
            await inside.agent.reload()
        read["checks"] = [CHECK]
        await inside.agent.reload()
        assert await status_of(inside, "disk", "passing") == "ok"


def test_a_plugin_check_in_a_test_that_holds_the_time(distributions: FakeDistributions) -> None:
    """`DevAgent`, whose clock stands still until the test has it go on."""
    install(distributions)
    with DevAgent({"checks": [{**CHECK, "interval": "10s"}]}, frozen=True) as agent:
        agent.advance(10)
        deadline_s = time.monotonic() + PATIENCE_S
        while agent.get("/v1/agent/checks").json()["disk"]["Output"] != "ok":  # its thread has a time of its own
            assert time.monotonic() < deadline_s
            agent.settle()
        acme().STATUS[0] = "critical"
        agent.advance(10)
        while agent.get("/v1/agent/checks").json()["disk"]["Status"] != "critical":
            assert time.monotonic() < deadline_s
            agent.settle()
