"""proconsul: Consul-compatible service networking in Python."""

__all__ = ["COMPATIBLE_VERSION", "__version__"]

__version__ = "0.2.0"

# Clients decide by this string which features they may use (Config.Version of /v1/agent/self and the
# gossip tag ``build``). It names the Consul release whose behaviour is pinned by the differential suite.
COMPATIBLE_VERSION = "1.8.7"
