"""The types of auth methods, by name. One is imported with the first method of it: most agents have none."""

from __future__ import annotations

from importlib import import_module

from proconsul.features.acl.auth.common import Make

OIDC = "oidc"
# In the order in which they are named to whoever asks for another one.
TYPES = ("aws-iam", "jwt", "kubernetes", OIDC)
_MODULES = {"aws-iam": "aws"}


def maker(name: str) -> Make | None:
    """What makes a validator of the type ``name``; None when there is no such type."""
    if name not in TYPES:
        return None
    make: Make = import_module(f"proconsul.features.acl.auth.{_MODULES.get(name, name)}").make
    return make
