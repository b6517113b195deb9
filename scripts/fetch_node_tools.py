"""Fetch from npm what builds the web page and what tests need: the bundler, TypeScript's compiler, the packages its
vendored files are from, and pyright, which reads the types of the Python package as its users' editors do.

They go below ``.node/``, in the versions that ``tests/ui/package-lock.json`` names; nothing of it is part of the
program. Without node and npm, or without their registry, the tests that need it are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED = ROOT / "tests/ui"
TARGET = ROOT / ".node"
FILES = ("package.json", "package-lock.json")
TIMEOUT_S = 300


def is_there() -> bool:
    """Whether the last fetch was of what is wanted now, and came to its end."""
    done = TARGET / "fetched"
    return done.is_file() and done.read_text() == (WANTED / FILES[1]).read_text()


def fetch() -> str:
    """Fetch all of it anew; what went wrong, or nothing."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    for name in FILES:
        shutil.copy(WANTED / name, TARGET)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=TARGET, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (subprocess.SubprocessError, OSError) as error:
        return str(error)
    if done.returncode != 0:
        return done.stderr.strip() or f"npm ended with {done.returncode}"
    (TARGET / "fetched").write_text((WANTED / FILES[1]).read_text())
    return ""


def main() -> int:
    if is_there():
        return 0
    if not shutil.which("node") or not shutil.which("npm"):
        print("node tools: no node and npm here, tests that need them will be skipped", file=sys.stderr)
    elif failure := fetch():
        print(f"node tools: could not be fetched, tests that need them will be skipped: {failure}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
