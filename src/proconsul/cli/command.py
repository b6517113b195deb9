"""What every command shares: flags, help page, the API client, and how failures become text and exit codes."""

from __future__ import annotations

import sys
from enum import IntFlag
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from proconsul.cli import help as help_page
from proconsul.cli.flags import FlagError, FlagSet
from proconsul.cli.output import Ui

if TYPE_CHECKING:
    from proconsul.cli.api import Client
    from proconsul.cli.flags import Flag

# A path and its synopsis, as listed on a group's help page.
Listing = list[tuple[str, str]]


class Api(IntFlag):
    """Which groups of HTTP flags a command takes."""

    NONE = 0
    CLIENT = 1
    SERVER = 2
    NAMESPACE = 4


CLIENT_AND_SERVER = Api.CLIENT | Api.SERVER
EVERYTHING = CLIENT_AND_SERVER | Api.NAMESPACE


class Failure(Exception):
    """The command cannot go on: ``str()`` goes to standard error and the process ends with ``code``."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class ShowHelp(Exception):
    """The command line names no work: the help page goes to standard error, after ``str()`` if there is any."""


class explain:
    """Turn an :class:`~proconsul.cli.api.ApiError` in its block into a :class:`Failure` with a prefix."""

    def __init__(self, prefix: str, suffix: str = "", code: int = 1) -> None:
        self._prefix = prefix
        self._suffix = suffix
        self._code = code

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            return
        from proconsul.cli.api import ApiError

        if isinstance(error, ApiError):
            raise Failure(f"{self._prefix}{error}{self._suffix}", self._code) from error


_CLIENT_FLAGS = (
    (
        "ca-file",
        "File with the CA certificates that TLS connections to Consul are checked against. Falls "
        "back to the CONSUL_CACERT environment variable.",
    ),
    (
        "ca-path",
        "Directory with the CA certificates that TLS connections to Consul are checked against. "
        "Falls back to the CONSUL_CAPATH environment variable.",
    ),
    (
        "client-cert",
        "Client certificate file for agents which verify incoming connections. Falls back to the "
        "CONSUL_CLIENT_CERT environment variable.",
    ),
    ("client-key", "Key file that belongs to -client-cert. Falls back to the CONSUL_CLIENT_KEY environment variable."),
    (
        "http-addr",
        "The `address` and port of the agent's HTTP API: host:port, http://, https:// or unix://. "
        "Falls back to the CONSUL_HTTP_ADDR environment variable, then to http://127.0.0.1:8500. Set "
        "CONSUL_HTTP_SSL=true to speak HTTPS.",
    ),
    (
        "tls-server-name",
        "Name to ask for (SNI) and to verify in TLS connections. Falls back to the "
        "CONSUL_TLS_SERVER_NAME environment variable.",
    ),
    (
        "token",
        "ACL token to send. Falls back to the CONSUL_HTTP_TOKEN environment variable, then to the "
        "agent's own default token.",
    ),
    (
        "token-file",
        "File to read the ACL token from, instead of -token. Falls back to the "
        "CONSUL_HTTP_TOKEN_FILE environment variable.",
    ),
)
_DATACENTER = "Datacenter to ask. Without it, the datacenter of the agent answers."
_STALE = "Let any server answer reads, not only the leader: faster, but the answer can be old. Default: false."
_NAMESPACE = "Namespace to ask, a Consul Enterprise feature. Without it, the token decides, else the `default` one."
_API_NAMES = frozenset({name for name, _ in _CLIENT_FLAGS} | {"datacenter", "stale"})


class Command:
    """One command.  Subclasses set ``usage``, ``body`` and ``api`` and write ``define`` and ``execute``."""

    usage: ClassVar[str] = ""
    body: ClassVar[str] = ""
    api: ClassVar[Api] = Api.NONE
    usage_error_code: ClassVar[int] = 1
    # Some commands name a wrong flag once more after Go's own report.
    usage_error_prefix: ClassVar[str] = ""

    def __init__(self, ui: Ui | None = None) -> None:
        self.ui = ui or Ui()
        self.flags = FlagSet()
        self.define(self.flags)
        self._client_flags: dict[str, Flag[str | None]] = {}
        if self.api & Api.CLIENT:
            for name, usage in _CLIENT_FLAGS:
                self._client_flags[name] = self.flags.optional_string(name, usage)
        if self.api & Api.SERVER:
            self._datacenter = self.flags.optional_string("datacenter", _DATACENTER)
            self._stale = self.flags.optional_boolean("stale", _STALE)
        if self.api & Api.NAMESPACE:
            self._namespace = self.flags.optional_string("namespace", _NAMESPACE)

    def define(self, flags: FlagSet) -> None:
        """Register the command's own flags."""

    def execute(self, args: list[str]) -> int:
        """Do the work with the arguments left after the flags; return the exit code."""
        raise AssertionError(f"{type(self).__name__} does not say what it does")

    def help(self) -> str:
        """Return the help page."""
        return help_page.page(self.usage, self.body, help_page.flags_text(self.flags, _API_NAMES))

    def run(self, arguments: list[str]) -> int:
        """Parse the command line and execute; never raises for operating errors."""
        try:
            self.flags.parse(arguments)
        except FlagError as error:
            self.ui.error(f"{error}\nUsage:\n{self.flags.defaults_text()}".rstrip("\n"))
            if self.usage_error_prefix:
                self.ui.error(f"{self.usage_error_prefix}{error}")
            return self.usage_error_code
        try:
            return self.execute(self.flags.args)
        except Failure as failure:
            self.ui.error(str(failure))
            return failure.code
        except ShowHelp as wish:
            if str(wish):
                self.ui.error(f"{wish}\n")
            self.ui.error(self.help())
            return 1

    def client(self) -> Client:
        """Return the API client the flags and the environment ask for; raises :class:`Failure`."""
        from proconsul.cli.api import ApiError, Client
        from proconsul.client.settings import ClientConfig

        config = ClientConfig()
        given = {name: flag.value for name, flag in self._client_flags.items() if flag.value is not None}
        config.address = given.get("http-addr", config.address)
        config.token = given.get("token", config.token)
        config.token_file = given.get("token-file", config.token_file)
        config.ca_file = given.get("ca-file", config.ca_file)
        config.ca_path = given.get("ca-path", config.ca_path)
        config.client_cert = given.get("client-cert", config.client_cert)
        config.client_key = given.get("client-key", config.client_key)
        config.tls_server_name = given.get("tls-server-name", config.tls_server_name)
        if self.api & Api.SERVER:
            config.datacenter = self._datacenter.value or ""
            config.stale = bool(self._stale.value)
        if self.api & Api.NAMESPACE and self._namespace.value is not None:
            config.namespace = self._namespace.value
        try:
            return Client(config)
        except ApiError as error:
            raise Failure(f"Error connecting to Consul agent: {error}") from None

    def too_many(self, args: list[str], expected: int) -> None:
        """Refuse more than ``expected`` arguments; raises :class:`Failure`."""
        if len(args) > expected:
            raise Failure(f"Too many arguments (expected {expected}, got {len(args)})")


def read_argument(text: str, stdin_allowed: bool = True) -> str:
    """Return an argument's data: ``@file``, ``-`` for standard input, or the text itself.

    Raises :class:`Failure` with the bare text of ``Failed to read file: open x: ...``; callers add their prefix.
    """
    from proconsul.engine.wire.goerrors import path_error

    if not text:
        return ""
    if text[0] == "@":
        try:
            with open(text[1:], "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise Failure(f"Failed to read file: {path_error('open', text[1:], error)}") from None
    if text == "-" and stdin_allowed:
        return read_stdin()
    return text[1:] if text.startswith(("\\@", "\\-")) else text


def read_stdin() -> str:
    """Return all of standard input, undecodable bytes kept."""
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        return sys.stdin.read()
    data = binary.read()
    assert isinstance(data, bytes)
    return data.decode("utf-8", "surrogateescape")


class CommandGroup(Command):
    """A command which only has subcommands."""

    children: Listing
    path: tuple[str, ...]

    def __init__(self, path: tuple[str, ...], usage: str, body: str, children: Listing, ui: Ui | None = None) -> None:
        self.path = path
        self.children = children
        self._usage = usage
        self._body = body
        super().__init__(ui)

    def help(self) -> str:
        """Return the help page with the list of subcommands."""
        body = self._body.strip("\n") + "\n\n" if self._body else ""
        listing = help_page.command_list("Subcommands", self.children)
        return f"Usage: {self._usage}\n\n{body}{listing}"

    def run(self, arguments: list[str]) -> int:
        """A group alone does nothing: it shows its help page and fails."""
        self.ui.error(self.help())
        return 1
