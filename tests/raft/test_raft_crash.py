"""kill -9 against a real process: what was acknowledged is there afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from raft_support import LinesFSM, make_node

from proconsul.engine.raft.errors import DirectoryLockedError
from proconsul.engine.raft.log import SqliteLog

CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from raft_support import make_node, servers

async def main():
    start = int(sys.argv[3])
    node = make_node(Path(sys.argv[1]))
    if start == 0:
        node.bootstrap(servers("a"))
    await node.start()
    assert (await node.leadership.get()).is_leader
    await node.barrier()
    number = start
    while True:
        batch = [b"%d" % n for n in range(number, number + 7)]
        for result in await asyncio.gather(*[node.propose(data) for data in batch]):
            # One write call per line: the parent never sees half a number.
            sys.stdout.buffer.write(result[1] + b"\\n")
        sys.stdout.buffer.flush()
        number += 7
        if number % 70 == 0:
            await node.snapshot()

asyncio.run(main())
"""


def run_until_killed(directory: Path, start: int, acknowledgements: int) -> list[bytes]:
    """Run the child, kill it after it acknowledged some writes; returns all it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(directory), str(Path(__file__).parent), str(start)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    lines = []
    with child.stdout:
        for line in child.stdout:
            lines.append(line.rstrip(b"\n"))
            if len(lines) == acknowledgements:
                os.kill(child.pid, signal.SIGKILL)
    assert child.wait(30) == -signal.SIGKILL
    return lines


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_every_acknowledged_write_survives_kill_9(tmp_path: Path) -> None:
    rng = random.Random(20)
    acknowledged: list[bytes] = []
    start = 0
    for _ in range(6):
        lines = run_until_killed(tmp_path, start, rng.randint(1, 400))
        acknowledged += lines
        machine = LinesFSM()
        node = make_node(tmp_path, fsm=machine)
        await node.start()
        assert (await node.leadership.get()).is_leader
        await node.barrier()
        assert len(machine.lines) == len(set(machine.lines))
        assert set(acknowledged) <= set(machine.lines)
        assert machine.lines == sorted(machine.lines, key=int)
        # Unacknowledged writes may be there too; the next numbers go on behind all of them.
        start = (max(map(int, machine.lines)) // 7 + 1) * 7
        await node.stop()
    assert len(acknowledged) > 300


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_another_living_process_keeps_the_directory(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom proconsul.engine.raft.log import SqliteLog\n"
        "log = SqliteLog(Path(sys.argv[1]))\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == b"locked\n"
    with pytest.raises(DirectoryLockedError, match=str(tmp_path)):
        SqliteLog(tmp_path)
    child.kill()
    child.wait(30)
    child.stdout.close()
    child.stdin.close()
    SqliteLog(tmp_path).close()
