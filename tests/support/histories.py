"""Clients of a cluster that do something all the time, and the history of what they were told."""

from __future__ import annotations

import http.client
import random
import threading
import time
from base64 import b64decode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from proconsul.testing.history import Operation, Row
from support.clusters import ELECTION_TIMEOUT_S, Cluster
from support.harness import Client, Reply, eventually
from support.pools import ConsulMember

# Between two operations, so that a history stays small enough to be judged; after a failure, so that few are unknown.
PAUSE_S, FAILURE_PAUSE_S = 0.01, 0.1
# A request to a server that stands still is given up, and a client goes on.
TIMEOUT_S = 10.0


class RecordedClients:
    """One client per agent: ``get ?consistent``, ``set``, ``cas`` and ``delete`` of a few keys, in random order."""

    def __init__(self, cluster: Cluster, keys: Sequence[str], rng: random.Random) -> None:
        self.history: list[Operation] = []
        self._keys = keys
        self._over = threading.Event()
        self._members = cluster.agents()
        self._rngs = [random.Random(rng.random()) for _ in self._members]
        self._threads = ThreadPoolExecutor(len(self._members))
        self._running: list[Any] = []

    def __enter__(self) -> RecordedClients:
        self._running = [
            self._threads.submit(self._run, member, rng) for member, rng in zip(self._members, self._rngs, strict=True)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()
        for one in self._running:
            one.result()

    def more(self, count: int) -> None:
        """Wait until ``count`` more operations were answered."""
        target = self._answered() + count
        eventually(lambda: self._answered() >= target, f"{count} more answers", ELECTION_TIMEOUT_S)

    def _answered(self) -> int:
        return sum(operation.done is not None for operation in list(self.history))

    def _run(self, member: ConsulMember, rng: random.Random) -> None:
        client, index, number = member.client(TIMEOUT_S), 0, 0
        while not self._over.wait(PAUSE_S):
            number += 1
            key, value = rng.choice(self._keys), f"{member.name}-{number}"
            kind = rng.choice(("get", "get", "set", "cas", "delete"))
            asked = Operation(
                member.name, kind, time.monotonic(), key=key, value=value if kind in ("set", "cas") else "",
                index=index if kind == "cas" else 0,
            )  # fmt: skip
            told = _carry_out(client, asked)
            if told is None:
                self._over.wait(FAILURE_PAUSE_S)
                continue
            self.history.append(told)
            if told.rows:
                index = told.rows[0].modified
            if told.done is None:
                self._over.wait(FAILURE_PAUSE_S)
        client.close()


def _carry_out(client: Client, asked: Operation) -> Operation | None:
    """What became of an operation; None when it certainly was not carried out or changes nothing."""
    target = f"/v1/kv/{asked.key}"
    try:
        if asked.kind == "get":
            reply = client.call("GET", f"{target}?consistent")
        elif asked.kind == "delete":
            reply = client.call("DELETE", target)
        else:
            query = f"?cas={asked.index}" if asked.kind == "cas" else ""
            reply = client.call("PUT", target + query, asked.value.encode())
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return None if asked.kind == "get" else asked
    if asked.kind == "get":
        return _read(asked, reply)
    if reply.status != 200:
        return asked
    return _answered(asked, done=reply.text.strip() == "true")


def _read(asked: Operation, reply: Reply) -> Operation | None:
    if reply.status == 404:
        return _answered(asked, done=False)
    if reply.status != 200:
        return None
    row = reply.json()[0]
    shown = Row(row["Key"], row["ModifyIndex"], row["CreateIndex"], b64decode(row["Value"] or "").decode(),
                row["Flags"], row["LockIndex"], row.get("Session", ""))  # fmt: skip
    return _answered(asked, done=True, rows=(shown,))


def _answered(asked: Operation, *, done: bool, rows: tuple[Row, ...] = ()) -> Operation:
    return msgspec.structs.replace(asked, returned=time.monotonic(), done=done, rows=rows)
