"""Pages of documentation that are run as they stand: their files are written, their commands run in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support.ports import free_ports

DOCUMENTS = Path(__file__).parents[2] / "docs"
TIMEOUT_S = 240.0
# As `consul`, with ports that are free here.
CONSUL = """#!/bin/sh
if [ "$1" = agent ]; then
  shift
  exec {python} -m proconsul agent "$@" -http-port={http} -server-port={server} -serf-lan-port={lan} \\
    -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1
fi
exec {python} -m proconsul "$@"
"""


def run_page(name: str, tmp_path: Path, log_name: str) -> None:
    """Run a page of docs/ in ``tmp_path``. Its agent's output goes to ``log_name``."""
    http, server, lan = free_ports(3)
    program = tmp_path / "bin" / "consul"
    program.parent.mkdir()
    program.write_text(CONSUL.format(python=sys.executable, http=http, server=server, lan=lan))
    program.chmod(0o755)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (DOCUMENTS / name).read_text(), re.MULTILINE | re.DOTALL)
    script = ["set -u", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for number, (language, text) in enumerate(blocks):
        if language == "hcl":
            name = text.split("\n", 1)[0].removeprefix("# ")
            script += [f"cat > {name} <<'END'", text.rstrip("\n"), "END"]
        else:
            assert language == "sh"
            script.append(f"echo block {number}")
            # A line that fails ends it, unless it says what else is expected.
            script += [_checked(line, number) for line in text.strip().splitlines()]
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CONSUL_HTTP_ADDR": f"127.0.0.1:{http}"}
    environment.pop("CONSUL_HTTP_TOKEN", None)
    done = subprocess.run(
        ["bash", "-m", "-c", "\n".join(script)], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    log = (tmp_path / log_name).read_text()[-2000:] if (tmp_path / log_name).exists() else ""
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}\n{log}"
    assert "Traceback" not in log


def _checked(line: str, number: int) -> str:
    if line.endswith("&& exit 1"):
        return f"{line.removesuffix('&& exit 1')} && {{ echo 'block {number} should have failed'; exit 1; }}"
    return line if line.endswith("&") else f"{line} || {{ echo 'block {number} failed: '{_quoted(line)}; exit 1; }}"


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"
