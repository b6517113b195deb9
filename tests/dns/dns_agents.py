"""A pair of agents, the reference and ours, with the same catalog, asked the same questions."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import http.client
import json
import os
import re
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from proconsul.testing.ports import free_port, free_ports
from support import preloaded
from support.dns_packets import query
from support.patience import PATIENCE_S
from support.reference import require_reference

# So many questions that came later must be answered before an earlier one is taken for unanswered.
LATER_QUESTIONS = 3
_START_TIMEOUT_S = PATIENCE_S
_ANSWER_TIMEOUT_S = PATIENCE_S


def reference_binary() -> str:
    """The reference program, or skip the test."""
    return str(require_reference())


class DnsAgent:
    """A running development agent."""

    def __init__(self, command: list[str], folder: Path, config: str, server_port: int) -> None:
        self.http, self.dns, lan, wan = free_ports(4)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "agent.hcl").write_text(config)
        self._log = (folder / "agent.log").open("wb")
        self.log = folder / "agent.log"
        ports = {
            "-http-port": self.http, "-dns-port": self.dns, "-server-port": server_port, "-serf-lan-port": lan,
            "-serf-wan-port": wan, "-grpc-port": -1,
        }  # fmt: skip
        flags = [part for name, port in ports.items() for part in (name, str(port))]
        self.process = preloaded.start(
            [*command, "agent", "-dev", "-node", "n1", "-config-file", str(folder / "agent.hcl"), *flags],
            output=self._log.fileno(), directory=folder, environment=os.environ,
        )  # fmt: skip

    def put(self, path: str, body: Any, method: str = "PUT") -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE_S)
        connection.request(method, path, json.dumps(body))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status == 200, text

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                if self.get("/v1/health/service/consul?passing") not in (b"[]", b"") and self.udp(query("x", 1), 1.0):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the agent did not start: {self.log.read_text()[-2000:]}")

    def udp(self, packet: bytes, timeout_s: float = _ANSWER_TIMEOUT_S) -> bytes | None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout_s)
            sock.sendto(packet, ("127.0.0.1", self.dns))
            try:
                return sock.recv(65535)
            except TimeoutError:
                return None

    def udp_many(self, packets: list[bytes]) -> list[bytes | None]:
        """The answers to ``packets``, some at a time; None for what is not answered though later questions are."""
        answers: list[bytes | None] = [None] * len(packets)
        for first in range(0, len(packets), 64):
            with ExitStack() as stack:
                waiting = {}
                for number in range(first, min(first + 64, len(packets))):
                    sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    sock.sendto(packets[number], ("127.0.0.1", self.dns))
                    waiting[sock] = number
                later = 0
                while waiting and later < LATER_QUESTIONS:
                    ready = select.select(list(waiting), [], [], 0.05)[0]
                    for sock in ready:
                        answers[waiting.pop(sock)] = sock.recv(65535)
                    if not ready:
                        assert self.udp(query("later", 1)) is not None, "it answers nothing any more"
                    later = 0 if ready else later + 1
        return answers

    def tcp(self, packet: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.dns), timeout=_ANSWER_TIMEOUT_S) as sock:
            sock.sendall(struct.pack("!H", len(packet)) + packet)
            return read_tcp(sock)

    def ask(self, packet: bytes, *, tcp: bool) -> bytes | None:
        return self.tcp(packet) if tcp else self.udp(packet)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()


def read_tcp(sock: socket.socket) -> bytes:
    (size,) = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))
    return sock.recv(size, socket.MSG_WAITALL)


@contextmanager
def agent_pair(folder: Path, config: str, catalog: list[dict[str, Any]]) -> Iterator[tuple[DnsAgent, DnsAgent]]:
    """The reference and ours, ready, with ``catalog`` registered in both."""
    with ExitStack() as stack:
        # The port is part of the catalog (service consul), so both are told the same; ours is started first and
        # does not need it while it is alone.
        reference_port = free_port()
        pair = (
            DnsAgent([reference_binary()], folder / "reference", config, reference_port),
            DnsAgent([sys.executable, "-m", "proconsul"], folder / "ours", config, free_port()),
        )
        for agent in pair:
            stack.callback(agent.close)
        for agent in pair:
            agent.wait_until_ready()
            for registration in catalog:
                agent.put("/v1/catalog/register", registration)
        yield pair


class FakeRecursor:
    """A recursor on UDP and TCP that answers from a table of texts: name -> records, or a response code."""

    def __init__(self, table: dict[str, list[tuple[int, bytes]] | int | bytes]) -> None:
        """A name's entry: records, a response code, -1 for silence, or flags and all that follows them."""
        self.table = table
        self.port = free_port()
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.asked: list[str] = []
        for run in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=run, daemon=True).start()

    def _answer(self, packet: bytes) -> bytes | None:
        end = 12
        labels = []
        while packet[end]:
            labels.append(packet[end + 1 : end + 1 + packet[end]].decode())
            end += 1 + packet[end]
        name = ".".join(labels).lower()
        self.asked.append(name)
        found = self.table.get(name, 3)
        question = packet[12 : end + 5]
        if found == -1:
            return None
        if isinstance(found, bytes):
            return packet[:2] + found.replace(b"QUESTION", question)
        if isinstance(found, int):
            return packet[:2] + struct.pack("!5H", 0x8180 | found, 1, 0, 0, 0) + question
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for kind, data in found)
        return packet[:2] + struct.pack("!5H", 0x8180, 1, len(found), 0, 0) + question + records

    def _serve_udp(self) -> None:
        while True:
            try:
                packet, address = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(packet)
            if answer is not None:
                self.udp.sendto(answer, address)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    answer = self._answer(read_tcp(connection))
                except (OSError, struct.error):
                    continue
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()


def without_serial(packet: bytes) -> bytes:
    """The packet with the serial of its SOA records blanked; they are recognised by our SOA numbers."""
    return re.sub(rb"....(?=\x00\x00\x0e\x10\x00\x00\x02\x58)", b"....", packet, flags=re.DOTALL)
