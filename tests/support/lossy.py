"""Loss of datagrams for processes that know nothing of it: a filter in the kernel on the sockets they have open.

A classic BPF program may ask for a random number and refuse what arrived (socket(7), SO_ATTACH_FILTER). The sockets of
another process are within reach of who may trace it (pidfd_getfd(2)), as a parent may its children. So every program
can be given the same loss, without a network of its own and without a part of it that knows of tests.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct

_PIDFD_GETFD = 438
_SO_ATTACH_FILTER = 26
# struct sock_filter: load the kernel's random number (u32); if it is at least the threshold go on, else skip one;
# take everything; take nothing.
_LOAD_RANDOM, _IF_AT_LEAST, _RETURN = 0x20, 0x35, 0x06
_RANDOM_AT = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM
_ALL = 0xFFFFFFFF
_libc = ctypes.CDLL(None, use_errno=True)


def lose(pid: int, host: str, port: int, rate: float) -> int:
    """Have what arrives at process ``pid`` on ``host``:``port`` be lost with this probability: datagrams and parts of
    the connections it accepts from now on. Returns how many sockets are concerned.

    Raises OSError (PermissionError) where the kernel does not allow it.
    """
    pidfd = os.pidfd_open(pid)
    try:
        found = [sock for number in _descriptors(pid) if (sock := _socket_of(pidfd, number)) is not None]
    finally:
        os.close(pidfd)
    concerned = 0
    for sock in found:
        with sock:
            if _listens(sock) and _name(sock) == (host, port):
                _attach(sock, rate)
                concerned += 1
    return concerned


def lost(host: str, port: int) -> int:
    """How many datagrams to ``host``:``port`` the kernel has thrown away."""
    wanted = f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
    with open("/proc/net/udp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[-1]) for row in rows if row[1] == wanted)


def _descriptors(pid: int) -> list[int]:
    numbers = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(entry.path)
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:"):
            numbers.append(int(entry.name))
    return numbers


def _socket_of(pidfd: int, number: int) -> socket.socket | None:
    """A duplicate of another process's socket; None when it was closed meanwhile."""
    descriptor = _libc.syscall(_PIDFD_GETFD, pidfd, number, 0)
    if descriptor < 0:
        error = ctypes.get_errno()
        if error == 9:  # EBADF
            return None
        raise OSError(error, os.strerror(error))
    # Python sets no flags of a descriptor it is given, so the other process's stays as non-blocking as it was.
    return socket.socket(fileno=descriptor)


def _listens(sock: socket.socket) -> bool:
    if sock.type == socket.SOCK_STREAM:
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    return sock.type == socket.SOCK_DGRAM


def _name(sock: socket.socket) -> tuple[str, int] | None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    address = sock.getsockname()
    return address[0], address[1]


def _attach(sock: socket.socket, rate: float) -> None:
    program = (
        (_LOAD_RANDOM, 0, 0, _RANDOM_AT),
        (_IF_AT_LEAST, 0, 1, int(rate * 2**32)),
        (_RETURN, 0, 0, _ALL),
        (_RETURN, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
