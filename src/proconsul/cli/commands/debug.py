"""``consul debug``."""

from __future__ import annotations

import os
import shutil
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import cast

from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import Api, Command, Failure
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.goerrors import path_error

_SECOND = 1_000_000_000
_INTERVAL_NS = 30 * _SECOND
_DURATION_NS = 2 * 60 * _SECOND
# Consul's own limits; its texts name 10s for the interval although 5s is enforced.
_INTERVAL_NS_MIN = 5 * _SECOND
_DURATION_NS_MIN = 10 * _SECOND
# Format of index.json.
_INDEX_VERSION = 1
_TARGETS = ("metrics", "logs", "pprof", "host", "agent", "cluster")
_PROFILES = {"heap": "heap.prof", "goroutine": "goroutine.prof"}


class Debug(Command):
    """Collects data for support."""

    usage = "consul debug [options]"
    api = Api.CLIENT
    usage_error_prefix = "==> Error parsing flags: "
    body = """
  Collects what the agent knows about itself, its host and the cluster, then
  metrics, logs and profiles for a while, into an archive.

      $ consul debug -interval 15s -duration 1m
"""

    def define(self, flags: FlagSet) -> None:
        self.capture = flags.strings(
            "capture",
            "What to collect: metrics, logs, pprof, host, agent, cluster. Repeat for more. Default: everything.",
        )
        self.interval = flags.duration("interval", "Time between two collections.", _INTERVAL_NS)
        self.duration = flags.duration("duration", "How long to collect.", _DURATION_NS)
        self.output = flags.string(
            "output", "Name of the directory, and of the archive made from it.", f"consul-debug-{int(time.time())}"
        )
        self.archive = flags.boolean("archive", "Make a compressed archive and remove the directory.", True)

    def execute(self, args: list[str]) -> int:
        if args:
            raise Failure("==> debug: Too many arguments provided, expected 0")
        client = self.client()
        try:
            version = self._prepare(client)
        except _Refused as error:
            raise Failure(f"==> Capture validation failed: {error}") from None
        archive = f"{self.output.value}.tar.gz" if self.archive.value else self.output.value
        self.ui.out("==> Starting debugger and capturing static information...")
        for name, text in (
            ("Agent Version", version),
            ("Interval", format_duration(self.interval.value)),
            ("Duration", format_duration(self.duration.value)),
            ("Output", archive),
            ("Capture", ", ".join(self._targets)),
        ):
            self.ui.out(f"{name + ':':>19} '{text}'")
        self._capture_static(client)
        if {"metrics", "logs", "pprof"} & set(self._targets):
            self._capture_dynamic(client)
        self._write_index(version)
        if self.archive.value:
            self._pack(archive)
        self.ui.out(f"    Saved debug archive: {archive}")
        return 0

    def _prepare(self, client: Client) -> str:
        try:
            self._check_timing()
            answer = cast("Mapping[str, Mapping[str, Json]]", client.get("/v1/agent/self"))
        except ApiError as error:
            raise _Refused(f"error querying target agent: {error}. verify connectivity and agent address") from None
        for target in self.capture.value:
            if target not in _TARGETS:
                raise _Refused(f"target not found: {target}")
        self._targets = list(self.capture.value) or list(_TARGETS)
        enabled = cast("Mapping[str, Json]", answer.get("DebugConfig") or {}).get("EnableDebug")
        if not enabled and "pprof" in self._targets:
            self.ui.error(
                "[WARN] Unable to capture pprof. Set enable_debug to true on target agent to enable profiling."
            )
            self._targets.remove("pprof")
        self._has_profiles = bool(enabled)
        if os.path.exists(self.output.value):
            raise _Refused(f"output directory already exists: {self.output.value}")
        try:
            os.mkdir(self.output.value, 0o755)
        except OSError as error:
            raise _Refused(f"could not create output directory: {path_error('mkdir', error.filename, error)}") from None
        return str(answer["Config"]["Version"])

    def _check_timing(self) -> None:
        interval, duration = self.interval.value, self.duration.value
        if duration < _DURATION_NS_MIN:
            raise _Refused("duration must be longer than 10s")
        if interval < _INTERVAL_NS_MIN:
            raise _Refused("interval must be longer than 10s")
        if duration < interval:
            texts = format_duration(duration), format_duration(interval)
            raise _Refused("duration ({}) must be longer than interval ({})".format(*texts))

    def _save(self, client: Client, path: str, file: str, query: Mapping[str, str | int] | None = None) -> None:
        try:
            data = client.ok("GET", path, query).read()
        except ApiError as error:
            self.ui.error(f"Static capture failed: {error}")
            return
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as out:
            out.write(_indented(data) if file.endswith(".json") else data)

    def _capture_static(self, client: Client) -> None:
        paths = {"host": "/v1/agent/host", "agent": "/v1/agent/self", "cluster": "/v1/agent/members?wan=1"}
        for target in ("host", "agent", "cluster"):
            if target in self._targets:
                path, _, wan = paths[target].partition("?")
                self._save(client, path, f"{self.output.value}/{target}.json", {"wan": "1"} if wan else None)

    def _capture_dynamic(self, client: Client) -> None:
        now = datetime.now(UTC)
        self.ui.out(f"==> Beginning capture interval {now:%Y-%m-%d %H:%M:%S}.{now.microsecond:06d} +0000 UTC (0)")
        started = time.monotonic()
        end = started + self.duration.value / 1e9
        next_at = started
        count = 0
        while True:
            stamp = int(time.time())
            folder = f"{self.output.value}/{stamp}"
            os.makedirs(folder, exist_ok=True)
            count += 1
            self._capture_once(client, folder, max(next_at + self.interval.value / 1e9, started), end)
            when = datetime.fromtimestamp(stamp, UTC)
            self.ui.out(f"==> Capture successful {when:%Y-%m-%d %H:%M:%S} +0000 UTC ({count})")
            next_at += self.interval.value / 1e9
            if next_at > end:
                time.sleep(max(0.0, end - time.monotonic()))
                return
            time.sleep(max(0.0, next_at - time.monotonic()))

    def _capture_once(self, client: Client, folder: str, until: float, end: float) -> None:
        jobs: list[Callable[[], None]] = []
        if "metrics" in self._targets:
            jobs.append(partial(self._save, client, "/v1/agent/metrics", f"{folder}/metrics.json"))
        if "logs" in self._targets:
            jobs.append(partial(self._follow_logs, client, f"{folder}/consul.log", min(until, end)))
        if "pprof" in self._targets:
            seconds = max(1, int(min(until, end) - time.monotonic()))
            for name, file in _PROFILES.items():
                jobs.append(partial(self._save, client, f"/debug/pprof/{name}", f"{folder}/{file}"))
            for path, file in (("profile", "profile.prof"), ("trace", "trace.out")):
                query = {"seconds": seconds}
                jobs.append(partial(self._save, client, f"/debug/pprof/{path}", f"{folder}/{file}", query))
        threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()) + self.interval.value / 1e9)

    def _follow_logs(self, client: Client, file: str, until: float) -> None:
        try:
            response = client.ok("GET", "/v1/agent/monitor", {"loglevel": "DEBUG"})
        except ApiError as error:
            self.ui.error(f"Error capturing logs: {error}")
            return
        timer = threading.Timer(max(0.0, until - time.monotonic()), response.interrupt)
        timer.daemon = True
        timer.start()
        with open(file, "wb") as out:
            while True:
                try:
                    data = response.read_some()
                except ApiError:
                    data = b""
                if not data:
                    break
                out.write(data)
        timer.cancel()

    def _write_index(self, version: str) -> None:
        document: Json = {
            "Version": _INDEX_VERSION,
            "AgentVersion": version,
            "Interval": format_duration(self.interval.value),
            "Duration": format_duration(self.duration.value),
            "Targets": list(self._targets),
        }
        with open(f"{self.output.value}/index.json", "w", encoding="utf-8") as out:
            out.write(gojson.dumps(document, indent="\t"))

    def _pack(self, archive: str) -> None:
        partial = f"{archive}.tmp"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as tar:
            tar.add(self.output.value, arcname=os.path.basename(os.path.normpath(self.output.value)))
        os.replace(partial, archive)
        shutil.rmtree(self.output.value)


class _Refused(Exception):
    """The capture cannot start; ``str()`` says why."""


def _indented(data: bytes) -> bytes:
    try:
        return gojson.dumps(gojson.loads(data), indent="\t").encode("utf-8", "surrogateescape")
    except gojson.GoJsonError:
        return data
