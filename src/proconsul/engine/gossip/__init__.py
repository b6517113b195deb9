"""Gossip: membership, failure detection, events, queries, keys and coordinates on memberlist's and serf's wire.

Pure cores (`swim`, `serf` and what they use) and one driver (`pool`).
"""
