"""/v1/agent/host: what machine this is (HTTP API: agent host)."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from typing import Any


async def information() -> dict[str, Any]:
    """Memory, processors, host and disk; what cannot be read is listed under Errors."""
    return await asyncio.to_thread(_collect)


def _collect() -> dict[str, Any]:
    import psutil

    errors: list[str] = []
    result: dict[str, Any] = {}
    for name, read in (("Memory", _memory), ("CPU", _processors), ("Host", _host), ("Disk", _disk)):
        try:
            result[name] = read(psutil)
        except (OSError, psutil.Error) as error:
            errors.append(str(error))
            result[name] = None
    result["CollectionTime"] = time.time_ns()
    result["Errors"] = errors or None
    return result


def _memory(psutil: Any) -> dict[str, Any]:
    memory = psutil.virtual_memory()
    fields = {
        "total": memory.total, "available": memory.available, "used": memory.used,
        "usedPercent": memory.percent, "free": memory.free,
    }  # fmt: skip
    for name in ("active", "inactive", "buffers", "cached", "shared", "slab"):
        fields[name] = getattr(memory, name, 0)
    return fields


def _processors(psutil: Any) -> list[dict[str, Any]]:
    frequency = psutil.cpu_freq()
    return [
        {
            "cpu": number, "vendorId": "", "family": "", "model": "", "stepping": 0, "physicalId": "", "coreId": "",
            "cores": 1, "modelName": platform.processor(), "mhz": frequency.max if frequency else 0.0,
            "cacheSize": 0, "flags": [], "microcode": "",
        }
        for number in range(os.cpu_count() or 1)
    ]  # fmt: skip


def _host(psutil: Any) -> dict[str, Any]:
    boot = int(psutil.boot_time())
    return {
        "hostname": platform.node(), "uptime": int(time.time()) - boot, "bootTime": boot,
        "procs": len(psutil.pids()), "os": platform.system().lower(), "platform": platform.system().lower(),
        "platformFamily": "", "platformVersion": platform.version(), "kernelVersion": platform.release(),
        "kernelArch": platform.machine(), "virtualizationSystem": "", "virtualizationRole": "", "hostid": "",
    }  # fmt: skip


def _disk(psutil: Any) -> dict[str, Any]:
    usage = psutil.disk_usage(os.sep)
    return {
        "path": os.sep, "fstype": "", "total": usage.total, "free": usage.free, "used": usage.used,
        "usedPercent": usage.percent, "inodesTotal": 0, "inodesUsed": 0, "inodesFree": 0, "inodesUsedPercent": 0.0,
    }  # fmt: skip
