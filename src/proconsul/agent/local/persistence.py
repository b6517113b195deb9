"""Registrations on disk: one file per service, check and TTL state, named by the md5 of the id.

The layout is Consul's, so a data directory can move between the two. Files are written beside and renamed, readable by
the owner only. A damaged file is logged and skipped, never fatal. Configuration is never written here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from proconsul.agent.local.file_writer import FileWriter, Outcome
from proconsul.engine.durable import remove_unfinished, replace_file
from proconsul.engine.wire import gojson, plainjson
from proconsul.features.catalog.definition import CheckType
from proconsul.features.catalog.model import HealthCheck, NodeService
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

SOURCE_LOCAL = "local"
SOURCE_REMOTE = "remote"
# Fields of checks that releases after 1.8.7 brought: written only where they say something.
NEWER_CHECK_FIELDS = frozenset({
    "DisableRedirects", "FailuresBeforeWarning", "H2PING", "H2PingUseTLS", "OSService", "Plugin", "PluginConfig",
    "TCPUseTLS", "TLSServerName", "UDP",
})  # fmt: skip
_SOURCES = frozenset({SOURCE_LOCAL, SOURCE_REMOTE, ""})


def file_name(registration_id: str) -> str:
    """The file a registration is kept in."""
    return hashlib.md5(registration_id.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


class PersistedService(NamedTuple):
    service: NodeService
    token: str
    source: str
    sidecar: bool
    path: Path


class PersistedCheck(NamedTuple):
    check: HealthCheck
    check_type: CheckType
    token: str
    source: str
    path: Path


class PersistedState(NamedTuple):
    """The last known result of a TTL check and when it runs out (Unix seconds)."""

    status: str
    output: str
    expires: float


_FOLDERS = ("services", "checks", "checks/state")


class Persistence:
    """Files below ``data_dir``; without one (development mode) nothing is kept.

    Without a ``writer`` everything is on disk when a method returns, and what the disk refuses is raised as OSError.
    With one, the method returns what will tell: the error, or None.
    """

    def __init__(self, data_dir: str, writer: FileWriter | None = None) -> None:
        self._root = Path(data_dir) if data_dir else None
        self._writer = writer
        # TTL results on their way to the disk: what a reader must not miss.
        self._on_the_way: dict[Path, tuple[Outcome, bytes | None]] = {}

    def close(self) -> None:
        """Finish what was submitted."""
        if self._writer is not None:
            self._writer.close()

    def remove_unfinished(self) -> None:
        """Remove what an agent that was killed left behind; to be called before anything is written."""
        if self._root is not None:
            for folder in _FOLDERS:
                remove_unfinished(self._root / folder)

    # ------------------------------------------------------------------ writing

    def save_service(self, service: NodeService, token: str, source: str) -> Outcome | None:
        return self._write("services", service.ID, {
            "Token": token, "Service": service, "Source": source,
            "LocallyRegisteredAsSidecar": service.LocallyRegisteredAsSidecar,
        })  # fmt: skip

    def save_check(self, check: HealthCheck, check_type: CheckType | None, token: str, source: str) -> Outcome | None:
        """``check_type`` is None for what nothing runs (maintenance)."""
        return self._write("checks", check.CheckID, {
            "Check": check, "ChkType": _as_written(check_type) if check_type is not None else None, "Token": token,
            "Source": source,
        })  # fmt: skip

    def save_state(self, check_id: str, state: PersistedState) -> Outcome | None:
        return self._write("checks/state", check_id, {
            "CheckID": check_id, "Output": state.output, "Status": state.status, "Expires": int(state.expires),
        })  # fmt: skip

    def forget_service(self, service_id: str) -> Outcome | None:
        return self._remove("services", service_id)

    def forget_check(self, check_id: str) -> Outcome | None:
        return self._remove("checks", check_id)

    def forget_state(self, check_id: str) -> Outcome | None:
        return self._remove("checks/state", check_id)

    def _write(self, folder: str, registration_id: str, value: dict[str, Any]) -> Outcome | None:
        """When the disk refuses, the old file stays."""
        if self._root is None:
            return None
        path = self._root / folder / file_name(registration_id)
        data = gojson.dumps(value)
        # A second sync for the directory would double the cost of a registration; the catalog has it too, and the
        # application that registers does so again when it starts.
        return self._perform(path, partial(replace_file, path, data, sync_name=False), data)

    def _remove(self, folder: str, registration_id: str) -> Outcome | None:
        if self._root is None:
            return None
        path = self._root / folder / file_name(registration_id)
        return self._perform(path, partial(path.unlink, missing_ok=True), None)

    def _perform(self, path: Path, operation: Callable[[], None], data: bytes | None) -> Outcome | None:
        if self._writer is None:
            operation()
            return None
        outcome = self._writer.submit(path, operation)
        self._on_the_way[path] = (outcome, data)
        outcome.add_done_callback(partial(self._arrived, path))
        return outcome

    def _arrived(self, path: Path, outcome: Outcome) -> None:
        latest = self._on_the_way.get(path)
        if latest is not None and latest[0] is outcome:
            del self._on_the_way[path]

    def _read(self, path: Path) -> bytes:
        """What ``path`` holds, or will in a moment. Raises OSError."""
        latest = self._on_the_way.get(path)
        if latest is None:
            return path.read_bytes()
        if latest[1] is None:
            raise FileNotFoundError(path)
        return latest[1]

    # ------------------------------------------------------------------ reading

    def check_folders(self) -> None:
        """See that the folders can be read, before anything begins. Raises ConsulError."""
        if self._root is not None:
            for folder in _FOLDERS:
                _listed(self._root / folder)

    def _files(self, folder: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        if self._root is None:
            return
        if self._writer is not None:
            self._writer.drain()
        for path in _listed(self._root / folder):
            if path.is_dir() or path.name.endswith("tmp"):
                continue
            try:
                value = plainjson.loads(path.read_bytes())
                if not isinstance(value, dict):
                    raise ValueError("not an object")
            except (OSError, ValueError) as error:
                log.error("Failed decoding file: file=%s error=%s", path, error)
                continue
            yield path, value

    def services(self) -> Iterator[PersistedService]:
        for path, value in self._files("services"):
            try:
                service = _lenient(NodeService, value.get("Service") or {})
                if not service.Service:
                    raise gojson.JSONError("no service in it")
            except gojson.JSONError as error:
                log.error("Failed decoding service file: file=%s error=%s", path, error)
                continue
            source = str(value.get("Source") or "")
            if source not in _SOURCES:
                log.warning("service exists with invalid source, purging: service=%s source=%s", service.ID, source)
                _discard(path)
                continue
            sidecar = bool(value.get("LocallyRegisteredAsSidecar"))
            yield PersistedService(service, str(value.get("Token") or ""), source, sidecar, path)

    def checks(self) -> Iterator[PersistedCheck]:
        for path, value in self._files("checks"):
            try:
                check = _lenient(HealthCheck, value.get("Check") or {})
                check_type = _lenient(CheckType, value.get("ChkType") or {})
                if not check.CheckID:
                    raise gojson.JSONError("no check in it")
            except gojson.JSONError as error:
                log.error("Failed decoding check file: file=%s error=%s", path, error)
                continue
            source = str(value.get("Source") or "")
            if source not in _SOURCES:
                log.warning("check exists with invalid source, purging: check=%s source=%s", check.CheckID, source)
                _discard(path)
                continue
            yield PersistedCheck(check, check_type, str(value.get("Token") or ""), source, path)

    def state(self, check_id: str, now: float) -> PersistedState | None:
        """The saved result of a TTL check, unless it has run out by ``now`` (Unix seconds); then it is removed."""
        if self._root is None:
            return None
        path = self._root / "checks/state" / file_name(check_id)
        try:
            value = plainjson.loads(self._read(path))
            state = PersistedState(str(value["Status"]), str(value["Output"]), float(value["Expires"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("failed decoding check state: file=%s error=%s", path, error)
            _discard(path)
            return None
        if now >= state.expires:
            log.debug("check state expired, not restoring: check=%s", check_id)
            _discard(path)
            return None
        return state


def _as_written(check_type: CheckType) -> gojson.Object:
    """How a check is run, as Consul 1.8.7 reads it: it refuses files with fields it does not know."""
    default = CheckType()
    fields = {name: getattr(check_type, name) for name in CheckType.__struct_fields__}
    return gojson.Object({
        name: value
        for name, value in fields.items()
        if name not in NEWER_CHECK_FIELDS or value != getattr(default, name)
    })  # fmt: skip


def _discard(path: Path) -> None:
    """Remove a file that says nothing any more; one that stays does no harm."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("failed to remove file: file=%s error=%s", path, error)


def _lenient(cls: Any, value: Any) -> Any:
    """Decode with unknown fields dropped: other versions write fields we do not know."""
    import msgspec

    if not isinstance(value, dict):
        raise gojson.JSONError("not an object")
    known = {field.name.lower() for field in msgspec.structs.fields(cls)}
    known |= {alias.lower() for alias in cls.json_aliases}
    return gojson.from_plain(cls, {key: item for key, item in value.items() if key.lower() in known})


def _listed(directory: Path) -> list[Path]:
    """What is in a folder, nothing without it. Raises ConsulError: to go on would be to forget what was registered, and
    to be unable to keep what will be."""
    try:
        return sorted(directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConsulError(f'Failed reading {directory.name} dir "{directory}": {error}') from None
