"""``consul version``."""

from __future__ import annotations

import sys
from pathlib import PurePath

from proconsul import COMPATIBLE_VERSION, __version__
from proconsul.cli.command import Command
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson

# Gossip and RPC protocol versions, see "Protocol Compatibility Promise" in Consul's documentation.
PROTOCOL_DEFAULT = 2
PROTOCOL_MIN = 2
PROTOCOL_MAX = 3


class Version(Command):
    """Prints the Consul release this program is compatible with, and its own when it was called by its own name."""

    usage = "consul version [options]"

    def define(self, flags: FlagSet) -> None:
        self.format = flags.string("format", "Output format {pretty|json}", "pretty")

    def execute(self, args: list[str]) -> int:
        if self.format.value == "pretty":
            self.ui.out(pretty())
        elif self.format.value == "json":
            self.ui.out(_json())
        else:
            self.ui.error(f"Unknown format: {self.format.value}")
            return 1
        return 0


def pretty() -> str:
    """Return the lines for people: Consul's two, then our own, which scripts that call ``consul`` do not see."""
    own = f"proconsul v{__version__}\n" if PurePath(sys.argv[0]).stem == "proconsul" else ""
    return (
        f"Consul v{COMPATIBLE_VERSION}\n"
        f"Protocol {PROTOCOL_DEFAULT} spoken by default, understands {PROTOCOL_MIN} to {PROTOCOL_MAX} "
        f"(agent will automatically use protocol >{PROTOCOL_DEFAULT} when speaking to compatible agents)\n{own}"
    )


def _json() -> str:
    document: gojson.Json = {
        "Version": COMPATIBLE_VERSION,
        "Revision": "",
        "Prerelease": "",
        "RPC": {"Default": PROTOCOL_DEFAULT, "Min": PROTOCOL_MIN, "Max": PROTOCOL_MAX},
    }
    return gojson.dumps(document, indent="   ")
