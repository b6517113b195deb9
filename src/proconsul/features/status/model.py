"""Status.*: what a server knows of Raft, without asking anybody."""

from __future__ import annotations

from proconsul.features.base import DCSpecificRequest
from proconsul.features.server import CallMethod

# The address of the leader, empty while there is none; the addresses of all servers in Raft.
LEADER = CallMethod("Status.Leader", DCSpecificRequest, str, anywhere=True)
PEERS = CallMethod("Status.Peers", DCSpecificRequest, list[str], anywhere=True)
