"""``consul snapshot save``, ``restore``, ``inspect`` and ``decode``."""

from __future__ import annotations

import contextlib
import os
import random

from proconsul.cli import archive
from proconsul.cli.api import ApiError, ApiResponse
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, explain
from proconsul.cli.flags import FlagSet
from proconsul.cli.output import ProgressLine
from proconsul.engine.durable import sync_file
from proconsul.engine.raft.private import opener
from proconsul.engine.wire.goerrors import errno_text, path_error
from proconsul.engine.wire.text import quoted


def _one_file(args: list[str]) -> str:
    if not args:
        raise Failure("Missing FILE argument")
    if len(args) > 1:
        raise Failure(f"Too many arguments (expected 1, got {len(args)})")
    return args[0]


class Save(Command):
    """Saves the servers' state."""

    usage = "consul snapshot save [options] FILE"
    api = CLIENT_AND_SERVER
    body = """
  Saves everything the servers know to a file and checks it.

      $ consul snapshot save backup.snap
"""

    def execute(self, args: list[str]) -> int:
        path = _one_file(args)
        client = self.client()
        with explain("Error saving snapshot: "):
            response = client.ok("GET", "/v1/snapshot", stale_allowed=True)
        unverified = f"{path}.unverified.tmp{random.randrange(10**9):09d}"
        try:
            self._write(response, unverified)
        except OSError as error:
            _discard(unverified)
            raise Failure(f"Error writing unverified snapshot file: {path_error('open', unverified, error)}") from None
        except ApiError as error:
            _discard(unverified)
            raise Failure(f"Error writing unverified snapshot file: {error}") from None
        try:
            with open(unverified, "rb") as file:
                archive.verify(file)
        except archive.ArchiveError as error:
            _discard(unverified)
            raise Failure(f"Error verifying snapshot file: {error}") from None
        try:
            os.replace(unverified, path)
        except OSError as error:
            _discard(unverified)
            reason = "file exists" if os.path.isdir(path) else errno_text(error)
            text = f"rename {unverified} {path}: {reason}"
            raise Failure(f"Error renaming {quoted(unverified)} to {quoted(path)}: {text}") from None
        self.ui.out(f"Saved and verified snapshot to index {response.index}")
        return 0

    def _write(self, response: ApiResponse, path: str) -> None:
        progress = ProgressLine("Saved bytes")
        with open(path, "xb", opener=opener) as out:
            while data := response.read_some():
                out.write(data)
                progress.advance(len(data))
            out.flush()
            sync_file(out.fileno())
        progress.done()


def _discard(path: str) -> None:
    """Nothing is left of what was not saved; it may be the disk's last room."""
    with contextlib.suppress(OSError):
        os.remove(path)


class Restore(Command):
    """Loads a snapshot."""

    usage = "consul snapshot restore [options] FILE"
    api = CLIENT_AND_SERVER
    body = """
  Replaces everything the servers know by what a snapshot holds.

      $ consul snapshot restore backup.snap
"""

    def execute(self, args: list[str]) -> int:
        path = _one_file(args)
        client = self.client()
        try:
            with open(path, "rb") as file, explain("Error restoring snapshot: "):
                client.ok("PUT", "/v1/snapshot", body=file).close()
        except OSError as error:
            raise Failure(f"Error opening snapshot file: {path_error('open', path, error)}") from None
        self.ui.out("Restored snapshot")
        return 0


class Inspect(Command):
    """Shows what a snapshot holds."""

    usage = "consul snapshot inspect [options] FILE"
    body = """
  Checks a snapshot file and shows what it says about itself, and how many
  records of each kind take how much room. Needs no agent. A file named state.bin
  is taken for a server's own snapshot, with meta.json beside it.

      $ consul snapshot inspect backup.snap
      $ consul snapshot inspect -kvdetails -kvdepth 3 -kvfilter app/ backup.snap
"""

    def define(self, flags: FlagSet) -> None:
        self.details = flags.boolean("kvdetails", "Show which prefixes of keys take how much room.")
        self.depth = flags.integer("kvdepth", "How many parts of a key make a prefix.", default=2)
        self.filter = flags.string("kvfilter", "Only keys that begin with this.")
        self.format = flags.string("format", "Output format, pretty or json.", default="pretty")

    def execute(self, args: list[str]) -> int:
        path = _one_file(args)
        if self.format.value not in ("pretty", "json"):
            raise Failure(f"Error: invalid format {quoted(self.format.value)}: it is pretty or json")
        if self.depth.value < 1:
            raise Failure("Error: -kvdepth must be 1 or more")
        from proconsul.cli import contents  # loads the records of every feature, which other commands do not need

        table = contents.Contents(self.depth.value, self.filter.value)
        meta, problem = contents.read(path, table.add)
        if self.format.value == "json":
            self.ui.out(contents.as_json(meta, table, keys=self.details.value))
        else:
            self.ui.out(contents.pretty(meta, table, keys=self.details.value) + "\n")
        if problem:
            self.ui.error(f"The table is not complete: {problem}")
        return 0


class Decode(Command):
    """Prints what a snapshot holds."""

    usage = "consul snapshot decode FILE"
    body = """
  Prints every record of a snapshot as a line of JSON, secrets included. Needs no
  agent.

      $ consul snapshot decode backup.snap
"""

    def execute(self, args: list[str]) -> int:
        path = _one_file(args)
        from proconsul.cli import contents

        meta, _ = contents.read(path, lambda _: None)  # nothing is printed of a file that is damaged
        self.ui.out(contents.line("SnapshotHeader", meta))
        _, problem = contents.read(path, lambda found: self.ui.out(contents.record(found)))
        if problem:
            raise Failure(f"Error decoding snapshot: {problem}")
        return 0
