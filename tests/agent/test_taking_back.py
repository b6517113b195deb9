"""What is refused changes nothing: services, checks with their results, maintenance, files and the catalog stay."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import proconsul.agent.local.persistence as persistence
from proconsul.agent.config import load
from proconsul.engine.http.request import Request
from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

SHOWN = (
    "/v1/agent/services", "/v1/agent/checks", "/v1/catalog/services", "/v1/catalog/service/web",
    "/v1/health/node/test",
)  # fmt: skip
_VOLATILE = {"ModifyIndex", "CreateIndex"}


def plain(value: Any) -> Any:
    """Without the indexes: putting back writes too. Lists are sorted, as the catalog's are in no promised order."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return sorted((plain(item) for item in value), key=repr)
    return value


class Subject:
    """An agent whose disk can be told to refuse."""

    def __init__(self, loop: AgentInLoop, data_dir: Path, disk: Disk) -> None:
        self.loop, self.data_dir, self.disk = loop, data_dir, disk

    async def put(self, target: str, body: Any = None) -> tuple[int, str]:
        response = await self.loop.request("PUT", target, json.dumps(body).encode() if body is not None else b"")
        return response.status, response.body.decode()

    async def ok(self, target: str, body: Any = None) -> None:
        assert await self.put(target, body) == (200, "")

    async def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for target in SHOWN:
            shown[target] = plain(json.loads((await self.loop.request("GET", target)).body))
        return shown | self.files()

    def files(self) -> dict[str, Any]:
        """What is on the disk, but for what is just being written or removed."""
        found: dict[str, Any] = {}
        for folder in ("services", "checks"):
            for path in (self.data_dir / folder).rglob("*"):
                if path.is_file() and path.suffix != ".tmp":
                    with contextlib.suppress(FileNotFoundError):
                        found[str(path.relative_to(self.data_dir))] = file_content(path)
        return found


def file_content(path: Path) -> Any:
    """The status in a check's file is not read back."""
    content = json.loads(path.read_bytes())
    check = content.get("Check")
    if check:
        check["Status"] = check["Output"] = ""
    return content


def differences(after: dict[str, Any], before: dict[str, Any]) -> list[Any]:
    """What is in one state only, small enough to read."""
    found: list[Any] = []
    for key in sorted(after.keys() | before.keys()):
        one, other = after.get(key), before.get(key)
        if one == other:
            continue
        if isinstance(one, list) and isinstance(other, list):
            one, other = [x for x in one if x not in other], [x for x in other if x not in one]
            alike = len(one) == len(other) and all(isinstance(item, dict) for item in (*one, *other))
            pairs = zip(one, other, strict=False) if alike else ()
            found += [(key, *difference) for a, b in pairs for difference in differences(a, b)] or [(key, one, other)]
        elif isinstance(one, dict) and isinstance(other, dict):
            found += [(key, *difference) for difference in differences(one, other)]
        else:
            found.append((key, one, other))
    return found


class Disk:
    """Refuses to write below the folders in ``full``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full: set[str] = set()
        real = persistence.replace_file

        def replace_file(path: Path, data: bytes, *, sync_name: bool = True) -> None:
            if path.parent.name in self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(path, data, sync_name=sync_name)

        monkeypatch.setattr(persistence, "replace_file", replace_file)


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    disk = Disk(monkeypatch)

    @contextlib.asynccontextmanager
    async def started(**settings: Any) -> Any:
        data_dir = tmp_path / "data"
        async with AgentInLoop({"data_dir": str(data_dir), "check_update_interval": "0s", **settings}) as loop:
            yield Subject(loop, data_dir, disk)

    return started


WEB = {
    "ID": "web", "Name": "web", "Port": 80, "Tags": ["old"], "Token": "t1",
    "Checks": [{"CheckID": "c1", "TTL": "1h", "Notes": "n"}, {"CheckID": "c2", "TCP": "127.0.0.1:9", "Interval": "9h"},
               {"CheckID": "c3", "TTL": "1h", "DeregisterCriticalServiceAfter": "2h"}],
    "Connect": {"SidecarService": {"Check": {"TTL": "1h"}}},
}  # fmt: skip


async def established(subject: Subject) -> dict[str, Any]:
    """A service with results, a sidecar, checks of its own and maintenance."""
    await subject.ok("/v1/agent/service/register", WEB)
    await subject.ok("/v1/agent/check/register", {"ID": "extra", "Name": "extra", "ServiceID": "web", "TTL": "1h"})
    await subject.ok("/v1/agent/check/register", {"ID": "node", "Name": "node", "TTL": "1h"})
    for check in ("c1", "extra", "node"):
        await subject.ok(f"/v1/agent/check/pass/{check}?note=fine")
    await subject.ok("/v1/agent/check/fail/c3?note=broken")
    await subject.ok("/v1/agent/service/maintenance/web?enable=true&reason=why")
    await subject.ok("/v1/agent/maintenance?enable=true")
    await subject.loop.agent.sync.sync_full()
    return await subject.state()


SCRIPT = {"Args": ["true"], "Interval": "10s"}
REFUSED = [
    ("/v1/agent/service/register", {"ID": "web", "Name": "web", "Port": 81, "Check": SCRIPT}),
    ("/v1/agent/service/register", {"ID": "web", "Name": "web", "Checks": [{"CheckID": "c1", "TTL": "9s"}, SCRIPT]}),
    ("/v1/agent/service/register?replace-existing-checks=true", {"ID": "web", "Name": "web", "Check": SCRIPT}),
    ("/v1/agent/service/register", {"ID": "web", "Name": "web", "Check": {"TTL": "1s"},
                                    "Connect": {"SidecarService": {"Check": SCRIPT}}}),
    ("/v1/agent/service/register", {"ID": "web", "Name": "web", "Check": {"TTL": "1s"},
                                    "TaggedAddresses": {"lan_ipv4": {"Address": "x", "Port": 1}}}),
    ("/v1/agent/service/register", {"ID": "new", "Name": "new", "Check": SCRIPT}),
    ("/v1/agent/check/register", {"ID": "c1", "Name": "c1", "ServiceID": "web", **SCRIPT}),
    ("/v1/agent/check/register", {"ID": "c1", "Name": "c1", "ServiceID": "nowhere", "TTL": "5s"}),
    ("/v1/agent/check/register", {"ID": "node", "Name": "other", **SCRIPT}),
]  # fmt: skip


async def test_a_refused_registration_changes_nothing(start: Start) -> None:
    async with start() as subject:
        before = await established(subject)
        for target, body in REFUSED:
            status, text = await subject.put(target, body)
            assert status == 500, (body, text)
            assert differences(await subject.state(), before) == [], body
        await subject.loop.agent.sync.sync_full()
        assert differences(await subject.state(), before) == []
    async with start() as again:
        assert sorted(await again.state()) == sorted(before)
        assert again.files() == {key: value for key, value in before.items() if not key.startswith("/v1/")}


NEW_WEB = {
    "ID": "web", "Name": "web2", "Port": 81, "Tags": ["new"], "Token": "t2",
    "Checks": [{"CheckID": "c1", "TTL": "9s"}, {"CheckID": "c4", "TTL": "9s", "Status": "passing"},
               {"CheckID": "node", "TTL": "1h"}],
    "Connect": {"SidecarService": {"Port": 9999}},
}  # fmt: skip
CHANGES = [
    ("/v1/agent/service/register", NEW_WEB),
    ("/v1/agent/service/register?replace-existing-checks=true", NEW_WEB),
    ("/v1/agent/service/register", {**NEW_WEB, "ID": "other", "Name": "other"}),
    ("/v1/agent/check/register", {"ID": "c1", "Name": "moved", "TTL": "5s", "Status": "warning"}),
    ("/v1/agent/check/register", {"ID": "c2", "Name": "c2", "ServiceID": "web-sidecar-proxy", "TTL": "5s"}),
    ("/v1/agent/check/register", {"ID": "c9", "Name": "new", "ServiceID": "web", "TTL": "5s"}),
]


@pytest.mark.parametrize("full", [{"services"}, {"checks"}, {"services", "checks"}])
async def test_what_the_disk_refuses_is_put_back(start: Start, full: set[str]) -> None:
    async with start() as subject:
        before = await established(subject)
        refused = 0
        for target, body in CHANGES:
            if full == {"services"} and "/check/" in target:
                continue
            subject.disk.full = full
            status, text = await subject.put(target, body)
            subject.disk.full = set()
            assert (status, "No space left" in text) == (500, True), (target, body, text)
            # The agent itself at once; a catalog that was just told otherwise, when it has been told again.
            for own in ("/v1/agent/services", "/v1/agent/checks"):
                assert differences((await subject.state())[own], before[own]) == [], body
            assert await settled(subject, before) == [], body
            refused += 1
            # What was refused before is not reported to who is next.
            await subject.ok("/v1/agent/service/register", {"ID": "next", "Name": "next"})
            await subject.ok("/v1/agent/service/deregister/next")
        assert refused >= 3
        await subject.loop.agent.sync.sync_full()
        assert await settled(subject, before) == []


async def settled(subject: Subject, before: dict[str, Any]) -> list[Any]:
    """What differs from ``before`` when nothing does, or for long."""
    found: list[Any] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while found := differences(await subject.state(), before):
                await asyncio.sleep(0.02)
    return found


async def test_maintenance_that_the_disk_refuses_is_not_in_force(start: Start) -> None:
    async with start() as subject:
        await subject.ok("/v1/agent/service/register", {"Name": "web"})
        before = await subject.state()
        subject.disk.full = {"checks"}
        for target in ("/v1/agent/maintenance?enable=true", "/v1/agent/service/maintenance/web?enable=true"):
            assert (await subject.put(target))[0] == 500
            assert await settled(subject, before) == []


async def test_two_refused_at_once_go_back_to_before_both(start: Start) -> None:
    async with start() as subject:
        before = await established(subject)
        subject.disk.full = {"services", "checks"}
        bodies = [{"ID": "web", "Name": "web", "Port": port, "Check": {"CheckID": "c1", "TTL": f"{port}s"}}
                  for port in range(1, 6)]  # fmt: skip
        answers = await _all([subject.put("/v1/agent/service/register", body) for body in bodies])
        assert [status for status, _ in answers] == [500] * 5
        assert await settled(subject, before) == []
        assert not subject.loop.agent.registrations._unsettled


@pytest.mark.parametrize("turns", range(4))
async def test_who_does_not_wait_is_taken_back_too(start: Start, turns: int) -> None:
    """A client that goes away at once, or a little later, leaves nothing half-registered."""
    async with start() as subject:
        before = await established(subject)
        for full in ({"checks"}, {"services"}):
            for target, body in CHANGES[:3]:
                subject.disk.full = full
                await _gone(subject, target, body, turns)
                assert await settled(subject, before) == [], (target, body)
                subject.disk.full = set()
        replacing = "/v1/agent/service/register?replace-existing-checks=true"
        await _gone(subject, replacing, {"ID": "web", "Name": "web", "Check": {"CheckID": "c1", "TTL": "5s"}}, turns)
        async with asyncio.timeout(PATIENCE_S):
            while subject.loop.agent.registrations._unsettled:
                await asyncio.sleep(0.01)
    async with start() as again:
        assert {"c2", "c3", "extra"} & set(json.loads((await again.loop.request("GET", SHOWN[1])).body)) == set()


async def _gone(subject: Subject, target: str, body: Any, turns: int) -> None:
    request = Request("PUT", target.partition("?")[0], target.partition("?")[0], target.partition("?")[2], {})
    request.body = json.dumps(body).encode()
    request.body_bytes = len(request.body)
    front = subject.loop.agent.front
    front.route(request)
    answer = asyncio.ensure_future(front.handle(request))  # type: ignore[arg-type]
    for _ in range(turns):
        await asyncio.sleep(0)
    answer.cancel()
    await asyncio.gather(answer, return_exceptions=True)


async def test_a_later_registration_is_not_undone_with_an_earlier_one(start: Start) -> None:
    async with start() as subject:
        await subject.ok("/v1/agent/service/register", WEB)
        subject.disk.full = {"checks"}
        refused, taken = await _all([
            subject.put("/v1/agent/service/register", {"ID": "web", "Name": "web", "Port": 1, "Check": {"TTL": "5s"}}),
            subject.put("/v1/agent/service/register", {"ID": "web", "Name": "web", "Port": 2}),
        ])  # fmt: skip
        assert (refused[0], taken[0]) == (500, 200)
        state = await subject.state()
        assert state["/v1/agent/services"]["web"]["Port"] == 2
        assert sorted(state["/v1/agent/checks"]) == ["c1", "c2", "c3", "service:web-sidecar-proxy"]


async def _all(work: list[Awaitable[tuple[int, str]]]) -> list[tuple[int, str]]:
    return list(await asyncio.gather(*work))


async def test_a_ttl_that_is_put_back_has_what_was_left_of_its_time(start: Start) -> None:
    async with start() as subject:
        await subject.ok("/v1/agent/check/register", {"ID": "c", "Name": "c", "TTL": "1h"})
        schedule = subject.loop.agent.runners._schedule
        deadline = schedule.deadline("c")
        subject.disk.full = {"checks"}
        assert (await subject.put("/v1/agent/check/register", {"ID": "c", "Name": "c", "TTL": "2h"}))[0] == 500
        assert schedule.deadline("c") == deadline
        subject.disk.full = set()
        await subject.ok("/v1/agent/check/pass/c")


# ------------------------------------------------------------------------------------------------------- reloads

FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"service": {"name": ""}}, 'Failed reloading services: Failed to register service "": Service name missing'),
    ({"service": {}}, 'Failed reloading services: Failed to register service "": Service name missing'),
    ({"service": {"id": "only"}}, 'Failed reloading services: Failed to register service "": Service name missing'),
    ({"service": {"name": "a", "check": {"args": ["true"], "interval": "5s"}}}, ""),
    *((({"service": {"name": "a", "check": check}},
        'Failed reloading services: Failed to validate checks for service "a": TTL must be > 0 for TTL checks'))
      for check in ({}, {"interval": "10s"}, {"http": ""}, {"ttl": "0s"}, {"name": "x"}, {"notes": "x"})),
    ({"check": {"name": "x"}},
     "Failed reloading checks: Failed to register check 'x': Check is not valid: TTL must be > 0 for TTL checks "
     "&{ x     []  map[]    0s    false false   0s 0s 0 0 0s 4096 {}}"),
    ({"check": {}}, "Failed reloading checks: Failed to register check '': CheckID missing "
                    "&{      []  map[]    0s    false false   0s 0s 0 0 0s 4096 {}}"),
    ({"check": {"name": "x", "ttl": "5s", "service_id": "none"}},
     "Failed reloading checks: Failed to register check 'x': ServiceID \"none\" does not exist "
     "&{ x  none   []  map[]    0s    false false   0s 5s 0 0 0s 4096 {}}"),
    ({"check": {"name": "x", "args": ["a", "b"], "interval": "5s", "header": {"X": ["1"]}}}, ""),
    ({"service": {"name": "a", "connect": {"sidecar_service": {"check": {"interval": "5s"}}}}},
     'Failed reloading services: Failed to validate sidecar for service "a": TTL must be > 0 for TTL checks'),
    ({"service": {"name": "a", "tagged_addresses": {"lan_ipv4": {"address": "bogus"}}}},
     'Failed reloading services: Failed to register service "a": Service tagged address "lan_ipv4" must be a valid '
     "ipv4 address"),
]  # fmt: skip


def reloads(subject: Subject, settings: dict[str, Any], tmp_path: Path, config: dict[str, Any]) -> None:
    """Let the next reload read ``config``."""
    path = tmp_path / "next.json"
    path.write_text(json.dumps(config))

    def read(_: object) -> Any:
        return load({"dev": True, "node_name": "test", "config_files": [str(path)], **settings})[0]

    subject.loop.agent.reloading.read = read


async def test_a_reload_that_fails_changes_nothing(start: Start, tmp_path: Path) -> None:
    configured = {"services": [{"name": "cfg", "check": {"ttl": "1h", "id": "cfg"}}]}
    async with start(**configured) as subject:
        await subject.ok("/v1/agent/check/pass/cfg?note=good")
        before = await established(subject)
        settings = {"data_dir": str(subject.data_dir)}
        for faulty, text in FAULTY:
            reloads(subject, settings, tmp_path, faulty)
            status, body = await subject.put("/v1/agent/reload")
            assert status == 500 and body.startswith(text or "Failed reloading "), (faulty, body)
            assert not text or body == text
            assert differences(await subject.state(), before) == [], faulty
        reloads(subject, settings, tmp_path, {"service": {"name": "fine"}})
        await subject.ok("/v1/agent/reload")
        await subject.loop.agent.sync.sync_full()
        after = await subject.state()
        gone = {"cfg", "fine"}
        for target in ("/v1/agent/services", "/v1/agent/checks"):
            assert {k: v for k, v in after[target].items() if k not in gone} == {
                k: v for k, v in before[target].items() if k not in gone
            }
        assert "fine" in after["/v1/catalog/services"] and "cfg" not in after["/v1/catalog/services"]


async def test_a_start_with_what_a_reload_refuses_fails_with_its_text() -> None:
    for faulty, text in FAULTY:
        loop = AgentInLoop(faulty)
        with pytest.raises(ConsulError) as caught:
            async with loop:
                pass
        await loop.agent.stop()
        prefix, _, reason = text.partition(": ")
        assert prefix.startswith("Failed reloading ") or not text
        assert str(caught.value) == reason or not text


async def test_a_reload_keeps_what_the_api_registered_without_a_disk(tmp_path: Path, start: Start) -> None:
    async with start(data_dir="") as subject:
        await subject.ok("/v1/agent/service/register", WEB)
        await subject.ok("/v1/agent/check/fail/c1?note=why")
        reloads(subject, {}, tmp_path, {"service": {"name": "other"}})
        await subject.ok("/v1/agent/reload")
        state = (await subject.loop.request("GET", "/v1/agent/services")).body
        assert set(json.loads(state)) == {"web", "web-sidecar-proxy", "other"}
        checks = json.loads((await subject.loop.request("GET", "/v1/agent/checks")).body)
        assert (checks["c1"]["Status"], checks["c1"]["Output"]) == ("critical", "why")


@pytest.mark.parametrize(("before", "after"), [("api", "config"), ("config", "api")])
async def test_configuration_and_api_take_turns(before: str, after: str, tmp_path: Path, start: Start) -> None:
    async with start() as subject:
        settings = {"data_dir": str(subject.data_dir)}

        async def put(source: str) -> None:
            if source == "api":
                await subject.ok("/v1/agent/service/register", {"Name": "web", "Port": 1})
            else:
                reloads(subject, settings, tmp_path, {"service": {"name": "web", "port": 2}})
                await subject.ok("/v1/agent/reload")

        await put(before)
        await put(after)
        state = await subject.state()
        assert state["/v1/agent/services"]["web"]["Port"] == (1 if after == "api" else 2)
        assert bool(subject.files()) == (after == "api")


# ------------------------------------------------------------------------------------------------- what a disk keeps


async def test_output_that_was_cut_stays_cut_after_a_restart(start: Start) -> None:
    async with start() as subject:
        check = {"ID": "c", "Name": "c", "TTL": "1h", "OutputMaxSize": 4}
        await subject.ok("/v1/agent/check/register", check)
        await subject.ok("/v1/agent/check/update/c", {"Status": "passing", "Output": "longer"})
        before = (await subject.state())["/v1/agent/checks"]["c"]
        assert before["Output"] == "long ... (captured 4 of 6 bytes)"
    async with start() as again:
        after = (await again.state())["/v1/agent/checks"]["c"]
        assert (after["Status"], after["Output"]) == ("passing", before["Output"])
        await again.ok("/v1/agent/check/register", check)
        assert (await again.state())["/v1/agent/checks"]["c"]["Output"] == before["Output"]


async def test_what_a_killed_agent_left_unfinished_is_removed(start: Start, tmp_path: Path) -> None:
    left = [tmp_path / "data" / folder / name
            for folder in ("services", "checks", "checks/state") for name in ("0123.tmp", "0123-4567.tmp")]  # fmt: skip
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
    async with start() as subject:
        assert not any(path.exists() for path in left)
        await subject.ok("/v1/agent/service/register", WEB)


async def test_a_state_that_cannot_be_removed_keeps_no_registration_back(start: Start) -> None:
    """Once that error was reported to whoever registered next."""
    async with start() as subject:
        (subject.data_dir / "checks").mkdir(parents=True, exist_ok=True)
        (subject.data_dir / "checks" / "state").write_text("not a folder")
        check = {"Name": "web", "Check": {"TTL": "1h", "CheckID": "c"}}
        await subject.ok("/v1/agent/service/register", check)
        assert (await subject.put("/v1/agent/check/pass/c"))[0] == 500
        await subject.ok("/v1/agent/service/register", {"Name": "next"})
        await subject.ok("/v1/agent/service/register", check)
