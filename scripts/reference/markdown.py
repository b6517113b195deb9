"""Words of Markdown that all pages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by scripts/make_reference.py (make reference). Do not edit. -->"


def page(title: str, intro: str, parts: Iterable[str]) -> str:
    """A page: its title, a paragraph, and its parts with empty lines between."""
    return "\n\n".join([NOTE, f"# {title}", intro.strip(), *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
                     for line in lines)  # fmt: skip


def code(text: str) -> str:
    """``text`` as code in a line, nothing for nothing."""
    return f"`{text}`" if text else ""


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: what it marks as code is code, and nothing in it is taken for a tag."""
    parts = re.split(r"(``.+?``|`[^`]+`)", docstring or "", flags=re.DOTALL)
    return "".join(
        f"`{part.strip('`')}`" if part.startswith("`") else re.sub(r"([<*\[])", r"\\\1", part) for part in parts
    )
