"""What every call passes, from whatever door it comes, as doors and endpoints see it.

A call is a method and its arguments. The gate finds out for which datacenter it is and who asks, whether they may, and
which server has to answer; then it reads, waits, proposes or forwards. None of that is written anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, Protocol

from proconsul.engine.completion import Completion
from proconsul.engine.wire.record import replace
from proconsul.features.options import PLAIN, Options
from proconsul.features.permission import Permission
from proconsul.features.server import CallMethod, Read, WriteMethod


class Renders(Protocol):
    """Keeps what was made of a value."""

    def render(self, form: Hashable, make: Callable[[Any], Any]) -> Any:
        """What ``make`` makes of the value, made once for each ``form``."""


class Found(NamedTuple):
    """What a read found.

    last_index: of what it depends on, at least 1. known_leader, last_contact_ns: of the server that answered.
    consistency: with which it was read, which is more than was asked for where that was too old. view: where it keeps
    what was made of the value, for reads that share one. reply: another server's answer, as it came. filtered: whether
    something was left out that whoever asked may not see.
    """

    last_index: int
    value: Any
    known_leader: bool
    last_contact_ns: int
    consistency: str = "leader"
    view: Renders | None = None
    reply: Any = None
    filtered: bool = False


class Pending(Protocol):
    """A read under way."""

    def cancel(self) -> None:
        """Nobody waits for it any more; its waiter is told nothing."""

    def hurry(self) -> None:
        """Tell what there is now, instead of waiting for a change."""


class Gate(Protocol):
    """The gate of a server, or of a client agent, which forwards all.

    A read for another ``datacenter`` than ours, and what is written or called with arguments that name another one, is
    carried out there. For one that nobody knows NoPathToDatacenter is raised, or told.
    """

    permission: Permission

    @property
    def plain(self) -> bool:
        """Whether our own state answers any default read as it is: we lead, and everybody may see everything."""

    def has_state_of(self, datacenter: str) -> bool:
        """Whether our own state is that of ``datacenter``, "" being our own: a client agent has none."""

    def elsewhere(self, datacenter: str) -> object:
        """What leads to ``datacenter``, None when that is ours. Raises NoPathToDatacenter."""

    def now(self, read: Read, options: Options, token: str = "", datacenter: str = "") -> Found | None:
        """The answer, when it is to be had at once: here, and without waiting. Raises ConsulError."""

    def begin(self, waiter: Completion, read: Read, options: Options, token: str = "", datacenter: str = "") -> Pending:
        """Tell ``waiter`` what was `Found`, or a ConsulError, as soon as it is there. Raises ConsulError."""

    async def value(self, read: Read, options: Options = PLAIN, token: str = "", datacenter: str = "") -> Any:
        """The value of a read, wherever it is answered. Raises ConsulError."""

    def write(self, waiter: Completion, method: WriteMethod, args: Any) -> None:
        """Tell ``waiter`` the result of a write, which is a ConsulError for a refusal. May raise one, too."""

    async def written(self, method: WriteMethod, args: Any) -> Any:
        """As `write`. Raises ConsulError for a refusal."""

    async def call(self, method: CallMethod, args: Any) -> Any:
        """Carry out what is neither a read nor a write of the state, here or on another server. Raises ConsulError."""

    def wait_s(self, wait_ns: int) -> float:
        """How long a read waits for a change that may wait for ``wait_ns``, 0 being the default."""


async def call_fresh(gate: Gate, method: CallMethod, args: Any, options: Options) -> Any:
    """Carry out a ``method`` that reads, as fresh as ``options`` want it: the leader's answer where another server's is
    older than that. The reply says of which consistency it is. Raises ConsulError."""
    level = options.consistency
    args = replace(
        args, AllowStale=level == "stale", RequireConsistent=level == "consistent",
        MaxStaleDuration=options.max_stale_ns,
    )  # fmt: skip
    reply = await gate.call(method, args)
    if level == "stale" and options.max_stale_ns and reply.LastContact > options.max_stale_ns:
        level = "leader"
        reply = await gate.call(method, replace(args, AllowStale=False, MaxStaleDuration=0))
    return replace(reply, ConsistencyLevel=level)
