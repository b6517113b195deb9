"""What is beside the program for those who run it: the service unit, shell completion, the manual page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proconsul.cli import registry

ROOT = Path(__file__).parents[2]
CONTRIB = ROOT / "contrib"


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_the_service_unit(tmp_path: Path) -> None:
    """systemd understands it, and finds little to complain of in what it may do."""
    text = (CONTRIB / "systemd/proconsul.service").read_text().replace("/opt/proconsul/bin/proconsul", sys.executable)
    unit = tmp_path / "proconsul.service"
    unit.write_text(text.replace("Documentation=man:proconsul(1)\n", ""))
    done = run("systemd-analyze", "verify", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert run("systemd-analyze", "security", "--offline=true", "--threshold=30", str(unit)).returncode == 0


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which the program is ``proconsul``."""
    program = tmp_path / "proconsul"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m proconsul "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_completion_in_bash(path: str) -> None:
    script = f"""
        . {CONTRIB}/completion/proconsul.bash
        complete -p proconsul
        COMP_LINE='proconsul kv ' COMP_POINT=13 proconsul
    """
    done = run("bash", "-c", script, env={**os.environ, "PATH": path})
    assert done.stdout.replace("'", "").split("\n") == ["complete -C proconsul proconsul", *sorted(
        name for name, _ in registry.children("kv")), ""]  # fmt: skip


def test_the_manual_page_has_every_command() -> None:
    done = run(sys.executable, str(ROOT / "scripts/make_man.py"))
    assert done.returncode == 0, done.stderr
    sections = {
        line.removeprefix(".SS ").replace("\\-", "-") for line in done.stdout.splitlines() if line[:4] == ".SS "
    }
    assert sections == set(registry.COMMANDS)
    if shutil.which("groff"):
        formatted = run("groff", "-man", "-Tutf8", "-ww", input=done.stdout)
        assert (formatted.returncode, formatted.stderr) == (0, "")
        assert "snapshot decode" in formatted.stdout
