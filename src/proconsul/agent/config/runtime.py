"""The effective configuration of a running agent: a tree of frozen values.

Every duration is in seconds (``_s``), every size in bytes. Fields carry the meaning of the configuration
reference; where Consul shows a zero for "the engine's default", the field here already holds the effective value and
the shown zero is listed in ``RuntimeConfig.shown_as_zero`` (names as in /v1/agent/self DebugConfig).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from proconsul.engine.wire.hostport import Address

__all__ = [
    "AclConfig",
    "AclTokens",
    "Address",
    "AutoConfigConfig",
    "AutoEncryptConfig",
    "AutopilotConfig",
    "CheckConfig",
    "ConnectConfig",
    "DnsConfig",
    "Endpoint",
    "GossipConfig",
    "HttpConfig",
    "JoinConfig",
    "LimitsConfig",
    "LogConfig",
    "PerformanceConfig",
    "PortsConfig",
    "RaftConfig",
    "RuntimeConfig",
    "TelemetryConfig",
    "TlsConfig",
    "TlsListenerConfig",
    "UiConfig",
]

# The largest finite double: how the original spells "no rate limit".
UNLIMITED_RATE: Final = 1.7976931348623157e308


class Endpoint(NamedTuple):
    """Where a listener listens: ``network`` is ``tcp``, ``udp`` or ``unix``; unix uses ``path`` only."""

    network: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = self.path if self.network == "unix" else str(Address(self.host, self.port))
        return f"{self.network}://{where}"


class AclTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens given in the configuration. Empty means none."""

    initial_management: str = ""  # `master` before 1.11
    agent: str = ""
    agent_recovery: str = ""  # `agent_master` before 1.11
    default: str = ""
    replication: str = ""
    config_file_service_registration: str = ""
    dns: str = ""


class AclConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``acl`` block (and the legacy ``acl_*`` keys)."""

    enabled: bool = False
    default_policy: str = "allow"
    down_policy: str = "extend-cache"  # allow, deny, extend-cache or async-cache
    token_ttl_s: float = 30.0
    policy_ttl_s: float = 30.0
    role_ttl_s: float = 30.0
    disabled_ttl_s: float = 120.0
    enable_key_list_policy: bool = False
    enable_token_replication: bool = False
    enable_token_persistence: bool = False
    tokens: AclTokens = AclTokens()


class AutoConfigConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``auto_config`` block; ``authorizer`` holds the ``static`` settings as written."""

    enabled: bool = False
    intro_token: str = ""
    intro_token_file: str = ""
    server_addresses: tuple[str, ...] = ()
    dns_sans: tuple[str, ...] = ()
    ip_sans: tuple[str, ...] = ()
    authorizer_enabled: bool = False
    authorizer: Mapping[str, object] = {}


class AutoEncryptConfig(msgspec.Struct, frozen=True, kw_only=True):
    tls: bool = False
    allow_tls: bool = False
    dns_san: tuple[str, ...] = ()
    ip_san: tuple[str, ...] = ()


class AutopilotConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The initial autopilot settings; later the replicated ones win."""

    cleanup_dead_servers: bool = True
    last_contact_threshold_s: float = 0.2
    max_trailing_logs: int = 250
    min_quorum: int = 0
    server_stabilization_time_s: float = 10.0
    redundancy_zone_tag: str = ""
    disable_upgrade_migration: bool = False
    upgrade_version_tag: str = ""


class CheckConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What applies to all health checks of this agent."""

    update_interval_s: float = 300.0
    output_bytes_max: int = 4096
    discard_output: bool = False
    enable_remote_scripts: bool = False  # enable_script_checks: also through the HTTP API
    enable_local_scripts: bool = False  # enable_local_script_checks or enable_script_checks
    enable_agent_tls: bool = False
    deregister_interval_min_s: float = 60.0
    reap_interval_s: float = 30.0


class ConnectConfig(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    ca_provider: str = ""
    ca_config: Mapping[str, object] = {}  # keys in the form the CA provider knows (LeafCertTTL, ...)
    enable_mesh_gateway_wan_federation: bool = False
    test_ca_leaf_root_change_spread_s: float = 0.0


class SoaConfig(msgspec.Struct, frozen=True, kw_only=True):
    refresh_s: int = 3600
    retry_s: int = 600
    expire_s: int = 86400
    min_ttl_s: int = 0


class DnsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``dns_config`` block, ``domain``, ``alt_domain`` and ``recursors``. Domains are as written."""

    domain: str = "consul."
    alt_domain: str = ""
    recursors: tuple[str, ...] = ()
    recursor_timeout_s: float = 2.0
    recursor_strategy: str = "sequential"
    allow_stale: bool = True
    max_stale_s: float = 87600 * 3600.0
    node_ttl_s: float = 0.0
    service_ttl_s: Mapping[str, float] = {}
    enable_truncate: bool = False
    only_passing: bool = False
    disable_compression: bool = False
    udp_answer_limit: int = 3
    a_record_limit: int = 0
    node_meta_txt: bool = True
    use_cache: bool = False
    cache_max_age_s: float = 0.0
    soa: SoaConfig = SoaConfig()


class GossipConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One gossip pool's timing. The defaults are the LAN's."""

    gossip_nodes: int = 3
    gossip_interval_s: float = 0.2
    probe_interval_s: float = 1.0
    probe_timeout_s: float = 0.5
    suspicion_mult: int = 4
    retransmit_mult: int = 4


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True):
    block_endpoints: tuple[str, ...] = ()
    response_headers: Mapping[str, str] = {}
    allow_write_http_from: tuple[str, ...] = ()  # CIDRs; empty allows everyone
    use_cache: bool = True
    max_header_bytes: int = 0  # 0: the server's default
    disable_unprintable_char_filter: bool = False
    default_query_time_s: float = 300.0
    max_query_time_s: float = 600.0
    discovery_max_stale_s: float = 0.0
    unix_socket_user: str = ""
    unix_socket_group: str = ""
    unix_socket_mode: str = ""


class JoinConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How one pool is joined."""

    start_join: tuple[str, ...] = ()
    retry_join: tuple[str, ...] = ()
    retry_interval_s: float = 30.0
    retry_attempts_max: int = 0  # 0: for ever


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    http_conns_per_client_max: int = 200
    https_handshake_timeout_s: float = 5.0
    rpc_handshake_timeout_s: float = 5.0
    rpc_client_timeout_s: float = 60.0
    rpc_rate: float = -1.0  # negative: unlimited
    rpc_burst_max: int = 1000
    rpc_conns_per_client_max: int = 100
    kv_value_bytes_max: int = 524288
    txn_request_bytes_max: int = 524288
    request_limits_mode: str = "disabled"
    request_read_rate: float = -1.0
    request_write_rate: float = -1.0
    cache_entry_fetch_rate: float = UNLIMITED_RATE
    cache_entry_fetch_burst_max: int = 2


class LogConfig(msgspec.Struct, frozen=True, kw_only=True):
    level: str = "INFO"
    json: bool = False
    file: str = ""
    rotate_bytes: int = 0
    rotate_duration_s: float = 0.0
    rotate_files_max: int = 0
    syslog: bool = False
    syslog_facility: str = "LOCAL0"


class PerformanceConfig(msgspec.Struct, frozen=True, kw_only=True):
    raft_multiplier: int = 5
    leave_drain_time_s: float = 5.0
    rpc_hold_timeout_s: float = 7.0
    grpc_keepalive_interval_s: float = 30.0
    grpc_keepalive_timeout_s: float = 20.0


class PortsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Port numbers; -1 means the listener is off."""

    dns: int = 8600
    http: int = 8500
    https: int = -1
    grpc: int = -1
    grpc_tls: int = -1
    server: int = 8300
    serf_lan: int = 8301
    serf_wan: int = 8302
    sidecar_min: int = 21000
    sidecar_max: int = 21255
    expose_min: int = 21500
    expose_max: int = 21755


class RaftConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Raft's settings; timeouts are already multiplied by ``performance.raft_multiplier``."""

    protocol: int = 3
    heartbeat_timeout_s: float = 5.0
    election_timeout_s: float = 5.0
    leader_lease_timeout_s: float = 2.5
    snapshot_threshold: int = 16384
    snapshot_interval_s: float = 30.0
    trailing_logs: int = 10240


class TelemetryConfig(msgspec.Struct, frozen=True, kw_only=True):
    metrics_prefix: str = "consul"
    disable_hostname: bool = False
    filter_default: bool = True
    allowed_prefixes: tuple[str, ...] = ()
    blocked_prefixes: tuple[str, ...] = ()
    prometheus_retention_time_s: float = 0.0
    statsd_address: str = ""
    statsite_address: str = ""
    dogstatsd_address: str = ""
    dogstatsd_tags: tuple[str, ...] = ()
    circonus: Mapping[str, str] = {}  # the circonus_* keys as written


class TlsListenerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """TLS of one kind of listener (``tls.internal_rpc``, ``tls.https``, ``tls.grpc``)."""

    ca_file: str = ""
    ca_path: str = ""
    cert_file: str = ""
    key_file: str = ""
    min_version: str = "tls12"
    cipher_suites: tuple[str, ...] = ()
    verify_incoming: bool = False
    verify_outgoing: bool = False


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True):
    internal_rpc: TlsListenerConfig = TlsListenerConfig()
    https: TlsListenerConfig = TlsListenerConfig()
    grpc: TlsListenerConfig = TlsListenerConfig()
    verify_server_hostname: bool = False
    prefer_server_cipher_suites: bool = False
    server_name: str = ""
    # The old top-level switches as given, for the DebugConfig view.
    verify_incoming: bool = False
    verify_incoming_rpc: bool = False
    verify_incoming_https: bool = False


class UiConfig(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = False
    directory: str = ""
    content_path: str = "/ui/"  # always with a slash at both ends
    metrics_provider: str = ""
    metrics_provider_files: tuple[str, ...] = ()
    metrics_provider_options_json: str = ""
    metrics_proxy: Mapping[str, object] = {}
    dashboard_url_templates: Mapping[str, str] = {}


class CoordinateConfig(msgspec.Struct, frozen=True, kw_only=True):
    disabled: bool = False
    sync_interval_min_s: float = 15.0
    sync_rate_target: float = 64.0  # updates per second over the whole cluster
    update_period_s: float = 5.0
    update_batch_size: int = 128
    update_batches_max: int = 5


class RuntimeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an agent needs to know. Built by ``build``; see ``load``."""

    # Who we are.
    node_name: str
    node_id: str = ""  # as configured; empty: the agent makes or reads one
    node_meta: Mapping[str, str] = {}
    datacenter: str = "dc1"
    primary_datacenter: str = "dc1"
    primary_datacenter_given: bool = False  # primary_datacenter or acl_datacenter was set
    data_dir: str = ""
    dev_mode: bool = False
    server: bool = False
    bootstrap: bool = False
    bootstrap_expect: int = 0
    read_replica: bool = False
    segment: str = ""
    segment_count_max: int = 64
    segment_name_length_max: int = 64
    version: str = ""
    version_prerelease: str = ""
    revision: str = ""

    # Where we listen and what we tell others.
    bind_addr: str = "0.0.0.0"
    advertise_addr_lan: str = ""
    advertise_addr_wan: str = ""
    client_addrs: tuple[str, ...] = ("127.0.0.1",)
    tagged_addresses: Mapping[str, str] = {}
    translate_wan_addrs: bool = False
    dns_addrs: tuple[Endpoint, ...] = ()
    http_addrs: tuple[Endpoint, ...] = ()
    https_addrs: tuple[Endpoint, ...] = ()
    grpc_addrs: tuple[Endpoint, ...] = ()
    grpc_tls_addrs: tuple[Endpoint, ...] = ()
    rpc_bind: Address
    rpc_advertise: Address
    serf_bind_lan: Address
    serf_bind_wan: Address | None = None  # None: no WAN pool (ports.serf_wan is -1)
    serf_advertise_lan: Address
    serf_advertise_wan: Address
    serf_allowed_cidrs_lan: tuple[str, ...] = ()
    serf_allowed_cidrs_wan: tuple[str, ...] = ()
    ports: PortsConfig = PortsConfig()

    # Membership.
    encrypt_key: str = ""
    encrypt_verify_incoming: bool = True
    encrypt_verify_outgoing: bool = True
    disable_keyring_file: bool = False
    gossip_lan: GossipConfig = GossipConfig()
    gossip_wan: GossipConfig = GossipConfig()
    join_lan: JoinConfig = JoinConfig()
    join_wan: JoinConfig = JoinConfig()
    rejoin_after_leave: bool = False
    leave_on_terminate: bool = True
    skip_leave_on_interrupt: bool = False
    reconnect_timeout_lan_s: float = 72 * 3600.0
    reconnect_timeout_wan_s: float = 72 * 3600.0
    advertise_reconnect_timeout_s: float = 0.0
    primary_gateways: tuple[str, ...] = ()
    primary_gateways_interval_s: float = 30.0

    # Subsystems.
    acl: AclConfig = AclConfig()
    auto_config: AutoConfigConfig = AutoConfigConfig()
    auto_encrypt: AutoEncryptConfig = AutoEncryptConfig()
    autopilot: AutopilotConfig = AutopilotConfig()
    checks: CheckConfig = CheckConfig()
    connect: ConnectConfig = ConnectConfig()
    coordinate: CoordinateConfig = CoordinateConfig()
    dns: DnsConfig = DnsConfig()
    http: HttpConfig = HttpConfig()
    limits: LimitsConfig = LimitsConfig()
    logging: LogConfig = LogConfig()
    performance: PerformanceConfig = PerformanceConfig()
    raft: RaftConfig = RaftConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    tls: TlsConfig = TlsConfig()
    ui: UiConfig = UiConfig()

    # Definitions, as JSON data in the form of the HTTP API (see ``definitions``).
    service_definitions: tuple[Mapping[str, object], ...] = ()
    check_definitions: tuple[Mapping[str, object], ...] = ()
    watches: tuple[Mapping[str, object], ...] = ()
    config_entry_bootstrap: tuple[Mapping[str, object], ...] = ()

    # The rest.
    ae_interval_s: float = 60.0
    server_health_interval_s: float = 2.0
    session_ttl_min_s: float = 10.0
    pid_file: str = ""
    protocol: int = 2
    enable_debug: bool = False
    disable_anonymous_signature: bool = False
    disable_host_node_id: bool = True
    disable_remote_exec: bool = True
    disable_update_check: bool = False
    disable_kv_key_validation: bool = False
    enable_central_service_config: bool = False
    use_streaming_backend: bool = False
    rpc_enable_streaming: bool = True
    auto_reload_config: bool = False
    shown_as_zero: frozenset[str] = frozenset()
    without_effect: tuple[str, ...] = ()  # what was set that does nothing, a sentence per group
