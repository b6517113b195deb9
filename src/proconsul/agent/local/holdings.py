"""What is registered here: in memory, what runs the checks, the files. Single steps, which `change` can take back."""

from __future__ import annotations

import logging
from typing import Protocol

from proconsul.agent.checks.definition import RunnableCheck
from proconsul.agent.checks.runner import Held
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import Persistence

log = logging.getLogger("agent")


class Runners(Protocol):
    """Runs checks (`checks.runner.CheckRunners`); results come back through the local state."""

    def start(self, check_id: str, check: RunnableCheck) -> None:
        """Run a check from now on, replacing an earlier one of the same id."""

    def stop(self, check_id: str) -> None: ...

    def hold(self, check_id: str) -> Held | None:
        """What runs under this id now, for `put_back`."""

    def put_back(self, check_id: str, held: Held) -> None:
        """Run what ran before; a TTL has what was left of its time."""

    def report(self, check_id: str, status: CheckStatus, output: str) -> str:
        """A TTL check's result; the output as it is shown. Raises NoTtlError."""

    def ttl_s(self, check_id: str) -> float | None: ...


class Holdings:
    """The services and checks of this agent, wherever they are kept."""

    def __init__(
        self, state: LocalState, persistence: Persistence, runners: Runners, *, deregister_min_s: float = 60.0
    ) -> None:
        """``deregister_min_s``: how long a check may at least be critical before it costs its service the place."""
        self.state, self.persistence, self.runners = state, persistence, runners
        self._deregister_min_s = deregister_min_s
        # By check id: how it is run, and for how many seconds it may be critical before its service is removed.
        self.running: dict[str, RunnableCheck] = {}
        self.reap_after_s: dict[str, float] = {}

    def run_check(self, check_id: str, check: RunnableCheck | None) -> None:
        """Have ``check`` run under this id and nothing else."""
        self._forget(check_id)
        if check is None:
            self.runners.stop(check_id)
            return
        self.runners.start(check_id, check)
        self._note(check_id, check)

    def run_again(self, check_id: str, check: RunnableCheck | None, held: Held | None) -> None:
        """Have what ran before run again, where it was."""
        self._forget(check_id)
        self.runners.stop(check_id)
        if check is not None:
            assert held is not None, "what is put back ran before"
            self.runners.put_back(check_id, held)
            self._note(check_id, check)

    def _forget(self, check_id: str) -> None:
        self.running.pop(check_id, None)
        self.reap_after_s.pop(check_id, None)

    def _note(self, check_id: str, check: RunnableCheck) -> None:
        self.running[check_id] = check
        after_s = check.definition.DeregisterCriticalServiceAfter / 1e9
        if after_s <= 0:
            return
        if after_s < self._deregister_min_s:
            log.warning("check has deregister interval below minimum: check=%s minimum_s=%s", check_id,
                        self._deregister_min_s)  # fmt: skip
            after_s = self._deregister_min_s
        self.reap_after_s[check_id] = after_s
