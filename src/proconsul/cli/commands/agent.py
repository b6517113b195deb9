"""``consul agent``: reads the flags and hands over to the agent."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from proconsul.cli.agent_flags import AgentFlags
from proconsul.cli.command import Command, Failure
from proconsul.cli.flags import Flag, FlagSet

# flag -> (field of AgentFlags, description)
_TEXTS = {
    "advertise": ("advertise_addr", "Address other members reach this agent at."),
    "advertise-wan": (
        "advertise_addr_wan",
        "Address servers of other datacenters reach this agent at. Default: that of -advertise.",
    ),
    "alt-domain": ("alt_domain", "Second domain DNS answers for."),
    "bind": ("bind_addr", "Address the cluster traffic binds to."),
    "client": ("client_addr", "Address the HTTP, HTTPS, DNS and gRPC interfaces bind to."),
    "data-dir": ("data_dir", "Directory the agent keeps its state in."),
    "datacenter": ("datacenter", "Datacenter of the agent."),
    "default-query-time": ("default_query_time", "How long a blocking query waits unless it says so itself."),
    "domain": ("domain", "Domain DNS answers for."),
    "encrypt": ("encrypt", "Gossip encryption key, see keygen."),
    "log-file": ("log_file", "File to log to."),
    "log-level": ("log_level", "Least important level to log."),
    "log-rotate-duration": ("log_rotate_duration", "Age after which the log file is rotated."),
    "max-query-time": ("max_query_time", "Longest time a blocking query may wait."),
    "node": ("node_name", "Name of this node, unique in the cluster."),
    "node-id": ("node_id", "ID of this node. Default: made once and kept in the data directory."),
    "pid-file": ("pid_file", "File to write the process ID to."),
    "retry-interval": ("retry_interval", "Pause between attempts of -retry-join."),
    "retry-interval-wan": ("retry_interval_wan", "Pause between attempts of -retry-join-wan."),
    "segment": ("segment", "Network segment to join, a Consul Enterprise feature."),
    "serf-lan-bind": ("serf_lan", "Address LAN gossip binds to."),
    "serf-wan-bind": ("serf_wan", "Address WAN gossip binds to."),
    "ui-content-path": ("ui_content_path", "Path of the web UI. Default: /ui/."),
    "ui-dir": ("ui_dir", "Directory with the files of another web UI."),
}
_NUMBERS = {
    "bootstrap-expect": ("bootstrap_expect", "How many servers to wait for before the first election."),
    "check_output_max_size": ("check_output_max_size", "Longest check output to keep, in bytes."),
    "dns-port": ("ports_dns", "Port of the DNS interface."),
    "grpc-port": ("ports_grpc", "Port of the gRPC interface, for Envoy."),
    "http-port": ("ports_http", "Port of the HTTP API."),
    "https-port": ("ports_https", "Port of the HTTPS API."),
    "log-rotate-bytes": ("log_rotate_bytes", "Size at which the log file is rotated."),
    "log-rotate-max-files": ("log_rotate_max_files", "How many rotated log files to keep."),
    "protocol": ("protocol", "Protocol version to speak. Default: the newest."),
    "raft-protocol": ("raft_protocol", "Raft protocol version. Default: the newest."),
    "retry-max": ("retry_max", "How often to try -retry-join. Default: 0, for ever."),
    "retry-max-wan": ("retry_max_wan", "How often to try -retry-join-wan. Default: 0, for ever."),
    "serf-lan-port": ("ports_serf_lan", "Port of LAN gossip."),
    "serf-wan-port": ("ports_serf_wan", "Port of WAN gossip."),
    "server-port": ("ports_server", "Port of the servers' RPC."),
}
_SWITCHES = {
    "bootstrap": ("bootstrap", "Let this single server elect itself."),
    "disable-host-node-id": ("disable_host_node_id", "Make a random node ID, not one from the host."),
    "disable-keyring-file": ("disable_keyring_file", "Keep gossip keys in memory only."),
    "enable-local-script-checks": ("enable_local_script_checks", "Allow script checks from configuration files."),
    "enable-script-checks": ("enable_script_checks", "Allow script checks, also over the API."),
    "log-json": ("log_json", "Log as JSON."),
    "non-voting-server": ("non_voting_server", "Follow Raft without a vote, a Consul Enterprise feature."),
    "rejoin": ("rejoin_after_leave", "Join again although the agent left before."),
    "server": ("server", "Be a server."),
    "syslog": ("enable_syslog", "Log to syslog."),
    "ui": ("ui", "Serve the web UI."),
}
_LISTS = {
    "allow-write-http-from": (
        "http_config_allow_write_http_from",
        "Accept writes over HTTP only from this network (CIDR). Repeat for more.",
    ),
    "join": ("start_join", "Member to join at start. Repeat for more."),
    "join-wan": ("start_join_wan", "Server of another datacenter to join at start. Repeat for more."),
    "primary-gateway": (
        "primary_gateways",
        "Mesh gateway of the primary datacenter to federate through. Repeat for more.",
    ),
    "recursor": ("dns_recursors", "DNS server to ask about other domains. Repeat for more."),
    "retry-join": ("retry_join", "Member to join at start, tried until it works. Repeat for more."),
    "retry-join-wan": (
        "retry_join_wan",
        "Server of another datacenter to join, tried until it works. Repeat for more.",
    ),
    "serf-lan-allowed-cidrs": ("serf_lan_allowed_cidrs", "Network LAN members must be in. Repeat for more."),
    "serf-wan-allowed-cidrs": ("serf_wan_allowed_cidrs", "Network WAN members must be in. Repeat for more."),
}


class RunsAgent(Protocol):
    """The agent's own entry point."""

    def __call__(self, flags: AgentFlags) -> int:
        """Run until the agent stops; return the exit code."""


class Agent(Command):
    """Runs an agent."""

    usage = "consul agent [options]"
    body = "  Runs an agent, client or server, until it is told to stop."

    def define(self, flags: FlagSet) -> None:
        self._given: list[tuple[str, Flag[object]]] = []
        self._sources: list[tuple[str, str]] = []
        for name, (target, usage) in _TEXTS.items():
            self._given.append((target, flags.optional_string(name, usage)))  # type: ignore[arg-type]
        for name, (target, usage) in _NUMBERS.items():
            self._given.append((target, flags.optional_integer(name, usage)))  # type: ignore[arg-type]
        for name, (target, usage) in _SWITCHES.items():
            self._given.append((target, flags.optional_boolean(name, usage)))  # type: ignore[arg-type]
        for name, (target, usage) in _LISTS.items():
            self._given.append((target, flags.strings(name, usage)))  # type: ignore[arg-type]
        self.node_meta = flags.strings("node-meta", "Metadata of this node as `key:value`. Repeat for more.")
        self.hcl = flags.strings("hcl", "Piece of configuration in HCL. Repeat for more.")
        self.config_format = flags.string(
            "config-format", "Format of configuration files, whatever their extension: 'hcl' or 'json'."
        )
        self.dev = flags.optional_boolean("dev", "Run a server for development: alone, in memory.")
        self._source(
            flags,
            "config-dir",
            "dir",
            "Directory to read .json and .hcl configuration from, in alphabetical order. Repeat for more.",
        )
        self._source(flags, "config-file", "file", "Configuration file, .json or .hcl. Repeat for more.")

    def _source(self, flags: FlagSet, name: str, kind: str, usage: str) -> None:
        def read(text: str, old: list[str]) -> list[str]:
            self._sources.append((kind, text))
            return [*old, text]

        empty: list[str] = []
        flags.add(Flag(name, empty, usage, read))

    def execute(self, args: list[str]) -> int:
        if args:
            raise Failure(f"==> Unexpected extra arguments: [{' '.join(args)}]")
        if self.config_format.value not in ("", "hcl", "json"):
            raise Failure("==> config: -config-format must be either 'hcl' or 'json'")
        run = cast(RunsAgent, import_module("proconsul.agent.main").run)
        return run(self.values())

    def values(self) -> AgentFlags:
        """Return what was given."""
        found = AgentFlags(
            config_files=list(self._sources),
            hcl=list(self.hcl.value),
            config_format=self.config_format.value,
            dev=bool(self.dev.value),
            node_meta=dict(_pair(text) for text in self.node_meta.value),
        )
        for target, flag in self._given:
            if flag.is_set:
                setattr(found, target, flag.value)
        return found


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key, value
