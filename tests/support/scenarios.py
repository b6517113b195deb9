"""Scenario files: HTTP requests as data.

A file holds scenarios; each is a title, notes and requests in order::

    ### Locks change hands [KV-07]
    # Notes begin with a hash.
    PUT /v1/session/create {"LockDelay":"2s"}
      > one = $.ID                    keep a value of the JSON answer as ${one}
      + X-Name: value                 send a header
    PUT /v1/kv/lock?acquire=${one} first
    PUT /v1/kv/lock?acquire=${one}
      < A * 600                       a body made by repetition (for anything large), or
      < [ | 1, * 64 | 1]              with something before and after it
      ~ unordered                     treatment of the answer, see `Rule`
      ? text                          repeat a read until both answers, without their spaces, hold the text

What follows the target on the request's line is the body, with ``${name}`` replaced.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Rule(enum.Enum):
    """How an answer is treated before it is compared."""

    UNORDERED = "unordered"  # sort every list of the JSON body
    SETTLE = "settle"  # repeat a read until the two answers agree: its subject is updated in the background
    LOOSE_INDEX = "loose-index"  # indexes count unrelated background writes as well: do not compare their order
    LOOSE_HASH = "loose-hash"  # the hash is of ids that were chosen at random
    STATUS_ONLY = "status-only"  # the body differs by nature (measurements)
    SHAPE = "shape"  # compare names and types of the JSON body, not its values


@dataclass
class Step:
    """One request and what to do with its answer."""

    line: int
    method: str
    target: str
    body: bytes | None
    headers: list[tuple[str, str]] = field(default_factory=list)
    captures: list[tuple[str, str]] = field(default_factory=list)
    rules: set[Rule] = field(default_factory=set)
    awaited: str = ""

    def __str__(self) -> str:
        shown = (self.body or b"")[:160].decode("utf-8", "backslashreplace")
        return f"{self.method} {self.target} {shown}".rstrip()


@dataclass
class Scenario:
    """A title and requests in order."""

    file: str
    title: str
    steps: list[Step] = field(default_factory=list)


_REQUEST = re.compile(r"^(?P<method>[A-Z]+) (?P<target>\S+)(?: (?P<body>.*))?$")
_REPEAT = re.compile(r"^(?P<text>.*) \* (?P<count>\d+)$")
_BODIED = frozenset({"PUT", "POST", "PATCH"})


def load(path: Path) -> list[Scenario]:
    """Read one file. Raises ValueError naming the line that cannot be understood."""
    found: list[Scenario] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or (line.startswith("#") and not line.startswith("###")):
            continue
        try:
            _line(found, path.stem, number, line)
        except (ValueError, IndexError, AssertionError) as error:
            raise ValueError(f"{path.name}:{number}: {line!r}: {error}") from error
    return found


def _line(found: list[Scenario], file: str, number: int, line: str) -> None:
    if line.startswith("### "):
        found.append(Scenario(file, line[4:].strip()))
        return
    steps = found[-1].steps
    if not line.startswith("  "):
        match = _REQUEST.match(line)
        assert match is not None, "not a request"
        method, text = match["method"], match["body"]
        body = text.encode() if text is not None else b"" if method in _BODIED else None
        steps.append(Step(number, method, match["target"], body))
        return
    step = steps[-1]
    sign, _, rest = line.strip().partition(" ")
    if sign == ">":
        name, _, path = rest.partition(" = ")
        step.captures.append((name.strip(), path.strip()))
    elif sign == "+":
        name, _, value = rest.partition(": ")
        step.headers.append((name, value))
    elif sign == "~":
        step.rules.add(Rule(rest))
    elif sign == "?":
        step.awaited = rest
    elif sign == "<":
        before, after = "", ""
        if " | " in rest:
            before, rest, after = rest.split(" | ")
        match = _REPEAT.match(rest)
        assert match is not None, "a repeated body reads: < text * count, or < before | text * count | after"
        step.body = (before + match["text"] * int(match["count"]) + after).encode()
    else:
        raise ValueError("unknown sign")


def fill(text: str, values: dict[str, str]) -> str:
    """Replace ``${name}``."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], "<not captured>"), text)


def pick(path: str, body: bytes, headers: dict[str, str]) -> str:
    """The value at ``$.a[0].b`` of the JSON body, or of ``header Name``."""
    if path.startswith("header "):
        return headers[path[7:].lower()]
    value: Any = json.loads(body)
    for key, position in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        value = value[int(position)] if position else value[key]
    return str(value)
