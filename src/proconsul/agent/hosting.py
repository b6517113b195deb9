"""What everybody who runs an agent has to do, whatever program it is part of: the command line, programs that embed
one (`proconsul.embed`), and tests.

Nothing here takes signals, sets up logging, or touches anything else of the process.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from proconsul.agent.config import load, reload
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.doors.tls import rpc_tls
from proconsul.agent.telemetry.logs import HostLogs
from proconsul.engine.supervision import to_the_end
from proconsul.server.config import RpcTls

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent

log = logging.getLogger("agent")

# Between two looks whether an agent is ready, in seconds: one that is alone is so within milliseconds.
LOOK_S = 0.001
LOOK_ELSEWHERE_S = 0.05


class StartPlan(NamedTuple):
    """What an agent is to be: made whole, and checked, before anything is begun."""

    config: RuntimeConfig
    # What is to be said about the configuration, once there is somewhere to say it.
    warnings: list[str]
    # What `load` was given, to be read again at a reload.
    settings: Mapping[str, object]
    defaults: Mapping[str, object]
    tls: RpcTls


def plan(settings: Mapping[str, object], defaults: Mapping[str, object] = {}) -> StartPlan:
    """The plan of an agent with these settings; see `load` for them. Raises ConfigError and ConsulError."""
    config, warnings = load(settings, defaults)
    tls = rpc_tls(config.fixed, config.reloadable)  # files that are no good end it before it begins
    return StartPlan(config, warnings, settings, defaults, tls)


def make(
    plan: StartPlan, *, logs: HostLogs | None = None, solo: bool = False, rng: random.Random | None = None
) -> Agent:  # fmt: skip
    """The agent, on the loop that runs. ``solo``: see `Agent`. Raises ConsulError."""
    from proconsul.agent.agent import Agent

    return Agent(
        plan.config, logs=logs, read_config=partial(_read_again, plan.settings, plan.defaults), tls=plan.tls,
        solo=solo, rng=rng,
    )  # fmt: skip


def tell(plan: StartPlan) -> None:
    """Say what is to be said about the configuration."""
    for sentence in (*plan.warnings, *plan.config.without_effect):
        log.warning("%s", sentence)
    for promise in unkept_promises(plan.config):
        log.error("%s", promise)


def unkept_promises(config: RuntimeConfig) -> list[str]:
    """What the configuration asks for and this version does not do: nobody may find that out by chance."""
    found = []
    for port in (config.fixed.ports.grpc, config.fixed.ports.grpc_tls):
        if port > 0:
            found.append(f"port {port} is set for gRPC, but this version does not serve gRPC: nobody listens there")
    return found


def _read_again(
    settings: Mapping[str, object], defaults: Mapping[str, object], current: RuntimeConfig
) -> RuntimeConfig:  # fmt: skip
    """Read the sources again; values that need a restart keep what the running agent has. Raises ConfigError."""
    config, warnings = reload(settings, current, defaults)
    for warning in warnings:
        log.warning("%s", warning)
    return config


async def started(agent: Agent, ready_within_s: float | None) -> None:
    """Start, and wait until it is ready, if that depends on nobody else. ``ready_within_s``: None for not to wait.

    Raises what `Agent.start` raises, and TimeoutError. Nothing is left behind then, nor when it is cancelled.
    """
    try:
        await agent.start()
        if ready_within_s is not None and is_alone(agent.config):
            await when_ready(agent, ready_within_s)
    except BaseException:
        await stopped(agent)
        raise


async def stopped(agent: Agent) -> None:
    """Stop all of it. Whoever is cancelled meanwhile learns of it when that is done."""
    await to_the_end(agent.stop())


def is_alone(config: RuntimeConfig) -> bool:
    """Whether it is a server that needs no others to be ready."""
    fixed = config.fixed
    return fixed.server and (fixed.bootstrap or fixed.dev_mode or fixed.bootstrap_expect == 1)


async def when_ready(agent: Agent, within_s: float) -> None:
    """Return when writes have somewhere to go; of a server that is alone, when it is in its own catalog with all that
    is registered with it. Raises TimeoutError."""
    try:
        async with asyncio.timeout(within_s):
            if is_alone(agent.config):
                await agent.node.when_ready(within_s)
                while not _registered(agent):
                    await asyncio.sleep(LOOK_S)
            while not await agent.node.knows_leader():
                await asyncio.sleep(LOOK_ELSEWHERE_S)
    except TimeoutError:
        raise TimeoutError(f"the agent is not ready within {within_s:g} s: nobody leads") from None


def _registered(agent: Agent) -> bool:
    """Whether the catalog knows this node, its service, and all that is registered with the agent and not refused."""
    fixed, local = agent.config.fixed, agent.local
    pending = [
        *(f"service {name}" for name in local.unsynced_services),
        *(f"check {name}" for name in local.unsynced_checks),
    ]
    # Where tokens count, the agent may have none that may register anything.
    sent = fixed.acl.enabled or all(agent.sync.troubles.of(about) is not None for about in pending)
    return sent and agent.node.state.tables.nodes.get(fixed.node_name.lower()) is not None
