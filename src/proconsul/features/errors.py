"""Operating errors: expected failures that travel to the caller, with the HTTP status of each in one place.

The text is the contract: clients match on it, and errors of a remote server are recognised by substring.
"""

from __future__ import annotations

NO_PATH = "No path to datacenter"


class ConsulError(Exception):
    """An operating error. ``status`` is the HTTP status the front door answers with."""

    status = 500

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        if status is not None:
            self.status = status


class BadRequest(ConsulError):
    """The request cannot be understood; the text is sent as it is."""

    status = 400


class ReadRefused(ConsulError):
    """A server refused a read; the answer carries the index headers of an empty one."""


class NotFound(ConsulError):
    status = 404


class TooLarge(ConsulError):
    status = 413


class PermissionDenied(ConsulError):
    status = 403

    def __init__(self, text: str = "Permission denied") -> None:
        super().__init__(text)


class ACLDisabled(ConsulError):
    """The agent that is asked has no access control; what another says of itself is an error like any other."""

    status = 401

    def __init__(self) -> None:
        super().__init__("ACL support disabled")


class Unanswered(ConsulError):
    """Nobody who could has answered, for now. What was asked may have been carried out all the same."""


class NoLeader(Unanswered):
    def __init__(self) -> None:
        super().__init__("No cluster leader")


class NoServers(Unanswered):
    """A client agent knows no server it could ask."""

    def __init__(self) -> None:
        super().__init__("No known Consul servers")


class RateExceeded(ConsulError):
    """A client agent asks no more servers just now (limits.rpc_rate)."""

    status = 429

    def __init__(self) -> None:
        super().__init__("RPC rate limit exceeded")


class RetryElsewhere(ConsulError):
    """This server takes no more requests just now (limits.request_limits); another one may."""

    status = 429

    def __init__(self) -> None:
        super().__init__("rate limit exceeded, try again later or against a different server")


class RetryLater(ConsulError):
    """The leader takes no more writes just now, and nobody else can do them."""

    status = 503

    def __init__(self) -> None:
        super().__init__("rate limit exceeded for operation that can only be performed by the leader, try again later")


class NoPathToDatacenter(ConsulError):
    """No server of that datacenter is known."""

    def __init__(self) -> None:
        super().__init__(NO_PATH)


class DatacenterUnreachable(Unanswered):
    """The datacenter is known, and none of its servers can be reached."""

    def __init__(self) -> None:
        super().__init__("Remote DC has no server currently reachable")


class StateError(ConsulError):
    """The state store refuses a write, for example because a node is not registered."""


_BY_TEXT = (
    ("Permission denied", 403),
    ("ACL not found", 403),
    ("RPC rate limit exceeded", 429),
    ("rate limit exceeded, try again later", 429),
    ("rate limit exceeded for operation", 503),
)


# What a server says of a prepared query that is not there.
QUERY_NOT_FOUND = "Query not found"


def status_of(error: BaseException) -> int:
    """The HTTP status for ``error``; remote errors are recognised by their text (HTTP API: errors)."""
    text = str(error)
    if text.endswith(QUERY_NOT_FOUND):
        return 404
    for part, status in _BY_TEXT:
        if part in text:
            return status
    return error.status if isinstance(error, ConsulError) else 500
