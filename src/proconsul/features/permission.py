"""Who may do what, as the gate and endpoints ask it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

from proconsul.engine.store.watch import WatchSet

# A read, a write, or what is neither.
Method = Any


class Visible(NamedTuple):
    """What of a value is shown, and whether something was left out."""

    value: Any
    removed: bool


class Permission(Protocol):
    """Who may do what. ``unlimited``: everybody everything, so that nobody need be asked."""

    @property
    def unlimited(self) -> bool: ...

    def admit(self, method: Method, args: Any, token: str) -> Hashable:
        """Raise ConsulError when whoever has ``token`` may not call ``method`` at all.

        Returns who asks, as far as a read's answer depends on that: those who are shown the same are equal, and None
        is whoever is shown what everybody is who may ask.
        """

    def watch(self, token: str, watch: WatchSet) -> None:
        """Have ``watch`` hear of changes of what ``token`` may do."""

    def abroad(self, token: str) -> str:
        """What a call that leaves this datacenter carries of ``token``: nothing of one that counts only here."""

    def lasts(self, token: str) -> bool:
        """Whether what ``token`` may do changes only when a watch hears of it: it does not expire."""

    def visible(self, method: Method, value: Any, sees: Any) -> Visible:
        """What of a read's value is shown to those who are ``sees`` to `admit`, which was not None."""

    def may_operate(self, op: Any, token: str) -> bool:
        """Whether ``token`` may do one operation of a transaction (`TxnOp`). Raises what resolving it raises."""

    def why_not(self, op: Any, token: str) -> str:
        """What to tell ``token``, which may not do one operation of a transaction."""

    def show_transaction(self, reply: Any, token: str) -> Any:
        """What of the reply to a transaction that wrote (`TxnResponse`) is shown to ``token``."""


class AllowEverything:
    """No access control."""

    unlimited = True

    def admit(self, method: Method, args: Any, token: str) -> Hashable:
        return None

    def watch(self, token: str, watch: WatchSet) -> None:
        return

    def abroad(self, token: str) -> str:
        return token

    def lasts(self, token: str) -> bool:
        return True

    def visible(self, method: Method, value: Any, sees: Any) -> Visible:
        return Visible(value, False)

    def may_operate(self, op: Any, token: str) -> bool:
        return True

    def why_not(self, op: Any, token: str) -> str:
        raise AssertionError("everybody may do everything")

    def show_transaction(self, reply: Any, token: str) -> Any:
        return reply
