"""Both clients against both servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from both import ROOT_TOKEN, client_of

from proconsul.client import AsyncClient, Client, ConsulError
from proconsul.testing import AgentInThread
from support.harness import Agent, Subject, eventually
from support.reference import require_reference

_ACL = {
    "enabled": True, "default_policy": "deny",
    "tokens": {"master": ROOT_TOKEN, "agent": ROOT_TOKEN},
}  # fmt: skip
_TOKENS_HCL = f'tokens {{ master = "{ROOT_TOKEN}" agent = "{ROOT_TOKEN}" }}'
_ACL_HCL = f'acl {{ enabled = true default_policy = "deny" {_TOKENS_HCL} }}'


@pytest.fixture(scope="module", params=["ours", "reference"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an agent with access control, one for each module: ours in this process, or the reference."""
    if request.param == "ours":
        with AgentInThread({"acl": _ACL, "primary_datacenter": "dc1"}) as inside:
            yield inside.http_address
        return
    require_reference()
    with Agent(Subject.REFERENCE, tmp_path_factory.mktemp("reference"), ["-hcl", _ACL_HCL]) as agent:
        with Client(agent.address, token=ROOT_TOKEN, timeout=5) as client:
            eventually(lambda: _is_ready(client), "the reference is ready")
        yield agent.address


def _is_ready(client: Client) -> bool:
    try:
        return bool(client.catalog.service("consul"))
    except ConsulError:
        return False


@pytest.fixture(params=["async", "sync"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which client."""
    return str(request.param)


@pytest.fixture
async def client(server: str, kind: str) -> AsyncIterator[AsyncClient]:
    """A client of either kind, with the face of the asynchronous one."""
    made = client_of(kind, server)
    yield made
    await made.aclose()
