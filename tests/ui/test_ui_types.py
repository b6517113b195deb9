"""The page's JavaScript is what its JSDoc says, and what it has vendored is what its authors published."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from support.node import PAGE, REPOSITORY, require_node, require_packages
from support.patience import PATIENCE_S

HERE = Path(__file__).resolve().parent
# The file of each package that is vendored, by its name here.
VENDORED = {
    "preact.js": "preact/dist/preact.module.js",
    "hooks.js": "preact/hooks/dist/hooks.module.js",
    "signals-core.js": "@preact/signals-core/dist/signals-core.module.js",
    "signals.js": "@preact/signals/dist/signals.module.js",
    "htm.js": "htm/dist/htm.module.js",
}
# Where a package's file says another one's name, ours says where that file is.
SPECIFIERS = {
    "preact": "./preact.js", "preact/hooks": "./hooks.js", "@preact/signals-core": "./signals-core.js",
}  # fmt: skip


def test_types_hold() -> None:
    """``tsc --strict`` finds nothing in any module of the page."""
    compiler = require_packages() / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [require_node(), str(compiler), "--project", str(HERE / "tsconfig.json"), "--pretty", "false", "--listFiles"],
        capture_output=True, text=True, cwd=REPOSITORY, timeout=5 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[:8000]
    looked_at = {Path(line) for line in done.stdout.splitlines()}
    ours = {path for path in PAGE.rglob("*.js") if path.parent.name != "vendor"}
    assert ours and ours <= looked_at


def test_types_come_from_the_packages(tmp_path: Path) -> None:
    """A signal used as what it is not is found: the vendored files are not taken for something without types."""
    compiler = require_packages() / "typescript" / "bin" / "tsc"
    wrong = tmp_path / "lib" / "wrong.js"
    wrong.parent.mkdir()
    wrong.write_text(
        'import { signal } from "../vendor/signals.js";\nimport { h } from "../vendor/preact.js";\n'
        "const one = signal(1);\none.value = `text`;\nh();\n"
    )
    config = json.loads((HERE / "tsconfig.json").read_text())
    config["compilerOptions"]["rootDirs"] = [str(HERE / "types"), str(tmp_path)]
    config["compilerOptions"]["baseUrl"] = str(require_packages())
    config["include"] = [str(wrong)]
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [require_node(), str(compiler), "--project", str(tmp_path), "--pretty", "false"],
        capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert re.findall(r"wrong\.js\((\d+),\d+\): error (TS\d+)", done.stdout) == [("4", "TS2322"), ("5", "TS2555")]


def published(text: str) -> str:
    """A package's file as it is vendored."""
    text = re.sub(r"\n?//# sourceMappingURL=.*", "", text).strip()
    return re.sub(r'(?<=from")([^"]+)(?=")', lambda found: SPECIFIERS[found[0]], text)


@pytest.mark.parametrize("name", VENDORED)
def test_vendored_files_are_the_published_ones(name: str) -> None:
    """But for the names by which they import each other."""
    theirs = (require_packages() / VENDORED[name]).read_text()
    assert (PAGE / "vendor" / name).read_text().strip() == published(theirs)


def test_every_vendored_file_is_compared() -> None:
    assert {path.name for path in (PAGE / "vendor").iterdir()} == set(VENDORED)


def test_versions_are_the_named_ones() -> None:
    """`lib/ui.js` and NOTICE name the versions that are locked."""
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"]
    named = (PAGE / "lib" / "ui.js").read_text()
    for package, words in (
        ("preact", "Preact"), ("@preact/signals", "@preact/signals"),
        ("@preact/signals-core", "signals-core"), ("htm", "htm"),
    ):  # fmt: skip
        assert f"{words} {locked[f'node_modules/{package}']['version']}" in named
