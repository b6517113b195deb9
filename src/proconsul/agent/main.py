"""``agent``: from the command line's flags to an exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.config import ConfigError, RuntimeConfig, load, reload
from proconsul.agent.logs import Logs
from proconsul.agent.tls import rpc_tls
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

# A graceful leave that takes longer than this ends the process with an error (Consul: gracefulTimeout).
GRACEFUL_TIMEOUT_S = 15.0

# Flags whose names are not the configuration key with dots replaced.
_NESTED = {
    "ports_": "ports",
    "http_config_": "http_config",
}
_RENAMED = {"dns_recursors": "recursors"}


def settings_of(flags: Any) -> dict[str, object]:
    """The flags as configuration keys plus the four controls of `load`. Flags that were not given are left out."""
    given = asdict(flags)
    settings: dict[str, object] = {
        "config_files": [path for _, path in given.pop("config_files")],
        "hcl": given.pop("hcl"), "config_format": given.pop("config_format"), "dev": given.pop("dev"),
    }  # fmt: skip
    for name, value in given.items():
        if value is None or value in ([], {}):
            continue
        for prefix, block in _NESTED.items():
            if name.startswith(prefix):
                nested = settings.setdefault(block, {})
                assert isinstance(nested, dict)
                nested[name[len(prefix) :]] = value
                break
        else:
            settings[_RENAMED.get(name, name)] = value
    return settings


def run(flags: Any) -> int:
    """Run an agent until it is told to stop. Returns the process's exit code."""
    settings = settings_of(flags)
    try:
        config, warnings = load(settings)
        rpc_tls(config)  # so that files that are no good end it before it begins
    except (ConfigError, ConsulError) as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    return _new_loop(config, warnings, settings)


def prepare_process() -> None:
    """Settings of the interpreter that suit a server."""
    # Rows are immutable and free of cycles; rarer full collections keep the pauses of a large state short.
    gc.set_threshold(50_000, 20, 100)
    gc.freeze()
    # While another thread writes a snapshot, each turn of the event loop waits so long for its own.
    sys.setswitchinterval(0.001)


def _new_loop(config: RuntimeConfig, warnings: list[str], settings: Mapping[str, object]) -> int:
    """Run on uvloop where it is installed; asyncio's own loop does everything too, more slowly."""
    prepare_process()
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        return runner.run(_main(config, warnings, settings))


def banner(config: RuntimeConfig, node_id: str) -> str:
    """What is printed before the log starts."""
    ports = config.ports
    segment = config.segment or ("<all>" if config.server else "")
    rows = {
        "Version": f"'{COMPATIBLE_VERSION}'",
        "Node ID": f"'{node_id}'",
        "Node name": f"'{config.node_name}'",
        "Datacenter": f"'{config.datacenter}' (Segment: '{segment}')",
        "Server": f"{str(config.server).lower()} (Bootstrap: {str(config.bootstrap).lower()})",
        "Client Addr": f"[{' '.join(config.client_addrs)}] (HTTP: {ports.http}, HTTPS: {ports.https}, "
        # Nobody serves gRPC yet, whatever is configured.
        f"gRPC: -1, DNS: {ports.dns})",
        "Cluster Addr": f"{config.advertise_addr_lan} (LAN: {ports.serf_lan}, WAN: {ports.serf_wan})",
        "Encrypt": f"Gossip: {str(bool(config.encrypt_key)).lower()}, "
        f"TLS-Outgoing: {str(config.tls.internal_rpc.verify_outgoing).lower()}, "
        f"TLS-Incoming: {str(config.tls.internal_rpc.verify_incoming).lower()}, "
        f"Auto-Encrypt-TLS: {str(config.auto_encrypt.tls or config.auto_encrypt.allow_tls).lower()}",
    }
    return "".join(f"{name:>18}: {value}\n" for name, value in rows.items())


def unkept_promises(config: RuntimeConfig) -> list[str]:
    """What the configuration asks for and this version does not do: nobody may find that out by chance."""
    found = []
    if config.acl.enabled:
        found.append("acl.enabled is set, but this version does not enforce access control: every request is allowed")
    for port in (config.ports.grpc, config.ports.grpc_tls):
        if port > 0:
            found.append(f"port {port} is set for gRPC, but this version does not serve gRPC: nobody listens there")
    return found


async def _main(config: RuntimeConfig, warnings: list[str], settings: Mapping[str, object]) -> int:
    from proconsul.agent.agent import Agent
    from proconsul.agent.joining import StartJoinError

    print("==> Starting Consul agent...", flush=True)
    logs = Logs()
    logs.configure(
        config.logging.level, as_json=config.logging.json, file=config.logging.file,
        rotate_bytes=config.logging.rotate_bytes, rotate_duration_s=config.logging.rotate_duration_s,
        rotate_files_max=config.logging.rotate_files_max,
    )  # fmt: skip
    reader = _Reloader(settings)
    try:
        agent = Agent(config, logs=logs, reload_config=reader.read)
        print(banner(config, agent.node_id), flush=True)
        print("==> Log data will now stream in as it occurs:\n", flush=True)
        for warning in warnings:
            log.warning("%s", warning)
        for promise in unkept_promises(config):
            log.error("%s", promise)
        await agent.start()
    except StartJoinError as error:
        log.error("%s", error)
        log.info("Exit code: code=1")
        return 1
    except Exception as error:
        print(f"==> Error starting agent: {error}", file=sys.stderr, flush=True)
        log.error("Error starting agent: error=%s", error)
        return 1
    print("==> Consul agent running!", flush=True)
    signals = _Signals(agent)
    try:
        return await signals.wait()
    finally:
        log.info("Requesting shutdown")
        await agent.stop()
        log.info("shutdown complete")
        log.info("Exit code: code=%s", signals.code)


class _Reloader:
    """Reads the sources again; values that need a restart keep what the running agent has."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = settings

    def read(self, current: RuntimeConfig) -> RuntimeConfig:
        config, warnings = reload(self._settings, current)
        for warning in warnings:
            log.warning("%s", warning)
        return config


class _Signals:
    """Turns signals into reload, leave or shutdown, with Consul's exit codes."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.code = 1
        self._leaving: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            return
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGINT, self._terminate, signal.SIGINT)
        loop.add_signal_handler(signal.SIGTERM, self._terminate, signal.SIGTERM)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        if hasattr(signal, "SIGUSR1"):
            loop.add_signal_handler(signal.SIGUSR1, self._dump_metrics)

    async def wait(self) -> int:
        self.code = await self._agent.exit_code
        return self.code

    def _reload(self) -> None:
        log.info("Caught: signal=hangup")
        log.info("Reloading configuration...")
        self._reloading = asyncio.ensure_future(self._reload_now())

    async def _reload_now(self) -> None:
        try:
            await self._agent.reload()
        except Exception as error:
            log.error("Reload config failed: error=%s", error)

    def _terminate(self, number: signal.Signals) -> None:
        """Leave gracefully when configured for this signal; a second signal ends at once."""
        log.info("Caught: signal=%s", "interrupt" if number == signal.SIGINT else "terminated")
        config = self._agent.config
        graceful = not config.skip_leave_on_interrupt if number == signal.SIGINT else config.leave_on_terminate
        if not graceful or self._leaving is not None:
            self._finish(1)
            return
        log.info("Gracefully shutting down agent...")
        self._leaving = asyncio.ensure_future(self._leave())

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(GRACEFUL_TIMEOUT_S):
                await self._agent.leave()
        except Exception as error:
            log.error("Error on leave: error=%s", error)
            self._finish(1)
        else:
            self._finish(0)

    def _finish(self, code: int) -> None:
        if not self._agent.exit_code.done():
            self._agent.exit_code.set_result(code)

    def _dump_metrics(self) -> None:
        latest = self._agent.metrics.latest()
        for gauge in latest["Gauges"]:
            print(f"[{latest['Timestamp']}][G] '{gauge['Name']}': {gauge['Value']:.3f}", file=sys.stderr)
        for mark, name in (("C", "Counters"), ("S", "Samples")):
            for item in latest[name]:
                text = f"'{item['Name']}': Count: {item['Count']} Sum: {item['Sum']:.3f}"
                print(f"[{latest['Timestamp']}][{mark}] {text}", file=sys.stderr)
