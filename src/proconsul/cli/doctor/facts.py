"""What the doctor knows of an agent. Pure; `gathering` finds it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DataDirectory", "Facts"]


@dataclass(frozen=True)
class DataDirectory:
    """``free``, ``total``: bytes of its disk. ``node_id``: whose it is, where it says so.
    ``modes``: of files that hold secrets. ``kinds``: bytes by kind of record
    in the snapshots of now, the oldest first, each with its time in seconds."""

    path: str
    free: int
    total: int
    log_bytes: int = 0
    node_id: str = ""
    modes: Mapping[str, int] = field(default_factory=dict)
    kinds: Sequence[tuple[float, Mapping[str, int]]] = ()


@dataclass(frozen=True)
class Facts:
    """``unseen``: why an answer is not there, by its name. ``clock_off_s``: how far the agent's clock is ahead."""

    own: Mapping[str, Any] | None = None
    members: Sequence[Mapping[str, Any]] | None = None
    leader: str | None = None
    autopilot: Mapping[str, Any] | None = None
    raft: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    certificates: Mapping[str, Any] | None = None
    sync: Mapping[str, Any] | None = None
    unseen: Mapping[str, str] = field(default_factory=dict)
    clock_off_s: float = 0.0
    data: DataDirectory | None = None
    unseen_data: str = ""
