"""The pages of docs/reference are what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import proconsul.client
import proconsul.testing
from proconsul.cli.registry import COMMANDS
from support.pages import DOCS, ROOT

PAGES = DOCS / "reference"


def test_the_pages_are_made_from_the_code_of_now(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts/make_reference.py", tmp_path], check=True, cwd=ROOT)
    names = {path.name for path in PAGES.iterdir()}
    assert names == {path.name for path in tmp_path.iterdir()}
    stale = [name for name in sorted(names) if (PAGES / name).read_text() != (tmp_path / name).read_text()]
    assert stale == [], "make reference"


def test_every_public_name_of_python_is_there() -> None:
    shown = "\n".join(path.read_text() for path in PAGES.glob("*.md"))
    headings = {name for line in re.findall(r"^#+ (.+)$", shown, re.MULTILINE) for name in line.split(", ")}
    assert set(proconsul.client.__all__) - headings == set()
    assert set(proconsul.testing.__all__) - headings == set()


def test_every_call_of_the_client_says_what_it_does() -> None:
    text = (PAGES / "client.md").read_text()
    bare = re.findall(r"```python\n(?:async )?def (\w+)[^`]*```\n\n(?=```|#|\*\*|\Z)", text)
    # The first signatures of an overloaded call have the words of the last.
    assert set(bare) <= {"changes", "mapping"}


def test_every_command_is_there() -> None:
    headings = set(re.findall(r"^## (.+)$", (PAGES / "command-line.md").read_text(), re.MULTILINE))
    assert set(COMMANDS) - headings == set()


def test_every_key_that_does_something_has_a_meaning() -> None:
    text = (PAGES / "configuration.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \| [^|]* \| [^|]* \| (\w+) \|$", text, re.MULTILINE)
    assert len(rows) > 300
    assert [key for key, meaning, change in rows if change != "nothing" and not meaning.strip()] == []
