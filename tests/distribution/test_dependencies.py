"""What proconsul imports is declared, and what is declared is imported; extras only by those who use them."""

from __future__ import annotations

import re
import sys
import tomllib

from support.harness import REPOSITORY
from support.harness import run as run_program
from support.tidy import Package

# Distributions whose modules have another name.
MODULES = {"PyJWT": "jwt", "google-re2": "re2", "grpcio": "grpc"}
# Modules that only those load who have what they import.
FOR_USERS_OF = {"testing/plugin.py": {"pytest", "pytest_asyncio"}}


def _modules(requirements: list[str]) -> set[str]:
    names = (re.split("[<>=!~; \\[]", line)[0] for line in requirements)
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
NEEDED = _modules(PROJECT["dependencies"])
EXTRAS = _modules([one for group in PROJECT["optional-dependencies"].values() for one in group])
PACKAGE = Package.read(REPOSITORY / "src/proconsul")


def _foreign(names: list[str]) -> set[str]:
    found = {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names - {"proconsul"}


def test_what_is_imported_is_declared() -> None:
    for name, module in PACKAGE.items():
        undeclared = _foreign(module.imports) - NEEDED - EXTRAS - FOR_USERS_OF.get(name, set())
        assert not undeclared, f"{name} imports {undeclared}, which nobody installs"


def test_extras_are_imported_by_those_who_use_them() -> None:
    for name, module in PACKAGE.items():
        early = _foreign(module.runtime_imports) - NEEDED - FOR_USERS_OF.get(name, set())
        assert not early, f"{name} imports {early} as soon as it is loaded"


def test_what_is_declared_is_imported() -> None:
    imported = {name.partition(".")[0] for module in PACKAGE.values() for name in module.imports}
    # grpcio is for those who install the extra; nothing of ours needs it yet.
    assert imported >= (NEEDED | EXTRAS) - {"grpc"}


WITHOUT_EXTRAS = """
import importlib, pkgutil, sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
import proconsul
left_out = sys.argv[1].split(",")
for module in pkgutil.walk_packages(proconsul.__path__, "proconsul."):
    if module.name not in left_out:
        importlib.import_module(module.name)
from proconsul.testing import DevAgent
with DevAgent() as agent:
    assert agent.put("kv/a", "1").json() is True
print("well")
"""


def test_everything_works_without_the_extras() -> None:
    users = ",".join("proconsul." + name.removesuffix(".py").replace("/", ".") for name in FOR_USERS_OF)
    missing = ",".join(sorted(EXTRAS | {"pytest", "hypothesis", "requests", "dns"}))
    done = run_program([sys.executable, "-W", "error", "-c", WITHOUT_EXTRAS, users, missing])
    assert done.stdout == "well\n", done.stderr
