"""Fixtures of the tests of logins and of what newer releases have."""

from __future__ import annotations

from login_world import certificate, stack, world

__all__ = ["certificate", "stack", "world"]
