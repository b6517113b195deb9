"""``consul keygen``."""

from __future__ import annotations

from proconsul.cli.command import Command

# AES-256: the largest key memberlist's encryption takes.
_KEY_BYTES = 32


class Keygen(Command):
    """Makes a gossip key."""

    usage = "consul keygen"
    body = '  Prints a new random 32-byte key for the agent\'s "encrypt" setting.'

    def execute(self, args: list[str]) -> int:
        import os
        from base64 import b64encode

        self.ui.out(b64encode(os.urandom(_KEY_BYTES)))
        return 0
