"""How a server goes on purpose without taking its vote, or leadership, with it (Consul docs: leave).

A leader with other voters hands over first: the others see no gap as after a death. When gossip has told that this
server left, whoever leads removes it from Raft, and it waits for that: going earlier would leave the rest with a
voter that is dead, which for a small cluster is the difference between having a quorum and not.
"""

from __future__ import annotations

import asyncio
import logging

from proconsul.engine.raft.errors import RaftError
from proconsul.engine.raft.events import Role
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.base import DCSpecificRequest
from proconsul.server.consensus import Consensus

log = logging.getLogger("agent.server")

# Consul: raft_remove_grace_period. Who has lost its quorum is never removed, and must go nevertheless.
REMOVE_GRACE_S = 5.0
# How often a server looks whether it has been removed.
LOOK_INTERVAL_S = 0.1
ASK_TIMEOUT_S = 1.0


async def hand_over(server: Consensus) -> bool:
    """Before gossip is told: see that somebody else leads. True when this server is to `wait_until_removed`.

    Never raises: a server that nobody can take over from leaves all the same.
    """
    raft = server.raft
    voters = raft.members.voters
    if server.node_id not in voters or len(voters) <= 1:
        return server.node_id not in voters and len(voters) > 0
    if raft.state is not Role.LEADER:
        return True
    try:
        await raft.transfer_leadership()
        log.info("transferred leadership to leave")
        return True
    except RaftError as error:
        log.warning("failed to transfer leadership, removing this server instead: error=%s", error)
    try:
        await raft.remove_server(server.node_id)
    except RaftError as error:
        log.error("failed to remove ourself as raft peer: error=%s", error)
    return True


async def wait_until_removed(server: Consensus) -> None:
    """After gossip was told: return when the others have removed this server, or after the grace period."""
    loop = asyncio.get_running_loop()
    until = loop.time() + REMOVE_GRACE_S
    while server.raft.state is not Role.LEADER and not await _is_removed(server):
        if loop.time() >= until:
            log.warning("failed to leave raft configuration gracefully, timeout")
            return
        await asyncio.sleep(LOOK_INTERVAL_S)


async def _is_removed(server: Consensus) -> bool:
    """By our own configuration or, since who is removed need not be told by Raft, by that of another server."""
    if server.raft.members.get(server.node_id) is None:
        return True
    others = [one.address for one in server.peers_known.alive() if str(one.address) != server.address]
    asked = server.whom_to_ask() or (others[0] if others else None)
    if asked is None or server.pool is None:
        return False
    args = DCSpecificRequest(Datacenter=server.datacenter)
    try:
        peers: list[str] = await server.pool.call(asked, "Status.Peers", args, list[str], timeout_s=ASK_TIMEOUT_S)
    except (RpcFailure, DecodeError):
        return False
    return bool(peers) and server.address not in peers
