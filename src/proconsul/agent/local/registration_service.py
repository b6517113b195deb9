"""The parts of an agent that have to do with what is registered there: loading and reloading it, reaping."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial

from proconsul.agent.checks.runner import CheckRunners
from proconsul.agent.config.runtime import FixedConfig, ReloadableConfig
from proconsul.agent.doors.tls import CheckTls, reloading_tls
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import Persistence
from proconsul.agent.local.plan import Rules
from proconsul.agent.local.registrations import Registrations
from proconsul.agent.part import Commit, Part
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginKind

log = logging.getLogger("agent")

_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}


def log_check(level: str, message: str, **fields: object) -> None:
    """Implements `checks.runner.CheckLog`."""
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    log.log(_LEVELS.get(level, logging.INFO), "%s%s", message, f": {text}" if text else "")


def rules_of(fixed: FixedConfig, config: ReloadableConfig, plugins: PluginHost | None = None) -> Rules:
    """What may be registered."""
    checks, ports = config.checks, fixed.ports
    rules = Rules(
        (ports.sidecar_min, ports.sidecar_max), local_scripts=checks.enable_local_scripts,
        remote_scripts=checks.enable_remote_scripts,
    )  # fmt: skip
    return rules._replace(plugin=partial(plugins.check, PluginKind.CHECKS)) if plugins is not None else rules


class RegistrationService(Part):
    """Services and checks, from configuration and files, with what runs the checks."""

    def __init__(
        self, fixed: FixedConfig, reloadable: ReloadableConfig, registrations: Registrations, runners: CheckRunners,
        persistence: Persistence, plugins: PluginHost, rng: random.Random,
    ) -> None:  # fmt: skip
        self._fixed, self._registrations, self._runners = fixed, registrations, runners
        self._persistence, self._plugins, self._rng = persistence, plugins, rng
        # What the start is to load.
        self._definitions = reloadable.service_definitions, reloadable.check_definitions
        self._settle(reloadable, CheckTls(fixed.node_name, reloadable))

    async def start(self) -> None:
        """Raises ConsulError for a definition that cannot be registered, and a folder that cannot be read."""
        services, checks = self._definitions
        self._registrations.load(services, checks)

    async def stop(self) -> None:
        """Stop the checks; finish what was promised to be on disk."""
        await self._runners.close()
        self._persistence.close()

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """Everything there will be, checked whole. Raises ConsulError."""
        tls = CheckTls(self._fixed.node_name, config)
        with reloading_tls():
            tls.check()
        rules = rules_of(self._fixed, config, self._plugins)
        plan = self._registrations.plan(config.service_definitions, config.check_definitions, rules)

        def commit() -> Awaitable[object] | None:
            self._settle(config, tls)
            writes = self._registrations.apply(plan, rules)
            return asyncio.gather(*writes) if writes else None

        return commit

    def _settle(self, config: ReloadableConfig, tls: CheckTls) -> None:
        """How results are kept, for checks that run as for those that are started from now on."""
        state: LocalState = self._registrations.state
        update_s, random_part = config.checks.update_interval_s, self._rng.random
        state.discard_check_output = config.checks.discard_output
        # Between half and one and a half of check_update_interval, so that noisy outputs spread out.
        state.output_delay_s = lambda: update_s * (0.5 + random_part()) if update_s > 0 else 0.0
        state.defer = asyncio.get_running_loop().call_later
        self._runners.configure(config.checks.output_bytes_max, tls)


class Reaper(Part):
    """Deregisters services whose checks have been critical for too long."""

    def __init__(self, registrations: Registrations, interval_s: float, clock: Callable[[], float]) -> None:
        self._registrations, self._interval_s, self._clock = registrations, interval_s, clock
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self._again()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._reap)

    def _reap(self) -> None:
        self._registrations.reap(self._clock())
        self._again()
