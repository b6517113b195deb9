"""Pages of docs/ run as they stand: their files are written, their commands executed in their order by one shell."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from proconsul.testing.ports import free_ports

DOCS = Path(__file__).parents[2] / "docs"
TIMEOUT_S = 240.0
OURS = f'#!/bin/sh\nexec {sys.executable} -m proconsul "$@"\n'
# As `consul`, with ports that are free here, for pages with one agent.
ONE_AGENT = """#!/bin/sh
if [ "$1" = agent ]; then
  shift
  exec {python} -m proconsul agent "$@" -http-port={http} -server-port={server} -serf-lan-port={lan} \\
    -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1
fi
exec {python} -m proconsul "$@"
"""


def run_page_of_one_agent(name: str, directory: Path) -> None:
    """As `run_page`, where ``consul agent`` is one of ours that the other commands speak to."""
    http, server, lan = free_ports(3)
    consul = ONE_AGENT.format(python=sys.executable, http=http, server=server, lan=lan)
    run_page(name, directory, {"consul": consul}, {"CONSUL_HTTP_ADDR": f"127.0.0.1:{http}"})


def python_blocks(name: str) -> list[tuple[int, str]]:
    """The Python blocks of docs/``name``, each with the line where it begins."""
    text = (DOCS / name).read_text()
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, one.start(1)) + 1, one[1]) for one in found]


async def run_python_page(name: str, names: dict[str, object]) -> None:
    """Run the Python blocks of docs/``name`` one after the other, with ``names``, as ``python -m asyncio`` would."""
    blocks = python_blocks(name)
    assert blocks, f"{name} shows nothing"
    for line, block in blocks:
        code = compile("\n" * (line - 1) + block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        found = eval(code, names)  # a coroutine where the block awaits
        if found is not None:
            await found


def run_page(
    name: str, directory: Path, programs: Mapping[str, str], environment: Mapping[str, str] = {},
    timeout_s: float = TIMEOUT_S,
) -> None:  # fmt: skip
    """Run docs/``name`` in ``directory``. ``programs``: the text of scripts that its commands find by their names.

    A line that fails ends it, unless it ends in ``&& exit 1``: such a one has to be refused.
    """
    folder = directory / "bin"
    folder.mkdir()
    for program, text in programs.items():
        (folder / program).write_text(text)
        (folder / program).chmod(0o755)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks, f"{name} shows nothing"
    script = ["set -u", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for number, (language, text) in enumerate(blocks):
        if language in ("hcl", "json", "python"):
            file = text.split("\n", 1)[0].removeprefix("# ")
            script += [f"cat > {file} <<'END'", text.rstrip("\n"), "END"]
        else:
            assert language == "sh", language
            script.append(f"echo block {number} after $SECONDS s")
            script += [_checked(line, number) for line in text.strip().splitlines()]
    variables = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **environment}
    variables.pop("CONSUL_HTTP_TOKEN", None)
    process = subprocess.Popen(
        ["bash", "-m", "-c", "\n".join(script)], cwd=directory, env=variables, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.terminate()  # so that it ends what it has started
        printed, _ = process.communicate()
        printed += f"\nnot done after {timeout_s} s"
    logs = {path.name: path.read_text(errors="replace") for path in sorted(directory.glob("*.log"))}
    print(printed[-3000:])  # for who wants to see it
    tails = "\n".join(f"--- {log}\n{text[-1500:]}" for log, text in logs.items())
    assert process.returncode == 0, f"{printed[-3000:]}\n{tails}"
    assert not any("Traceback" in text for text in logs.values()), tails


def _checked(line: str, number: int) -> str:
    if line.endswith("&& exit 1"):
        return f"{line.removesuffix('&& exit 1')} && {{ echo 'block {number} should have failed'; exit 1; }}"
    if line.endswith(("&", "; done", "}")) or line.startswith("#"):
        return line
    return f"{line} || {{ echo 'block {number} failed: '{_quoted(line)}; exit 1; }}"


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"
