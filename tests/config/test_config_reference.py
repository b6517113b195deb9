"""Our reading of configuration files against the reference binary's: same text, same verdict."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from config_reference_cases import CASES

from proconsul.agent.config import validate_paths

pytestmark = pytest.mark.reference


def _reference() -> str:
    root = Path(__file__).resolve().parents[2]
    path = os.environ.get("PROCONSUL_REFERENCE", str(root / ".reference" / "usr" / "bin" / "consul"))
    if not os.access(path, os.X_OK):
        pytest.skip(f"REFERENCE BINARY MISSING: set PROCONSUL_REFERENCE (looked at {path})")
    return path


def _asks_for_this_hosts_addresses(text: str) -> bool:
    """Cases whose answer depends on the interfaces of the machine are compared as well, but only where it has some."""
    return "{{" in text


@pytest.mark.parametrize(("format_", "text"), CASES, ids=range(len(CASES)))
def test_validate_agrees(format_: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if _asks_for_this_hosts_addresses(text) and len(socket.if_nameindex()) < 2:
        pytest.skip("needs a network interface besides loopback")
    name = f"case.{format_}"
    Path(name).write_text(text)
    done = subprocess.run([_reference(), "validate", name], capture_output=True, text=True, timeout=30, check=False)
    valid, shown = validate_paths([name])
    assert (valid, shown + "\n") == (done.returncode == 0, done.stderr + done.stdout)


@pytest.mark.parametrize("arguments", [["conf"], ["conf/b.txt"], ["conf/a.json", "conf/b.txt"], ["missing.json"], []])
def test_validate_agrees_about_paths(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf/sub.json").mkdir(parents=True)
    Path("conf/a.json").write_text('{"data_dir":"/tmp/x","acl_datacenter":"dc1"}')
    Path("conf/b.txt").write_text("x")
    command = [_reference(), "validate", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    valid, shown = validate_paths(arguments)
    assert valid == (done.returncode == 0)
    if arguments == ["conf/b.txt"]:
        # The original does not print warnings of an invalid configuration; neither do we.
        assert "skipping" not in shown
    assert shown + "\n" == done.stderr + done.stdout
