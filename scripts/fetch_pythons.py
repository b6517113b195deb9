"""Fetch newer Pythons than Debian's stable one, for trying proconsul on them: 3.13 and 3.14 as packaged by Debian.

The packages are downloaded with apt from the Debian mirror this machine already uses, with other suites, and unpacked
below ``.pythons/``; nothing is installed. Each Python runs with the C library of its own suite, which may be newer than
this machine's: its command is a script that names the loader.
"""

# mypy: disable-error-code="call-overload"

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from fetch_reference import ROOT, apt_options, mirrors

TARGET = ROOT / ".pythons"
# The suite that has each, whose C library it is built for.
SUITES = {"3.13": "trixie", "3.14": "sid"}
LIBRARIES = (
    "libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libbz2-1.0", "liblzma5", "libzstd1", "libexpat1", "libffi8",
    "libuuid1", "libssl3t64", "libsqlite3-0", "libncursesw6", "libtinfo6", "libreadline8t64", "libdb5.3t64",
)  # fmt: skip
_LOADER = "lib64/ld-linux-x86-64.so.2"
_WRAPPER = """#!/bin/sh
exec {root}/{loader} --argv0 "$0" --library-path {libraries} {root}/usr/bin/python{version}.program "$@"
"""


def packages(version: str) -> list[str]:
    """Names of the packages one Python needs, without what it needs to be installed."""
    return [
        f"python{version}-minimal", f"libpython{version}-minimal", f"libpython{version}-stdlib", f"python{version}",
        *LIBRARIES,
    ]  # fmt: skip


def fetch(version: str, mirror: str) -> Path | None:
    """Unpack one Python and return its command; None when the mirror does not have it."""
    root = TARGET / version
    work = root / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "download"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    options = apt_options(work, mirror, SUITES[version])
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 300}
    try:
        subprocess.run(["apt-get", *options, "update"], check=True, **quiet)
        download = ["apt-get", *options, "download", *packages(version)]
        subprocess.run(download, check=True, cwd=work / "download", **quiet)
        _unpack(work / "download", root)
        shutil.rmtree(work)
        return _wrap(version, root)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"pythons: {version} from {mirror}: {error}", file=sys.stderr)
        shutil.rmtree(root, ignore_errors=True)
        return None


def _unpack(downloads: Path, root: Path) -> None:
    """Debian's /lib and /lib64 are links into /usr; not all packages know."""
    for name in ("lib", "lib64", "bin"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for archive in sorted(downloads.glob("*.deb")):
        files = subprocess.run(["dpkg", "--fsys-tarfile", str(archive)], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", str(root)], check=True, input=files)


def _wrap(version: str, root: Path) -> Path:
    command: Path = root / f"usr/bin/python{version}"
    command.rename(command.with_name(f"python{version}.program"))
    libraries = f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib"
    command.write_text(_WRAPPER.format(root=root, loader=_LOADER, libraries=libraries, version=version))
    command.chmod(0o755)
    return command


def get(version: str) -> Path | None:
    """The command of a Python that Debian has, fetched when it is not there; None when it cannot be had."""
    command: Path = TARGET / version / f"usr/bin/python{version}"
    if command.exists():
        return command
    if version not in SUITES or not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    return next((found for mirror in mirrors() if (found := fetch(version, mirror))), None)


if __name__ == "__main__":
    raise SystemExit(0 if None not in [get(version) for version in SUITES] else 1)
