"""The page about the command line: every command with its flags, from the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proconsul.cli.command import Api, Command
from proconsul.cli.flags import Flag
from proconsul.cli.registry import COMMANDS, GROUPS, load
from reference.markdown import code, page, prose, table

_INTRO = """
`proconsul` takes the commands of `consul`, and a link with that name to it serves scripts that call `consul`. What
commands print is Consul's, to the letter; help texts are ours. A flag is `-name=value` or `-name value`; two dashes
are the same; switches take a value only after `=`. Every command ends with exit code 0 when all is well and 1 when it
is not, if nothing else is said. `-h` shows this page's part about a command.
"""
# The flags that come with a group, and a command that has them.
_COMMON = {
    Api.CLIENT: ("Of commands that call an agent", "-http-addr, -token, ..."),
    Api.SERVER: ("Of commands that servers answer", "-datacenter, -stale"),
    Api.NAMESPACE: ("Of namespaces", "-namespace"),
}


class _Probe(Command):
    """A command with one group of flags and nothing else."""


def _flags_of(group: Api) -> list[Flag[object]]:
    kind = type("_With", (_Probe,), {"api": group})
    return list(kind().flags.flags.values())


def _row(flag: Flag[object]) -> tuple[str, str, str]:
    placeholder, usage = flag.unquote_usage()
    default = flag.default
    shown = "" if default in (None, "", False, [], {}, 0) else str(default)
    shown = re.sub(r"\d{10}", "<now>", shown)  # of `debug`: when it was begun
    if flag.type_name == "duration" and isinstance(default, int) and default:
        shown = f"{default / 1e9:g}s"
    return code(f"-{flag.name}" + (f"={placeholder}" if placeholder else "")), prose(usage), code(shown)


def _flag_table(flags: list[Flag[object]]) -> str:
    return table(("Flag", "Meaning", "Default"), [_row(flag) for flag in sorted(flags, key=lambda flag: flag.name)])


def _commands() -> Iterator[str]:
    common = {flag.name for group in _COMMON for flag in _flags_of(group)}
    for name, (_, _, synopsis) in COMMANDS.items():
        command = load(name)
        parts = [f"## {name}", f"{synopsis}.", f"`{command.usage}`"]
        titles = [f"[{title[0].lower()}{title[1:]}](#{_anchor(title)})" for group, (title, _) in _COMMON.items()
                  if command.api & group]  # fmt: skip
        own = [flag for flag in command.flags.flags.values() if flag.name not in common or not titles]
        if own:
            parts.append(_flag_table(own))
        if titles:
            parts.append(f"And the flags {', '.join(titles)}.")
        yield "\n\n".join(parts)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def commands_page() -> str:
    """docs/reference/command-line.md."""
    listed = "\n".join(
        f"- `{name}`: {GROUPS[name][1][0].lower()}{GROUPS[name][1][1:]}" for name in GROUPS if " " not in name
    )
    common = [f"## {title}\n\n{_flag_table(_flags_of(group))}" for group, (title, _) in _COMMON.items()]
    return page("Command line", _INTRO, ["Groups of commands:\n\n" + listed, *common, *_commands()])
