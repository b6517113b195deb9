"""docs/testing.md runs as it stands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from proconsul.testing import DevAgent
from support.pages import run_page
from support.reference import reference_path

pytest_plugins = ["pytester"]
# What is imported already is not imported again by a run of pytest within this one.
IMPORTED = DevAgent
PYTEST = f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:cacheprovider "$@"\n'
PYTHON = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


def test_the_page_runs(tmp_path: Path) -> None:
    reference = reference_path()
    environment = {"CONSUL_BIN": os.fspath(reference or tmp_path / "nothing")}
    run_page("testing.md", tmp_path, {"pytest": PYTEST, "python": PYTHON}, environment)


def test_the_file_of_the_readme_passes(pytester: pytest.Pytester) -> None:
    lines = (Path(__file__).parents[2] / "README.md").read_text().splitlines()
    begin = lines.index("    # test_lock.py")
    end = next(n for n, line in enumerate(lines) if n > begin and line and not line.startswith("    "))
    pytester.makepyfile(test_lock="\n".join(line[4:] for line in lines[begin:end]))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
    result.assert_outcomes(passed=1)
