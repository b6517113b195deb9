"""Make the client for threads of the asynchronous one: `python scripts/make_blocking_client.py [--check]`.

Every file of src/proconsul/client/aio but those that are written for asyncio alone becomes one in ../blocking, by rules
for words. With ``--check`` nothing is written: what differs is named, and so is a rule that is of no use any more.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "src/proconsul/client"
# What is written twice by hand: what the rest is written over.
BY_HAND = ("__init__.py", "connection.py", "forks.py", "kit.py")
RULES = {
    r"\basync (def|with|for)\b": r"\1",
    r"\bawait ": "",
    r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]": r"\1",
    r"\bAsync([A-Z]\w*)\b": r"\1",
    r"\b__a(enter|exit|iter|next)__\b": r"__\1__",
    r"\baclose\b": "close",
    r"\baiter_bytes\b": "iter_bytes",
    r"\bproconsul\.client\.aio\b": "proconsul.client.blocking",
}
HEADER = "# Made by scripts/make_blocking_client.py of ../aio/{}: change that one.\n"


def made() -> Iterator[tuple[Path, str]]:
    """The files to write, with their text. Raises ValueError for a rule that changes nothing."""
    unused = set(RULES)
    for source in sorted((CLIENT / "aio").glob("*.py")):
        if source.name in BY_HAND:
            continue
        text = source.read_text()
        for pattern, replacement in RULES.items():
            text, count = re.subn(pattern, replacement, text)
            if count:
                unused.discard(pattern)
        target = CLIENT / "blocking" / source.name
        yield target, _tidied(HEADER.format(source.name) + text, target)
    if unused:
        raise ValueError(f"rules of no use: {', '.join(sorted(unused))}")


def _tidied(text: str, path: Path) -> str:
    """With its imports in order, and without those that nothing needs any more."""
    command = [
        sys.executable, "-m", "ruff", "check", "--quiet", "--fix", "--unsafe-fixes", "--select", "F401,I,UP028",
        "--stdin-filename", str(path), "-",
    ]  # fmt: skip
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise ValueError(f"{path.name}: {done.stderr}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """The exit code."""
    wrong = 0
    targets = set()
    for path, text in made():
        targets.add(path)
        if path.exists() and path.read_text() == text:
            continue
        wrong += 1
        print(f"{path.relative_to(CLIENT)} {'differs' if '--check' in arguments else 'written'}")
        if "--check" not in arguments:
            path.write_text(text)
    for path in (CLIENT / "blocking").glob("*.py"):
        if path not in targets and path.name not in BY_HAND:
            wrong += 1
            print(f"{path.relative_to(CLIENT)} is made of nothing")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
