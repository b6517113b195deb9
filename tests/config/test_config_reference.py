"""Our reading of configuration files against the reference binary's: same text, same verdict."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.reference import require_reference

sys.path.insert(0, str(Path(__file__).parent))

from config_reference_cases import CASES

from proconsul.agent.config import validate_paths

pytestmark = pytest.mark.reference


def _reference() -> str:
    return str(require_reference())


def _asks_for_this_hosts_addresses(text: str) -> bool:
    """Cases whose answer depends on the interfaces of the machine are compared as well, but only where it has some."""
    return "{{" in text


def _assert_agrees(ours: tuple[bool, str, list[str]], theirs: subprocess.CompletedProcess[str]) -> None:
    """What is good is said on standard output, what is wrong or doubtful on standard error."""
    valid, shown, warnings = ours
    assert valid == (theirs.returncode == 0)
    assert theirs.stdout == (shown + "\n" if valid else "")
    assert theirs.stderr == ("".join(f"{warning}\n" for warning in warnings) if valid else shown + "\n")
    # The original does not print warnings of an invalid configuration; neither do we.
    assert valid or not warnings


@pytest.mark.parametrize(("format_", "text"), CASES, ids=range(len(CASES)))
def test_validate_agrees(format_: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if _asks_for_this_hosts_addresses(text) and len(socket.if_nameindex()) < 2:
        pytest.skip("needs a network interface besides loopback")
    name = f"case.{format_}"
    Path(name).write_text(text)
    done = subprocess.run([_reference(), "validate", name], capture_output=True, text=True, timeout=30, check=False)
    _assert_agrees(validate_paths([name]), done)


@pytest.mark.parametrize("arguments", [["conf"], ["conf/b.txt"], ["conf/a.json", "conf/b.txt"], ["missing.json"], []])
def test_validate_agrees_about_paths(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf/sub.json").mkdir(parents=True)
    Path("conf/a.json").write_text('{"data_dir":"/tmp/x","acl_datacenter":"dc1"}')
    Path("conf/b.txt").write_text("x")
    command = [_reference(), "validate", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    _assert_agrees(validate_paths(arguments), done)
