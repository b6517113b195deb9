"""Run the tests that need no other program on every Python proconsul declares, with dependencies old and new.

``python scripts/try_pythons.py [--only 3.14] [--with locked|newest|oldest] [-- pytest arguments]``

Each Python gets an environment below ``.pythons/env``. ``locked`` installs the versions of the lock files, ``newest``
what pip finds today, ``oldest`` the lower bounds of pyproject.toml. A Python that is neither on this machine nor in
Debian's pool is named and left out: the closing lines say what ran.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator

from fetch_pythons import TARGET, get
from fetch_reference import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What the tests chosen here do not use; wheels of some are late for a new Python.
NOT_NEEDED = {
    "playwright", "axe-playwright-python", "mypy", "greenlet", "librt", "ast-serialize", "types-psutil",
}  # fmt: skip
# Everything but what compares with the reference, drives a browser, or plays long stories of many processes.
CHOSEN = (
    "tests/wire", "tests/filter", "tests/config", "tests/http", "tests/rpc", "tests/store", "tests/raft",
    "tests/features", "tests/acl", "tests/checks", "tests/dns", "tests/gossip", "tests/client", "tests/testing",
    "tests/distribution", "tests/embed", "tests/plugins", "tests/simulation", "tests/server", "tests/agent",
)  # fmt: skip


def interpreters(version: str) -> Iterator[str]:
    """Commands that may be a Python of this version."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    yield from sorted(glob.glob(f"{root}/versions/{version}.*/bin/python{version}"))
    if found := shutil.which(f"python{version}"):
        yield found


def find(version: str) -> str | None:
    """The command of a Python of this version, from this machine or Debian's pool."""
    question = "import sys, ssl, sqlite3, ctypes; print('%d.%d' % sys.version_info[:2])"
    for command in interpreters(version):
        said = subprocess.run([command, "-c", question], capture_output=True, text=True, check=False)
        if said.stdout.strip() == version:
            return command
    fetched = get(version)
    return None if fetched is None else str(fetched)


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~;\s]", requirement, maxsplit=1)[0]).lower()


def _declared() -> tuple[list[str], list[str]]:
    """What users install, with all extras, and what the tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = [item for group in project["project"]["optional-dependencies"].values() for item in group]
    users = project["project"]["dependencies"] + extras
    names = {_name(item) for item in users}
    tests = [item for item in project["dependency-groups"]["dev"] if _name(item) not in NOT_NEEDED | names]
    return users, tests


def requirements(choice: str) -> list[str]:
    """What is installed beside proconsul, as pip's arguments."""
    users, tests = _declared()
    if choice == "newest":
        return users + tests
    if choice == "oldest":
        return [re.sub(r">=\s*([\w.]+)[^;]*", r"==\1", item) for item in users] + tests
    lines = [
        line.strip()
        for name in ("requirements.lock", "requirements-dev.lock")
        for line in (ROOT / name).read_text().splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#") and _name(line) not in NOT_NEEDED]


def environment(python: str, version: str, choice: str) -> str:
    """Make the environment and return its Python; raises CalledProcessError when something has no wheel."""
    folder = TARGET / "env" / f"{version}-{choice}"
    command = str(folder / "bin/python")
    if not os.path.exists(command):
        if python == sys.executable:
            venv.EnvBuilder(symlinks=True).create(folder)
        else:
            subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    install = [*_pip(), "--python", command, "install", "--quiet", "--disable-pip-version-check"]
    wanted = [*requirements(choice), "hatchling", "editables"]
    subprocess.run([*install, "--upgrade", "--only-binary", ":all:", *wanted], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    return command


def _pip() -> list[str]:
    """A pip that is new enough to install for a newer Python than its own: the one of a Python before 3.12 is not."""
    folder = TARGET / "env" / "pip"
    command = str(folder / "bin/python")
    if not folder.exists():
        venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
        subprocess.run([command, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
    return [command, "-m", "pip"]


def attempt(version: str, choice: str, arguments: list[str]) -> str:
    """Run the tests and say how it went, in a word or two."""
    python = find(version)
    if python is None:
        return "LEFT OUT: neither on this machine nor in Debian's pool"
    try:
        command = environment(python, version, choice)
    except subprocess.CalledProcessError as error:
        return f"LEFT OUT: its environment cannot be made: {error}"
    chosen = arguments or [path for path in CHOSEN if (ROOT / path).exists()]
    settings = os.environ | {"PROCONSUL_REFERENCE": os.devnull}
    settings.pop("REQUIRE_REFERENCE", None)
    ran = subprocess.run(
        [command, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-m", "not long and not reference", *chosen],
        cwd=ROOT, env=settings, check=False,
    )  # fmt: skip
    return "passed" if ran.returncode == 0 else f"FAILED: pytest returned {ran.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PYTHONS, help="a Python to try, instead of all")
    parser.add_argument("--with", dest="choice", choices=("locked", "newest", "oldest"), default="locked")
    parser.add_argument("arguments", nargs="*", help="what pytest is to run")
    options = parser.parse_args()
    told = {version: attempt(version, options.choice, options.arguments) for version in options.only or PYTHONS}
    for version, text in told.items():
        print(f"Python {version} with {options.choice} dependencies: {text}")
    return 1 if any(text.startswith("FAILED") for text in told.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
