"""What `support.preloaded` forks from: everything is imported once, and every request becomes a process of its own.

A request is JSON with four files: standard input, output, errors, and where to say the process's id and later how it
ended. This process has no threads, opens nothing else, and ends with whoever started it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from typing import Any

REQUEST_BYTES_MAX = 128 << 10
PR_SET_PDEATHSIG = 1
# What Python ends with when its output cannot be written.
FLUSH_FAILED = 120
_libc = ctypes.CDLL(None)


def preload() -> None:
    """What a command or an agent imports sooner or later."""
    with contextlib.suppress(ImportError):  # an extra
        import uvloop  # noqa: F401

    import proconsul.agent.agent
    import proconsul.agent.main
    import proconsul.cli.main
    import proconsul.testing.gossip_member  # noqa: F401


def serve(requests: socket.socket) -> dict[str, Any]:
    """Fork for each request. Returns it, in the new process only."""
    ready = selectors.DefaultSelector()
    ready.register(requests, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            if key.fileobj is not requests:
                pid, tell = key.data
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _say(tell, code)
                os.close(tell)
                ready.unregister(key.fileobj)
                os.close(key.fd)
                continue
            data, files, _, _ = socket.recv_fds(requests, REQUEST_BYTES_MAX, 4)
            if not data:
                raise SystemExit
            tell = files.pop()
            pid = os.fork()
            if not pid:
                for one in ready.get_map().values():
                    os.close(one.fd)
                requests.detach()
                os.close(tell)
                return {**json.loads(data), "files": files}
            _say(tell, pid)
            for file in files:
                os.close(file)
            ready.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, tell))


def _say(tell: int, number: int) -> None:
    try:
        os.write(tell, b"%d\n" % number)
    except BrokenPipeError:
        pass  # nobody wants to know any more


def become(request: dict[str, Any]) -> None:
    """Be as a process that was just started with this."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number, file in enumerate(request["files"]):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]


def run(module: str) -> int:
    """As `python -m` does, and all that others see of the end of an interpreter. What nobody sees, as taking apart
    every module, would take as long as the short commands themselves."""
    code: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    try:
        sys.stdout.flush()
    except OSError:
        code = FLUSH_FAILED
    sys.stderr.flush()
    return int(code or 0) & 0xFF


def main() -> None:
    # It ends when nobody can ask for anything any more. Not by a signal: that would come with the end of the thread, of
    # those that the tests have, which happened to ask first.
    requests = socket.socket(fileno=int(sys.argv[1]))
    preload()
    gc.collect()
    gc.freeze()
    request = serve(requests)
    become(request)
    os._exit(run(request["module"]))


if __name__ == "__main__":
    main()
