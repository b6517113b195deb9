"""Registrations written by threads: order, what readers see meanwhile, and a disk that refuses."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import json
from pathlib import Path

from proconsul.agent.local.file_writer import FileWriter
from proconsul.agent.local.persistence import PersistedState, Persistence, file_name
from proconsul.testing import AgentInLoop


async def test_operations_on_one_path_keep_their_order(tmp_path: Path) -> None:
    writer, seen = FileWriter(), []
    outcomes = [writer.submit(tmp_path / "a", lambda number=number: seen.append(number)) for number in range(50)]
    writer.close()
    assert seen == list(range(50))
    assert [await outcome for outcome in outcomes] == [None] * 50


async def test_an_error_of_the_disk_is_the_outcome(tmp_path: Path) -> None:
    writer = FileWriter()
    outcome = writer.submit(tmp_path / "missing", (tmp_path / "missing").unlink)
    assert isinstance(await outcome, FileNotFoundError)
    writer.close()


async def test_readers_see_what_is_on_its_way(tmp_path: Path) -> None:
    writer = FileWriter()
    persistence = Persistence(str(tmp_path), writer)
    state = PersistedState("passing", "ok", 100.0)
    saved = persistence.save_state("c", state)
    assert persistence.state("c", 1.0) == state
    gone = persistence.forget_state("c")
    assert persistence.state("c", 1.0) is None
    assert saved is not None and gone is not None
    assert [await saved, await gone] == [None, None]
    persistence.close()
    assert not (tmp_path / "checks/state" / file_name("c")).exists()


async def test_answered_means_on_disk(tmp_path: Path) -> None:
    async with AgentInLoop({"data_dir": str(tmp_path)}) as agent:
        body = json.dumps({"Name": "web", "Check": {"TTL": "1m"}}).encode()
        response = await agent.request("PUT", "/v1/agent/service/register", body)
        assert response.status == 200
        saved = json.loads((tmp_path / "services" / file_name("web")).read_bytes())
        assert saved["Service"]["ID"] == "web"
        assert (tmp_path / "checks" / file_name("service:web")).exists()
        response = await agent.request("PUT", "/v1/agent/service/deregister/web")
        assert response.status == 200
        assert not (tmp_path / "services" / file_name("web")).exists()
        assert not (tmp_path / "checks" / file_name("service:web")).exists()


async def test_a_refused_write_takes_the_registration_back(tmp_path: Path) -> None:
    async with AgentInLoop({"data_dir": str(tmp_path)}) as agent:
        (tmp_path / "services").write_text("in the way")
        response = await agent.request("PUT", "/v1/agent/service/register", b'{"Name": "web"}')
        assert response.status == 500
        assert response.body.startswith(b"failed to write the registration to disk: ")
        services = await agent.request("GET", "/v1/agent/services")
        assert services.body.strip() == b"{}"
        catalog = await agent.request("GET", "/v1/catalog/service/web")
        assert catalog.body.strip() == b"[]"
        # The next registration does not inherit the error.
        (tmp_path / "services").unlink()
        response = await agent.request("PUT", "/v1/agent/service/register", b'{"Name": "web"}')
        assert response.status == 200
