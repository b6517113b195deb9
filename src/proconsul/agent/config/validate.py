"""Rules over the finished configuration, in the order the original checks them, with its texts.

Pure apart from asking the host about directories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.config.ui import validate_choice, validate_content_path
from proconsul.engine.wire import gobase64, gojson
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import DefinitionError, ServiceDefinition, validate_meta, validate_service

__all__ = ["validate_basics", "validate_rest", "warn_about"]

_DATACENTER: Final = re.compile(r"[a-z0-9_-]+")
_DNS_NAME: Final = re.compile(r"[A-Za-z0-9-]+")

DNS_LABEL_LENGTH_MAX: Final = 63


def validate_basics(config: RuntimeConfig, host: Host) -> None:
    """The rules checked before the collected faults are reported. Raises ConfigError at the first one broken."""
    _validate_identity(config, host)
    _validate_bootstrap(config)
    _validate_numbers(config)
    try:
        validate_meta(dict(config.reloadable.node_meta))
    except DefinitionError as error:
        raise ConfigError(f"node_meta invalid: {error}") from None
    if config.fixed.encrypt_key:
        try:
            gobase64.decode(config.fixed.encrypt_key)
        except gobase64.Base64Error as error:
            raise ConfigError(f"encrypt has invalid key: {error}") from None
    _validate_addresses(config)
    if config.fixed.segment:
        raise ConfigError("Network segments are not supported in this version of Consul")


def validate_rest(config: RuntimeConfig) -> None:
    """The rules checked afterwards. Raises ConfigError at the first one broken."""
    _validate_unique(config)
    _validate_services(config)
    _validate_connect_and_cache(config)
    _validate_auto_config(config)


def _validate_identity(config: RuntimeConfig, host: Host) -> None:
    if not config.fixed.datacenter:
        raise ConfigError("datacenter cannot be empty")
    if not _DATACENTER.fullmatch(config.fixed.datacenter):
        raise ConfigError(f'datacenter cannot be "{config.fixed.datacenter}". Please use only [a-z0-9-_]')
    if not config.fixed.data_dir and not config.fixed.dev_mode:
        raise ConfigError("data_dir cannot be empty")
    validate_content_path(config.fixed.ui.content_path)
    if config.fixed.data_dir and not config.fixed.dev_mode and host.is_directory(config.fixed.data_dir) is False:
        raise ConfigError(f'data_dir "{config.fixed.data_dir}" is not a directory')
    if not config.fixed.node_name:
        raise ConfigError("node_name cannot be empty")
    validate_choice(config.fixed.ui, dev_mode=config.fixed.dev_mode)


def _validate_numbers(config: RuntimeConfig) -> None:
    if config.reloadable.checks.output_bytes_max < 1:
        raise ConfigError(
            "check_output_max_size must be positive, to discard check output use the discard_check_output flag"
        )
    for name, number in (
        ("autopilot.max_trailing_logs", config.fixed.autopilot.max_trailing_logs),
        ("dns_config.udp_answer_limit", config.reloadable.dns.udp_answer_limit),
        ("dns_config.a_record_limit", config.reloadable.dns.a_record_limit),
    ):
        if number < 0:
            raise ConfigError(f"{name} cannot be {number}. Must be greater than or equal to zero")


def _validate_bootstrap(config: RuntimeConfig) -> None:
    if config.fixed.bootstrap and not config.fixed.server:
        raise ConfigError("'bootstrap = true' requires 'server = true'")
    if config.fixed.bootstrap_expect < 0:
        raise ConfigError(
            f"bootstrap_expect cannot be {config.fixed.bootstrap_expect}. Must be greater than or equal to zero"
        )
    if config.fixed.bootstrap_expect > 0 and not config.fixed.server:
        raise ConfigError("'bootstrap_expect > 0' requires 'server = true'")
    if config.fixed.bootstrap_expect > 0 and config.fixed.dev_mode:
        raise ConfigError("'bootstrap_expect > 0' not allowed in dev mode")
    if config.fixed.bootstrap_expect > 0 and config.fixed.bootstrap:
        raise ConfigError("'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive")


def _validate_addresses(config: RuntimeConfig) -> None:
    if config.fixed.primary_datacenter_given and not _DATACENTER.fullmatch(config.fixed.primary_datacenter):
        raise ConfigError(f'acl_datacenter cannot be "{config.fixed.primary_datacenter}". Please use only [a-z0-9-_]')
    if config.fixed.primary_gateways and not config.fixed.server:
        raise ConfigError("'primary_gateways' requires 'server = true'")
    if any(endpoint.network == "unix" for endpoint in config.fixed.dns_addrs):
        raise ConfigError("DNS address cannot be a unix socket")
    anything = ("0.0.0.0", "::", "[::]")
    if config.fixed.advertise_addr_lan in anything:
        raise ConfigError("Advertise address cannot be 0.0.0.0, :: or [::]")
    if config.fixed.advertise_addr_wan in anything:
        raise ConfigError("Advertise WAN address cannot be 0.0.0.0, :: or [::]")


def _validate_unique(config: RuntimeConfig) -> None:
    """No two listeners share an address."""
    used: dict[str, str] = {}

    def claim(address: str, name: str) -> None:
        if address in used:
            raise ConfigError(f"{name} address {address} already configured for {used[address]}")
        used[address] = name

    for endpoint in config.fixed.dns_addrs:
        if endpoint.network == "udp":
            claim(str(endpoint).removeprefix("udp://"), "DNS")
    for name, endpoints in (("HTTP", config.fixed.http_addrs), ("HTTPS", config.fixed.https_addrs)):
        for endpoint in endpoints:
            claim(endpoint.path if endpoint.network == "unix" else str(endpoint).removeprefix("tcp://"), name)
    claim(str(config.fixed.rpc_advertise), "RPC Advertise")
    claim(str(config.fixed.serf_advertise_lan), "Serf Advertise LAN")
    if config.fixed.ports.serf_wan > 0:
        claim(str(config.fixed.serf_advertise_wan), "Serf Advertise WAN")


def _validate_services(config: RuntimeConfig) -> None:
    for raw in config.reloadable.service_definitions:
        definition: ServiceDefinition = gojson.from_plain(ServiceDefinition, _ports_for_sockets(raw))
        try:
            validate_service(definition.node_service())
        except DefinitionError as error:
            raise ConfigError(f"service {quoted(definition.Name)}: {error}") from None


def _ports_for_sockets(service: Mapping[str, object]) -> dict[str, object]:
    """With a port of no meaning wherever there is a socket's path instead, which the rules of 1.8.7 do not know."""
    result = dict(service)
    if service.get("SocketPath"):
        result.setdefault("Port", 1)
    proxy = cast("Mapping[str, object]", service.get("Proxy") or {})
    upstreams = cast("list[Mapping[str, object]]", proxy.get("Upstreams") or [])
    if any(one.get("LocalBindSocketPath") for one in upstreams):
        numbered = [
            {"LocalBindPort": 65536 + number, **one} if one.get("LocalBindSocketPath") else one
            for number, one in enumerate(upstreams)
        ]
        result["Proxy"] = {**proxy, "Upstreams": numbered}
    return result


_CA_PROVIDERS: Final = frozenset({"", "consul", "vault", "aws-pca"})


def _validate_connect_and_cache(config: RuntimeConfig) -> None:
    if config.fixed.connect.ca_provider not in _CA_PROVIDERS:
        raise ConfigError(f"{config.fixed.connect.ca_provider} is not a valid CA provider")
    if config.fixed.connect.ca_provider == "vault" and not config.fixed.connect.ca_config.get("Token"):
        raise ConfigError("must provide a Vault token")
    if config.fixed.server and config.fixed.auto_encrypt.tls:
        raise ConfigError("auto_encrypt.tls can only be used on a client.")
    if not config.fixed.server and config.fixed.auto_encrypt.allow_tls:
        raise ConfigError("auto_encrypt.allow_tls can only be used on a server.")
    if config.reloadable.asking.cache_entry_fetch_rate <= 0:
        rate = f"{config.reloadable.asking.cache_entry_fetch_rate:g}"
        raise ConfigError(f"cache.entry_fetch_rate must be strictly positive, was: {rate}")
    if config.reloadable.asking.cache_entry_fetch_burst_max <= 0:
        burst = config.reloadable.asking.cache_entry_fetch_burst_max
        raise ConfigError(f"cache.entry_fetch_max_burst must be strictly positive, was: {burst}")


def _validate_auto_config(config: RuntimeConfig) -> None:
    if config.fixed.auto_config.authorizer_enabled and not config.fixed.server:
        raise ConfigError("auto_config.authorization.enabled cannot be set to true for client agents")
    if not config.fixed.auto_config.enabled:
        return
    if not config.reloadable.tls.internal_rpc.verify_outgoing:
        raise ConfigError("auto_config.enabled cannot be set without configuring TLS for server communications")
    if config.fixed.server:
        raise ConfigError("auto_config.enabled cannot be set to true for server agents.")
    if config.fixed.auto_encrypt.tls:
        raise ConfigError("both auto_encrypt.tls and auto_config.enabled cannot be set to true.")
    if not config.fixed.auto_config.intro_token and not config.fixed.auto_config.intro_token_file:
        raise ConfigError(
            "One of auto_config.intro_token, auto_config.intro_token_file or the CONSUL_INTRO_TOKEN environment "
            "variable must be set to enable auto_config"
        )
    if not config.fixed.auto_config.server_addresses:
        raise ConfigError("auto_config.enabled is set without providing a list of addresses")


_TABLE_URL: Final = "https://www.consul.io/docs/internals/consensus.html#deployment-table"
_RCE_URL: Final = "https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/"


def warn_about(config: RuntimeConfig) -> list[str]:
    """Warnings about a valid configuration, in the order shown."""
    found: list[str] = []
    name = config.fixed.node_name
    if name and not _DNS_NAME.fullmatch(name):
        found.append(
            f"Node name {quoted(name)} will not be discoverable via DNS due to invalid characters. "
            "Valid characters include all alpha-numerics and dashes."
        )
    elif len(name) > DNS_LABEL_LENGTH_MAX:
        found.append(
            f"Node name {quoted(name)} will not be discoverable via DNS due to it being too long. "
            f"Valid lengths are between 1 and {DNS_LABEL_LENGTH_MAX} bytes."
        )
    expect = config.fixed.bootstrap_expect
    if expect == 2:
        found.append(
            f"bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance. See {_TABLE_URL}"
        )
    if expect > 2 and expect % 2 == 0:
        found.append(
            "bootstrap_expect is even number: A cluster with an even number of servers does not achieve optimum "
            f"fault tolerance. See {_TABLE_URL}"
        )
    if expect > 0:
        found.append(f"bootstrap_expect > 0: expecting {expect} servers")
    if config.fixed.bootstrap:
        found.append("bootstrap = true: do not enable unless necessary")
    scripts_open = config.reloadable.checks.enable_remote_scripts and not config.fixed.acl.enabled
    if scripts_open and not config.fixed.http.allow_write_http_from:
        found.append(
            "using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, "
            f"use enable-local-script-checks instead, see {_RCE_URL}"
        )
    tls = config.reloadable.tls
    if config.fixed.auto_encrypt.allow_tls and not (tls.verify_incoming or tls.verify_incoming_rpc):
        found.append(
            "if auto_encrypt.allow_tls is turned on, either verify_incoming or verify_incoming_rpc should be enabled. "
            "It is necessary to turn it off during a migration to TLS, "
            "but it should definitely be turned on afterwards."
        )
    return found
