# Made by scripts/make_blocking_client.py of ../aio/registration.py: change that one.
"""A service that stays registered while its program runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Unpack, get_args

from proconsul.client.blocking import kit
from proconsul.client.blocking.agent import CheckStatus
from proconsul.client.blocking.parts import Parts
from proconsul.client.checks import CheckType, ttl_check
from proconsul.client.errors import ConsulError, NotFound, Unavailable
from proconsul.client.options import WriteOptions
from proconsul.client.retry import backoff_s

__all__ = ["Registration"]

_LOOK_S: Final = 15.0
_RETRY_FIRST_S: Final = 0.25
_RETRY_MOST_S: Final = 5.0
_END_S: Final = 5.0
# For a program that goes on without.
_FIRST_S: Final = 5.0


class Registration:
    """``with client.registration("web", port=80, ttl=15):`` Made by `client.registration`.

    With ``ttl`` it has a check that this program reports to, three times in that time; with ``check`` the agent looks
    itself. An agent that has been started anew and knows nothing of it is told again, as is one that was out of reach.
    ``failures`` counts how often in a row it was; ``last_error`` is why.
    """

    name: str
    id: str
    check_id: str
    failures: int

    def __init__(
        self, parts: Parts, name: str, *, id: str, ttl: float | None, check: CheckType | Mapping[str, Any] | None,
        deregister_after: float, definition: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if ttl is not None and ttl <= 0:
            raise ValueError("the time of a check is more than none")
        self._parts, self.name, self.id = parts, name, id or name
        self._ttl = ttl
        self.check_id = f"{self.id}-alive" if ttl is not None else ""
        self._checks: Sequence[Any] = [] if check is None else [check]
        if ttl is not None:
            alive = ttl_check(ttl, name="alive", id=self.check_id, deregister_after=deregister_after)
            self._checks = [alive, *self._checks]
        self._definition = dict(definition)
        self._status: CheckStatus = "passing"
        self._output = ""
        self._job: kit.Job | None = None
        self._changed = kit.Flag()
        self.failures = 0
        self.last_error: ConsulError | None = None

    def start(self, *, required: bool = True) -> None:
        """Register, and keep it so. Raises ConsulError when that cannot be done now; without ``required`` it is tried
        again until it can."""
        if self._job is not None:
            raise RuntimeError(f"{self.id} is registered already")
        self.failures, self.last_error = 0, None
        limit: WriteOptions = {} if required else {"timeout": _FIRST_S}
        try:
            self._register(**limit)
        except BaseException as error:
            if isinstance(error, ConsulError) and not required:
                self.failures, self.last_error = 1, error
            else:
                if not isinstance(error, Unavailable):  # who is cancelled may be registered already
                    self._take_back()
                raise
        self._job = kit.Job(self._keep, f"registration of {self.id}", self._broken)

    def _register(self, **options: Unpack[WriteOptions]) -> None:
        checks = [*self._checks, *self._definition.get("checks", ())]
        more = {name: value for name, value in self._definition.items() if name != "checks"}
        self._parts.agent.services.register(self.name, id=self.id, checks=checks, **more, **options)
        if self.check_id:
            self._report(**options)

    def _report(self, **options: Unpack[WriteOptions]) -> None:
        self._parts.agent.checks.update(self.check_id, self._status, self._output, **options)

    def _keep(self) -> None:
        rng = self._parts.caller.rng
        while True:
            usual_s = self._ttl / 3 if self._ttl is not None else _LOOK_S
            longest_s = min(_RETRY_MOST_S, usual_s)
            pause_s = backoff_s(self.failures, _RETRY_FIRST_S, longest_s, rng) if self.failures else usual_s
            self._changed.wait_for(pause_s)
            self._changed.clear()
            try:
                self._renewed()
            except ConsulError as error:
                self.failures, self.last_error = self.failures + 1, error
            else:
                self.failures, self.last_error = 0, None

    def _broken(self, error: BaseException) -> None:
        """A fault of ours ends it; nobody shall take that for quiet."""
        self.failures, self.last_error = self.failures + 1, ConsulError(f"keeping {self.id} failed: {error!r}")

    def _renewed(self) -> None:
        """Report, or look whether it is still there; register where it is not."""
        if self.check_id:
            try:
                self._report()
            except NotFound:
                self._register()
        elif self._parts.agent.services.get(self.id) is None:
            self._register()

    def set(self, status: CheckStatus, output: str = "") -> None:
        """Report this from now on, beginning at once. Only with ``ttl``. Raises ValueError for another status and
        TypeError for an output that is no text: what cannot be sent would end the reports."""
        if not self.check_id:
            raise RuntimeError(f"{self.id} has no check to report to")
        if status not in get_args(CheckStatus):
            raise ValueError(f"the status of a check is passing, warning or critical, not {status!r}")
        if not isinstance(output, str):
            raise TypeError(f"the output of a check is a text, not of type {type(output).__name__}")
        # Names of files may have halves of characters in them, of which there is no UTF-8.
        self._status, self._output = status, output.encode("utf-8", "replace").decode()
        self._changed.set()

    def stop(self) -> None:
        """Take it back. Nothing is raised when the agent cannot be told: ``last_error`` says so then."""
        job, self._job = self._job, None
        if job is None:
            return
        try:
            job.stop()
        finally:
            self._take_back()

    def _take_back(self) -> None:
        try:
            with kit.uninterrupted():
                self._parts.agent.services.deregister(self.id, timeout=_END_S)
        except NotFound:
            pass
        except ConsulError as error:
            self.last_error = error

    def __enter__(self) -> Registration:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.stop()
