"""Write the pages of docs/reference.

    python scripts/make_reference.py [folder]

They are kept in the repository, where they are read as they are; tests/docs compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from reference.commands_page import commands_page
from reference.configuration_page import configuration_page
from reference.http_page import http_page
from reference.python_pages import client_page, errors_page, testing_page

ROOT = Path(__file__).resolve().parent.parent
PAGES: dict[str, Callable[[], str]] = {
    "client.md": client_page, "errors.md": errors_page, "testing.md": testing_page, "http.md": http_page,
    "configuration.md": configuration_page, "command-line.md": commands_page,
}  # fmt: skip


def main(arguments: list[str]) -> None:
    """Write them all."""
    folder = Path(arguments[0]) if arguments else ROOT / "docs/reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    main(sys.argv[1:])
