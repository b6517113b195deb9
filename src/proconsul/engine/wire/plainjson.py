"""JSON as Python reads it, from files and programs that may hold anything."""

from __future__ import annotations

import json
from typing import Any


def loads(data: str | bytes) -> Any:
    """As ``json.loads``. Raises ValueError for whatever is wrong, also for what is nested too deeply to be read."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
