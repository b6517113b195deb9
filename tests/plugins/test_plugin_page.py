"""docs/plugins.md runs as it stands."""

from __future__ import annotations

import sys
from pathlib import Path

from support.pages import run_page_of_one_agent

# Instead of pip, which would need an index for the build system and an environment to write into.
PIP = """#!{python}
import pathlib, shutil, sys, tomllib

assert sys.argv[1:] == ["install", "."]
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
site = pathlib.Path("{site}")
info = site / f"acme_plugins-{{project['version']}}.dist-info"
info.mkdir(parents=True)
named = f"Name: {{project['name']}}\\nVersion: {{project['version']}}\\n"
(info / "METADATA").write_text(f"Metadata-Version: 2.1\\n{{named}}")
lines = []
for group, points in project["entry-points"].items():
    lines += [f"[{{group}}]", *(f"{{name}} = {{target}}" for name, target in points.items())]
(info / "entry_points.txt").write_text("\\n".join(lines))
shutil.copy("acme_plugins.py", site)
"""
PYTEST = f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:cacheprovider "$@"\n'


def test_the_page_about_plugins(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = PIP.format(python=sys.executable, site=site)
    environment = {"PYTHONPATH": str(site), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # their imports take seconds
    run_page_of_one_agent("plugins.md", tmp_path, {"pip": pip, "pytest": PYTEST}, environment)
