"""Tokens: what they may not do is not offered, and they are nowhere but in the header."""

from __future__ import annotations

import json
from collections.abc import Callable

from support.browser import Visit
from support.harness import eventually
from support.lively import ROOT_TOKEN, Lively

READER = (
    'key_prefix "app/" { policy = "read" } key_prefix "mine/" { policy = "write" }'
    ' service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
)


def log_in(one: Visit, secret: str, *, remember: bool = False) -> None:
    """As a person does, on the page for it."""
    one.open("#/dc1/login")
    field = one.page.locator("main input[type=password]").first
    field.fill(secret)
    if remember:
        one.page.get_by_role("checkbox", name="Remember").check()
    field.press("Enter")
    eventually(lambda: one.page.evaluate("() => sessionStorage.getItem('proconsul.token')") == secret, "it is used")


def test_what_a_token_may_not_do_is_not_in_the_document(visit: Callable[..., Visit], guarded: Lively) -> None:
    """Not hidden, not disabled: not there. What it may do is, and a refusal that comes all the same says why."""
    secret = guarded.secret(READER)
    guarded.put("mine/key", b"1")
    one = visit(guarded.agent)
    log_in(one, secret)
    one.go("#/dc1/key/mine/key")
    one.page.get_by_role("button", name="Edit", exact=True).wait_for()
    one.go("#/dc1/key/app/config")
    one.page.get_by_text("replicas").first.wait_for()
    assert one.page.locator("[data-change]").count() == 0
    assert one.page.get_by_role("button", name="Edit", exact=True).count() == 0
    assert one.page.get_by_role("button", name="Delete").count() == 0
    refused = guarded.call("PUT", "/v1/kv/app/config", b"x", token=secret)
    assert refused.status == 403 and "Permission denied" in refused.text
    # The right goes while the editor is open: the agent's word is shown, and nothing is written.
    one.go("#/dc1/key/mine/key")
    one.page.get_by_role("button", name="Edit", exact=True).click()
    one.page.locator("[data-editor]").fill("2")
    one.page.locator("[data-review]").click()
    name = f"p{abs(hash(READER))}"
    (policy,) = [one for one in guarded.done("GET", "/v1/acl/policies") if one["Name"] == name]
    rules = READER.replace('"write"', '"read"')
    guarded.done("PUT", f"/v1/acl/policy/{policy['ID']}", {"Name": name, "Rules": rules})
    eventually(lambda: guarded.call("PUT", "/v1/kv/mine/key", b"1", token=secret).status == 403, "it may not any more")
    one.page.get_by_role("button", name="Save", exact=True).click()
    one.page.locator(".word.bad").get_by_text("Permission denied").wait_for()
    assert guarded.value("mine/key")[0] == b"1"
    one.dialogs.clear()


def test_lists_show_what_a_token_may_see_and_say_so(visit: Callable[..., Visit], guarded: Lively) -> None:
    """Without any token: nothing of anybody, and why."""
    one = visit(guarded.agent)
    one.open("#/dc1/key/app/config")
    one.page.get_by_role("alert").first.wait_for()
    assert "may not" in one.page.get_by_role("alert").first.inner_text()
    one.go("#/dc1/services")
    assert one.rows() == []
    log_in(one, guarded.secret('service "web" { policy = "read" } node_prefix "" { policy = "read" }'))
    one.go("#/dc1/services")
    one.row("web").wait_for()
    assert one.rows() == ["web"]


def stored(one: Visit, where: str) -> str:
    text: str = one.page.evaluate("(where) => JSON.stringify({ ...globalThis[where] })", where)
    return text


def test_a_token_is_in_the_header_and_nowhere_else(visit: Callable[..., Visit], guarded: Lively) -> None:
    """Not in an address, in no storage that outlives the tab, in no text of the page, in no line of the agent's log."""
    secret = guarded.secret('operator = "read" agent_prefix "" { policy = "write" }' + READER)
    one = visit(guarded.agent)
    log_in(one, secret)
    for place in ("overview", "services/web", "nodes/n1", "kv/app/", "key/app/config", "tokens", "operations", "log"):
        one.go(f"#/dc1/{place}")
        assert secret not in one.page.content().replace(f'value="{secret}"', "")
    assert secret not in json.dumps([sent.url for sent in one.sent])
    with_token = [sent for sent in one.api if sent.headers.get("x-consul-token") == secret]
    assert with_token and all(secret not in (sent.body or "") for sent in one.sent)
    assert secret not in stored(one, "localStorage")
    assert secret in stored(one, "sessionStorage")
    assert secret not in guarded.agent.log()
    other = one.another()  # another tab is another session
    other.goto(one.root)
    assert other.evaluate("() => sessionStorage.getItem('proconsul.token')") is None
    one.page.get_by_role("link", name="Token").click()
    one.ready("login")
    one.page.get_by_role("button", name="Log out").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Log out").click()
    eventually(lambda: secret not in stored(one, "sessionStorage"), "the token is forgotten")


def test_a_token_is_kept_if_that_is_wanted(visit: Callable[..., Visit], guarded: Lively) -> None:
    one = visit(guarded.agent)
    log_in(one, ROOT_TOKEN, remember=True)
    assert ROOT_TOKEN in stored(one, "localStorage")
    other = one.another()
    other.goto(f"{one.root}#/dc1/tokens")
    other.locator("main[data-view=tokens][data-ready=true] [data-row]").first.wait_for()
    assert ROOT_TOKEN not in other.content()
