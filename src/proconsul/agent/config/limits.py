"""Limits: how much of what is taken from others, and how often servers are asked (Consul docs: limits)."""

from __future__ import annotations

import msgspec


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    https_handshake_timeout_s: float
    rpc_handshake_timeout_s: float
    rpc_client_timeout_s: float
    kv_value_bytes_max: int
    txn_request_bytes_max: int


class ServingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a server takes of others: connections of one address, and requests in times a second."""

    rpc_conns_per_client_max: int  # 0: unlimited
    request_limits_mode: str
    request_read_rate: float  # negative: unlimited
    request_write_rate: float


class AskingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How often servers are asked, in times a second: by a client agent for anything, by any for an entry of its
    cache."""

    rpc_rate: float  # negative: unlimited
    rpc_burst_max: int
    cache_entry_fetch_rate: float
    cache_entry_fetch_burst_max: int
