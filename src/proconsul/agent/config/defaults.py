"""What holds when nothing is configured: the default source, and what ``-dev`` changes.

Written in the form of a configuration file, so that they merge like any other source.
Source: configuration reference (docs/agent/options).
"""

from __future__ import annotations

from typing import Final

from proconsul.agent.config.decode import Values
from proconsul.agent.config.runtime import UNLIMITED_RATE

__all__ = ["DEFAULTS", "DEV", "ENGINE", "NON_USER", "NON_USER_DEV", "SHOWN_AS_ZERO"]

DEFAULTS: Final[Values] = {
    "acl_default_policy": "allow",
    "acl_down_policy": "extend-cache",
    "acl_ttl": "30s",
    "acl": {"policy_ttl": "30s"},
    "bind_addr": "0.0.0.0",
    "bootstrap": False,
    "bootstrap_expect": 0,
    "check_output_max_size": 4096,
    "check_update_interval": "5m",
    "client_addr": "127.0.0.1",
    "datacenter": "dc1",
    "default_query_time": "300s",
    "disable_coordinates": False,
    "disable_host_node_id": True,
    "disable_remote_exec": True,
    "domain": "consul.",
    "encrypt_verify_incoming": True,
    "encrypt_verify_outgoing": True,
    "log_level": "INFO",
    "max_query_time": "600s",
    "protocol": 2,
    "primary_gateways_interval": "30s",
    "retry_interval": "30s",
    "retry_interval_wan": "30s",
    "server": False,
    "syslog_facility": "LOCAL0",
    "tls_min_version": "tls12",
    "ui_content_path": "/ui/",
    "autopilot": {
        "cleanup_dead_servers": True,
        "last_contact_threshold": "200ms",
        "max_trailing_logs": 250,
        "server_stabilization_time": "10s",
    },
    "gossip_lan": {
        "gossip_interval": "200ms",
        "gossip_nodes": 3,
        "probe_interval": "1s",
        "probe_timeout": "500ms",
        "suspicion_mult": 4,
        "retransmit_mult": 4,
    },
    # Nodes and retransmissions are the LAN's on purpose: that is what the original runs with.
    "gossip_wan": {
        "gossip_interval": "500ms",
        "gossip_nodes": 3,
        "probe_interval": "5s",
        "probe_timeout": "3s",
        "suspicion_mult": 6,
        "retransmit_mult": 4,
    },
    "dns_config": {
        "allow_stale": True,
        "udp_answer_limit": 3,
        "max_stale": "87600h",
        "recursor_timeout": "2s",
        "recursor_strategy": "sequential",
        "enable_additional_node_meta_txt": True,
        "soa": {"refresh": 3600, "retry": 600, "expire": 86400, "min_ttl": 0},
    },
    "cache": {"entry_fetch_rate": UNLIMITED_RATE, "entry_fetch_max_burst": 2},
    "http_config": {"use_cache": True},
    "limits": {
        "http_max_conns_per_client": 200,
        "https_handshake_timeout": "5s",
        "rpc_handshake_timeout": "5s",
        "rpc_client_timeout": "60s",
        "rpc_rate": -1.0,
        "rpc_max_burst": 1000,
        "rpc_max_conns_per_client": 100,
        "kv_max_value_size": 524288,
        "txn_max_req_len": 524288,
        "request_limits": {"mode": "disabled", "read_rate": -1.0, "write_rate": -1.0},
    },
    "performance": {
        "leave_drain_time": "5s",
        "raft_multiplier": 5,
        "rpc_hold_timeout": "7s",
        "grpc_keepalive_interval": "30s",
        "grpc_keepalive_timeout": "20s",
    },
    "ports": {
        "dns": 8600,
        "http": 8500,
        "https": -1,
        "grpc": -1,
        "grpc_tls": -1,
        "serf_lan": 8301,
        "serf_wan": 8302,
        "server": 8300,
        "sidecar_min_port": 21000,
        "sidecar_max_port": 21255,
        "expose_min_port": 21500,
        "expose_max_port": 21755,
    },
    "rpc": {"enable_streaming": True},
    "telemetry": {"metrics_prefix": "consul", "filter_default": True},
}

_DEV_GOSSIP: Final[Values] = {
    "gossip_interval": "100ms",
    "probe_interval": "100ms",
    "probe_timeout": "100ms",
    "suspicion_mult": 3,
}

# One node on loopback, nothing on disk, everything fast and open.
DEV: Final[Values] = {
    "bind_addr": "127.0.0.1",
    "disable_anonymous_signature": True,
    "disable_keyring_file": True,
    "enable_debug": True,
    "ui": True,
    "log_level": "DEBUG",
    "server": True,
    "connect": {"enabled": True},
    "gossip_lan": _DEV_GOSSIP,
    "gossip_wan": _DEV_GOSSIP,
    # The original also opens a gRPC port, for Envoy; nothing here would serve it.
    "performance": {"raft_multiplier": 1},
}

# Settings no file may change: ``consul`` internals and a few intervals. In files they are known keys without effect.
# Times of a Raft group are those at multiplier 1; the multiplier (1..10) stretches them all.
NON_USER: Final[Values] = {
    "ae_interval": "1m",
    "check_deregister_interval_min": "1m",
    "check_reap_interval": "30s",
    "revision": "",
    "segment_limit": 64,
    "segment_name_limit": 64,
    "sync_coordinate_interval_min": "15s",
    "sync_coordinate_rate_target": 64.0,
    "version": "",
    "version_prerelease": "",
    "acl": {"disabled_ttl": "120s"},
    "connect": {"test_ca_leaf_root_change_spread": "0s"},
    "consul": {
        "coordinate": {"update_batch_size": 128, "update_max_batches": 5, "update_period": "5s"},
        "raft": {"election_timeout": "1s", "heartbeat_timeout": "1s", "leader_lease_timeout": "500ms"},
        "server": {"health_interval": "2s"},
    },
}
# The same with ``-dev``: one node on loopback elects itself at once, and shows its coordinates as they change.
NON_USER_DEV: Final[Values] = {
    "consul": {
        "coordinate": {"update_period": "100ms"},
        "raft": {"election_timeout": "52ms", "heartbeat_timeout": "35ms", "leader_lease_timeout": "20ms"},
        "server": {"health_interval": "10ms"},
    },
}

# What the engines run with where nothing is configured; what is shown then is a zero, under the name below.
ENGINE: Final[Values] = {
    "acl": {"role_ttl": "30s"},
    "raft_protocol": 3,
    "raft_snapshot_interval": "30s",
    "raft_snapshot_threshold": 16384,
    "raft_trailing_logs": 10240,
    "reconnect_timeout": "72h",
    "reconnect_timeout_wan": "72h",
    "session_ttl_min": "10s",
}
SHOWN_AS_ZERO: Final = {
    "acl.role_ttl": "ACLRoleTTL",
    "raft_protocol": "RaftProtocol",
    "raft_snapshot_interval": "RaftSnapshotInterval",
    "raft_snapshot_threshold": "RaftSnapshotThreshold",
    "raft_trailing_logs": "RaftTrailingLogs",
    "reconnect_timeout": "ReconnectTimeoutLAN",
    "reconnect_timeout_wan": "ReconnectTimeoutWAN",
    "session_ttl_min": "SessionTTLMin",
}
