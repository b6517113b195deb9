"""What a node is told of access control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # settings are no more than values to what imports them
    from proconsul.plugins.host import PluginHost


@dataclass(frozen=True, slots=True)
class AclSettings:
    """Access control. ``initial_management``: the secret of a management token that the leader makes, "" for none.

    key_list_policy: listing keys needs more than reading them. reset_dir: where a file may allow another bootstrap, ""
    for nowhere. down_policy, the ttls: how long a client agent goes by what servers told it, and what it does when they
    cannot be asked; see `token_rights`. primary: the datacenter whose access control counts here, too, "" where that is
    our own. token_replication: copy its tokens, not only its policies and roles. plugins: the agent's, some of
    which bring types of auth methods.
    """

    enabled: bool = False
    default_allow: bool = True
    initial_management: str = field(default="", repr=False)
    key_list_policy: bool = False
    reset_dir: str = ""
    down_policy: str = "extend-cache"
    token_ttl_s: float = 30.0
    policy_ttl_s: float = 30.0
    role_ttl_s: float = 30.0
    disabled_ttl_s: float = 120.0
    primary: str = ""
    token_replication: bool = False
    plugins: PluginHost | None = field(default=None, repr=False, compare=False)

    @property
    def local_tokens(self) -> bool:
        """Whether this datacenter keeps tokens, its own among them; a secondary that copies none has none."""
        return not self.primary or self.token_replication


NO_ACLS = AclSettings()
