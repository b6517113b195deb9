"""A reference agent with access control, and tokens made of rules."""

from __future__ import annotations

import itertools
import json
from typing import Any

from support.harness import Agent

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
ACL_ON = (
    'acl { enabled = true default_policy = "deny" enable_key_list_policy = true tokens { master = "' + ROOT + '" } }'
)
_numbers = itertools.count()


def call(agent: Agent, method: str, target: str, body: Any = None, token: str = ROOT) -> Any:
    data = None if body is None else json.dumps(body).encode()
    client = agent.client()
    try:
        return client.call(method, target, data, [("X-Consul-Token", token)] if token else [])
    finally:
        client.close()


def token_of(agent: Agent, policies: list[str]) -> str:
    """The secret of a new token with a new policy for each of these rules."""
    links = []
    for rules in policies:
        name = f"p{next(_numbers)}"
        reply = call(agent, "PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        assert reply.status == 200, reply.text
        links.append({"Name": name})
    reply = call(agent, "PUT", "/v1/acl/token", {"Policies": links})
    assert reply.status == 200, reply.text
    secret: str = reply.json()["SecretID"]
    return secret
