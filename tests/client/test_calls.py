"""Calls of both clients against both servers: what they send, and what they make of the answers."""

from __future__ import annotations

import asyncio
import io
import uuid

import pytest

from proconsul.client import (
    AsyncClient,
    BadRequest,
    ConsulError,
    NotFound,
    PermissionDenied,
    TokenNotFound,
    TransactionFailed,
    http_check,
    tcp_check,
    ttl_check,
)
from proconsul.client.codecs import JSON, TEXT, json_of


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def test_keys(client: AsyncClient) -> None:
    key = unique("app")
    assert await client.kv.get(key) is None
    assert await client.kv.entry(key) is None
    assert await client.kv.put(key, b"\x00x", flags=42)
    entry = await client.kv.entry(key)
    assert entry is not None
    assert (entry.Key, entry.Value, entry.Flags) == (key, b"\x00x", 42)
    assert not await client.kv.put(key, "other", cas=1)
    assert await client.kv.put(key, "ü", cas=entry.ModifyIndex)
    assert await client.kv.get(key, consistency="consistent") == "ü".encode()
    assert await client.kv.raw(key, consistency="stale") == "ü".encode()
    assert await client.kv.put(f"{key}/a/b")
    assert await client.kv.get(f"{key}/a/b") == b""
    assert [one.Key for one in await client.kv.entries(key)] == [key, f"{key}/a/b"]
    assert await client.kv.keys(f"{key}/", separator="/") == [f"{key}/a/"]
    assert await client.kv.keys(unique("none")) == []
    assert not await client.kv.delete(key, cas=1)
    assert await client.kv.delete(key)
    assert await client.kv.delete_tree(f"{key}/")
    assert await client.kv.entries(key) == []


@pytest.mark.parametrize("name", ["a b", "a?b=c", "ä/ö", "a%2Fb", "a+b&c", "a;b", '"<>"', "a#b"])
async def test_any_name_is_a_key(client: AsyncClient, name: str) -> None:
    key = unique("key") + name
    assert await client.kv.put(key, b"v")
    assert await client.kv.get(key) == b"v"
    assert await client.kv.keys(key) == [key]
    assert await client.kv.delete(key)


async def test_what_is_no_key_is_not_sent(client: AsyncClient) -> None:
    for key in ("", "/a"):
        with pytest.raises(ValueError, match="key"):
            await client.kv.put(key, b"")
    with pytest.raises(ValueError, match="one of"):
        await client.kv.put("a", b"", cas=1, acquire="x")
    with pytest.raises(TypeError, match="unknown options"):
        await client.kv.get("a", wat=1)  # type: ignore[call-arg]


async def test_reads_wait_and_tell_their_index(client: AsyncClient) -> None:
    key = unique("wait")
    await client.kv.put(key, b"1")
    value, meta = await client.with_meta(client.kv.get, key)
    assert value == b"1"
    assert meta.index > 0
    assert meta.known_leader
    again = await client.with_meta(client.kv.get, key, index=meta.index, wait=0.05)
    assert again.meta.index == meta.index
    await client.kv.put(key, b"2")
    assert await client.kv.get(key, index=meta.index, wait=60) == b"2"


async def test_mappings(client: AsyncClient) -> None:
    texts = client.kv.mapping(unique("map") + "/", TEXT)
    assert await texts.add("a", "1")
    assert not await texts.add("a", "2")
    assert await texts.get("a") == "1"
    assert await texts.get("b", "no") == "no"
    numbers = client.kv.mapping(unique("map") + "/", json_of(dict[str, int]))
    assert await numbers.update("n", lambda old: {"n": (old or {}).get("n", 0) + 1}) == {"n": 1}
    assert await numbers.update("n", lambda old: {"n": (old or {}).get("n", 0) + 1}) == {"n": 2}
    assert await numbers.items() == {"n": {"n": 2}}
    _, version = await numbers.versioned("n")
    assert not await numbers.set("n", {}, version=version - 1)
    assert await numbers.delete("n", version=version)
    anything = client.kv.mapping(unique("map") + "/", JSON)
    await anything.set("x", [1, {"a": None}])
    assert await anything.names() == ["x"]
    assert await anything.get("x") == [1, {"a": None}]
    await anything.clear()
    assert await anything.names() == []


async def test_transactions(client: AsyncClient) -> None:
    key = unique("txn")
    results = await client.transaction().set(f"{key}/a", "1", flags=7).check_not_exists(f"{key}/b").commit()
    assert [(one.KV.Key, one.KV.Flags) for one in results if one.KV is not None] == [(f"{key}/a", 7)]
    entry = await client.kv.entry(f"{key}/a")
    assert entry is not None
    with pytest.raises(TransactionFailed) as failed:
        await client.transaction().set(f"{key}/c", "1").cas(f"{key}/a", "2", 1).get(f"{key}/none").commit()
    assert {position for position, _ in failed.value.failures} >= {1}
    assert await client.kv.get(f"{key}/c") is None
    session = await client.session.create(lock_delay=0)
    await (
        client.transaction().cas(f"{key}/a", b"2", entry.ModifyIndex).lock(f"{key}/l", "", session)
        .check_session(f"{key}/l", session).unlock(f"{key}/l", "", session).delete(f"{key}/a").commit()
    )  # fmt: skip
    read = await client.transaction().get_tree(f"{key}/").commit()
    assert [one.KV.Key for one in read if one.KV is not None] == [f"{key}/l"]
    await client.transaction().delete_tree(f"{key}/").commit()
    node = unique("node")
    await (
        client.transaction().node("set", {"Node": node, "Address": "10.0.0.9"})
        .service("set", node, {"Service": "s", "ID": "s"})
        .check("set", {"Node": node, "CheckID": "c", "Name": "c", "Status": "passing"}).commit()
    )  # fmt: skip
    assert await client.catalog.node(node) is not None
    await client.transaction().node("delete", {"Node": node}).commit()
    full = client.transaction()
    for _ in range(64):
        full.set("a", "")
    with pytest.raises(ValueError, match="at most 64"):
        full.set("a", "")


async def test_services_of_the_agent(client: AsyncClient) -> None:
    name = unique("web")
    await client.agent.services.register(
        name, id=f"{name}-1", address="10.0.0.1", port=80, tags=["a", "b"], meta={"v": "1"}, weights=(5, 2),
        checks=[ttl_check(30, id=f"{name}-ttl", name="alive"), tcp_check("127.0.0.1:1", interval=3600, id=f"{name}-t")],
        tagged_addresses={"lan": ("10.0.0.1", 81)},
    )  # fmt: skip
    service = await client.agent.services.get(f"{name}-1")
    assert service is not None
    assert (service.Service, service.Address, service.Port, service.Meta) == (name, "10.0.0.1", 80, {"v": "1"})
    assert service.Weights is not None
    assert (service.Weights.Passing, service.Weights.Warning) == (5, 2)
    assert f"{name}-1" in await client.agent.services.list()
    assert {f"{name}-ttl", f"{name}-t"} <= (await client.agent.checks.list()).keys()
    await client.agent.checks.passing(f"{name}-ttl", "well")
    await client.agent.checks.warning(f"{name}-ttl", "so so")
    await client.agent.checks.update(f"{name}-ttl", "passing", "long " * 100)
    health = await client.agent.services.health(f"{name}-1")
    assert health is not None
    assert health.AggregatedStatus == "critical"  # the other check
    assert [one.AggregatedStatus for one in await client.agent.services.health_of_name(name)] == ["critical"]
    await client.agent.checks.deregister(f"{name}-t")
    health = await client.agent.services.health(f"{name}-1")
    assert health is not None
    assert health.AggregatedStatus == "passing"
    await client.agent.services.maintenance(f"{name}-1", True, reason="tests")
    await client.agent.services.maintenance(f"{name}-1", False)
    await client.agent.checks.critical(f"{name}-ttl")
    await client.agent.services.deregister(f"{name}-1")
    assert await client.agent.services.get(f"{name}-1") is None
    assert await client.agent.services.health(f"{name}-1") is None
    assert await client.agent.services.health_of_name(name) == []
    with pytest.raises(NotFound):
        await client.agent.services.deregister(f"{name}-1")
    with pytest.raises(NotFound):
        await client.agent.checks.deregister(f"{name}-ttl")


async def test_checks_of_the_agent(client: AsyncClient) -> None:
    check_id = unique("check")
    check = http_check("http://127.0.0.1:1/", interval=3600, timeout=1, header={"A": ["b"]}, id=check_id)
    await client.agent.checks.register(check, name="web is well", notes="of a test")
    found = (await client.agent.checks.list())[check_id]
    assert (found.Name, found.Notes) == ("web is well", "of a test")
    await client.agent.checks.deregister(check_id)
    await client.agent.maintenance(True, reason="tests")
    assert any("maintenance" in one for one in await client.agent.checks.list())
    await client.agent.maintenance(False)


async def test_the_agent(client: AsyncClient) -> None:
    assert (await client.agent.self())["Config"]["Datacenter"] == "dc1"
    assert [one.Status for one in await client.agent.members()] == [1]
    assert (await client.agent.host()).Host
    assert "Gauges" in await client.agent.metrics()
    await client.agent.set_token("default", "")
    await client.agent.reload()
    with pytest.raises(ConsulError):
        await client.agent.force_leave(unique("nobody"))
    assert (await client.status.leader()).rpartition(":")[2].isdigit()
    assert len(await client.status.peers()) == 1


async def test_the_catalog(client: AsyncClient) -> None:
    node, name = unique("node"), unique("db")
    await client.catalog.register(
        node, "10.1.1.1", meta={"rack": "7"},
        service={"Service": name, "ID": f"{name}-1", "Port": 5432, "Tags": ["primary"]},
        checks=[{"Name": "ext", "CheckID": "ext", "Status": "passing", "ServiceID": f"{name}-1",
                 "Definition": {"TCP": "10.1.1.1:5432", "Interval": "10s"}}],
    )  # fmt: skip
    assert await client.catalog.datacenters() == ["dc1"]
    assert node in [one.Node for one in await client.catalog.nodes(node_meta={"rack": "7"})]
    found = await client.catalog.node(node)
    assert found is not None
    assert list(found.Services) == [f"{name}-1"]
    assert await client.catalog.node(unique("none")) is None
    as_list = await client.catalog.node_services(node)
    assert as_list is not None
    assert [one.ID for one in as_list.Services or ()] == [f"{name}-1"]
    assert await client.catalog.node_services(unique("none")) is None
    assert (await client.catalog.services())[name] == ["primary"]
    assert [one.Address for one in await client.catalog.service(name, tag="primary")] == ["10.1.1.1"]
    assert await client.catalog.service(name, tag="none") == []
    assert await client.catalog.connect(name) == []
    (instance,) = await client.health.service(name, passing=True, filter="Service.Port == 5432", near="_agent")
    assert (instance.Node.Node, instance.Service.Port) == (node, 5432)
    (check,) = await client.health.checks(name)
    assert check.Definition.Interval == 10_000_000_000
    assert [one.CheckID for one in await client.health.node(node)] == ["ext"]
    assert "ext" in [one.CheckID for one in await client.health.state("passing")]
    assert await client.health.connect(name) == []
    await client.catalog.deregister(node, service_id=f"{name}-1")
    await client.catalog.deregister(node)
    assert await client.catalog.node(node) is None
    with pytest.raises(BadRequest):
        await client.health.service(name, filter="not a filter ==")


async def test_sessions(client: AsyncClient) -> None:
    session = await client.session.create(name="job", ttl=30, lock_delay=0.5, behavior="delete", checks=["serfHealth"])
    info = await client.session.info(session)
    assert info is not None
    assert (info.Name, info.TTL, info.Behavior, info.LockDelay) == ("job", "30000ms", "delete", 500_000_000)
    renewed = await client.session.renew(session)
    assert session == renewed.ID
    assert session in [one.ID for one in await client.session.list()]
    assert session in [one.ID for one in await client.session.node(info.Node)]
    key = unique("lock")
    assert await client.kv.put(key, b"", acquire=session)
    assert await client.kv.put(key, b"", release=session)
    await client.session.destroy(session)
    await client.session.destroy(session)
    assert await client.session.info(session) is None
    with pytest.raises(NotFound):
        await client.session.renew(session)


async def test_events(client: AsyncClient) -> None:
    name = unique("deploy")
    fired = await client.event.fire(name, b"\x00v2")
    assert (fired.Name, fired.Payload) == (name, b"\x00v2")
    _, meta = await client.with_meta(client.event.list, name)
    assert meta.index > 0
    async with asyncio.timeout(60):
        while not (events := await client.event.list(name)):
            await asyncio.sleep(0.01)
    assert [(one.Name, one.Payload) for one in events] == [(name, b"\x00v2")]


async def test_prepared_queries(client: AsyncClient) -> None:
    name = unique("query")
    query_id = await client.query.create({"Name": name, "Service": {"Service": "consul", "OnlyPassing": True}})
    found = await client.query.get(query_id)
    assert found is not None
    assert found.Service.Service == "consul"
    explained = await client.query.explain(name)
    assert query_id == explained.ID
    assert [one.Service.ID for one in (await client.query.execute(name, limit=3)).Nodes or ()] == ["consul"]
    await client.query.update(query_id, {"Name": name, "Service": {"Service": "consul", "Tags": ["none"]}})
    assert (await client.query.execute(query_id)).Nodes == []
    assert query_id in [one.ID for one in await client.query.list()]
    await client.query.delete(query_id)
    assert await client.query.get(query_id) is None
    with pytest.raises(NotFound):
        await client.query.execute(name)


async def test_operators(client: AsyncClient) -> None:
    configuration = await client.operator.raft_configuration()
    assert [one.Leader for one in configuration.Servers or ()] == [True]
    try:
        usage = (await client.operator.usage(all_datacenters=True)).Usage or {}
        assert usage["dc1"].Nodes == 1 and usage["dc1"].ServiceInstances >= 1
    except NotFound:  # 1.8.7 has no such address
        pass
    settings = await client.operator.autopilot_configuration()
    assert settings.LastContactThreshold > 0
    assert await client.operator.set_autopilot_configuration(settings)
    assert not await client.operator.set_autopilot_configuration(settings, cas=1)
    async with asyncio.timeout(60):
        while len((await client.operator.autopilot_health()).Servers or ()) != 1:  # of a leader that is new
            await asyncio.sleep(0.05)
    with pytest.raises(ConsulError):
        await client.operator.raft_remove_peer(address="127.0.0.1:1")
    with pytest.raises(ValueError, match="one of"):
        await client.operator.raft_remove_peer()
    with pytest.raises(ConsulError):
        await client.operator.keyring.list()  # gossip is not encrypted


async def test_coordinates(client: AsyncClient) -> None:
    assert [one.Datacenter for one in await client.coordinate.datacenters()] == ["dc1"]
    await client.coordinate.nodes()
    assert await client.coordinate.node(unique("none")) == []


async def test_snapshots(client: AsyncClient) -> None:
    key = unique("kept")
    await client.kv.put(key, b"1")
    archive = b"".join([piece async for piece in client.snapshot.save()])
    assert archive[:2] == b"\x1f\x8b"
    await client.kv.put(key, b"2")
    await client.snapshot.restore(archive)
    assert await client.kv.get(key) == b"1"
    await client.kv.put(key, b"3")
    await client.snapshot.restore(io.BytesIO(archive))
    assert await client.kv.get(key) == b"1"
    with pytest.raises(ConsulError):
        await client.snapshot.restore(b"no archive")


async def test_access_control(client: AsyncClient) -> None:
    name = unique("ops")
    policy = await client.acl.policies.create({"Name": name, "Rules": f'key_prefix "{name}" {{ policy = "read" }}'})
    assert (await client.acl.policies.named(name)) is not None
    changed = await client.acl.policies.update(policy.ID, {"Name": name, "Rules": policy.Rules, "Description": "d"})
    assert changed.Description == "d"
    role = await client.acl.roles.create({"Name": name, "Policies": [{"ID": policy.ID}]})
    assert [one.ID for one in await client.acl.roles.list(policy=policy.ID)] == [role.ID]
    token = await client.acl.tokens.create({"Roles": [{"Name": name}], "ExpirationTTL": "1h", "Local": True})
    assert token.CreateTime.year > 2000
    assert token.ExpirationTime is not None
    assert token.ExpirationTime > token.CreateTime
    assert (await client.acl.tokens.self(token=token.SecretID)).AccessorID == token.AccessorID
    assert token.AccessorID in [one.AccessorID for one in await client.acl.tokens.list()]
    assert await client.kv.get(f"{name}/a", token=token.SecretID) is None
    with pytest.raises(PermissionDenied) as denied:
        await client.kv.put(f"{name}/a", b"", token=token.SecretID)
    if denied.value.accessor:  # servers from 1.12 on, and ours
        assert denied.value.accessor == token.AccessorID
        assert (denied.value.resource, denied.value.access, denied.value.name) == ("key", "write", f"{name}/a")
        assert denied.value.rule == f'key "{name}/a" {{ policy = "write" }}'
    with pytest.raises(TokenNotFound):
        await client.kv.get("a", token=str(uuid.uuid4()))
    cloned = await client.acl.tokens.clone(token.AccessorID, description="twin")
    assert cloned.SecretID != token.SecretID
    updated = await client.acl.tokens.update(cloned.AccessorID, {"Description": "t", "Local": True})
    assert updated.Description == "t"
    for accessor in (token.AccessorID, cloned.AccessorID):
        await client.acl.tokens.delete(accessor)
    assert (await client.acl.roles.named(name)) is not None
    await client.acl.roles.delete(role.ID)
    assert await client.acl.roles.read(role.ID) is None
    await client.acl.policies.delete(policy.ID)
    assert name not in [one.Name for one in await client.acl.policies.list()]
    assert not (await client.acl.replication()).Running
    assert await client.acl.authorize([("key", "write", "a")]) == [True]
    assert 'key_prefix "a"' in await client.acl.legacy.translate_rules('key "a" { policy = "read" }')


async def test_what_the_page_shows(client: AsyncClient) -> None:
    (node,) = [one for one in await client.internal.nodes() if one["Node"] in ("test", "n1")]
    found = await client.internal.node(node["Node"])
    assert found is not None
    assert "consul" in [one["Name"] for one in await client.internal.services()]


async def test_whatever_is_asked(client: AsyncClient) -> None:
    answer = await client.call("GET", "/v1/status/leader", query={"dc": "dc1"})
    assert answer.status == 200
    with pytest.raises(NotFound):
        await client.call("GET", "/v1/nowhere")
    with pytest.raises(ConsulError) as failure:
        await client.call("PUT", "/v1/agent/check/pass/none")
    assert failure.value.__notes__[0].startswith("PUT /v1/agent/check/pass/none at 127.0.0.1:")
