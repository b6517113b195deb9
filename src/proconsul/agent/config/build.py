"""From merged values to the effective configuration.

``build`` reads every block, collects the faults that Consul reports together, checks the rules over the whole and
returns the frozen ``RuntimeConfig`` with its warnings. Apart from the questions asked of ``host`` it is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec

from proconsul.agent.config.build_blocks import (
    build_acl,
    build_auto_config,
    build_autopilot,
    build_checks,
    build_connect,
    build_coordinate,
    build_dns,
    build_gossip,
    build_http,
    build_limits,
    build_logging,
    build_telemetry,
    build_tls,
    build_ui,
    parsed_cidrs,
)
from proconsul.agent.config.decode import Values
from proconsul.agent.config.definitions import check_definition, service_definition
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host
from proconsul.agent.config.issues import Issues
from proconsul.agent.config.network import Network, build_network, build_ports, join_addresses
from proconsul.agent.config.runtime import (
    AutoEncryptConfig,
    JoinConfig,
    PerformanceConfig,
    PortsConfig,
    RaftConfig,
    RuntimeConfig,
)
from proconsul.agent.config.validate import validate_basics, validate_rest, warn_about
from proconsul.agent.config.values import Reader
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.text import multi_error

__all__ = ["build"]

# Times of a Raft group at multiplier 1; the multiplier (1..10) stretches them all.
_RAFT_HEARTBEAT_S: Final = 1.0
_RAFT_ELECTION_S: Final = 1.0
_RAFT_LEASE_S: Final = 0.5
# One node on loopback elects itself at once.
_DEV_RAFT_S: Final = (0.035, 0.052, 0.020)

_RAFT_MULTIPLIER_MIN: Final = 1
_RAFT_MULTIPLIER_MAX: Final = 10

# Keys whose unset value is shown as zero although the engine's default is in force.
_ZERO_WHEN_UNSET: Final = {
    "raft_protocol": "RaftProtocol",
    "raft_snapshot_interval": "RaftSnapshotInterval",
    "raft_snapshot_threshold": "RaftSnapshotThreshold",
    "raft_trailing_logs": "RaftTrailingLogs",
    "reconnect_timeout": "ReconnectTimeoutLAN",
    "reconnect_timeout_wan": "ReconnectTimeoutWAN",
    "session_ttl_min": "SessionTTLMin",
}

_ENTERPRISE_KEYS: Final = ("non_voting_server", "read_replica")


def build(values: Values, host: Host, *, dev: bool) -> tuple[RuntimeConfig, list[str]]:
    """Return the configuration and its warnings. Raises ConfigError with the text for the operator."""
    issues = Issues()
    config = Reader(values, issues)
    _warn_about_keys(config)
    bootstrap, expect = _bootstrap(config)
    ports = build_ports(config)
    _refuse_segments(config)
    network = build_network(config, host, ports)
    runtime = _identified(config, host, network, ports, dev=dev, bootstrap=bootstrap, expect=expect)
    runtime = _with_rest(_with_subsystems(_with_membership(runtime, config, host), config, host), config)
    _check_config_entries(runtime.config_entry_bootstrap)
    validate_basics(runtime, host)
    issues.raise_if_any()
    validate_rest(runtime)
    issues.warnings.extend(warn_about(runtime))
    return runtime, issues.warnings


def _warn_about_keys(config: Reader) -> None:
    if "acl_enforce_version_8" in config:
        config.issues.warn('config key "acl_enforce_version_8" is deprecated and should be removed')
    for key in _ENTERPRISE_KEYS:
        if key in config:
            config.issues.warn(f'"{key}" is a Consul Enterprise configuration and will have no effect')
    if "acl_datacenter" in config:
        config.issues.warn("The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.")


def _refuse_segments(config: Reader) -> None:
    for segment in config.blocks("segments"):
        if cast("int", segment.get("port", 0)) <= 0:
            raise ConfigError(f'Port for segment "{segment.get("name", "")}" cannot be <= 0')
    if config.blocks("segments"):
        raise ConfigError("Network segments are not supported in this version of Consul")


def _bootstrap(config: Reader) -> tuple[bool, int]:
    """Expecting one server is the same as bootstrapping."""
    bootstrap, expect = config.flag("bootstrap"), config.number("bootstrap_expect")
    if expect == 1 and config.flag("server") and not bootstrap:
        config.issues.warn("BootstrapExpect is set to 1; this is the same as Bootstrap mode.")
        return True, 0
    return bootstrap, expect


def _definitions(config: Reader) -> tuple[tuple[Values, ...], tuple[Values, ...]]:
    checks = tuple(check_definition(item, config.issues) for item in config.blocks("checks"))
    services = tuple(service_definition(item, config.issues) for item in config.blocks("services"))
    return services, checks


def _check_config_entries(entries: Sequence[Mapping[str, object]]) -> None:
    """Each bootstrap entry must say its kind; the rest is checked where entries are known."""
    for index, entry in enumerate(entries):
        if not any(key in entry for key in ("kind", "Kind")):
            raise ConfigError(
                f"config_entries.bootstrap[{index}]: Payload does not contain a kind/Kind key at the top level"
            )


def _performance(config: Reader) -> PerformanceConfig:
    block = config.block("performance")
    multiplier = block.number("raft_multiplier")
    if not _RAFT_MULTIPLIER_MIN <= multiplier <= _RAFT_MULTIPLIER_MAX:
        raise ConfigError(f"performance.raft_multiplier cannot be {multiplier}. Must be between 1 and 10")
    return PerformanceConfig(
        raft_multiplier=multiplier,
        leave_drain_time_s=block.seconds("leave_drain_time"),
        rpc_hold_timeout_s=block.seconds("rpc_hold_timeout"),
        grpc_keepalive_interval_s=block.seconds("grpc_keepalive_interval"),
        grpc_keepalive_timeout_s=block.seconds("grpc_keepalive_timeout"),
    )


def _raft(config: Reader, multiplier: int, dev: bool) -> RaftConfig:
    heartbeat_s, election_s, lease_s = _DEV_RAFT_S if dev else (_RAFT_HEARTBEAT_S, _RAFT_ELECTION_S, _RAFT_LEASE_S)
    default = RaftConfig()
    return RaftConfig(
        protocol=config.number("raft_protocol") or default.protocol,
        heartbeat_timeout_s=heartbeat_s * multiplier,
        election_timeout_s=election_s * multiplier,
        leader_lease_timeout_s=lease_s * multiplier,
        snapshot_threshold=config.number("raft_snapshot_threshold") or default.snapshot_threshold,
        snapshot_interval_s=config.seconds("raft_snapshot_interval") or default.snapshot_interval_s,
        trailing_logs=config.number("raft_trailing_logs") or default.trailing_logs,
    )


def _joins(config: Reader, host: Host) -> tuple[JoinConfig, JoinConfig]:
    def one(suffix: str) -> JoinConfig:
        return JoinConfig(
            start_join=join_addresses(config, host, f"start_join{suffix}"),
            retry_join=join_addresses(config, host, f"retry_join{suffix}"),
            retry_interval_s=config.seconds(f"retry_interval{suffix}"),
            retry_attempts_max=config.number(f"retry_max{suffix}"),
        )

    return one(""), one("_wan")


def _cidrs(config: Reader, key: str) -> tuple[str, ...]:
    texts = config.texts(key)
    if not texts:
        return ()
    found, faults = parsed_cidrs(texts)
    if faults:
        raise ConfigError(f"{key}: {multi_error(faults)}")
    return found


def _shown_as_zero(config: Reader) -> frozenset[str]:
    zeros = {shown for key, shown in _ZERO_WHEN_UNSET.items() if key not in config}
    if "role_ttl" not in config.block("acl"):
        zeros.add("ACLRoleTTL")
    return frozenset(zeros)


def _identified(
    config: Reader, host: Host, network: Network, ports: PortsConfig, *, dev: bool, bootstrap: bool, expect: int
) -> RuntimeConfig:
    """Who the agent is and where it is reached; everything else at its default."""
    server = config.flag("server")
    datacenter = config.text("datacenter").lower()
    given_primary = (config.text("primary_datacenter") or config.text("acl_datacenter")).lower()
    serf_wan_on = ports.serf_wan > 0
    return RuntimeConfig(
        node_name=(config.text("node_name") or host.hostname()).strip(),
        node_id=config.text("node_id"),
        node_meta=config.text_map("node_meta"),
        datacenter=datacenter,
        primary_datacenter=given_primary or datacenter,
        primary_datacenter_given=bool(given_primary),
        data_dir=config.text("data_dir"),
        dev_mode=dev,
        server=server,
        bootstrap=bootstrap,
        bootstrap_expect=expect,
        read_replica=config.flag("read_replica") or config.flag("non_voting_server"),
        segment=config.text("segment"),
        bind_addr=network.bind_addr,
        advertise_addr_lan=network.advertise_lan,
        advertise_addr_wan=network.advertise_wan,
        client_addrs=network.client_addrs,
        tagged_addresses=network.tagged,
        translate_wan_addrs=config.flag("translate_wan_addrs"),
        dns_addrs=network.dns,
        http_addrs=network.http,
        https_addrs=network.https,
        grpc_addrs=network.grpc,
        grpc_tls_addrs=network.grpc_tls,
        rpc_bind=Address(network.bind_addr, ports.server),
        rpc_advertise=Address(network.advertise_lan, ports.server),
        serf_bind_lan=Address(network.serf_bind_lan, ports.serf_lan),
        serf_bind_wan=Address(network.serf_bind_wan, ports.serf_wan) if serf_wan_on else None,
        serf_advertise_lan=Address(network.advertise_lan, ports.serf_lan),
        serf_advertise_wan=Address(network.advertise_wan, ports.serf_wan),
        ports=ports,
    )


def _with_membership(runtime: RuntimeConfig, config: Reader, host: Host) -> RuntimeConfig:
    join_lan, join_wan = _joins(config, host)
    server = runtime.server
    hour_s = 3600.0
    return msgspec.structs.replace(
        runtime,
        serf_allowed_cidrs_lan=_cidrs(config, "serf_lan_allowed_cidrs"),
        serf_allowed_cidrs_wan=_cidrs(config, "serf_wan_allowed_cidrs"),
        encrypt_key=config.text("encrypt"),
        encrypt_verify_incoming=config.flag("encrypt_verify_incoming"),
        encrypt_verify_outgoing=config.flag("encrypt_verify_outgoing"),
        disable_keyring_file=config.flag("disable_keyring_file"),
        gossip_lan=build_gossip(config.block("gossip_lan")),
        gossip_wan=build_gossip(config.block("gossip_wan")),
        join_lan=join_lan,
        join_wan=join_wan,
        rejoin_after_leave=config.flag("rejoin_after_leave"),
        leave_on_terminate=config.flag("leave_on_terminate", not server),
        skip_leave_on_interrupt=config.flag("skip_leave_on_interrupt", server),
        reconnect_timeout_lan_s=config.seconds("reconnect_timeout") or 72 * hour_s,
        reconnect_timeout_wan_s=config.seconds("reconnect_timeout_wan") or 72 * hour_s,
        advertise_reconnect_timeout_s=config.seconds("advertise_reconnect_timeout"),
        primary_gateways=config.texts("primary_gateways"),
        primary_gateways_interval_s=config.seconds("primary_gateways_interval"),
    )


def _with_subsystems(runtime: RuntimeConfig, config: Reader, host: Host) -> RuntimeConfig:
    performance = _performance(config)
    dev = runtime.dev_mode
    encrypt = config.block("auto_encrypt")
    return msgspec.structs.replace(
        runtime,
        acl=build_acl(config),
        auto_config=build_auto_config(config.block("auto_config")),
        auto_encrypt=AutoEncryptConfig(
            tls=encrypt.flag("tls"),
            allow_tls=encrypt.flag("allow_tls"),
            dns_san=encrypt.texts("dns_san"),
            ip_san=encrypt.texts("ip_san"),
        ),
        autopilot=build_autopilot(config.block("autopilot")),
        checks=build_checks(config),
        connect=build_connect(config),
        coordinate=build_coordinate(config, dev),
        dns=build_dns(config, host),
        http=build_http(config),
        limits=build_limits(config),
        logging=build_logging(config),
        performance=performance,
        raft=_raft(config, performance.raft_multiplier, dev),
        telemetry=build_telemetry(config),
        tls=build_tls(config),
        ui=build_ui(config),
    )


def _with_rest(runtime: RuntimeConfig, config: Reader) -> RuntimeConfig:
    services, checks = _definitions(config)
    dev = runtime.dev_mode
    return msgspec.structs.replace(
        runtime,
        service_definitions=services,
        check_definitions=checks,
        watches=tuple(config.blocks("watches")),
        config_entry_bootstrap=tuple(config.block("config_entries").blocks("bootstrap")),
        server_health_interval_s=0.01 if dev else 2.0,
        session_ttl_min_s=config.seconds("session_ttl_min") or 10.0,
        pid_file=config.text("pid_file"),
        protocol=config.number("protocol"),
        enable_debug=config.flag("enable_debug"),
        disable_anonymous_signature=config.flag("disable_anonymous_signature"),
        disable_host_node_id=config.flag("disable_host_node_id"),
        disable_remote_exec=config.flag("disable_remote_exec"),
        disable_update_check=config.flag("disable_update_check"),
        disable_kv_key_validation=config.flag("disable_kv_key_validation"),
        enable_central_service_config=config.flag("enable_central_service_config"),
        use_streaming_backend=config.flag("use_streaming_backend"),
        rpc_enable_streaming=config.block("rpc").flag("enable_streaming", True),
        auto_reload_config=config.flag("auto_reload_config"),
        shown_as_zero=_shown_as_zero(config),
    )
