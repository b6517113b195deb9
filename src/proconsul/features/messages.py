"""Kinds of replicated commands (Raft reference, FSM commands)."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """First byte of a command. Append only: the numbers are in every log and snapshot."""

    REGISTER = 0
    DEREGISTER = 1
    KVS = 2
    SESSION = 3
    TOMBSTONE = 5
    COORDINATE_BATCH = 6
    TXN = 8
    AUTOPILOT = 9
    INDEX = 16
    CHUNKING_STATE = 29
    FEDERATION_STATE = 30
