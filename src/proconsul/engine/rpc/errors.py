"""What can go wrong with a call. The texts are the contract: agents match errors by substring (RPC reference, 3)."""

from __future__ import annotations

MAKING_CALL = "rpc error making call: "
GETTING_CLIENT = "rpc error getting client: failed to get conn: "


class RpcFailure(Exception):
    """A call has no reply. The text says why, without a prefix for having been made elsewhere."""


class RpcError(RpcFailure):
    """The server answered with this error text."""


class ConnectionFailed(RpcFailure, ConnectionError):
    """No connection: the request was not sent. The text begins as Consul's does.

    It is a ConnectionError too: who dials for other protocols, as Raft's transport, need not know of calls.
    """


class ConnectionLost(RpcFailure):
    """The stream or its connection ended before the reply: whether the request was carried out is unknown."""


class RpcTimeout(RpcFailure):
    """No reply in time: whether the request was carried out is unknown."""


class RpcOverload(RpcFailure):
    """Too much is under way to this server already: the request was not sent."""


class CodecError(RpcFailure):
    """Bytes that are no msgpack-rpc, or more of them than allowed."""


def making_call(error: RpcFailure) -> str:
    """The text under which one who forwards calls passes ``error`` on; forwarding twice says it twice, as in Consul."""
    text = str(error)
    return text if isinstance(error, ConnectionFailed) else MAKING_CALL + text
