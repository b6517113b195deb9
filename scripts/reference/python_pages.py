"""The pages about Python: classes and functions with their signatures and docstrings, as the source has them."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from reference.markdown import code, page, prose, table

_SIGNATURE_WIDTH = 108
# Attributes for what is built over a client.
_INNER = ("caller", "parts")
_CLIENT = """
`proconsul.client`: every public name. `Client` blocks its thread, `AsyncClient` is for asyncio; they have the same
calls, so the second is shown: without `async` and `await`, and with names that do not begin with `Async`, it is the
first. How they are used: [the Python client](../client.md), [locks](../locks.md), [watches](../watches.md). What can
go wrong: [errors](errors.md).

Calls end with `**options`. Those of every call, and of reads, are the fields of [WriteOptions](#writeoptions) and
[ReadOptions](#readoptions).
"""
_TESTING = """
`proconsul.testing`: every public name, and what the pytest plugin gives. How they are used: [testing](../testing.md).
"""
_ERRORS = """
What calls of `proconsul.client` raise. All are `ConsulError`; those in the list below another are of its kind too, so
`except` may name either. An error that is not here is a fault of the program, or of ours.
"""


def client_page() -> str:
    """docs/reference/client.md."""
    module = import_module("proconsul.client")
    names = [name for name in module.__all__ if not (f"Async{name}" in module.__all__ or _is_error(module, name))]
    client = module.AsyncClient("127.0.0.1:1")
    groups = list(_groups(client, "client"))
    names.sort(key=lambda name: (name != "AsyncClient", _twin(name).lower()))
    parts = [_of(module, name, f"{_twin(name)}, {name}" if name.startswith("Async") else name) for name in names]
    listed = "\n".join(f"- [{path}](#{path.replace('.', '')})" for path, _ in groups)
    calls = [f"## Groups of calls\n\nWhat `client` has beside its own methods:\n\n{listed}"]
    calls += [f"### {path}\n\n{_class_body(type(group))}" for path, group in groups]
    return page("Python client", _CLIENT, [parts[0], *calls, "## Other names", *(_lower(part) for part in parts[1:])])


def testing_page() -> str:
    """docs/reference/testing.md."""
    module = import_module("proconsul.testing")
    parts = [_of(module, name, name) for name in sorted(module.__all__, key=str.lower)]
    plugin = import_module("proconsul.testing.plugin")
    rows = [(code(name), prose(text)) for name, text in _fixtures(Path(str(plugin.__file__)).read_text())]
    fixtures = f"## Fixtures of pytest\n\n{table(('Fixture', 'What it is'), rows)}\n\nThe marker: `{plugin.MARKER}`."
    return page("Test agents", _TESTING, [fixtures, *parts])


def errors_page() -> str:
    """docs/reference/errors.md."""
    module = import_module("proconsul.client")
    errors = [getattr(module, name) for name in module.__all__ if _is_error(module, name)]
    root = module.ConsulError

    def tree(kind: type, depth: int) -> Iterator[str]:
        yield f"{'    ' * depth}- [{kind.__name__}](#{kind.__name__.lower()})"
        for one in sorted(errors, key=lambda one: str(one.__name__)):
            if one.__bases__[0] is kind:
                yield from tree(one, depth + 1)

    others = [one for one in errors if not issubclass(one, root)]
    lines = [*tree(root, 0), *(line for one in others for line in tree(one, 0))]
    parts = [_of(module, one.__name__, one.__name__) for one in sorted(errors, key=lambda one: str(one.__name__))]
    return page("Errors of the client", _ERRORS, ["\n".join(lines), *parts])


def _is_error(module: ModuleType, name: str) -> bool:
    found = getattr(module, name)
    return isinstance(found, type) and issubclass(found, Exception)


def _twin(name: str) -> str:
    return name.removeprefix("Async")


def _lower(part: str) -> str:
    """A part one level deeper."""
    return "\n".join(f"#{line}" if line.startswith("## ") else line for line in part.split("\n"))


def _groups(owner: object, path: str) -> Iterator[tuple[str, object]]:
    """The groups of calls below ``owner``, by the path to them."""
    for name, value in sorted(_attributes(owner).items()):
        if not name.startswith("_") and name not in _INNER and "client.aio" in type(value).__module__:
            yield f"{path}.{name}", value
            yield from _groups(value, f"{path}.{name}")


def _attributes(owner: object) -> dict[str, Any]:
    slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
    return {**getattr(owner, "__dict__", {}), **{name: getattr(owner, name) for name in slots if name[0] != "_"}}


def _fixtures(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if any("fixture" in ast.unparse(one) for one in node.decorator_list):
                yield node.name, (ast.get_docstring(node) or "").split("\n\n")[0]


# ---------------------------------------------------------------------- one name


def _of(module: ModuleType, name: str, title: str) -> str:
    found = getattr(module, name)
    if isinstance(found, type):
        return f"## {title}\n\n{_class_body(found)}"
    if inspect.isfunction(found):
        return f"## {title}\n\n{_function_body(found, found.__name__)}"
    return f"## {title}\n\n{_value_body(found)}"


def _value_body(found: Any) -> str:
    if isinstance(found, typing.TypeVar) or typing.get_origin(found) is not None or hasattr(found, "__args__"):
        return f"`{_type_text(found)}`"
    return f"A `{type(found).__name__}`."


def _type_text(found: Any) -> str:
    if typing.get_origin(found) is typing.Literal:
        return " | ".join(repr(one) for one in found.__args__)
    return " | ".join(getattr(one, "__name__", str(one)) for one in getattr(found, "__args__", ())) or str(found)


def _class_body(kind: type) -> str:
    parts = []
    if "__init__" in vars(kind) and not issubclass(kind, msgspec.Struct | enum.Enum):
        parts.append(_signature(kind.__init__, kind.__name__, owner=True))
    bases = [one.__name__ for one in kind.__bases__ if issubclass(one, Exception) and one.__module__ != "builtins"]
    if bases:
        parts.append(f"Is a {', '.join(map(code, bases))}.")
    own = vars(kind).get("__doc__")
    if own and not (hasattr(kind, "__dataclass_fields__") and own.startswith(kind.__name__ + "(")):
        parts.append(prose(inspect.cleandoc(own)))
    if rows := list(_fields(kind)):
        parts.append(table(("Field", "Type", "Default"), rows))
    parts += [_member(kind, name, value) for name, value in _members(kind)]
    return "\n\n".join(part for part in parts if part)


def _fields(kind: type) -> Iterator[tuple[str, str, str]]:
    """Fields of structs, named tuples, typed dictionaries; of other classes what they declare."""
    defaults: dict[str, Any] = dict(getattr(kind, "_field_defaults", {}))
    if issubclass(kind, msgspec.Struct):
        fields = kind.__struct_fields__
        given = kind.__struct_defaults__
        defaults = dict(zip(fields[len(fields) - len(given):], given, strict=True))  # fmt: skip
    elif hasattr(kind, "__dataclass_fields__"):
        fields = tuple(kind.__dataclass_fields__)
        known = kind.__dataclass_fields__.values()
        defaults = {one.name: one.default for one in known if one.default is not dataclasses.MISSING}
    else:
        fields = tuple(getattr(kind, "_fields", ()))
    types: dict[str, Any] = {}
    for one in reversed(kind.__mro__):
        types.update({name: text for name, text in inspect.get_annotations(one).items() if name[0] != "_"})
    for name in fields or tuple(types):
        if name in _INNER:
            continue
        default = defaults.get(name, msgspec.NODEFAULT)
        shown = "" if default is msgspec.NODEFAULT else repr(default)
        shown = "..." if shown.startswith("<") or "Factory" in shown else shown
        yield code(name), code(_annotation(types.get(name, ""))), code(shown)


def _annotation(found: Any) -> str:
    if isinstance(found, typing.ForwardRef):
        return found.__forward_arg__
    return found if isinstance(found, str) else getattr(found, "__name__", str(found))


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties, with those of bases that are ours, the nearest first."""
    seen: set[str] = set()
    if issubclass(kind, msgspec.Struct) and kind.__module__.startswith("proconsul.features"):
        return
    for one in kind.__mro__:
        if not one.__module__.startswith("proconsul"):
            continue
        for name, value in vars(one).items():
            if name[0] != "_" and name not in seen and _is_member(value):
                seen.add(name)
                yield name, value


def _is_member(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, property | staticmethod | classmethod)


def _member(kind: type, name: str, value: Any) -> str:
    if isinstance(value, property):
        result = _annotation(value.fget.__annotations__.get("return", "")) if value.fget else ""
        return f"**`{name}`**: `{result}`. {prose(inspect.cleandoc(value.__doc__ or ''))}"
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    return _function_body(function, name, owner=not isinstance(value, staticmethod))


def _function_body(function: Any, name: str, owner: bool = False) -> str:
    shown = typing.get_overloads(function) or [function]
    signatures = "\n\n".join(_signature(one, name, owner) for one in shown)
    return f"{signatures}\n\n{prose(inspect.cleandoc(function.__doc__ or ''))}".rstrip()


def _signature(function: Any, name: str, owner: bool = False) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1 if owner else 0 :]
    texts: list[str] = []
    star = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not star:
            texts.append("*")
            star = True
        star = star or one.kind is one.VAR_POSITIONAL
        texts.append(_parameter(one))
    result = function.__annotations__.get("return")
    back = f" -> {_annotation(result)}" if result not in (None, "None") or name == "call" else ""
    begin = "async def " if inspect.iscoroutinefunction(function) else "def "
    begin = "class " if name[0].isupper() else begin
    back = "" if name[0].isupper() else back
    line = f"{begin}{name}({', '.join(texts)}){back}"
    if len(line) > _SIGNATURE_WIDTH:
        line = f"{begin}{name}(\n    " + ",\n    ".join(texts) + f",\n){back}"
    return f"```python\n{line}\n```"


def _parameter(one: inspect.Parameter) -> str:
    stars = "*" if one.kind is one.VAR_POSITIONAL else "**" if one.kind is one.VAR_KEYWORD else ""
    text = stars + one.name
    if one.annotation is not one.empty:
        text += f": {_annotation(one.annotation)}"
    if one.default is not one.empty:
        text += f" = {_default(one.default)}"
    return text


def _default(value: Any) -> str:
    """A default as a reader would write it; "..." for what only the source can say."""
    if inspect.isfunction(value) or isinstance(value, type):
        return str(value.__name__)
    shown = repr(value)
    if type(value).__module__.startswith("proconsul"):
        return f"{type(value).__name__}()"
    return "..." if " at 0x" in shown else shown
