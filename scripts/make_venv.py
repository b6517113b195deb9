"""Make a virtual environment, also on a Debian whose Python comes without ensurepip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv


def main() -> int:
    target = sys.argv[1]
    if sys.version_info < (3, 11):  # noqa: UP036 - this very script may be run by an older one
        print(f"proconsul needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if shutil.which("apt-get") and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-q"], check=False)
            subprocess.run(["apt-get", "install", "-y", "-q", package], check=True)
        else:
            print(f"this Python cannot make virtual environments: install {package} and try again", file=sys.stderr)
            return 1
    venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(target)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
