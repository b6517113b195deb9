"""A server's RPC port: who may call what, and the connections to other servers."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.errors import RaftError, TransportError
from proconsul.engine.raft.network import NetworkTransport, Streams
from proconsul.engine.rpc.dial import FirstByte
from proconsul.engine.rpc.mux import HANDSHAKE_TIMEOUT_S, OnProtocol, OnStreams, RpcListener
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.rpc.server import Peer, RpcServer
from proconsul.engine.wire.goerrors import ListenError
from proconsul.engine.wire.hostport import Address
from proconsul.features.errors import ConsulError
from proconsul.server.config import RpcTls
from proconsul.server.peers import Peers, parse_address
from proconsul.server.service import RpcHost, register
from proconsul.server.snapshotting import SnapshotArchives

log = logging.getLogger("agent.server.rpc")


class Served(RpcHost, Protocol):
    """The server behind the port, and what else comes in there."""

    tls: RpcTls
    archives: SnapshotArchives


class ServerNetwork:
    """What comes in on a server's RPC port, and Raft's way to the others by ``pool``."""

    def __init__(
        self, server: Served, pool: ConnectionPool, peers: Peers, *, handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S
    ) -> None:  # fmt: skip
        self._server, self.pool, self._peers = server, pool, peers
        self.transport = NetworkTransport(self._dial)
        self.rpc = RpcServer((ConsulError, RaftError))
        self._listener = RpcListener({
            FirstByte.SINGLE: OnProtocol(self.rpc.single), FirstByte.MULTIPLEX: OnProtocol(self.rpc.multiplexed),
            FirstByte.RAFT: OnStreams(self._raft), FirstByte.SNAPSHOT: OnStreams(server.archives.serve),
        }, tls=lambda: server.tls.incoming, handshake_timeout_s=handshake_timeout_s)  # fmt: skip

    def limit_connections(self, per_client_max: int) -> None:
        """Of one address, from now on; 0 is no limit."""
        self._listener.per_client_max = per_client_max

    async def listen(self, address: Address) -> None:
        """Accept calls. Raises ListenError."""
        register(self._server, self.rpc)
        try:
            await self._listener.start(address.host, address.port)
        except ListenError as error:
            raise ListenError(f"Failed to start Consul server: Failed to start RPC layer: {error}") from error

    async def close(self) -> None:
        await self._listener.close()
        self.rpc.close()
        await self.pool.close()

    async def _raft(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        """A certificate that is good for calls is not for consensus, where whoever speaks may be followed."""
        name = self._server.tls.server_name
        if name and name not in peer.names:
            log.error("Raft connection refused: conn=%s error=%s", peer, _not_a_server(peer, name))
            return
        await self.transport.serve(reader, writer)

    async def _dial(self, server: RaftServer) -> Streams:
        """Peers are known by id: where one listens now is what its gossip says. Raises OSError."""
        address = self._peers.address_by_id(server.id) or parse_address(server.address)
        if address is None:
            raise TransportError(f"no address is known for server {server.id}")
        return await self.pool.dial_raft(address)


def _not_a_server(peer: Peer, name: str) -> str:
    return f'"x509: certificate is valid for {", ".join(peer.names) or "no name"}, not {name}"'
