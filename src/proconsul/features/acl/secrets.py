"""How secrets are told apart, for all who do: nobody may learn one from how long a refusal takes; pure.

Two are compared by `same_secret` and never by ``==``. Many are looked up in a dictionary or set: its hashes are keyed
with a secret of this process (PEP 456), and texts are compared only where all bits of their hashes are the same.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable


def same_secret(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that depends on nothing but their lengths."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def among_secrets(secret: str, others: Iterable[str]) -> bool:
    """Whether ``secret`` is one of ``others``; all of them are looked at."""
    return sum(same_secret(secret, other) for other in others) > 0
