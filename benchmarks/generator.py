"""The load: raw sockets, kept alive, as little parsing as an honest measurement allows.

`rate` uses wrk when it is installed (it costs the machine less) and the loop in this file otherwise; rows that need
something wrk cannot do (a fixed list of requests, blocking queries) always use the loop.
"""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from benchmarks.subjects import BenchmarkError

# Responses of the rows are at most a few megabytes (the list of 5,000 keys); read them in large pieces.
READ_BYTES = 1 << 18
# Those of watchers are a few kilobytes.
ANSWER_BYTES = 1 << 15
# No answer for this long means that the subject is stuck.
SILENCE_S = 30.0


class Call(NamedTuple):
    """One request."""

    method: str
    path: str
    body: str = ""

    def encoded(self) -> bytes:
        length = f"Content-Length: {len(self.body)}\r\n" if self.method != "GET" else ""
        return f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n{self.body}".encode()


class Workload(NamedTuple):
    """Requests by many clients at once, each sending its next one when the last is answered."""

    calls: list[Call]
    clients: int


def rate(port: int, workload: Workload, seconds: float) -> float:
    """Answered requests per second. Raises BenchmarkError when a request fails."""
    if shutil.which("wrk"):
        return _wrk(port, workload, seconds)
    loop = Loop(port, workload.clients)
    try:
        began = time.perf_counter()
        done = loop.run((call.encoded() for call in cycle(workload.calls)), until=began + seconds)
        return done / (time.perf_counter() - began)
    finally:
        loop.close()


def send_all(port: int, calls: Iterable[Call], clients: int) -> float:
    """Send each request once; returns the seconds it took. Raises BenchmarkError when a request fails."""
    loop = Loop(port, clients)
    try:
        began = time.perf_counter()
        loop.run(call.encoded() for call in calls)
        return time.perf_counter() - began
    finally:
        loop.close()


# ---------------------------------------------------------------------- wrk

_SCRIPT_HEAD = """
local calls = {}
local function add(method, path, body)
  calls[#calls + 1] = wrk.format(method, path, nil, body)
end
function init(args)
"""
_SCRIPT_TAIL = """
end
local at = 0
function request()
  at = at % #calls + 1
  return calls[at]
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


def _wrk(port: int, workload: Workload, seconds: float) -> float:
    # Below two seconds wrk can only be told whole ones.
    duration = max(round(seconds), 1)
    lines = [f'add("{call.method}", "{call.path}", {_lua(call.body)})\n' for call in workload.calls]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT_HEAD + "".join(lines) + _SCRIPT_TAIL)
        script.flush()
        command = [
            "wrk", "-t", "1", "-c", str(workload.clients), "-d", f"{duration}s", "--timeout", "10s", "-s", script.name,
            f"http://127.0.0.1:{port}",
        ]  # fmt: skip
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in output.splitlines():
        if line.startswith("RESULT "):
            requests, microseconds, errors = (int(word) for word in line.split()[1:])
            if errors:
                raise BenchmarkError(f"wrk saw {errors} errors:\n{output}")
            return requests / (microseconds / 1e6)
    raise BenchmarkError(f"wrk failed:\n{output}")


def _lua(text: str) -> str:
    return f"[==[{text}]==]" if text else "nil"


# ---------------------------------------------------------------------- the loop


def connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def missing(data: bytes | bytearray) -> int:
    """How much of the response in ``data`` is still to come: 0 when it is whole, -1 when that cannot be told yet.

    Raises BenchmarkError for any status but 200.
    """
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return -1
    if not data.startswith(b"HTTP/1.1 200"):
        raise BenchmarkError(f"unexpected answer: {bytes(data[:300])!r}")
    at = data.find(b"Content-Length: ", 0, head_end)
    if at >= 0:
        length = int(data[at + 16 : data.index(b"\r", at)])
        return head_end + 4 + length - len(data)
    return 0 if data.endswith(b"0\r\n\r\n") else -1


def index_of(data: bytes | bytearray) -> int:
    """The X-Consul-Index of a response."""
    at = data.find(b"X-Consul-Index: ")
    if at < 0:
        raise BenchmarkError(f"no index in {bytes(data[:300])!r}")
    return int(data[at + 16 : data.index(b"\r", at)])


class Loop:
    """Connections with one request each under way."""

    def __init__(self, port: int, clients: int) -> None:
        self._poll = select.epoll()
        self._socks: dict[int, socket.socket] = {}
        for _ in range(clients):
            sock = connect(port)
            self._socks[sock.fileno()] = sock
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def close(self) -> None:
        self._poll.close()
        for sock in self._socks.values():
            sock.close()

    def run(self, requests: Iterable[bytes], until: float = float("inf")) -> int:
        """Send requests until they or the time run out; returns how many were answered."""
        source: Iterator[bytes] = iter(requests)
        socks = self._socks
        partial: dict[int, bytes] = {}
        for sock, request in zip(socks.values(), islice(source, len(socks)), strict=False):
            sock.send(request)
            partial[sock.fileno()] = b""
        done, clock = 0, time.perf_counter
        while partial:
            events = self._poll.poll(SILENCE_S)
            if not events:
                raise BenchmarkError(f"no answer for {SILENCE_S:.0f} s, {len(partial)} requests are under way")
            for number, _ in events:
                sock = socks[number]
                data = sock.recv(READ_BYTES)
                if not data:
                    raise BenchmarkError("connection closed")
                # Most answers come in one piece; only what does not is collected.
                if partial[number]:
                    data = partial[number] + data
                if missing(data):
                    partial[number] = data
                    continue
                partial[number] = b""
                done += 1
                following = next(source, None) if clock() < until else None
                if following is None:
                    del partial[number]
                else:
                    sock.send(following)
        return done


class Watchers:
    """Many blocking queries for the same thing, with the tokens in turns."""

    def __init__(self, port: int, path: str, count: int, tokens: Sequence[str] = ("",)) -> None:
        self._path = path
        self._requests = [f"&token={token}" if token else "" for token in tokens]
        self._poll = select.epoll()
        self._socks: dict[int, socket.socket] = {}
        for _ in range(count):
            sock = connect(port)
            self._socks[sock.fileno()] = sock
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def ask(self, index: int) -> None:
        """Send everybody's query for what comes after ``index``."""
        path = f"{self._path}?index={index}&wait=10m"
        requests = cycle([Call("GET", path + token).encoded() for token in self._requests])
        for sock in self._socks.values():
            sock.send(next(requests))

    def first_index(self) -> int:
        sock = next(iter(self._socks.values()))
        sock.send(Call("GET", f"{self._path}?{self._requests[0]}").encoded())
        data = bytearray()
        sock.setblocking(True)
        while missing(data):
            data += sock.recv(READ_BYTES)
        sock.setblocking(False)
        return index_of(data)

    def all_answered(self) -> int:
        """Wait for the last answer; returns its index.

        All answers have the same length: only the first is looked into, so that reading costs little beside answering.
        """
        waiting = {number: sock.recv for number, sock in self._socks.items()}
        partial: dict[int, bytes] = {}
        data, length = b"", 0
        while waiting:
            events = self._poll.poll(SILENCE_S, len(self._socks))
            if not events:
                raise BenchmarkError(f"{len(waiting)} watchers were not answered")
            for number, _ in events:
                data = waiting[number](ANSWER_BYTES)
                if len(data) != length:
                    data = partial.pop(number, b"") + data
                    if missing(data):
                        partial[number] = data
                        continue
                    length = len(data)
                del waiting[number]
        return index_of(data)

    def close(self) -> None:
        self._poll.close()
        for sock in self._socks.values():
            sock.close()


def raise_open_files(wanted: int) -> None:
    """Let this process, and the subjects it starts, open many sockets. Raises BenchmarkError."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError) as error:
        raise BenchmarkError(f"cannot open {wanted} files, the limit is {hard}: {error}") from error
