"""Programs that begin from what is imported already are as those that are started in full."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import preloaded
from support.harness import eventually
from support.preloaded import Forked
from support.processes import is_alive

OURS = [sys.executable, "-m", "proconsul"]
ENVIRONMENT = {**os.environ, "CONSUL_HTTP_ADDR": "127.0.0.1:1"}
MEMBER = [sys.executable, "-m", "proconsul.testing.gossip_member", "--name", "m", "--bind", "127.0.0.1:0"]

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux forks them")


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (["version"], b""), (["kv"], b""), (["nonsense"], b""), (["kv", "get", "x"], b""), (["fmt"], b""),
        (["validate", "/nonexistent"], b""), (["kv", "import", "-"], b"[" + b"x" * 300_000), (["agent", "-x"], b""),
        (["config", "write", "-"], b'{"Kind": "odd \xc3\xa4\xff"}'), (["kv", "put", "\u00e4", "\udcff"], b""),
        (["version"], b"x" * 300_000), (["validate", "one.hcl"], b""),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else str(len(value)),
)  # fmt: skip
def test_commands_end_and_print_the_same(words: list[str], stdin: bytes, tmp_path: Path) -> None:
    (tmp_path / "one.hcl").write_text("nonsense = 1")
    expected = subprocess.run([*OURS, *words], input=stdin, capture_output=True, cwd=tmp_path, env=ENVIRONMENT)
    done = preloaded.run([*OURS, *words], stdin=stdin, directory=tmp_path, environment=ENVIRONMENT, timeout_s=60)
    assert (done.returncode, done.stdout, done.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_who_needs_an_interpreter_of_his_own_gets_one() -> None:
    assert preloaded.can_fork([*OURS, "version"], ENVIRONMENT)
    assert not preloaded.can_fork([*OURS, "version"], {**ENVIRONMENT, "PYTHONHASHSEED": "1"})
    assert not preloaded.can_fork([*OURS, "x" * 100_000], ENVIRONMENT)
    assert not preloaded.can_fork(["consul", "version"], ENVIRONMENT)
    assert not preloaded.can_fork([sys.executable, "-c", "0"], ENVIRONMENT)


def begin(log: Path) -> Forked:
    with log.open("ab") as file:
        process = preloaded.start(
            MEMBER, output=file.fileno(), stdin=subprocess.PIPE, directory=log.parent, environment=os.environ
        )
    assert isinstance(process, Forked)
    return process


def test_processes_are_told_and_killed(tmp_path: Path) -> None:
    first, second = begin(tmp_path / "first"), begin(tmp_path / "second")
    for process in (first, second):
        assert process.stdin is not None
        process.stdin.write(b"stats\n")
        process.stdin.flush()
    for name in ("first", "second"):
        eventually(lambda name=name: "stats" in (tmp_path / name).read_text(), f"the {name} answers")
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.01)
    assert first.poll() is None and is_alive(first.pid)
    first.kill()
    assert first.wait(30) == first.poll() == -signal.SIGKILL
    first.kill()  # nothing more happens
    assert second.poll() is None
    second.terminate()
    assert second.wait(30) is not None and not is_alive(second.pid)


OTHER = """
import os, subprocess, sys, threading
from pathlib import Path
from support import preloaded

def begin():
    global one
    with open(os.devnull, "wb") as nowhere:
        one = preloaded.start(
            [sys.executable, "-m", "proconsul.testing.gossip_member", "--name", "m", "--bind", "127.0.0.1:0"],
            output=nowhere.fileno(), stdin=subprocess.PIPE, directory=Path.cwd(), environment=os.environ,
        )

thread = threading.Thread(target=begin)
thread.start()
thread.join()
assert one.poll() is None, "it does not end with the thread that began it"
print(one.pid, flush=True)
input()
"""


def test_they_end_with_whoever_began_them() -> None:
    """However that ends; and no earlier."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert is_alive(pid)
    process.kill()
    process.communicate(timeout=60)
    eventually(lambda: not is_alive(pid), "it ends too")
