"""`consul` for pages: asks the process of `preloaded` to fork, and is to the shell what the program itself would be.

    python -I -S thin_program.py <module> [argument ...]

The file descriptor in PAGE_PRELOADED leads there. Signals are passed on, the exit code is the program's. It imports as
little as it can: a page runs dozens of commands.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    told, tell = os.pipe()
    environment = dict(os.environ)
    server = socket.socket(fileno=int(environment.pop("PAGE_PRELOADED")))
    request = {
        "module": sys.argv[1], "arguments": sys.argv[2:], "directory": os.getcwd(), "environment": environment,
    }  # fmt: skip
    files = array.array("i", [0, 1, 2, tell])
    server.sendmsg([json.dumps(request).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    os.close(tell)
    answers = os.fdopen(told, "rb", buffering=0)
    pid = int(answers.readline())
    if os.path.isdir(".pids"):  # for who has to kill it
        with open(f".pids/{os.getpid()}", "w") as file:
            file.write(str(pid))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    code = int(answers.readline())
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
