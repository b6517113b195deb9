"""``consul doctor``: says in sentences what is wrong, what will be, and what to do; ours."""

from __future__ import annotations

import json

from proconsul.cli.command import Api, Command, Failure
from proconsul.cli.doctor.facts import Facts
from proconsul.cli.doctor.gathering import gather
from proconsul.cli.doctor.rules import Finding, Urgency, diagnose
from proconsul.cli.flags import FlagSet
from proconsul.engine.wire.text import quoted


class Doctor(Command):
    """Looks at an agent and its cluster."""

    usage = "consul doctor [options]"
    api = Api.CLIENT
    body = """
  Asks a running agent about itself and its cluster, looks at its data directory
  where that is on this machine, and says in sentences what is wrong, what will
  be, and what to do. It changes nothing. An extension of proconsul's own; other
  agents are asked as far as they answer. The exit code is 0 when all is well, 1
  for warnings, 2 for what must be mended now.

      $ consul doctor
      $ consul doctor -format=json
"""

    def define(self, flags: FlagSet) -> None:
        self.directory = flags.optional_string("data-dir", "Data directory to look at. Default: the agent's own.")
        self.format = flags.string("format", "Output format, pretty or json.", default="pretty")

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 0)
        if self.format.value not in ("pretty", "json"):
            raise Failure(f"Error: invalid format {quoted(self.format.value)}: it is pretty or json")
        facts = gather(self.client(), self.directory.value)
        found = diagnose(facts)
        self.ui.out(_as_json(facts, found) if self.format.value == "json" else _pretty(facts, found))
        return max((finding.urgency for finding in found), default=Urgency.OK)


def _pretty(facts: Facts, found: list[Finding]) -> str:
    lines: list[str] = []
    for finding in found:
        lines += [f"{finding.urgency.name}: {finding.what}", f"    {finding.why}", f"    -> {finding.cure}", ""]
    if not found:
        lines += ["All is well, as far as could be seen.", ""]
    lines += [f"Not looked at: {name} ({reason})" for name, reason in _not_seen(facts)]
    return "\n".join(lines).rstrip("\n")


def _not_seen(facts: Facts) -> list[tuple[str, str]]:
    unseen = sorted(facts.unseen.items())
    return [*unseen, ("data directory", facts.unseen_data)] if facts.unseen_data else unseen


def _as_json(facts: Facts, found: list[Finding]) -> str:
    findings = [
        {"Urgency": finding.urgency.name.lower(), "What": finding.what, "Why": finding.why, "Cure": finding.cure}
        for finding in found
    ]
    return json.dumps({"Findings": findings, "NotSeen": dict(_not_seen(facts))}, indent=4, ensure_ascii=False)
