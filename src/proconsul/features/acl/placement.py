"""Which datacenter a call of access control is for that names none: policies, roles and global tokens are the
primary's, whatever server they are changed at; tokens of one datacenter stay there (Consul docs: security/acl,
replication). Where a secondary copies no tokens it has none of its own either, and everything about them is the
primary's; pure.
"""

from __future__ import annotations

from typing import Any

from proconsul.engine.wire.record import replace
from proconsul.features.acl.settings import AclSettings
from proconsul.features.acl.state import ACLState

# Decided by what there is, which only a leader knows for sure.
BY_STATE = frozenset({"ACL.TokenClone", "ACL.TokenDelete"})
# Also tokens from before 1.4, which are global.
_PRIMARYS = frozenset({"ACL.PolicySet", "ACL.PolicyDelete", "ACL.RoleSet", "ACL.RoleDelete", "ACL.Apply"})
_OF_TOKENS = frozenset({
    "ACL.TokenRead", "ACL.TokenReadExpanded", "ACL.TokenList", "ACL.TokenBatchRead", "ACL.TokenClone",
    "ACL.TokenDelete", "ACL.Get", "ACL.List", "ACL.GetPolicy",
    # What a client agent is told of a new token must not be what was copied before it.
    "ACL.PolicyResolve", "ACL.RoleResolve",
})  # fmt: skip


class Placement:
    """For a server of a secondary datacenter. ``state``: its own."""

    def __init__(self, state: ACLState, settings: AclSettings) -> None:
        self._state, self._settings = state, settings

    def placed(self, method: str, args: Any) -> Any:
        """The arguments of ``method``, which name the datacenter that is to carry it out if that is not ours."""
        if not method.startswith("ACL.") or self._is_ours(method, args):
            return args
        if method == "ACL.TokenList":
            args = replace(args, IncludeLocal=False, IncludeGlobal=True)  # the primary's own are nobody's here
        return replace(args, Datacenter=self._settings.primary)

    def _is_ours(self, method: str, args: Any) -> bool:
        if method in _PRIMARYS:
            return False
        if method == "ACL.TokenSet":
            return bool(args.ACLToken.Local)
        if method in _OF_TOKENS and not self._settings.local_tokens:
            return False
        if method in BY_STATE:
            # What is not here may be the primary's, or not be there yet.
            token = self._state.token(args.ACLToken.AccessorID if method == "ACL.TokenClone" else args.TokenID)
            return token is not None and token.Local
        return True
