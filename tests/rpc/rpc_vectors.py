"""Bytes captured from the original's RPC port, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_ALL = {v["id"]: v for v in json.loads((Path(__file__).parent / "rpc_vectors.json").read_text())["vectors"]}


def names(suffix: str) -> list[str]:
    """The captured calls: ids ending with ``suffix`` ("-req" or "-resp")."""
    return [name for name in _ALL if name.startswith("rpc-") and name.endswith(suffix)]


def wire(name: str) -> bytes:
    return bytes.fromhex(_ALL[name]["hex"])


def decoded(name: str) -> Any:
    return _bytes_of(_ALL[name]["decoded"])


def _bytes_of(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["$hex"]) if set(value) == {"$hex"} else {k: _bytes_of(v) for k, v in value.items()}
    return [_bytes_of(item) for item in value] if isinstance(value, list) else value
