"""What the DNS room needs to know of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """``dns_config`` with its neighbours. Times in seconds; domains as dotted text with a final dot."""

    datacenter: str = "dc1"
    domain: str = "consul."
    alt_domain: str = ""
    node_ttl_s: int = 0
    service_ttl_s: Mapping[str, float] = field(default_factory=dict)
    only_passing: bool = False
    a_record_limit: int = 0
    udp_answer_limit: int = 3
    enable_truncate: bool = False
    compress: bool = True
    node_meta_txt: bool = True
    # serial is the time of the answer; these are refresh, retry, expire, minimum TTL.
    soa: tuple[int, int, int, int] = (3600, 600, 86400, 0)
    recursors: tuple[str, ...] = ()
    recursor_timeout_s: float = 2.0
    recursor_random: bool = False
    # Answers of other datacenters give the addresses that lead there.
    translate_wan_addrs: bool = False

    def ttl_of(self, service: str) -> int:
        """service_ttl: the exact name, else the longest ``prefix*``, else ``*``."""
        ttls = self.service_ttl_s
        if service in ttls:
            return int(ttls[service])
        best = None
        for pattern in ttls:
            if pattern.endswith("*") and service.startswith(pattern[:-1]):
                if best is None or len(pattern) > len(best):
                    best = pattern
        return int(ttls[best]) if best is not None else 0


def domain_labels(domain: str) -> tuple[str, ...]:
    """A dotted domain as lower-case labels."""
    return tuple(label for label in domain.lower().split(".") if label)
