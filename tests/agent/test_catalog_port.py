"""How the agent reaches the catalog where its own calls are limited."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

import random
from typing import Any

import pytest

from proconsul.agent.local.catalog_port import TURN_S, TURNS_MAX, ServerCatalog
from proconsul.features.catalog.model import DeregisterRequest, RegisterRequest
from proconsul.features.errors import ConsulError, RateExceeded


class Limited:
    """A gate that refuses the first ``refusals`` calls for want of a turn, and the next one by ``error``, if any."""

    def __init__(self, refusals: int, error: ConsulError | None = None) -> None:
        self.left, self.error, self.calls = refusals, error, 0

    @property
    def gate(self) -> Limited:
        return self

    def endpoint(self, kind: type) -> Any:
        return self

    def node_service_list(self, args: Any) -> None: ...

    def node_checks(self, args: Any) -> None: ...

    async def written(self, method: Any, args: Any) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise RateExceeded()
        if self.error is not None:
            raise self.error

    async def value(self, read: Any, token: str) -> Any:
        await self.written(None, None)
        return self

    Node = Services = None


@pytest.mark.parametrize("call", ["own_services", "own_checks", "register", "deregister"])
@pytest.mark.parametrize("refusals", [0, 1, TURNS_MAX, TURNS_MAX + 1])
@pytest.mark.parametrize("error", [None, ConsulError("no")])
async def test_calls_wait_for_their_turn_but_not_for_ever(call: str, refusals: int, error: ConsulError | None) -> None:
    limited, paused = Limited(refusals, error), list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    port = ServerCatalog(limited, str, rng=random.Random(1), pause=pause)
    arguments = {"register": RegisterRequest(), "deregister": DeregisterRequest()}
    calling = getattr(port, call)(arguments.get(call, "n1"))
    if refusals > TURNS_MAX:
        with pytest.raises(RateExceeded):
            await calling
    elif error is not None:
        with pytest.raises(ConsulError, match="no"):
            await calling
    else:
        await calling
    assert limited.calls == min(refusals, TURNS_MAX) + 1
    assert len(paused) == min(refusals, TURNS_MAX) and all(0 <= one <= TURN_S for one in paused)
