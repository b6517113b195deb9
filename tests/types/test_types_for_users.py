"""Types are there for those who use the package: two checkers read programs like theirs, and what is public is known
whole."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.node import require_node, require_packages
from support.patience import PATIENCE_S

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What programs may import. The rest of the package is its own affair.
PUBLIC = ("proconsul", "proconsul.client", "proconsul.embed", "proconsul.testing")


def pyright(*arguments: str, cwd: Path = ROOT) -> dict[str, Any]:
    """What pyright says, as it reads the package from this environment."""
    program = require_packages() / "pyright" / "index.js"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [require_node(), str(program), "--outputjson", *arguments],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=5 * PATIENCE_S, check=False,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_programs_of_users_pass_pyright() -> None:
    found = pyright("--project", str(HERE))
    told = [f"{one['file']}: {one['range']['start']}: {one['message']}" for one in found["generalDiagnostics"]]
    assert not told, "\n".join(told)
    assert found["summary"]["filesAnalyzed"] == len(list(HERE.glob("use_*.py")))


@pytest.mark.long
def test_programs_of_users_pass_mypy() -> None:
    """From outside of the project: with none of its settings. With these `make test` has mypy read them, too."""
    files = [str(path) for path in sorted(HERE.glob("use_*.py"))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir",
         str(ROOT / ".mypy_cache" / "users"), "--follow-imports", "silent", *files],
        capture_output=True, text=True, cwd=HERE, timeout=5 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["proconsul.client", pytest.param("proconsul.embed", marks=pytest.mark.long)])
def test_all_that_is_public_has_a_type(package: str) -> None:
    found = pyright("--verifytypes", package, "--ignoreexternal")["typeCompleteness"]
    unknown = [one["name"] for one in found["symbols"] if one["isExported"] and not one["isTypeKnown"]]
    assert not unknown, "\n".join(unknown)
    assert found["exportedSymbolCounts"]["withKnownType"] > 20 and found["completenessScore"] == 1


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_there_and_are_all(name: str) -> None:
    module = importlib.import_module(name)
    names = module.__all__
    assert sorted(names) == sorted(set(names))
    for one in names:
        assert getattr(module, one) is not None
    assert set(names) <= set(dir(module))
    with pytest.raises(AttributeError):
        _ = module.no_such_name


def _modules() -> list[str]:
    """Those of the public packages. Fixtures of the plugin are pytest's to find."""
    found = []
    for package in PUBLIC[1:]:
        folder = ROOT / "src" / Path(*package.split("."))
        for path in folder.rglob("*.py"):
            inside = path.relative_to(ROOT / "src").with_suffix("")
            found.append(".".join(inside.parts).removesuffix(".__init__"))
    return sorted(set(found) - {"proconsul.testing.plugin", "proconsul.client.aio", "proconsul.client.blocking"})


def test_modules_of_public_packages_say_what_is_theirs() -> None:
    wrong = []
    for name in _modules():
        module = importlib.import_module(name)
        names = getattr(module, "__all__", None)
        if names is None:
            wrong.append(f"{name} has no __all__")
        else:
            wrong += [f"{name}.{one} is not there" for one in names if getattr(module, one, None) is None]
    assert not wrong, wrong


def test_types_are_declared() -> None:
    assert (ROOT / "src/proconsul/py.typed").is_file()


def test_what_documents_import_is_public() -> None:
    """Only names of a public package's ``__all__``, or of a module that is public as a whole."""
    pattern = re.compile(r"^\s*from (proconsul[\w.]*) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)
    wrong = []
    for page in (ROOT / "README.md", ROOT / "docs/client.md", ROOT / "docs/testing.md", ROOT / "docs/embedding.md",
                 *(ROOT / "examples").rglob("*.py")):  # fmt: skip
        for module, several, one in pattern.findall(page.read_text()):
            if module.startswith("proconsul.engine."):  # what simulated gossip is about
                continue
            exported = importlib.import_module(module).__all__
            names = [part.split(" as ")[0].strip() for part in (several or one).split("#")[0].split(",")]
            wrong += [f"{page.name}: {module}.{name}" for name in names if name and name not in exported]
    assert not wrong, wrong
