"""Installed distributions that are not: a module and real entry points in a folder that is on the path for a test."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


def write_distribution(
    folder: Path, name: str, entry_points: Mapping[str, Sequence[str]], modules: Mapping[str, str], version: str
) -> None:
    """What an installer would write into ``folder``."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [f"[{group}]\n" + "\n".join(lines) + "\n" for group, lines in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join(groups))
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(textwrap.dedent(source))


class FakeDistributions:
    """Writes them below ``folder``."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(str(folder))

    def add(
        self, name: str, entry_points: Mapping[str, Sequence[str]], modules: Mapping[str, str] = {},
        version: str = "1.0",
    ) -> None:  # fmt: skip
        """``entry_points``: lines like ``disk = acme:Disk`` by group. ``modules``: their sources by name."""
        write_distribution(self.folder, name, entry_points, modules, version)

    def forget(self) -> None:
        """Have its modules imported anew by whoever comes next."""
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(self.folder)):
                del sys.modules[name]
