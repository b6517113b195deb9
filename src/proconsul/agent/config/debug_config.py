"""The effective configuration as /v1/agent/self shows it under ``DebugConfig``.

Names, order (alphabetical) and formats are the original's: durations as text, addresses as URLs, secrets ``hidden``.
Pure.
"""

from __future__ import annotations

from typing import Final

from proconsul.agent.config.build_blocks import CIPHER_SUITES
from proconsul.agent.config.debug_definitions import HIDDEN, node_check_view, service_view
from proconsul.agent.config.runtime import Endpoint, GossipConfig, RuntimeConfig
from proconsul.engine.wire.durations import format_seconds

__all__ = ["debug_config"]


def debug_config(config: RuntimeConfig) -> dict[str, object]:
    """Return the JSON data, keys sorted. Nothing secret is in it."""
    view: dict[str, object] = {}
    for part in (
        _identity,
        _acl,
        _auto_config,
        _autopilot,
        _network,
        _gossip,
        _checks,
        _dns,
        _http,
        _limits,
        _joins,
        _logging,
        _raft,
        _telemetry,
        _tls,
        _rest,
    ):
        view.update(part(config))
    for name in config.shown_as_zero:
        view[name] = "0s" if isinstance(view[name], str) else 0
    return dict(sorted(view.items()))


def _duration(seconds: float) -> str:
    return format_seconds(seconds)


def _number(value: float) -> int | float:
    """Go prints whole floats without a fraction."""
    return int(value) if float(value).is_integer() and abs(value) < 1e21 else value


def _urls(endpoints: tuple[Endpoint, ...]) -> list[str]:
    return [str(endpoint) for endpoint in endpoints]


def _identity(config: RuntimeConfig) -> dict[str, object]:
    return {
        "Bootstrap": config.fixed.bootstrap,
        "BootstrapExpect": config.fixed.bootstrap_expect,
        "DataDir": config.fixed.data_dir,
        "Datacenter": config.fixed.datacenter,
        "DevMode": config.fixed.dev_mode,
        "NodeID": config.fixed.node_id,
        "NodeMeta": dict(sorted(config.reloadable.node_meta.items())),
        "NodeName": config.fixed.node_name,
        "NonVotingServer": config.fixed.read_replica,
        "PidFile": config.fixed.pid_file,
        "PrimaryDatacenter": config.fixed.primary_datacenter,
        "PrimaryGateways": list(config.fixed.primary_gateways),
        "PrimaryGatewaysInterval": _duration(config.fixed.primary_gateways_interval_s),
        "Revision": config.fixed.revision,
        "SegmentLimit": config.fixed.segment_count_max,
        "SegmentName": config.fixed.segment,
        "SegmentNameLimit": config.fixed.segment_name_length_max,
        "Segments": [],
        "ServerMode": config.fixed.server,
        "Version": config.fixed.version,
        "VersionPrerelease": config.fixed.version_prerelease,
    }


def _acl(config: RuntimeConfig) -> dict[str, object]:
    acl = config.fixed.acl
    return {
        "ACLAgentMasterToken": HIDDEN,
        "ACLAgentToken": HIDDEN,
        "ACLDatacenter": config.fixed.primary_datacenter,
        "ACLDefaultPolicy": acl.default_policy,
        "ACLDisabledTTL": _duration(acl.disabled_ttl_s),
        "ACLDownPolicy": acl.down_policy,
        "ACLEnableKeyListPolicy": acl.enable_key_list_policy,
        "ACLEnableTokenPersistence": acl.enable_token_persistence,
        "ACLMasterToken": HIDDEN,
        "ACLPolicyTTL": _duration(acl.policy_ttl_s),
        "ACLReplicationToken": HIDDEN,
        "ACLRoleTTL": _duration(acl.role_ttl_s),
        "ACLToken": HIDDEN,
        "ACLTokenReplication": acl.enable_token_replication,
        "ACLTokenTTL": _duration(acl.token_ttl_s),
        "ACLsEnabled": acl.enabled,
    }


def _auto_config(config: RuntimeConfig) -> dict[str, object]:
    auto, static = config.fixed.auto_config, config.fixed.auto_config.authorizer

    def listed(key: str) -> object:
        return static.get(key)

    method = {
        "BoundAudiences": listed("bound_audiences"),
        "BoundIssuer": static.get("bound_issuer", ""),
        "ClaimMappings": listed("claim_mappings"),
        "ClockSkewLeeway": 0,
        "ExpirationLeeway": 0,
        "JWKSCACert": static.get("jwks_ca_cert", ""),
        "JWKSURL": static.get("jwks_url", ""),
        "JWTSupportedAlgs": listed("jwt_supported_algs"),
        "JWTValidationPubKeys": listed("jwt_validation_pub_keys"),
        "ListClaimMappings": listed("list_claim_mappings"),
        "NotBeforeLeeway": 0,
        "OIDCDiscoveryCACert": static.get("oidc_discovery_ca_cert", ""),
        "OIDCDiscoveryURL": static.get("oidc_discovery_url", ""),
    }
    authorizer = {
        "AllowReuse": static.get("allow_reuse", False),
        "AuthMethod": {
            "ACLAuthMethodEnterpriseFields": {},
            "Config": method,
            "Description": "",
            "DisplayName": "",
            "EnterpriseMeta": {},
            "MaxTokenTTL": "0s",
            "Name": "Auto Config Authorizer",
            "RaftIndex": {"CreateIndex": 0, "ModifyIndex": 0},
            "TokenLocality": "",
            "Type": "jwt",
        },
        "ClaimAssertions": static.get("claim_assertions", []),
        "Enabled": auto.authorizer_enabled,
    }
    return {
        "AutoConfig": {
            "Authorizer": authorizer,
            "DNSSANs": list(auto.dns_sans),
            "Enabled": auto.enabled,
            "IPSANs": list(auto.ip_sans),
            "IntroToken": HIDDEN,
            "IntroTokenFile": auto.intro_token_file,
            "ServerAddresses": list(auto.server_addresses),
        },
        "AutoEncryptAllowTLS": config.fixed.auto_encrypt.allow_tls,
        "AutoEncryptDNSSAN": list(config.fixed.auto_encrypt.dns_san),
        "AutoEncryptIPSAN": [_octets(text) for text in config.fixed.auto_encrypt.ip_san],
        "AutoEncryptTLS": config.fixed.auto_encrypt.tls,
    }


def _octets(text: str) -> list[int]:
    """An IP address as its 16 octets, IPv4 mapped into IPv6; that is how the original shows these."""
    import ipaddress

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return []
    return list(address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed)


def _autopilot(config: RuntimeConfig) -> dict[str, object]:
    pilot = config.fixed.autopilot
    return {
        "AutopilotCleanupDeadServers": pilot.cleanup_dead_servers,
        "AutopilotDisableUpgradeMigration": pilot.disable_upgrade_migration,
        "AutopilotLastContactThreshold": _duration(pilot.last_contact_threshold_s),
        "AutopilotMaxTrailingLogs": pilot.max_trailing_logs,
        "AutopilotMinQuorum": pilot.min_quorum,
        "AutopilotRedundancyZoneTag": pilot.redundancy_zone_tag,
        "AutopilotServerStabilizationTime": _duration(pilot.server_stabilization_time_s),
        "AutopilotUpgradeVersionTag": pilot.upgrade_version_tag,
    }


def _network(config: RuntimeConfig) -> dict[str, object]:
    ports = config.fixed.ports
    wan_bind = config.fixed.serf_bind_wan
    return {
        "AdvertiseAddrLAN": config.fixed.advertise_addr_lan,
        "AdvertiseAddrWAN": config.fixed.advertise_addr_wan,
        "BindAddr": config.fixed.bind_addr,
        "ClientAddrs": list(config.fixed.client_addrs),
        "ConnectSidecarMaxPort": ports.sidecar_max,
        "ConnectSidecarMinPort": ports.sidecar_min,
        "ExposeMaxPort": ports.expose_max,
        "ExposeMinPort": ports.expose_min,
        "GRPCAddrs": _urls(config.fixed.grpc_addrs),
        "GRPCPort": ports.grpc,
        "RPCAdvertiseAddr": f"tcp://{config.fixed.rpc_advertise}",
        "RPCBindAddr": f"tcp://{config.fixed.rpc_bind}",
        "SerfAdvertiseAddrLAN": f"tcp://{config.fixed.serf_advertise_lan}",
        "SerfAdvertiseAddrWAN": f"tcp://{config.fixed.serf_advertise_wan}" if wan_bind else "",
        "SerfAllowedCIDRsLAN": list(config.fixed.serf_allowed_cidrs_lan),
        "SerfAllowedCIDRsWAN": list(config.fixed.serf_allowed_cidrs_wan),
        "SerfBindAddrLAN": f"tcp://{config.fixed.serf_bind_lan}",
        "SerfBindAddrWAN": f"tcp://{wan_bind}" if wan_bind else "",
        "SerfPortLAN": ports.serf_lan,
        "SerfPortWAN": ports.serf_wan,
        "ServerPort": ports.server,
        "TaggedAddresses": dict(sorted(config.fixed.tagged_addresses.items())),
        "TranslateWANAddrs": config.fixed.translate_wan_addrs,
    }


def _gossip(config: RuntimeConfig) -> dict[str, object]:
    def pool(name: str, gossip: GossipConfig) -> dict[str, object]:
        return {
            f"Gossip{name}GossipInterval": _duration(gossip.gossip_interval_s),
            f"Gossip{name}GossipNodes": gossip.gossip_nodes,
            f"Gossip{name}ProbeInterval": _duration(gossip.probe_interval_s),
            f"Gossip{name}ProbeTimeout": _duration(gossip.probe_timeout_s),
            f"Gossip{name}RetransmitMult": gossip.retransmit_mult,
            f"Gossip{name}SuspicionMult": gossip.suspicion_mult,
        }

    return {
        **pool("LAN", config.fixed.gossip_lan),
        **pool("WAN", config.fixed.gossip_wan),
        "EncryptKey": HIDDEN,
        "EncryptVerifyIncoming": config.fixed.encrypt_verify_incoming,
        "EncryptVerifyOutgoing": config.fixed.encrypt_verify_outgoing,
        "DisableKeyringFile": config.fixed.disable_keyring_file,
        "LeaveOnTerm": config.reloadable.leave_on_terminate,
        "SkipLeaveOnInt": config.reloadable.skip_leave_on_interrupt,
        "ReconnectTimeoutLAN": _duration(config.fixed.reconnect_timeout_lan_s),
        "ReconnectTimeoutWAN": _duration(config.fixed.reconnect_timeout_wan_s),
    }


def _checks(config: RuntimeConfig) -> dict[str, object]:
    checks = config.reloadable.checks
    return {
        "CheckDeregisterIntervalMin": _duration(checks.deregister_interval_min_s),
        "CheckOutputMaxSize": checks.output_bytes_max,
        "CheckReapInterval": _duration(checks.reap_interval_s),
        "CheckUpdateInterval": _duration(checks.update_interval_s),
        "Checks": [node_check_view(item) for item in config.reloadable.check_definitions],
        "DiscardCheckOutput": checks.discard_output,
        "EnableAgentTLSForChecks": checks.enable_agent_tls,
        "EnableLocalScriptChecks": checks.enable_local_scripts,
        "EnableRemoteScriptChecks": checks.enable_remote_scripts,
        "Services": [service_view(item) for item in config.reloadable.service_definitions],
    }


def _dns(config: RuntimeConfig) -> dict[str, object]:
    dns = config.reloadable.dns
    soa = dns.soa
    return {
        "DNSARecordLimit": dns.a_record_limit,
        "DNSAddrs": _urls(config.fixed.dns_addrs),
        "DNSAllowStale": dns.allow_stale,
        "DNSAltDomain": dns.alt_domain,
        "DNSCacheMaxAge": _duration(dns.cache_max_age_s),
        "DNSDisableCompression": dns.disable_compression,
        "DNSDomain": dns.domain,
        "DNSEnableTruncate": dns.enable_truncate,
        "DNSMaxStale": _duration(dns.max_stale_s),
        "DNSNodeMetaTXT": dns.node_meta_txt,
        "DNSNodeTTL": _duration(dns.node_ttl_s),
        "DNSOnlyPassing": dns.only_passing,
        "DNSPort": config.fixed.ports.dns,
        "DNSRecursorTimeout": _duration(dns.recursor_timeout_s),
        "DNSRecursors": list(dns.recursors),
        "DNSSOA": {"Expire": soa.expire_s, "Minttl": soa.min_ttl_s, "Refresh": soa.refresh_s, "Retry": soa.retry_s},
        "DNSServiceTTL": {name: _duration(ttl_s) for name, ttl_s in sorted(dns.service_ttl_s.items())},
        "DNSUDPAnswerLimit": dns.udp_answer_limit,
        "DNSUseCache": dns.use_cache,
    }


def _http(config: RuntimeConfig) -> dict[str, object]:
    http, queries = config.fixed.http, config.reloadable.queries
    return {
        "AllowWriteHTTPFrom": list(http.allow_write_http_from),
        "DefaultQueryTime": _duration(queries.default_query_time_s),
        "DisableHTTPUnprintableCharFilter": http.disable_unprintable_char_filter,
        "DiscoveryMaxStale": _duration(queries.discovery_max_stale_s),
        "EnableUI": config.fixed.ui.enabled,
        "HTTPAddrs": _urls(config.fixed.http_addrs),
        "HTTPBlockEndpoints": list(http.block_endpoints),
        "HTTPPort": config.fixed.ports.http,
        "HTTPResponseHeaders": dict(sorted(http.response_headers.items())),
        "HTTPSAddrs": _urls(config.fixed.https_addrs),
        "HTTPSPort": config.fixed.ports.https,
        "HTTPUseCache": queries.use_cache,
        "MaxQueryTime": _duration(queries.max_query_time_s),
        "UIContentPath": config.fixed.ui.content_path,
        "UIDir": config.fixed.ui.directory,
        "UnixSocketGroup": http.unix_socket_group,
        "UnixSocketMode": http.unix_socket_mode,
        "UnixSocketUser": http.unix_socket_user,
    }


def _limits(config: RuntimeConfig) -> dict[str, object]:
    limits, asking = config.fixed.limits, config.reloadable.asking
    return {
        "Cache": {
            "EntryFetchMaxBurst": asking.cache_entry_fetch_burst_max,
            "EntryFetchRate": _number(asking.cache_entry_fetch_rate),
        },
        "HTTPMaxConnsPerClient": config.reloadable.http_conns_per_client_max,
        "HTTPSHandshakeTimeout": _duration(limits.https_handshake_timeout_s),
        "KVMaxValueSize": limits.kv_value_bytes_max,
        "RPCHandshakeTimeout": _duration(limits.rpc_handshake_timeout_s),
        "RPCMaxBurst": asking.rpc_burst_max,
        "RPCMaxConnsPerClient": config.reloadable.serving.rpc_conns_per_client_max,
        "RPCRateLimit": _number(asking.rpc_rate),
        "TxnMaxReqLen": limits.txn_request_bytes_max,
    }


def _joins(config: RuntimeConfig) -> dict[str, object]:
    view: dict[str, object] = {"RejoinAfterLeave": config.fixed.rejoin_after_leave}
    for name, join in (("LAN", config.fixed.join_lan), ("WAN", config.fixed.join_wan)):
        view[f"RetryJoin{name}"] = list(join.retry_join)
        view[f"RetryJoinInterval{name}"] = _duration(join.retry_interval_s)
        view[f"RetryJoinMaxAttempts{name}"] = join.retry_attempts_max
        view[f"StartJoinAddrs{name}"] = list(join.start_join)
    return view


def _logging(config: RuntimeConfig) -> dict[str, object]:
    log = config.fixed.logging
    return {
        "Logging": {
            "EnableSyslog": log.syslog,
            "LogFilePath": log.file,
            "LogJSON": log.json,
            "LogLevel": config.reloadable.log_level,
            "LogRotateBytes": log.rotate_bytes,
            "LogRotateDuration": _duration(log.rotate_duration_s),
            "LogRotateMaxFiles": log.rotate_files_max,
            "Name": "",
            "SyslogFacility": log.syslog_facility,
        }
    }


def _raft(config: RuntimeConfig) -> dict[str, object]:
    raft = config.fixed.raft
    return {
        "ConsulCoordinateUpdateBatchSize": config.fixed.coordinate.update_batch_size,
        "ConsulCoordinateUpdateMaxBatches": config.fixed.coordinate.update_batches_max,
        "ConsulCoordinateUpdatePeriod": _duration(config.fixed.coordinate.update_period_s),
        "ConsulRaftElectionTimeout": _duration(raft.election_timeout_s),
        "ConsulRaftHeartbeatTimeout": _duration(raft.heartbeat_timeout_s),
        "ConsulRaftLeaderLeaseTimeout": _duration(raft.leader_lease_timeout_s),
        "ConsulServerHealthInterval": _duration(config.fixed.server_health_interval_s),
        "LeaveDrainTime": _duration(config.fixed.performance.leave_drain_time_s),
        "RPCHoldTimeout": _duration(config.fixed.performance.rpc_hold_timeout_s),
        "RPCProtocol": config.fixed.protocol,
        "RaftProtocol": raft.protocol,
        "RaftSnapshotInterval": _duration(raft.snapshot_interval_s),
        "RaftSnapshotThreshold": raft.snapshot_threshold,
        "RaftTrailingLogs": raft.trailing_logs,
        "SyncCoordinateIntervalMin": _duration(config.fixed.coordinate.sync_interval_min_s),
        "SyncCoordinateRateTarget": _number(config.fixed.coordinate.sync_rate_target),
    }


_CIRCONUS: Final = {
    "circonus_api_app": "CirconusAPIApp",
    "circonus_api_url": "CirconusAPIURL",
    "circonus_broker_id": "CirconusBrokerID",
    "circonus_broker_select_tag": "CirconusBrokerSelectTag",
    "circonus_check_display_name": "CirconusCheckDisplayName",
    "circonus_check_force_metric_activation": "CirconusCheckForceMetricActivation",
    "circonus_check_id": "CirconusCheckID",
    "circonus_check_instance_id": "CirconusCheckInstanceID",
    "circonus_check_search_tag": "CirconusCheckSearchTag",
    "circonus_check_tags": "CirconusCheckTags",
    "circonus_submission_interval": "CirconusSubmissionInterval",
    "circonus_submission_url": "CirconusSubmissionURL",
}


def _telemetry(config: RuntimeConfig) -> dict[str, object]:
    telemetry = config.fixed.telemetry
    view: dict[str, object] = {
        "AllowedPrefixes": list(telemetry.allowed_prefixes),
        "BlockedPrefixes": list(telemetry.blocked_prefixes),
        "CirconusAPIToken": HIDDEN,
        **{name: telemetry.circonus.get(key, "") for key, name in _CIRCONUS.items()},
        "Disable": False,
        "DisableHostname": telemetry.disable_hostname,
        "DogstatsdAddr": telemetry.dogstatsd_address,
        "DogstatsdTags": list(telemetry.dogstatsd_tags),
        "FilterDefault": telemetry.filter_default,
        "MetricsPrefix": telemetry.metrics_prefix,
        "PrometheusRetentionTime": _duration(telemetry.prometheus_retention_time_s),
        "StatsdAddr": telemetry.statsd_address,
        "StatsiteAddr": telemetry.statsite_address,
    }
    return {"Telemetry": dict(sorted(view.items()))}


def _tls(config: RuntimeConfig) -> dict[str, object]:
    tls = config.reloadable.tls
    rpc = tls.internal_rpc
    return {
        "CAFile": rpc.ca_file,
        "CAPath": rpc.ca_path,
        "CertFile": rpc.cert_file,
        "KeyFile": HIDDEN,
        "ServerName": tls.server_name,
        "TLSCipherSuites": [CIPHER_SUITES[name] for name in rpc.cipher_suites],
        "TLSMinVersion": rpc.min_version,
        "TLSPreferServerCipherSuites": tls.prefer_server_cipher_suites,
        "VerifyIncoming": tls.verify_incoming,
        "VerifyIncomingHTTPS": tls.verify_incoming_https,
        "VerifyIncomingRPC": tls.verify_incoming_rpc,
        "VerifyOutgoing": rpc.verify_outgoing,
        "VerifyServerHostname": tls.verify_server_hostname,
    }


def _rest(config: RuntimeConfig) -> dict[str, object]:
    return {
        "AEInterval": _duration(config.fixed.ae_interval_s),
        "ConfigEntryBootstrap": [dict(entry) for entry in config.fixed.config_entry_bootstrap],
        "ConnectCAConfig": {key: _secret_free(key, value) for key, value in config.fixed.connect.ca_config.items()},
        "ConnectCAProvider": config.fixed.connect.ca_provider,
        "ConnectEnabled": config.fixed.connect.enabled,
        "ConnectMeshGatewayWANFederationEnabled": config.fixed.connect.enable_mesh_gateway_wan_federation,
        "ConnectTestCALeafRootChangeSpread": _duration(config.fixed.connect.test_ca_leaf_root_change_spread_s),
        "DisableAnonymousSignature": config.fixed.disable_anonymous_signature,
        "DisableCoordinates": config.fixed.coordinate.disabled,
        "DisableHostNodeID": config.fixed.disable_host_node_id,
        "DisableRemoteExec": config.fixed.disable_remote_exec,
        "DisableUpdateCheck": config.fixed.disable_update_check,
        "EnableCentralServiceConfig": config.fixed.enable_central_service_config,
        "EnableDebug": config.reloadable.enable_debug,
        "EnterpriseRuntimeConfig": {},
        "SessionTTLMin": _duration(config.fixed.session_ttl_min_s),
        "Watches": [{} for _ in config.reloadable.watches],
    }


_CA_SECRETS: Final = frozenset({"Token", "PrivateKey"})


def _secret_free(key: str, value: object) -> object:
    return HIDDEN if key in _CA_SECRETS else value
