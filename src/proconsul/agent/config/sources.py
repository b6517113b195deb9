"""Where configuration comes from: files, directories and ``-hcl`` fragments.

Source: configuration reference, "Configuration Files" (suffixes, order) and the ``-config-format`` flag.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from proconsul.agent.config.decode import Values, decode_config
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.schema import CONFIG
from proconsul.engine.wire.goerrors import path_error

__all__ = ["CONTROLS", "FORMATS", "Source", "as_in_file", "parse", "read_paths"]

# What `load` takes beside the keys of files.
CONTROLS: Final = frozenset({"config_files", "hcl", "config_format", "dev"})

FORMATS: Final = ("hcl", "json")

# 64 MiB for one file: thousands of service definitions; more is a wrong path.
_FILE_BYTES_MAX: Final = 64 * 1024 * 1024


class Source(NamedTuple):
    """One text with its name and format (``hcl`` or ``json``)."""

    name: str
    format: str
    text: str


def _format_of(name: str, forced: str) -> str:
    if forced:
        return forced
    suffix = os.path.splitext(name)[1]
    return suffix[1:] if suffix in (".hcl", ".json") else ""


def _read(path: str, format_: str) -> Source:
    try:
        with open(path, "rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"config: ReadFile failed on {path}: {path_error('open', path, error)}") from None
    if len(data) > _FILE_BYTES_MAX:
        raise ConfigError(f"config: ReadFile failed on {path}: larger than {_FILE_BYTES_MAX} bytes")
    # Bytes that are no UTF-8 are refused in HCL, with their place, and replaced in JSON, as in Go.
    return Source(path, format_, data.decode("utf-8", "surrogateescape" if format_ == "hcl" else "replace"))


def read_paths(paths: Sequence[str], forced_format: str = "") -> tuple[list[Source], list[str]]:
    """Read files and directories in order; return the sources and the warnings about skipped files.

    A directory is read by name and not below. Raises ConfigError for what cannot be opened.
    """
    sources: list[Source] = []
    warnings: list[str] = []
    for path in paths:
        try:
            names = sorted(os.listdir(path)) if os.path.isdir(path) else None
            if names is None:
                os.stat(path)
        except OSError as error:
            raise ConfigError(f"config: Open failed on {path}. {path_error('open', path, error)}") from None
        files = [path] if names is None else [os.path.join(path, name) for name in names]
        for file in files:
            if names is not None and os.path.isdir(file):
                continue
            format_ = _format_of(file, forced_format)
            if format_:
                sources.append(_read(file, format_))
            else:
                warnings.append(f"skipping file {file}, extension must be .hcl or .json, or config format must be set")
    return sources, warnings


def parse(source: Source) -> Values:
    """Decode one source. Raises ConfigError naming it. An empty text is an empty configuration."""
    if not source.text:
        return {}
    try:
        raw = _parse_json(source.text) if source.format == "json" else _parse_hcl(source.text)
        return decode_config(CONFIG, raw)
    except ConfigError as error:
        raise ConfigError(f"failed to parse {source.name}: {error}") from None


def _parse_hcl(text: str) -> dict[str, object]:
    from proconsul.engine.wire.hcl1 import HclError, parse_hcl1

    try:
        return parse_hcl1(text)
    except HclError as error:
        raise ConfigError(str(error)) from None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _parse_json(text: str) -> dict[str, object]:
    """One JSON object as Go reads it: every number is a float; ``null`` is an empty object."""
    too_large: list[str] = []

    def number(text: str) -> float:
        found = float(text)
        if math.isinf(found):
            too_large.append(text)
        return found

    try:
        value = json.loads(text, parse_int=number, parse_float=number, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ConfigError(_json_fault(text)) from None
    if too_large:
        raise ConfigError(f"json: cannot unmarshal number {too_large[0]} into Go value of type float64")
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    kinds = {list: "array", str: "string", bool: "bool"}
    kind = kinds.get(type(value), "number")
    raise ConfigError(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")


def _json_fault(text: str) -> str:
    """Go's wording for a whole text which must hold one value."""
    from proconsul.engine.wire.gojson_scan import explain_syntax

    end = "unexpected end of JSON input"
    if not text.strip():
        return end
    fault = explain_syntax(text)
    if fault is not None:
        return end if fault in ("EOF", "unexpected EOF") else fault
    try:
        start = len(text) - len(text.lstrip())
        _, stop = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return "exceeded max depth"
    rest = text[stop:].lstrip(" \t\r\n")
    shown = {"'": "'\\''", '"': "'\"'"}.get(rest[:1], f"'{rest[:1]}'")
    return f"invalid character {shown} after top-level value"


def as_in_file(settings: Mapping[str, Any]) -> Values:
    """Settings of a program as a file with them would give them: paths are texts, and whole numbers are whole.

    `CONTROLS` stay as they are. Raises ConfigError for keys that no configuration has, and for values that no file
    can have.
    """
    keys = {key: value for key, value in settings.items() if key not in CONTROLS}
    try:
        text = json.dumps(keys, default=_text_of_path)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"failed to parse settings: {error}") from None
    return {key: value for key, value in settings.items() if key in CONTROLS} | parse(Source("settings", "json", text))


def _text_of_path(value: object) -> str:
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise TypeError(f"a value of type {type(value).__name__} is none that settings have")
