"""The ports that tests are given are nobody else's."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from proconsul.engine.ports import FIRST_PORT, LAST_PORT
from proconsul.testing.ports import free_port, free_ports

ASK = "from proconsul.testing.ports import free_ports; print(*free_ports(400)); input()"


def test_no_port_is_given_twice_nor_to_two_processes() -> None:
    """Processes that begin at once, as the workers of a run do, get blocks that do not overlap."""
    command = [sys.executable, "-c", ASK]
    others = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent)
        for _ in range(3)
    ]
    given = free_ports(100) + free_ports(100)
    for one in others:
        assert one.stdout is not None
        given += map(int, one.stdout.readline().split())
    for one in others:
        one.communicate("\n", timeout=30)
    assert len(given) == len(set(given)) == 2 * 100 + 3 * 400
    assert all(FIRST_PORT < port < LAST_PORT for port in given)


def test_a_port_in_use_is_not_given() -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.9", port + 1))  # the next in turn, on another address
        assert free_port() != port + 1
