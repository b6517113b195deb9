"""Watches from the configuration: a blocking query each, and a handler that runs when its result changes.

The queries go through the agent's own front door, without a socket. Handlers of one watch never overlap; what changes
while one runs is seen by the next query. Source: Consul documentation "Watches".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from proconsul.agent.checks.base import DefaultTlsContexts
from proconsul.agent.checks.output import TailBuffer
from proconsul.agent.config.plugins import WATCH_PLUGIN
from proconsul.agent.config.runtime import ReloadableConfig
from proconsul.agent.hooks.processes import kill_group, start_group
from proconsul.agent.part import Commit, Part
from proconsul.client import gojson, watchplan
from proconsul.engine.http.fetch import HttpClientError, HttpRequest, fetch
from proconsul.engine.http.request import Request, Response
from proconsul.engine.streams import put
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.engine.wire.goerrors import exit_text, start_error
from proconsul.features.errors import ConsulError
from proconsul.plugins.host import PluginHost
from proconsul.plugins.kinds import PluginError, PluginKind

if TYPE_CHECKING:  # agents without plug-ins have no use for it
    from proconsul.plugins.calling import PluginInstance

log = logging.getLogger("agent")

HANDLER_TIMEOUT_S = 10.0
# Output of a handler that is kept for the log (Consul: WatchBufSize 4 KiB).
OUTPUT_BYTES_MAX = 4096
_HANDLER_KEYS = (
    "handler", "args", "handler_type", "http_handler_config", "plugin", "plugin_config", "plugin_timeout"
)  # fmt: skip


class Handler(NamedTuple):
    """What runs on a change: a command, an HTTP request, or a plug-in (ours; docs/plugins.md)."""

    command: tuple[str, ...] = ()
    url: str = ""
    method: str = "POST"
    header: Mapping[str, Sequence[str]] = {}
    timeout_s: float = HANDLER_TIMEOUT_S
    tls_skip_verify: bool = False
    plugin: str = ""
    plugin_config: Mapping[str, Any] = {}
    instance: PluginInstance | None = None

    def __str__(self) -> str:
        return self.url or (f"plugin {self.plugin}" if self.plugin else shlex.join(self.command))


class WatchDefinition(NamedTuple):
    kind: str
    request: watchplan.WatchRequest
    token: str
    datacenter: str
    handler: Handler


def parse_watch(raw: Mapping[str, Any]) -> WatchDefinition:
    """Read one watch of the configuration. Raises ConsulError with Consul's text."""
    given = {str(key): value for key, value in raw.items()}
    if given.get("handler") and given.get("args"):
        raise ConsulError("Only one watch handler allowed")
    handler = _handler(given)
    rest = {key: value for key, value in given.items() if key not in _HANDLER_KEYS}
    kind, token = str(rest.pop("type", "") or ""), str(rest.pop("token", "") or "")
    datacenter = str(rest.pop("datacenter", "") or "")
    try:
        request = watchplan.parse(kind, rest)
    except watchplan.WatchError as error:
        raise ConsulError(f"Failed to parse watch ({_go_map(rest)}): {error}") from None
    if handler is None:
        raise ConsulError("Must define a watch handler")
    return WatchDefinition(kind, request, token, datacenter, handler)


def _go_map(values: Mapping[str, Any]) -> str:
    pairs = ", ".join(f'"{key}":{value!r}'.replace("'", '"') for key, value in sorted(values.items()))
    return f"map[string]interface {{}}{{{pairs}}}"


def _handler(given: Mapping[str, Any]) -> Handler | None:
    if given.get("handler_type") == "http":
        return _http_handler(given)
    if given.get("handler_type") == WATCH_PLUGIN:
        return _plugin_handler(given)
    if given.get("args"):
        return Handler(command=_texts(given["args"], "args"))
    if given.get("handler"):
        return Handler(command=("/bin/sh", "-c", _text(given["handler"], "handler")))
    return None


def _http_handler(given: Mapping[str, Any]) -> Handler:
    raw = given.get("http_handler_config")
    if not raw:
        raise ConsulError(
            f"Failed to parse watch ({_go_map({})}): Handler type 'http' requires 'http_handler_config' to be set"
        )
    config = _map(raw[0] if isinstance(raw, (list, tuple)) else raw, "http_handler_config")
    if not config.get("path"):
        raise ConsulError("Requires 'path' to be set")
    header = _map(config.get("header") or {}, "http_handler_config.header")
    return Handler(
        url=_text(config["path"], "http_handler_config.path"),
        method=_text(config.get("method") or "POST", "http_handler_config.method"),
        header={key: _texts(value, "http_handler_config.header") for key, value in header.items()},
        timeout_s=_seconds(config.get("timeout")), tls_skip_verify=bool(config.get("tls_skip_verify")),
    )  # fmt: skip


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ConsulError(f"Failed to parse watch: {name} must be a text")
    return value


def _texts(value: Any, name: str) -> tuple[str, ...]:
    """A text, or a list of them; figures in it are taken as they are written."""
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(one, str | int | float) for one in values):
        raise ConsulError(f"Failed to parse watch: {name} must be a list of texts")
    return tuple(str(one) for one in values)


def _map(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConsulError(f"Failed to parse watch: {name} must be a block")
    return value


def _plugin_handler(given: Mapping[str, Any]) -> Handler:
    if given.get("args") or given.get("handler"):
        raise ConsulError("Only one watch handler allowed")
    raw = given.get("plugin_config") or {}
    config = raw[0] if isinstance(raw, list | tuple) and len(raw) == 1 else raw
    if not given.get("plugin") or not isinstance(given["plugin"], str) or not isinstance(config, Mapping):
        raise ConsulError("Handler type 'plugin' requires 'plugin' to be a name, and 'plugin_config' to be a block")
    return Handler(plugin=given["plugin"], plugin_config=config, timeout_s=_seconds(given.get("plugin_timeout")))


def _seconds(value: Any) -> float:
    if not value:
        return HANDLER_TIMEOUT_S
    try:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise DurationError('it must be a time such as "10s"')
        return parse_duration(value) / 1e9 if isinstance(value, str) else float(value) / 1e9
    except DurationError as error:
        raise ConsulError(f"Failed to parse watch timeout: {error}") from None


class Watches(Part):
    """All watches of an agent. ``answer`` gives the agent's own answer to a request."""

    def __init__(
        self, answer: Callable[[Request], Awaitable[Response]], config: ReloadableConfig, plugins: PluginHost
    ) -> None:
        self._answer, self._plugins = answer, plugins
        self._definitions = config.watches
        self._tasks: list[asyncio.Task[None]] = []
        # Handlers that run, those of watches that are gone as well.
        self._handlers: set[asyncio.Task[None]] = set()
        self._tls = DefaultTlsContexts()

    async def start(self) -> None:
        """Raises ConsulError for a watch that cannot be understood."""
        self._follow_instead([self._parsed(raw) for raw in self._definitions])

    def _parsed(self, raw: Mapping[str, Any]) -> WatchDefinition:
        """With its plug-in, if it names one. Raises ConsulError."""
        watch = parse_watch(raw)
        handler = watch.handler
        if not handler.plugin:
            return watch
        try:
            instance = self._plugins.instance(
                PluginKind.WATCH_HANDLERS, handler.plugin, handler.plugin_config, f"watch of type {watch.kind}"
            )
        except PluginError as error:
            raise ConsulError(f"Failed to parse watch: {error}") from None
        return watch._replace(handler=handler._replace(instance=instance))

    def _follow_instead(self, watches: Sequence[WatchDefinition]) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = [asyncio.create_task(self._follow(watch)) for watch in watches]

    async def stop(self) -> None:
        tasks = [*self._tasks, *self._handlers]
        self._tasks = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def plan_reload(self, config: ReloadableConfig) -> Commit:
        """Stop all watches and start those of the new configuration, so every handler runs again.

        Handlers that run are not disturbed: one of them may be what asked for the reload. Raises ConsulError.
        """
        try:
            watches = [self._parsed(raw) for raw in config.watches]
        except ConsulError as error:
            raise ConsulError(f"Failed reloading watches: {error}") from None
        return partial(self._follow_instead, watches)

    # ------------------------------------------------------------------ one watch

    async def _follow(self, watch: WatchDefinition) -> None:
        plan = watchplan.WatchPlan()
        failures, index = 0, 0
        while True:
            try:
                index, result = await self._ask(watch, index)
            except Exception as error:
                # Whatever went wrong, the watch goes on: nobody would notice that it had ended.
                failures += 1
                pause_s = watchplan.retry_s(failures)
                unknown = None if isinstance(error, ConsulError) else error
                log.error("Watch errored: type=%s error=%s retry=%ss", watch.kind, error, pause_s, exc_info=unknown)
                await asyncio.sleep(pause_s)
                continue
            failures = 0
            if plan.observe(index, result):
                handler = asyncio.create_task(self._run(watch, index, result))
                self._handlers.add(handler)
                handler.add_done_callback(self._handlers.discard)
                await asyncio.shield(handler)
            index = plan.index or 0

    async def _ask(self, watch: WatchDefinition, index: int) -> tuple[int, Any]:
        query: dict[str, Any] = dict(watch.request.query)
        if index:
            query["index"] = str(index)
        if watch.request.stale:
            query["stale"] = ""
        if watch.datacenter:
            query["dc"] = watch.datacenter
        headers = {"x-consul-token": watch.token} if watch.token else {}
        path = watch.request.path
        request = Request("GET", quote(path), path, urlencode(query, doseq=True), headers)
        response = await self._answer(request)
        found = _header(response, "x-consul-index")
        if response.status == 404 and watch.request.missing_is_none:
            return int(found or 0), watch.request.read(None)
        if response.status != 200:
            raise ConsulError(f"Unexpected response code: {response.status} ({response.body.decode(errors='replace')})")
        result = watch.request.read(gojson.loads(response.body))
        if watch.request.is_events:
            result = watchplan.new_events(result, index) if index else result
        return int(found or 0), result

    # ------------------------------------------------------------------ handlers

    async def _run(self, watch: WatchDefinition, index: int, result: Any) -> None:
        try:
            if watch.handler.instance is not None:
                await self._hand_over(watch.handler.instance, watch, index, result)
                return
            body = (gojson.dumps(result) + "\n").encode("utf-8", "surrogateescape")
            if watch.handler.url:
                await self._post(watch.handler, index, body)
            else:
                await self._execute(watch.handler.command, index, body)
        except Exception as error:
            # A handler that cannot run must not end its watch.
            known = isinstance(error, (OSError, HttpClientError, TimeoutError, ValueError))
            command = watch.handler.command
            text = start_error(command[0], error) if command and isinstance(error, OSError) else error
            log.error("Failed to run watch handler: handler=%s error=%s", watch.handler, text, exc_info=not known)

    async def _execute(self, command: Sequence[str], index: int, body: bytes) -> None:
        process = await start_group(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "CONSUL_INDEX": str(index)},
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        buffer = TailBuffer(OUTPUT_BYTES_MAX)
        try:
            with contextlib.suppress(ConnectionError):  # a handler need not read it, and may have ended
                put(process.stdin, body)
            process.stdin.close()
            while data := await process.stdout.read(65536):
                buffer.write(data)
            code = await process.wait()
        except BaseException:
            kill_group(process)
            raise
        if code:
            log.error("Failed to run watch handler: handler=%s error=%s", shlex.join(command), exit_text(code))
        log.debug("watch handler output: watch_handler=%s output=%s", shlex.join(command), buffer.text)

    async def _hand_over(self, instance: PluginInstance, watch: WatchDefinition, index: int, result: Any) -> None:
        from proconsul.plugins.protocols import WatchChange

        change = WatchChange(watch.kind, index, _copy(result))
        try:
            found = await instance.call("handle", change, timeout_s=watch.handler.timeout_s)
        except Exception as error:
            instance.complain(error)
            return
        if found is not None and not isinstance(found, str):
            instance.complain(PluginError(f"it must return a text or None, and returned a {type(found).__name__}"))
            return
        instance.well()
        log.debug("watch handler output: watch_handler=%s output=%s", watch.handler, (found or "")[:OUTPUT_BYTES_MAX])

    async def _post(self, handler: Handler, index: int, body: bytes) -> None:
        header = {"Content-Type": ("application/json",), "X-Consul-Index": (str(index),), **handler.header}
        request = HttpRequest(
            handler.url, handler.method, header, body,
            context=lambda: self._tls.context(skip_verify=handler.tls_skip_verify),
        )  # fmt: skip
        received = bytearray()
        response = await fetch(request, lambda data: received.extend(data[:OUTPUT_BYTES_MAX]), handler.timeout_s)
        text = bytes(received[:OUTPUT_BYTES_MAX]).decode(errors="replace")
        if response.status >= 500:
            log.error("HTTP watch handler failed with output: watch=%s status=%s output=%s", handler.url,
                      response.status_text, text)  # fmt: skip
        else:
            log.debug("HTTP watch handler output: watch=%s output=%s", handler.url, text)


def _copy(result: Any) -> Any:
    """The result as JSON data that is nobody else's: the watch compares the next with it."""
    return json.loads(gojson.dumps(result))


def _header(response: Response, name: str) -> str:
    for key, value in response.headers.items():
        if key.lower() == name:
            return value
    for line in response.lines.decode("latin-1").split("\r\n"):
        key, _, value = line.partition(": ")
        if key.lower() == name:
            return value
    return ""
