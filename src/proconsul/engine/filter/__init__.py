"""Filter expressions of list endpoints (HTTP API: filtering): ``Meta.env == qa and v1 in Tags``. Pure."""

from proconsul.engine.filter.compiler import compile_filter
from proconsul.engine.filter.errors import FilterError

__all__ = ["FilterError", "compile_filter"]
