"""The file that names the agent's process (Consul docs: pid_file)."""

from __future__ import annotations

import os
from pathlib import Path

from proconsul.agent.part import Part
from proconsul.engine.wire.goerrors import errno_text
from proconsul.features.errors import ConsulError


class PidFile(Part):
    """``path`` "" writes none."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._written = False

    async def start(self) -> None:
        """Raises ConsulError when the file cannot be written."""
        if self._path is None:
            return
        try:
            self._path.write_text(str(os.getpid()))
        except OSError as error:
            raise ConsulError(f"Could not open pid file: open {self._path}: {errno_text(error)}") from None
        self._written = True

    async def stop(self) -> None:
        """Only what was written here goes: another agent may have the file that this one could not start beside."""
        if self._path is not None and self._written:
            self._written = False
            self._path.unlink(missing_ok=True)
