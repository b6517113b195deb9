"""Definitions as the API reads them, checked as it checks them."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.agent.checks import RunnableCheck, runnable
from proconsul.engine.wire import gojson
from proconsul.features.catalog.definition import CheckType


def checked(fields: Mapping[str, object]) -> RunnableCheck:
    """Raises DefinitionError."""
    return runnable(gojson.from_plain(CheckType, dict(fields)))
