"""docs/plugins.md runs as it stands: its distribution is installed for it, its tests and its agent run."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

from proconsul.testing.ports import free_ports
from support.distributions import write_distribution
from support.harness import run

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
TIMEOUT_S = 240.0
CONSUL = """#!/bin/sh
if [ "$1" = agent ]; then
  shift
  exec {python} -m proconsul agent "$@" -http-port={http} -server-port={server} -serf-lan-port={lan} \\
    -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1
fi
exec {python} -m proconsul "$@"
"""


def script_of(text: str, directory: Path) -> str:
    """The commands of a page, as a script that ends with the first that fails; its files are written."""
    lines = ["set -eu", "trap 'kill $(jobs -p) 2> kill.log || true; wait' EXIT"]
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            for line in block.strip().splitlines():
                refused = line.endswith("&& exit 1")
                lines.append(f"echo {len(lines)} after $SECONDS s")
                lines.append(f"if {line.removesuffix('&& exit 1')}; then exit 1; fi" if refused else line)
        else:
            name = block.split("\n", 1)[0].removeprefix("# ")
            (directory / name).write_text(block)
    return "\n".join(lines)


def test_the_page_about_plugins(tmp_path: Path) -> None:
    script = script_of(PAGE.read_text(), tmp_path)
    # Instead of pip, which would need an index for the build system, and an environment to write into.
    site = tmp_path / "site"
    site.mkdir()
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    points = {
        group: [f"{name} = {target}" for name, target in named.items()]
        for group, named in project["entry-points"].items()
    }
    source = (tmp_path / "acme_plugins.py").read_text()
    write_distribution(site, project["name"], points, {"acme_plugins": source}, project["version"])
    http, server, lan = free_ports(3)
    programs = {
        "consul": CONSUL.format(python=sys.executable, http=http, server=server, lan=lan), "pip": "#!/bin/sh\n",
        "pytest": f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:cacheprovider "$@"\n',
    }  # fmt: skip
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(site),
        "CONSUL_HTTP_ADDR": f"127.0.0.1:{http}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # their imports take seconds
    }  # fmt: skip
    environment.pop("CONSUL_HTTP_TOKEN", None)
    done = run(["bash", "-m", "-c", script], TIMEOUT_S, cwd=tmp_path, env=environment)
    logs = {path.name: path.read_text(errors="replace")[-1500:] for path in tmp_path.glob("*.log")}
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:], logs)
    assert not any("Traceback" in text for text in logs.values()), logs
