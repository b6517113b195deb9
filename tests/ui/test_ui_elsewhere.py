"""Another datacenter than the agent's own: asked and changed is that one, and the agent's own is not taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.browser import Visit
from support.harness import Agent, Subject, eventually
from support.lively import Lively


@pytest.fixture
def two(tmp_path: Any) -> Iterator[tuple[Lively, Lively]]:
    """Development agents of dc1 and dc2 that know each other."""
    other = ["-datacenter", "dc2", "-node-id", "11111111-2222-3333-4444-555555555555"]
    with Agent(Subject.OURS, tmp_path / "one") as one, Agent(Subject.OURS, tmp_path / "two", other) as two:
        here, there = Lively(one), Lively(two)
        here.wait_ready()
        there.wait_ready()
        there.done("PUT", f"/v1/agent/join/127.0.0.1:{one.ports['serf_wan']}?wan=1")
        eventually(lambda: here.done("GET", "/v1/catalog/datacenters") == ["dc1", "dc2"], "they know each other")
        eventually(lambda: here.call("GET", "/v1/catalog/nodes?dc=dc2").status == 200, "a question goes there")
        yield here, there


def test_what_is_done_elsewhere_is_done_there(visit: Callable[..., Visit], two: tuple[Lively, Lively]) -> None:
    here, there = two
    for lively, value in ((here, b"ours"), (there, b"theirs")):
        lively.put("app/config", value)
    there.external("outside", "db")
    one = visit(here.agent)
    one.open("#/dc2/key/app/config")
    one.page.get_by_role("button", name="Edit", exact=True).click()
    one.page.locator("[data-editor]").fill("new")
    one.page.locator("[data-review]").click()
    one.page.get_by_role("button", name="Save", exact=True).click()
    eventually(lambda: there.value("app/config")[0] == b"new", "it is written there")
    assert here.value("app/config")[0] == b"ours"
    # A node that an agent keeps is not offered to be taken out, as it would come back; one from outside is.
    one.go("#/dc2/nodes/n1")
    one.page.get_by_text("alive").first.wait_for()
    assert one.page.locator("main [data-change]").count() == 0
    one.go("#/dc2/nodes/outside")
    one.page.get_by_role("button", name="Deregister").wait_for()
    # What is the agent's own is not shown as theirs.
    one.go("#/dc2/operations?tab=agent")
    one.page.get_by_role("button", name="Snapshot").wait_for()
    assert one.page.get_by_role("button", name="Agent", exact=True).count() == 0
    assert one.page.get_by_role("button", name="Leave").count() == 0
    one.go("#/dc2/operations?tab=snapshot")
    assert "the servers of dc2" in one.page.inner_text("main")
    assert "snapshot?dc=dc2" in one.page.inner_text("main")
    one.go("#/dc2/overview")
    assert "Recent events" not in one.page.inner_text("main")
    own = ("agent/", "status/", "catalog/datacenters", "internal/acl/")
    theirs = [sent for sent in one.api if not sent.path.partition("/v1/")[2].startswith(own)]
    astray = [sent.path for sent in theirs if parse_qs(urlsplit(sent.url).query).get("dc") != ["dc2"]]
    assert astray == []
