"""Load generator for DNS servers over UDP: many queries in flight, answers counted.

    python benchmarks/dns_load.py --seconds 4 --name web.service.consul --type A 127.0.0.1:8600 [127.0.0.1:8601 ...]

Several targets are measured in turns, and the rates and their ratio to the first one are printed. It is a plain loop
over one socket per process, because it shares the machine with what it measures.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import struct
import sys
import time

TYPES = {"A": 1, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}


def question(name: str, kind: int, edns: int) -> bytes:
    """A query without its id."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    head = struct.pack("!5H", 0x0100, 1, 0, 0, 1 if edns else 0)
    option = b"\0" + struct.pack("!HHIH", 41, edns, 0, 0) if edns else b""
    return head + labels + b"\0" + struct.pack("!HH", kind, 1) + option


def load(host: str, port: int, query: bytes, seconds: float, in_flight: int) -> tuple[int, int]:
    """Ask for ``seconds``; returns answers and losses."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.connect((host, port))
    sock.settimeout(0.2)
    packets = [struct.pack("!H", number) + query for number in range(256)]
    send, receive = sock.send, sock.recv
    answered = lost = number = 0
    pending = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(in_flight - pending):
            send(packets[number & 255])
            number += 1
        pending = in_flight
        # Read a good part of what is out before asking again.
        for _ in range(max(in_flight // 2, 1)):
            try:
                receive(65535)
            except TimeoutError:
                lost += pending
                pending = 0
                break
            answered += 1
            pending -= 1
    return answered, lost


def _worker(arguments: tuple[str, int, bytes, float, int]) -> tuple[int, int]:
    return load(*arguments)


def measure(target: str, query: bytes, seconds: float, in_flight: int, processes: int) -> float:
    """Answers per second."""
    host, _, port = target.rpartition(":")
    work = [(host, int(port), query, seconds, in_flight)] * processes
    began = time.perf_counter()
    with multiprocessing.Pool(processes) as pool:
        results = pool.map(_worker, work)
    took = time.perf_counter() - began
    lost = sum(result[1] for result in results)
    rate = sum(result[0] for result in results) / min(took, seconds + 0.5)
    print(f"  {target}: {rate:,.0f} answers/s{f', {lost} lost' if lost else ''}", flush=True)
    return rate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--name", default="consul.service.consul")
    parser.add_argument("--type", default="A", choices=sorted(TYPES))
    parser.add_argument("--edns", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    query = question(options.name, TYPES[options.type], options.edns)
    best = dict.fromkeys(options.targets, 0.0)
    for number in range(options.rounds):
        print(f"round {number + 1}: {options.name} {options.type}")
        for target in options.targets:
            rate = measure(target, query, options.seconds, options.in_flight, options.processes)
            best[target] = max(best[target], rate)
    first = best[options.targets[0]]
    for target, rate in best.items():
        print(f"best {target}: {rate:,.0f}/s, {rate / first:.2f} x the first")
    return 0


if __name__ == "__main__":
    sys.exit(main())
