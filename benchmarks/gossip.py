"""Compares the gossip engine with serf's agent (memberlist), each in a pool of its own on loopback.

    python -m benchmarks.gossip [--members 50] [--rows idle,join,events,exchange] [--markdown FILE]

The pools run one after the other, so that neither takes the processor of the other. What a member sees is read
off its output as it comes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import msgpack

from proconsul.engine.gossip.config import LAN, VERSIONS
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.messages import NodeState
from proconsul.engine.gossip.packet import PacketCodec
from proconsul.engine.gossip.pool import GossipPool, PoolLogs
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.stream import StreamCodec
from proconsul.engine.wire.hostport import Address
from proconsul.testing.simulation import adopt

IDLE_S = 20.0
SETTLE_S = 5.0
# Fired in parts: members remember the last 512 Lamport times, and drop what is older as known (serf too).
EVENTS, EVENTS_PART = 1000, 250
# Gossip misses a member now and then, in either engine; those get the event with the next full exchange.
NEARLY = 0.99
EXCHANGE_NODES = 5000
EXCHANGE_HOLD_MS = 50.0
DEADLINE_S = 90.0
TICKS = os.sysconf("SC_CLK_TCK")
PORT, RPC_PORT = 17946, 17373


class Pool(ABC):
    """Processes of one kind, and what their outputs said. ``joined`` and ``event`` mark the lines that count."""

    joined = b""
    event = b""

    def __init__(self, count: int) -> None:
        self.count = count
        self.processes: list[subprocess.Popen[bytes]] = []
        self.seen: list[dict[bytes, int]] = []
        self._selector = selectors.DefaultSelector()

    @abstractmethod
    def command(self, number: int) -> list[str]:
        """How member ``number`` is started."""

    @abstractmethod
    def join_all(self) -> None:
        """Have the first member join all others."""

    @abstractmethod
    def fire(self, count: int) -> None:
        """Have the first member fire events."""

    def host(self, number: int) -> str:
        return f"127.0.1.{number + 1}"

    def start(self) -> None:
        for number in range(self.count):
            process = subprocess.Popen(
                self.command(number), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            self.processes.append(process)
            self.seen.append({})
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, number)
        self.until(lambda: all(seen.get(self.joined, 0) >= 1 for seen in self.seen))
        self.pause(1.0)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.__class__.__name__}: {self.seen[:3]}")
            self._read(0.05)

    def have(self, mark: bytes, wanted: int) -> bool:
        """Whether nearly every member has seen nearly all of ``wanted`` happenings."""
        return sum(min(seen.get(mark, 0), wanted) for seen in self.seen) >= NEARLY * wanted * self.count

    def pause(self, for_s: float) -> None:
        until = time.monotonic() + for_s
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def _read(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            seen = self.seen[key.data]
            for line in stream.readlines():
                for mark in (self.joined, self.event):
                    if mark in line:
                        seen[mark] = seen.get(mark, 0) + 1

    def cpu_s(self) -> float:
        total = 0
        for process in self.processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


class Ours(Pool):
    joined = b'"member-join"'
    event = b'"user"'

    def command(self, number: int) -> list[str]:
        return [
            sys.executable, "-m", "proconsul.testing.gossip_member", "--name", f"m{number}", "--bind",
            f"{self.host(number)}:{PORT}",
        ]  # fmt: skip

    def tell(self, text: str) -> None:
        stdin = self.processes[0].stdin
        assert stdin is not None
        stdin.write(text.encode() + b"\n")
        stdin.flush()

    def join_all(self) -> None:
        self.tell("join " + " ".join(f"{self.host(number)}:{PORT}" for number in range(1, self.count)))

    def fire(self, count: int) -> None:
        self.tell(f"events {count}")


class Serfs(Pool):
    joined = b"EventMemberJoin"
    event = b"Received event: user-event"

    def __init__(self, count: int, binary: Path) -> None:
        super().__init__(count)
        self._binary = binary

    def command(self, number: int) -> list[str]:
        host = self.host(number)
        return [
            str(self._binary), "agent", f"-node=m{number}", f"-bind={host}:{PORT}", f"-rpc-addr={host}:{RPC_PORT}",
            "-profile=lan",
        ]  # fmt: skip

    def _call(self, calls: list[tuple[str, dict[str, object]]]) -> None:
        """serf's RPC: pairs of a header and a body, answered in order."""
        with socket.create_connection((self.host(0), RPC_PORT), timeout=DEADLINE_S) as connection:
            for number, (command, body) in enumerate([("handshake", {"Version": 1}), *calls]):
                connection.sendall(msgpack.packb({"Command": command, "Seq": number}) + msgpack.packb(body))
            unpacker, answers = msgpack.Unpacker(), 0
            while answers <= len(calls):
                unpacker.feed(connection.recv(65536))
                answers += sum("Seq" in answer for answer in unpacker if isinstance(answer, dict))

    def _in_background(self, calls: list[tuple[str, dict[str, object]]]) -> None:
        """serf stops answering while nobody reads its output, and reading it is our own work."""
        threading.Thread(target=self._call, args=(calls,), daemon=True).start()

    def join_all(self) -> None:
        others = [f"{self.host(number)}:{PORT}" for number in range(1, self.count)]
        self._in_background([("join", {"Existing": others, "Replay": False})])

    def fire(self, count: int) -> None:
        self._in_background([("event", {"Name": f"load-{n}", "Payload": b"", "Coalesce": False}) for n in range(count)])


def measure(pool: Pool, rows: list[str]) -> dict[str, float]:
    """Seconds, or for idle milliseconds of processor time per member and second."""
    found = {}
    pool.start()
    try:
        began = time.monotonic()
        pool.join_all()
        pool.until(partial(pool.have, pool.joined, pool.count))
        found["join"] = time.monotonic() - began
        if "idle" in rows:
            pool.pause(SETTLE_S)
            before, began = pool.cpu_s(), time.monotonic()
            pool.pause(IDLE_S)
            found["idle"] = (pool.cpu_s() - before) / (time.monotonic() - began) / pool.count * 1000
        if "events" in rows:
            began = time.monotonic()
            for fired in range(EVENTS_PART, EVENTS + 1, EVENTS_PART):
                pool.fire(EVENTS_PART)
                pool.until(partial(pool.have, pool.event, fired))
            found["events"] = time.monotonic() - began
    finally:
        pool.stop()
    return found


async def exchange_hold_ms() -> float:
    """The longest time for which a push/pull of thousands of nodes keeps the event loop from anything else."""
    from logging import getLogger

    log = getLogger("benchmark")
    pools = []
    for number in range(2):
        serf = Serf(SerfConfig(f"m{number}"), {}, random.Random(number), time.monotonic())
        bind = Address(f"127.0.2.{number + 1}", PORT)
        pools.append(GossipPool(
            f"m{number}", bind, bind, LAN, serf, packets=PacketCodec(), streams=StreamCodec(),
            on_effect=lambda effect: None, logs=PoolLogs(log, log), rng=random.Random(number),
        ))  # fmt: skip
        await pools[-1].start()
    now = time.monotonic()
    meta = b"\xff" + msgpack.packb({"role": "node", "dc": "dc1", "id": "x" * 36, "build": "1.8.7:", "vsn": "2"})
    records = [
        NodeRecord(f"node-{n}", Address(f"10.1.{n >> 8}.{n & 255}", 8301), meta, VERSIONS, 1, NodeState.ALIVE, now)
        for n in range(EXCHANGE_NODES)
    ]
    adopt(pools[0].swim, pools[0].swim.records | {record.name: record for record in records})
    for record in records:
        pools[0].serf.joined(record, now)
    pools[0].flush_effects()
    longest, last, running = 0.0, time.perf_counter(), True

    async def watch() -> None:
        nonlocal longest, last
        while running:
            await asyncio.sleep(0)
            reading = time.perf_counter()
            longest, last = max(longest, reading - last), reading

    watching = asyncio.ensure_future(watch())
    await asyncio.sleep(0.1)
    longest = 0.0
    await pools[1].join([pools[0].bind])
    running = False
    await watching
    assert pools[1].swim.alive_count() == EXCHANGE_NODES + 2
    for pool in pools:
        await pool.stop()
    return longest * 1000


TITLES = {
    "idle": ("processor time per member and second when idle, pool of {n}", "ms", 2.0),
    "join": (f"join of {{n}} members until {NEARLY:.0%} see each other", "s", 1.0),
    "events": (f"{EVENTS} user events until {NEARLY:.0%} have reached {{n}} members", "s", 1.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gossip", description=__doc__)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--rows", default="idle,join,events,exchange")
    parser.add_argument("--markdown", metavar="FILE")
    options = parser.parse_args()
    rows = options.rows.split(",")
    lines = ["| row | proconsul | serf 0.9.4 | ratio | target | met |", "|---|---|---|---|---|---|"]
    reference = os.environ.get("PROCONSUL_REFERENCE", ".reference/usr/bin/consul")
    serf = Path(reference).with_name("serf")
    if set(rows) & set(TITLES):
        if not serf.exists():
            print(f"no serf at {serf}: run scripts/fetch_reference.py", file=sys.stderr)
            return 1
        ours = measure(Ours(options.members), rows)
        theirs = measure(Serfs(options.members, serf), rows)
        for name, (title, unit, target) in TITLES.items():
            if name in rows:
                ratio = ours[name] / theirs[name]
                lines.append(
                    f"| {title.format(n=options.members)} | {ours[name]:.2f} {unit} | {theirs[name]:.2f} {unit} | "
                    f"{ratio:.2f}x | <= {target:g}x | {'yes' if ratio <= target else '**no**'} |"
                )
    if "exchange" in rows:
        held = sorted(asyncio.run(exchange_hold_ms()) for _ in range(3))[1]
        lines.append(
            f"| longest hold of the event loop by a push/pull of {EXCHANGE_NODES:,} nodes | {held:.1f} ms | - | - | "
            f"<= {EXCHANGE_HOLD_MS:g} ms | {'yes' if held <= EXCHANGE_HOLD_MS else '**no**'} |"
        )
    table = "\n".join(lines)
    print(table)
    if options.markdown:
        Path(options.markdown).write_text(table + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
