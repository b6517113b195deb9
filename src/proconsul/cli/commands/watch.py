"""``consul watch``."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable

from proconsul.cli import child
from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, ShowHelp, explain
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson, watchplan
from proconsul.client.gojson import Json
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.goerrors import exit_text
from proconsul.engine.wire.gostrconv import NumberError, parse_bool


class Watch(Command):
    """Waits for changes."""

    usage = "consul watch [options] [child...]"
    api = CLIENT_AND_SERVER
    body = """
  Watches keys, services, nodes, checks or events. With a child, runs it on each
  change with the new data as JSON on its standard input; without one, prints
  the present data and ends.

      $ consul watch -type key -key config/web ./reload.sh
"""

    def define(self, flags: FlagSet) -> None:
        self.type = flags.string("type", "What to watch: key, keyprefix, services, nodes, service, checks or event.")
        self.key = flags.string("key", "The key, for type 'key'.")
        self.prefix = flags.string("prefix", "The prefix, for type 'keyprefix'.")
        self.service = flags.string("service", "The service: required for type 'service', optional for 'checks'.")
        self.tags = flags.strings(
            "tag", "Only instances with this tag, for type 'service'. Repeat to require more tags."
        )
        self.passing = flags.string(
            "passingonly", "Only instances that pass all checks, for type 'service': `[true|false]`. Default: false."
        )
        self.state = flags.string("state", "Only checks in this state, for type 'checks'.")
        self.name = flags.string("name", "Only events of this name, for type 'event'.")
        self.shell = flags.boolean("shell", "Run the child by a shell, that of the SHELL environment variable.", True)

    def execute(self, args: list[str]) -> int:
        if not self.type.value:
            raise ShowHelp("Watch type must be specified")
        if self.type.value in ("connect_roots", "connect_leaf", "connect_proxy_config", "agent_service"):
            raise Failure(f"Type {self.type.value} is not supported in the CLI tool")
        try:
            request = watchplan.parse(self.type.value, self._parameters())
        except watchplan.WatchError as error:
            raise Failure(str(error)) from None
        client = self.client()
        with explain("Error querying Consul agent: "):
            client.get("/v1/agent/self")
        return _Loop(client, request, self.type.value).run(lambda index, result: self._handle(args, index, result))

    def _parameters(self) -> dict[str, Json]:
        given: dict[str, Json] = {}
        if self._stale.value:
            given["stale"] = True
        for name, flag in (("key", self.key), ("prefix", self.prefix), ("service", self.service)):
            if flag.value:
                given[name] = flag.value
        if self.tags.value:
            given["tag"] = list(self.tags.value)
        for name, flag in (("state", self.state), ("name", self.name)):
            if flag.value:
                given[name] = flag.value
        if self.passing.value:
            try:
                given["passingonly"] = parse_bool(self.passing.value)
            except NumberError as error:
                raise Failure(f"Failed to parse passingonly flag: {error}") from None
        return given

    def _handle(self, args: list[str], index: int, result: Json) -> int | None:
        """Print or run the child; return an exit code to end with, None to go on watching."""
        if not args:
            self.ui.out(gojson.dumps(result, indent="    "))
            return 0
        try:
            process = child.start(
                args, shell=self.shell.value, environment={"CONSUL_INDEX": str(index)}, stdin=subprocess.PIPE
            )
        except child.StartError as error:
            self.ui.error(f"Error starting handler: {error}")
            return 1
        try:
            process.communicate((gojson.dumps(result) + "\n").encode("utf-8", "surrogateescape"))
        except BaseException:
            process.terminate()
            raise
        trouble = exit_text(process.returncode)
        if trouble:
            self.ui.error(f"Error executing handler: {trouble}")
            return 1
        return None


# Index and result in; out comes the exit code to end with, or None to go on.
_Handler = Callable[[int, Json], "int | None"]


class _Loop:
    def __init__(self, client: Client, request: watchplan.WatchRequest, watch_type: str) -> None:
        self._client = client
        self._request = request
        self._type = watch_type
        self._plan = watchplan.WatchPlan()
        self._pause = threading.Event()

    def run(self, handler: _Handler) -> int:
        failures = 0
        while True:
            try:
                index, result = self._ask()
            except ApiError as error:
                failures += 1
                self._plan.index = None
                wait_s = watchplan.retry_s(failures)
                self._log(f'Watch errored: type={self._type} error="{error}" retry={_seconds(wait_s)}')
                self._pause.wait(wait_s)
                continue
            failures = 0
            if self._plan.observe(index, result):
                code = handler(index, result)
                if code is not None:
                    return code

    def _ask(self) -> tuple[int, Json]:
        query: dict[str, str | int | list[str]] = dict(self._request.query)
        if self._plan.index:
            query["index"] = self._plan.index
        response = self._client.request("GET", self._request.path, query, stale_allowed=self._request.stale)
        index = response.index
        if response.status == 404 and self._request.missing_is_none:
            response.close()
            return index, self._request.read(None)
        if response.status != 200:
            from proconsul.cli.api import unexpected

            raise unexpected(response)
        result = self._request.read(response.json())
        if self._request.is_events and self._plan.index is not None:
            result = watchplan.new_events(result, self._plan.index)
        return index, result

    def _log(self, text: str) -> None:
        import sys
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        sys.stderr.write(f"{stamp} [ERROR] watch.watch: {text}\n")
        sys.stderr.flush()


def _seconds(count: int) -> str:
    return format_duration(count * 1_000_000_000)
