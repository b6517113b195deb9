"""Who runs the pages notices what is wrong with one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.pages import blocks_of, indented_blocks_of, run_page, run_python_page, sections_of

linux = pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs all of 127.0.0.0/8")

WRONG_COMMANDS = {
    "a command that fails": "```sh\ntrue\nfalse\n```",
    "one that should have been refused": "```sh\ntrue && exit 1\n```",
    "a variable that is not there": "```sh\necho $NOBODY\n```",
    "a configuration that is none": "```hcl\nno_such_key = 1\n```",
    "a language nobody runs": "```rust\nfn main() {}\n```",
    "no blocks at all": "Only words.",
}
WRONG_PYTHON = {
    "what is not so": "```python\nassert 1 == 2\n```",
    "the status": "```http\nGET /v1/status/leader HTTP/1.1\nHost: l\n\nHTTP/1.1 404 Not Found\n```",
    "a header": "```http\nGET /v1/kv/a HTTP/1.1\nHost: l\n\nHTTP/1.1 404 Not Found\nX-Consul-Index: 0\n```",
    "the body": "```http\nGET /v1/kv/ HTTP/1.1\nHost: l\n\nHTTP/1.1 400 Bad Request\n\nall is well\n```",
    "no answer": "```http\nGET /v1/kv/a HTTP/1.1\nHost: l\n```",
    "a configuration that is none": '```json\n{"ports": {"http": true}}\n```',
    "a language nobody runs": "```sh\ntrue\n```",
}


@linux
@pytest.mark.parametrize("page", WRONG_COMMANDS.values(), ids=list(WRONG_COMMANDS))
def test_what_is_wrong_with_commands_is_noticed(page: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"{page}\n")
    with pytest.raises(Exception):  # noqa: B017
        run_page(file, tmp_path / "here", timeout_s=60)


@linux
@pytest.mark.parametrize("page", WRONG_PYTHON.values(), ids=list(WRONG_PYTHON))
async def test_what_is_wrong_with_python_is_noticed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "")
    file = tmp_path / "page.md"
    file.write_text(f"{page}\n")
    with pytest.raises(Exception):  # noqa: B017
        await run_python_page(file, {})


@linux
def test_an_agent_that_is_killed_is_dead(tmp_path: Path) -> None:
    """What commands are forked from must not come between a page and its agents."""
    file = tmp_path / "page.md"
    file.write_text(
        "```sh\nconsul agent -dev > a.log 2>&1 &\nagent=$!\n"
        "until consul kv put a 1 > put.txt 2>&1; do sleep 0.2; done\n"
        "kill -9 $agent\nconsul kv get a && exit 1\nconsul kv put a 2 && exit 1\ntrue\n```\n"
    )
    run_page(file, tmp_path / "here")


def test_code_by_indentation_is_found_and_lists_are_not() -> None:
    assert indented_blocks_of("Words:\n\n    code\n    more\n\nWords\n") == ["code"]
    assert indented_blocks_of("- a point\n\n    goes on\n- another\n    - below it\n") == []
    assert indented_blocks_of("```sh\n    indented\n```\n") == []


def test_blocks_know_their_language_line_and_file() -> None:
    [one, two] = blocks_of("# a\n\n```hcl\n# web.hcl\nx = 1\n```\n\n```sh\n# not a file.sh\n```\n")
    assert (one.language, one.line, one.file) == ("hcl", 4, "web.hcl")
    assert (two.language, two.file) == ("sh", "")


def test_sections_end_at_headings_that_are_no_comments() -> None:
    text = "# a\n\n```sh\n# no heading\n```\n\n## b\n\nwords\n"
    assert [part.split("\n")[0] for part in sections_of(text)] == ["# a", "## b"]
