"""serf's snapshot: a text file of what a restart must know - whom to join again, and which messages were seen. Pure.

Lines are appended; replaying them gives the state. Clocks are written at most twice a second, since an event or two
that come again after a crash are all it costs. The file is rewritten when it has grown to twice what it needs (gossip
wire reference, snapshot file).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proconsul.engine.wire.hostport import Address, split_address

# serf: compact not before this, and not before twice this many bytes per member.
COMPACT_BYTES_MIN = 128 * 1024
MEMBER_BYTES = 128
FLUSH_INTERVAL_S = 0.5
# Files are replayed up to this: pools of the largest known size need a tenth of it.
REPLAY_BYTES_MAX = 64 << 20


@dataclass(slots=True)
class RestoredPool:
    """What a snapshot file says. ``left``: the node left the pool on purpose; ``skipped``: lines that make no sense."""

    nodes: dict[str, Address] = field(default_factory=dict)
    clock: int = 0
    event_clock: int = 0
    query_clock: int = 0
    left: bool = False
    skipped: list[str] = field(default_factory=list)


def replay(text: str, *, rejoin_after_leave: bool) -> RestoredPool:
    """Read a snapshot file. A leave forgets what was before it, unless it is to be joined again all the same.

    Anything after the last newline was torn by a crash and does not count. Raises ValueError for a file too large.
    """
    if len(text) > REPLAY_BYTES_MAX:
        raise ValueError(f"snapshot of {len(text)} characters, limit is {REPLAY_BYTES_MAX}")
    state = RestoredPool()
    for line in text.split("\n")[:-1]:
        kind, _, rest = line.partition(": ")
        try:
            if line == "leave":
                if not rejoin_after_leave:
                    state = RestoredPool(skipped=state.skipped)
                state.left = True
            elif kind == "alive":
                name, _, address = rest.rpartition(" ")
                state.nodes[name] = _address(address)
                state.left = False
            elif kind == "not-alive":
                state.nodes.pop(rest, None)
            elif kind == "clock":
                state.clock = _time(rest)
            elif kind == "event-clock":
                state.event_clock = _time(rest)
            elif kind == "query-clock":
                state.query_clock = _time(rest)
            elif line and kind != "coordinate" and not line.startswith("#"):
                raise ValueError("unknown")
        except ValueError:
            state.skipped.append(line)
    return state


def _address(text: str) -> Address:
    address = split_address(text)
    if not address.host or not address.port:
        raise ValueError("no address")
    return address


def _time(text: str) -> int:
    # Nineteen digits are all that fit 63 bits.
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise ValueError("no time")
    return int(text)


def _alive_line(name: str, address: Address) -> str:
    return f"alive: {name} {address}\n"


class SnapshotFile:
    """What the file says, and what to do to it. Every method returns text to append, empty if there is none."""

    def __init__(self, restored: RestoredPool, size_bytes: int, *, rejoin_after_leave: bool) -> None:
        """``size_bytes``: how long the file is that ``restored`` was read from."""
        self._nodes = dict(restored.nodes)
        self._clocks = {
            "clock": restored.clock, "event-clock": restored.event_clock, "query-clock": restored.query_clock,
        }  # fmt: skip
        self._size_bytes = size_bytes
        self._rejoin_after_leave = rejoin_after_leave
        self._leaving = False

    def alive(self, name: str, address: Address) -> str:
        """A member is there."""
        # A newline in a name would forge lines.
        if self._leaving or "\n" in name:
            return ""
        self._nodes[name] = address
        return self._appended(_alive_line(name, address))

    def not_alive(self, name: str) -> str:
        """A member has left or failed."""
        if self._leaving or self._nodes.pop(name, None) is None:
            return ""
        return self._appended(f"not-alive: {name}\n")

    def leave(self) -> str:
        """We leave the pool; what happens to the others meanwhile is no reason not to join them later."""
        if self._leaving:
            return ""
        self._leaving = True
        if not self._rejoin_after_leave:
            self._nodes.clear()
        return self._appended("leave\n")

    def is_behind(self, times: tuple[int, int, int]) -> bool:
        """Whether `clocks` would have something to write."""
        return any(seen > written for seen, written in zip(times, self._clocks.values(), strict=True))

    def clocks(self, times: tuple[int, int, int]) -> str:
        """The last times seen: of members, events and queries."""
        lines = ""
        for name, seen in zip(tuple(self._clocks), times, strict=True):
            if seen > self._clocks[name]:
                self._clocks[name] = seen
                lines += f"{name}: {seen}\n"
        return self._appended(lines)

    def needs_compaction(self) -> bool:
        """Whether the file is much larger than what it says."""
        return self._size_bytes > max(COMPACT_BYTES_MIN, 2 * MEMBER_BYTES * len(self._nodes))

    def compacted(self) -> str:
        """The shortest file that says the same; it is the file from now on."""
        text = "".join(_alive_line(name, address) for name, address in self._nodes.items())
        text += "".join(f"{name}: {seen}\n" for name, seen in self._clocks.items())
        if self._leaving:
            text += "leave\n"
        self._size_bytes = 0
        return self._appended(text)

    def _appended(self, text: str) -> str:
        self._size_bytes += len(text.encode("utf-8", "surrogateescape"))
        return text
