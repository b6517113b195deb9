"""``consul members``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from proconsul.cli.columnize import columnize
from proconsul.cli.command import Api, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json
from proconsul.engine.wire.goregexp import compile_go
from proconsul.engine.wire.hostport import join_host_port

Member = Mapping[str, Json]

# serf.MemberStatus in its order of numbers.
_STATUS = ("none", "alive", "leaving", "left", "failed")
_SEPARATOR = "\x1f"


class Members(Command):
    """Lists the members of the gossip pool."""

    usage = "consul members [options]"
    api = Api.CLIENT
    body = """
  Lists the members the agent knows by gossip. With -why, tells what the agent
  has heard about one of them, from whom and when: an extension of proconsul's
  own, which other agents do not answer.

      $ consul members -why n1
"""

    def define(self, flags: FlagSet) -> None:
        self.detailed = flags.boolean("detailed", "Print the gossip tags of each member.")
        self.wan = flags.boolean("wan", "List the servers of all datacenters; only servers know them.")
        self.status = flags.string("status", "Only members whose status matches this regular expression.", ".*")
        self.why = flags.string("why", "Tell what led to the status of the member of this name.")
        self.segment = flags.string(
            "segment", "Only members of this network segment, a Consul Enterprise feature.", "_all"
        )

    def execute(self, args: list[str]) -> int:
        try:
            wanted = compile_go(self.status.value)
        except ValueError as error:
            raise Failure(f"Failed to compile status regexp: {error}") from None
        query = {"segment": self.segment.value} if self.segment.value else {}
        if self.wan.value:
            query["wan"] = "1"
        if self.why.value:
            query["why"] = self.why.value
        client = self.client()
        if self.why.value:
            with explain("Error retrieving members: "):
                story = client.get("/v1/agent/members", query)
            if not isinstance(story, Mapping):
                raise Failure("This agent does not answer -why; proconsul agents do")
            self.ui.out(_story(story))
            return 0
        with explain("Error retrieving members: "):
            found = cast("Sequence[Member] | None", client.get("/v1/agent/members", query)) or ()
        members = [member for member in found if wanted.search(_status(member))]
        if not members:
            return 2
        members.sort(key=_order)
        lines = _detailed(members) if self.detailed.value else _standard(members)
        self.ui.out(columnize(lines, delimiter=_SEPARATOR))
        return 0


def _status(member: Member) -> str:
    number = cast(int, member["Status"])
    return _STATUS[number] if 0 <= number < len(_STATUS) else f"unknown: {number}"


def _tags(member: Member) -> Mapping[str, str]:
    return cast("Mapping[str, str] | None", member.get("Tags")) or {}


def _segment(member: Member) -> str:
    tags = _tags(member)
    if tags.get("role") == "consul":
        return "<all>"
    return tags.get("segment") or "<default>"


def _order(member: Member) -> tuple[str, str, str, str]:
    tags = _tags(member)
    return tags.get("dc", ""), tags.get("segment", ""), str(member["Name"]), ""


def _address(member: Member) -> str:
    return join_host_port(str(member["Addr"]), str(member["Port"]))


def _standard(members: Sequence[Member]) -> list[str]:
    lines = [_SEPARATOR.join(("Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"))]
    kinds = {"node": "client", "consul": "server"}
    for member in members:
        tags = _tags(member)
        build = tags.get("build") or "< 0.3"
        build = build[: build.index(":")] if ":" in build else build
        kind = kinds.get(tags.get("role", ""), "unknown")
        protocol = tags.get("vsn", "") if kind != "unknown" else ""
        build = build if kind != "unknown" else ""
        datacenter = tags.get("dc", "") if kind != "unknown" else ""
        segment = _segment(member) if kind != "unknown" else ""
        cells = (str(member["Name"]), _address(member), _status(member), kind, build, protocol, datacenter, segment)
        lines.append(_SEPARATOR.join(cells))
    return lines


def _detailed(members: Sequence[Member]) -> list[str]:
    lines = [_SEPARATOR.join(("Node", "Address", "Status", "Tags"))]
    for member in members:
        tags = dict(_tags(member))
        tags["segment"] = _segment(member)
        text = ",".join(f"{key}={tags[key]}" for key in sorted(tags))
        lines.append(_SEPARATOR.join((str(member["Name"]), _address(member), _status(member), text)))
    return lines


def _moment(seconds: Json) -> str:
    """A time of day as the agent's log writes it, so that the two can be read side by side."""
    when = datetime.fromtimestamp(cast(float, seconds), UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def _story(told: Mapping[str, Json]) -> str:
    """What led to a member's status, oldest first, and what will come of it."""
    parts = [f"{told['Name']} is {_status(told)}"]
    evidence = cast("Sequence[Mapping[str, Json]] | None", told.get("Evidence")) or ()
    lines = [_SEPARATOR.join(("When", "What", "From"))]
    lines += [_SEPARATOR.join((_moment(one["At"]), str(one["What"]), str(one["From"]))) for one in evidence]
    parts.append(columnize(lines, delimiter=_SEPARATOR) if evidence else "Nothing was heard about it.")
    if told.get("ReapAt") is not None:
        parts.append(f"It will be forgotten at {_moment(told['ReapAt'])} unless it comes back.")
    conflict = cast("Mapping[str, Json] | None", told.get("Conflict"))
    if conflict:
        parts.append(
            f"Its name is claimed twice, last at {_moment(conflict['At'])}: by {conflict['Existing']}, which has it, "
            f"and by {conflict['Other']}.\nWhat to do: {conflict['Resolution']}."
        )
    return "\n\n".join(parts)
