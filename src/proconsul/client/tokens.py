"""The token of calls that name none: given, or in a file that others may write anew at any time."""

from __future__ import annotations

import os
import time
from typing import Final

from proconsul.client.settings import ClientConfig

__all__ = ["TokenSource"]

# How often the file is looked at: calls must not cost a look each.
_LOOK_S: Final = 1.0


class TokenSource:
    """Knows the token. A file that cannot be read, or is empty for a moment, leaves the token as it was."""

    token: str

    def __init__(self, config: ClientConfig) -> None:
        """Raises SettingsError when there is a file and it cannot be read."""
        self._config = config
        self._stamp = self._look()
        self._looked = time.monotonic()
        self.token = config.read_token()

    def _look(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self._config.token_file)
        except OSError:
            return 0, 0, 0
        return found.st_mtime_ns, found.st_size, found.st_ino

    def current(self) -> str:
        """The token to use now."""
        if self._config.token_file and time.monotonic() - self._looked >= _LOOK_S:
            self.refresh()
        return self.token

    def refresh(self) -> bool:
        """Look at the file; whether it has been written anew."""
        if not self._config.token_file:
            return False
        self._looked = time.monotonic()
        stamp = self._look()
        if stamp == self._stamp:
            return False
        try:
            token = self._config.read_token()
        except ValueError:
            return False
        self.token, self._stamp = token, stamp
        return True
