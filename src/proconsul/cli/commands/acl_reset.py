"""``consul operator acl-reset``: proconsul's own."""

from __future__ import annotations

from pathlib import Path

from proconsul.cli.command import Command, Failure
from proconsul.cli.flags import FlagSet


class AclReset(Command):
    """Lets access control be bootstrapped once more."""

    usage = "consul operator acl-reset -data-dir DIRECTORY [options]"
    body = """
  For those who have lost the last management token. Works on the data directory
  of a server that is stopped: it finds out when access control was bootstrapped
  and writes the file that allows one more bootstrap. Then start the server and,
  when it leads, make a new token:

      $ consul operator acl-reset -data-dir /var/lib/consul
      $ consul acl bootstrap

  Only the leader looks at the file, so do it on the server that will lead, or on
  all of them. Tokens, policies and roles stay as they are.
"""

    def define(self, flags: FlagSet) -> None:
        self.data_dir = flags.string("data-dir", "The data directory of the server.")
        self.dry_run = flags.boolean("dry-run", "Say what would be done, and change nothing.")

    def execute(self, args: list[str]) -> int:
        from proconsul.engine.raft.errors import RaftError
        from proconsul.server import acl_reset

        if args:
            raise Failure(f"Too many arguments (expected 0, got {len(args)})")
        if not self.data_dir.value:
            raise Failure("Must specify -data-dir")
        try:
            found = acl_reset.find(Path(self.data_dir.value))
            if not found.bootstrapped_at:
                raise Failure("Access control was never bootstrapped here: run 'consul acl bootstrap'")
            at = found.bootstrapped_at
            self.ui.out(f"Access control was bootstrapped at index {at}; there are {found.tokens} tokens.")
            if self.dry_run.value:
                self.ui.out(f"Would write {found.path}; nothing was changed.")
                return 0
            acl_reset.allow(found)
        except (RaftError, OSError) as error:
            raise Failure(f"Error resetting access control: {error}") from None
        self.ui.out(f"Wrote {found.path}: it allows one more bootstrap.")
        self.ui.out("Start the server; when it leads, run 'consul acl bootstrap'.")
        return 0
