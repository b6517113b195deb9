"""Raft consensus, wire-compatible with hashicorp/raft protocol version 3 as Consul uses it.

``core`` is the pure algorithm, ``node`` its driver, ``log`` and ``snapshots`` the disk, ``transport`` the network side.
Import what you need from those modules.
"""
