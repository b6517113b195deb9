"""``consul services sync``: how far the catalog has what is registered with an agent; ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from proconsul.cli.columnize import columnize
from proconsul.cli.command import Api, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.client.gojson import Json

_SEPARATOR = "\x1f"
_COLUMNS = ("Kind", "ID", "State", "Since", "Next attempt", "Why")
_TIMES = (("Last comparison", "LastComparison"), ("Next comparison", "NextComparison"), ("Last error", "LastError"))


class Sync(Command):
    """Shows the state of anti-entropy."""

    usage = "consul services sync [options]"
    api = Api.CLIENT
    body = """
  Shows how far the catalog has the services and checks that are registered
  with the agent, and why not. With -now the agent compares itself with the
  catalog first, and sends what differs. An extension of proconsul's own, which
  other agents do not answer. The exit code is 2 when something is not in sync.

      $ consul services sync
      $ consul services sync -now
"""

    def define(self, flags: FlagSet) -> None:
        self.now = flags.boolean("now", "Compare with the catalog first. Needs agent:write. Default: false.")

    def execute(self, args: list[str]) -> int:
        self.too_many(args, 0)
        client = self.client()
        with explain("Error asking for the state of anti-entropy: "):
            if self.now.value:
                client.put("/v1/agent/sync").close()
            report = client.get("/v1/agent/sync")
        if not isinstance(report, Mapping) or "Services" not in report:
            raise Failure("This agent does not tell of its anti-entropy; proconsul agents do")
        rows = _rows(report)
        self.ui.out(columnize([_SEPARATOR.join(row) for row in (_COLUMNS, *rows)], delimiter=_SEPARATOR))
        for title, field in _TIMES:
            if report.get(field):
                self.ui.out(f"{title}: {report[field]}")
        return 0 if all(row[2] == "in sync" for row in rows) else 2


def _rows(report: Mapping[str, Json]) -> list[tuple[str, ...]]:
    """A row for the node, each service and each check."""
    node = cast("Mapping[str, Json]", report["Node"])
    state = "in sync" if node["InSync"] else "pending"
    rows: list[tuple[str, ...]] = [("node", str(node["Name"]), state, "-", "-", str(node["LastError"]) or "-")]
    for kind, block in (("service", "Services"), ("check", "Checks")):
        for key, value in cast("Mapping[str, Mapping[str, Json]] | None", report[block] or {}).items():  # type: ignore[union-attr]
            state = "in sync" if value["InSync"] else "removing" if value["Removing"] else "pending"
            why = "; ".join(str(value[name]) for name in ("Why", "LastError") if value[name]) or "-"
            rows.append((kind, key, state, str(value["Since"]) or "-", str(value["NextAttempt"]) or "-", why))
    return rows
