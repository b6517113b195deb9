"""Gossip: membership and failure detection on memberlist's wire, as pure parts.

Here so far: the compression, coordinates, and the small decisions of SWIM with Lifeguard. Packets, the membership
core and the driver come with the network pools.
"""
