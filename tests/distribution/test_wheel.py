"""The wheel and the sdist: what is in them, what they say of themselves, and that a fresh environment works with it."""

from __future__ import annotations

import email.message
import email.parser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest

from proconsul import COMPATIBLE_VERSION, __version__
from proconsul.testing.ports import free_ports
from support.harness import READY_TIMEOUT_S, REPOSITORY, Client, eventually, require_quiet
from support.harness import run as run_program

PACKAGE = REPOSITORY / "src/proconsul"
# What the page is built from, and what running leaves behind.
NOT_SHIPPED = re.compile(r"(^|/)__pycache__/|^ui/page/")
DISTRIBUTION = f"proconsul-{__version__}"


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path
    # Built again, from the sdist.
    second: Path


def _build(source: Path, kinds: str, target: Path) -> list[Path]:
    made = run_program(
        [sys.executable, "-m", "hatchling", "build", *kinds.split(), "-d", str(target)], cwd=source
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return sorted(target.iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both, without a network: the tool that builds is in the environment of the tests."""
    folder = tmp_path_factory.mktemp("built")
    wheel, sdist = _build(REPOSITORY, "-t wheel -t sdist", folder / "first")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (second,) = _build(folder / "source" / DISTRIBUTION, "-t wheel", folder / "second")
    return Built(wheel, sdist, second)


def _files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_the_package_and_nothing_else(built: Built) -> None:
    paths = (path for path in PACKAGE.rglob("*") if path.is_file())
    names = {str(path.relative_to(PACKAGE)) for path in paths}
    shipped = {f"proconsul/{name}" for name in names if not NOT_SHIPPED.search(name)}
    assert {"proconsul/py.typed", "proconsul/ui/static/index.html", "proconsul/testing/plugin.py"} <= shipped
    info = f"{DISTRIBUTION}.dist-info/"
    own = {f"{info}{name}" for name in (
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE",
    )}  # fmt: skip
    assert set(_files(built.wheel)) == shipped | own


def test_the_sdist_makes_the_same_wheel_and_has_what_makes_the_page(built: Built) -> None:
    assert _files(built.second) == _files(built.wheel)
    with tarfile.open(built.sdist) as archive:
        names = {name.removeprefix(f"{DISTRIBUTION}/") for name in archive.getnames()}
    assert {"src/proconsul/ui/page/app.js", "scripts/build_page.py", "tests/conftest.py", "LICENSE", "NOTICE"} <= names
    left = [name for name in names if re.match(r"\.(venv|reference|node|pythons|git|shots)(/|$)|.*\.pyc$", name)]
    assert left == []


def _metadata(built: Built) -> email.message.Message:
    return email.parser.Parser().parsestr(_files(built.wheel)[f"{DISTRIBUTION}.dist-info/METADATA"].decode())


def test_what_the_wheel_says_of_itself(built: Built) -> None:
    from trove_classifiers import classifiers, deprecated_classifiers

    told = _metadata(built)
    assert (told["Name"], told["Version"], told["License-Expression"]) == ("proconsul", __version__, "Apache-2.0")
    assert told.get_all("License-File") == ["LICENSE", "NOTICE"]
    given = told.get_all("Classifier") or []
    assert set(given) <= classifiers and not set(given) & set(deprecated_classifiers)
    # The range of Pythons and the list of those that were tried are the same.
    minors = sorted(int(one.rpartition(".")[2]) for one in given if re.fullmatch(r"Programming.*:: 3\.\d+", one))
    assert told["Requires-Python"] == f">=3.{minors[0]}" and minors == list(range(minors[0], minors[-1] + 1))
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dynamic"] == ["version"]


def test_the_description_renders(built: Built) -> None:
    """An index shows it as Markdown: its headings, fences and tables are whole, and it is what README.md says."""
    told = _metadata(built)
    assert told["Description-Content-Type"] == "text/markdown"
    text = str(told.get_payload())
    assert text.strip() == (REPOSITORY / "README.md").read_text().strip()
    assert text.count("\n```") % 2 == 0 and text.startswith("# ")
    assert "<script" not in text and len(told["Summary"]) < 200 and "\n" not in told["Summary"]


# ---------------------------------------------------------------------- a fresh environment


def _environment(folder: Path) -> Path:
    """A virtual environment without anything; its folder of programs."""
    venv.EnvBuilder(symlinks=True).create(folder)
    return folder / "bin"


def _pip(programs: Path, *words: str) -> None:
    pip = shutil.which("pip", path=os.path.dirname(sys.executable)) or pytest.skip("NO PIP in the tests' environment")
    done = run_program([pip, "--python", str(programs / "python"), "install", "--quiet", *words])
    assert done.returncode == 0, done.stderr


def _works(programs: Path, folder: Path) -> None:
    """The commands, an agent with its page, and a lock taken with the client, all as installed."""
    said = run_program([str(programs / "proconsul"), "version"])
    assert said.stdout.splitlines()[0] == f"Consul v{COMPATIBLE_VERSION}"
    assert said.stdout.split("\n")[2] == f"proconsul v{__version__}"
    http, *others = free_ports(4)
    names = ("-server-port", "-serf-lan-port", "-serf-wan-port")
    words = [word for pair in zip(names, map(str, others), strict=True) for word in pair]
    command = [
        str(programs / "proconsul"), "agent", "-dev", "-http-port", str(http), *words, "-dns-port=-1", "-grpc-port=-1",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        agent = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        _use(programs, http, folder)
    finally:
        agent.terminate()
        assert agent.wait(READY_TIMEOUT_S) in (0, 1)
    require_quiet("the installed agent", (folder / "log").read_text(errors="replace"))


LOCK = """
import sys
import proconsul
from proconsul.client import Client
with Client(sys.argv[1]) as client, client.lock("job/lock") as held:
    print(proconsul.__file__, held.token.index > 0)
"""


def _use(programs: Path, port: int, folder: Path) -> None:
    address = f"127.0.0.1:{port}"

    def leads() -> bool:
        client = Client("127.0.0.1", port)
        try:
            return client.call("GET", "/v1/status/leader").text not in ("", '""')
        finally:
            client.close()

    eventually(leads, "the installed agent leads")
    page = Client("127.0.0.1", port)
    shown = page.call("GET", "/ui/")
    script = next(iter(re.findall(r'src="([^"]*\.js[^"]*)"', shown.text)), "")
    assert shown.status == 200 and script
    assert page.call("GET", urljoin("/ui/", script)).status == 200
    page.close()
    locked = run_program([str(programs / "python"), "-c", LOCK, f"http://{address}"], cwd=folder)
    assert locked.returncode == 0, locked.stderr
    file, held = locked.stdout.split()
    assert Path(file).is_relative_to(programs.parent) and held == "True"
    written = run_program([str(programs / "proconsul"), "kv", "put", "-http-addr", address, "a", "1"], cwd=folder)
    assert written.stdout == "Success! Data written to: a\n"


def test_a_fresh_environment_works_with_the_wheel(built: Built, tmp_path: Path) -> None:
    """What proconsul needs is borrowed from the tests' environment, so that this needs no network."""
    programs = _environment(tmp_path / "env")
    _pip(programs, "--no-index", "--no-deps", str(built.wheel))
    site = next((programs.parent / "lib").glob("python*")) / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _works(programs, tmp_path)


SUITE = """
def test_a_key(consul_agent):
    consul_agent.client.kv.put("a", b"1")
    assert consul_agent.client.kv.get("a").value == b"1"
"""


@pytest.mark.long
def test_pip_brings_what_is_used_and_nothing_else(built: Built, tmp_path: Path) -> None:
    """With the network: what pip installs beside the wheel is what is declared, and what that needs itself."""
    programs = _environment(tmp_path / "env")
    _pip(programs, "--only-binary", ":all:", str(built.wheel))
    site = next((programs.parent / "lib").glob("python*")) / "site-packages"
    needed = {"cffi", "pycparser"}  # cryptography's
    found = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in site.glob("*.dist-info")}
    declared = {
        re.split(r"[<>=!~; \[]", line)[0].lower()
        for line in _metadata(built).get_all("Requires-Dist") or []
        if "extra ==" not in line
    }
    assert found - needed == declared | {"proconsul"}
    _works(programs, tmp_path)
    _pip(programs, "pytest")
    (tmp_path / "test_mine.py").write_text(SUITE)
    passed = run_program([str(programs / "python"), "-m", "pytest", "-q", "-W", "error", str(tmp_path)], cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout
