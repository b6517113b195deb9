"""Small files written by threads, so that the event loop does not wait for the disk.

Operations on one path happen in the order they were submitted; those on different paths in any order, several at a
time, which lets the file system make them durable together.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

log = logging.getLogger("agent")

# Enough to share one commit of a journalling file system; more gains nothing.
THREADS = 4

Operation = Callable[[], None]
Outcome = asyncio.Future[OSError | None]
_Item = tuple[Operation, Path, asyncio.AbstractEventLoop, Outcome] | threading.Event | None


class FileWriter:
    """Threads are started by the first operation. ``close`` finishes what was submitted."""

    def __init__(self) -> None:
        # Bounded by the clients that wait for their registration to be on disk, and they by their connections.
        self._queues: list[SimpleQueue[_Item]] = []
        self._threads: list[threading.Thread] = []

    def submit(self, path: Path, operation: Operation) -> Outcome:
        """Perform ``operation`` on ``path`` soon; the future gets the error of the disk, or None."""
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        outcome: Outcome = loop.create_future()
        self._queues[hash(path.name) % THREADS].put((operation, path, loop, outcome))
        return outcome

    def _start(self) -> None:
        self._queues = [SimpleQueue() for _ in range(THREADS)]
        for number, queue in enumerate(self._queues):
            thread = threading.Thread(target=_work, args=(queue,), name=f"files-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def drain(self) -> None:
        """Return when everything submitted before is done. Blocks; for rare moments that read the files."""
        marks = [threading.Event() for _ in self._queues]
        for queue, mark in zip(self._queues, marks, strict=True):
            queue.put(mark)
        for mark in marks:
            mark.wait()

    def close(self) -> None:
        """Finish and end the threads."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        self._queues, self._threads = [], []


def _work(queue: SimpleQueue[_Item]) -> None:
    while True:
        item = queue.get()
        if item is None:
            return
        if isinstance(item, threading.Event):
            item.set()
            continue
        operation, path, loop, outcome = item
        error: OSError | None = None
        try:
            operation()
        except OSError as caught:
            error = caught
            log.error("failed to write file: file=%s error=%s", path, caught)
        # The loop is closed when an agent ends without waiting; then nobody asks any more.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, outcome, error)


def _settle(outcome: Outcome, error: OSError | None) -> None:
    if not outcome.done():
        outcome.set_result(error)
