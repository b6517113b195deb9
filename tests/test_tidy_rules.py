"""Each rule of hygiene finds what it is for, in small sources, and leaves alone what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from support import tidy
from support.tidy import Package

BELOW = {"engine": set[str](), "features": {"engine"}, "server": {"features", "engine"}}
IMPURE = {"os", "time", "asyncio"}


def of(**sources: str) -> Package:
    """``a__b="..."`` is the file ``a/b.py``."""
    return Package.of({f"{name.replace('__', '/')}.py": text for name, text in sources.items()})


Rule = Callable[[Package], Iterable[str]]


def check(rule: Rule, good: Package, bad: dict[str, Package]) -> None:
    """Nothing is said of ``good``; of each of ``bad`` something that holds its key."""
    assert list(rule(good)) == []
    for part, package in bad.items():
        said = list(rule(package))
        assert any(part in one for one in said), (part, said)


def test_layers() -> None:
    good = of(
        engine__a="import os", features__b="from proconsul.engine.a import x", server__c="import proconsul.features.b",
    )  # fmt: skip
    check(lambda package: tidy.layers(package, BELOW), good, {
        "engine/a.py must not import proconsul.server.c": of(engine__a="from proconsul.server import c"),
        "features/b.py must not import proconsul.server.c": of(features__b="def f():\n    import proconsul.server.c"),
    })  # fmt: skip


def test_private_parts_of_features() -> None:
    good = of(
        features__kv__http="from proconsul.features.kv.endpoint import KV",
        features__txn__state="from proconsul.features.kv.model import Row",
        features__registry="from proconsul.features.kv.endpoint import KV",
    )
    check(lambda package: tidy.private_parts_of_features(package, {"endpoint", "http"}), good, {
        "features/txn/state.py": of(features__txn__state="from proconsul.features.kv.endpoint import KV"),
        "features/txn/http.py": of(features__txn__http="from proconsul.features.kv import http"),
    })  # fmt: skip


def test_circles() -> None:
    good = of(a__a="from proconsul.a.b import x", a__b="from proconsul.a.c import x", a__c="import os")
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from proconsul.a.a import X"
    check(lambda package: tidy.circles(package, {}), good, {
        "a circle: a/a.py, a/b.py": of(a__a="from proconsul.a.b import x", a__b="from proconsul.a import a"),
        "a/a.py, a/b.py, a/c.py": of(
            a__a="from proconsul.a.b import x", a__b="import proconsul.a.c", a__c="def f():\n    import proconsul.a.a",
        ),
        "a circle": of(a__a="from proconsul.a.b import x", a__b=typed),
    })  # fmt: skip
    allowed = {("a/b.py", "a/a.py"): "type only"}
    assert list(tidy.circles(of(a__a="from proconsul.a.b import x", a__b=typed), allowed)) == []
    assert list(tidy.circles(good, allowed)) == ["a/b.py does not import a/a.py: correct the list"]


def test_late_imports() -> None:
    check(lambda package: tidy.late_imports(package, {"grpc"}), of(a="def f():\n    import grpc"), {
        "a.py imports grpc": of(a="import grpc"), "b.py imports grpc": of(b="from grpc.aio import x"),
    })  # fmt: skip


def test_purity() -> None:
    check(lambda package: tidy.impure_imports(package, ["core.py"], IMPURE), of(core="import re", shell="import os"), {
        "must not import os": of(core="def f():\n    import os.path"),
        "must not import asyncio": of(core="from asyncio import sleep"),
        "has moved": of(other=""),
    })  # fmt: skip


def test_purity_of_what_is_imported() -> None:
    rule: Rule = lambda package: tidy.impure_through_others(package, ["core.py"], IMPURE, {})  # noqa: E731
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from proconsul import shell"
    check(rule, of(core=f"{typed}\nfrom proconsul.table import x", table="import re", shell="import os"), {
        "core.py reaches os through shell.py": of(
            core="from proconsul.table import x", table="from proconsul import shell", shell="import os"
        ),
        "reaches time through table.py": of(core="import proconsul.table", table="from time import monotonic"),
    })  # fmt: skip
    reaching = of(core="import proconsul.table", table="import os")
    assert list(tidy.impure_through_others(reaching, ["core.py"], IMPURE, {"table.py": "words only"})) == []
    assert "gone.py has moved: correct the list" in tidy.impure_through_others(reaching, [], IMPURE, {"gone.py": "x"})


def test_chance() -> None:
    good = "import random\nfrom random import Random\nimport uuid\ndef f(rng: random.Random): rng.random(); Random(1)"
    shell = "import random; random.random()"
    check(lambda package: tidy.unseeded_chance(package, ["core.py"]), of(core=good, shell=shell), {
        "uses random.random": of(core="import random\nx = random.random()"),
        "imports random.choice": of(core="from random import choice"),
        "imports secrets.token_hex": of(core="from secrets import token_hex"),
        "uses secrets.token_hex": of(core="import secrets\nsecrets.token_hex()"),
        "without a seed": of(core="from random import Random\nx = Random()"),
        "uses uuid.uuid4": of(core="import uuid\nuuid.uuid4()"),
        "imports uuid.uuid4": of(core="from uuid import uuid4"),
        "uses os.urandom": of(core="import os\nos.urandom(1)"),
        "uses datetime.now": of(core="from datetime import datetime\ndatetime.now()"),
    })  # fmt: skip


def test_sizes() -> None:
    short, long = "x = 1\n" * 5, "x = 1\n" * 6
    check(lambda package: tidy.large_files(package, 5, 8, {"known.py"}), of(a=short, known=long), {
        "a.py has 6 lines": of(a=long, known=long), "known.py has 9 lines": of(known="x = 1\n" * 9),
        "known.py has 5 lines: correct": of(known=short), "known.py has moved": of(a=short),
    })  # fmt: skip
    function = "class A:\n    async def f(self):\n" + "        pass\n" * 4
    check(lambda package: tidy.large_functions(package, 4), of(a=function), {
        "f has 5": of(a=function + "        pass\n"),
    })  # fmt: skip
    methods = "class A:\n" + "".join(f"    def f{number}(self): ...\n" for number in range(3))
    check(lambda package: tidy.large_classes(package, 3, {}), of(a=methods + "    def _g(self): ...\n"), {
        "A has 4 public methods": of(a=methods + "    async def g(self): ...\n"),
    })  # fmt: skip
    assert list(tidy.large_classes(of(a=methods), 3, {"a.py:A": "x"})) == ["a.py:A is not so large: correct the list"]


def test_twins() -> None:
    good = of(a="class A: ...\nclass _B: ...", b="class B: ...\nclass _B: ...", cli__a="class A: ...")
    check(lambda package: tidy.twin_classes(package, {}, {"cli/": "commands"}), good, {
        "A is in a.py, b.py": of(a="class A: ...", b="class A: ..."),
    })  # fmt: skip
    assert list(tidy.twin_classes(good, {"A": "x"}, {"cli/": "x"})) == ["A has no twin: correct the list"]


def test_leftovers() -> None:
    check(tidy.leftovers, of(a="# all done\ntry: f()\nexcept OSError: pass"), {
        "unfinished": of(a="x = 1  # TODO"), "not implemented": of(a="raise NotImplementedError"),
        "swallows": of(a="try: f()\nexcept Exception: pass"), "a.py:2 swallows": of(a="try: f()\nexcept: pass"),
    })  # fmt: skip


def test_compared_secrets() -> None:
    good = of(
        a="""
if secret != "" or secret in known or row.SecretID == ANONYMOUS or token not in _NOBODY or secret in ("", "x"): f()
if token is None or row.TokenID == other.TokenID or same_secret(secret, other): f()
"""
    )
    check(tidy.compared_secrets, good, {
        f"a.py:1 compares a secret by an operator: {text}": of(a=text) for text in (
            "secret == other", "self._secret != given", "other == row.SecretID", "self._token_of(row) == given",
            "secret in ('', row.secret)", "secret not in known.values()", "found.get('nonce') != begun",
            "a < b == secret",
        )
    })  # fmt: skip


def test_words_of_modules() -> None:
    check(tidy.modules_without_a_word, Package.of({"a.py": '"""Law."""', "b/__init__.py": ""}), {
        "b.py": of(b="x = 1"), "c.py": of(c=""),
    })  # fmt: skip


def test_forbidden_text() -> None:
    check(lambda package: tidy.forbidden_text(package, r"f\(", {"f.py"}), of(f="f()", g="g()"), {"g.py": of(g="f()")})


DEAD = {
    "function": "def gone(): ...",
    "that only calls itself": "def gone(): return gone()",
    "class": "class gone: ...",
    "constant": "gone = 1",
    "constant with a type": "gone: int = 1",
    "method": "class _A:\n    def gone(self): ...\n_A()",
    "that is only said to be exported": "def gone(): ...\n__all__ = ['gone']",
    "that is only mentioned": "def gone(): ...\n# gone\nx = 'what is gone is gone'\nprint(x)",
}
ALIVE = {
    "called": "def kept(): ...\nkept()",
    "decorates": "def kept(f): return f\n@kept\ndef main(): ...\nmain()",
    "attribute": "class _A:\n    def kept(self): ...\n_A().kept()",
    "by its name": "def kept(): ...\ngetattr(x, 'kept')",
    "dunder": "class _A:\n    def __len__(self): return 1\n_A()",
    "annotation": "class kept: ...\ndef f(x: kept): ...\nf(1)",
}


@pytest.mark.parametrize("what", DEAD)
def test_what_is_dead(what: str) -> None:
    said = list(tidy.dead_declarations(of(a=DEAD[what]), Package(), {}))
    assert any("gone is used nowhere" in one for one in said), said
    assert not any("gone" in one for one in tidy.dead_declarations(of(a=DEAD[what]), Package(), {"gone": "a hook"}))


@pytest.mark.parametrize("what", ALIVE)
def test_what_is_alive(what: str) -> None:
    assert list(tidy.dead_declarations(of(a=ALIVE[what]), Package(), {})) == []


def test_what_others_use_is_alive_and_the_list_is_true() -> None:
    package = of(a="def kept(): ...")
    assert list(tidy.dead_declarations(package, of(scripts__b="from proconsul.a import kept\nkept()"), {})) == []
    said = list(tidy.dead_declarations(of(a="def kept(): ...\nkept()"), Package(), {"kept": "x", "never": "y"}))
    assert said == ["kept is used, or gone: correct the list", "never is used, or gone: correct the list"]
