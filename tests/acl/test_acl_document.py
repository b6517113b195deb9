"""docs/access-control.md is run as it stands."""

from __future__ import annotations

import sys
from pathlib import Path

from support.pages import run_page
from support.ports import free_ports

# As `consul`, with ports that are free here.
CONSUL = """#!/bin/sh
if [ "$1" = agent ]; then
  shift
  exec {python} -m proconsul agent "$@" -http-port={http} -server-port={server} -serf-lan-port={lan} \\
    -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1
fi
exec {python} -m proconsul "$@"
"""


def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    http, server, lan = free_ports(3)
    consul = CONSUL.format(python=sys.executable, http=http, server=server, lan=lan)
    run_page("access-control.md", tmp_path, {"consul": consul}, {"CONSUL_HTTP_ADDR": f"127.0.0.1:{http}"})
