"""``agent``: from the command line's flags to an exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from functools import partial
from typing import Any

from proconsul import COMPATIBLE_VERSION, early_signals
from proconsul.agent import hosting
from proconsul.agent.config import ConfigError, RuntimeConfig
from proconsul.agent.signals import Signals
from proconsul.agent.telemetry.logs import Logs
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.wire.goerrors import path_error
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
        plan = hosting.plan(settings)
    except (ConfigError, ConsulError) as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    return _new_loop(partial(_main, plan))


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


async def _main(plan: hosting.StartPlan) -> int:
    logs = Logs()
    try:
        await _set_up_logs(logs, plan.config)
    except (ValueError, OSError) as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    logs.console.tell("==> Starting Consul agent...\n")
    try:
        code = await _run_agent(plan, logs)
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


async def _run_agent(plan: hosting.StartPlan, logs: Logs) -> int:
    """Raises what the start of the agent raises."""
    agent = hosting.make(plan, logs=logs)
    logs.console.tell(banner(plan.config, agent.node_id) + "\n")
    logs.console.tell("==> Log data will now stream in as it occurs:\n\n")
    hosting.tell(plan)
    signals = Signals(agent, running=False)
    failed = True
    try:
        if await signals.start(agent.start()):
            logs.console.tell("==> Consul agent running!\n")
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
            os._exit(signals.code)
