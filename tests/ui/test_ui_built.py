"""What is served is what is built from the page's modules, and small."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from support.node import REPOSITORY, STATIC, require_packages

COMPRESSED_BYTES_MAX = 90_000
FILES_MAX = 40


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_is_built_from_its_modules(tmp_path: Path) -> None:
    require_packages()
    subprocess.run([sys.executable, REPOSITORY / "scripts/build_page.py", tmp_path], check=True)
    served = _contents(STATIC)
    assert {name for name, body in _contents(tmp_path).items() if served.get(name) != body} == set(), "run `make page`"
    assert set(served) == set(_contents(tmp_path))


def test_it_is_small() -> None:
    served = _contents(STATIC)
    assert len(served) <= FILES_MAX
    assert sum(len(gzip.compress(body, 9)) for body in served.values()) <= COMPRESSED_BYTES_MAX
