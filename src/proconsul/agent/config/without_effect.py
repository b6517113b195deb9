"""Settings that are read, checked and shown, and that nothing in a running agent asks for: the one table of them.

From it follow the warning at a start or reload (`ignored`) and the section of COMPATIBILITY.md (`as_markdown`). A test
finds the fields and keys that nobody reads and compares; whoever gives a setting its effect takes its line from here.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

from proconsul.agent.config.decode import Values

__all__ = ["GROUPS", "Group", "as_markdown", "ignored", "unread_fields"]


class Group(NamedTuple):
    """Settings without effect for one reason.

    ``settings`` maps the key of a configuration file (its path with dots, as it is merged) to the path of the field of
    the configuration that holds it; "" where no field does. ``fields`` are those that no key of its own fills.
    """

    title: str
    why: str
    settings: Mapping[str, str]
    fields: tuple[str, ...] = ()
    # Nobody has to be told where the agent behaves as if the setting were obeyed.
    told: bool = True


def _same(prefix: str, names: str) -> dict[str, str]:
    """Keys whose fields have the same path."""
    return {prefix + name: prefix + name for name in names.split()}


def _none(prefix: str, names: str) -> dict[str, str]:
    """Keys that fill no field."""
    return {prefix + name: "" for name in names.split()}


GROUPS: Final = (
    Group("service mesh, certificates and configuration from servers", "they are not there yet", {
        **_same("auto_config.", "dns_sans intro_token intro_token_file ip_sans server_addresses"),
        "auto_config.authorization.enabled": "auto_config.authorizer_enabled",
        "auto_config.authorization.static": "auto_config.authorizer",
        **_same("auto_encrypt.", "dns_san ip_san"), "config_entries.bootstrap": "config_entry_bootstrap",
        **_same("connect.", "ca_config ca_provider enable_mesh_gateway_wan_federation enabled"),
        **_none("connect.", "test_ca_leaf_root_change_spread enable_serverless_plugin"),
        **_same("", "enable_central_service_config primary_gateways"),
        "ports.expose_max_port": "ports.expose_max", "ports.expose_min_port": "ports.expose_min",
        "primary_gateways_interval": "primary_gateways_interval_s",
    }, ("connect.test_ca_leaf_root_change_spread_s",)),
    Group("gRPC", "it is not served", {
        "ports.grpc": "grpc_addrs", "ports.grpc_tls": "grpc_tls_addrs", "addresses.grpc": "grpc_addrs",
        "addresses.grpc_tls": "grpc_tls_addrs",
        "performance.grpc_keepalive_interval": "performance.grpc_keepalive_interval_s",
        "performance.grpc_keepalive_timeout": "performance.grpc_keepalive_timeout_s",
        "rpc.enable_streaming": "rpc_enable_streaming", "use_streaming_backend": "use_streaming_backend",
        **_same("tls.grpc.", "ca_file ca_path cert_file key_file verify_incoming verify_outgoing"),
        "tls.grpc.tls_cipher_suites": "tls.grpc.cipher_suites", "tls.grpc.tls_min_version": "tls.grpc.min_version",
        **_none("", "enable_xds_load_balancing tls.grpc.use_auto_cert xds.update_max_per_second"),
    }),
    Group("peering", "it is not there", {
        **_none("peering.", "enabled test_allow_peer_registrations"),
    }),
    Group("limits of calls", "they are as they are", {
        "limits.rpc_client_timeout": "limits.rpc_client_timeout_s",
    }),
    Group("sending metrics elsewhere", "nothing is sent", {
        "telemetry.circonus_*": "telemetry.circonus",
        **_none("telemetry.", "disable_per_tenancy_usage_metrics enable_host_metrics retry_failed_connection"),
    }),
    Group("the UI's own", "there is none of these in ours", {
        "ui_config.metrics_provider_files": "ui.metrics_provider_files", "ui_config.hcp_enabled": "",
    }),
    Group("what belongs to Consul Enterprise, its cloud or later releases", "it is not there", {
        **_none("", "acl.msp_disable_bootstrap acl.tokens.managed_service_provider audit.rpc_enabled"),
        **_none("cloud.", "auth_url client_id client_secret hostname node_id resource_id scada_address"),
        **_none("", "dns_config.prefer_namespace experiments license_path locality.region locality.zone"),
        **_none("", "partition reporting.license.enabled snapshot_agent server_rejoin_age_max raft_prevote_disabled"),
        **_none("raft_logstore.", "backend boltdb.no_freelist_sync disable_log_cache verification.enabled"),
        **_none("raft_logstore.", "verification.interval wal.segment_size_mb"),
    }),
    Group("what no file may change", "they are the program's own, as in Consul", {
        **_none("consul.", "coordinate.update_batch_size coordinate.update_max_batches coordinate.update_period"),
        **_none("consul.", "raft.election_timeout raft.heartbeat_timeout raft.leader_lease_timeout"),
        **_none("", "consul.server.health_interval ae_interval check_deregister_interval_min check_reap_interval"),
        **_none("", "revision version version_prerelease segment_limit segment_name_limit"),
        **_none("", "sync_coordinate_interval_min sync_coordinate_rate_target acl.disabled_ttl acl_disabled_ttl"),
    }, ("coordinate.update_batch_size", "coordinate.update_batches_max")),
    # DNS keeps answers exactly as long as they are true, nobody is called for updates, the node's id is never taken
    # from the machine, there is one version of each protocol.
    Group("what holds in any case, or has nothing to act on", "the agent does without", {
        "dns_config.cache_max_age": "dns.cache_max_age_s",
        **_same("", "disable_anonymous_signature disable_update_check disable_host_node_id protocol"),
        **_same("", "disable_kv_key_validation read_replica"), "raft_protocol": "raft.protocol",
        "non_voting_server": "read_replica", "tls.https.verify_outgoing": "tls.https.verify_outgoing",
    }, told=False),
    Group("reading files again by itself", "send SIGHUP or run `reload`", _same("", "auto_reload_config")),
)  # fmt: skip


def unread_fields() -> frozenset[str]:
    """Paths of the fields of RuntimeConfig that nothing in a running agent reads."""
    return frozenset(field for group in GROUPS for field in (*group.settings.values(), *group.fields) if field)


def ignored(given: Values, defaults: Values) -> tuple[str, ...]:
    """A sentence per group of which something was ``given`` that differs from ``defaults``, naming the keys."""
    keys = set(_asked_for(given, defaults, ""))
    found = []
    for group in GROUPS if keys else ():
        of_group = sorted(keys & group.settings.keys())
        if group.told and of_group:
            found.append(f"settings without effect ({group.title}: {group.why}): {', '.join(of_group)}")
    return tuple(found)


_KEYS: Final = frozenset(key for group in GROUPS for key in group.settings)
_CIRCONUS: Final = "telemetry.circonus_"


def _asked_for(given: Values, defaults: Values, path: str) -> Iterator[str]:
    """The keys of the table that somebody set to what does not hold anyway."""
    for name, value in given.items():
        key = path + name
        if key.startswith(_CIRCONUS):
            key = f"{_CIRCONUS}*"
        usual = defaults.get(name)
        if key in _KEYS:
            if value not in (usual, False, "", [], {}):
                yield key
        elif isinstance(value, dict):
            yield from _asked_for(value, cast("Values", usual) if isinstance(usual, dict) else {}, f"{key}.")


def as_markdown() -> str:
    """The table as the items of a list: keys in code, by group."""
    lines = []
    for group in GROUPS:
        keys = ", ".join(f"`{key}`" for key in sorted(group.settings))
        lines.append(f"- **{group.title[0].upper()}{group.title[1:]}** ({group.why}): {keys}.")
    return "\n".join(lines) + "\n"
