"""The typed client: `Client` for threads, `AsyncClient` for asyncio, both with the same calls (docs/client.md).

Names are loaded when they are used: the command line needs other parts of this package, and none of these.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proconsul.client.aio.client import AsyncClient
    from proconsul.client.asking import Meta, Result
    from proconsul.client.blocking.client import Client
    from proconsul.client.checks import (
        CheckType,
        alias_check,
        grpc_check,
        http_check,
        script_check,
        tcp_check,
        ttl_check,
    )
    from proconsul.client.errors import (
        AccessControlDisabled,
        BadAnswer,
        BadRequest,
        CallTimeout,
        ConflictError,
        ConsulError,
        LockLost,
        NotFound,
        PermissionDenied,
        RateLimited,
        Redirected,
        ResponseError,
        ServerError,
        TokenNotFound,
        TooLarge,
        TransactionFailed,
        Unavailable,
    )
    from proconsul.client.retry import RetryPolicy
    from proconsul.client.settings import ClientConfig, SettingsError

__all__ = [
    "AccessControlDisabled", "AsyncClient", "BadAnswer", "BadRequest", "CallTimeout", "CheckType", "Client",
    "ClientConfig", "ConflictError", "ConsulError", "LockLost", "Meta", "NotFound", "PermissionDenied", "RateLimited",
    "Redirected", "ResponseError", "Result", "RetryPolicy", "ServerError", "SettingsError", "TokenNotFound",
    "TooLarge", "TransactionFailed", "Unavailable", "alias_check", "grpc_check", "http_check", "script_check",
    "tcp_check", "ttl_check",
]  # fmt: skip

_HOMES = {
    "aio.client": ("AsyncClient",),
    "asking": ("Meta", "Result"),
    "blocking.client": ("Client",),
    "checks": ("CheckType", "alias_check", "grpc_check", "http_check", "script_check", "tcp_check", "ttl_check"),
    "errors": (
        "AccessControlDisabled", "BadAnswer", "BadRequest", "CallTimeout", "ConflictError", "ConsulError", "LockLost",
        "NotFound", "PermissionDenied", "RateLimited", "Redirected", "ResponseError", "ServerError", "TokenNotFound",
        "TooLarge", "TransactionFailed", "Unavailable",
    ),
    "retry": ("RetryPolicy",),
    "settings": ("ClientConfig", "SettingsError"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"proconsul.client.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
