"""One line per event, in the form that Consul Enterprise documents, with the decisions behind it; pure.

Never a secret and never a value: a token is its accessor, and neither bodies nor queries are told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from proconsul.engine.wire.gotime import from_unix_ns, to_rfc3339
from proconsul.features.acl.decisions import Decided

START, COMPLETE = "OperationStart", "OperationComplete"
# In place of a status: whoever asked did not wait for the answer.
LEFT = 0
_TEXT_MAX = 1024


class AuditedOperation(NamedTuple):
    """One request. ``accessor_id`` is empty for a token that this agent does not know; ``method``: how its owner logged
    in."""

    id: str
    operation: str
    endpoint: str
    remote_addr: str
    user_agent: str
    host: str
    accessor_id: str
    description: str
    method: str


def line(
    operation: AuditedOperation, stage: str, now_ns: int, status: int = 0, decided: Iterable[Decided] = ()
) -> bytes:  # fmt: skip
    """An event with its newline. ``status``: of the answer, when it is complete."""
    at = to_rfc3339(from_unix_ns(now_ns))
    payload: dict[str, Any] = {
        "id": operation.id, "version": "1", "type": "HTTPEvent", "timestamp": at,
        "auth": {
            "accessor_id": operation.accessor_id, "description": operation.description, "method": operation.method,
        },
        "request": {
            "operation": operation.operation, "endpoint": _cut(operation.endpoint),
            "remote_addr": operation.remote_addr, "user_agent": _cut(operation.user_agent),
            "host": _cut(operation.host),
        },
    }  # fmt: skip
    if stage == COMPLETE:
        payload["response"] = (
            {"status": str(status)} if status != LEFT else {"status": "", "error": "the client did not wait for it"}
        )
        payload["decisions"] = [_decision(one) for one in decided]
    payload["stage"] = stage
    event = {"created_at": at, "event_type": "audit", "payload": payload}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def _decision(one: Decided) -> dict[str, Any]:
    return {
        "access": f"{one.resource}:{one.access}", "name": _cut(one.name), "allowed": one.decision.allowed,
        "policy": one.decision.policy, "rule": "" if one.decision.rule is None else str(one.decision.rule),
    }  # fmt: skip


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX] + "..."
