"""Who may be in the pools: the acceptance rules of Consul's LAN and WAN (gossip wire reference, Consul on serf).

Pure. A rule gets the members of one push/pull, those that left excepted, or the single member of an alive message; one
refused member refuses all. Texts and order of the tests are those of Consul 1.8.7, found by offering it members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from proconsul.engine.gossip.delegate import NodeRefused
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.server.server_details import Build, ServerDetails

Rule = Callable[[Sequence[Member]], None]
Network = IPv4Network | IPv6Network
# Before this release nodes made their id from the host's, so that two agents on one host had the same.
_UNIQUE_IDS_SINCE = Build(0, 8, 5)


def lan_rule(*, name: str, node_id: str, datacenter: str, segment: str = "") -> Rule:
    """Members of one datacenter and segment, each with a node id of its own. The arguments say who we are."""

    def accept(members: Sequence[Member]) -> None:
        owners: dict[str, str] = {}
        for member in members:
            if member.status is MemberStatus.LEFT:
                continue
            if member.name != name:
                _check_id(member, node_id, owners)
            if member.tags.get("dc", "") != datacenter:
                raise NodeRefused(f"Member '{member.name}' part of wrong datacenter '{member.tags.get('dc', '')}'")
            if member.tags.get("segment", "") != segment:
                raise NodeRefused(
                    f"Member '{member.name}' part of wrong segment '{member.tags.get('segment', '')}' "
                    f"(expected '{segment}')"
                )

    return accept


def _check_id(member: Member, own_id: str, owners: dict[str, str]) -> None:
    node_id = member.tags.get("id", "")
    if not node_id:
        return
    clash = f"Member '{member.name}' has conflicting node ID '{node_id}' with"
    if node_id == own_id:
        raise NodeRefused(f"{clash} this agent's ID")
    if node_id in owners:
        raise NodeRefused(f"{clash} member '{owners[node_id]}'")
    try:
        if Build.parse(member.tags.get("build", "")) >= _UNIQUE_IDS_SINCE:
            owners[node_id] = member.name
    except ValueError:
        return  # of unknown age, so its id says nothing


def wan_rule(members: Sequence[Member]) -> None:
    """Only servers; of whatever datacenter. Raises Refused."""
    for member in members:
        if member.status is not MemberStatus.LEFT and ServerDetails.parse(member) is None:
            raise NodeRefused(f"Member '{member.name}' is not a server")


def allow_networks(networks: Sequence[Network]) -> Callable[[str], None]:
    """serf_lan_allowed_cidrs, serf_wan_allowed_cidrs: a test of IP addresses that raises Refused; none allow all."""

    def accept(address: str) -> None:
        if not networks:
            return
        try:
            ip = ip_address(address)
        except ValueError:
            raise NodeRefused(f"{address} is not allowed") from None
        if not any(ip in network for network in networks):
            raise NodeRefused(f"{address} is not allowed")

    return accept
