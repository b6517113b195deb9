"""Telling systemd that the service is up, for units of ``Type=notify`` (sd_notify)."""

from __future__ import annotations

import os
import socket

from proconsul.engine.unix_sockets import unix_family


def notify(state: str) -> bool:
    """Send ``state`` (``READY=1``) to the service manager. False when none asked for it."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    # A leading @ stands for the zero byte of Linux's abstract names.
    address = "\0" + path[1:] if path.startswith("@") else path
    family = unix_family()
    if family is None:
        return False
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(state.encode(), address)
        except OSError:
            return False
    return True
