"""A program that is loaded once and forked for each worker. Run with the address; says how each of them fared.

The workers begin with connections, locks and settings of the first process, and each must come to its own.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from proconsul.client import Client

PATIENCE_S = 60.0
WORKERS = 3
CALLS = 50


def until(done: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


client = Client(sys.argv[1], timeout=PATIENCE_S)
client.kv.put("prefork/colour", "red")
settings = client.live_settings("prefork/", {"colour": "none", "size": 1})
settings.start(required=True)
told: list[str] = []
settings.on_change(lambda before, now: told.append(now.text("colour")))


def work(number: int) -> None:
    assert settings.text("colour") == "red", settings.text("colour")
    for turn in range(CALLS):  # an answer to another worker's question would be another value
        key = f"worker/{number}/{turn}"
        assert client.kv.put(key, key)
        assert client.kv.get(key) == key.encode(), key
    client.kv.put(f"ready/{number}", "yes")
    until(lambda: settings.text("colour") == "blue", "the new colour")
    assert told == ["blue"], told
    assert not settings.is_stale
    settings.stop()


# While the first process is busy on its own connections.
busy = threading.Thread(target=lambda: [client.kv.get(f"busy/{turn}") for turn in range(200)])
busy.start()
workers = []
for number in range(WORKERS):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(number)
            code = 0
        finally:
            if code:
                import traceback

                traceback.print_exc()
            os._exit(code)
    workers.append(pid)
busy.join()
until(lambda: len(client.kv.keys("ready/")) == WORKERS, "all workers are ready")
client.kv.put("prefork/colour", "blue")
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
until(lambda: told == ["blue"], "the first process is told, too")
settings.stop()
print(*codes)
