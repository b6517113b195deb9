"""``consul exec``."""

from __future__ import annotations

import signal
import threading
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import cast

from proconsul.cli.api import ApiError, Client
from proconsul.cli.command import CLIENT_AND_SERVER, Command, Failure, ShowHelp, explain, read_stdin
from proconsul.cli.commands.event import check_filters
from proconsul.cli.flags import FlagSet
from proconsul.client import gojson
from proconsul.client.gojson import Json

_PREFIX = "_rexec"
_EVENT = "_rexec"
_WAIT_NS = 2_000_000_000
_WAIT_REPLICATION_NS = 200_000_000
_SESSION_TTL = "15s"
_RENEWAL_S = 7.0
_EXIT_FAILED = 2


class Exec(Command):
    """Runs a command on many nodes."""

    usage = "consul exec [options] [-|command...]"
    api = CLIENT_AND_SERVER
    body = """
  Runs a command on all nodes, or on those the filters choose, and prints what
  they answer. Agents do this only if disable_remote_exec is false. With "-" the
  script is read from standard input.

      $ consul exec -service web uptime
"""

    def define(self, flags: FlagSet) -> None:
        self.node = flags.string("node", "Only on nodes whose name matches this regular expression.")
        self.service = flags.string("service", "Only on nodes with a service that matches this regular expression.")
        self.tag = flags.string("tag", "Only where a tag of that service matches this regular expression.")
        self.prefix = flags.string("prefix", "Where in the KV store to exchange data.", _PREFIX)
        self.shell = flags.boolean("shell", "Run the command by a shell.", True)
        self.wait = flags.duration("wait", "End when nobody answered for this long.", _WAIT_NS)
        self.wait_replication = flags.duration(
            "wait-repl", "Pause before the event, so that agents may read from any server.", _WAIT_REPLICATION_NS
        )
        self.verbose = flags.boolean("verbose", "Say what happens.")

    def execute(self, args: list[str]) -> int:
        spec = self._spec(args)
        check_filters(self.node.value, self.service.value, self.tag.value)
        client = self.client()
        with explain("Error querying Consul agent: "):
            answer = cast("Mapping[str, Mapping[str, Json]]", client.get("/v1/agent/self"))
        local = str(answer["Config"]["Datacenter"])
        with explain("Failed to create session: "):
            session = self._create_session(client, local)
        self._say(f"Created remote execution session: {session}")
        self._closed = threading.Event()
        threading.Thread(target=self._renew, args=(client, session), daemon=True).start()
        try:
            return self._run(client, session, spec)
        finally:
            self._closed.set()
            self._clean_up(client, session)

    def _spec(self, args: list[str]) -> dict[str, Json]:
        from base64 import b64encode

        spec: dict[str, Json] = {}
        if len(args) == 1 and args[0] == "-":
            script = read_stdin().encode("utf-8", "surrogateescape")
            if not script:
                raise ShowHelp("Must specify a command to execute")
            spec["Script"] = b64encode(script).decode()
        elif not args:
            raise ShowHelp("Must specify a command to execute")
        elif self.shell.value:
            spec["Command"] = " ".join(args)
        else:
            spec["Args"] = list(args)
        spec["Wait"] = self.wait.value
        return spec

    def _create_session(self, client: Client, local: str) -> str:
        body: dict[str, Json] = {"Behavior": "delete", "Name": "Remote Exec", "TTL": _SESSION_TTL}
        datacenter = client.config.datacenter
        if datacenter and datacenter != local:
            # A session needs a node of its own datacenter; any healthy server there will do.
            try:
                servers = cast(
                    "Sequence[Mapping[str, Mapping[str, Json]]] | None",
                    client.get("/v1/health/service/consul", {"passing": "1"}),
                )
            except ApiError as error:
                raise ApiError(f"Failed to find Consul server in remote datacenter: {error}") from None
            if not servers:
                raise ApiError("Failed to find Consul server in remote datacenter")
            body["Node"] = servers[0]["Node"]["Node"]
            body["Name"] = "Remote Exec via " + str(local)
            body["Checks"] = ["serfHealth"]
        answer = client.put("/v1/session/create", body=body).json()
        return str(cast("Mapping[str, Json]", answer)["ID"])

    def _renew(self, client: Client, session: str) -> None:
        while not self._closed.wait(_RENEWAL_S):
            try:
                client.put(f"/v1/session/renew/{session}").close()
            except ApiError:
                # The next round tries again; a session that is gone shows in the results.
                continue

    def _say(self, text: str) -> None:
        if self.verbose.value:
            self.ui.out(text)

    def _run(self, client: Client, session: str, spec: dict[str, Json]) -> int:
        prefix = f"{self.prefix.value}/{session}"
        with explain("Failed to create job file: "):
            body = gojson.dumps(spec).encode("utf-8", "surrogateescape")
            if b"true" not in client.ok("PUT", f"/v1/kv/{prefix}/job", {"acquire": session}, body=body).read():
                raise Failure("Failed to create job file: Failed to acquire key")
        self._say("Uploaded remote execution spec")
        time.sleep(self.wait_replication.value / 1e9)
        with explain("Failed to fire event: "):
            event_id = self._fire(client, session)
        self._say(f"Fired remote execution event: {event_id}")
        return _Answers(self, client, prefix).wait()

    def _fire(self, client: Client, session: str) -> str:
        query = {}
        for name, flag in (("node", self.node), ("service", self.service), ("tag", self.tag)):
            if flag.value:
                query[name] = flag.value
        payload = gojson.dumps({"Prefix": self.prefix.value, "Session": session}).encode()
        event = client.ok("PUT", f"/v1/event/fire/{_EVENT}", query, body=payload).json()
        return str(cast("Mapping[str, Json]", event)["ID"])

    def _clean_up(self, client: Client, session: str) -> None:
        # The session goes first: agents that still work must not write any more.
        for method, path, query in (
            ("PUT", f"/v1/session/destroy/{session}", {}),
            ("DELETE", f"/v1/kv/{self.prefix.value}/{session}", {"recurse": ""}),
        ):
            try:
                client.ok(method, path, query).close()
            except ApiError as error:
                self.ui.error(f"Failed to clean up: {error}")


class _Answers:
    """Collects what nodes write below the job's prefix until they fall silent."""

    def __init__(self, command: Exec, client: Client, prefix: str) -> None:
        self._command = command
        self._client = client
        self._prefix = prefix + "/"
        self._seen: set[str] = set()
        self._acknowledged = 0
        self._finished = 0
        self._failed = False
        self._interrupted = False

    def wait(self) -> int:
        """Print answers as they come; return the exit code."""
        ui, started = self._command.ui, time.monotonic()
        previous = signal.signal(signal.SIGINT, self._interrupt)
        try:
            self._collect()
        finally:
            signal.signal(signal.SIGINT, previous)
        if self._interrupted:
            return 1
        ui.out(f"{self._finished} / {self._acknowledged} node(s) completed / acknowledged")
        self._command._say(f"Completed in {time.monotonic() - started:.2f} seconds")
        return _EXIT_FAILED if self._failed else 0

    def _interrupt(self, _number: int, _frame: object) -> None:
        self._interrupted = True

    def _collect(self) -> None:
        quiet_s = self._command.wait.value / 1e9
        deadline = time.monotonic() + quiet_s
        index = 0
        while not self._interrupted:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            try:
                new, index = self._new_keys(index, left_s)
            except ApiError as error:
                self._command.ui.error(f"Failed to read results: {error}")
                self._failed = True
                return
            for key in new:
                self._seen.add(key)
                self._take(key.removeprefix(self._prefix), key)
                deadline = time.monotonic() + quiet_s

    def _new_keys(self, index: int, wait_s: float) -> tuple[list[str], int]:
        query: dict[str, str | int] = {"keys": "", "wait": f"{max(1, int(wait_s * 1000))}ms"}
        if index:
            query["index"] = index
        response = self._client.request("GET", f"/v1/kv/{self._prefix}", query)
        if response.status == 404:
            response.close()
            return [], response.index
        if response.status != 200:
            response.close()
            raise ApiError(f"Unexpected response code: {response.status}", response.status)
        keys = cast("Sequence[str] | None", response.json()) or ()
        return [key for key in keys if key not in self._seen], response.index

    def _take(self, name: str, key: str) -> None:
        ui = self._command.ui
        parts = name.split("/")
        node = parts[0]
        if name == "job":
            return
        if parts[-1] == "ack":
            self._acknowledged += 1
            self._command._say(f"==> {node}: acknowledged")
        elif parts[-1] == "exit":
            code = self._value(key).decode("utf-8", "replace")
            self._finished += 1
            self._failed = self._failed or code != "0"
            ui.out(f"==> {node}: finished with exit code {code}")
        elif len(parts) == 3 and parts[1] == "out":
            output = self._value(key).decode("utf-8", "surrogateescape")
            # An empty piece only says that the program still runs.
            for line in output.split("\n") if output else ():
                ui.out(f"    {node}: {line}".rstrip())
        else:
            ui.error(f"Unknown key {key}, ignoring.")

    def _value(self, key: str) -> bytes:
        pairs = self._client.get(f"/v1/kv/{key}")
        return b64decode(str(cast("Sequence[Mapping[str, Json]]", pairs)[0].get("Value") or ""))
