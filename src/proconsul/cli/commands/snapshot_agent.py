"""``consul snapshot agent``: snapshots saved regularly to a directory, checked, the newest ones kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

from proconsul.cli import archive
from proconsul.cli.api import ApiError
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure
from proconsul.cli.flags import FlagSet
from proconsul.engine.durable import sync_file
from proconsul.engine.wire.goerrors import errno_text

_PREFIX, _SUFFIX = "consul-", ".snap"
_INTERVAL_S = 3600.0
_RETAIN = 30


class SnapshotAgent(Command):
    """Saves snapshots regularly."""

    usage = "consul snapshot agent [options]"
    api = CLIENT_AND_SERVER
    body = """
  Saves a snapshot at once and then at every interval, reads each again to check
  that it can be restored, and removes the oldest. With an interval of 0 it saves
  one and ends.

      $ consul snapshot agent -interval=1h -retain=24 -local-path=/var/backups
"""

    def define(self, flags: FlagSet) -> None:
        self.interval = flags.optional_duration("interval", "Time between two snapshots, such as `1h`.")
        self.retain = flags.optional_unsigned("retain", "How many snapshots to keep, 0 for all.")
        self.path = flags.string("local-path", "Directory for the snapshots, `.` by default.")

    def execute(self, args: list[str]) -> int:
        directory = Path(self.path.value or ".")
        given = self.interval.value
        interval_s = _INTERVAL_S if given is None else given / 1e9
        if not directory.is_dir():
            raise Failure(f"Error: {directory} is no directory")
        while True:
            started = time.monotonic()
            try:
                self.ui.out(self._save(directory))
                self._reap(directory)
            except (ApiError, archive.ArchiveError) as error:
                message = f"Error saving snapshot: {error}"
            except OSError as error:
                message = f"Error writing snapshot: {errno_text(error)}"
            else:
                message = ""
            if not interval_s:
                if message:
                    raise Failure(message)
                return 0
            if message:
                self.ui.error(message)  # the next one may work
            time.sleep(max(interval_s - (time.monotonic() - started), 0))

    def _save(self, directory: Path) -> str:
        """One snapshot, under its name only when it was found good. Raises ApiError, ArchiveError or OSError."""
        response = self.client().ok("GET", "/v1/snapshot", stale_allowed=True)
        name = f"{_PREFIX}{time.time_ns() // 1000:020d}{_SUFFIX}"
        unverified = directory / f".{name}.unverified"
        try:
            with open(unverified, "x+b") as file:
                while data := response.read_some():
                    file.write(data)
                file.flush()
                sync_file(file.fileno())
                file.seek(0)
                archive.verify(file)
            os.replace(unverified, directory / name)
        except BaseException:
            unverified.unlink(missing_ok=True)
            raise
        return f"Saved and verified snapshot to index {response.index}: {directory / name}"

    def _reap(self, directory: Path) -> None:
        """Remove the oldest of our snapshots; names sort by time."""
        keep = _RETAIN if self.retain.value is None else self.retain.value
        names = sorted(directory.glob(f"{_PREFIX}*{_SUFFIX}"))
        for path in names[:-keep] if keep else []:
            path.unlink(missing_ok=True)
