"""Whether this system has unix sockets: Python's has none on Windows, nor the names that belong to them."""

from __future__ import annotations

import errno

__all__ = ["require_unix", "unix_family"]


def unix_family() -> int | None:
    """AF_UNIX, None where there is none."""
    import socket

    family = getattr(socket, "AF_UNIX", None)
    return None if family is None else int(family)


def require_unix() -> int:
    """AF_UNIX. Raises OSError for a family of addresses that it does not have."""
    family = unix_family()
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "address family not supported by protocol")
    return family
