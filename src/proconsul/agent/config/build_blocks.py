"""One function per configuration block: merged values in, frozen struct out.

Source of every meaning and default: configuration reference, section of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host
from proconsul.agent.config.limits import AskingConfig, LimitsConfig, ServingConfig
from proconsul.agent.config.network import join_addresses
from proconsul.agent.config.plugins import build_metrics_sinks
from proconsul.agent.config.runtime import (
    AclConfig,
    AclTokens,
    AutoConfigConfig,
    AutopilotConfig,
    CheckConfig,
    ConnectConfig,
    CoordinateConfig,
    DnsConfig,
    GossipConfig,
    HttpConfig,
    LogConfig,
    QueryConfig,
    SoaConfig,
    TelemetryConfig,
    TlsConfig,
    TlsListenerConfig,
)
from proconsul.agent.config.values import Reader
from proconsul.engine.wire.durations import SECOND_NS
from proconsul.engine.wire.text import quoted

__all__ = [
    "CIPHER_SUITES",
    "build_acl",
    "build_auto_config",
    "build_autopilot",
    "build_checks",
    "build_connect",
    "build_coordinate",
    "build_dns",
    "build_gossip",
    "build_http",
    "build_limits",
    "build_logging",
    "build_queries",
    "build_telemetry",
    "build_tls",
    "build_tokens",
    "parsed_cidrs",
]


def build_acl(config: Reader, engine: Reader) -> AclConfig:
    """The ``acl`` block over the legacy ``acl_*`` keys. Naming an ``acl_datacenter`` turns ACLs on."""
    block = config.block("acl")
    return AclConfig(
        enabled=block.flag("enabled", "acl_datacenter" in config),
        default_policy=block.text("default_policy") or config.text("acl_default_policy"),
        down_policy=block.text("down_policy") or config.text("acl_down_policy"),
        token_ttl_s=block.seconds("token_ttl") if "token_ttl" in block else config.seconds("acl_ttl"),
        policy_ttl_s=block.seconds("policy_ttl"),
        role_ttl_s=block.seconds("role_ttl", engine.block("acl").seconds("role_ttl")),
        disabled_ttl_s=block.seconds("disabled_ttl"),
        enable_key_list_policy=block.flag("enable_key_list_policy", config.flag("acl_enable_key_list_policy")),
        enable_token_replication=block.flag("enable_token_replication", config.flag("enable_acl_replication")),
        enable_token_persistence=block.flag("enable_token_persistence"),
    )


def build_tokens(config: Reader) -> AclTokens:
    """``acl.tokens`` over the legacy ``acl_*_token`` keys."""
    tokens = config.block("acl").block("tokens")

    def token(legacy: str, *names: str) -> str:
        for name in names:
            if name in tokens:
                return tokens.text(name)
        return config.text(legacy)

    return AclTokens(
        initial_management=token("acl_master_token", "initial_management", "master"),
        agent=token("acl_agent_token", "agent"),
        agent_recovery=token("acl_agent_master_token", "agent_recovery", "agent_master"),
        default=token("acl_token", "default"),
        replication=token("acl_replication_token", "replication"),
        config_file_service_registration=tokens.text("config_file_service_registration"),
        dns=tokens.text("dns"),
    )


def build_auto_config(block: Reader) -> AutoConfigConfig:
    authorization = block.block("authorization")
    return AutoConfigConfig(
        enabled=block.flag("enabled"),
        intro_token=block.text("intro_token"),
        intro_token_file=block.text("intro_token_file"),
        server_addresses=block.texts("server_addresses"),
        dns_sans=block.texts("dns_sans"),
        ip_sans=block.texts("ip_sans"),
        authorizer_enabled=authorization.flag("enabled"),
        authorizer=authorization.opaque("static"),
    )


def build_autopilot(block: Reader) -> AutopilotConfig:
    return AutopilotConfig(
        cleanup_dead_servers=block.flag("cleanup_dead_servers"),
        last_contact_threshold_s=block.seconds("last_contact_threshold"),
        max_trailing_logs=block.number("max_trailing_logs"),
        min_quorum=block.number("min_quorum"),
        server_stabilization_time_s=block.seconds("server_stabilization_time"),
        redundancy_zone_tag=block.text("redundancy_zone_tag"),
        disable_upgrade_migration=block.flag("disable_upgrade_migration"),
        upgrade_version_tag=block.text("upgrade_version_tag"),
    )


def build_checks(config: Reader) -> CheckConfig:
    remote = config.flag("enable_script_checks")
    tls = config.block("tls").flag("enable_agent_tls_for_checks", config.flag("enable_agent_tls_for_checks"))
    return CheckConfig(
        update_interval_s=config.seconds("check_update_interval"),
        output_bytes_max=config.number("check_output_max_size"),
        discard_output=config.flag("discard_check_output"),
        enable_remote_scripts=remote,
        enable_local_scripts=remote or config.flag("enable_local_script_checks"),
        enable_agent_tls=tls,
        deregister_interval_min_s=config.seconds("check_deregister_interval_min"),
        reap_interval_s=config.seconds("check_reap_interval"),
    )


# The configuration's spelling of CA settings and the one the CA providers know.
_CA_NAMES: Final = {
    "private_key": "PrivateKey",
    "root_cert": "RootCert",
    "rotation_period": "RotationPeriod",
    "intermediate_cert_ttl": "IntermediateCertTTL",
    "address": "Address",
    "token": "Token",
    "root_pki_path": "RootPKIPath",
    "intermediate_pki_path": "IntermediatePKIPath",
    "ca_file": "CAFile",
    "ca_path": "CAPath",
    "cert_file": "CertFile",
    "key_file": "KeyFile",
    "tls_server_name": "TLSServerName",
    "tls_skip_verify": "TLSSkipVerify",
    "leaf_cert_ttl": "LeafCertTTL",
    "root_cert_ttl": "RootCertTTL",
    "csr_max_per_second": "CSRMaxPerSecond",
    "csr_max_concurrent": "CSRMaxConcurrent",
    "private_key_type": "PrivateKeyType",
    "private_key_bits": "PrivateKeyBits",
    "existing_arn": "ExistingARN",
    "delete_on_exit": "DeleteOnExit",
}


def build_connect(config: Reader) -> ConnectConfig:
    block = config.block("connect")
    enabled = block.flag("enabled")
    federation = block.flag("enable_mesh_gateway_wan_federation")
    if federation and not enabled:
        raise ConfigError("'connect.enable_mesh_gateway_wan_federation=true' requires 'connect.enabled=true'")
    settings = block.opaque("ca_config")
    return ConnectConfig(
        enabled=enabled,
        ca_provider=block.text("ca_provider"),
        ca_config={_CA_NAMES.get(key, key): value for key, value in settings.items()},
        enable_mesh_gateway_wan_federation=federation,
        test_ca_leaf_root_change_spread_s=block.seconds("test_ca_leaf_root_change_spread"),
    )


def build_coordinate(config: Reader) -> CoordinateConfig:
    settings = config.block("consul").block("coordinate")
    return CoordinateConfig(
        disabled=config.flag("disable_coordinates"),
        sync_interval_min_s=config.seconds("sync_coordinate_interval_min"),
        sync_rate_target=config.real("sync_coordinate_rate_target"),
        update_period_s=settings.seconds("update_period"),
        update_batch_size=settings.number("update_batch_size"),
        update_batches_max=settings.number("update_max_batches"),
    )


def _service_ttls(block: Reader) -> dict[str, float]:
    return {
        name: block.issues.duration_ns(f"dns_config.service_ttl[{quoted(name)}]", text) / SECOND_NS
        for name, text in block.text_map("service_ttl").items()
    }


def build_dns(config: Reader, host: Host) -> DnsConfig:
    block = config.block("dns_config")
    soa = block.block("soa")
    return DnsConfig(
        domain=config.text("domain"),
        alt_domain=config.text("alt_domain"),
        recursors=join_addresses(config, host, "recursors"),
        recursor_timeout_s=block.seconds("recursor_timeout"),
        recursor_strategy=block.text("recursor_strategy"),
        allow_stale=block.flag("allow_stale"),
        max_stale_s=block.seconds("max_stale"),
        node_ttl_s=block.seconds("node_ttl"),
        service_ttl_s=_service_ttls(block),
        enable_truncate=block.flag("enable_truncate"),
        only_passing=block.flag("only_passing"),
        disable_compression=block.flag("disable_compression"),
        udp_answer_limit=block.number("udp_answer_limit"),
        a_record_limit=block.number("a_record_limit"),
        node_meta_txt=block.flag("enable_additional_node_meta_txt"),
        use_cache=block.flag("use_cache"),
        cache_max_age_s=block.seconds("cache_max_age"),
        soa=SoaConfig(
            refresh_s=soa.number("refresh"),
            retry_s=soa.number("retry"),
            expire_s=soa.number("expire"),
            min_ttl_s=soa.number("min_ttl"),
        ),
    )


def build_gossip(block: Reader) -> GossipConfig:
    return GossipConfig(
        gossip_nodes=block.number("gossip_nodes"),
        gossip_interval_s=block.seconds("gossip_interval"),
        probe_interval_s=block.seconds("probe_interval"),
        probe_timeout_s=block.seconds("probe_timeout"),
        suspicion_mult=block.number("suspicion_mult"),
        retransmit_mult=block.number("retransmit_mult"),
    )


def parsed_cidrs(texts: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Networks in canonical form, and a fault per text that is none."""
    import ipaddress

    found: list[str] = []
    faults: list[str] = []
    for text in texts:
        try:
            if "/" not in text:
                raise ValueError(text)
            found.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            faults.append(f"invalid cidr: {text}")
    return tuple(found), faults


def build_http(config: Reader) -> HttpConfig:
    block = config.block("http_config")
    sockets = config.block("unix_sockets")
    allowed = block.texts("allow_write_http_from")
    if allowed:
        allowed, faults = parsed_cidrs(allowed)
        for fault in faults:
            config.issues.add(f"allow_write_http_from: {fault}")
    return HttpConfig(
        block_endpoints=block.texts("block_endpoints"),
        response_headers=block.text_map("response_headers"),
        allow_write_http_from=allowed,
        max_header_bytes=block.number("max_header_bytes"),
        disable_unprintable_char_filter=config.flag("disable_http_unprintable_char_filter"),
        unix_socket_user=sockets.text("user"),
        unix_socket_group=sockets.text("group"),
        unix_socket_mode=sockets.text("mode"),
    )


def build_queries(config: Reader) -> QueryConfig:
    return QueryConfig(
        use_cache=config.block("http_config").flag("use_cache"),
        default_query_time_s=config.seconds("default_query_time"),
        max_query_time_s=config.seconds("max_query_time"),
        discovery_max_stale_s=config.seconds("discovery_max_stale"),
    )


def build_limits(config: Reader) -> LimitsConfig:
    block = config.block("limits")
    return LimitsConfig(
        https_handshake_timeout_s=block.seconds("https_handshake_timeout"),
        rpc_handshake_timeout_s=block.seconds("rpc_handshake_timeout"),
        rpc_client_timeout_s=block.seconds("rpc_client_timeout"),
        kv_value_bytes_max=block.number("kv_max_value_size"),
        txn_request_bytes_max=block.number("txn_max_req_len"),
    )


_LIMIT_MODES = ("disabled", "permissive", "enforcing")


def build_serving(config: Reader) -> ServingConfig:
    block = config.block("limits")
    requests = block.block("request_limits")
    mode = requests.text("mode")
    if mode not in _LIMIT_MODES:
        config.issues.add(f"limits.request_limits.mode: {quoted(mode)} is none of {', '.join(_LIMIT_MODES)}")
    return ServingConfig(
        rpc_conns_per_client_max=block.number("rpc_max_conns_per_client"),
        request_limits_mode=mode,
        request_read_rate=requests.real("read_rate"),
        request_write_rate=requests.real("write_rate"),
    )


def build_asking(config: Reader) -> AskingConfig:
    limits, cache = config.block("limits"), config.block("cache")
    return AskingConfig(
        rpc_rate=limits.real("rpc_rate"),
        rpc_burst_max=limits.number("rpc_max_burst"),
        cache_entry_fetch_rate=cache.real("entry_fetch_rate"),
        cache_entry_fetch_burst_max=cache.number("entry_fetch_max_burst"),
    )


def build_logging(config: Reader) -> LogConfig:
    return LogConfig(
        json=config.flag("log_json"),
        file=config.text("log_file"),
        rotate_bytes=config.number("log_rotate_bytes"),
        rotate_duration_s=config.seconds("log_rotate_duration"),
        rotate_files_max=config.number("log_rotate_max_files"),
        syslog=config.flag("enable_syslog"),
        syslog_facility=config.text("syslog_facility"),
    )


def build_telemetry(config: Reader) -> TelemetryConfig:
    block = config.block("telemetry")
    allowed: list[str] = []
    blocked: list[str] = []
    for rule in block.texts("prefix_filter"):
        if not rule:
            config.issues.warn("Cannot have empty filter rule in prefix_filter")
        elif rule[0] == "+":
            allowed.append(rule[1:])
        elif rule[0] == "-":
            blocked.append(rule[1:])
        else:
            config.issues.warn(f"Filter rule must begin with either '+' or '-': {quoted(rule)}")
    return TelemetryConfig(
        metrics_prefix=block.text("metrics_prefix"),
        disable_hostname=block.flag("disable_hostname"),
        filter_default=block.flag("filter_default"),
        allowed_prefixes=tuple(allowed),
        blocked_prefixes=tuple(blocked),
        prometheus_retention_time_s=block.seconds("prometheus_retention_time"),
        statsd_address=block.text("statsd_address"),
        statsite_address=block.text("statsite_address"),
        dogstatsd_address=block.text("dogstatsd_addr"),
        dogstatsd_tags=block.texts("dogstatsd_tags"),
        circonus={key: cast("str", value) for key, value in block.values.items() if key.startswith("circonus_")},
        sinks=build_metrics_sinks(block),
    )


# What can be named for TLS 1.2, with its IANA number (TLS 1.3 has no choice). The last two are newer than 1.8.
CIPHER_SUITES: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": 0xC009,
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": 0xC00A,
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": 0xC013,
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": 0xC014,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": 0xC023,
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": 0xC027,
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B,
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": 0xC02C,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 0xC02F,
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": 0xC030,
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA8,
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA9,
}


def _cipher_suites(config: Reader, text: str) -> tuple[str, ...]:
    suites = tuple(text.split(",")) if text else ()
    for suite in suites:
        if suite not in CIPHER_SUITES:
            fault = f"tls_cipher_suites: invalid tls cipher suites: unsupported cipher {quoted(suite)}"
            if fault not in config.issues.faults:
                config.issues.add(fault)
            return ()
    return suites


# Newer spellings of protocol versions, and the older ones used here.
_TLS_VERSIONS: Final = {"TLSv1_0": "tls10", "TLSv1_1": "tls11", "TLSv1_2": "tls12", "TLSv1_3": "tls13"}


def build_tls(config: Reader) -> TlsConfig:
    """The ``tls`` block (defaults, then per listener) over the older top-level keys."""
    block = config.block("tls")
    defaults = block.block("defaults")

    def listener(name: str, old_verify_incoming: bool) -> TlsListenerConfig:
        own = block.block(name)

        def text(key: str) -> str:
            return own.text(key) or defaults.text(key) or config.text(key)

        def flag(key: str, old: bool) -> bool:
            return own.flag(key, defaults.flag(key, old))

        version = text("tls_min_version")
        return TlsListenerConfig(
            ca_file=text("ca_file"),
            ca_path=text("ca_path"),
            cert_file=text("cert_file"),
            key_file=text("key_file"),
            min_version=_TLS_VERSIONS.get(version, version),
            cipher_suites=_cipher_suites(config, text("tls_cipher_suites")),
            verify_incoming=flag("verify_incoming", old_verify_incoming),
            verify_outgoing=flag("verify_outgoing", config.flag("verify_outgoing")),
        )

    incoming = config.flag("verify_incoming")
    rpc = block.block("internal_rpc")
    hostname = rpc.flag(
        "verify_server_hostname", defaults.flag("verify_server_hostname", config.flag("verify_server_hostname"))
    )
    internal = listener("internal_rpc", incoming or config.flag("verify_incoming_rpc"))
    if hostname and not internal.verify_outgoing:
        import msgspec

        internal = msgspec.structs.replace(internal, verify_outgoing=True)
    return TlsConfig(
        internal_rpc=internal,
        https=listener("https", incoming or config.flag("verify_incoming_https")),
        grpc=listener("grpc", incoming),
        verify_server_hostname=hostname,
        prefer_server_cipher_suites=config.flag("tls_prefer_server_cipher_suites"),
        server_name=rpc.text("server_name") or block.text("server_name") or config.text("server_name"),
        verify_incoming=incoming,
        verify_incoming_rpc=config.flag("verify_incoming_rpc"),
        verify_incoming_https=config.flag("verify_incoming_https"),
    )
