"""What a plug-in is to the agent, kind by kind: the classes that authors write, and what passes between them and us.

A plug-in is a class that an installed distribution names in an entry point of the group of its kind
(``proconsul.checks``, ...). It says for which ``api_version`` it is written, and may say in ``Settings`` which settings
it takes. Methods may be ``async def``, which run in the agent's event loop, or plain ones, which run on threads of the
plug-in's own. Every call has a time-out; what a plain method does after it is its own affair, and nobody waits for it.

Pure. Source: ours; Consul has nothing of the kind. See docs/plugins.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, NamedTuple, Protocol

import msgspec

from proconsul.plugins.kinds import PluginKind

__all__ = [
    "API_VERSION", "AuditSinkPlugin", "AuthMethodPlugin", "CheckOutcome", "CheckPlugin", "LoginRefused", "LoginResult",
    "Metric", "MetricsInterval", "MetricsSinkPlugin", "PluginKind", "SettingsError", "WatchChange",
    "WatchHandlerPlugin",
]  # fmt: skip

# The version of these protocols. A plug-in for another one is left out.
API_VERSION: Final = 1


class SettingsError(ValueError):
    """To be raised by a plug-in's ``__init__``: the settings are of no use. ``str()`` says why."""


class LoginRefused(Exception):
    """To be raised by an auth method: the secret proves nothing. ``str()`` is told to who tried to log in."""


class CheckOutcome(NamedTuple):
    """What one run of a check found. Of ``output`` the end is kept, as of a script's (``output_max_size``)."""

    status: Literal["passing", "warning", "critical"]
    output: str = ""


class WatchChange(msgspec.Struct, frozen=True):
    """What a watch has seen. type: of the watch, as in its definition. value: the result, as JSON data."""

    type: str
    index: int
    value: Any


class LoginResult(NamedTuple):
    """Whom an auth method vouches for.

    values: what selectors see as ``value.<name>`` and names of rules as ``${value.<name>}``; only names that the class
    lists in ``variables``. lists: what selectors see as ``list.<name>``.
    """

    values: Mapping[str, str] = {}
    lists: Mapping[str, Sequence[str]] = {}


class Metric(msgspec.Struct, frozen=True):
    """One figure of an interval.

    name: with the prefix, parts joined by dots. labels: sorted by name. count, sum, min, max: of all values of the
    interval; of a gauge, which has only its last, count is 1. stddev: of a sample or counter.
    """

    kind: Literal["gauge", "counter", "sample"]
    name: str
    labels: tuple[tuple[str, str], ...]
    count: int
    sum: float
    min: float
    max: float
    stddev: float = 0.0


class MetricsInterval(msgspec.Struct, frozen=True):
    """What was measured for ``duration_s`` from ``start`` (seconds since 1970). The last before a stop is shorter."""

    start: float
    duration_s: float
    metrics: tuple[Metric, ...]


class CheckPlugin(Protocol):
    """A health check. One is made for each definition that names it, with its settings."""

    api_version: ClassVar[int]

    def check(self, timeout_s: float) -> CheckOutcome | Awaitable[CheckOutcome]:
        """Look once. Whatever is raised, and no answer within ``timeout_s``, makes the check critical."""


class WatchHandlerPlugin(Protocol):
    """What runs when a watch sees a change. Calls for one watch do not overlap, as long as they keep their time."""

    api_version: ClassVar[int]

    def handle(self, change: WatchChange) -> str | None | Awaitable[str | None]:
        """Act on it. A text that is returned is logged. What is raised is logged; the watch goes on."""


class AuthMethodPlugin(Protocol):
    """A type of auth method: the name of its entry point is the ``Type``, ``Config`` has the settings."""

    api_version: ClassVar[int]
    # The names that `LoginResult.values` may have.
    variables: ClassVar[Sequence[str]]

    def login(self, bearer: str) -> LoginResult | Awaitable[LoginResult]:
        """Whom ``bearer`` is of. Raises LoginRefused. Any other error, and no answer in time, refuse the login too."""


class AuditSinkPlugin(Protocol):
    """Where audit events go. It may have a ``close()``, called when the agent ends."""

    api_version: ClassVar[int]

    def write(self, lines: Sequence[bytes]) -> None | Awaitable[None]:
        """Take whole lines of JSON, each with its newline. Calls do not overlap, as long as they keep their time. What
        is raised counts as nothing written: with ``enforced`` the same lines come again, else they are lost and
        counted."""


class MetricsSinkPlugin(Protocol):
    """Where metrics go. It may have a ``close()``, called when the agent ends."""

    api_version: ClassVar[int]

    def emit(self, interval: MetricsInterval) -> None | Awaitable[None]:
        """Take what was measured in one interval. Calls do not overlap, as long as they keep their time. What is raised
        is logged; the interval is lost."""
