"""What the agent measures about itself every second (Consul docs: telemetry)."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.part import Part
from proconsul.agent.telemetry.metrics import Metrics
from proconsul.features.messages import MessageType
from proconsul.server.node import ConsulNode
from proconsul.server.server import ConsulServer

PERIOD_S = 1.0
_COMMANDS = {
    MessageType.REGISTER: "register", MessageType.DEREGISTER: "deregister", MessageType.KVS: "kvs",
    MessageType.SESSION: "session", MessageType.TOMBSTONE: "tombstone",
    MessageType.COORDINATE_BATCH: "coordinate.batch-update", MessageType.TXN: "txn",
    MessageType.LEGACY_ACL: "acl", MessageType.ACL_BOOTSTRAP: "acl.token", MessageType.ACL_TOKEN_SET: "acl.token",
    MessageType.ACL_TOKEN_DELETE: "acl.token", MessageType.ACL_POLICY_SET: "acl.policy",
    MessageType.ACL_POLICY_DELETE: "acl.policy", MessageType.ACL_ROLE_SET: "acl.role",
    MessageType.ACL_ROLE_DELETE: "acl.role", MessageType.ACL_BINDING_RULE_SET: "acl.bindingrule",
    MessageType.ACL_BINDING_RULE_DELETE: "acl.bindingrule", MessageType.ACL_AUTH_METHOD_SET: "acl.authmethod",
    MessageType.ACL_AUTH_METHOD_DELETE: "acl.authmethod",
}  # fmt: skip
_RPC = {"register": "catalog.register", "deregister": "catalog.deregister", "kvs": "kvs.apply",
        "session": "session.apply", "txn": "txn.apply"}  # fmt: skip

_VERSION = (("pre_release", ""), ("version", COMPATIBLE_VERSION))


class Measure(Part):
    """Samples gauges and turns totals into counters, once a second."""

    def __init__(
        self, metrics: Metrics, pools: Pools, node: ConsulNode, server: ConsulServer | None, *,
        requests: Callable[[Metrics], None], connections: Callable[[], int],
        certificate_left_s: Callable[[], float | None],
    ) -> None:  # fmt: skip
        """``requests`` adds the HTTP requests since it was last called, ``connections`` counts the open ones;
        ``certificate_left_s`` says how long the agent's certificate is good, None without one."""
        self.metrics, self._pools, self._node, self._server = metrics, pools, node, server
        self._requests, self._connections, self._certificate_left_s = requests, connections, certificate_left_s
        self._timer: asyncio.TimerHandle | None = None
        self._applied: dict[int, int] = {}
        self._over_limit: Counter[tuple[str, str, str]] = Counter()
        self._gossip_dropped: dict[tuple[str, str], int] = {}
        self._due = 0.0

    async def start(self) -> None:
        self._again()

    def _again(self) -> None:
        self._due = time.monotonic() + PERIOD_S
        self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._tick)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        late_s = time.monotonic() - self._due
        self.sample(late_s)
        self._again()

    def sample(self, late_s: float | None = None) -> None:
        """Take one sample of everything; ``late_s`` is how far the event loop lagged behind its timer, None between."""
        metrics, server = self.metrics, self._node
        self._requests(metrics)
        self._dropped()
        metrics.take(server.meters)
        if self._server is not None:
            self._serving(self._server)
        metrics.gauge("rpc.queries_blocking", server.views.waiting)
        metrics.gauge("http.connections", self._connections())
        metrics.gauge("version", 1.0, _VERSION)
        left_s = self._certificate_left_s()
        if left_s is not None:
            metrics.gauge("agent.tls.cert.expiry", left_s)
        metrics.gauge("server.isLeader", 1.0 if server.on_duty else 0.0)
        tables = server.state.tables
        metrics.gauge("state.nodes", len(tables.nodes))
        metrics.gauge("state.service_instances", len(tables.services))
        metrics.gauge("state.kv_entries", len(server.state.kv.entries))
        metrics.gauge("runtime.num_goroutines", len(asyncio.all_tasks()))
        metrics.gauge("runtime.alloc_bytes", _resident_bytes())
        metrics.gauge("runtime.total_gc_runs", sum(item["collections"] for item in gc.get_stats()))
        if late_s is not None:
            metrics.sample("runtime.loop_lag_ms", max(late_s, 0.0) * 1000)

    def _serving(self, server: ConsulServer) -> None:
        """What only a server has."""
        metrics = self.metrics
        self._commands(server)
        self._refused(server)
        metrics.gauge("session_ttl.active", len(server.leadership.sessions.deadlines))
        if server.on_duty:
            health = server.leadership.autopilot.health()
            metrics.gauge("autopilot.healthy", 1.0 if health.Healthy else 0.0)
            metrics.gauge("autopilot.failure_tolerance", health.FailureTolerance)
            contact = server.raft.quorum_contact()
            if contact is not None:
                metrics.sample("raft.leader.lastContact", contact * 1000)
        metrics.gauge("raft.applied_index", server.raft.applied_index)
        metrics.gauge("raft.last_index", server.raft.last_index)

    def _commands(self, server: ConsulServer) -> None:
        metrics = self.metrics
        for kind, total in server.fsm.applied.items():
            new = total - self._applied.get(kind, 0)
            name = _COMMANDS.get(MessageType(kind & 0x7F))
            if new and name is not None:
                metrics.count(f"fsm.{name}", new)
                if name in _RPC:
                    metrics.count(_RPC[name], new)
            self._applied[kind] = total

    def _refused(self, server: ConsulServer) -> None:
        """Requests above the limits of this server."""
        for key, total in server.over_limit.items():
            new = total - self._over_limit[key]
            if new:
                limit, method, mode = key
                labels = (("limit_type", limit), ("mode", mode), ("op", method))
                self.metrics.count("rpc.rate_limit.exceeded", new, labels)
            self._over_limit[key] = total

    def _dropped(self) -> None:
        """What gossip received and did not use: a wrong key, a name claimed twice or an attack shows here."""
        for title, pool in (("lan", self._pools.lan), ("wan", self._pools.wan)):
            for reason, total in pool.dropped().items() if pool is not None else ():
                new = total - self._gossip_dropped.get((title, reason), 0)
                if new:
                    self.metrics.count("memberlist.dropped", new, (("pool", title), ("reason", reason)))
                self._gossip_dropped[title, reason] = total


def _resident_bytes() -> int:
    """Memory of this process."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        import psutil

        return int(psutil.Process().memory_info().rss)
