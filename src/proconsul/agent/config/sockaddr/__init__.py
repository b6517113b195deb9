"""Address templates: ``{{ GetPrivateIP }}``, ``{{ GetAllInterfaces | include "name" "eth0" | attr "address" }}``.

The language is Go's text/template with the functions of go-sockaddr. Source: their documentation, and the original's
answers where that is silent. ``syntax`` reads templates, ``template`` runs them, ``functions`` has the functions,
``ranges`` the addresses that RFCs set aside. Pure: interfaces are an argument.
"""

from __future__ import annotations

import ipaddress

from proconsul.agent.config.host import Host
from proconsul.agent.config.sockaddr.functions import functions_for
from proconsul.agent.config.sockaddr.interfaces import IfAddr, IfAddrs
from proconsul.agent.config.sockaddr.template import TemplateError, run

__all__ = ["TemplateError", "is_private", "render"]

_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def is_private(address: str) -> bool:
    """Whether an address lies in a range for private networks (RFC 1918, 6598, 4193)."""
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE)


def render(template: str, host: Host) -> str:
    """Replace every ``{{ }}`` by its value. Raises TemplateError."""
    return run(template, functions_for(host), IfAddrs(IfAddr(item) for item in host.interfaces()))
