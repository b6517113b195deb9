"""Whatever a reload shows is in force: every field that it takes over is tested by what it does, not by its echo."""

# mypy: disable-error-code="arg-type,var-annotated"

from __future__ import annotations

import asyncio
import datetime
import inspect
import io
import ipaddress
import json
import logging
import re
import signal
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import proconsul
from proconsul.agent.agent import Agent
from proconsul.agent.config import load, reload
from proconsul.agent.config.defaults import DEFAULTS, NON_USER
from proconsul.agent.config.runtime import ReloadableConfig, RuntimeConfig
from proconsul.agent.config.schema import CONFIG, Section
from proconsul.agent.config.values import Reader
from proconsul.agent.config.without_effect import GROUPS, Group, as_markdown, ignored, unread_fields
from proconsul.agent.doors.http_service import HttpService
from proconsul.agent.part import Part
from proconsul.agent.signals import Signals
from proconsul.agent.telemetry.logs import LogLevel, Logs
from proconsul.engine.http.request import Request, Response
from proconsul.features.catalog.model import RegisterRequest
from proconsul.testing import AgentInLoop
from proconsul.testing.ports import free_port
from support.patience import PATIENCE_S

BASE: dict[str, Any] = {"check_update_interval": "0s", "log_level": "warn"}
DEADLINE_S = PATIENCE_S


class Running:
    """An agent whose configuration is a file that can be changed."""

    def __init__(self, loop: AgentInLoop, path: Path, flags: dict[str, Any]) -> None:
        self.loop, self.path, self.flags = loop, path, flags
        self.warnings: list[str] = []

    async def put(self, target: str, body: Any = None) -> Response:
        return await self.loop.request("PUT", target, json.dumps(body).encode() if body is not None else b"")

    async def get(self, target: str) -> Response:
        async with asyncio.timeout(DEADLINE_S):
            return await self.loop.request("GET", target)

    async def shown(self, target: str) -> Any:
        return json.loads((await self.get(target)).body)

    async def reload(self, **settings: Any) -> None:
        self.path.write_text(json.dumps({**BASE, **settings}))

        def read(current: RuntimeConfig) -> RuntimeConfig:
            config, self.warnings = reload(self.flags, current)
            return config

        self.loop.agent.reloading.read = read
        response = await self.put("/v1/agent/reload")
        assert response.status == 200, response.body
        await self.loop.agent.sync.sync_full()

    async def until(self, probe: Callable[[], Awaitable[object]], what: str) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not await probe():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(what) from None


P = TypeVar("P")


def part_of(agent: Running, kind: type[P]) -> P:
    """The part of that class."""
    return next(part for part in agent.loop.agent._parts._parts if isinstance(part, kind))


class Reloaded:
    """``async with Reloaded(tmp_path, key=...)``: an agent with these settings in its file."""

    def __init__(self, tmp_path: Path, *, ports: dict[str, int] | None = None, **settings: Any) -> None:
        self._path = tmp_path / "config.json"
        self._path.write_text(json.dumps({**BASE, **settings}))
        fixed = {"http": free_port(), "dns": free_port(), "grpc": -1, **(ports or {})}
        self._flags = {"dev": True, "node_name": "test", "ports": fixed, "config_files": [str(self._path)]}
        self._loop = AgentInLoop(self._flags)

    async def __aenter__(self) -> Running:
        await self._loop.__aenter__()
        return Running(self._loop, self._path, self._flags)

    async def __aexit__(self, *error: Any) -> None:
        await self._loop.__aexit__(*error)


# ----------------------------------------------------------------------------------------------- what a reload does


async def tokens(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, acl={"tokens": {"default": "one"}}) as agent:
        asked: list[str] = []
        port, register = agent.loop.agent.catalog_port, agent.loop.agent.catalog_port.register

        async def recorded(request: RegisterRequest) -> None:
            asked.append(request.Token)
            await register(request)

        port.register = recorded  # type: ignore[method-assign]
        for token in ("two", "three"):
            await agent.reload(acl={"tokens": {"default": token}})
            asked.clear()
            await agent.put("/v1/agent/service/register", {"Name": "web"})
            assert set(asked) == {token}
            assert agent.loop.agent.web.token(Request("GET", "/", "/", "", {})) == token


async def definitions(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, service={"name": "a"}, check={"name": "m", "ttl": "1h"}) as agent:
        await agent.reload(service={"name": "b"}, check={"name": "n", "ttl": "1h"})
        assert set(await agent.shown("/v1/agent/services")) == {"b"}
        assert set(await agent.shown("/v1/agent/checks")) == {"n"}
        assert set(await agent.shown("/v1/catalog/services")) == {"b", "consul"}


async def checks(tmp_path: Path) -> None:
    script = {"Name": "s", "Args": ["true"], "Interval": "1h"}
    async with Reloaded(tmp_path, enable_script_checks=False) as agent:
        assert (await agent.put("/v1/agent/check/register", script)).status == 500
        await agent.put("/v1/agent/check/register", {"Name": "t", "TTL": "1h"})
        await agent.reload(enable_script_checks=True, check_output_max_size=4)
        assert (await agent.put("/v1/agent/check/register", script)).status == 200
        await agent.put("/v1/agent/check/update/t", {"Status": "passing", "Output": "longer"})
        assert (await agent.shown("/v1/agent/checks"))["t"]["Output"] == "long ... (captured 4 of 6 bytes)"
        await agent.reload(discard_check_output=True)
        assert set(await agent.shown("/v1/agent/checks")) == {"t"}  # scripts may not run any more
        await agent.put("/v1/agent/check/update/t", {"Status": "passing", "Output": "other"})
        assert (await agent.shown("/v1/agent/checks"))["t"]["Output"] == ""
        await agent.reload(check_update_interval="1h")
        await agent.put("/v1/agent/check/update/t", {"Status": "passing", "Output": "later"})
        health = await agent.shown("/v1/health/node/test")
        assert [one["Output"] for one in health if one["CheckID"] == "t"] == [""]


async def dns(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, dns_config={"node_ttl": "7s"}) as agent:
        endpoint = next(one for one in agent.loop.agent.config.fixed.dns_addrs if one.network == "udp")
        ask = partial(_node_ttl, endpoint.host, endpoint.port)
        assert await asyncio.to_thread(ask) == 7
        await agent.reload(dns_config={"node_ttl": "9s"})
        assert await asyncio.to_thread(ask) == 9


def _node_ttl(host: str, port: int) -> int:
    """The TTL of the answer to test.node.consul A."""
    question = b"".join(bytes([len(label)]) + label for label in (b"test", b"node", b"consul")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(DEADLINE_S)
        sock.sendto(struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + question, (host, port))
        answer = sock.recv(512)
    ttl: int = struct.unpack_from(">I", answer, 12 + len(question) + 2 + 2 + 2)[0]
    return ttl


async def debugging(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, enable_debug=False) as agent:
        before = (await agent.get("/debug/pprof/cmdline")).status
        await agent.reload(enable_debug=True)
        assert (before, (await agent.get("/debug/pprof/cmdline")).status) != (200, 200)
        assert (await agent.get("/debug/pprof/cmdline")).status == 200


async def http_times(tmp_path: Path) -> None:
    async with Reloaded(tmp_path) as agent:
        await agent.reload(http_config={"use_cache": False}, default_query_time="10ms", max_query_time="20ms")
        assert (await agent.get("/v1/kv/none?index=99999")).status == 404
        assert (await agent.get("/v1/kv/none?index=99999&wait=5m")).status == 404


async def http_staleness(tmp_path: Path) -> None:
    async with Reloaded(tmp_path) as agent:
        assert (await agent.get("/v1/catalog/services")).headers["X-Consul-Effective-Consistency"] == "leader"
        await agent.reload(discovery_max_stale="5s")
        assert (await agent.get("/v1/catalog/services")).headers["X-Consul-Effective-Consistency"] == "stale"


async def http_cache(tmp_path: Path) -> None:
    async with Reloaded(tmp_path) as agent:
        target = "/v1/health/service/consul?cached"
        assert "X-Cache" in (await agent.get(target)).headers
        await agent.reload(http_config={"use_cache": False})
        assert "X-Cache" not in (await agent.get(target)).headers


async def asking_servers(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, limits={"rpc_rate": 0, "rpc_max_burst": 1}) as agent:
        assert (await agent.get("/v1/status/leader")).status == 200  # a server's calls have no limit
        cache = agent.loop.agent.web.cache
        assert cache._rate is None
        await agent.reload(cache={"entry_fetch_rate": 0.5, "entry_fetch_max_burst": 3})
        assert cache._rate == (0.5, 3)  # what that does: tests/features/test_agent_cache.py


async def leaving(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, leave_on_terminate=True, skip_leave_on_interrupt=False) as agent:
        await agent.reload(leave_on_terminate=False, skip_leave_on_interrupt=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signals = Signals(agent.loop.agent)
            signals._terminate(number)
            assert agent.loop.agent.exit_code.result() == 1
            assert signals._leaving is None
            agent.loop.agent.ending.exit_code = asyncio.get_running_loop().create_future()
        for one in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            asyncio.get_running_loop().remove_signal_handler(one)


async def connections(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, limits={"http_max_conns_per_client": 100}) as agent:
        host, port = agent.loop.http_address.split(":")

        async def answered() -> bool:
            """Whether a second connection is served beside an open one."""
            first = await asyncio.open_connection(host, int(port))
            second = await asyncio.open_connection(host, int(port))
            try:
                for _, writer in (first, second):
                    writer.write(b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n")
                await first[0].readline()
                with suppress(ConnectionError):
                    return b" 200 " in await second[0].readline()
                return False
            finally:
                for _, writer in (first, second):
                    writer.close()

        assert await answered()
        await agent.until(_none_open(agent), "connections are gone")
        await agent.reload(limits={"http_max_conns_per_client": 1})
        assert not await answered()


def _none_open(agent: Running) -> Callable[[], Awaitable[bool]]:
    async def probe() -> bool:
        return part_of(agent, HttpService).connection_count == 0

    return probe


async def logged(tmp_path: Path) -> None:
    logger = logging.getLogger("agent")
    before = (logger.level, logger.propagate, list(logger.handlers))
    async with Reloaded(tmp_path) as agent:
        stream = io.StringIO()
        part_of(agent, LogLevel)._logs = logs = Logs(stream)
        try:
            logs.configure("WARN")
            logger.debug("not to be seen")
            await agent.reload(log_level="debug")
            logger.debug("to be seen")
            await agent.reload(log_level="warn", log_sublevels={"agent.one": "debug"})
            logger.info("not to be seen")
            logger.getChild("one").debug("seen of one")
            await agent.reload(log_sublevels={})
            logger.getChild("one").debug("not to be seen")
            assert [line.rsplit(": ", 1)[1] for line in stream.getvalue().splitlines() if "seen" in line] == [
                "to be seen", "seen of one",
            ]  # fmt: skip
        finally:
            logger.level, logger.propagate, logger.handlers = before


async def serving(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, limits={"request_limits": {"mode": "disabled"}}) as agent:
        for mode, statuses in (("enforcing", {200, 429}), ("disabled", {200})):
            await agent.reload(limits={"request_limits": {"mode": mode, "read_rate": 1}})  # ten may come at once
            found = [await agent.loop.request("GET", "/v1/catalog/nodes") for _ in range(20)]
            assert {reply.status for reply in found} == statuses


async def metadata(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, node_meta={"rack": "one"}) as agent:
        await agent.reload(node_meta={"rack": "two"})
        async with asyncio.timeout(30):  # it is sent in the background
            while (await agent.shown("/v1/catalog/node/test"))["Node"]["Meta"]["rack"] != "two":
                await asyncio.sleep(0.01)


async def watches(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, watches=[_watch(tmp_path, "one")], enable_script_checks=True) as agent:
        await agent.until(_exists(tmp_path / "one"), "the first watch runs")
        await agent.reload(watches=[_watch(tmp_path, "two")], enable_script_checks=True)
        await agent.until(_exists(tmp_path / "two"), "the second watch runs")


def _watch(folder: Path, name: str) -> dict[str, Any]:
    return {"type": "nodes", "handler_type": "script", "args": ["touch", str(folder / name)]}


def _exists(path: Path) -> Callable[[], Awaitable[bool]]:
    async def probe() -> bool:
        return path.exists()

    return probe


# -------------------------------------------------------------------------------------------------------------- TLS


def make_pair(folder: Path, name: str) -> dict[str, str]:
    """A certificate that is its own authority, for 127.0.0.1 and the node ``test``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / f"{name}.key").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    return {"cert_file": str(folder / f"{name}.pem"), "key_file": str(folder / f"{name}.key")}


def _client(pair: dict[str, str], trusted: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trusted["cert_file"])
    context.load_cert_chain(pair["cert_file"], pair["key_file"])
    return context


async def _served(port: int, context: ssl.SSLContext) -> bool:
    try:
        async with asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
    except (ssl.SSLError, ConnectionError):
        return False
    return b" 200 " in answer


async def secured(tmp_path: Path) -> None:
    """Certificate, authority and whether clients are verified, of new connections; nobody is lost meanwhile."""
    server, first, second = (make_pair(tmp_path, name) for name in ("server", "first", "second"))
    port = free_port()
    own = {"ports": {"https": port}}
    async with Reloaded(tmp_path, **own, **server) as agent:
        assert await _served(port, _client(first, server))
        for trusted, other in ((first, second), (second, first)):
            await agent.reload(**server, ca_file=trusted["cert_file"], verify_incoming_https=True)
            assert await _served(port, _client(trusted, server))
            assert not await _served(port, _client(other, server))
        await agent.reload(**second, ca_file=first["cert_file"])
        assert await _served(port, _client(first, second))
        assert not await _served(port, _client(first, server))


async def test_checks_use_the_agents_certificate_when_they_are_told_to(tmp_path: Path) -> None:
    own, other = make_pair(tmp_path, "own"), make_pair(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own["cert_file"], own["key_file"])
    context.load_verify_locations(own["cert_file"])
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    check = {"id": "c", "name": "c", "http": f"https://127.0.0.1:{port}/", "interval": "1s"}
    async with Reloaded(tmp_path, check=check) as agent:
        told = {"enable_agent_tls_for_checks": True, "ca_file": own["cert_file"]}
        for settings, status in (
            ({}, "critical"), ({**told, **own}, "passing"), ({**told, **other}, "critical"),
            ({**told, **own, "server_name": "no"}, "critical"),
        ):  # fmt: skip
            await agent.reload(check={**check, "notes": repr(sorted(settings))}, **settings)
            agent.loop.agent.local.update_check("c", "warning", "not yet")

            async def has_run() -> bool:
                return bool((await agent.shown("/v1/agent/checks"))["c"]["Status"] != "warning")

            await agent.until(has_run, "the check runs")
            shown = (await agent.shown("/v1/agent/checks"))["c"]
            assert shown["Status"] == status, (settings, shown)
    listening.close()


EFFECTS: dict[str, tuple[Callable[[Path], Awaitable[None]], ...]] = {
    "tokens": (tokens,), "check_definitions": (definitions,), "checks": (checks,), "dns": (dns,),
    "enable_debug": (debugging,), "queries": (http_times, http_staleness, http_cache), "leave_on_terminate": (leaving,),
    "http_conns_per_client_max": (connections,), "log_level": (logged,), "log_sublevels": (logged,),
    "node_meta": (metadata,),
    "asking": (asking_servers,), "serving": (serving,), "service_definitions": (definitions,),
    "skip_leave_on_interrupt": (leaving,), "tls": (secured,),
    "watches": (watches,),
}  # fmt: skip


def test_every_reloadable_field_has_a_test() -> None:
    assert set(EFFECTS) == set(ReloadableConfig.__struct_fields__)


@pytest.mark.parametrize("effect", list(dict.fromkeys(one for several in EFFECTS.values() for one in several)))
async def test_a_reload_is_in_force(effect: Callable[[Path], Awaitable[None]], tmp_path: Path) -> None:
    await effect(tmp_path)


async def test_other_changes_are_said_and_not_shown(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, session_ttl_min="11s") as agent:
        await agent.reload(session_ttl_min="12s", http_config={"response_headers": {"X": "y"}})
        assert "X" not in (await agent.get("/v1/status/leader")).headers
        shown = (await agent.shown("/v1/agent/self"))["DebugConfig"]
        assert shown["SessionTTLMin"] == "11s" and not shown["HTTPResponseHeaders"]
        [warning] = agent.warnings
        assert re.findall(r"[\w.]+", warning.partition(": ")[2]) == ["http.response_headers", "session_ttl_min_s"]


BAD_RECURSORS = {
    "1.2.3.4:x": "address tcp/x: unknown port", "[1.2.3.4": "address [1.2.3.4:53: missing ']' in address",
    "[::1]:99999": "address 99999: invalid port", "1.2.3.4:70000": "address 70000: invalid port",
}  # fmt: skip


async def test_a_reload_with_a_bad_recursor_changes_nothing(tmp_path: Path) -> None:
    async with Reloaded(tmp_path, node_meta={"rack": "one"}) as agent:
        for recursor, text in BAD_RECURSORS.items():
            with pytest.raises(AssertionError, match=re.escape(f"Invalid recursor address: {text}")):
                await agent.reload(recursors=[recursor], node_meta={"rack": "two"}, service={"name": "new"})
            shown = await agent.shown("/v1/agent/self")
            assert shown["Meta"]["rack"] == "one" and shown["DebugConfig"]["DNSRecursors"] == []
            assert await agent.shown("/v1/agent/services") == {}
        await agent.reload(recursors=["1.2.3.4", "[::1]:54"], node_meta={"rack": "two"})
        assert (await agent.shown("/v1/agent/self"))["Meta"]["rack"] == "two"


async def test_a_part_that_cannot_stop_keeps_no_other_from_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Part):
        async def stop(self) -> None:
            raise RuntimeError("no end")

    async with Reloaded(tmp_path) as agent:
        host, port = agent.loop.http_address.split(":")
        parts = agent.loop.agent._parts
        parts._parts = (*parts._parts, Broken())
    assert "failed to stop: part=Broken" in caplog.text
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(host, int(port))


# ------------------------------------------------------------------------------------------------ who reads what


class Spy:
    """A configuration that remembers which of its fields are read."""

    def __init__(self, value: Any, path: str, seen: set[str]) -> None:
        self._value, self._path, self._seen = value, path, seen

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._value, name)
        path = f"{self._path}{name}"
        if isinstance(value, msgspec.Struct):
            return Spy(value, f"{path}.", self._seen)
        self._seen.add(path)
        return value


def fields() -> set[str]:
    """All fields by path."""
    found: set[str] = set()

    def walk(block: Any, path: str) -> None:
        for name in block.__struct_fields__:
            value = getattr(block, name)
            if isinstance(value, msgspec.Struct):
                walk(value, f"{path}{name}.")
            else:
                found.add(path + name)

    config = load({"dev": True})[0]
    for half in (config.fixed, config.reloadable):
        walk(half, "")
    return found


async def seen_in_use(tmp_path: Path) -> set[str]:
    """What a server and a client read that use much of what there is."""
    seen: set[str] = set()
    pair = make_pair(tmp_path, "own")
    key = "MTIzNDU2Nzg5MDEyMzQ1Ng=="
    for server in (True, False):
        ports = {name: free_port() for name in ("http", "https", "dns", "server", "serf_lan", "serf_wan")}
        config, _ = load({
            "node_name": "spied", "bind_addr": "127.0.0.1", "server": server, "bootstrap": server, "encrypt": key,
            "data_dir": str(tmp_path / str(server)), "ports": ports, **pair,
            **({"ca_file": pair["cert_file"]} if server else {"ca_path": pair["cert_file"]}),
            "verify_incoming": True, "verify_outgoing": True, "enable_agent_tls_for_checks": True, "enable_debug": True,
            "performance": {"raft_multiplier": 1}, "retry_join": ["127.0.0.1:1"], "disable_remote_exec": False,
            "retry_join_wan": ["127.0.0.1:1"] if server else [], "recursors": ["127.0.0.1:1"],
            "ui_config": {"enabled": True}, "pid_file": str(tmp_path / "pid"), "dns_config": {"allow_stale": False},
            "check": {"name": "c", "http": "https://127.0.0.1:1/", "interval": "1h"},
            "audit": {"enabled": True, "sink": {"main": {"type": "file", "path": "audit.json"}}},
            "advertise_reconnect_timeout": "1h", "addresses": {"http": f"unix://{tmp_path}/{server}.sock"},
        })  # fmt: skip
        spied: Any = SimpleNamespace(
            fixed=Spy(config.fixed, "", seen), reloadable=Spy(config.reloadable, "", seen), shown_as_zero=(),
            without_effect=(),
        )  # fmt: skip
        agent = Agent(spied)
        try:
            await agent.start()
            for target in ("/debug/pprof/cmdline", "/v1/agent/metrics?format=prometheus"):
                await agent.front.answer(Request("GET", target, target.partition("?")[0], target.partition("?")[2], {}))
            pool = "wan" if server else "lan"  # which is joined last
            async with asyncio.timeout(DEADLINE_S):
                while f"join_{pool}.retry_interval_s" not in seen:
                    await asyncio.sleep(0.01)
        finally:
            await agent.stop()
    return seen


def named_in_code() -> set[str]:
    """The path of a field, after a name for its half, anywhere but where it is built, checked and echoed."""
    root = Path(inspect.getfile(proconsul)).parent
    code = "\n".join(path.read_text() for path in sorted(root.rglob("*.py")) if "agent/config/" not in path.as_posix())
    named = set(re.findall(r"\b(?:config|fixed|reloadable)\.(?!fixed|reloadable)([a-z0-9_.]+)", code))
    return {field for field in fields() if any(name == field or name.startswith(f"{field}.") for name in named)}


# What only the rest of the configuration is made from, or what is only shown.
INDIRECT = {
    "advertise_addr_wan", "bind_addr", "performance.raft_multiplier", "ports.dns", "ports.grpc", "ports.http",
    "ports.https", "ports.serf_lan", "ports.serf_wan", "ports.server", "primary_datacenter_given", "revision",
    "segment_count_max", "segment_name_length_max", "tls.verify_incoming",
    "tls.verify_incoming_https", "tls.verify_incoming_rpc", "version", "version_prerelease",
}  # fmt: skip


async def test_fields_that_nobody_reads_are_in_the_table(tmp_path: Path) -> None:
    unread = fields() - INDIRECT - await seen_in_use(tmp_path) - named_in_code()
    listed = unread_fields()
    assert (sorted(unread - listed), sorted(listed - unread)) == ([], [])


def keys_of(section: Section, path: str = "") -> set[str]:
    """Every key a configuration file may have; definitions of services and checks are read elsewhere."""
    found: set[str] = set()
    for key, node in section.keys.items():
        if isinstance(node, Section) and path + key not in ("service", "check"):
            found |= keys_of(node, f"{path}{key}.")
        else:
            found.add(path + key)
    return found


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """The keys, by their path."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield path + key


def test_keys_that_fill_no_field_are_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    for name in ("__contains__", "block", "blocks", "flag", "number", "opaque", "real", "seconds", "text", "text_map",
                 "texts"):  # fmt: skip

        def recorded(self: Reader, key: str, *rest: Any, _read: Any = getattr(Reader, name)) -> Any:
            asked.add(f"{self.path}.{key}" if self.path else key)
            return _read(self, key, *rest)

        monkeypatch.setattr(Reader, name, recorded)
    load({"dev": True})
    # Merged into their lists before, opaque to all but the room that reads them, or taken by their prefix.
    covered = ("service", "check", "auto_config.authorization.static.", "ui_config.metrics_proxy.",
               "telemetry.circonus_")  # fmt: skip
    silent = {key for key in keys_of(CONFIG) - asked if not key.startswith(covered)}
    silent |= set(leaves(NON_USER)) & keys_of(CONFIG)
    listed = {key for group in GROUPS for key, field in group.settings.items() if not field}
    assert (sorted(silent - listed), sorted(listed - silent)) == ([], [])
    spelt = {key for group in GROUPS for key in group.settings if not key.endswith("*")} - keys_of(CONFIG)
    # Blocks as a whole, and older spellings.
    assert spelt <= {"auto_config.authorization.static", "ui_config.metrics_proxy", "acl.tokens.master",
                     "acl.tokens.agent_master"}  # fmt: skip


def test_the_table_is_what_the_documentation_shows() -> None:
    text = (Path(inspect.getfile(proconsul)).parents[2] / "COMPATIBILITY.md").read_text()
    section = text.partition("## Settings without effect")[2].partition("\n## ")[0]
    assert section.partition("\n- ")[2].strip() == as_markdown().strip().removeprefix("- ")


@pytest.mark.parametrize("group", [group for group in GROUPS if group.told], ids=lambda group: group.title)
def test_what_is_set_and_does_nothing_is_said(group: Group) -> None:
    for key in group.settings:
        path = key.replace("*", "api_app").split(".")
        given: Any = "something"
        for name in reversed(path):
            given = {name: given}
        [sentence] = ignored(given, DEFAULTS)
        assert sentence.endswith(f": {key}")


def test_what_holds_anyway_is_not_said() -> None:
    for group in GROUPS:
        for key in group.settings:
            *blocks, name = key.split(".")
            usual: Any = DEFAULTS
            for block in blocks:
                usual = usual.get(block, {})
            for value in (usual.get(name, False), False, "", []):
                given: Any = {name: value}
                for block in reversed(blocks):
                    given = {block: given}
                assert ignored(given, DEFAULTS) == ()
    assert load({"dev": True})[0].without_effect == ()


def test_a_reload_says_what_is_new_and_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    flags = {"dev": True, "config_files": [str(path)]}
    path.write_text('{"limits": {"rpc_client_timeout": "5s"}}')
    current, _ = load(flags)
    assert current.without_effect == (
        "settings without effect (limits of calls: they are as they are): limits.rpc_client_timeout",
    )
    assert reload(flags, current)[1] == []
    path.write_text('{"limits": {"rpc_client_timeout": "5s"}, "telemetry": {"circonus_api_token": "x"}}')
    result, warnings = reload(flags, current)
    assert warnings[0].endswith("nothing is sent): telemetry.circonus_*") and len(result.without_effect) == 2
