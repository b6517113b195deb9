"""Three servers of Consul 1.8.7 are replaced by three of ours under work, and these by three of Consul's again.

As docs/migrate.md says it: a new server joins, gets its vote, and an old one leaves. Meanwhile everybody writes, one
XX wait for changes: nothing acknowledged is lost, the lock stays whose it is, nobody waits in vain.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from pathlib import Path

import pytest

from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster, written
from support.harness import Subject, eventually
from support.pages import DOCS, run_page
from support.pages import OURS as OURS_SCRIPT
from support.pools import ConsulMember, require_reference
from support.reference import reference_path

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
TTL_S = 15
# Two rounds of autopilot, which gives votes every ten seconds.
VOTE_TIMEOUT_S = 60.0


class Watcher:
    """Waits for changes of a key at an agent, again and again, as clients do."""

    def __init__(self, agent: ConsulMember, key: str, over: threading.Event) -> None:
        self.agent, self.key, self._over = agent, key, over
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        index = 0
        while not self._over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                reply = self.agent.call("GET", f"/v1/kv/{self.key}?raw&index={index}&wait=20s")
                if reply.status != 200:
                    self._over.wait(0.1)
                    continue
                found = int(reply.header("X-Consul-Index") or 0)
                index = found if found >= index else 0
                if not self.seen or self.seen[-1] != reply.text:
                    self.seen.append(reply.text)
                continue
            self._over.wait(0.1)

    def join(self) -> None:
        self._thread.join()


class Holder:
    """Holds a lock by a session that it renews, through an agent."""

    def __init__(self, agent: ConsulMember, key: str, over: threading.Event) -> None:
        self.agent, self.key, self._over = agent, key, over
        body = json.dumps({"TTL": f"{TTL_S}s", "LockDelay": "0s", "NodeChecks": []}).encode()
        self.session = agent.ok("PUT", "/v1/session/create", body).json()["ID"]
        assert agent.ok("PUT", f"/v1/kv/{key}?acquire={self.session}", b"mine").json() is True
        self.lost = False
        self._thread = threading.Thread(target=self._renew)
        self._thread.start()

    def _renew(self) -> None:
        while not self._over.wait(TTL_S / 5):
            with contextlib.suppress(OSError, http.client.HTTPException):
                reply = self.agent.call("PUT", f"/v1/session/renew/{self.session}", b"")
                self.lost |= reply.status == 404

    def holds(self) -> bool:
        row = self.agent.ok("GET", f"/v1/kv/{self.key}").json()[0]
        return not self.lost and row["Session"] == self.session and row["LockIndex"] == 1

    def join(self) -> None:
        self._thread.join()


def replace(cluster: Cluster, old: ConsulMember, new: str, subject: Subject) -> None:
    """One server more, and when it has its vote one less."""
    cluster.add_server(new, subject)
    leader = cluster.leader()

    def votes() -> bool:
        peers = leader.call("GET", "/v1/operator/raft/configuration").json()["Servers"]
        return any(one["Node"] == new and one["Voter"] for one in peers)

    eventually(votes, f"{new} has a vote", VOTE_TIMEOUT_S)
    eventually(lambda: leader.call("GET", "/v1/operator/autopilot/health").json()["Healthy"], "all is well", 60)
    old.leave()
    cluster.leader()


@pytest.mark.long
def test_there_and_back(tmp_path: Path) -> None:
    require_reference()
    over = threading.Event()
    there = [(f"t{number}", f"o{number}", OURS) for number in range(3)]
    steps = [*there, *((ours, ours.replace("o", "b"), THEIRS) for _, ours, _ in there)]
    first = [(f"t{number}", THEIRS) for number in range(3)]
    with Cluster(tmp_path, *first, clients=[("ct", THEIRS), ("co", OURS)]) as cluster:
        cluster.settled()
        clients = [member for member in cluster.agents() if member.name.startswith("c")]
        written(clients[0], "PUT", "/v1/kv/beat", b"start")
        for client in clients:
            client.ok("PUT", "/v1/agent/service/register", json.dumps({"Name": f"web-{client.name}"}).encode())
        holders = [Holder(client, f"lock-{client.name}", over) for client in clients]
        watchers = [Watcher(client, "beat", over) for client in clients]
        try:
            with AcknowledgedWrites(cluster, "kept") as kept:
                for number, (old, new, subject) in enumerate(steps):
                    member = cluster.members[old]
                    assert isinstance(member, ConsulMember)
                    replace(cluster, member, new, subject)
                    kept.more()
                    beat = f"beat {number}"
                    written(clients[number % 2], "PUT", "/v1/kv/beat", beat.encode())
                    for watcher in watchers:
                        eventually(lambda one=watcher, beat=beat: beat in one.seen, f"{watcher.agent.name} wakes", 60)  # type: ignore[misc]
                    assert all(holder.holds() for holder in holders)
            for server in cluster.servers():
                eventually(lambda one=server: not kept.missing(one), f"{server.name} has all", ELECTION_TIMEOUT_S)  # type: ignore[misc]
            for client in clients:
                shown = clients[0].ok("GET", f"/v1/health/service/web-{client.name}?passing").json()
                assert [one["Node"]["Node"] for one in shown] == [client.name]
        finally:
            over.set()
            for holder in holders:
                holder.join()
            for watcher in watchers:
                watcher.join()


@pytest.mark.long
def test_the_page_about_it(tmp_path: Path) -> None:
    """docs/migrate.md is run as it stands."""
    require_reference()
    consul = f'#!/bin/sh\nexec {reference_path()} "$@"\n'
    run_page(DOCS / "migrate.md", tmp_path, {"consul": consul, "proconsul": OURS_SCRIPT}, timeout_s=600.0)
