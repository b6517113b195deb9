"""Pages of the documentation run as they stand.

A page of commands is executed by one shell: its files are written, its commands are executed in their order. A page of
Python is executed as ``python -m asyncio`` would, beside an agent that has the ports of every agent. In both the
addresses are the reader's: 127.0.0.1 and its neighbours become loopback addresses that nothing else here has.
"""

from __future__ import annotations

import ast
import asyncio
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from proconsul.agent.config import load
from proconsul.testing import AgentInLoop
from support import preloaded
from support.harness import eventually

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TIMEOUT_S = 240.0
THIN = Path(__file__).with_name("thin_program.py")
OURS = f'#!/bin/sh\nexec {sys.executable} -I -S {THIN} proconsul "$@"\n'
# What the shell knows of a program of ours only passes signals on, which it cannot with -9.
KILL = """kill() {
  if [ "$1" = -9 ]; then for one in "$@"; do builtin kill -9 $(cat .pids/$one 2>/dev/null) 2>/dev/null; done; fi
  builtin kill "$@"
}"""
PYTEST = f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:cacheprovider "$@"\n'
PYTHON = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
# As in a terminal of its own: until the page is over.
MAKE_AGENT = """#!/bin/sh
case "$1" in
agent) consul agent -dev > agent.log 2>&1 & echo $! >> pids
  until consul catalog nodes 2>/dev/null | grep -q 127; do sleep 0.1; done ;;
esac
"""
# Pages whose commands know one agent only do not say where it is.
ONE_AGENT = f"""#!/bin/sh
if [ "$1" = agent ] && [ "${{2#-h}}" = "$2" ]; then
  case "$*" in *-client*) ;; *) set -- "$@" -client=127.0.0.1 ;; esac
  case "$*" in *-bind*|*-config-file*) ;; *) set -- "$@" -bind=127.0.0.1 ;; esac
fi
exec {sys.executable} -I -S {THIN} proconsul "$@"
"""
PROGRAMS = {
    "consul": ONE_AGENT, "proconsul": ONE_AGENT, "python": PYTHON, "pytest": PYTEST, "make": MAKE_AGENT,
    "pip": "#!/bin/sh\n",  # it is installed already
}  # fmt: skip
LANGUAGES_OF_FILES = ("hcl", "json", "python", "toml")
# The first line of a block that is a file: its name.
_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")
_READY = "until consul catalog nodes 2>/dev/null | grep -q 127; do sleep 0.1; done"
# A command that runs until somebody ends it.
_AGENT = re.compile(r"(\.venv/bin/)?(pro)?consul agent ")
_FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of a page: where its text begins, what it is, and whether it is a file."""

    line: int
    language: str
    text: str
    file: str


def blocks_of(text: str) -> list[Block]:
    """All fenced blocks of a page."""
    found = []
    for one in _FENCE.finditer(text):
        name = _NAME.match(one[4])
        file = name[1] if name and one[2] in LANGUAGES_OF_FILES else ""
        found.append(Block(text.count("\n", 0, one.start(4)) + 1, one[2], one[4], file))
    return found


def indented_blocks_of(text: str) -> list[str]:
    """The first lines of blocks that are code by indentation: they have no language, and nobody runs them."""
    bare = _FENCE.sub(lambda one: "\n" * one[0].count("\n"), text)
    lines = bare.split("\n")
    found, within, listed = [], False, False
    for before, line in zip(["", *lines], lines, strict=False):
        code = line.startswith("    ") and bool(line.strip())
        if code and not within and not before.strip() and not listed:
            found.append(line.strip())
        within = code or (within and not line.strip())
        if line and line[0] != " ":
            listed = bool(re.match(r"[-*] |\d+\. ", line)) or (listed and bool(before.strip()))
    return found


# ---------------------------------------------------------------------- addresses


class Addresses:
    """Loopback addresses of this page alone; on systems that have only one, nothing is changed."""

    def __init__(self) -> None:
        self._guards: dict[str, socket.socket] = {}
        self._networks: dict[str, str] = {}

    def close(self) -> None:
        for guard in self._guards.values():
            guard.close()

    def network(self, written: str) -> str:
        """The first three numbers of what stands for ``written``, the same of 127.0.0.1."""
        if written not in self._networks:
            turn = os.getpid() * 7 + len(self._networks)
            for number in range(turn, turn + 60_000):
                network = f"127.{20 + number // 250 % 200}.{1 + number % 250}"
                guard = socket.socket()
                try:
                    guard.bind((f"{network}.254", 9999))
                    guard.listen()
                except OSError:
                    guard.close()
                    continue
                self._guards[network], self._networks[written] = guard, network
                break
            else:
                raise OSError("no loopback addresses are left")
        return self._networks[written]

    def put_into(self, text: str) -> str:
        """``text`` with our addresses in the place of its own."""
        text = text.replace("localhost:", "127.0.0.1:")
        return re.sub(r"\b(127\.0\.\d+)(?=\.)", lambda found: self.network(found[1]), text)


# ---------------------------------------------------------------------- Python


@contextmanager
def _agent(settings: Mapping[str, object]) -> Iterator[None]:
    """An agent with all its ports, in a thread: a page may block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="agent of a page", daemon=True)
    agent = AgentInLoop(settings, gossip=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(agent.__aenter__(), loop).result(TIMEOUT_S)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(agent.__aexit__(None, None, None), loop).result(TIMEOUT_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT_S)
        loop.close()


@contextmanager
def _consul(program: Path, settings: Mapping[str, object], directory: Path) -> Iterator[None]:
    """The same with a real Consul."""
    file = directory / "page.json"
    file.write_text(json.dumps(settings))
    command = [os.fspath(program), "agent", "-dev", f"-config-file={file}", "-log-level=err"]
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _leads(str(settings["client_addr"])), "Consul leads", TIMEOUT_S)
            yield
        finally:
            process.kill()


def _leads(host: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:8500/v1/health/node/node-1", timeout=30) as answer:
            return b"serfHealth" in answer.read()
    except OSError:
        return False


async def run_python_page(
    path: Path, names: dict[str, object], *, consul: Path | None = None, directory: Path = Path()
) -> None:  # fmt: skip
    """Run a page beside an agent, see `run_python_blocks`, that CONSUL_HTTP_ADDR names; it is set back in the end.

    ``consul``: beside this program instead of an agent of ours, in ``directory``.
    """
    addresses = Addresses()
    here = f"{addresses.network('127.0.0')}.1"
    settings = {
        "bind_addr": here, "client_addr": here, "node_name": "node-1",
        "ports": {"http": 8500, "dns": 8600, "server": 8300, "serf_lan": 8301, "serf_wan": 8302},
    }  # fmt: skip
    before = os.environ.get("CONSUL_HTTP_ADDR")
    os.environ["CONSUL_HTTP_ADDR"] = f"{here}:8500"
    try:
        with _consul(consul, settings, directory) if consul else _agent(settings):
            await run_python_blocks(path, names, addresses, here)
    finally:
        del os.environ["CONSUL_HTTP_ADDR"]
        if before is not None:
            os.environ["CONSUL_HTTP_ADDR"] = before
        addresses.close()


async def run_python_blocks(
    path: Path, names: dict[str, object], addresses: Addresses | None = None, host: str = "127.0.0.1"
) -> None:  # fmt: skip
    """Run the Python blocks of a page one after the other, with ``names``, as ``python -m asyncio`` would.

    Blocks of JSON and HCL are configurations, those of HTTP a request to ``host`` with its answer.
    """
    for block in blocks_of(path.read_text()):
        text = addresses.put_into(block.text) if addresses else block.text
        if block.language == "python":
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile("\n" * (block.line - 1) + text, str(path), "exec", flags=flags)
            found = eval(code, names)  # a coroutine where the block awaits
            if found is not None:
                await found
        elif block.language == "http":
            await asyncio.to_thread(exchange, host, text, block.line)
        elif block.language in ("hcl", "json"):
            check_configuration(block)
        else:
            assert block.language == "text", f"{path.name}:{block.line}: nobody runs {block.language!r}"


def check_configuration(block: Block) -> None:
    """A block that is no file is a piece of a configuration: it has to load as one."""
    load({"dev": True, "hcl": [block.text]})


def exchange(host: str, text: str, line: int) -> None:
    """Send the request of a block of HTTP, and compare the answer with the one it shows.

    Everything shown has to come: the status, each header (where the value ends with "..." it may be another), and of
    the body each line. What else comes is left out of pages.
    """
    sent, _, shown = text.partition("\n\nHTTP/1.1 ")
    assert shown, f"line {line}: no answer is shown"
    head, _, body = sent.strip("\n").partition("\n\n")
    lines = head.replace("\n", "\r\n") + ("" if not body else f"\r\nContent-Length: {len(body)}")
    with socket.create_connection((host, 8500), timeout=60) as connection:
        connection.sendall(f"{lines}\r\nConnection: close\r\n\r\n{body}".encode())
        received = b""
        while more := connection.recv(65536):
            received += more
    came_head, _, came_body = received.decode().partition("\r\n\r\n")
    status, *headers = came_head.split("\r\n")
    shown_head, _, shown_body = shown.strip("\n").partition("\n\n")
    shown_status, *shown_headers = shown_head.split("\n")
    assert status == f"HTTP/1.1 {shown_status}", f"line {line}: {received!r}"
    for one in shown_headers:
        if one.endswith("..."):
            assert any(came.startswith(one[:-3]) for came in headers), f"line {line}: no {one!r} in {headers}"
        else:
            assert one in headers, f"line {line}: no {one!r} in {headers}"
    for part in shown_body.split("\n"):
        assert part.strip() in came_body, f"line {line}: no {part!r} in {came_body!r}"


# ---------------------------------------------------------------------- commands


def run_page(
    path: Path, directory: Path, programs: Mapping[str, str] = {}, environment: Mapping[str, str] = {},
    timeout_s: float = TIMEOUT_S, text: str | None = None,
) -> None:  # fmt: skip
    """Run a page in ``directory``. ``programs``: the text of scripts that its commands find by their names.

    A line that fails ends it, unless it ends in ``&& exit 1``: such a one has to be refused. ``text``: a part of the
    page instead of all of it.
    """
    addresses = Addresses()
    programs = {**PROGRAMS, **programs}
    folder = directory / "bin"
    folder.mkdir(parents=True)
    (directory / ".venv").mkdir()
    (directory / ".venv/bin").symlink_to(folder)
    try:
        for program, lines in programs.items():
            (folder / program).write_text(addresses.put_into(lines))
            (folder / program).chmod(0o755)
        blocks = blocks_of(path.read_text() if text is None else text)
        assert blocks, f"{path.name} shows nothing"
        script = addresses.put_into("\n".join(_script(path.name, blocks))).replace("=/tmp/", f"={directory}/")
        server = addresses.put_into("127.0.0.1:8500")
        variables = {
            **os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CONSUL_HTTP_ADDR": server,
            "PAGE_PRELOADED": str(preloaded.request_file()), **environment,
        }  # fmt: skip
        variables.pop("CONSUL_HTTP_TOKEN", None)
        code, printed = _run(script, directory, variables, timeout_s)
    finally:
        addresses.close()
    logs = {log.name: log.read_text(errors="replace") for log in sorted(directory.glob("*.log"))}
    print(printed[-3000:])  # for who wants to see it
    tails = "\n".join(f"--- {log}\n{text[-1500:]}" for log, text in logs.items())
    assert code == 0, f"{printed[-3000:]}\n{tails}"
    broken = [f"{log}: {text[text.index('Traceback') :][:6000]}" for log, text in logs.items() if "Traceback" in text]
    assert not broken, "\n".join(broken)


def _run(script: str, directory: Path, variables: Mapping[str, str], timeout_s: float) -> tuple[int, str]:
    process = subprocess.Popen(
        ["bash", "-m", "-c", script], cwd=directory, env=variables, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, pass_fds=[int(variables["PAGE_PRELOADED"])],
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.terminate()  # so that it ends what it has started
        printed, _ = process.communicate()
        printed += f"\nnot done after {timeout_s} s"
    return process.returncode, printed


def _script(page: str, blocks: list[Block]) -> Iterator[str]:
    yield from ("set -u", "mkdir .pids", KILL)
    terminals = 0
    yield "trap 'kill $(jobs -p) $(cat pids 2>/dev/null) 2>/dev/null; wait' EXIT"
    for number, block in enumerate(blocks):
        if block.file:
            folder = os.path.dirname(block.file)
            if folder:
                yield f"mkdir -p {folder}"
            yield from (f"cat > {block.file} <<'END'", block.text.rstrip("\n"), "END")
        elif block.language in ("hcl", "json"):
            check_configuration(block)
        elif block.language != "text":
            assert block.language == "sh", f"{page}:{block.line}: nobody runs {block.language!r}"
            yield f"echo block {number} after $SECONDS s"
            for line in _lines(block.text):
                if _AGENT.match(line) and not line.endswith("&"):  # of a reader who gives it a terminal of its own
                    terminals += 1
                    line = f"{line} > terminal{terminals}.log 2>&1 &"
                yield _checked(line, number)
                if _AGENT.match(line) and " -dev " in line:
                    yield _READY
    if terminals:
        yield _READY


def _lines(text: str) -> list[str]:
    """The commands of a block, those over several lines as one."""
    return text.replace("\\\n", " ").strip().splitlines()


def _checked(line: str, number: int) -> str:
    if line.endswith("&& exit 1"):
        return f"{line.removesuffix('&& exit 1')} && {{ echo 'block {number} should have failed'; exit 1; }}"
    if line.endswith(("&", "; done", "}")) or line.startswith("#") or not line.strip():
        return line
    return f"{line} || {{ echo 'block {number} failed: '{_quoted(line)}; exit 1; }}"


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"


def sections_of(text: str) -> list[str]:
    """The parts of a page between its headings."""
    bare = _FENCE.sub(lambda one: re.sub(r"[^\n]", "x", one[0]), text)
    starts = [0, *(found.start() for found in re.finditer(r"^#+ ", bare, re.MULTILINE)), len(text)]
    return [text[begin:end] for begin, end in itertools.pairwise(starts) if text[begin:end].strip()]
