"""``consul monitor``."""

from __future__ import annotations

import sys

from proconsul.cli.api import AgentUnreachable
from proconsul.cli.command import Api, Command, explain
from proconsul.cli.flags import FlagSet
from proconsul.cli.output import paint

# Colours by the level between brackets, for terminals only.
_COLOURS = (("[ERROR]", "31"), ("[WARN]", "33"), ("[DEBUG]", "2"), ("[TRACE]", "2"))
# A log line longer than this is printed in parts instead of being collected further.
_LINE_BYTES_MAX = 1 << 20


class Monitor(Command):
    """Follows the agent's log."""

    usage = "consul monitor [options]"
    api = Api.CLIENT
    body = """
  Prints what the agent logs from now on, until the agent stops or Ctrl-C. The
  level can be finer than the agent's own.
"""

    def define(self, flags: FlagSet) -> None:
        self.log_level = flags.string("log-level", "Least important level to print.", "INFO")
        self.log_json = flags.boolean("log-json", "Print log lines as JSON.")

    def execute(self, args: list[str]) -> int:
        client = self.client()
        query = {"loglevel": self.log_level.value} if self.log_level.value else {}
        if self.log_json.value:
            query["logjson"] = "true"
        with explain("Error starting JSON monitor: " if self.log_json.value else "Error starting monitor: "):
            response = client.ok("GET", "/v1/agent/monitor", query)
        pending = b""
        while True:
            try:
                data = response.read_some()
            except AgentUnreachable:
                data = b""
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            if len(pending) > _LINE_BYTES_MAX:
                lines, pending = [*lines, pending], b""
            for line in lines:
                self._show(line)
        if pending:
            self._show(pending)
        self.ui.out("")
        self.ui.out("Remote side ended the monitor! This usually means that the\nremote side has exited or crashed.")
        return 0

    def _show(self, line: bytes) -> None:
        for mark, code in _COLOURS:
            if mark.encode() in line:
                text = line.decode("utf-8", "surrogateescape")
                self.ui.out(paint(text, code, sys.stdout))
                return
        self.ui.out(line)
