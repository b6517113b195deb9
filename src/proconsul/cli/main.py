"""Entry point of the ``proconsul`` program (it works under the name ``consul`` too)."""

from __future__ import annotations

import os
import sys

from proconsul import early_signals
from proconsul.cli import registry
from proconsul.cli.output import Ui

_HELP = frozenset({"-h", "-help", "--help"})
_VERSION = frozenset({"-v", "-version", "--version"})
_INSTALL = frozenset({"-autocomplete-install", "--autocomplete-install"})
_UNINSTALL = frozenset({"-autocomplete-uninstall", "--autocomplete-uninstall"})

# What Consul ends with when it does not know the command.
EXIT_UNKNOWN_COMMAND = 127
# Conventional code for a program ended by Ctrl-C.
EXIT_INTERRUPTED = 130


class Invocation:
    """A command line taken apart: which command, its arguments, and what was asked about it."""

    def __init__(self, arguments: list[str]) -> None:
        self.command = ""
        self.rest: list[str] = []
        self.help = False
        self.version = False
        self.install = False
        self.uninstall = False
        self.top_flags: list[str] = []
        self._parse(arguments)

    def _parse(self, arguments: list[str]) -> None:
        for position, argument in enumerate(arguments):
            if argument == "--":
                break
            if argument in _HELP:
                self.help = True
                continue
            if self.command:
                continue
            if argument in _VERSION:
                self.version = True
            elif argument in _INSTALL:
                self.install = True
            elif argument in _UNINSTALL:
                self.uninstall = True
            elif argument.startswith("-"):
                self.top_flags.append(argument)
            else:
                self.command, self.rest = registry.longest(arguments[position:])


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    ``argv`` is the command line without the program's name; ``None`` takes the process's own.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    ui = Ui()
    if arguments[:1] == ["agent"]:
        early_signals.hold()
    try:
        if os.environ.get("COMP_LINE") is not None:
            from proconsul.cli import complete

            return complete.answer(os.environ["COMP_LINE"], ui)
        return _dispatch(Invocation(arguments), ui)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader went away (``| head``); Python must not complain again while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _dispatch(invocation: Invocation, ui: Ui) -> int:
    if invocation.version and not invocation.command:
        return registry.load("version", ui).run([])
    if invocation.install or invocation.uninstall:
        from proconsul.cli import complete

        return complete.install(ui) if invocation.install else complete.uninstall(ui)
    if invocation.help and not invocation.command:
        ui.out(registry.overview())
        return 0
    if not registry.exists(invocation.command):
        ui.error(registry.overview())
        return EXIT_UNKNOWN_COMMAND
    command = registry.load(invocation.command, ui)
    if invocation.help:
        ui.out(command.help())
        return 0
    if invocation.top_flags:
        ui.error(
            "Invalid flags before the subcommand. If these flags are for\n"
            "the subcommand, please put them after the subcommand.\n\n"
            f"{command.help()}"
        )
        return 1
    return command.run(invocation.rest)
