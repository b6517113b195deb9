"""Messages and tasks through kombu's and Celery's transports for Consul. Run with the port of the agent.

Needs a library that keeps python-consul's interface; raises on the first surprise.
"""

# mypy: disable-error-code="no-untyped-call,untyped-decorator,attr-defined"

from __future__ import annotations

import sys
import time
from queue import Empty
from typing import Any

import consul
from celery import Celery
from celery.contrib.testing.worker import start_worker
from kombu import Connection

PATIENCE_S = 60.0


def messages(url: str) -> None:
    """Each comes once, in the order in which they were sent; what a queue has is counted, and thrown away."""
    with Connection(url) as connection:
        queue = connection.SimpleQueue("letters")
        for number in range(5):
            queue.put({"number": number, "text": "ä\x00"})
            time.sleep(0.002)  # their keys have milliseconds in them
        for number in range(3):
            letter = queue.get(timeout=PATIENCE_S)
            assert letter.payload == {"number": number, "text": "ä\x00"}, letter.payload
            letter.ack()
        queue.clear()
        left = consul.Consul(port=connection.port).kv.get("kombu/letters/msg/", recurse=True)[1]
        assert left is None, left  # to count what it has counted, kombu waits for more
        queue.close()


def empty(url: str) -> None:
    """Nobody waits for ever."""
    with Connection(url) as connection:
        queue = connection.SimpleQueue("nothing")
        try:
            queue.get(block=False)
        except (queue.Empty, Empty):
            return
        finally:
            queue.close()
        raise AssertionError("something came of nothing")


def tasks(host: str, port: int) -> None:
    """A worker takes tasks from Consul and puts their results into it."""
    app = Celery("life", broker=f"consul://{host}:{port}//", backend=f"consul://{host}:{port}/results")
    app.conf.update(
        task_serializer="json", result_serializer="json", worker_hijack_root_logger=False, broker_connection_retry=True,
        broker_connection_retry_on_startup=True, worker_send_task_events=False, task_create_missing_queues=True,
    )  # fmt: skip

    @app.task
    def add(a: int, b: int) -> int:
        return a + b

    @app.task
    def fail() -> None:
        raise KeyError("of the task")

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=PATIENCE_S):
        assert add.delay(2, 3).get(timeout=PATIENCE_S) == 5
        failed: Any = fail.delay()
        try:
            failed.get(timeout=PATIENCE_S)
        except KeyError as error:
            assert error.args == ("of the task",)
        else:
            raise AssertionError("the task failed, and nobody was told")


def main() -> None:
    host, port = "127.0.0.1", int(sys.argv[1])
    url = f"consul://{host}:{port}//"
    for part in sys.argv[2:]:
        if part == "messages":
            messages(url)
            empty(url)
        else:
            tasks(host, port)
    print("lived")


main()
