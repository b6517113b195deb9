"""What a secondary datacenter does itself, and what is the primary's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from acl_world import World

from proconsul.features.acl.model import ACLToken
from proconsul.features.acl.needs import NEEDS
from proconsul.features.acl.placement import Placement
from proconsul.features.acl.requests import TokenDeleteCall, TokenGetRequest, TokenListRequest, TokenSetCall
from proconsul.features.acl.settings import AclSettings

ALWAYS = {"ACL.PolicySet", "ACL.PolicyDelete", "ACL.RoleSet", "ACL.RoleDelete", "ACL.Apply"}
OF_TOKENS = {
    "ACL.TokenRead", "ACL.TokenReadExpanded", "ACL.TokenList", "ACL.TokenBatchRead", "ACL.Get", "ACL.List",
    "ACL.GetPolicy", "ACL.PolicyResolve", "ACL.RoleResolve",
}  # fmt: skip
BY_TOKEN = {"ACL.TokenSet", "ACL.TokenClone", "ACL.TokenDelete"}


def datacenter(world: World, method: str, args: Any, *, copies: bool) -> str:
    settings = AclSettings(enabled=True, primary="first", token_replication=copies)
    placed = Placement(world.state.acl, settings).placed(method, args)
    return placed.Datacenter or "ours"


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("method", sorted({*NEEDS, "KVS.Apply", "Catalog.Register"} - BY_TOKEN))
def test_whose_a_method_is(method: str, copies: bool) -> None:
    args = TokenListRequest() if method == "ACL.TokenList" else TokenGetRequest()
    found = datacenter(World(), method, args, copies=copies)
    assert found == ("first" if method in ALWAYS or (method in OF_TOKENS and not copies) else "ours")


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("which", ["local", "global", "unknown"])
def test_whose_a_token_is(which: str, copies: bool) -> None:
    world = World(datacenter="second")
    local, everywhere = world.token(Local=True), world.token()
    row = {"local": local, "global": everywhere, "unknown": ACLToken(AccessorID="x")}[which]
    wanted = "ours" if which == "local" and copies else "first"
    clone, delete = TokenSetCall(ACLToken=ACLToken(AccessorID=row.AccessorID)), TokenDeleteCall(TokenID=row.AccessorID)
    assert datacenter(world, "ACL.TokenClone", clone, copies=copies) == wanted
    assert datacenter(world, "ACL.TokenDelete", delete, copies=copies) == wanted
    # Of one that is written its own word counts; where none are kept a local one is refused, which is done here.
    changed = TokenSetCall(ACLToken=ACLToken(AccessorID=row.AccessorID, Local=which == "local"))
    assert datacenter(world, "ACL.TokenSet", changed, copies=copies) == ("ours" if which == "local" else "first")


def test_the_primarys_own_tokens_are_not_listed_elsewhere() -> None:
    settings = AclSettings(enabled=True, primary="first")
    placed = Placement(World().state.acl, settings).placed("ACL.TokenList", TokenListRequest(IncludeLocal=True))
    assert (placed.IncludeLocal, placed.IncludeGlobal, placed.Datacenter) == (False, True, "first")


def test_what_is_of_no_access_control_is_not_looked_at() -> None:
    args = SimpleNamespace()
    assert Placement(World().state.acl, AclSettings(primary="first")).placed("Session.Apply", args) is args
