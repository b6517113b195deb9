"""The pools of an agent: LAN for all, WAN for servers, made from the configuration (Consul docs: gossip)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from proconsul.agent.config.runtime import FixedConfig, GossipConfig
from proconsul.agent.gossip.joining import Joiner, joined_lan
from proconsul.agent.gossip.keyrings import PoolKeys, load_keyrings
from proconsul.agent.gossip.network_pool import NetworkPool, OnDoubt, OnEvent, OnMember
from proconsul.agent.gossip.tags import Pool, SoloPool
from proconsul.agent.part import Part
from proconsul.engine.gossip.config import LAN, WAN, SwimConfig
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.gossip.pool import PoolLogs
from proconsul.engine.gossip.serf_config import Accept, consul
from proconsul.engine.gossip.serf_effects import MemberChange
from proconsul.engine.wire.hostport import Address
from proconsul.features.errors import ConsulError
from proconsul.server.merge_rules import allow_networks, lan_rule, wan_rule
from proconsul.server.server_details import ServerDetails

log = logging.getLogger("agent")

# Consul: how often the servers of this datacenter are put into the WAN pool, beside whenever one appears.
FLOOD_INTERVAL_S = 60.0


class Pools(Part):
    """The pools of one agent and how they are joined."""

    def __init__(
        self, config: FixedConfig, tags: Mapping[str, str], node_id: str, *, solo: bool, give_up: Callable[[], None],
        rng: random.Random,
    ) -> None:  # fmt: skip
        """``solo``: without a network. Raises ConsulError when the keyring files are damaged."""
        self._config, self._rng = config, rng
        # Who is told of what happens in the pools; nobody before the agent starts.
        self.on_member: OnMember = _ignore_member
        self.on_wan_member: OnMember = _ignore_member
        self.on_event: OnEvent = _ignore_event
        self.on_doubt: OnDoubt = _ignore_doubt
        self.lan: Pool
        # None for agents that are in no WAN pool.
        self.wan: Pool | None = None
        wan_name = f"{config.node_name}.{config.datacenter}"
        wan_tags = {name: value for name, value in tags.items() if name != "wan_join_port"}
        in_wan = config.server and config.serf_bind_wan is not None
        if solo:
            lan, wan = config.serf_advertise_lan, config.serf_advertise_wan
            self.lan = SoloPool(config.node_name, lan.host, lan.port, tags, self._lan_event)
            if in_wan:
                self.wan = SoloPool(wan_name, wan.host, wan.port, wan_tags, _ignore_event)
        else:
            keyrings = load_keyrings(config)
            rule = lan_rule(
                name=config.node_name, node_id=node_id, datacenter=config.datacenter, segment=config.segment
            )
            self.lan = self._network(
                False, config.node_name, tags, config.serf_bind_lan, config.serf_advertise_lan, keyrings.lan, rule,
                self._lan_member, self._lan_event,
            )  # fmt: skip
            if in_wan:
                assert config.serf_bind_wan is not None and keyrings.wan is not None
                self.wan = self._network(
                    True, wan_name, wan_tags, config.serf_bind_wan, config.serf_advertise_wan, keyrings.wan, wan_rule,
                    self._wan_member, _ignore_event,
                )  # fmt: skip
        self._joiners = [Joiner("LAN", config.join_lan, self.join_lan, give_up)]
        if self.wan is not None:
            self._joiners.append(Joiner("WAN", config.join_wan, self.join_wan, give_up))
        self._flooding: asyncio.Task[None] | None = None
        self._flood_now = asyncio.Event()

    def _network(
        self, wan: bool, name: str, tags: Mapping[str, str], bind: Address, advertise: Address,
        keys: PoolKeys, rule: Accept, on_member: OnMember, on_event: OnEvent,
    ) -> NetworkPool:  # fmt: skip
        config = self._config
        gossip = config.gossip_wan if wan else config.gossip_lan
        cidrs = config.serf_allowed_cidrs_wan if wan else config.serf_allowed_cidrs_lan
        swim = swim_config(gossip, wan=wan)
        if cidrs:
            swim = replace(swim, allow=allow_networks([ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]))
        serf = consul(
            name, rejoin_after_leave=config.rejoin_after_leave, gossip_interval_s=gossip.gossip_interval_s,
            retransmit_mult=gossip.retransmit_mult, accept=rule,
            reconnect_timeout_s=config.reconnect_timeout_wan_s if wan else config.reconnect_timeout_lan_s,
        )  # fmt: skip
        kind, title = "server" if config.server else "client", "wan" if wan else "lan"
        logs = PoolLogs(
            logging.getLogger(f"agent.{kind}.memberlist.{title}"), logging.getLogger(f"agent.{kind}.serf.{title}")
        )
        snapshot = None
        if config.data_dir and not config.dev_mode:
            snapshot = Path(config.data_dir) / "serf" / ("remote.snapshot" if wan else "local.snapshot")
        return NetworkPool(
            serf, swim, Address(bind.host, bind.port), Address(advertise.host, advertise.port), tags, keys=keys,
            verify=(config.encrypt_verify_incoming, config.encrypt_verify_outgoing), snapshot=snapshot, logs=logs,
            on_member=on_member, on_event=on_event, on_doubt=_ignore_doubt if wan else lambda: self.on_doubt(),
            rng=self._rng,
        )  # fmt: skip

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Become a member of both pools. Raises ConsulError."""
        for title, pool in (("WAN", self.wan), ("LAN", self.lan)):
            if pool is None:
                continue
            try:
                await pool.start()
            except OSError as error:
                raise ConsulError(self._start_text(title, error)) from None

    def _start_text(self, title: str, error: OSError) -> str:
        """Why a pool could not be started. The original makes its three kinds of pools in three places."""
        if title == "WAN":
            return f"Failed to start Consul server: Failed to start WAN Serf: {error}"
        kind, pool = ("server", "LAN Serf") if self._config.server else ("client", "lan serf")
        return (
            f"Failed to start Consul {kind}: Failed to start {pool}: Failed to create memberlist: "
            f"Could not set up network transport: failed to obtain an address: {error}"
        )

    async def join(self) -> None:
        """Join as configured. Raises StartJoinError when ``start_join`` fails."""
        if self.wan is not None:
            self._flooding = asyncio.create_task(self._flood())
        for joiner in self._joiners:
            await joiner.start()

    async def leave(self) -> None:
        """Tell both pools that this agent goes on purpose."""
        if self.wan is not None:
            await self.wan.leave()
        await self.lan.leave()

    async def force_leave(self, name: str, *, prune: bool = False) -> bool:
        """Turn a failed member into one that left, of a server also its name in the WAN pool.

        ``name`` may be any that the member has: its node's, or the one with a datacenter that the WAN pool shows, which
        is the only one for servers of other datacenters. False when there is none of that name. Raises ConsulError.
        """
        own = f".{self._config.datacenter}"
        found = await self._force_one(self.lan, (name, name.removesuffix(own)), prune)
        if self.wan is not None:
            found |= await self._force_one(self.wan, (name, name + own), prune)
        return found

    @staticmethod
    async def _force_one(pool: Pool, names: Sequence[str], prune: bool) -> bool:
        """The first of ``names`` that is a member's."""
        known = {member.name for member in pool.members()}
        name = next((name for name in names if name in known), None)
        return name is not None and await pool.force_leave(name, prune=prune)

    async def stop(self) -> None:
        for joiner in self._joiners:
            await joiner.stop()
        if self._flooding is not None:
            self._flooding.cancel()
            await asyncio.gather(self._flooding, return_exceptions=True)
        if self.wan is not None:
            await self.wan.stop()
        await self.lan.stop()

    async def join_lan(self, addresses: Sequence[str]) -> int:
        """Raises ConsulError when nobody let us in."""
        log.info("(LAN) joining: lan_addresses=[%s]", " ".join(addresses))
        try:
            joined = await self.lan.join(addresses)
        except ConsulError as error:
            log.warning("(LAN) couldn't join: number_of_nodes=0 error=%s", error)
            raise
        joined_lan(joined)
        return joined

    async def join_wan(self, addresses: Sequence[str]) -> int:
        """Raises ConsulError when nobody let us in."""
        log.info("(WAN) joining: wan_addresses=[%s]", " ".join(addresses))
        if self.wan is None:
            reason = "WAN federation disabled" if self._config.server else "Must be a server to join WAN cluster"
            raise ConsulError(reason)
        try:
            joined = await self.wan.join(addresses)
        except ConsulError as error:
            log.warning("(WAN) couldn't join: number_of_nodes=0 error=%s", error)
            raise
        log.info("(WAN) joined: number_of_nodes=%d", joined)
        return joined

    # ------------------------------------------------------------------ members

    def members(self, *, wan: bool = False) -> list[Member]:
        """The members of a pool; none of the WAN for agents that are not in it."""
        if wan:
            return self.wan.members() if self.wan is not None else []
        return self.lan.members()

    def _lan_member(self, kind: MemberChange, member: Member) -> None:
        if kind is MemberChange.JOIN and ServerDetails.parse(member) is not None:
            self._flood_now.set()
        self.on_member(kind, member)

    def _lan_event(self, ltime: int, name: str, payload: bytes) -> None:
        self.on_event(ltime, name, payload)

    def _wan_member(self, kind: MemberChange, member: Member) -> None:
        log.debug("Handled event for server in area: event=member-%s server=%s area=wan", kind.value, member.name)
        self.on_wan_member(kind, member)

    async def _flood(self) -> None:
        """Put every server of this datacenter into the WAN pool; whoever federates one federates all."""
        while True:
            for member in self._missing_from_wan():
                try:
                    await self.join_wan([member])
                except ConsulError as error:
                    log.debug("Failed to flood-join server at address: address=%s error=%s", member, error)
            self._flood_now.clear()
            try:
                async with asyncio.timeout(FLOOD_INTERVAL_S):
                    await self._flood_now.wait()
            except TimeoutError:
                continue

    def _missing_from_wan(self) -> list[str]:
        """Join targets for the servers of the LAN that the WAN does not know to be alive."""
        assert self.wan is not None
        known = {member.name for member in self.wan.members() if member.status is MemberStatus.ALIVE}
        missing = []
        for member in self.lan.members():
            server = ServerDetails.parse(member)
            if server is None or member.status is not MemberStatus.ALIVE or not server.wan_join_port:
                continue
            name = f"{member.name}.{server.datacenter}"
            if name not in known:
                host = f"[{member.address}]" if ":" in member.address else member.address
                missing.append(f"{name}/{host}:{server.wan_join_port}")
        return missing


class Joining(Part):
    """Joins the pools when all else runs: whoever is found may ask this agent anything at once."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def start(self) -> None:
        """Raises StartJoinError when ``start_join`` fails."""
        await self._pools.join()


def swim_config(gossip: GossipConfig, *, wan: bool) -> SwimConfig:
    """memberlist's timing: what is configurable from the configuration, the rest from the pool's preset."""
    return replace(
        WAN if wan else LAN, probe_interval_s=gossip.probe_interval_s, probe_timeout_s=gossip.probe_timeout_s,
        gossip_interval_s=gossip.gossip_interval_s, gossip_nodes=gossip.gossip_nodes,
        suspicion_mult=gossip.suspicion_mult, retransmit_mult=gossip.retransmit_mult,
    )  # fmt: skip


def _ignore_member(kind: MemberChange, member: Member) -> None:
    """Nobody has to be told yet."""


def _ignore_event(ltime: int, name: str, payload: bytes) -> None:
    """Nobody fires events into the WAN pool."""


def _ignore_doubt() -> None:
    """What hangs on membership hangs on that of the LAN pool."""
