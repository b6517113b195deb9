"""From merged values to the effective configuration.

``build`` reads every block, collects the faults that Consul reports together, checks the rules over the whole and
returns the frozen ``RuntimeConfig`` with its warnings. Apart from the questions asked of ``host`` it is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from proconsul.agent.config.audit import build_audit
from proconsul.agent.config.build_blocks import (
    build_acl,
    build_asking,
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
    build_queries,
    build_serving,
    build_telemetry,
    build_tls,
    build_tokens,
    parsed_cidrs,
)
from proconsul.agent.config.decode import Values
from proconsul.agent.config.defaults import ENGINE, SHOWN_AS_ZERO
from proconsul.agent.config.definitions import check_definition, service_definition
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host
from proconsul.agent.config.issues import Issues
from proconsul.agent.config.network import Network, build_network, build_ports, join_addresses
from proconsul.agent.config.plugins import build_plugins
from proconsul.agent.config.runtime import (
    AutoEncryptConfig,
    FixedConfig,
    JoinConfig,
    PerformanceConfig,
    PortsConfig,
    RaftConfig,
    ReloadableConfig,
    RuntimeConfig,
)
from proconsul.agent.config.ui import build_ui, validate_ui
from proconsul.agent.config.validate import validate_basics, validate_rest, warn_about
from proconsul.agent.config.values import Reader
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.text import multi_error

__all__ = ["build"]

_RAFT_MULTIPLIER_MIN: Final = 1
_RAFT_MULTIPLIER_MAX: Final = 10

_ENTERPRISE_KEYS: Final = ("non_voting_server", "read_replica")


def build(values: Values, host: Host, *, dev: bool) -> tuple[RuntimeConfig, list[str]]:
    """Return the configuration and its warnings. Raises ConfigError with the text for the operator."""
    issues = Issues()
    config = Reader(values, issues)
    _warn_about_keys(config)
    bootstrap = _bootstrap(config)
    ports = build_ports(config)
    _refuse_segments(config)
    network = build_network(config, host, ports)
    fixed = _fixed(config, host, network, ports, dev=dev, bootstrap=bootstrap)
    runtime = RuntimeConfig(
        fixed=fixed, reloadable=_reloadable(config, host), shown_as_zero=_shown_as_zero(config), without_effect=()
    )
    _check_config_entries(fixed.config_entry_bootstrap)
    validate_basics(runtime, host)
    issues.raise_if_any()
    validate_rest(runtime)
    validate_ui(fixed.ui)
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


def _raft(config: Reader, engine: Reader, multiplier: int) -> RaftConfig:
    times = config.block("consul").block("raft")
    return RaftConfig(
        protocol=config.number("raft_protocol") or engine.number("raft_protocol"),
        heartbeat_timeout_s=times.seconds("heartbeat_timeout") * multiplier,
        election_timeout_s=times.seconds("election_timeout") * multiplier,
        leader_lease_timeout_s=times.seconds("leader_lease_timeout") * multiplier,
        snapshot_threshold=config.number("raft_snapshot_threshold") or engine.number("raft_snapshot_threshold"),
        snapshot_interval_s=config.seconds("raft_snapshot_interval") or engine.seconds("raft_snapshot_interval"),
        trailing_logs=config.number("raft_trailing_logs") or engine.number("raft_trailing_logs"),
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
    return frozenset(shown for key, shown in SHOWN_AS_ZERO.items() if not config.has(key))


def _fixed(
    config: Reader, host: Host, network: Network, ports: PortsConfig, *, dev: bool, bootstrap: tuple[bool, int]
) -> FixedConfig:
    """What only a start takes over."""
    engine = Reader(ENGINE, config.issues)
    datacenter = config.text("datacenter").lower()
    given_primary = (config.text("primary_datacenter") or config.text("acl_datacenter")).lower()
    serf_bind_wan = Address(network.serf_bind_wan, ports.serf_wan) if ports.serf_wan > 0 else None
    join_lan, join_wan = _joins(config, host)
    cidrs_lan, cidrs_wan = (_cidrs(config, f"serf_{pool}_allowed_cidrs") for pool in ("lan", "wan"))
    performance = _performance(config)
    encrypt = config.block("auto_encrypt")
    return FixedConfig(
        node_name=(config.text("node_name") or host.hostname()).strip(), node_id=config.text("node_id"),
        datacenter=datacenter, primary_datacenter=given_primary or datacenter,
        primary_datacenter_given=bool(given_primary), data_dir=config.text("data_dir"), dev_mode=dev,
        server=config.flag("server"), bootstrap=bootstrap[0], bootstrap_expect=bootstrap[1],
        read_replica=config.flag("read_replica") or config.flag("non_voting_server"), segment=config.text("segment"),
        segment_count_max=config.number("segment_limit"), segment_name_length_max=config.number("segment_name_limit"),
        version=config.text("version"), version_prerelease=config.text("version_prerelease"),
        revision=config.text("revision"),
        bind_addr=network.bind_addr, advertise_addr_lan=network.advertise_lan,
        advertise_addr_wan=network.advertise_wan, client_addrs=network.client_addrs, tagged_addresses=network.tagged,
        translate_wan_addrs=config.flag("translate_wan_addrs"), dns_addrs=network.dns, http_addrs=network.http,
        https_addrs=network.https, grpc_addrs=network.grpc, grpc_tls_addrs=network.grpc_tls,
        rpc_bind=Address(network.bind_addr, ports.server), rpc_advertise=Address(network.advertise_lan, ports.server),
        serf_bind_lan=Address(network.serf_bind_lan, ports.serf_lan), serf_bind_wan=serf_bind_wan,
        serf_advertise_lan=Address(network.advertise_lan, ports.serf_lan),
        serf_advertise_wan=Address(network.advertise_wan, ports.serf_wan),
        serf_allowed_cidrs_lan=cidrs_lan, serf_allowed_cidrs_wan=cidrs_wan, ports=ports,
        encrypt_key=config.text("encrypt"), encrypt_verify_incoming=config.flag("encrypt_verify_incoming"),
        encrypt_verify_outgoing=config.flag("encrypt_verify_outgoing"),
        disable_keyring_file=config.flag("disable_keyring_file"),
        gossip_lan=build_gossip(config.block("gossip_lan")), gossip_wan=build_gossip(config.block("gossip_wan")),
        join_lan=join_lan, join_wan=join_wan, rejoin_after_leave=config.flag("rejoin_after_leave"),
        reconnect_timeout_lan_s=config.seconds("reconnect_timeout") or engine.seconds("reconnect_timeout"),
        reconnect_timeout_wan_s=config.seconds("reconnect_timeout_wan") or engine.seconds("reconnect_timeout_wan"),
        advertise_reconnect_timeout_s=config.seconds("advertise_reconnect_timeout"),
        primary_gateways=config.texts("primary_gateways"),
        primary_gateways_interval_s=config.seconds("primary_gateways_interval"),
        acl=build_acl(config, engine), auto_config=build_auto_config(config.block("auto_config")),
        auto_encrypt=AutoEncryptConfig(
            tls=encrypt.flag("tls"), allow_tls=encrypt.flag("allow_tls"), dns_san=encrypt.texts("dns_san"),
            ip_san=encrypt.texts("ip_san"),
        ),
        autopilot=build_autopilot(config.block("autopilot")), connect=build_connect(config),
        coordinate=build_coordinate(config), http=build_http(config), limits=build_limits(config),
        logging=build_logging(config), performance=performance,
        raft=_raft(config, engine, performance.raft_multiplier), telemetry=build_telemetry(config),
        ui=build_ui(config), audit=build_audit(config), plugins=build_plugins(config),
        config_entry_bootstrap=tuple(config.block("config_entries").blocks("bootstrap")),
        ae_interval_s=config.seconds("ae_interval"),
        server_health_interval_s=config.block("consul").block("server").seconds("health_interval"),
        session_ttl_min_s=config.seconds("session_ttl_min") or engine.seconds("session_ttl_min"),
        pid_file=config.text("pid_file"), protocol=config.number("protocol"),
        disable_anonymous_signature=config.flag("disable_anonymous_signature"),
        disable_host_node_id=config.flag("disable_host_node_id"),
        disable_remote_exec=config.flag("disable_remote_exec"),
        disable_update_check=config.flag("disable_update_check"),
        disable_kv_key_validation=config.flag("disable_kv_key_validation"),
        enable_central_service_config=config.flag("enable_central_service_config"),
        use_streaming_backend=config.flag("use_streaming_backend"),
        rpc_enable_streaming=config.block("rpc").flag("enable_streaming"),
        auto_reload_config=config.flag("auto_reload_config"),
    )  # fmt: skip


def _reloadable(config: Reader, host: Host) -> ReloadableConfig:
    """What a reload takes over, too."""
    services, checks = _definitions(config)
    server = config.flag("server")
    return ReloadableConfig(
        tokens=build_tokens(config),
        checks=build_checks(config),
        dns=build_dns(config, host),
        queries=build_queries(config),
        tls=build_tls(config),
        node_meta=config.text_map("node_meta"),
        service_definitions=services,
        check_definitions=checks,
        asking=build_asking(config),
        serving=build_serving(config),
        watches=tuple(config.blocks("watches")),
        enable_debug=config.flag("enable_debug"),
        http_conns_per_client_max=config.block("limits").number("http_max_conns_per_client"),
        leave_on_terminate=config.flag("leave_on_terminate", not server),
        skip_leave_on_interrupt=config.flag("skip_leave_on_interrupt", server),
        log_level=config.text("log_level"),
        log_sublevels=config.text_map("log_sublevels"),
    )
