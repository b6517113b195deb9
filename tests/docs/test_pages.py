"""Every block of code in the documentation runs as it stands. A page without a line here fails."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from proconsul.testing import DevAgent
from support.pages import (
    DOCS,
    ROOT,
    blocks_of,
    indented_blocks_of,
    run_page,
    run_python_page,
    sections_of,
)
from support.reference import reference_path, require_reference

pytest_plugins = ["pytester"]
# What is imported already is not imported again by a run of pytest within this one.
IMPORTED = DevAgent

# Pages of commands.
COMMANDS = (
    "access-control.md", "anti-entropy.md", "checks.md", "datacenters.md", "operating.md", "queries.md", "testing.md",
    "tutorial.md", "three-servers.md", "web-page.md", "benchmarks.md", "gossip.md",
)  # fmt: skip
# Pages of Python, of HTTP, or with pieces of configuration.
PYTHON = (
    "client.md", "index.md", "locks.md", "watches.md", "explanations/consistency.md", "explanations/sessions.md",
    "explanations/loss.md", "explanations/pieces.md", "protocols/dns.md", "protocols/http.md", "protocols/raft.md",
    "protocols/rpc.md", "protocols/snapshots.md",
)  # fmt: skip
# Those that hold for Consul, and are tried there.
PUBLIC = (
    *(name for name in PYTHON if name.startswith("protocols/")), "client.md", "explanations/consistency.md",
    "explanations/pieces.md", "locks.md", "watches.md",
)  # fmt: skip
# Servers that leave, are lost and come back take their time.
LONG = ("three-servers.md",)
ELSEWHERE = {
    "migrate.md": "test_migration.py: it needs Consul and minutes",
    "plugins.md": "test_plugin_page.py: its distribution is installed",
    "embedding.md": "test_embedding_document.py: nothing may be left of it",
    "reference/client.md": "signatures: test_reference.py", "reference/testing.md": "signatures: test_reference.py",
    "reference/errors.md": "signatures: test_reference.py",
}  # fmt: skip
# Blocks that are shown and not run.
TEXT = {
    "protocols/rpc.md": "the form of a call; blocks below make some",
    "operating.md": "what is in a data directory; one line for another program's configuration",
    "web-page.md": "headers of the page, which tests/http looks at; a line for nginx",
    "benchmarks.md": "commands that take minutes", "gossip.md": "a command that takes minutes",
}  # fmt: skip
LANGUAGES = {"sh", "python", "hcl", "json", "toml", "http", "text"}

linux = pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs all of 127.0.0.0/8")


def pages() -> dict[str, str]:
    """All pages with code, by their path below docs/."""
    found = {path.relative_to(DOCS).as_posix(): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
    return {name: text for name, text in found.items() if blocks_of(text)}


def test_every_block_has_who_runs_it() -> None:
    known = {*COMMANDS, *PYTHON, *ELSEWHERE}
    assert sorted(pages().keys() - known) == [], "no runner"
    for name, text in {**pages(), "README.md": (ROOT / "README.md").read_text()}.items():
        strange = [(block.line, block.language) for block in blocks_of(text) if block.language not in LANGUAGES]
        assert strange == [], f"{name}: nobody runs these"
        shown = [block.line for block in blocks_of(text) if block.language == "text"]
        assert not shown or name in TEXT, f"{name}: text in lines {shown}, without a reason"


def test_no_code_is_hidden_by_indentation() -> None:
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        found = indented_blocks_of(path.read_text())
        assert found == [], f"{path.name}: {found}: fence it, and say its language"


@linux
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in COMMANDS])
def test_a_page_of_commands_runs(name: str, tmp_path: Path) -> None:
    if re.search(r"\bdig\b", (DOCS / name).read_text()) and shutil.which("dig") is None:
        pytest.skip("needs dig")
    environment = {"CONSUL_BIN": os.fspath(reference_path() or tmp_path / "nothing")}
    run_page(DOCS / name, tmp_path, {}, environment)


@linux
@pytest.mark.parametrize("name", PYTHON)
async def test_a_page_of_python_runs(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CONSUL_HTTP_TOKEN", raising=False)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "")
    monkeypatch.chdir(tmp_path)
    await run_python_page(DOCS / name, {"__name__": "page"})


@linux
@pytest.mark.reference
@pytest.mark.parametrize("name", PUBLIC)
async def test_a_public_protocol_is_consuls(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What these pages say holds for the original, too."""
    consul = require_reference()
    monkeypatch.delenv("CONSUL_HTTP_TOKEN", raising=False)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "")
    await run_python_page(DOCS / name, {"__name__": "page"}, consul=consul, directory=tmp_path)


def test_the_file_of_the_readme_passes(pytester: pytest.Pytester) -> None:
    [block] = [one for one in blocks_of((ROOT / "README.md").read_text()) if one.file == "test_lock.py"]
    pytester.makepyfile(test_lock=block.text)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
    result.assert_outcomes(passed=1)


@linux
def test_the_readme_runs(tmp_path: Path) -> None:
    if shutil.which("dig") is None:
        pytest.skip("needs dig")
    text = (ROOT / "README.md").read_text()
    commands = [part for part in sections_of(text) if any(one.language == "sh" for one in blocks_of(part))]
    for number, part in enumerate(commands):
        run_page(ROOT / "README.md", tmp_path / str(number), text=part)


@linux
async def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    [block] = [one for one in blocks_of(text) if one.language == "python" and not one.file]
    page = tmp_path / "page.md"
    # The last of its lines waits for ever: a reader watches until the program ends.
    page.write_text("```python\n" + block.text.replace("        ...", "        break") + "```\n")
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "")
    await run_python_page(page, {"__name__": "page"})
