"""Which plug-ins may run, and what is wrong with the others: the pure core by tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.plugins import (
    AuditSinkPlugin,
    AuthMethodPlugin,
    CheckPlugin,
    MetricsSinkPlugin,
    PluginKind,
    WatchHandlerPlugin,
)
from proconsul.plugins.kinds import PluginError
from proconsul.plugins.registry import RESERVED, FoundPlugin, PluginState, Registry
from proconsul.plugins.shape import METHODS, problem_of, settings_of


class Good:
    """Of every kind."""

    api_version: ClassVar[int] = 1
    variables: ClassVar[Sequence[str]] = ["user"]

    def __init__(self, settings: Any) -> None: ...

    def check(self, timeout_s: float) -> Any: ...

    def handle(self, change: Any) -> Any: ...

    def login(self, bearer: str) -> Any: ...

    def write(self, lines: Any) -> Any: ...

    def emit(self, interval: Any) -> Any: ...


# mypy sees that what has these methods is what the protocols say.
_FITS: tuple[CheckPlugin, WatchHandlerPlugin, AuthMethodPlugin, AuditSinkPlugin, MetricsSinkPlugin] = (
    Good(None), Good(None), Good(None), Good(None), Good(None),
)  # fmt: skip
KINDS = list(PluginKind)


def found(kind: PluginKind, name: str, distribution: str = "acme") -> FoundPlugin:
    return FoundPlugin(kind, name, "acme:Good", distribution, "1.0")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("allow", "by_file", "by_api"),
    [
        (None, True, False),
        ([], False, False),
        (["disk"], True, True),
        (["other"], False, False),
        (["*"], True, True),
        (["{kind}:disk"], True, True),
        (["{kind}:*"], True, True),
        (["{other}:disk", "{other}:*", "dis", "disk2", "{kind}:dis"], False, False),
    ],
)
def test_who_may_run(kind: PluginKind, allow: list[str] | None, by_file: bool, by_api: bool) -> None:
    other = KINDS[(KINDS.index(kind) + 1) % len(KINDS)]
    registry = Registry(allow and [one.format(kind=kind, other=other) for one in allow])
    registry.take([found(kind, "disk")])
    named = [(kind, "disk")]
    assert registry.to_load(named) == ([found(kind, "disk")] if by_file else [])
    assert registry.to_load([]) == ([found(kind, "disk")] if by_api else [])
    assert registry.loaded(kind, "disk", Good) == ""
    for from_api, allowed in ((False, by_file), (True, by_api)):
        if allowed:
            assert registry.factory(kind, "disk", by_api=from_api) is Good
        else:
            with pytest.raises(PluginError, match=r"may not run here|configuration files only"):
                registry.factory(kind, "disk", by_api=from_api)
    assert registry.usable(kind) == (["disk"] if by_api else [])
    assert registry.to_load(named) == []


@pytest.mark.parametrize("kind", KINDS)
def test_names(kind: PluginKind) -> None:
    bad = ["", "Disk", "-x", "a b", "x" * 65, "dïsk", "a:b", "a\n"]
    registry = Registry(["*"])
    points = [found(kind, name) for name in [*bad, *RESERVED[kind], "good-1_x.y"]]
    registry.take([*points, found(kind, "twice", "one"), found(kind, "twice", "two")])
    states = [(entry.found.name, state, entry.problem) for entry, state in registry.report()]
    assert ("good-1_x.y", PluginState.NOT_LOADED, "") in states
    for name in bad:
        assert any(
            one == name and state is PluginState.BROKEN and "its name must be" in why for one, state, why in states
        )
    for name in RESERVED[kind]:
        assert (name, PluginState.BROKEN, f"its name is that of a built-in of {kind}") in states
    twice = [(state, why) for one, state, why in states if one == "twice"]
    assert twice == [(PluginState.BROKEN, "several have its name: acme:Good of one, acme:Good of two")] * 2
    assert [one.name for one in registry.to_load([(kind, name) for name, _, _ in states])] == ["good-1_x.y"]
    with pytest.raises(PluginError, match=r'plug-in "twice" cannot be used: several have its name'):
        registry.factory(kind, "twice", by_api=False)
    with pytest.raises(PluginError, match=f'no plug-in "x" is installed in the group "proconsul.{kind}"'):
        registry.factory(kind, "x", by_api=False)
    with pytest.raises(PluginError, match="is not loaded"):
        registry.factory(kind, "good-1_x.y", by_api=False)


def test_what_is_listed_and_not_installed() -> None:
    registry = Registry(["disk", "checks:disk", "gone", "checks:gone", "audit_sinks:disk", "*", "checks:*"])
    registry.take([found(PluginKind.CHECKS, "disk")])
    assert registry.unmatched() == ["gone", "checks:gone", "audit_sinks:disk"]
    assert Registry().unmatched() == []


def test_looking_again_keeps_what_is_loaded() -> None:
    kind = PluginKind.CHECKS
    registry = Registry(["*"])
    registry.take([found(kind, "disk"), found(kind, "broken")])
    registry.loaded(kind, "disk", Good)
    registry.failed(kind, "broken", "no")
    registry.take([found(kind, "disk"), found(kind, "broken"), found(kind, "new")])
    assert [(entry.found.name, state.value, entry.problem) for entry, state in registry.report()] == [
        ("broken", "broken", "no"), ("disk", "loaded", ""), ("new", "not loaded", "")
    ]  # fmt: skip
    registry.take([found(kind, "disk"), found(kind, "disk", "mallory")])
    with pytest.raises(PluginError, match="several have its name"):
        registry.factory(kind, "disk", by_api=False)


def without(name: str, **changes: Any) -> type:
    """`Good` with one thing changed, or gone when ``changes`` do not have it."""
    members = {key: value for key, value in vars(Good).items() if key not in ("__dict__", "__weakref__")}
    members.pop(name, None)
    return type("Odd", (), members | changes)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes(kind: PluginKind) -> None:
    method, (argument,) = METHODS[kind]
    shown = f"{method}(self, {argument})"
    bad: list[tuple[Any, str]] = [
        (None, "it must be a class, not a NoneType"),
        (Good(None), "it must be a class, not a Good"),
        (lambda settings: Good(settings), "it must be a class, not a function"),
        ([], "it must be a class, not a list"),
        (1, "it must be a class, not an int"),
        (without("api_version"), "it must have a class attribute 'api_version'"),
        (without("", api_version="1"), "it must have a class attribute 'api_version'"),
        (without("", api_version=True), "it must have a class attribute 'api_version'"),
        (without("", api_version=2), "it is written for api_version 2, and this agent has version 1"),
        (without("__init__"), "it must have a method __init__(self, settings)"),
        (without("", __init__=lambda self: None), "its method __init__ must take"),
        (without(method), f"it must have a method {shown}"),
        (without("", **{method: 1}), f"its {method} must be a method, {shown}"),
        (without("", **{method: staticmethod(len)}), f"its {method} must be a method, {shown}"),
        (without("", **{method: lambda self: None}), f"its method {method} must take what {shown} takes"),
        (without("", **{method: lambda self, a, b: None}), f"its method {method} must take what {shown} takes"),
    ]  # fmt: skip
    if kind is PluginKind.AUTH_METHODS:
        bad += [
            (without("variables"), "it must have a class attribute 'variables'"),
            (without("", variables="user"), "it must have a class attribute 'variables'"),
            (without("", variables=["a b"]), "its 'variables' must be names"),
            (without("", variables=[1]), "its 'variables' must be names"),
        ]
    assert problem_of(kind, Good) == ""
    for factory, text in bad:
        assert text in problem_of(kind, factory), (factory, problem_of(kind, factory))
        registry = Registry(["*"])
        registry.take([found(kind, "x")])
        assert registry.loaded(kind, "x", factory)
        assert registry.usable(kind) == []


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    percent: int = 90

    def __post_init__(self) -> None:
        if self.percent > 100:
            raise ValueError("more than everything")


class _Picky(Good):
    Settings = _Wanted


class _Odd(Good):
    Settings = object()


@pytest.mark.parametrize(
    ("given_settings", "text"),
    [
        ({}, "missing required field `path`"), ({"path": 1}, "Expected `str`, got `int` - at `$.path`"),
        ({"path": "/", "x": 1}, "unknown field `x`"), ({"path": "/", "percent": 101}, "more than everything"),
        ({"path": {1, 2}, "percent": b"", 3: 4}, "Expected"), ({"path": "x" * 70000}, "longer than 65536 bytes"),
        ({"path": object()}, "must be JSON data"), ({"path": "\ud800"}, "must be JSON data"),
        ({"path": "/", "percent": 2**70}, ""),
    ],
)  # fmt: skip
def test_settings_that_are_refused(given_settings: Any, text: str) -> None:
    with pytest.raises(ValueError, match="settings") as caught:
        settings_of(_Picky, given_settings)
    assert text in str(caught.value)


def test_settings_that_are_taken() -> None:
    assert settings_of(_Picky, {"path": "/"}) == _Wanted("/", 90)
    inner = {"a": [1, None, {"b": 2.5}]}
    copied = settings_of(Good, inner)
    assert copied == inner and copied["a"] is not inner["a"]
    assert settings_of(Good, None) == {}
    with pytest.raises(ValueError, match="settings"):
        settings_of(_Odd, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_settings_are_taken_or_refused_with_a_word(given_settings: dict[str, Any]) -> None:
    for factory in (Good, _Picky):
        try:
            settings_of(factory, given_settings)
        except ValueError as error:
            assert str(error)
