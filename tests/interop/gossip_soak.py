"""A mixed pool that loses every twentieth datagram, watched for members that are wrongly seen to fail.

GOSSIP_SOAK_SECONDS=600 python -m pytest -q -s tests/interop/test_packet_loss.py
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from support.harness import Subject
from support.lossy import lose, lost
from support.pools import Pool

LOSS = 0.05
# serf and the bare members have the timing of a LAN here: what loses packets is no single machine.
PROFILE = "lan"
_FAILED = re.compile(r"EventMemberFailed: (\S+)")
_REFUTED = re.compile(r"Refuting a suspect message")
_SUSPECTED = re.compile(r"Suspect (\S+) has failed")


@dataclass
class Report:
    """What was seen in all logs. ``lost``: datagrams; ``deaths``: (who saw it, of whom)."""

    members: int
    seconds: float = 0.0
    lost: int = 0
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    suspicions: int = 0
    refutations: int = 0

    def __str__(self) -> str:
        return (
            f"gossip under {LOSS:.0%} loss: {self.members} members, {self.seconds / 60:.1f} minutes, "
            f"{self.lost} datagrams lost, "
            f"{sum(self.deaths.values())} false deaths, {self.suspicions} suspicions, {self.refutations} refutations"
        )


def begin(pool: Pool) -> None:
    """Three members of each kind, all of them losing packets from now on. Skips, loudly, where that cannot be."""
    for number in (1, 2, 3):
        pool.add_consul(f"ref{number}", Subject.REFERENCE, server=number == 1)
        pool.add_consul(f"our{number}", Subject.OURS, server=number == 1)
        pool.add_serf(f"serf{number}", profile=PROFILE)
        pool.add_bare(f"bare{number}", profile=PROFILE)
    pool.join_all()
    pool.everybody_sees()
    for member in pool:
        host, port = member.gossip.rsplit(":", 1)
        try:
            concerned = lose(member.pid, host, int(port), LOSS)
        except PermissionError as error:
            pytest.skip(f"NO PACKET LOSS: the kernel does not let us at the sockets of our children: {error}")
        assert concerned == 2, f"{member.name}: one socket for datagrams and one for streams"


def watch(pool: Pool, seconds: float) -> Report:
    """Let the pool run, and count what its members say of each other."""
    report = Report(len(list(pool)))
    read = {member.name: len(member.log()) for member in pool}
    began = time.monotonic()
    # The one thing to be seen here is that for a time nothing happens.
    while time.monotonic() - began < seconds:
        for member in pool:
            member.require_running()
        time.sleep(min(1.0, seconds / 10))
    report.seconds = time.monotonic() - began
    for member in pool:
        host, port = member.gossip.rsplit(":", 1)
        report.lost += lost(host, int(port))
        said = member.log()[read[member.name] :]
        report.deaths.update((member.name, failed) for failed in _FAILED.findall(said))
        report.suspicions += len(_SUSPECTED.findall(said))
        report.refutations += len(_REFUTED.findall(said))
    return report
