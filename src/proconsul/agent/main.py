"""``agent``: from the command line's flags to an exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from proconsul import COMPATIBLE_VERSION, early_signals
from proconsul.agent.config import ConfigError, RuntimeConfig, load, reload
from proconsul.agent.doors.tls import rpc_tls
from proconsul.agent.signals import Signals
from proconsul.agent.telemetry.logs import Logs
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.wire.goerrors import path_error
from proconsul.features.errors import ConsulError
from proconsul.server.config import RpcTls

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
        tls = rpc_tls(config.fixed, config.reloadable)  # files that are no good end it before it begins
    except (ConfigError, ConsulError) as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    return _new_loop(partial(_main, config, warnings, settings, tls))


def prepare_process() -> None:
    """Settings of the interpreter that suit a server."""
    # Rows are immutable and free of cycles; rarer full collections keep the pauses of a large state short.
    gc.set_threshold(50_000, 20, 100)
    gc.freeze()
    # While another thread writes a snapshot, each turn of the event loop waits so long for its own.
    sys.setswitchinterval(0.001)


def _new_loop(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run on uvloop where there is one (not on Windows); asyncio's own loop does everything too, more slowly."""
    prepare_process()
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        code = runner.run(main())
        early_signals.ignore()
    early_signals.ignore()
    return code


def banner(config: RuntimeConfig, node_id: str) -> str:
    """What is printed before the log starts."""
    ports = config.fixed.ports
    segment = config.fixed.segment or ("<all>" if config.fixed.server else "")
    rows = {
        "Version": f"'{COMPATIBLE_VERSION}'",
        "Node ID": f"'{node_id}'",
        "Node name": f"'{config.fixed.node_name}'",
        "Datacenter": f"'{config.fixed.datacenter}' (Segment: '{segment}')",
        "Server": f"{str(config.fixed.server).lower()} (Bootstrap: {str(config.fixed.bootstrap).lower()})",
        "Client Addr": f"[{' '.join(config.fixed.client_addrs)}] (HTTP: {ports.http}, HTTPS: {ports.https}, "
        # Nobody serves gRPC yet, whatever is configured.
        f"gRPC: -1, DNS: {ports.dns})",
        "Cluster Addr": f"{config.fixed.advertise_addr_lan} (LAN: {ports.serf_lan}, WAN: {ports.serf_wan})",
        "Encrypt": f"Gossip: {str(bool(config.fixed.encrypt_key)).lower()}, "
        f"TLS-Outgoing: {str(config.reloadable.tls.internal_rpc.verify_outgoing).lower()}, "
        f"TLS-Incoming: {str(config.reloadable.tls.internal_rpc.verify_incoming).lower()}, "
        f"Auto-Encrypt-TLS: {str(config.fixed.auto_encrypt.tls or config.fixed.auto_encrypt.allow_tls).lower()}",
    }
    return "".join(f"{name:>18}: {value}\n" for name, value in rows.items())


def unkept_promises(config: RuntimeConfig) -> list[str]:
    """What the configuration asks for and this version does not do: nobody may find that out by chance."""
    found = []
    for port in (config.fixed.ports.grpc, config.fixed.ports.grpc_tls):
        if port > 0:
            found.append(f"port {port} is set for gRPC, but this version does not serve gRPC: nobody listens there")
    return found


async def _main(config: RuntimeConfig, warnings: list[str], settings: Mapping[str, object], tls: RpcTls) -> int:
    logs = Logs()
    try:
        await _set_up_logs(logs, config)
    except (ValueError, OSError) as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    print("==> Starting Consul agent...", flush=True)
    try:
        code = await _run_agent(config, warnings, settings, logs, tls)
    except Exception as error:
        _say_why(error)
        code = 1
    log.info("Exit code: code=%s", code)
    return code


async def _set_up_logs(logs: Logs, config: RuntimeConfig) -> None:
    """Raises ValueError or OSError, with the text for who starts the agent."""
    fixed = config.fixed
    try:
        logs.configure(
            config.reloadable.log_level, config.reloadable.log_sublevels, as_json=fixed.logging.json,
            file=fixed.logging.file, rotate_bytes=fixed.logging.rotate_bytes,
            rotate_duration_s=fixed.logging.rotate_duration_s, rotate_files_max=fixed.logging.rotate_files_max,
        )  # fmt: skip
    except OSError as error:
        raise OSError(f"Failed to setup logging: {path_error('open', str(error.filename or ''), error)}") from None
    if fixed.logging.syslog:
        from proconsul.agent.telemetry.syslog import connect

        logs.add(await connect(fixed.logging.syslog_facility))


def _say_why(error: Exception) -> None:
    """Why a start has failed: to the log, and to who started it, as nobody may look at the log yet."""
    from proconsul.agent.gossip.joining import StartJoinError

    if isinstance(error, StartJoinError):  # until then it ran
        log.error("%s", error)
        return
    known = isinstance(error, ConsulError | RaftError | OSError)
    print(f"==> Error starting agent: {error}", file=sys.stderr, flush=True)
    log.error("Error starting agent: error=%s", error, exc_info=None if known else error)


async def _run_agent(
    config: RuntimeConfig, warnings: list[str], settings: Mapping[str, object], logs: Logs, tls: RpcTls
) -> int:
    """Raises what the start of the agent raises."""
    from proconsul.agent.agent import Agent

    agent = Agent(config, logs=logs, read_config=partial(_read_again, settings), tls=tls)
    print(banner(config, agent.node_id), flush=True)
    print("==> Log data will now stream in as it occurs:\n", flush=True)
    for sentence in (*warnings, *config.without_effect):
        log.warning("%s", sentence)
    for promise in unkept_promises(config):
        log.error("%s", promise)
    signals = Signals(agent, running=False)
    failed = True
    try:
        if await signals.start(agent.start()):
            print("==> Consul agent running!", flush=True)
        failed = False
        return await signals.wait()
    finally:
        if not failed:
            log.info("Requesting shutdown")
        await signals.stop()
        await agent.stop()
        if not failed:
            log.info("shutdown complete")
        if signals.start_goes_on:
            log.info("Exit code: code=%s", signals.code)
            sys.stdout.flush()
            os._exit(signals.code)


def _read_again(settings: Mapping[str, object], current: RuntimeConfig) -> RuntimeConfig:
    """Read the sources again; values that need a restart keep what the running agent has. Raises ConfigError."""
    config, warnings = reload(settings, current)
    for warning in warnings:
        log.warning("%s", warning)
    return config
