"""Who an agent is: its UUID, and its entry in the catalog."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig
from proconsul.agent.part import Part
from proconsul.engine.durable import replace_file
from proconsul.features.catalog.model import Node
from proconsul.features.errors import ConsulError

# Node metadata that every agent adds to what is configured.
SEGMENT_META = "consul-network-segment"


def read_node_id(config: FixedConfig, rng: random.Random) -> str:
    """The node's UUID: configured, kept in data_dir/node-id, or new. Raises ConsulError for a damaged file."""
    path = Path(config.data_dir) / "node-id" if config.data_dir else None
    if config.node_id:
        node_id = config.node_id.lower()
    elif path is not None and path.exists():
        try:
            return _checked_uuid(path.read_text(errors="replace").strip(), path)
        except OSError as error:
            raise ConsulError(f"failed to setup node ID: {error}") from None
    else:
        node_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, node_id.encode())
    return node_id


def _checked_uuid(text: str, path: Path) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ConsulError(f"failed to setup node ID: {path} does not hold a UUID") from None


class OwnNode(Part):
    """This node as the catalog should have it: call it for the record."""

    def __init__(self, fixed: FixedConfig, reloadable: ReloadableConfig, node_id: str) -> None:
        self._fixed, self._node_id = fixed, node_id
        self.reloaded(reloadable)

    def __call__(self) -> Node:
        return self._node

    def reloaded(self, config: ReloadableConfig) -> None:
        """node_meta may be another."""
        fixed = self._fixed
        self._node = Node(
            ID=self._node_id, Node=fixed.node_name, Address=fixed.advertise_addr_lan, Datacenter=fixed.datacenter,
            TaggedAddresses=dict(fixed.tagged_addresses), Meta={SEGMENT_META: fixed.segment, **config.node_meta},
        )  # fmt: skip
