"""A distribution with a plug-in of every kind, and an agent to use them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from proconsul.testing import AgentInLoop
from support.distributions import FakeDistributions
from support.patience import PATIENCE_S

ACME = '''
    """Plug-ins that remember what they were told."""
    import threading
    import time

    import msgspec

    from proconsul.plugins import CheckOutcome, LoginRefused, LoginResult, SettingsError

    SEEN = []
    STATUS = ["passing"]
    HOLD = threading.Event()
    THREADS = []

    class Check:
        api_version = 1

        class Settings(msgspec.Struct, forbid_unknown_fields=True):
            text: str = "ok"
            repeat: int = 1

        def __init__(self, settings):
            self.settings = settings

        def check(self, timeout_s):
            THREADS.append(threading.current_thread().name)
            return CheckOutcome(STATUS[0], self.settings.text * self.settings.repeat)

    class AsyncCheck(Check):
        async def check(self, timeout_s):
            THREADS.append(threading.current_thread().name)
            return CheckOutcome(STATUS[0], self.settings.text)

    class Hangs:
        api_version = 1

        def __init__(self, settings):
            pass

        def check(self, timeout_s):
            HOLD.wait(60)
            return CheckOutcome("passing")

    class Fails:
        api_version = 1

        def __init__(self, settings):
            pass

        def check(self, timeout_s):
            raise RuntimeError("the disk is on fire")

    class Handler:
        api_version = 1

        def __init__(self, settings):
            self.settings = settings

        def handle(self, change):
            SEEN.append((change.type, change.index, change.value, self.settings))
            if self.settings.get("fail"):
                raise RuntimeError("no")
            return "done"

    class Login:
        api_version = 1
        variables = ("user", "team")

        class Settings(msgspec.Struct):
            secret: str

        def __init__(self, settings):
            if len(settings.secret) < 4:
                raise SettingsError("the secret is too short")
            self.settings = settings

        async def login(self, bearer):
            user, _, secret = bearer.partition(":")
            if user == "breaks":
                raise RuntimeError(f"cannot look up {bearer}")
            if secret != self.settings.secret:
                raise LoginRefused(f"wrong secret in {bearer}")
            return LoginResult({"user": user, "team": "ops"}, {"groups": ["admins"]})

    class Audit:
        api_version = 1

        def __init__(self, settings):
            self.fails, self.hangs = settings.get("fails", 0), settings.get("hangs")

        def write(self, lines):
            if self.fails:
                self.fails -= 1
                raise ConnectionError("not now")
            if self.hangs:
                HOLD.wait(60)
            SEEN.extend(lines)

        def close(self):
            SEEN.append("closed")

    class Metrics:
        api_version = 1

        def __init__(self, settings):
            self.settings = settings

        async def emit(self, interval):
            SEEN.append(interval)
'''
POINTS = {
    "proconsul.checks": [
        "acme = acme:Check", "acme-async = acme:AsyncCheck", "hangs = acme:Hangs", "fails = acme:Fails",
    ],
    "proconsul.watch_handlers": ["acme = acme:Handler"],
    "proconsul.auth_methods": ["acme = acme:Login"],
    "proconsul.audit_sinks": ["acme = acme:Audit"],
    "proconsul.metrics_sinks": ["acme = acme:Metrics"],
}  # fmt: skip


def install(distributions: FakeDistributions) -> None:
    """The distribution ``acme-plugins``."""
    distributions.add("acme-plugins", POINTS, {"acme": ACME}, version="2.1")


def acme() -> Any:
    """Its module, as the agent has imported it."""
    import importlib

    return importlib.import_module("acme")


async def until(found: Callable[[], Any]) -> Any:
    """What ``found`` gives, once it is something."""
    async with asyncio.timeout(PATIENCE_S):
        while not (result := found()):
            await asyncio.sleep(0.01)
        return result


async def put(inside: AgentInLoop, path: str, body: Any = None, token: str = "") -> tuple[int, str]:
    """Status and text of a PUT."""
    headers = {"X-Consul-Token": token} if token else {}
    data = b"" if body is None else json.dumps(body).encode()
    answer = await inside.request("PUT", path, data, headers)
    return answer.status, answer.body.decode()


async def get(inside: AgentInLoop, path: str, token: str = "") -> Any:
    """The JSON of a GET."""
    answer = await inside.request("GET", path, headers={"X-Consul-Token": token} if token else {})
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


async def status_of(inside: AgentInLoop, check_id: str, wanted: str) -> str:
    """Wait for a status of a check with an output, which is returned."""

    def found() -> str | None:
        entry = inside.agent.local.checks.get(check_id)
        return entry.check.Output if entry is not None and entry.check.Status == wanted else None

    return str(await until(found))
