"""``consul operator raft`` and ``operator autopilot``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.columnize import columnize
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.flags import Flag, FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Field, Json, Struct
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.text import quoted

_RAFT = "/v1/operator/raft"
_AUTOPILOT_ROOT = "/v1/operator/autopilot"
_AUTOPILOT = f"{_AUTOPILOT_ROOT}/configuration"
_SERVER_LINES = (
    ("Name", "Name"), ("Address", "Address"), ("Version", "Version"), ("Status", "Status"), ("Node Type", "NodeType"),
    ("Node Status", "NodeStatus"), ("Healthy", "Healthy"), ("Last Contact", "LastContact"), ("Last Term", "LastTerm"),
    ("Last Index", "LastIndex"), ("Stable Since", "StableSince"),
)  # fmt: skip
_CONFIG = Struct(
    Field("CleanupDeadServers", False),
    Field("LastContactThreshold", "0s"),
    Field("MaxTrailingLogs", 0),
    Field("MinQuorum", 0),
    Field("ServerStabilizationTime", "0s"),
    Field("RedundancyZoneTag"),
    Field("DisableUpgradeMigration", False),
    Field("UpgradeVersionTag"),
    Field("CreateIndex", 0),
    Field("ModifyIndex", 0),
)


class ListPeers(Command):
    """Shows the Raft peers."""

    usage = "consul operator raft list-peers [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = "  Lists the servers of the Raft configuration."

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error getting peers: Failed to retrieve raft configuration: "):
            response = client.ok("GET", f"{_RAFT}/configuration", stale_allowed=True)
            servers = cast("Mapping[str, Sequence[Mapping[str, Json]] | None]", response.json())["Servers"]
        self.ui.out(columnize(_peers_table(servers or ())))
        return 0


def _peers_table(servers: Sequence[Mapping[str, Json]]) -> list[str]:
    """The lines. How far servers are is shown when the one that answered knows (from 1.16 on, and ours)."""
    ends = [int(cast("int", server.get("LastIndex") or 0)) for server in servers]
    leader = next((end for end, server in zip(ends, servers, strict=True) if server["Leader"]), 0)
    lines = ["Node|ID|Address|State|Voter|RaftProtocol" + ("|Commit Index|Trails Leader By" if any(ends) else "")]
    for end, server in zip(ends, servers, strict=True):
        state = "leader" if server["Leader"] else "follower"
        voter = str(bool(server["Voter"])).lower()
        protocol = server.get("ProtocolVersion") or "<=1"
        line = f"{server['Node']}|{server['ID']}|{server['Address']}|{state}|{voter}|{protocol}"
        if any(ends):
            line += f"|{end or '-'}|{_behind(leader - end) if leader and end and not server['Leader'] else '-'}"
        lines.append(line)
    return lines


def _behind(entries: int) -> str:
    # A follower's figure is younger than the leader's at times.
    return "1 commit" if entries == 1 else f"{max(entries, 0)} commits"


class RemovePeer(Command):
    """Removes a Raft peer."""

    usage = "consul operator raft remove-peer [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = """
  Removes a server from the Raft configuration, for servers which are gone and
  can neither leave nor be forced to.
"""

    def define(self, flags: FlagSet) -> None:
        self.address = flags.string("address", "Address of the server.")
        self.id = flags.string("id", "ID of the server.")

    def execute(self, args: list[str]) -> int:
        client = self.client()
        if self.address.value and self.id.value:
            raise Failure("Error removing peer: cannot give both an address and id")
        if not self.address.value and not self.id.value:
            raise Failure("Error removing peer: an address or id is required for the peer to remove")
        kind, value = ("address", self.address.value) if self.address.value else ("id", self.id.value)
        with explain("Error removing peer: "):
            client.ok("DELETE", f"{_RAFT}/peer", {kind: value}).close()
        self.ui.out(f'Removed peer with {kind} "{value}"')
        return 0


class AutopilotGet(Command):
    """Shows the Autopilot configuration."""

    usage = "consul operator autopilot get-config [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = "  Prints the Autopilot configuration."

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error querying Autopilot configuration: "):
            response = client.ok("GET", _AUTOPILOT, stale_allowed=True)
            config = cast("Mapping[str, Json]", _CONFIG.shape(response.json()))
        for field in _CONFIG.fields[:-2]:
            value = config[field.name]
            if isinstance(value, bool):
                text = str(value).lower()
            elif field.zero == "":
                text = quoted(str(value))
            else:
                text = str(value)
            self.ui.out(f"{field.name} = {text}")
        return 0


class AutopilotSet(Command):
    """Changes the Autopilot configuration."""

    usage = "consul operator autopilot set-config [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = "  Changes the Autopilot configuration. What is not given stays as it is."

    def define(self, flags: FlagSet) -> None:
        self.cleanup = flags.optional_boolean(
            "cleanup-dead-servers", "Remove dead servers when new ones have joined: `true|false`."
        )
        self.trailing = flags.optional_unsigned(
            "max-trailing-logs", "How many log entries a healthy server may be behind the leader."
        )
        self.quorum = flags.optional_unsigned("min-quorum", "Never go below this many servers when removing dead ones.")
        self.contact = flags.optional_duration(
            "last-contact-threshold", "How long a healthy server may be without contact to the leader, such as `200ms`."
        )
        self.stabilization = flags.optional_duration(
            "server-stabilization-time", "How long a new server must be healthy before it votes, such as `10s`."
        )
        self.zone = flags.optional_string(
            "redundancy-zone-tag", "(Enterprise-only) Node metadata that names a server's redundancy zone."
        )
        self.migration = flags.optional_boolean(
            "disable-upgrade-migration",
            "(Enterprise-only) Do not hold new servers back until they can take over: `true|false`.",
        )
        self.upgrade = flags.optional_string(
            "upgrade-version-tag", "(Enterprise-only) Node metadata that names a server's version for upgrades."
        )

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error querying Autopilot configuration: "):
            config = dict(cast("Mapping[str, Json]", _CONFIG.shape(client.get(_AUTOPILOT))))
        plain: tuple[tuple[str, Flag[bool | None] | Flag[int | None] | Flag[str | None]], ...] = (
            ("CleanupDeadServers", self.cleanup),
            ("MaxTrailingLogs", self.trailing),
            ("MinQuorum", self.quorum),
            ("RedundancyZoneTag", self.zone),
            ("DisableUpgradeMigration", self.migration),
            ("UpgradeVersionTag", self.upgrade),
        )
        for name, flag in plain:
            if flag.value is not None:
                config[name] = flag.value
        for name, duration in (
            ("LastContactThreshold", self.contact),
            ("ServerStabilizationTime", self.stabilization),
        ):
            if duration.value is not None:
                config[name] = format_duration(duration.value)
        query = {"cas": cast(int, config["ModifyIndex"])}
        with explain("Error setting Autopilot configuration: "):
            written = b"true" in client.put(_AUTOPILOT, query, body=config).read()
        if written:
            self.ui.out("Configuration updated!")
            return 0
        self.ui.out("Configuration could not be atomically updated, please try again")
        return 1


class AutopilotState(Command):
    """Shows what Autopilot sees."""

    usage = "consul operator autopilot state [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = "  Prints which servers vote, which are healthy, why, and what Autopilot does next."

    def define(self, flags: FlagSet) -> None:
        self.format = flags.string("format", "Output format: `pretty|json`.")

    def execute(self, args: list[str]) -> int:
        if self.format.value not in ("", "pretty", "json"):
            raise Failure(f"Unknown format: {self.format.value}")
        client = self.client()
        with explain("Error querying Autopilot state: "):
            state = cast("Mapping[str, Json]", client.get(f"{_AUTOPILOT_ROOT}/state", stale_allowed=True))
        self.ui.out(gojson.dumps(state, indent="    ") if self.format.value == "json" else _shown_state(state))
        return 0


def _shown_state(state: Mapping[str, Json]) -> str:
    """The summary, then a block per server."""
    lines = [
        f"Healthy:                      {_text(state['Healthy'])}",
        f"Failure Tolerance:            {state['FailureTolerance']}",
        f"Leader:                       {state['Leader']}",
        "Voters:",
        *(f"   {voter}" for voter in cast("Sequence[str]", state["Voters"] or ())),
    ]
    if state.get("Next"):
        lines.append(f"Next:                         {state['Next']}")
    lines += ["", "Servers:"]
    servers = cast("Mapping[str, Mapping[str, Json]]", state["Servers"] or {})
    for server_id, server in servers.items():
        lines.append(f"   {server_id}")
        lines += [f"      {title + ':':<16} {_text(server.get(name))}" for title, name in _SERVER_LINES]
        lines += [f"      {'Why:':<16} {reason}" for reason in cast("Sequence[str]", server.get("Why") or ())]
    return "\n".join(lines)


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class TransferLeader(Command):
    """Hands leadership over."""

    usage = "consul operator raft transfer-leader [options]"
    api = CLIENT_AND_SERVER
    usage_error_prefix = "Failed to parse args: "
    body = "  Has the leader hand leadership to another voter, by default to the one that has most of the log."

    def define(self, flags: FlagSet) -> None:
        self.id = flags.string("id", "ID of the server that shall lead.")

    def execute(self, args: list[str]) -> int:
        client = self.client()
        with explain("Error transferring leadership: "):
            client.ok("POST", f"{_RAFT}/transfer-leader", {"id": self.id.value} if self.id.value else {}).close()
        self.ui.out("Success")
        return 0
