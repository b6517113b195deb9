"""What differs between any two runs, replaced by names, so that the rest can be compared exactly."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from support.harness import Agent, Reply
from support.scenarios import Rule

# Hop-by-hop headers and those that repeat the body's length or the clock.
IGNORED_HEADERS = frozenset({"date", "content-length", "transfer-encoding"})
# Of newer releases than the reference: that a list was filtered, and what holds where no rule says anything.
NEWER_HEADERS = frozenset({"x-consul-results-filtered-by-acls", "x-consul-default-acl-policy"})

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INDEX = re.compile(
    r'("(?:Create|Modify)Index": ?|current modify index |reset index: |X-Consul-Index: |"Index": ?)(\d+)'
)
_CLOCK = re.compile(r'("LTime": ?|"Timestamp": ?|"CreateTime": ?(?!"0001)|"ExpirationTime": ?|Age: )"?[^,"\n]+"?')
_HASH = re.compile(r'("Hash": ?)"[^"]+"')
# What ours says of a denial beyond the reference's words (`proconsul.features.acl.denials`): in JSON, and in a line.
_DENIED_JSON = re.compile(r'("Permission denied): (?:token with AccessorID|anonymous token)(?:[^"\\\n]|\\.)*"')
_DENIED = re.compile(
    r"(Permission denied(?:: Missing .*?)?): (?:token with AccessorID|anonymous token).*?(?=\)?$)", re.M
)
_CONTACT = re.compile(r"(X-Consul-Lastcontact: )\d+")


def short_denials(text: str) -> str:
    """``text`` with denials as short as the reference's."""
    return _DENIED.sub(r"\1", _DENIED_JSON.sub(r'\1"', text))


class Names:
    """The changing values of one side: its ports, what a scenario captured, and what it had written by ``started``.

    An agent's own sync and the leader's reconcile both write the agent's node, service and health, in either order, in
    either program: which of the indexes of its start belongs to what says nothing, so all of them count as one.
    """

    def __init__(self, agent: Agent, started: int = 0) -> None:
        self.started = started
        self._ports = {str(port): f"<port {name}>" for name, port in agent.ports.items()}
        self._port = re.compile(r"\b(" + "|".join(self._ports) + r")\b")
        self.values: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Captured identifiers by their name, other UUIDs and ports by their kind."""
        for name, value in self.values.items():
            if _UUID.fullmatch(value):
                text = text.replace(value, f"<{name}>")
        text = _UUID.sub("<uuid>", text)
        return self._port.sub(lambda match: self._ports[match[1]], text)


def _ranks(text: str, started: int) -> str:
    """Replace indexes by their order within the answer: equal ones stay equal, later ones later. Those of the agent's
    start are one; 0 and 1 are no entries of the log, but what there is none for."""

    def index(match: re.Match[str]) -> int:
        value = int(match[2])
        return max(value, started) if value > 1 else value

    order = {value: rank for rank, value in enumerate(sorted({index(match) for match in _INDEX.finditer(text)}), 1)}
    return _INDEX.sub(lambda match: f"{match[1]}<index {order[index(match)]}>", text)


def _sorted_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted_lists(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_sorted_lists(item) for item in value]
        return sorted(items, key=_order)
    return value


def _order(item: Any) -> tuple[str, list[int]]:
    """By what does not change from run to run, then by the order in which things were written."""
    text = json.dumps(item)
    return _INDEX.sub(r"\1", _UUID.sub("", text)), [int(match[2]) for match in _INDEX.finditer(text)]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__ if not isinstance(value, (int, float)) or isinstance(value, bool) else "number"


def normal(reply: Reply, names: Names, rules: set[Rule]) -> str:
    """Status line, headers and body of an answer as comparable text."""
    ignored = IGNORED_HEADERS | NEWER_HEADERS
    headers = sorted(f"{key}: {value}" for key, value in reply.headers if key.lower() not in ignored)
    body = reply.body
    if reply.header("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    text = body.decode("utf-8", "backslashreplace")
    if Rule.UNORDERED in rules:
        text = json.dumps(_sorted_lists(json.loads(names.hide(text))), indent=4)
    elif Rule.SHAPE in rules:
        text = json.dumps(_shape(json.loads(text)), indent=4)
    elif Rule.STATUS_ONLY in rules:
        text = ""
    whole = "\n".join([f"status {reply.status}", *headers, "", short_denials(text)])
    whole = _CLOCK.sub(r"\1<clock>", _CONTACT.sub(r"\1<contact>", names.hide(whole)))
    if Rule.LOOSE_HASH in rules:
        whole = _HASH.sub(r"\1<hash>", whole)
    return _INDEX.sub(r"\1<index>", whole) if Rule.LOOSE_INDEX in rules else _ranks(whole, names.started)
