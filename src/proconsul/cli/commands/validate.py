"""``consul validate``."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from proconsul.cli.command import Command, Failure
from proconsul.cli.flags import FlagSet


class ValidatesPaths(Protocol):
    """What the agent's configuration offers: the same reading and checking as an agent start."""

    def __call__(self, paths: list[str], config_format: str, quiet: bool) -> tuple[bool, str, list[str]]:
        """Return whether the configuration is good, the text to show, and the warnings."""


class Validate(Command):
    """Checks configuration files."""

    usage = "consul validate [options] FILE_OR_DIRECTORY..."
    body = """
  Reads configuration files as an agent would and reports what is wrong. Give
  all files of an agent at once, because they are checked together.
"""

    def define(self, flags: FlagSet) -> None:
        self.config_format = flags.string(
            "config-format", "Format of the files, whatever their extension: 'hcl' or 'json'."
        )
        self.quiet = flags.boolean("quiet", "Print nothing when all is well.")

    def execute(self, args: list[str]) -> int:
        if not args:
            raise Failure("Must specify at least one config file or directory")
        if self.config_format.value not in ("", "json", "hcl"):
            raise Failure("-config-format must be either 'hcl' or 'json")
        module = import_module("proconsul.agent.config")
        validate_paths = cast(ValidatesPaths, module.validate_paths)
        good, text, warnings = validate_paths(args, self.config_format.value, self.quiet.value)
        if not good:
            raise Failure(text)
        for warning in warnings:
            self.ui.error(warning)
        if text and not self.quiet.value:
            self.ui.out(text)
        return 0
