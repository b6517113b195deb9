"""Reading snapshots into the state machine without holding up the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from proconsul.engine.raft.fsm import FSM, SupportsPreparedRestore
from proconsul.engine.threads import on_thread

__all__ = ["Install", "prepare_restore"]

# Puts the state that was read in place, at once, on the event loop.
Install = Callable[[], None]


async def prepare_restore(fsm: FSM, reader: BinaryIO) -> Install:
    """Read a snapshot on another thread if the machine can; else ``reader`` is read when the result is called.

    Raises what the machine raises when the snapshot is damaged.
    """
    if not isinstance(fsm, SupportsPreparedRestore):
        return lambda: fsm.restore(reader)
    machine = fsm
    prepared = await on_thread(machine.prepare, reader)
    return lambda: machine.install(prepared)
