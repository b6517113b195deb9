"""Kinds of replicated commands (Raft reference, FSM commands)."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """First byte of a command, and of a snapshot record. Append only: the numbers are in every log and snapshot.

    10 belongs to a feature the community edition does not have.
    """

    REGISTER = 0
    DEREGISTER = 1
    KVS = 2
    SESSION = 3
    LEGACY_ACL = 4
    TOMBSTONE = 5
    COORDINATE_BATCH = 6
    PREPARED_QUERY = 7
    TXN = 8
    AUTOPILOT = 9
    ACL_BOOTSTRAP = 11
    INTENTION = 12
    CONNECT_CA = 13
    CA_PROVIDER_STATE = 14
    CA_CONFIG = 15
    INDEX = 16
    ACL_TOKEN_SET = 17
    ACL_TOKEN_DELETE = 18
    ACL_POLICY_SET = 19
    ACL_POLICY_DELETE = 20
    CA_LEAF = 21
    CONFIG_ENTRY = 22
    ACL_ROLE_SET = 23
    ACL_ROLE_DELETE = 24
    ACL_BINDING_RULE_SET = 25
    ACL_BINDING_RULE_DELETE = 26
    ACL_AUTH_METHOD_SET = 27
    ACL_AUTH_METHOD_DELETE = 28
    CHUNKING_STATE = 29
    FEDERATION_STATE = 30


# Commands a leader marks with bit 128: a server that does not know them may skip them.
SKIPPABLE = frozenset({MessageType.COORDINATE_BATCH, MessageType.CA_LEAF})
