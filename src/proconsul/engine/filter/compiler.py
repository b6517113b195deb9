"""Expressions to closures over rows.

A row type's fields are its selectors. Values are converted once, by the field's type, when the expression is
compiled; regular expressions are compiled then too. A selector that goes through a list is true when any of the
list's members makes it true, negated operators included, as Consul answers. Pure.
"""

from __future__ import annotations

import types
import typing
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from proconsul.engine.filter.errors import FilterError
from proconsul.engine.filter.syntax import Expression, Match, Not, Operator, parse
from proconsul.engine.wire import goregexp
from proconsul.engine.wire.gostrconv import NumberError, parse_bool, parse_int
from proconsul.engine.wire.text import quoted

Predicate = Callable[[Any], bool]

# Watchers repeat a handful of expressions; 256 covers many of them and bounds what an idle server remembers.
CACHED_MAX = 256
# Expressions longer than this are compiled each time rather than kept.
CACHED_CHARS_MAX = 2048

# Fields that answers show but that Consul does not offer as selectors (API documentation, tables of selectors).
_NOT_OFFERED = frozenset({"CreateIndex", "ModifyIndex", "Definition", "IngressHosts"})


_TEXT_OPERATORS = frozenset(
    {
        Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN, Operator.MATCHES, Operator.NOT_MATCHES,
    }
)  # fmt: skip
_SCALAR_OPERATORS = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_EMPTY_OPERATORS = frozenset({Operator.IS_EMPTY, Operator.IS_NOT_EMPTY})
_SET_OPERATORS = _EMPTY_OPERATORS | {Operator.IN, Operator.NOT_IN}
# What a selector is when its map has no such key.
_TRUE_WHEN_ABSENT = frozenset(
    {Operator.NOT_EQUAL, Operator.NOT_IN, Operator.MATCHES, Operator.NOT_MATCHES, Operator.IS_EMPTY}
)

_cache: OrderedDict[tuple[str, type], Predicate] = OrderedDict()


def compile_filter(expression: str, row_type: type[msgspec.Struct]) -> Predicate:
    """A function that says whether a row of ``row_type`` matches. Raises FilterError with Consul's text."""
    key = (expression, row_type)
    known = _cache.get(key)
    if known is not None:
        _cache.move_to_end(key)
        return known
    predicate = _expression(parse(expression), row_type)
    if len(expression) <= CACHED_CHARS_MAX:
        _cache[key] = predicate
        if len(_cache) > CACHED_MAX:
            _cache.popitem(last=False)
    return predicate


def _expression(node: Expression, row_type: type) -> Predicate:
    if isinstance(node, Match):
        return _match(node, row_type)
    if isinstance(node, Not):
        inner = _expression(node.term, row_type)
        return lambda row: not inner(row)
    terms = [_expression(term, row_type) for term in node.terms]
    if len(terms) == 2:
        a, b = terms
        return (lambda row: a(row) and b(row)) if node.every else (lambda row: a(row) or b(row))
    if node.every:
        return lambda row: all(term(row) for term in terms)
    return lambda row: any(term(row) for term in terms)


# Selectors.


def offered_fields(struct: type) -> dict[str, Any]:
    """The selectors of a record type with the type of each."""
    hidden: frozenset[str] = getattr(struct, "json_hidden", frozenset())
    hints = typing.get_type_hints(struct)
    names = typing.cast("tuple[str, ...]", getattr(struct, "__struct_fields__", ()))
    fields = {}
    for name in names:
        kind = _plain(hints[name])
        if name in hidden or name in _NOT_OFFERED or not _offered(kind):
            continue
        fields[name] = kind
    return fields


def _plain(hint: Any) -> Any:
    """The type without ``| None``."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else Any
    return hint


def _offered(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin in (list, dict):
        return _offered(typing.get_args(kind)[-1])
    return kind in (str, int, bool) or _is_struct(kind)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _match(node: Match, row_type: type) -> Predicate:
    """Walk the selector from its end: the leaf's test, wrapped in one getter for each part of the path."""
    kinds: list[Any] = [row_type]
    for depth, name in enumerate(node.selector):
        kind = kinds[-1]
        if typing.get_origin(kind) is list:
            kind = typing.get_args(kind)[0]
        if typing.get_origin(kind) is dict:
            kinds.append(typing.get_args(kind)[1])
            continue
        inner = offered_fields(kind).get(name) if _is_struct(kind) else None
        if inner is None:
            raise FilterError(f'Selector "{".".join(node.selector[: depth + 1])}" is not valid')
        kinds.append(inner)
    predicate = _leaf(node, kinds[-1])
    absent = node.operator in _TRUE_WHEN_ABSENT
    for name, kind in zip(reversed(node.selector), reversed(kinds[:-1]), strict=True):
        predicate = _step(name, kind, predicate, absent)
    return predicate


def _step(name: str, kind: Any, inner: Predicate, absent: bool) -> Predicate:
    if typing.get_origin(kind) is dict:

        def of_map(value: Any) -> bool:
            if not value or name not in value:
                return absent
            return inner(value[name])

        return of_map
    if typing.get_origin(kind) is list:

        def of_list(value: Any) -> bool:
            return any(inner(getattr(member, name)) for member in value or ())

        return of_list

    def of_struct(value: Any) -> bool:
        return absent if value is None else inner(getattr(value, name))

    return of_struct


# The last part of a selector.


def _leaf(node: Match, kind: Any) -> Predicate:
    operator = node.operator
    origin = typing.get_origin(kind)
    if kind is str:
        allowed = _TEXT_OPERATORS
    elif kind in (int, bool):
        allowed = _SCALAR_OPERATORS
    elif origin is dict or (origin is list and not _is_struct(typing.get_args(kind)[0])):
        allowed = _SET_OPERATORS
    else:
        allowed = _EMPTY_OPERATORS if origin is list else frozenset()
    selector = ".".join(node.selector)
    if operator not in allowed:
        raise FilterError(f'Invalid match operator "{operator.value}" for selector "{selector}"')
    if operator in _EMPTY_OPERATORS:
        return (lambda value: not value) if operator is Operator.IS_EMPTY else bool
    text = node.value or ""
    if operator in (Operator.MATCHES, Operator.NOT_MATCHES):
        return _regular_expression(text, operator)
    wanted = _coerce(text, kind, selector) if kind in (int, bool) else text
    return _TESTS[operator](wanted)


def _equal(wanted: Any) -> Predicate:
    return lambda value: bool(value == wanted)


def _not_equal(wanted: Any) -> Predicate:
    return lambda value: bool(value != wanted)


def _in(wanted: Any) -> Predicate:
    return lambda value: value is not None and wanted in value


def _not_in(wanted: Any) -> Predicate:
    return lambda value: value is None or wanted not in value


_TESTS: dict[Operator, Callable[[Any], Predicate]] = {
    Operator.EQUAL: _equal,
    Operator.NOT_EQUAL: _not_equal,
    Operator.IN: _in,
    Operator.NOT_IN: _not_in,
}


def _regular_expression(text: str, operator: Operator) -> Predicate:
    try:
        search = goregexp.compile_go(text).search
    except ValueError as error:
        raise FilterError(f"Failed to compile regular expression {quoted(text)}: {error}") from None
    if operator is Operator.MATCHES:
        return lambda value: search(value) is not None
    return lambda value: search(value) is None


def _coerce(text: str, kind: type, selector: str) -> int | bool:
    try:
        return parse_bool(text) if kind is bool else parse_int(text, base=0)
    except NumberError as error:
        raise FilterError(f'Failed to coerce value {quoted(text)} for selector "{selector}": {error}') from None
