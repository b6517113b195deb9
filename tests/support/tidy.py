"""Rules of hygiene as functions over a set of modules: each gives its complaints, none where all is well.

`tests/test_tidy.py` applies them to the package, `tests/test_tidy_rules.py` to small sources that must fail.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT_NAME = "proconsul"
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file. ``name`` is its path in the package: ``engine/raft/core.py``."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def room(self) -> str:
        return self.name.partition("/")[0]

    @property
    def dotted(self) -> str:
        path = self.name.removesuffix(".py").removesuffix("/__init__")
        return ROOT_NAME if path == "__init__" else f"{ROOT_NAME}.{path.replace('/', '.')}"

    @cached_property
    def imports(self) -> list[str]:
        """Modules imported anywhere in the file, also for types and inside of functions."""
        return [name for node in self.nodes for name in _imported(node)]

    @cached_property
    def runtime_imports(self) -> list[str]:
        """Those of `imports` that happen when the module is imported."""
        return [name for node in self.tree.body for name in _imported(node)]

    @property
    def functions(self) -> Iterator[AnyFunction]:
        return (node for node in self.nodes if isinstance(node, AnyFunction))

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.tree.body if isinstance(node, ast.ClassDef))


def _imported(node: ast.AST) -> Iterator[str]:
    """What a statement imports: ``from a import b`` is ``a.b``, which is a module or something in one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


class Package(dict[str, Module]):
    """Modules by name."""

    @classmethod
    def of(cls, sources: Mapping[str, str]) -> Package:
        return cls({name: Module(name, text) for name, text in sorted(sources.items())})

    @classmethod
    def read(cls, root: Path) -> Package:
        return cls.of({str(path.relative_to(root)): path.read_text() for path in root.rglob("*.py")})

    @cached_property
    def by_dotted(self) -> dict[str, Module]:
        return {module.dotted: module for module in self.values()}

    def inner(self, names: Iterable[str]) -> set[str]:
        """Which modules of the package are meant by imported names."""
        found = set()
        for name in names:
            module = self.by_dotted.get(name) or self.by_dotted.get(name.rpartition(".")[0])
            if module is not None:
                found.add(module.name)
        return found


# ---------------------------------------------------------------------- imports


def layers(package: Package, below: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Imports go downward: ``below`` says which rooms each may import."""
    for module in package.values():
        for name in module.imports:
            parts = name.split(".")
            if module.room in below and parts[0] == ROOT_NAME and len(parts) > 1 and parts[1] in below:
                if parts[1] not in {module.room, *below[module.room]}:
                    yield f"{module.name} must not import {name}"


def private_parts_of_features(package: Package, private: Collection[str]) -> Iterator[str]:
    """Features use only models and states of each other."""
    for module in package.values():
        path = module.name.split("/")
        if path[0] != "features" or len(path) == 2:
            continue
        for name in set(module.imports):
            parts = name.split(".")
            if parts[:2] == [ROOT_NAME, "features"] and len(parts) > 3 and parts[2] != path[1] and parts[3] in private:
                yield f"{module.name} must not import {name}"


def circles(package: Package, allowed: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Files that import each other, by whatever way; ``allowed`` edges, with their reasons, do not count."""
    edges = {
        module.name: {other for other in package.inner(module.imports) if (module.name, other) not in allowed}
        - {module.name}
        for module in package.values()
    }
    for edge in allowed:
        if edge[0] not in package or edge[1] not in package.inner(package[edge[0]].imports):
            yield f"{edge[0]} does not import {edge[1]}: correct the list"
    for group in _strongly_connected(edges):
        if len(group) > 1:
            yield f"a circle: {', '.join(sorted(group))}"


def _strongly_connected(edges: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """Kosaraju's: the order in which nodes are left, then the reversed graph in that order backwards."""
    order: list[str] = []
    seen: set[str] = set()
    for start in sorted(edges):
        stack = [(start, iter(sorted(edges[start])))] if start not in seen else []
        seen.add(start)
        while stack:
            node, rest = stack[-1]
            following = next((one for one in rest if one not in seen), None)
            if following is None:
                order.append(stack.pop()[0])
            else:
                seen.add(following)
                stack.append((following, iter(sorted(edges[following]))))
    back = defaultdict(set)
    for node, targets in edges.items():
        for target in targets:
            back[target].add(node)
    left = set(edges)
    for start in reversed(order):
        group, waiting = set(), [start]
        while waiting:
            node = waiting.pop()
            if node in left:
                left.discard(node)
                group.add(node)
                waiting.extend(back[node])
        if group:
            yield group


def late_imports(package: Package, lazy: Collection[str]) -> Iterator[str]:
    """Modules that are slow to import are imported by the function that needs them."""
    for module in package.values():
        for name in {name.partition(".")[0] for name in module.runtime_imports} & set(lazy):
            yield f"{module.name} imports {name} at its top"


# ---------------------------------------------------------------------- purity


def impure_imports(package: Package, pure: Iterable[str], impure: Collection[str]) -> Iterator[str]:
    """A pure core does no I/O and reads no clock: nothing that could is imported by it."""
    for name in pure:
        if name not in package:
            yield f"{name} has moved: correct the list"
            continue
        for found in sorted({one.partition(".")[0] for one in package[name].imports} & set(impure)):
            yield f"{name} is a pure core and must not import {found}"


def impure_through_others(
    package: Package, pure: Iterable[str], impure: Collection[str], harmless: Mapping[str, str]
) -> Iterator[str]:
    """Nor by what it imports. ``harmless`` modules, with their reasons, are not looked into."""
    direct = {
        module.name: {one.partition(".")[0] for one in module.runtime_imports} & set(impure)
        for module in package.values()
    }
    for name in harmless:
        if name not in package:
            yield f"{name} has moved: correct the list"
    for core in pure:
        seen, waiting = {core}, [core] if core in package else []
        while waiting:
            module = package[waiting.pop()]
            for other in package.inner(module.runtime_imports) - seen - set(harmless):
                seen.add(other)
                waiting.append(other)
                if direct[other]:
                    yield f"{core} reaches {', '.join(sorted(direct[other]))} through {other}"


_CHANCE = {"uuid": {"uuid1", "uuid4"}, "os": {"urandom", "getrandom"}, "datetime": {"now", "utcnow", "today"}}


def unseeded_chance(package: Package, pure: Iterable[str]) -> Iterator[str]:
    """A pure core draws from a generator it was given, and asks no clock for the time."""
    for name in pure:
        for node in package[name].nodes if name in package else ():
            if isinstance(node, ast.ImportFrom) and node.module in ("random", "secrets", "uuid"):
                drawn = {alias.name for alias in node.names} - {"Random", "UUID"}
                yield from (f"{name} imports {node.module}.{one}" for one in sorted(drawn))
            if isinstance(node, ast.Call) and not node.args and _dotted(node.func) in ("Random", "random.Random"):
                yield f"{name}:{node.lineno} makes a generator without a seed"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = node.value.id
                chance = owner == "secrets" or (owner == "random" and node.attr != "Random")
                if chance or node.attr in _CHANCE.get(owner, ()):
                    yield f"{name}:{node.lineno} uses {owner}.{node.attr}"


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


# ---------------------------------------------------------------------- sizes and names


def large_files(package: Package, limit: int, hard_limit: int, allowed: Collection[str]) -> Iterator[str]:
    """Files up to ``limit`` lines; the ``allowed`` up to ``hard_limit``, and only while they need it."""
    for module in package.values():
        lines = module.text.count("\n")
        if lines > (hard_limit if module.name in allowed else limit):
            yield f"{module.name} has {lines} lines"
        elif lines <= limit and module.name in allowed:
            yield f"{module.name} has {lines} lines: correct the list"
    yield from (f"{name} has moved: correct the list" for name in allowed if name not in package)


def large_functions(package: Package, limit: int) -> Iterator[str]:
    for module in package.values():
        for node in module.functions:
            length = (node.end_lineno or node.lineno) - node.lineno
            if length > limit:
                yield f"{module.name}: {node.name} has {length} lines"


def large_classes(package: Package, limit: int, allowed: Mapping[str, str]) -> Iterator[str]:
    """Classes with more than ``limit`` public methods; ``allowed``: those with a reason."""
    found = set()
    for module in package.values():
        for one in module.classes:
            methods = {
                node.name for node in one.body if isinstance(node, AnyFunction) and not node.name.startswith("_")
            }
            if len(methods) > limit:
                found.add(f"{module.name}:{one.name}")
                if f"{module.name}:{one.name}" not in allowed:
                    yield f"{module.name}: {one.name} has {len(methods)} public methods"
    yield from (f"{name} is not so large: correct the list" for name in allowed if name not in found)


def twin_classes(package: Package, allowed: Mapping[str, str], ignored: Mapping[str, str]) -> Iterator[str]:
    """Public classes of one name in several modules; ``allowed``: those with a reason, and rooms that have one."""
    places = defaultdict(list)
    for module in package.values():
        if module.name.startswith(tuple(ignored)):
            continue
        for one in module.classes:
            if not one.name.startswith("_"):
                places[one.name].append(module.name)
    for name, modules in sorted(places.items()):
        if len(modules) > 1 and name not in allowed:
            yield f"{name} is in {', '.join(modules)}"
    yield from (f"{name} has no twin: correct the list" for name in allowed if len(places[name]) < 2)


# ---------------------------------------------------------------------- leftovers


def leftovers(package: Package) -> Iterator[str]:
    """Marks of unfinished work, and errors that are swallowed."""
    for module in package.values():
        if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", module.text):
            yield f"{module.name} has a mark of unfinished work"
        for node in module.nodes:
            if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.dump(node.exc):
                yield f"{module.name}:{node.lineno} is not implemented"
            if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
                if node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"):
                    yield f"{module.name}:{node.lineno} swallows every error"


def modules_without_a_word(package: Package) -> Iterator[str]:
    for module in package.values():
        if not ast.get_docstring(module.tree) and (module.text.strip() or not module.name.endswith("__init__.py")):
            yield f"{module.name} does not say what it is"


def forbidden_text(package: Package, pattern: str, allowed: Collection[str] = ()) -> Iterator[str]:
    """Calls for which there is another way that everybody takes."""
    for module in package.values():
        if module.name not in allowed:
            yield from (f"{module.name} has {found}" for found in re.findall(pattern, module.text))


_SECRETS = {"secret", "secretid", "token", "token_of", "nonce", "client_nonce", "password", "bearertoken"}


def compared_secrets(package: Package) -> Iterator[str]:
    """Secrets that ``==`` compares, or ``in`` with a few others: how long that takes tells how much of one is right.

    With constants, which are no secrets, they may be compared, and looked up in what has a name: a dictionary or set.
    """
    for module in package.values():
        for node in module.nodes:
            if not isinstance(node, ast.Compare):
                continue
            sides = [node.left, *node.comparators]
            for operator, one, other in zip(node.ops, sides, sides[1:], strict=False):
                looked_up = isinstance(operator, ast.In | ast.NotIn) and isinstance(other, ast.Name | ast.Attribute)
                compares = isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and not looked_up
                if compares and any(map(_is_secret, (one, other))) and not any(map(_is_constant, (one, other))):
                    yield f"{module.name}:{node.lineno} compares a secret by an operator: {ast.unparse(node)}"


def _is_secret(node: ast.AST) -> bool:
    """Whether it has the name of one, is made by a function of that name, or is got from a mapping by it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        return isinstance(node.args[0], ast.Constant) and node.args[0].value in _SECRETS
    if isinstance(node, ast.Call):
        return _is_secret(node.func)
    return _dotted(node).rpartition(".")[2].lower().lstrip("_") in _SECRETS


def _is_constant(node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant) or (_dotted(node).rpartition(".")[2] or "a").isupper()


def dead_declarations(
    package: Package, users: Package, allowed: Mapping[str, str], public: Collection[str] = ()
) -> Iterator[str]:  # fmt: skip
    """Functions, classes, constants and methods whose names stand nowhere but where they are declared.

    ``users``: files outside of the package that may use it; tests do not count, as what only they use is dead, too.
    ``allowed``: names, with reasons, that others call: hooks of libraries, entry points, what the public may use.
    ``public``: modules that are there for others: what begins with no underscore is not looked at.
    """
    used = Counter[str]()
    for module in (*package.values(), *users.values()):
        used.update(_used(module))
    declared = [(module, *one) for module in package.values() for one in _declared(module)]
    names = {name for _, name, _ in declared}
    for module, name, line in declared:
        if module.name in public and not name.startswith("_"):
            continue
        if not used[name] and name not in allowed and not (name.startswith("__") and name.endswith("__")):
            yield f"{module.name}:{line} {name} is used nowhere"
    yield from (f"{name} is used, or gone: correct the list" for name in allowed if used[name] or name not in names)


def _declared(module: Module) -> Iterator[tuple[str, int]]:
    """Names made at the top of a module, and methods of its classes."""
    for node in module.tree.body:
        if isinstance(node, (AnyFunction, ast.ClassDef)):
            yield node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, AnyFunction):
                    yield inner.name, inner.lineno
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in [*targets, node.target] if isinstance(node, ast.AnnAssign) else targets:
            if isinstance(target, ast.Name):
                yield target.id, node.lineno


def _used(module: Module) -> Iterator[str]:
    """Every name that is read: by itself, of something, in an import, or as a text of its own (getattr, tables).

    What a module says it exports, and a function's use of itself, is no use.
    """
    exported = {
        id(node) for one in module.tree.body
        if isinstance(one, ast.Assign) and any(_dotted(target) == "__all__" for target in one.targets)
        for node in ast.walk(one)
    }  # fmt: skip
    own: dict[int, str] = {}
    for one in module.tree.body:
        if isinstance(one, AnyFunction):
            own.update((id(node), one.name) for node in ast.walk(one))
    for node in module.nodes:
        found = ""
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            found = node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Store):
            found = node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exported:
            yield from re.findall(r"\w+", node.value) if len(node.value) < 80 and " " not in node.value else ()
        elif isinstance(node, ast.MatchClass):
            found = _dotted(node.cls).rpartition(".")[2]
        elif isinstance(node, ast.keyword) and node.arg:
            found = node.arg
        if found and own.get(id(node)) != found:
            yield found
