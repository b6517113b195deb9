"""How a command's help page is laid out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proconsul.cli.flags import Flag, FlagSet

# Descriptions of flags fill lines up to this column, 5 of them indentation: readable on an 80 column terminal.
_LINE_LENGTH_MAX = 72
_INDENT = 5


def wrap(text: str, indent: int = _INDENT) -> str:
    """Break text into indented lines of at most 72 characters."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > _LINE_LENGTH_MAX - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return "\n".join(" " * indent + part for part in lines)


def flag_text(flag: Flag[object]) -> str:
    """Return one flag's paragraph."""
    placeholder, usage = flag.unquote_usage()
    head = f"  -{flag.name}" + (f"=<{placeholder}>" if placeholder else "")
    return f"{head}\n{wrap(usage)}\n\n"


def flags_text(flags: FlagSet, api_names: Iterable[str]) -> str:
    """Return the two option blocks: those of the HTTP API, then the command's own."""
    api = [name for name in sorted(flags.flags) if name in set(api_names)]
    own = [name for name in sorted(flags.flags) if name not in set(api_names)]
    parts = []
    if api:
        parts.append("HTTP API Options\n\n" + "".join(flag_text(flags.flags[name]) for name in api))
    if own:
        parts.append("Command Options\n\n" + "".join(flag_text(flags.flags[name]) for name in own))
    return "".join(parts)


def page(usage: str, body: str, options: str) -> str:
    """Assemble a help page from its usage line, prose and options."""
    parts = [f"Usage: {usage}\n"]
    if body:
        parts.append(f"\n{body.strip(chr(10))}\n")
    if options:
        parts.append("\n" + options.rstrip("\n") + "\n")
    return "".join(parts)


def command_list(title: str, commands: Sequence[tuple[str, str]]) -> str:
    """Return the block which lists subcommands with one line about each."""
    width = max((len(name) for name, _ in commands), default=0)
    lines = [f"    {name.ljust(width)}    {synopsis}\n" for name, synopsis in sorted(commands)]
    return f"{title}:\n" + "".join(lines)
