"""One change to what is registered: what it replaced, what it put there, and which writes tell whether it lasts.

The disk tells late whether it took a registration, and others may have changed the same things meanwhile: what
somebody else put there since is left alone, and if theirs is taken back too, it goes back to before both.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from proconsul.agent.checks.definition import RunnableCheck
from proconsul.agent.checks.runner import Held
from proconsul.agent.local.file_writer import Outcome
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.local_state import CheckEntry, ServiceEntry
from proconsul.agent.local.persistence import SOURCE_REMOTE

log = logging.getLogger("agent")


class _CheckBefore(NamedTuple):
    """A check and what ran it; ``entry`` is None when there was none.

    ``kept`` is a copy: results that still come in go to the entry that replaces this one, and removing marks it.
    """

    entry: CheckEntry | None
    kept: CheckEntry | None = None
    run: RunnableCheck | None = None
    held: Held | None = None


class _Placed(NamedTuple):
    """What a change left behind: an entry, or one that is marked as deleted."""

    entry: ServiceEntry | CheckEntry | None
    deleted: bool

    def is_still(self, current: ServiceEntry | CheckEntry | None) -> bool:
        """Whether nobody changed it since. The catalog may have forgotten what was deleted."""
        if current is None:
            return self.deleted or self.entry is None
        return current is self.entry and current.deleted == self.deleted


class RegistrationChange:
    """What was replaced and what was put there. When `writes` are done, exactly one of `undo`, `settle` is called."""

    def __init__(self, holdings: Holdings, unsettled: list[RegistrationChange]) -> None:
        """``unsettled``: the changes of which it is not known yet whether they last; this one becomes one of them."""
        self._holdings = holdings
        self._unsettled = unsettled
        unsettled.append(self)
        # What the disk will say of the files of this change: an error, or None.
        self.writes: list[Outcome] = []
        self._services: dict[str, ServiceEntry | None] = {}
        self._checks: dict[str, _CheckBefore] = {}
        self._placed_services: dict[str, _Placed] = {}
        self._placed_checks: dict[str, _Placed] = {}

    def wrote(self, outcome: Outcome | None) -> None:
        """A file of this change is on its way, or (None) on the disk already."""
        if outcome is not None:
            self.writes.append(outcome)

    def error(self) -> OSError | None:
        """What the disk refused, when all writes are done."""
        return next((error for write in self.writes if (error := write.result()) is not None), None)

    # ------------------------------------------------------------------ what was there

    def remember_service(self, service_id: str) -> None:
        """To be called before a service is changed."""
        entry = self._holdings.state.services.get(service_id)
        self._services.setdefault(service_id, entry if entry is not None and not entry.deleted else None)

    def placed_service(self, service_id: str) -> None:
        """To be called after it was changed."""
        entry = self._holdings.state.services.get(service_id)
        self._placed_services[service_id] = _Placed(entry, entry is not None and entry.deleted)

    def remember_check(self, check_id: str) -> None:
        """To be called before a check is changed or removed."""
        holdings = self._holdings
        entry = holdings.state.checks.get(check_id)
        if entry is None or entry.deleted:
            self._checks.setdefault(check_id, _CheckBefore(None))
        elif check_id not in self._checks:
            self._checks[check_id] = _CheckBefore(
                entry, entry.copy(), holdings.running.get(check_id), holdings.runners.hold(check_id)
            )

    def placed_check(self, check_id: str) -> None:
        """To be called after it was changed or removed."""
        entry = self._holdings.state.checks.get(check_id)
        self._placed_checks[check_id] = _Placed(entry, entry is not None and entry.deleted)

    # ------------------------------------------------------------------ the end

    async def end(self) -> OSError | None:
        """Wait for the disk, and settle or undo. What it refused, None when the change lasts."""
        if self.writes:
            await asyncio.wait(self.writes)
        error = self.error()
        writes = self.settle() if error is None else self.undo()
        if writes:
            await asyncio.wait(writes)
        return error

    def settle(self) -> list[Outcome]:
        """The change lasts: the files of checks that it removed go. Raises OSError when the disk refuses at once."""
        self._unsettled.remove(self)
        holdings = self._holdings
        writes: list[Outcome | None] = []
        for check_id, placed in self._placed_checks.items():
            if placed.deleted and placed.is_still(holdings.state.checks.get(check_id)):
                writes += [holdings.persistence.forget_check(check_id), holdings.persistence.forget_state(check_id)]
        return [write for write in writes if write is not None]

    def undo(self) -> list[Outcome]:
        """Put back what was there. What cannot be written is logged: memory and catalog are right all the same."""
        later = self._unsettled[self._unsettled.index(self) + 1 :]
        self._unsettled.remove(self)
        state = self._holdings.state
        services = [key for key in self._services if self._untouched(self._placed_services, key, state.services)]
        checks = [key for key in self._checks if self._untouched(self._placed_checks, key, state.checks)]
        # A check must find its service, and may have belonged to another one before: old services come first, new
        # ones go last.
        services.sort(key=lambda service_id: self._services[service_id] is None)
        old = [service_id for service_id in services if self._services[service_id] is not None]
        writes: list[Outcome] = []
        for service_id in old:
            _write(writes, partial(self._restore_service, service_id, self._services[service_id]))
        for check_id in checks:
            kept = self._checks[check_id].kept
            if kept is not None:
                _write(writes, partial(self._restore_check, self._checks[check_id], kept, check_id))
            else:
                _write(writes, partial(self._remove_check, check_id))
        for service_id in services[len(old) :]:
            _write(writes, partial(self._restore_service, service_id, None))
        for other in later:
            other._inherit(self)
        return writes

    @staticmethod
    def _untouched(placed: dict[str, _Placed], key: str, current: Mapping[str, ServiceEntry | CheckEntry]) -> bool:
        """Whether ``key`` is as this change left it; never reached ones are too."""
        return key not in placed or placed[key].is_still(current.get(key))

    def _restore_service(self, service_id: str, before: ServiceEntry | None) -> list[Outcome | None]:
        """Raises OSError when the disk refuses; memory is restored then too."""
        holdings = self._holdings
        writes: list[Outcome | None] = []
        if before is not None:
            holdings.state.add_service(before.service, before.token, from_config=before.from_config)
        else:
            for check in holdings.state.checks_of(service_id):
                writes += self._remove_check(check.CheckID)
            holdings.state.remove_service(service_id)
        if before is None or before.from_config:
            return [*writes, holdings.persistence.forget_service(service_id)]
        return [*writes, holdings.persistence.save_service(before.service, before.token, SOURCE_REMOTE)]

    def _remove_check(self, check_id: str) -> list[Outcome | None]:
        holdings = self._holdings
        holdings.run_check(check_id, None)
        holdings.state.remove_check(check_id)
        return [holdings.persistence.forget_check(check_id), holdings.persistence.forget_state(check_id)]

    def _restore_check(self, before: _CheckBefore, kept: CheckEntry, check_id: str) -> list[Outcome | None]:
        """Raises OSError when the disk refuses; memory is restored then too."""
        holdings = self._holdings
        holdings.state.restore_check(kept)
        holdings.run_again(check_id, before.run, before.held)
        if kept.from_config:
            return [holdings.persistence.forget_check(check_id)]
        definition = before.run.definition if before.run is not None else None
        if not self._placed_checks[check_id].deleted:  # whose file is still there
            return [holdings.persistence.save_check(kept.check, definition, kept.token, SOURCE_REMOTE)]
        return []

    def _inherit(self, earlier: RegistrationChange) -> None:
        """What ``earlier`` put there was refused: this change, if it is undone, goes back to before both."""
        for key, entry in self._services.items():
            placed = earlier._placed_services.get(key)
            if placed is not None and entry is not None and placed.entry is entry:
                self._services[key] = earlier._services[key]
        for key, before in self._checks.items():
            placed = earlier._placed_checks.get(key)
            if placed is not None and before.entry is not None and placed.entry is before.entry:
                self._checks[key] = earlier._checks[key]


def _write(writes: list[Outcome], operation: Callable[[], list[Outcome | None]]) -> None:
    try:
        writes += [write for write in operation() if write is not None]
    except OSError as error:
        log.error("failed to restore a file: error=%s", error)
