"""Write the manual page, proconsul.1, from the command table: ``make man``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from proconsul.cli import registry

ABOUT = (
    "proconsul runs agents, which form a cluster, and asks them. It is compatible with Consul: its agents and Consul's"
    " are members of one cluster, and each understands the other's commands. With the name consul it takes the place of"
    " that program in scripts."
)
VARIABLES = (
    ("CONSUL_HTTP_ADDR", "The agent's address: host:port, http://, https:// or unix://."),
    ("CONSUL_HTTP_TOKEN, CONSUL_HTTP_TOKEN_FILE", "The token to send, or a file with it."),
    ("CONSUL_HTTP_SSL, CONSUL_HTTP_SSL_VERIFY", "Whether to speak HTTPS, and to check the agent's certificate."),
    ("CONSUL_CACERT, CONSUL_CAPATH, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME",
     "Files and name for HTTPS."),
    ("CONSUL_NAMESPACE", "The namespace to ask, which only Consul Enterprise has."),
)  # fmt: skip


def escaped(text: str) -> str:
    """Text as roff takes it: hyphens as they are typed, and no line that is a request."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)


def pages() -> Iterator[str]:
    """One section for each command, as its help says."""
    for name in sorted(registry.COMMANDS):
        yield f".SS {escaped(name)}"
        yield escaped(registry.COMMANDS[name][2]) + "."
        yield ".PP\n.nf"
        yield escaped(registry.load(name).help().strip("\n"))
        yield ".fi"


def page() -> str:
    """The whole manual page."""
    parts = [
        '.TH PROCONSUL 1 "" "proconsul" "User Commands"', ".SH NAME",
        "proconsul \\- service networking compatible with Consul", ".SH SYNOPSIS", ".B proconsul",
        ".I command", "[options] [arguments]", ".SH DESCRIPTION", escaped(ABOUT), ".SH COMMANDS", *pages(),
        ".SH ENVIRONMENT",
    ]  # fmt: skip
    for names, meaning in VARIABLES:
        parts += [".TP", f".B {escaped(names)}", escaped(meaning)]
    parts += [".SH EXIT STATUS", "0 for success, 1 for an error, 2 where the command says so,",
              "127 for a command that is not known, 130 after Ctrl\\-C."]  # fmt: skip
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
