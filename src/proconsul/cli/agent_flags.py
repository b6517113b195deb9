"""What the command line of ``agent`` says, before any configuration file is read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class AgentFlags:
    """Flags of ``consul agent``, named like the configuration keys they set.

    ``None`` and empty lists mean "not given".  Durations stay text: the configuration parses and refuses them.
    Dotted keys of the configuration are written with an underscore (``ports.http`` is ``ports_http``).
    """

    # Where configuration comes from, in the order given: ("file", path) or ("dir", path).
    config_files: list[tuple[str, str]] = field(default_factory=list)
    hcl: list[str] = field(default_factory=list)
    config_format: str = ""
    dev: bool = False

    advertise_addr: str | None = None
    advertise_addr_wan: str | None = None
    http_config_allow_write_http_from: list[str] = field(default_factory=list)
    alt_domain: str | None = None
    bind_addr: str | None = None
    bootstrap: bool | None = None
    bootstrap_expect: int | None = None
    check_output_max_size: int | None = None
    client_addr: str | None = None
    data_dir: str | None = None
    datacenter: str | None = None
    default_query_time: str | None = None
    disable_host_node_id: bool | None = None
    disable_keyring_file: bool | None = None
    dns_recursors: list[str] = field(default_factory=list)
    domain: str | None = None
    enable_local_script_checks: bool | None = None
    enable_script_checks: bool | None = None
    enable_syslog: bool | None = None
    encrypt: str | None = None
    log_file: str | None = None
    log_json: bool | None = None
    log_level: str | None = None
    log_rotate_bytes: int | None = None
    log_rotate_duration: str | None = None
    log_rotate_max_files: int | None = None
    max_query_time: str | None = None
    node_id: str | None = None
    node_meta: dict[str, str] = field(default_factory=dict)
    node_name: str | None = None
    non_voting_server: bool | None = None
    pid_file: str | None = None
    ports_dns: int | None = None
    ports_grpc: int | None = None
    ports_http: int | None = None
    ports_https: int | None = None
    ports_serf_lan: int | None = None
    ports_serf_wan: int | None = None
    ports_server: int | None = None
    primary_gateways: list[str] = field(default_factory=list)
    protocol: int | None = None
    raft_protocol: int | None = None
    rejoin_after_leave: bool | None = None
    retry_interval: str | None = None
    retry_interval_wan: str | None = None
    retry_join: list[str] = field(default_factory=list)
    retry_join_wan: list[str] = field(default_factory=list)
    retry_max: int | None = None
    retry_max_wan: int | None = None
    segment: str | None = None
    serf_lan: str | None = None
    serf_lan_allowed_cidrs: list[str] = field(default_factory=list)
    serf_wan: str | None = None
    serf_wan_allowed_cidrs: list[str] = field(default_factory=list)
    server: bool | None = None
    start_join: list[str] = field(default_factory=list)
    start_join_wan: list[str] = field(default_factory=list)
    ui: bool | None = None
    ui_content_path: str | None = None
    ui_dir: str | None = None
