"""proconsul where it was never run: what it does on systems that lack what Linux has, faked in a process each."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from support.harness import run as run_program
from support.tidy import Package

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src/proconsul"
# What is seen on every system.
EVERYWHERE = [
    "imported True", "dev b'1'", "lock True", "told 200 200 200", "kept b'2'", "command 1",
    "agent ended 0",
]  # fmt: skip
NO_FAMILY = "dial unix FOLDER/socket: connect: address family not supported by protocol"
NO_FILE = "dial unix FOLDER/socket: connect: no such file or directory"
SEEN = {
    "bare": ["check 200 passing ''", f"unix {NO_FILE}", "full syncs False", "killed True"],
    "macos": ["check 200 passing ''", f"unix {NO_FILE}", "full syncs True", "killed True"],
    "windows": [
        "check 200 critical 'fork/exec true: operation not supported'", f"unix {NO_FAMILY}",
        "full syncs False", "no programs: [Errno 95] this event loop cannot start programs",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "system", [pytest.param(name, marks=[pytest.mark.long] if name == "macos" else []) for name in SEEN]
)
def test_a_system_that_lacks_what_linux_has(system: str) -> None:
    program = str(HERE / "faked_platform.py")
    done = run_program([sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", program, system])
    lines = re.sub(r"/[^ ]*(?=/socket)", "FOLDER", done.stdout).splitlines()
    wanted = [*EVERYWHERE, *SEEN[system]]
    assert [line for line in wanted if line not in lines] == [], done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_what_a_system_may_lack_is_asked_in_one_place() -> None:
    """`os.fsync` does not sync on macOS, and AF_UNIX is a name that Windows does not have."""
    package = Package.read(SOURCE)
    assert {name for name, module in package.items() if "os.fsync(" in module.text} == {"engine/durable.py"}
    assert [name for name, module in package.items() if "socket.AF_UNIX" in module.text] == []
    only = re.compile(r"^(import|from) (fcntl|pwd|grp|resource|termios|uvloop|msvcrt|winreg)\b", re.MULTILINE)
    assert [name for name, module in package.items() if only.search(module.text)] == []
    # Constants that not every system has are not read while a module is loaded.
    names = re.compile(r"^\S.*\bsignal\.SIG(?:HUP|USR\d|KILL|PIPE|QUIT|CHLD|ALRM)\b", re.MULTILINE)
    assert [name for name, module in package.items() if names.search(module.text)] == []
