"""What is done on the screens of access control, queries and operations is done at the agent, and said before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from support.browser import Visit
from support.harness import eventually
from support.lively import ROOT_TOKEN, Lively

if TYPE_CHECKING:
    from playwright.sync_api import Locator


class Hand:
    """Somebody with all rights who clicks and types."""

    def __init__(self, visit: Callable[..., Visit], guarded: Lively) -> None:
        self.visit, self.lively = visit(guarded.agent), guarded
        self.page = self.visit.page
        # The empty page that comes before has no storage.
        kept = f"if (location.host) sessionStorage.setItem('proconsul.token', '{ROOT_TOKEN}');"
        self.visit.context.add_init_script(kept)

    def go(self, place: str) -> None:
        self.visit.open(place)

    def button(self, name: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=name, exact=True).first

    def fill(self, label: str, text: str) -> None:
        self.page.locator("main").get_by_label(label, exact=True).first.fill(text)

    def add(self, label: str, name: str) -> None:
        """One more name, as of a policy."""
        self.fill(label, name)
        self.page.get_by_label(label, exact=True).press("Enter")

    def confirm(self, name: str, *, typed: str = "") -> None:
        dialog = self.page.locator("dialog")
        if typed:
            button = dialog.get_by_role("button", name=name, exact=True)
            assert button.is_disabled(), "not before the word is typed"
            dialog.locator("input").fill(typed)
        dialog.get_by_role("button", name=name, exact=True).click()

    def told(self, text: str) -> None:
        self.page.locator(".word", has_text=text).first.wait_for()

    def shown(self, pattern: str) -> str:
        """What a page is about whose address fits ``pattern``."""
        found = eventually(lambda: re.search(pattern, self.page.evaluate("() => location.hash")), pattern)
        assert found is not None
        self.visit.ready()
        return found[1]

    def at_agent(self, target: str) -> Any:
        return self.lively.done("GET", target)


def test_a_token_is_made_edited_and_deleted(visit: Callable[..., Visit], guarded: Lively) -> None:
    """A change by somebody else in between is not overwritten unasked, and the secret is shown on request only."""
    hand = Hand(visit, guarded)
    guarded.secret('key_prefix "" { policy = "read" }')
    policy = hand.at_agent("/v1/acl/policies")[-1]["Name"]
    hand.go("#/dc1/tokens/new")
    hand.fill("Description", "by hand")
    hand.add("Add to policies", policy)
    hand.add("Add to service identities", "web@dc1")
    hand.fill("Expires after", "2h")
    hand.button("Review and create").click()
    hand.confirm("Create")
    accessor = hand.shown(r"tokens/([0-9a-f]+-[-0-9a-f]+)")
    token = hand.at_agent(f"/v1/acl/token/{accessor}")
    assert token["Description"] == "by hand" and [one["Name"] for one in token["Policies"]] == [policy]
    assert token["ServiceIdentities"] == [{"ServiceName": "web", "Datacenters": ["dc1"]}] and token["ExpirationTime"]
    assert token["SecretID"] not in hand.visit.text()
    hand.button("Show the secret").click()
    assert token["SecretID"] in hand.visit.text()

    hand.button("Edit").click()
    hand.fill("Description", "mine")
    guarded.done("PUT", f"/v1/acl/token/{accessor}", {"Description": "theirs", "Policies": token["Policies"]})
    hand.button("Review and save").click()
    hand.page.locator("dialog", has_text="changed meanwhile").wait_for()
    hand.confirm("Cancel")
    assert hand.at_agent(f"/v1/acl/token/{accessor}")["Description"] == "theirs"
    hand.button("Review and save").click()
    hand.confirm("Overwrite it")
    hand.confirm("Save")
    hand.told("saved")
    assert hand.at_agent(f"/v1/acl/token/{accessor}")["Description"] == "mine"

    hand.button("Delete").click()
    hand.confirm("Delete")
    hand.told("is deleted")
    assert accessor not in {one["AccessorID"] for one in hand.at_agent("/v1/acl/tokens")}


def test_ones_own_token_is_not_deleted(visit: Callable[..., Visit], guarded: Lively) -> None:
    hand = Hand(visit, guarded)
    own = hand.at_agent("/v1/acl/token/self")["AccessorID"]
    hand.go(f"#/dc1/tokens/{own}")
    hand.page.get_by_text("this is yours").wait_for()
    hand.button("Delete").click()
    hand.page.locator("dialog", has_text="your own token").wait_for()
    hand.confirm("I see")
    assert not hand.visit.writes


def test_what_a_token_may_do_is_said_with_the_rule_that_decides(visit: Callable[..., Visit], guarded: Lively) -> None:
    secret = guarded.secret('key_prefix "" { policy = "read" } key "locked" { policy = "deny" }')
    tokens = [(one["AccessorID"], guarded.done("GET", f"/v1/acl/token/{one['AccessorID']}")) for one in
              guarded.done("GET", "/v1/acl/tokens")]  # fmt: skip
    accessor = next(found for found, token in tokens if token["SecretID"] == secret)
    hand = Hand(visit, guarded)
    hand.go(f"#/dc1/tokens/{accessor}?resource=key&name=locked&access=read")
    verdict = hand.page.locator("[data-may]")
    verdict.filter(has_text="denied").wait_for()
    eventually(lambda: 'key "locked" { policy = "deny" }' in verdict.inner_text(), "the rule")
    hand.fill("Key", "open")
    verdict.filter(has_text="allowed").wait_for()
    hand.page.get_by_label("Resource").select_option("operator")
    verdict.filter(has_text="denied").filter(has_text="default policy").wait_for()


def test_rules_are_checked_while_they_are_typed_and_by_the_agent(visit: Callable[..., Visit], guarded: Lively) -> None:
    hand = Hand(visit, guarded)
    hand.go("#/dc1/policies/new")
    hand.fill("Name", "by-hand")
    rules = hand.page.locator("textarea.code")
    rules.fill('key "a" {\n policy = "reed"\n}\n')
    hand.page.get_by_role("button", name="line 2").click()
    selected = "() => { const at = document.activeElement; return at.value.slice(at.selectionStart, at.selectionEnd); }"
    assert hand.page.evaluate(selected) == ' policy = "reed"'
    hand.button("Review and create").click()
    hand.confirm("Create")
    hand.told("Invalid key policy")
    rules.fill('key "a" {\n policy = "read"\n}\n')
    hand.fill("Rule's name", "svc")
    hand.page.get_by_label("Resource").select_option("service")
    hand.page.get_by_label("Level").select_option("write")
    hand.button("Add the rule").click()
    hand.button("Review and create").click()
    hand.page.locator("dialog .diff").wait_for()
    hand.confirm("Create")
    policy = hand.shown(r"policies/([0-9a-f]+-[-0-9a-f]+)")
    written = 'key "a" {\n policy = "read"\n}\nservice_prefix "svc" { policy = "write" }\n'
    assert hand.at_agent(f"/v1/acl/policy/{policy}")["Rules"] == written
    hand.button("Delete").click()
    hand.confirm("Delete", typed="by-hand")
    hand.told("is deleted")


def test_a_query_is_written_and_tried(visit: Callable[..., Visit], guarded: Lively) -> None:
    hand = Hand(visit, guarded)
    hand.go("#/dc1/queries/new")
    area = hand.page.locator("textarea.code")
    area.fill("{")
    assert hand.button("Review and save").is_disabled()
    area.fill(json.dumps({"Name": "by-hand", "Service": {"Service": "consul"}}))
    hand.button("Review and save").click()
    hand.confirm("Save")
    query = hand.shown(r"queries/([0-9a-f]+-[-0-9a-f]+)")
    assert hand.at_agent(f"/v1/query/{query}")[0]["Service"]["Service"] == "consul"
    hand.button("Execute").click()
    hand.page.get_by_text(re.compile("1 instance of consul in dc1")).wait_for()
    hand.button("Explain").click()
    hand.page.get_by_text("What it becomes").wait_for()
    hand.button("Delete").click()
    hand.confirm("Delete")
    hand.told("is deleted")


def test_operators_change_settings_maintain_and_save(visit: Callable[..., Visit], guarded: Lively) -> None:
    hand = Hand(visit, guarded)
    hand.go("#/dc1/operations?tab=autopilot")
    hand.button("Edit").click()
    hand.fill("MaxTrailingLogs", "321")
    hand.button("Review and save").click()
    hand.confirm("Save")
    hand.told("saved")
    assert hand.at_agent("/v1/operator/autopilot/configuration")["MaxTrailingLogs"] == 321

    hand.go("#/dc1/operations?tab=agent")
    node = hand.at_agent("/v1/agent/self")["Config"]["NodeName"]
    hand.fill("Reason", "by hand")
    hand.button("Start maintenance").click()
    hand.confirm("Start maintenance", typed=node)
    hand.button("End maintenance").wait_for()
    assert hand.at_agent("/v1/agent/checks")["_node_maintenance"]["Notes"] == "by hand"
    hand.button("End maintenance").click()
    hand.confirm("End maintenance")
    hand.button("Start maintenance").wait_for()
    assert "_node_maintenance" not in hand.at_agent("/v1/agent/checks")

    hand.go("#/dc1/operations?tab=snapshot")
    with hand.page.expect_download() as download:
        hand.button("Download a snapshot").click()
    assert download.value.path().read_bytes()[:2] == b"\x1f\x8b"
    guarded.put("after/snapshot", b"1")
    hand.page.locator("input[type=file]").set_input_files(download.value.path())
    hand.button("Restore").click()
    hand.confirm("Restore", typed="restore")
    hand.told("is restored")
    assert guarded.call("GET", "/v1/kv/after/snapshot").status == 404


def test_the_log_is_followed_held_and_filtered(visit: Callable[..., Visit], guarded: Lively) -> None:
    hand = Hand(visit, guarded)
    hand.go("#/dc1/log?level=debug")
    lines = hand.page.locator("main .line")

    def noisy() -> bool:
        guarded.call("GET", "/v1/kv/heard")
        return lines.count() > 2

    eventually(noisy, "lines come")
    hand.button("Pause").click()
    held = lines.count()
    guarded.call("GET", "/v1/kv/heard")
    hand.page.get_by_text(re.compile("new line")).wait_for()
    eventually(lambda: "0 new" not in hand.page.locator("[data-log-state]").inner_text(), "it is counted")
    assert lines.count() == held
    hand.button("Go on").click()
    eventually(lambda: lines.count() > held, "they are shown")
    hand.page.get_by_label("Filter the log").fill("kv/heard")
    eventually(lambda: all("kv/heard" in text for text in lines.all_inner_texts()), "only these")
    assert "filter=kv" in hand.page.url and ROOT_TOKEN not in hand.visit.text()
