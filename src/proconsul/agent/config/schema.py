"""Every configuration key: its place and its kind, in one table.

The names are those of Consul 1.8.7 (verified key by key against ``consul validate``) and of newer community editions,
from the public configuration reference (docs/agent/options). A key which stands here is accepted even where nothing
uses it; every other key is fatal. Enterprise-only keys are accepted too, as the original does.

Pure data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

__all__ = ["CHECK", "CONFIG", "Kind", "ListOf", "MapOf", "Node", "Section"]


class Kind(Enum):
    """How a single value is written."""

    STRING = auto()
    DURATION = auto()  # a string holding a Go duration; its content is checked when the configuration is built
    BOOL = auto()
    INT = auto()
    UINT = auto()
    FLOAT = auto()
    STRINGS = auto()
    STRING_MAP = auto()
    STRINGS_MAP = auto()  # name -> list of strings (HTTP headers)
    OPAQUE = auto()  # name -> anything; handed on as it is
    OPAQUES = auto()  # list of OPAQUE
    IGNORED = auto()  # accepted and dropped


@dataclass(frozen=True)
class Section:
    """A block with known keys. ``aliases`` maps lower-cased old spellings to keys."""

    keys: Mapping[str, Node]
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ListOf:
    """A list of blocks."""

    section: Section


@dataclass(frozen=True)
class MapOf:
    """Blocks by a name the user chooses."""

    section: Section


Node: TypeAlias = Kind | Section | ListOf | MapOf

_S: Final = Kind.STRING
_D: Final = Kind.DURATION
_B: Final = Kind.BOOL
_I: Final = Kind.INT
_U: Final = Kind.UINT
_F: Final = Kind.FLOAT
_SS: Final = Kind.STRINGS
_SM: Final = Kind.STRING_MAP


def _of(kind: Kind, names: str) -> dict[str, Node]:
    return dict.fromkeys(names.split(), kind)


def _service(depth: int) -> Section:
    """A service definition; a sidecar is a service inside a service (only one level is ever valid)."""
    keys: dict[str, Node] = {
        **_of(_S, "id name kind address token namespace partition socket_path"),
        **_of(_I, "port"),
        "tags": _SS,
        "meta": _SM,
        "enable_tag_override": _B,
        "tagged_addresses": MapOf(Section({"address": _S, "port": _I})),
        "weights": Section(_of(_I, "passing warning")),
        "check": CHECK,
        "checks": ListOf(CHECK),
        "proxy": _PROXY,
        "ports": ListOf(Section({"name": _S, "port": _I, "default": _B})),
        "locality": _LOCALITY,
        "connect": Section({"native": _B, "sidecar_service": _service(depth - 1)} if depth else {"native": _B}),
    }
    return Section(keys)


_LOCALITY: Final = Section(_of(_S, "region zone"))

CHECK: Final = Section(
    {
        **_of(_S, "id name notes service_id token status namespace partition"),
        **_of(_S, "alias_node alias_service docker_container_id shell http method"),
        **_of(_S, "body tcp udp grpc h2ping os_service plugin"),
        **_of(_S, "tls_server_name"),
        **_of(_D, "interval timeout ttl deregister_critical_service_after"),
        **_of(_B, "tls_skip_verify grpc_use_tls h2ping_use_tls disable_redirects tcp_use_tls"),
        **_of(_I, "success_before_passing failures_before_warning failures_before_critical output_max_size"),
        "args": _SS,
        "header": Kind.STRINGS_MAP,
        "plugin_config": Kind.OPAQUE,
    },
    aliases={
        "scriptargs": "args",
        "serviceid": "service_id",
        "dockercontainerid": "docker_container_id",
        "tlsskipverify": "tls_skip_verify",
        "deregistercriticalserviceafter": "deregister_critical_service_after",
    },
)

_MESH_GATEWAY: Final = Section({"mode": _S})

_PROXY: Final = Section(
    {
        **_of(_S, "destination_service_name destination_service_id"),
        **_of(_S, "local_service_address local_service_socket_path mode"),
        **_of(_S, "mutual_tls_mode"),
        "local_service_port": _I,
        "config": Kind.OPAQUE,
        "mesh_gateway": _MESH_GATEWAY,
        "upstreams": ListOf(
            Section(
                {
                    **_of(_S, "destination_type destination_name"),
                    **_of(_S, "destination_namespace destination_partition datacenter"),
                    **_of(_S, "destination_peer local_bind_address local_bind_socket_path local_bind_socket_mode"),
                    "local_bind_port": _I,
                    "config": Kind.OPAQUE,
                    "mesh_gateway": _MESH_GATEWAY,
                }
            )
        ),
        "expose": Section(
            {
                "checks": _B,
                "port": _I,
                "paths": ListOf(Section({**_of(_S, "path protocol"), **_of(_I, "listener_port local_path_port")})),
            }
        ),
        "transparent_proxy": Section({"outbound_listener_port": _I, "dialed_directly": _B}),
        "envoy_extensions": Kind.OPAQUES,
        "access_logs": Section(
            {**_of(_B, "enabled disable_listener_logs"), **_of(_S, "type path json_format text_format")}
        ),
    }
)

# Two levels, so that a sidecar inside a sidecar is refused with its own text instead of as an unknown key.
_SERVICE: Final = _service(2)

_ACL: Final = Section(
    {
        **_of(_B, "enabled enable_key_list_policy enable_token_replication enable_token_persistence"),
        **_of(_B, "msp_disable_bootstrap"),
        **_of(_S, "default_policy down_policy"),
        **_of(_D, "policy_ttl role_ttl token_ttl disabled_ttl"),
        "tokens": Section(
            {
                **_of(_S, "master initial_management agent agent_master agent_recovery default replication"),
                **_of(_S, "config_file_service_registration dns"),
                "managed_service_provider": ListOf(Section(_of(_S, "accessor_id secret_id"))),
            }
        ),
    }
)

_AUTO_CONFIG: Final = Section(
    {
        "enabled": _B,
        **_of(_S, "intro_token intro_token_file"),
        **_of(_SS, "server_addresses dns_sans ip_sans"),
        "authorization": Section(
            {
                "enabled": _B,
                "static": Section(
                    {
                        "allow_reuse": _B,
                        **_of(_SM, "claim_mappings list_claim_mappings"),
                        **_of(_SS, "bound_audiences claim_assertions jwt_supported_algs jwt_validation_pub_keys"),
                        **_of(_S, "bound_issuer jwks_ca_cert jwks_url oidc_discovery_ca_cert oidc_discovery_url"),
                        **_of(_D, "clock_skew_leeway expiration_leeway not_before_leeway"),
                    }
                ),
            }
        ),
    }
)

_AUTOPILOT: Final = Section(
    {
        **_of(_B, "cleanup_dead_servers disable_upgrade_migration"),
        **_of(_D, "last_contact_threshold server_stabilization_time"),
        "max_trailing_logs": _I,
        "min_quorum": _U,
        **_of(_S, "redundancy_zone_tag upgrade_version_tag"),
    }
)

_DNS: Final = Section(
    {
        **_of(_B, "allow_stale enable_truncate only_passing"),
        **_of(_B, "disable_compression enable_additional_node_meta_txt use_cache"),
        **_of(_B, "prefer_namespace"),
        **_of(_D, "max_stale node_ttl recursor_timeout cache_max_age"),
        **_of(_I, "udp_answer_limit a_record_limit"),
        "recursor_strategy": _S,
        "service_ttl": _SM,
        "soa": Section(_of(_U, "refresh retry expire min_ttl")),
    }
)

_GOSSIP: Final = Section(
    {
        **_of(_I, "gossip_nodes retransmit_mult suspicion_mult"),
        **_of(_D, "gossip_interval probe_interval probe_timeout"),
    }
)

_LIMITS: Final = Section(
    {
        **_of(_I, "http_max_conns_per_client rpc_max_burst rpc_max_conns_per_client"),
        **_of(_D, "https_handshake_timeout rpc_handshake_timeout rpc_client_timeout"),
        **_of(_U, "kv_max_value_size txn_max_req_len"),
        "rpc_rate": _F,
        "request_limits": Section({"mode": _S, **_of(_F, "read_rate write_rate")}),
    }
)

_TELEMETRY: Final = Section(
    {
        **_of(_S, "circonus_api_app circonus_api_token"),
        **_of(_S, "circonus_api_url circonus_broker_id circonus_broker_select_tag"),
        **_of(_S, "circonus_check_display_name circonus_check_force_metric_activation circonus_check_id"),
        **_of(_S, "circonus_check_instance_id circonus_check_search_tag circonus_check_tags"),
        **_of(_S, "circonus_submission_interval circonus_submission_url"),
        **_of(_S, "dogstatsd_addr metrics_prefix statsd_address statsite_address"),
        **_of(_SS, "dogstatsd_tags prefix_filter"),
        **_of(_B, "disable_hostname filter_default retry_failed_connection enable_host_metrics"),
        **_of(_B, "disable_per_tenancy_usage_metrics"),
        "prometheus_retention_time": _D,
        "sinks": ListOf(Section({"plugin": _S, "plugin_config": Kind.OPAQUE})),
    }
)

_TLS_COMMON: Final = {
    **_of(_S, "ca_file ca_path cert_file key_file tls_min_version tls_cipher_suites"),
    **_of(_B, "verify_incoming verify_outgoing"),
}

_TLS: Final = Section(
    {
        "defaults": Section({**_TLS_COMMON, "verify_server_hostname": _B}),
        "internal_rpc": Section({**_TLS_COMMON, "verify_server_hostname": _B, "server_name": _S}),
        "https": Section(_TLS_COMMON),
        "grpc": Section({**_TLS_COMMON, "use_auto_cert": _B}),
        "server_name": _S,
        "enable_agent_tls_for_checks": _B,
    }
)

_UI: Final = Section(
    {
        "enabled": _B,
        **_of(_S, "dir content_path metrics_provider metrics_provider_options_json"),
        "metrics_provider_files": _SS,
        "metrics_proxy": Section(
            {"base_url": _S, "path_allowlist": _SS, "add_headers": ListOf(Section(_of(_S, "name value")))}
        ),
        "dashboard_url_templates": _SM,
        **_of(_B, "hcp_enabled read_only"),
    }
)

_RAFT_LOG_STORE: Final = Section(
    {
        "backend": _S,
        "disable_log_cache": _B,
        "verification": Section({"enabled": _B, "interval": _D}),
        "boltdb": Section({"no_freelist_sync": _B}),
        "wal": Section({"segment_size_mb": _I}),
    }
)

_LEGACY_ACL: Final = {
    **_of(_S, "acl_agent_master_token acl_agent_token acl_datacenter acl_default_policy acl_down_policy"),
    **_of(_S, "acl_master_token acl_replication_token acl_token"),
    **_of(_D, "acl_disabled_ttl acl_ttl"),
    **_of(_B, "acl_enable_key_list_policy enable_acl_replication"),
    "acl_enforce_version_8": Kind.IGNORED,
}

CONFIG: Final = Section(
    {
        **_LEGACY_ACL,
        # Addresses and names.
        **_of(_S, "advertise_addr advertise_addr_ipv4 advertise_addr_ipv6"),
        **_of(_S, "advertise_addr_wan advertise_addr_wan_ipv4 advertise_addr_wan_ipv6"),
        **_of(_S, "bind_addr client_addr serf_lan serf_wan data_dir datacenter primary_datacenter domain alt_domain"),
        **_of(_S, "node_id node_name segment partition encrypt pid_file server_name ui_content_path ui_dir"),
        **_of(_S, "log_file log_level syslog_facility license_path revision version version_prerelease"),
        **_of(_S, "ca_file ca_path cert_file key_file tls_cipher_suites tls_min_version"),
        **_of(_D, "ae_interval check_deregister_interval_min check_reap_interval check_update_interval"),
        **_of(_D, "default_query_time max_query_time"),
        **_of(_D, "discovery_max_stale log_rotate_duration primary_gateways_interval"),
        **_of(_D, "raft_snapshot_interval reconnect_timeout reconnect_timeout_wan advertise_reconnect_timeout"),
        **_of(_D, "retry_interval retry_interval_wan"),
        **_of(_D, "session_ttl_min sync_coordinate_interval_min server_rejoin_age_max"),
        # Switches.
        **_of(_B, "bootstrap server disable_anonymous_signature disable_coordinates disable_host_node_id"),
        **_of(_B, "disable_http_unprintable_char_filter disable_keyring_file"),
        **_of(_B, "disable_remote_exec disable_update_check"),
        **_of(_B, "disable_kv_key_validation discard_check_output enable_agent_tls_for_checks"),
        **_of(_B, "enable_central_service_config enable_debug enable_local_script_checks enable_script_checks"),
        **_of(_B, "enable_syslog encrypt_verify_incoming encrypt_verify_outgoing leave_on_terminate log_json"),
        **_of(_B, "non_voting_server read_replica rejoin_after_leave skip_leave_on_interrupt translate_wan_addrs ui"),
        **_of(_B, "tls_prefer_server_cipher_suites verify_incoming verify_incoming_https verify_incoming_rpc"),
        **_of(_B, "verify_outgoing verify_server_hostname auto_reload_config use_streaming_backend"),
        **_of(_B, "raft_prevote_disabled enable_xds_load_balancing"),
        # Numbers.
        **_of(_I, "bootstrap_expect check_output_max_size log_rotate_bytes"),
        **_of(_I, "log_rotate_max_files protocol raft_protocol"),
        **_of(_I, "raft_snapshot_threshold raft_trailing_logs retry_max"),
        **_of(_I, "retry_max_wan segment_limit segment_name_limit"),
        "sync_coordinate_rate_target": _F,
        # Lists and maps.
        **_of(_SS, "primary_gateways recursors retry_join"),
        **_of(_SS, "retry_join_wan serf_lan_allowed_cidrs serf_wan_allowed_cidrs"),
        **_of(_SS, "start_join start_join_wan experiments"),
        **_of(_SM, "log_sublevels node_meta tagged_addresses"),
        "snapshot_agent": Kind.OPAQUE,
        "watches": Kind.OPAQUES,
        # Blocks.
        "acl": _ACL,
        "addresses": Section(_of(_S, "dns http https grpc grpc_tls")),
        "audit": Section({"enabled": _B, "sink": Kind.OPAQUE, "rpc_enabled": _B}),
        "auto_config": _AUTO_CONFIG,
        "auto_encrypt": Section({**_of(_B, "tls allow_tls"), **_of(_SS, "dns_san ip_san")}),
        "autopilot": _AUTOPILOT,
        "cache": Section({"entry_fetch_rate": _F, "entry_fetch_max_burst": _I}),
        "check": CHECK,
        "checks": ListOf(CHECK),
        "cloud": Section(_of(_S, "resource_id client_id client_secret hostname auth_url scada_address node_id")),
        "config_entries": Section({"bootstrap": Kind.OPAQUES}),
        "connect": Section(
            {
                **_of(_B, "enabled enable_mesh_gateway_wan_federation enable_serverless_plugin"),
                "ca_provider": _S,
                "ca_config": Kind.OPAQUE,
                "test_ca_leaf_root_change_spread": _D,
            }
        ),
        "consul": Section(
            {
                "coordinate": Section({**_of(_I, "update_batch_size update_max_batches"), "update_period": _D}),
                "raft": Section(_of(_D, "election_timeout heartbeat_timeout leader_lease_timeout")),
                "server": Section({"health_interval": _D}),
            }
        ),
        "dns_config": _DNS,
        "gossip_lan": _GOSSIP,
        "gossip_wan": _GOSSIP,
        "http_config": Section(
            {
                **_of(_SS, "block_endpoints allow_write_http_from"),
                "response_headers": _SM,
                "use_cache": _B,
                "max_header_bytes": _I,
            }
        ),
        "limits": _LIMITS,
        "locality": _LOCALITY,
        "plugins": Section({"allow": _SS}),
        "peering": Section(_of(_B, "enabled test_allow_peer_registrations")),
        "performance": Section(
            {
                "raft_multiplier": _I,
                **_of(_D, "leave_drain_time rpc_hold_timeout grpc_keepalive_interval grpc_keepalive_timeout"),
            }
        ),
        "ports": Section(
            {
                **_of(_I, "dns http https grpc grpc_tls serf_lan serf_wan server"),
                **_of(_I, "proxy_min_port proxy_max_port sidecar_min_port sidecar_max_port"),
                **_of(_I, "expose_min_port expose_max_port"),
            }
        ),
        "raft_logstore": _RAFT_LOG_STORE,
        "reporting": Section({"license": Section({"enabled": _B})}),
        "rpc": Section({"enable_streaming": _B}),
        "segments": ListOf(Section({**_of(_S, "advertise bind name"), "port": _I, "rpc_listener": _B})),
        "service": _SERVICE,
        "services": ListOf(_SERVICE),
        "telemetry": _TELEMETRY,
        "tls": _TLS,
        "ui_config": _UI,
        "unix_sockets": Section(_of(_S, "user group mode")),
        "xds": Section({"update_max_per_second": _F}),
    }
)
