"""Why an address cannot be listened at, in the words operators know (Go's ``net`` package)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from proconsul.agent.checks.dial import errno_text
from proconsul.features.errors import ConsulError


@contextlib.contextmanager
def binding(network: str, address: object) -> Iterator[None]:
    """Around what listens at ``address`` (``host:port``, or a path). Raises ConsulError for its OSError."""
    try:
        yield
    except OSError as error:
        raise ConsulError(f"listen {network} {address}: bind: {errno_text(error)}") from None
