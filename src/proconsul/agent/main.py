"""``agent``: from the command line's flags to an exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from proconsul import COMPATIBLE_VERSION, early_signals
from proconsul.agent.config import ConfigError, RuntimeConfig, load, reload
from proconsul.agent.doors.tls import rpc_tls
from proconsul.agent.signals import Signals
from proconsul.agent.telemetry.logs import Logs
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

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
    """Run on uvloop where there is one (not on Windows); asyncio's own loop does everything too, more slowly."""
    prepare_process()
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        code = runner.run(_main(config, warnings, settings))
        early_signals.ignore()
    early_signals.ignore()
    return code


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
    if config.acl.enabled and not config.server:
        found.append(
            "acl.enabled is set, but client agents do not resolve tokens in this version: what servers answer asks for "
            "rights, what this agent answers by itself is open to everybody"
        )
    for port in (config.ports.grpc, config.ports.grpc_tls):
        if port > 0:
            found.append(f"port {port} is set for gRPC, but this version does not serve gRPC: nobody listens there")
    return found


async def _main(config: RuntimeConfig, warnings: list[str], settings: Mapping[str, object]) -> int:
    from proconsul.agent.agent import Agent
    from proconsul.agent.gossip.joining import StartJoinError

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
        for sentence in config.without_effect:
            log.warning("%s", sentence)
        for promise in unkept_promises(config):
            log.error("%s", promise)
        signals = Signals(agent, running=False)
        if await signals.start(agent.start()):
            print("==> Consul agent running!", flush=True)
    except StartJoinError as error:
        log.error("%s", error)
        log.info("Exit code: code=1")
        return 1
    except Exception as error:
        print(f"==> Error starting agent: {error}", file=sys.stderr, flush=True)
        log.error("Error starting agent: error=%s", error)
        return 1
    try:
        return await signals.wait()
    finally:
        log.info("Requesting shutdown")
        await signals.stop()
        await agent.stop()
        log.info("shutdown complete")
        log.info("Exit code: code=%s", signals.code)
        if signals.start_goes_on:
            sys.stdout.flush()
            os._exit(signals.code)


class _Reloader:
    """Reads the sources again; values that need a restart keep what the running agent has."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = settings

    def read(self, current: RuntimeConfig) -> RuntimeConfig:
        config, warnings = reload(self._settings, current)
        for warning in warnings:
            log.warning("%s", warning)
        return config
