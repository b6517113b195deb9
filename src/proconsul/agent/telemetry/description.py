"""What an agent tells about itself: /v1/agent/self, and the blocks of ``consul info``."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.checks.definition import CheckKind
from proconsul.agent.checks.runner import CheckRunners
from proconsul.agent.config.runtime import ReloadableConfig, RuntimeConfig
from proconsul.agent.gossip.coordinates import as_record
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.part import Part
from proconsul.engine.gossip.member import Member
from proconsul.engine.wire import gojson
from proconsul.features.catalog.model import Node
from proconsul.server.node import ConsulNode
from proconsul.server.server import ConsulServer


def show_member(member: Member) -> dict[str, Any]:
    low, high, current = member.protocol
    delegate_low, delegate_high, delegate_current = member.delegate
    return gojson.Object({
        "Name": member.name, "Addr": member.address, "Port": member.port,
        "Tags": dict(sorted(member.tags.items())), "Status": int(member.status),
        "ProtocolMin": low, "ProtocolMax": high, "ProtocolCur": current,
        "DelegateMin": delegate_low, "DelegateMax": delegate_high, "DelegateCur": delegate_current,
    })  # fmt: skip


class Description(Part):
    """``server`` is None in a client agent."""

    def __init__(
        self, config: RuntimeConfig, own_node: Callable[[], Node], pools: Pools, state: LocalState,
        runners: CheckRunners, node: ConsulNode, server: ConsulServer | None,
    ) -> None:  # fmt: skip
        self._config, self._own_node, self._pools, self._state = config, own_node, pools, state
        self._runners, self._node, self._server = runners, node, server

    def reloaded(self, config: ReloadableConfig) -> None:
        """What is shown is what is in force."""
        self._config = msgspec.structs.replace(self._config, reloadable=config)

    def agent(self) -> dict[str, Any]:
        """The body of /v1/agent/self."""
        from proconsul.agent.config.debug_config import debug_config

        fixed, node_id = self._config.fixed, self._node.node_id
        debug = debug_config(self._config)
        debug["NodeID"] = node_id
        return gojson.Object({
            "Config": gojson.Object({
                "Datacenter": fixed.datacenter, "NodeName": fixed.node_name, "NodeID": node_id,
                "Revision": "", "Server": fixed.server, "Version": COMPATIBLE_VERSION,
            }),
            "DebugConfig": debug,
            "Coord": as_record(self._pools.lan.coordinate()),
            "Member": show_member(self._pools.lan.local_member()),
            "Stats": self.stats(),
            "Meta": self._own_node().Meta,
        })  # fmt: skip

    def stats(self) -> dict[str, dict[str, str]]:
        """The blocks of ``consul info``."""
        fixed, server = self._config.fixed, self._server
        local, running = self._state.stats(), self._runners.counts()
        acl = "enabled" if fixed.acl.enabled else "disabled"
        blocks = {
            "agent": {
                "check_monitors": str(running[CheckKind.SCRIPT]), "check_ttls": str(running[CheckKind.TTL]),
                "checks": str(local["checks"]), "services": str(local["services"]),
            },
            "build": {"prerelease": "", "revision": "", "version": COMPATIBLE_VERSION},
            "runtime": _runtime_stats(),
            "serf_lan": self._pools.lan.stats(),
        }  # fmt: skip
        if server is None:
            known = len(self._node.peers_known.alive())
            return blocks | {"consul": {"acl": acl, "known_servers": str(known), "server": "false"}}
        blocks["consul"] = {
            "acl": acl, "bootstrap": str(fixed.bootstrap).lower(), "known_datacenters": "1",
            "leader": str(server.on_duty).lower(), "leader_addr": server.leader_address(), "server": "true",
        }  # fmt: skip
        blocks["raft"] = server.stats()
        if self._pools.wan is not None:
            blocks["serf_wan"] = self._pools.wan.stats()
        return blocks


def _runtime_stats() -> dict[str, str]:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "arch": machine, "cpu_count": str(os.cpu_count() or 1), "goroutines": str(len(asyncio.all_tasks())),
        "max_procs": "1", "os": sys.platform, "version": f"python{platform.python_version()}",
    }  # fmt: skip
