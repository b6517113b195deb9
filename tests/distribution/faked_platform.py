"""Another operating system in this process: what Python has not there is taken away, then proconsul is used.

``python faked_platform.py windows|macos|bare``. The standard library and the packages of others are imported before, as
they choose their own parts for the system they are on. Every line that is printed is something that was seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import io
import json
import logging
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401
import cryptography.x509  # noqa: F401
import httpx  # noqa: F401
import jwt  # noqa: F401
import msgpack  # noqa: F401
import msgspec  # noqa: F401
import psutil  # noqa: F401
import pytest  # noqa: F401
import re2  # noqa: F401
import sortedcontainers  # noqa: F401

SIGNALS = (
    "SIGHUP", "SIGQUIT", "SIGTRAP", "SIGBUS", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGCHLD",
    "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGWINCH",
)  # fmt: skip
# F_FULLFSYNC of macOS, whose number means nothing to Linux.
FULL_SYNC = 51
synced: list[int] = []


def without(module: Any, *names: str) -> None:
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


def no_modules(*names: str) -> None:
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]


def not_implemented(*_: object, **__: object) -> Any:
    raise NotImplementedError


def bare() -> None:
    """What no system but Linux has, and what other builds of Python lack."""
    no_modules("uvloop", "resource")
    without(select, "epoll")
    # What was a module's name stays one of `selectors`; the loops of proconsul take the default.
    selectors.DefaultSelector = selectors.PollSelector  # type: ignore[misc,assignment]
    without(socket, "SO_REUSEPORT", "SO_BINDTODEVICE", *(f"TCP_{name}" for name in (
        "USER_TIMEOUT", "KEEPIDLE", "KEEPINTVL", "KEEPCNT",
    )))  # fmt: skip
    without(os, "sendfile", "fdatasync", "posix_fallocate", "memfd_create", "pidfd_open")
    without(time, "CLOCK_BOOTTIME")
    hide_proc()


def ours(depth: int = 2) -> bool:
    """Whether proconsul calls: the packages of others are still on Linux."""
    return str(sys._getframe(depth).f_globals.get("__name__")).startswith("proconsul")


def hide_proc() -> None:
    import builtins

    real = builtins.open

    def opened(file: Any, *args: Any, **options: Any) -> Any:
        if str(file).startswith("/proc") and ours():
            raise FileNotFoundError(2, "No such file or directory", str(file))
        return real(file, *args, **options)

    builtins.open = opened


def macos() -> None:
    bare()
    sys.platform = "darwin"
    fcntl.F_FULLFSYNC = FULL_SYNC  # type: ignore[attr-defined]
    real = fcntl.fcntl

    def called(fd: Any, command: int, *args: Any) -> Any:
        if command == FULL_SYNC:
            synced.append(fd)
            os.fsync(fd)
            return 0
        return real(fd, command, *args)

    fcntl.fcntl = called


def pair(*_: object) -> tuple[socket.socket, socket.socket]:
    """As Python does it where the system has no such call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        return ours, listener.accept()[0]


def windows() -> None:
    """`os.name` stays, as paths would not work any more; nothing of ours looks at it."""
    bare()
    sys.platform = "win32"
    no_modules("fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "crypt")
    sys.modules["msvcrt"] = type(sys)("msvcrt")
    vars(sys.modules["msvcrt"]).update(locking=lambda *_: None, LK_NBLCK=2)
    without(os, "fork", "getuid", "geteuid", "getgid", "getegid", "chown", "lchown", "fchmod", "fchown", "killpg",
            "setsid", "getpgid", "getloadavg", "sync", "mkfifo", "uname", "pread", "pwrite",
            "set_blocking", "nice", "chroot", "ttyname")  # fmt: skip
    without(signal, *SIGNALS, "setitimer", "pthread_kill", "sigwait", "pthread_sigmask")
    without(socket, "AF_UNIX", "sethostname")
    socket.socketpair = pair  # type: ignore[assignment]
    without(select, "poll")
    without(asyncio, "open_unix_connection", "start_unix_server")
    selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc,assignment]
    for kind in (asyncio.SelectorEventLoop, asyncio.BaseEventLoop):
        for name in ("add_signal_handler", "remove_signal_handler", "create_unix_server", "create_unix_connection"):
            setattr(kind, name, not_implemented)
    asyncio.SelectorEventLoop._make_subprocess_transport = not_implemented  # type: ignore[attr-defined]
    asyncio.SelectorEventLoop._make_read_pipe_transport = not_implemented  # type: ignore[attr-defined]
    rename = os.rename

    def renamed(source: Any, target: Any, **options: Any) -> None:
        if os.path.exists(target):
            raise FileExistsError(17, "File exists", str(target))
        rename(source, target, **options)

    os.rename = renamed  # type: ignore[assignment]
    opened = os.open

    def open_file(path: Any, flags: int, *args: Any, **options: Any) -> int:
        name = os.path.basename(os.fspath(path))
        if isinstance(name, str) and set(name) & set('<>:"|?*'):
            raise OSError(22, "Invalid argument", str(path))
        if isinstance(path, str | Path) and os.path.isdir(path) and ours():
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *args, **options)

    os.open = open_file


def import_all() -> None:
    import proconsul

    failed = []
    names = [module.name for module in pkgutil.walk_packages(proconsul.__path__, "proconsul.")]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(f"{name}: {type(error).__name__}: {error}")
    print("imported", len(names) > 300, *failed)


def use(directory: Path) -> None:
    """A development agent and one that keeps its data, with the client."""
    from proconsul.client import Client
    from proconsul.testing import DevAgent

    settings = {"enable_local_script_checks": True, "enable_script_checks": True}
    with DevAgent(settings) as agent, Client(agent.url) as client:
        client.kv.put("a", b"1")
        print("dev", client.kv.get("a"))
        with client.lock("lock/a") as held:
            print("lock", held.token.index > 0)
        said = agent.request("PUT", "/v1/agent/check/register", {
            "Name": "c", "Args": ["true"], "Interval": "10s", "Timeout": "1s",
        })  # fmt: skip
        print("check", said.status, waited_for_output(agent))
        print("told", *(agent.request("GET", f"/v1/agent/{page}").status for page in ("metrics", "host", "self")))
    kept = {"dev": False, "data_dir": str(directory), "server": True, "bootstrap": True, "bind_addr": "127.0.0.1"}
    for run in range(2):
        with DevAgent(kept) as agent:
            if run == 0:
                agent.request("PUT", "/v1/kv/kept", b"2")
            print("kept", agent.request("GET", "/v1/kv/kept?raw").body)
    print("full syncs", len(synced) > 0)


def waited_for_output(agent: Any) -> str:
    """What the agent says of its check once it has run."""
    for _ in range(600):
        found = json.loads(agent.request("GET", "/v1/agent/checks").body)["c"]
        if found["Output"] or found["Status"] == "passing":
            return f"{found['Status']} {found['Output']!r}"
        time.sleep(0.1)
    return "never ran"


def agent_command() -> None:
    """``proconsul agent`` until it is interrupted, as with Ctrl-C."""
    from proconsul.cli.main import main
    from proconsul.testing.ports import free_ports

    http, *others = free_ports(4)
    names = ("-server-port", "-serf-lan-port", "-serf-wan-port")
    words = [word for pair in zip(names, map(str, others), strict=True) for word in pair]

    def interrupt() -> None:
        from proconsul.client import Client
        from proconsul.client.errors import ConsulError

        for _ in range(600):
            with contextlib.suppress(ConsulError), Client(f"127.0.0.1:{http}") as client:
                client.kv.put("a", b"1")
                break
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with contextlib.redirect_stdout(io.StringIO()):
        words += ["-hcl", "skip_leave_on_interrupt = false"]
        code = main(["agent", "-dev", "-http-port", str(http), *words, "-dns-port=-1", "-grpc-port=-1"])
    print("agent ended", code)


def unix_socket(directory: Path) -> None:
    from proconsul.client import Client
    from proconsul.client.errors import ConsulError

    try:
        with Client(f"unix://{directory}/socket") as client:
            client.kv.get("a")
    except ConsulError as error:
        print("unix", error)
    from proconsul.cli.main import main

    with contextlib.redirect_stderr(sys.stdout):
        code = main(["kv", "get", "-http-addr", f"unix://{directory}/socket", "a"])
    print("command", code)


def commands() -> None:
    """Programs that the agent starts."""
    from proconsul.agent.hooks import processes

    async def started() -> None:
        process = await processes.start_group(sys.executable, "-c", "import time; time.sleep(600)")
        processes.kill_group(process)
        await process.wait()
        print("killed", process.returncode != 0)

    try:
        asyncio.run(started())
    except OSError as error:
        print("no programs:", error)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    # These look at the system once.
    subprocess.run(["true"], check=True)
    asyncio.run(asyncio.sleep(0))
    {"windows": windows, "macos": macos, "bare": bare}[sys.argv[1]]()
    import_all()
    with tempfile.TemporaryDirectory() as folder:
        use(Path(folder))
        unix_socket(Path(folder))
    commands()
    agent_command()
