"""Who may do what. Endpoints ask an `Authorizer`; with access control off everything is allowed."""

from __future__ import annotations

from typing import Protocol


class Authorizer(Protocol):
    """Answers permission questions for one token."""

    # Distinguishes answers that were filtered for different tokens.
    view_key: str

    def key_read(self, key: str) -> bool: ...
    def key_write(self, key: str) -> bool: ...
    def node_read(self, node: str) -> bool: ...
    def node_write(self, node: str) -> bool: ...
    def service_read(self, service: str) -> bool: ...
    def service_write(self, service: str) -> bool: ...
    def session_read(self, node: str) -> bool: ...
    def session_write(self, node: str) -> bool: ...
    def event_read(self, name: str) -> bool: ...
    def event_write(self, name: str) -> bool: ...
    def agent_read(self, node: str) -> bool: ...
    def agent_write(self, node: str) -> bool: ...
    def operator_read(self) -> bool: ...
    def operator_write(self) -> bool: ...


class AllowAll:
    """The authorizer of a datacenter without access control."""

    view_key = ""

    def _yes(self, name: str = "") -> bool:
        return True

    key_read = key_write = node_read = node_write = service_read = service_write = _yes
    session_read = session_write = event_read = event_write = agent_read = agent_write = _yes

    def operator_read(self) -> bool:
        return True

    def operator_write(self) -> bool:
        return True


ALLOW_ALL = AllowAll()
