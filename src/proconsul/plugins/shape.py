"""Whether what an entry point gives has the shape of its kind, and its settings that of its ``Settings``. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from proconsul.plugins.foreign import WHATEVER, shown, words
from proconsul.plugins.kinds import PluginKind
from proconsul.plugins.protocols import API_VERSION

__all__ = ["METHODS", "problem_of", "settings_of"]

# The method a kind must have, and its arguments.
METHODS: Final[dict[PluginKind, tuple[str, tuple[str, ...]]]] = {
    PluginKind.CHECKS: ("check", ("timeout_s",)),
    PluginKind.WATCH_HANDLERS: ("handle", ("change",)),
    PluginKind.AUTH_METHODS: ("login", ("bearer",)),
    PluginKind.AUDIT_SINKS: ("write", ("lines",)),
    PluginKind.METRICS_SINKS: ("emit", ("interval",)),
}
_SETTINGS_BYTES_MAX: Final = 64 * 1024


def problem_of(kind: PluginKind, factory: Any) -> str:
    """What keeps ``factory`` from being a plug-in of ``kind``, as a sentence; "" when nothing does."""
    try:
        return _problem_of(kind, factory)
    except WHATEVER as error:  # its metaclass may have opinions
        return f"it cannot be looked at: {shown(error)}"


def _problem_of(kind: PluginKind, factory: Any) -> str:
    if not isinstance(factory, type):
        return f"it must be a class, not {_article(type(factory).__name__)}"
    version = getattr(factory, "api_version", None)
    if type(version) is not int:
        return f"it must have a class attribute 'api_version', a number: this agent has version {API_VERSION}"
    if version != API_VERSION:
        return f"it is written for api_version {version}, and this agent has version {API_VERSION}"
    name, arguments = METHODS[kind]
    return (
        _call_problem(factory, "__init__", ("settings",))
        or _call_problem(factory, name, arguments)
        or (_variables_problem(factory) if kind is PluginKind.AUTH_METHODS else "")
    )


def _call_problem(factory: type, name: str, arguments: tuple[str, ...]) -> str:
    shown = f"{name}({', '.join(('self', *arguments))})"
    method = inspect.getattr_static(factory, name, None)
    if method is None or method is object.__init__:
        return f"it must have a method {shown}"
    if isinstance(method, staticmethod | classmethod) or not callable(method):
        return f"its {name} must be a method, {shown}"
    try:
        inspect.signature(method).bind(None, *arguments)
    except TypeError as error:
        return f"its method {name} must take what {shown} takes: {error}"
    except ValueError:
        pass  # made in C: nobody can say what it takes
    return ""


def _variables_problem(factory: type) -> str:
    variables = getattr(factory, "variables", None)
    if isinstance(variables, str) or not isinstance(variables, tuple | list | set | frozenset):
        return "it must have a class attribute 'variables', the names of the values a login may have"
    if not all(isinstance(one, str) and one.isidentifier() for one in variables):
        return "its 'variables' must be names of letters, digits and '_'"
    return ""


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def settings_of(factory: type, given: Mapping[str, Any] | None) -> Any:
    """What the class is made with: ``given`` as its ``Settings``, or as a dictionary of JSON data when it has none.

    Raises ValueError with what is wrong.
    """
    try:
        encoded = msgspec.json.encode(dict(given or {}))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"its settings must be JSON data: {error}") from None
    if len(encoded) > _SETTINGS_BYTES_MAX:
        raise ValueError(f"its settings are longer than {_SETTINGS_BYTES_MAX} bytes")
    try:
        wanted = getattr(factory, "Settings", None)
        # Without one they are a copy of its own.
        return msgspec.json.decode(encoded) if wanted is None else msgspec.json.decode(encoded, type=wanted)
    except msgspec.ValidationError as error:
        raise ValueError(f"settings: {words(error)}") from None
    except WHATEVER as error:
        # A type that msgspec makes nothing of, or a check of the author's.
        raise ValueError(f"settings: {shown(error)}") from None
