"""Keys: seen before they are edited, saved only over what was read, and left alone byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.browser import Visit
from support.harness import Agent, Subject, eventually, program, run
from support.lively import JSON_VALUE, Lively

KEY = "#/dc1/key/app/config"


@pytest.fixture
def lively(agent: Agent) -> Iterator[Lively]:
    one = Lively(agent)
    one.put("app/config", JSON_VALUE)
    yield one
    one.done("DELETE", "/v1/kv/?recurse")


def edit(one: Visit, text: str) -> None:
    """Open the editor of the key, replace its text and look at what will change."""
    one.page.get_by_role("button", name="Edit", exact=True).click()
    one.page.locator("[data-editor]").fill(text)
    one.page.locator("[data-review]").click()
    assert one.page.get_by_role("group", name="What will change").is_visible()


def save(one: Visit) -> None:
    one.page.get_by_role("button", name="Save", exact=True).click()


def by_command(agent: Agent, *words: str) -> None:
    """What somebody else does meanwhile, with our command line."""
    done = run([*program(Subject.OURS), "kv", words[0], f"-http-addr={agent.address}", *words[1:]])
    assert done.returncode == 0, done.stderr


def test_a_change_by_somebody_else_is_not_overwritten(
    visit: Callable[..., Visit], agent: Agent, lively: Lively
) -> None:
    """Saving finds a conflict, shows both sides and writes nothing; "keep mine" writes over what was shown."""
    one = visit()
    one.open(KEY)
    edit(one, "mine\n")
    by_command(agent, "put", "app/config", "theirs")
    theirs = lively.value("app/config")
    save(one)
    conflict = one.page.locator("[data-conflict]")
    conflict.wait_for()
    assert "theirs" in conflict.inner_text() and "mine" in conflict.inner_text()
    assert lively.value("app/config") == theirs == (b"theirs", theirs[1])
    one.page.locator("[data-keep-mine]").click()
    conflict.wait_for(state="detached")
    eventually(lambda: lively.value("app/config")[0] == b"mine\n", "mine is written")
    last = [sent for sent in one.writes if "/v1/kv/" in sent.path][-1]
    assert f"cas={theirs[1]}" in last.path
    # Somebody who deletes it is told of, too.
    edit(one, "mine again\n")
    by_command(agent, "delete", "app/config")
    save(one)
    one.page.locator("[data-conflict]").wait_for()
    assert "deleted" in one.page.locator("[data-conflict]").inner_text()
    assert lively.call("GET", "/v1/kv/app/config").status == 404
    one.page.locator("[data-take-theirs]").click()
    assert lively.call("GET", "/v1/kv/app/config").status == 404


VALUES = (
    JSON_VALUE, b'{"a":1,"a":2}', b"[1e2,\r\n\r\n 3]", b"\xef\xbb\xbf{}", b'"\\u0041"', b"", b"\x00\xff",
    b"a\r\nb\nc\r", b" \n",
)  # fmt: skip


def test_looking_at_values_leaves_their_bytes_alone(visit: Callable[..., Visit], lively: Lively) -> None:
    """In every view, and in the editor too, as long as nothing is typed."""
    for number, value in enumerate(VALUES):
        lively.put(f"look/{number}", value)
    before = lively.done("GET", "/v1/kv/look/?recurse")
    one = visit()
    one.open("#/dc1/kv/look/")
    for number, value in enumerate(VALUES):
        one.go(f"#/dc1/key/look/{number}")
        for name in ("Text", "JSON", "Hex", "Base64"):
            button = one.page.get_by_role("button", name=name, exact=True)
            if button.count() and button.is_enabled():
                button.click()
        one.page.get_by_role("button", name="Edit", exact=True).click()
        assert one.page.locator("[data-review]").is_disabled(), f"something of {value!r} is said to have changed"
        one.page.get_by_role("button", name="Cancel").click()
    one.go("#/dc1/services")
    assert lively.done("GET", "/v1/kv/look/?recurse") == before
    assert one.writes == []


def test_what_is_saved_is_what_was_typed(visit: Callable[..., Visit], lively: Lively) -> None:
    """Line by line, with the line ends the value had; flags stay."""
    lively.done("PUT", "/v1/kv/app/config?flags=42", b"one\r\ntwo\r\n")
    one = visit()
    one.open(KEY)
    edit(one, "one\nzwei\n")
    shown = one.page.get_by_role("group", name="What will change").inner_text()
    assert "- two" in shown and "+ zwei" in shown and "- one" not in shown
    save(one)
    eventually(lambda: lively.value("app/config")[0] == b"one\r\nzwei\r\n", "it is written with its line ends")
    (entry,) = lively.done("GET", "/v1/kv/app/config")
    assert entry["Flags"] == 42


def test_a_key_that_is_changed_elsewhere_changes_here(visit: Callable[..., Visit], lively: Lively) -> None:
    one = visit()
    one.open(KEY)
    lively.put("app/config", b"another value")
    one.page.get_by_text("another value", exact=True).first.wait_for()
    lively.put("app/new", b"")
    one.go("#/dc1/kv/app/")
    one.row("app/new").wait_for()
    assert one.rows() == ["app/config", "app/new"]
    lively.put("app/newer", b"")
    one.row("app/newer").wait_for()


def test_a_tree_is_deleted_only_when_its_prefix_is_typed(visit: Callable[..., Visit], lively: Lively) -> None:
    """The question says how many keys there are; what is typed wrongly deletes nothing."""
    for number in range(5):
        lively.put(f"app/tree/{number}", b"x")
    lively.put("app/treehouse", b"x")
    one = visit()
    one.open("#/dc1/kv/app/tree/")
    assert len(one.rows()) == 5
    one.page.get_by_role("button", name="Delete folder").click()
    question = one.page.get_by_role("dialog")
    question.wait_for()
    assert "5 keys" in question.inner_text()
    confirm = question.locator("button[type=submit]")
    question.get_by_role("textbox").fill("app/tree")
    assert confirm.is_disabled()
    assert len(lively.done("GET", "/v1/kv/app/tree/?keys")) == 5
    question.get_by_role("textbox").fill("app/tree/")
    confirm.click()
    eventually(lambda: lively.call("GET", "/v1/kv/app/tree/?keys").status == 404, "the tree is gone")
    assert lively.done("GET", "/v1/kv/?keys") == ["app/config", "app/treehouse"]


def test_odd_names_are_shown_opened_and_left_as_they_are(visit: Callable[..., Visit], lively: Lively) -> None:
    names = ["sp ace", "100%", "a?b=c&d", "#hash", "häß", "日本/語", "quo\"te'", "<b>x", "back\\slash", "%2F", "a+b"]
    lively.done("PUT", "/v1/txn", [
        {"KV": {"Verb": "set", "Key": f"odd/{name}", "Value": "dmFsdWU="}} for name in names
    ])  # fmt: skip
    one = visit()
    one.open("#/dc1/kv/odd/")
    assert set(one.rows()) == {f"odd/{name}" for name in names if "/" not in name} | {"odd/日本/"}
    for name in names:
        if "/" in name:
            continue
        one.row(f"odd/{name}").get_by_role("link").click()
        one.ready("key")
        assert one.page.get_by_role("heading", level=1).inner_text() == f"odd/{name}"
        one.page.get_by_text("value", exact=True).first.wait_for()
        one.page.go_back()
        one.ready("kv")
    assert len(lively.done("GET", "/v1/kv/odd/?keys")) == len(names)
