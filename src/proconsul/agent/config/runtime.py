"""The effective configuration of a running agent: a tree of frozen values.

Every duration is in seconds (``_s``), every size in bytes. Fields carry the meaning of the configuration
reference; where Consul shows a zero for "the engine's default", the field here already holds the effective value and
the shown zero is listed in ``RuntimeConfig.shown_as_zero`` (names as in /v1/agent/self DebugConfig).

No field has a default here: what holds when nothing is configured stands in `defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from proconsul.agent.config.limits import AskingConfig, LimitsConfig, ServingConfig
from proconsul.agent.config.runtime_sinks import AuditConfig, PluginsConfig, PluginUse
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
    "FixedConfig",
    "GossipConfig",
    "HttpConfig",
    "JoinConfig",
    "LimitsConfig",
    "LogConfig",
    "PerformanceConfig",
    "PortsConfig",
    "QueryConfig",
    "RaftConfig",
    "ReloadableConfig",
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

    initial_management: str  # `master` before 1.11
    agent: str
    agent_recovery: str  # `agent_master` before 1.11
    default: str
    replication: str
    config_file_service_registration: str
    dns: str


class AclConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``acl`` block (and the legacy ``acl_*`` keys)."""

    enabled: bool
    default_policy: str
    down_policy: str  # allow, deny, extend-cache or async-cache
    token_ttl_s: float
    policy_ttl_s: float
    role_ttl_s: float
    disabled_ttl_s: float
    enable_key_list_policy: bool
    enable_token_replication: bool
    enable_token_persistence: bool


class AutoConfigConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``auto_config`` block; ``authorizer`` holds the ``static`` settings as written."""

    enabled: bool
    intro_token: str
    intro_token_file: str
    server_addresses: tuple[str, ...]
    dns_sans: tuple[str, ...]
    ip_sans: tuple[str, ...]
    authorizer_enabled: bool
    authorizer: Mapping[str, object]


class AutoEncryptConfig(msgspec.Struct, frozen=True, kw_only=True):
    tls: bool
    allow_tls: bool
    dns_san: tuple[str, ...]
    ip_san: tuple[str, ...]


class AutopilotConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The initial autopilot settings; later the replicated ones win."""

    cleanup_dead_servers: bool
    last_contact_threshold_s: float
    max_trailing_logs: int
    min_quorum: int
    server_stabilization_time_s: float
    redundancy_zone_tag: str
    disable_upgrade_migration: bool
    upgrade_version_tag: str


class CheckConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What applies to all health checks of this agent."""

    update_interval_s: float
    output_bytes_max: int
    discard_output: bool
    enable_remote_scripts: bool  # enable_script_checks: also through the HTTP API
    enable_local_scripts: bool  # enable_local_script_checks or enable_script_checks
    enable_agent_tls: bool
    deregister_interval_min_s: float
    reap_interval_s: float


class ConnectConfig(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool
    ca_provider: str
    ca_config: Mapping[str, object]  # keys in the form the CA provider knows (LeafCertTTL, ...)
    enable_mesh_gateway_wan_federation: bool
    test_ca_leaf_root_change_spread_s: float


class SoaConfig(msgspec.Struct, frozen=True, kw_only=True):
    refresh_s: int
    retry_s: int
    expire_s: int
    min_ttl_s: int


class DnsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The ``dns_config`` block, ``domain``, ``alt_domain`` and ``recursors``. Domains are as written."""

    domain: str
    alt_domain: str
    recursors: tuple[str, ...]
    recursor_timeout_s: float
    recursor_strategy: str
    allow_stale: bool
    max_stale_s: float
    node_ttl_s: float
    service_ttl_s: Mapping[str, float]
    enable_truncate: bool
    only_passing: bool
    disable_compression: bool
    udp_answer_limit: int
    a_record_limit: int
    node_meta_txt: bool
    use_cache: bool
    cache_max_age_s: float
    soa: SoaConfig


class GossipConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One gossip pool's timing. The defaults are the LAN's."""

    gossip_nodes: int
    gossip_interval_s: float
    probe_interval_s: float
    probe_timeout_s: float
    suspicion_mult: int
    retransmit_mult: int


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True):
    block_endpoints: tuple[str, ...]
    response_headers: Mapping[str, str]
    allow_write_http_from: tuple[str, ...]  # CIDRs; empty allows everyone
    max_header_bytes: int  # 0: the server's default
    disable_unprintable_char_filter: bool
    unix_socket_user: str
    unix_socket_group: str
    unix_socket_mode: str


class QueryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How long reads wait, and how stale their answers may be."""

    use_cache: bool  # http_config.use_cache: whether ``?cached`` is obeyed
    default_query_time_s: float
    max_query_time_s: float
    discovery_max_stale_s: float


class JoinConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How one pool is joined."""

    start_join: tuple[str, ...]
    retry_join: tuple[str, ...]
    retry_interval_s: float
    retry_attempts_max: int  # 0: for ever


class LogConfig(msgspec.Struct, frozen=True, kw_only=True):
    json: bool
    file: str
    rotate_bytes: int
    rotate_duration_s: float
    rotate_files_max: int
    syslog: bool
    syslog_facility: str


class PerformanceConfig(msgspec.Struct, frozen=True, kw_only=True):
    raft_multiplier: int
    leave_drain_time_s: float
    rpc_hold_timeout_s: float
    grpc_keepalive_interval_s: float
    grpc_keepalive_timeout_s: float


class PortsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Port numbers; -1 means the listener is off."""

    dns: int
    http: int
    https: int
    grpc: int
    grpc_tls: int
    server: int
    serf_lan: int
    serf_wan: int
    sidecar_min: int
    sidecar_max: int
    expose_min: int
    expose_max: int


class RaftConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Raft's settings; timeouts are already multiplied by ``performance.raft_multiplier``."""

    protocol: int
    heartbeat_timeout_s: float
    election_timeout_s: float
    leader_lease_timeout_s: float
    snapshot_threshold: int
    snapshot_interval_s: float
    trailing_logs: int


class TelemetryConfig(msgspec.Struct, frozen=True, kw_only=True):
    metrics_prefix: str
    disable_hostname: bool
    filter_default: bool
    allowed_prefixes: tuple[str, ...]
    blocked_prefixes: tuple[str, ...]
    prometheus_retention_time_s: float
    statsd_address: str
    statsite_address: str
    dogstatsd_address: str
    dogstatsd_tags: tuple[str, ...]
    circonus: Mapping[str, str]  # the circonus_* keys as written
    sinks: tuple[PluginUse, ...]


class TlsListenerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """TLS of one kind of listener (``tls.internal_rpc``, ``tls.https``, ``tls.grpc``)."""

    ca_file: str
    ca_path: str
    cert_file: str
    key_file: str
    min_version: str
    cipher_suites: tuple[str, ...]
    verify_incoming: bool
    verify_outgoing: bool


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True):
    internal_rpc: TlsListenerConfig
    https: TlsListenerConfig
    grpc: TlsListenerConfig
    verify_server_hostname: bool
    prefer_server_cipher_suites: bool
    server_name: str
    # The old top-level switches as given, for the DebugConfig view.
    verify_incoming: bool
    verify_incoming_rpc: bool
    verify_incoming_https: bool


class MetricsProxyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where the web page's questions for metrics go; ``base_url`` empty for nowhere."""

    base_url: str
    path_allowlist: tuple[str, ...]
    add_headers: tuple[tuple[str, str], ...]


class UiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``directory``: of another page than ours, served even when not ``enabled``. ``read_only``: of proconsul's own."""

    enabled: bool
    directory: str
    content_path: str  # always with a slash at both ends
    metrics_provider: str
    metrics_provider_files: tuple[str, ...]
    metrics_provider_options_json: str
    metrics_proxy: MetricsProxyConfig
    dashboard_url_templates: Mapping[str, str]
    read_only: bool


class CoordinateConfig(msgspec.Struct, frozen=True, kw_only=True):
    disabled: bool
    sync_interval_min_s: float
    sync_rate_target: float  # updates per second over the whole cluster
    update_period_s: float
    update_batch_size: int
    update_batches_max: int


class FixedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What holds from the start of an agent to its end."""

    # Who we are.
    node_name: str
    node_id: str  # as configured; empty: the agent makes or reads one
    datacenter: str
    primary_datacenter: str
    primary_datacenter_given: bool  # primary_datacenter or acl_datacenter was set
    data_dir: str
    dev_mode: bool
    server: bool
    bootstrap: bool
    bootstrap_expect: int
    read_replica: bool
    segment: str
    segment_count_max: int
    segment_name_length_max: int
    version: str
    version_prerelease: str
    revision: str

    # Where we listen and what we tell others.
    bind_addr: str
    advertise_addr_lan: str
    advertise_addr_wan: str
    client_addrs: tuple[str, ...]
    tagged_addresses: Mapping[str, str]
    translate_wan_addrs: bool
    dns_addrs: tuple[Endpoint, ...]
    http_addrs: tuple[Endpoint, ...]
    https_addrs: tuple[Endpoint, ...]
    grpc_addrs: tuple[Endpoint, ...]
    grpc_tls_addrs: tuple[Endpoint, ...]
    rpc_bind: Address
    rpc_advertise: Address
    serf_bind_lan: Address
    serf_bind_wan: Address | None  # None: no WAN pool (ports.serf_wan is -1)
    serf_advertise_lan: Address
    serf_advertise_wan: Address
    serf_allowed_cidrs_lan: tuple[str, ...]
    serf_allowed_cidrs_wan: tuple[str, ...]
    ports: PortsConfig

    # Membership.
    encrypt_key: str
    encrypt_verify_incoming: bool
    encrypt_verify_outgoing: bool
    disable_keyring_file: bool
    gossip_lan: GossipConfig
    gossip_wan: GossipConfig
    join_lan: JoinConfig
    join_wan: JoinConfig
    rejoin_after_leave: bool
    reconnect_timeout_lan_s: float
    reconnect_timeout_wan_s: float
    advertise_reconnect_timeout_s: float
    primary_gateways: tuple[str, ...]
    primary_gateways_interval_s: float

    # Subsystems.
    acl: AclConfig
    auto_config: AutoConfigConfig
    auto_encrypt: AutoEncryptConfig
    autopilot: AutopilotConfig
    connect: ConnectConfig
    coordinate: CoordinateConfig
    http: HttpConfig
    limits: LimitsConfig
    logging: LogConfig
    performance: PerformanceConfig
    raft: RaftConfig
    telemetry: TelemetryConfig
    ui: UiConfig
    audit: AuditConfig
    plugins: PluginsConfig

    config_entry_bootstrap: tuple[Mapping[str, object], ...]

    # The rest.
    ae_interval_s: float
    server_health_interval_s: float
    session_ttl_min_s: float
    pid_file: str
    protocol: int
    disable_anonymous_signature: bool
    disable_host_node_id: bool
    disable_remote_exec: bool
    disable_update_check: bool
    disable_kv_key_validation: bool
    enable_central_service_config: bool
    use_streaming_backend: bool
    rpc_enable_streaming: bool
    auto_reload_config: bool


class ReloadableConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload puts into force. Every part of an agent is handed the new one; none keeps the old."""

    tokens: AclTokens
    checks: CheckConfig
    dns: DnsConfig
    queries: QueryConfig
    asking: AskingConfig
    serving: ServingConfig
    tls: TlsConfig
    node_meta: Mapping[str, str]
    service_definitions: tuple[Mapping[str, object], ...]  # as JSON data of the HTTP API (see ``definitions``)
    check_definitions: tuple[Mapping[str, object], ...]
    watches: tuple[Mapping[str, object], ...]
    enable_debug: bool
    http_conns_per_client_max: int
    leave_on_terminate: bool
    skip_leave_on_interrupt: bool
    log_level: str
    log_sublevels: Mapping[str, str]  # of single modules, by their names in the log


class RuntimeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an agent needs to know. Built by ``build``; see ``load``."""

    fixed: FixedConfig
    reloadable: ReloadableConfig
    shown_as_zero: frozenset[str]
    without_effect: tuple[str, ...]  # what was set that does nothing, a sentence per group
