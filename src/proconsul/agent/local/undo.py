"""Taking a registration back: services, checks, what runs them and the files are again what they were.

The disk tells late whether it took a registration, and others may have changed the same things meanwhile: what
somebody else put there since is left alone, and if theirs is taken back too, it goes back to before both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from proconsul.agent.local.local_state import CheckEntry, ServiceEntry
from proconsul.agent.local.persistence import SOURCE_REMOTE
from proconsul.features.catalog.definition import CheckType

if TYPE_CHECKING:
    from proconsul.agent.local.registrations import Registrations

log = logging.getLogger("agent")


class _CheckBefore(NamedTuple):
    """A check and what ran it; ``entry`` is None when there was none.

    ``kept`` is a copy: results that still come in go to the entry that replaces this one, and removing marks it.
    """

    entry: CheckEntry | None
    kept: CheckEntry | None = None
    definition: CheckType | None = None
    held: object = None


class _Placed(NamedTuple):
    """What a change left behind: an entry, or one that is marked as deleted."""

    entry: ServiceEntry | CheckEntry | None
    deleted: bool

    def is_still(self, current: ServiceEntry | CheckEntry | None) -> bool:
        """Whether nobody changed it since. The catalog may have forgotten what was deleted."""
        if current is None:
            return self.deleted or self.entry is None
        return current is self.entry and current.deleted == self.deleted


class Undo:
    """What one change replaced and what it put there. Exactly one of ``undo`` and ``settle`` is to be called."""

    def __init__(self, registrations: Registrations, unsettled: list[Undo]) -> None:
        """``unsettled``: the changes of which it is not known yet whether they last, this one among them."""
        self._registrations = registrations
        self._unsettled = unsettled
        self._services: dict[str, ServiceEntry | None] = {}
        self._checks: dict[str, _CheckBefore] = {}
        self._placed_services: dict[str, _Placed] = {}
        self._placed_checks: dict[str, _Placed] = {}

    # ------------------------------------------------------------------ what was there

    def remember_service(self, service_id: str) -> None:
        """To be called before a service is changed."""
        entry = self._registrations.state.services.get(service_id)
        self._services.setdefault(service_id, entry if entry is not None and not entry.deleted else None)

    def placed_service(self, service_id: str) -> None:
        """To be called after it was changed."""
        entry = self._registrations.state.services.get(service_id)
        self._placed_services[service_id] = _Placed(entry, entry is not None and entry.deleted)

    def remember_check(self, check_id: str) -> None:
        """To be called before a check is changed or removed."""
        registrations = self._registrations
        entry = registrations.state.checks.get(check_id)
        if entry is None or entry.deleted:
            self._checks.setdefault(check_id, _CheckBefore(None))
        elif check_id not in self._checks:
            self._checks[check_id] = _CheckBefore(
                entry, entry.copy(), registrations.definition(check_id), registrations.runners.hold(check_id)
            )

    def placed_check(self, check_id: str) -> None:
        """To be called after it was changed or removed."""
        entry = self._registrations.state.checks.get(check_id)
        self._placed_checks[check_id] = _Placed(entry, entry is not None and entry.deleted)

    # ------------------------------------------------------------------ the end

    def settle(self) -> None:
        """The change lasts: the files of checks that it removed go. Raises OSError when the disk refuses."""
        self._unsettled.remove(self)
        registrations = self._registrations
        for check_id, placed in self._placed_checks.items():
            if placed.deleted and placed.is_still(registrations.state.checks.get(check_id)):
                registrations.persistence.forget_check(check_id)
                registrations.persistence.forget_state(check_id)

    def undo(self) -> None:
        """Put back what was there. What cannot be written is logged: memory and catalog are right all the same."""
        later = self._unsettled[self._unsettled.index(self) + 1 :]
        self._unsettled.remove(self)
        state = self._registrations.state
        services = [key for key in self._services if self._untouched(self._placed_services, key, state.services)]
        checks = [key for key in self._checks if self._untouched(self._placed_checks, key, state.checks)]
        # A check must find its service, and may have belonged to another one before: old services come first, new
        # ones go last.
        services.sort(key=lambda service_id: self._services[service_id] is None)
        old = [service_id for service_id in services if self._services[service_id] is not None]
        for service_id in old:
            self._write(partial(self._restore_service, service_id, self._services[service_id]))
        for check_id in checks:
            kept = self._checks[check_id].kept
            if kept is not None:
                self._write(partial(self._restore_check, self._checks[check_id], kept, check_id))
            else:
                self._write(partial(self._registrations.remove_check, check_id))
        for service_id in services[len(old) :]:
            self._write(partial(self._restore_service, service_id, None))
        for other in later:
            other._inherit(self)

    @staticmethod
    def _untouched(placed: dict[str, _Placed], key: str, current: Mapping[str, ServiceEntry | CheckEntry]) -> bool:
        """Whether ``key`` is as this change left it; never reached ones are too."""
        return key not in placed or placed[key].is_still(current.get(key))

    @staticmethod
    def _write(operation: Callable[[], object]) -> None:
        try:
            operation()
        except OSError as error:
            log.error("failed to restore a file: error=%s", error)

    def _restore_service(self, service_id: str, before: ServiceEntry | None) -> None:
        """Raises OSError when the disk refuses; memory is restored then too."""
        registrations = self._registrations
        if before is not None:
            registrations.state.add_service(before.service, before.token, from_config=before.from_config)
        else:
            for check in registrations.state.checks_of(service_id):
                registrations.remove_check(check.CheckID)
            registrations.state.remove_service(service_id)
        if before is None or before.from_config:
            registrations.persistence.forget_service(service_id)
        else:
            registrations.persistence.save_service(before.service, before.token, SOURCE_REMOTE)

    def _restore_check(self, before: _CheckBefore, kept: CheckEntry, check_id: str) -> None:
        """Raises OSError when the disk refuses; memory is restored then too."""
        registrations = self._registrations
        registrations.run_check(check_id, None)
        registrations.state.restore_check(kept)
        if before.definition is not None:
            registrations.runners.put_back(check_id, before.held)
            registrations.note_definition(check_id, before.definition)
        persistence = registrations.persistence
        if kept.from_config:
            persistence.forget_check(check_id)
        elif not self._placed_checks[check_id].deleted:  # whose file is still there
            persistence.save_check(kept.check, before.definition, kept.token, SOURCE_REMOTE)

    def _inherit(self, earlier: Undo) -> None:
        """What ``earlier`` put there was refused: this change, if it is undone, goes back to before both."""
        for key, entry in self._services.items():
            placed = earlier._placed_services.get(key)
            if placed is not None and entry is not None and placed.entry is entry:
                self._services[key] = earlier._services[key]
        for key, before in self._checks.items():
            placed = earlier._placed_checks.get(key)
            if placed is not None and before.entry is not None and placed.entry is before.entry:
                self._checks[key] = earlier._checks[key]
