"""Shell completion: answers a shell's question, and installs the line that makes a shell ask.

bash and zsh (through bashcompinit) and fish call the program with ``COMP_LINE`` set to the line so far and print
one candidate per line, the convention of Consul's own completion.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from proconsul.cli import registry
from proconsul.cli.output import Ui

_GLOBAL_FLAGS = ("-help", "-version", "-autocomplete-install", "-autocomplete-uninstall")


def answer(line: str, ui: Ui) -> int:
    """Print the candidates for the last word of a command line."""
    point = os.environ.get("COMP_POINT", "")
    if point.isdigit():
        line = line[: int(point)]
    for candidate in candidates(line):
        ui.out(candidate)
    return 0


def candidates(line: str) -> list[str]:
    """Return what the last word of ``line`` could become, sorted."""
    words = line.split()[1:]
    last = "" if not words or line.endswith((" ", "\t")) else words.pop()
    names = [word for word in words if not word.startswith("-")]
    command = registry.longest(names)[0] if names else ""
    known = registry.exists(command)
    if last.startswith("-"):
        flags = list(registry.load(command).flags.flags) if known else []
        found = [f"-{name}" for name in flags] if known else list(_GLOBAL_FLAGS)
        return sorted(name for name in found if name.startswith(last.replace("--", "-", 1)))
    if not names:
        return [name for name, _ in registry.children("") if name.startswith(last)]
    if known and " ".join(names) == command:
        return [name for name, _ in registry.children(command) if name.startswith(last)]
    return []


def _program() -> tuple[str, str]:
    path = os.path.abspath(sys.argv[0])
    return os.path.basename(path), path


def _snippets() -> list[tuple[Path, str, bool]]:
    """Return (file, text, whole file is ours) for every shell which the user seems to have."""
    name, path = _program()
    home = Path.home()
    found: list[tuple[Path, str, bool]] = []
    for file in (home / ".bashrc", home / ".bash_profile", home / ".bash_login", home / ".profile"):
        if file.exists():
            found.append((file, f"complete -C {path} {name}", False))
            break
    zshrc = home / ".zshrc"
    if zshrc.exists():
        found.append(
            (zshrc, f"autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -C {path} {name}", False)
        )
    fish = home / ".config" / "fish"
    if fish.is_dir():
        function = f"__complete_{name}"
        text = (
            f"function {function}\n"
            f"    set -lx COMP_LINE (commandline -cp)\n"
            f'    test -z (commandline -ct); and set COMP_LINE "$COMP_LINE "\n'
            f"    {path}\n"
            f"end\n"
            f'complete -f -c {name} -a "({function})"'
        )
        found.append((fish / "completions" / f"{name}.fish", text, True))
    return found


def install(ui: Ui) -> int:
    """Add completion to the start-up files of bash, zsh and fish; fails if it is there already."""
    snippets = _snippets()
    if not snippets:
        ui.error("Did not find any shells to install")
        return 1
    code = 0
    for file, text, _ in snippets:
        try:
            present = file.read_text(encoding="utf-8") if file.exists() else ""
            if text in present:
                ui.error(f"already installed in {file}")
                code = 1
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            separator = "" if not present or present.endswith("\n") else "\n"
            file.write_text(f"{present}{separator}{text}\n", encoding="utf-8")
        except OSError as error:
            ui.error(str(error))
            code = 1
    return code


def uninstall(ui: Ui) -> int:
    """Remove completion again; fails if it is not there."""
    snippets = _snippets()
    if not snippets:
        ui.error("Did not find any shells to uninstall")
        return 1
    code = 0
    for file, text, is_ours in snippets:
        try:
            present = file.read_text(encoding="utf-8") if file.exists() else ""
            if text not in present:
                ui.error(f"does not installed in {file}")
                code = 1
            elif is_ours:
                file.unlink()
            else:
                file.write_text(present.replace(f"{text}\n", ""), encoding="utf-8")
        except OSError as error:
            ui.error(str(error))
            code = 1
    return code
