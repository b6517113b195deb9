"""A client agent's side of the datacenter: no state, no Raft; servers are asked for everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from proconsul.engine.completion import Completion, tell_error
from proconsul.engine.rpc.errors import MAKING_CALL, RpcFailure
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.acl.token_rights import AskedTokenRights, TokenRights
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import ConsulError, NoServers, RateExceeded, Unanswered
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.server import ReadMethod, WriteMethod
from proconsul.features.session.model import Session
from proconsul.features.txn.model import TxnError, TxnOp
from proconsul.server.forwarding import Way, undecodable
from proconsul.server.node import ASK_TIMEOUT_S, LEADER_POLL_S, ConsulNode
from proconsul.server.rebalancing import Rebalancing

log = logging.getLogger("agent.client.manager")

# Servers that are asked about a token before it is taken that none can be reached.
ASKED_MAX = 2


class ConsulClient(ConsulNode):
    """Everything goes to a server; the gate sees to that, since a client never leads and answers nothing itself."""

    is_client = True
    on_duty = False
    leading = False
    _rebalancing: Rebalancing | None = None

    def _make_rights(self) -> TokenRights:
        return AskedTokenRights(
            self.state.acl, self.resolver, self.acl_settings, self._ask, self.clock, datacenter=self.datacenter,
            meters=self.meters,
        )  # fmt: skip

    async def _ask(self, method: ReadMethod, args: Any) -> Any:
        """The reply of any server; another one is asked when the first does not answer. Raises ConsulError."""
        error = self.unavailable()
        for _ in range(ASKED_MAX):
            address = self.whom_to_ask()
            if address is None or self.pool is None:
                break
            try:
                return await self.pool.call(address, method.name, args, method.reply, timeout_s=ASK_TIMEOUT_S)
            except RpcFailure as failure:
                error = self.forwarding.error(self.forwarding.home, address, failure)
                if not isinstance(error, Unanswered):
                    break
            except DecodeError as failure:
                error = undecodable(failure)
        raise error

    async def open(self) -> None:
        """A client keeps nothing on disk."""

    async def start(self) -> None:
        """Connections are made when somebody asks; which server is asked is chosen anew from time to time."""
        if self.pool is not None:
            self._rebalancing = Rebalancing(
                lambda: [server.address for server in self.peers_known.alive()], lambda: len(self.gossip.members()),
                self._answers_pings, self.peers_known.prefer, self.rng,
            )  # fmt: skip
            self._rebalancing.start()

    async def _answers_pings(self, server: Address) -> bool:
        """Whether a server can be asked."""
        assert self.pool is not None
        answers = await self.pool.ping(server, timeout_s=ASK_TIMEOUT_S)
        if not answers:
            log.debug("server does not answer a ping: server=%s", server)
        return answers

    async def stop(self) -> None:
        """Close the connections."""
        if self._rebalancing is not None:
            await self._rebalancing.stop()
        if self.pool is not None:
            await self.pool.close()

    # ------------------------------------------------------------------ who leads

    def answers(self, consistency: str) -> bool:
        """Never: a client has no state."""
        return False

    async def may_answer(self, consistency: str) -> bool:
        """False when there is a server to ask. Raises NoServers: no request waits for the agent to join."""
        if self.peers_known.any() is None:
            raise self.unavailable()
        return False

    def knows(self) -> tuple[bool, int]:
        """Nothing of its own."""
        return False, 0

    def unavailable(self) -> ConsulError:
        """A client without servers has not joined yet, or lost them all."""
        return NoServers()

    def refusal(self, error: ConsulError) -> str:
        """See `ConsulNode.refusal`: as if a server had been asked, which would say the same."""
        return MAKING_CALL + error.text if self.peers_known.any() is not None else self.unavailable().text

    async def knows_leader(self) -> bool:
        """See `ConsulNode.knows_leader`: a server is asked."""
        address = self.peers_known.any()
        if address is None or self.pool is None:
            return False
        args = DCSpecificRequest(Datacenter=self.datacenter)
        try:
            if await self.pool.call(address, "Status.Leader", args, str, timeout_s=ASK_TIMEOUT_S):
                return True
            self.peers_known.failed(address)  # others may know who leads
        except RpcFailure as failure:
            self.forwarding.error(self.forwarding.home, address, failure)
        except DecodeError:
            pass  # no server of this kind
        return False

    async def when_ready(self, deadline_s: float) -> bool:
        """Never: a client does not lead."""
        return False

    # ------------------------------------------------------------------ the servers

    def whom_to_ask(self) -> Address | None:
        """Any server, the same one as long as it answers. Raises RateExceeded when too much has been asked."""
        address = self.peers_known.any() if self.pool is not None else None
        if address is not None and self._calls is not None:
            self.meters.count("client.rpc")
            if not self._calls.allow(self.clock()):
                self.meters.count("client.rpc.exceeded")
                raise RateExceeded()
        return address

    def way_to(self, datacenter: str) -> Way:
        """By our own servers, who know all datacenters."""
        return self.forwarding.home._replace(datacenter=datacenter)

    async def _look_again(self) -> None:
        await asyncio.sleep(LEADER_POLL_S)

    # ------------------------------------------------------------------ what only servers do; the gate lets nobody here

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """See `Server.propose`."""
        raise self.unavailable()

    def propose_for(self, waiter: Completion, kind: MessageType, request: Any) -> None:
        """See `Server.propose_for`."""
        tell_error(waiter, self.unavailable())

    def locking(self, waiter: Completion, keys: Iterable[str], begin: Callable[[Completion], None]) -> None:
        """See `Server.locking`."""
        tell_error(waiter, self.unavailable())

    def lock_delayed(self, entry: DirEntry) -> bool:
        """See `Server.lock_delayed`."""
        return False

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """See `Server.rehearse`."""
        raise self.unavailable()

    def handed_on(self, waiter: Completion, method: WriteMethod, args: Any) -> bool:
        """See `Server.handed_on`."""
        self.gate.forward_write(waiter, method, args)
        return True

    def renew(self, session: Session) -> None:
        """See `Server.renew`."""
        raise self.unavailable()
