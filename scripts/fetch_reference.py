"""Fetch the reference the differential tests compare with: Consul 1.8.7 as packaged by Debian bullseye.

The package is downloaded with apt from the Debian mirror this machine already uses, with another suite, and unpacked
below ``.reference/``; nothing is installed. Without apt, or without the mirror, the tests that need it are skipped.
"""

# mypy: disable-error-code="call-overload"

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".reference"
BINARY = TARGET / "usr/bin/consul"
PACKAGES = ("consul", "serf")
SUITE = "bullseye"


def mirrors() -> list[str]:
    """Debian archive addresses in this machine's apt configuration."""
    found: list[str] = []
    for name in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*")]:
        try:
            text = Path(name).read_text()
        except OSError:
            continue
        for match in re.finditer(r"^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S+/debian)/?\s", text, re.MULTILINE):
            if match.group(1) not in found:
                found.append(match.group(1))
    return found


def apt_options(work: Path, mirror: str, suite: str) -> list[str]:
    """What makes apt use ``suite`` of ``mirror`` and folders below ``work``, and nothing of this machine's."""
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    signed = f"[signed-by={keyring}] " if os.path.exists(keyring) else ""
    (work / "sources.list").write_text(f"deb {signed}{mirror} {suite} main\n")
    return [
        "-o", f"Dir::Etc::sourcelist={work}/sources.list", "-o", "Dir::Etc::sourceparts=-",
        "-o", f"Dir::State::lists={work}/lists", "-o", f"Dir::Cache={work}/cache", "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip


def fetch(mirror: str) -> bool:
    work = TARGET / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "download"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    options = apt_options(work, mirror, SUITE)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 300}
    try:
        subprocess.run(["apt-get", *options, "update"], check=True, **quiet)
        for package in PACKAGES:
            subprocess.run(["apt-get", *options, "download", package], check=True, cwd=work / "download", **quiet)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"reference: {mirror}: {error}", file=sys.stderr)
        return False
    for archive in sorted((work / "download").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(archive), str(TARGET)], check=True)
    shutil.rmtree(work, ignore_errors=True)
    return BINARY.exists()


def main() -> int:
    if BINARY.exists():
        return 0
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        print("reference: no apt here, tests that compare with it will be skipped", file=sys.stderr)
        return 0
    if not any(fetch(mirror) for mirror in mirrors()):
        print("reference: could not be fetched, tests that compare with it will be skipped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
