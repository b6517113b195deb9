"""Health checks: one file per kind, run by ``CheckRunners``."""

from proconsul.agent.checks.alias import AliasedCheck, AliasLookup, AliasState
from proconsul.agent.checks.base import CheckNotify, TlsContexts
from proconsul.agent.checks.definition import CheckKind, RunnableCheck, runnable
from proconsul.agent.checks.runner import CheckLog, CheckRunners, NoTtlError
from proconsul.agent.checks.status import CheckStatus, StatusCounter

__all__ = [
    "AliasLookup",
    "AliasState",
    "AliasedCheck",
    "CheckKind",
    "CheckLog",
    "CheckNotify",
    "CheckRunners",
    "CheckStatus",
    "NoTtlError",
    "RunnableCheck",
    "StatusCounter",
    "TlsContexts",
    "runnable",
]
