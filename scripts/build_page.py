"""Build the web page: from the modules in ``src/proconsul/ui/page`` the few small files in ``src/proconsul/ui/static``.

What is built is kept in the repository, so that nobody who installs or runs proconsul needs node; a test builds it
again and compares the bytes. The page also runs from its modules as they are: ``-ui-dir src/proconsul/ui/page``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "src/proconsul/ui/page"
BUILT = ROOT / "src/proconsul/ui/static"
ESBUILD = ROOT / ".node/node_modules/.bin/esbuild"
# Lines of a length that a comparison of two versions can show.
OPTIONS = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--legal-comments=none",
           "--line-limit=160", "--log-level=warning")  # fmt: skip
BANNER = "/* proconsul's web page, built by scripts/build_page.py from src/proconsul/ui/page. Licences: NOTICE. */"
_PRELOAD = re.compile(r'<link rel="modulepreload"[^>]*>\n')
TIMEOUT_S = 60


def build(target: Path) -> None:
    """Build the page into the folder ``target``. Raises CalledProcessError, OSError."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("app.js", "app.css"):
        # The same from wherever it is built: esbuild names no path of the machine, given those of the page.
        banner = f"--banner:{name.removeprefix('app.')}={BANNER}"
        command = [ESBUILD, name, *OPTIONS, banner, f"--outfile={target / name}"]
        subprocess.run(command, cwd=PAGE, check=True, timeout=TIMEOUT_S)
    index = (PAGE / "index.html").read_text()
    (target / "index.html").write_text(_PRELOAD.sub("", index))
    shutil.copy(PAGE / "icon.svg", target)


def main() -> int:
    if not ESBUILD.exists():
        print("build_page: node's tools are not there: run scripts/fetch_node_tools.py", file=sys.stderr)
        return 1
    build(Path(sys.argv[1]) if sys.argv[1:] else BUILT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
