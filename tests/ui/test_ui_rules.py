"""What the page says of a policy's rules while they are typed, beside what the agent says when they are saved."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from proconsul.features.acl.rules import RuleError, parse_rules
from support.node import PAGE, require_node
from support.patience import PATIENCE_S

RESOURCES = [
    "key", "key_prefix", "service", "service_prefix", "node", "session_prefix", "agent", "event", "query_prefix", "KEY",
    "keyz", "namespace", "sentinel",
]  # fmt: skip
BARE = ["acl", "keyring", "operator", "mesh", "peering"]
LEVELS = ["read", "write", "deny", "list", "READ", "reed", "", "allow"]
NAMES = ["", "a", "a/b", "é", 'x\\"y', "${a}"]
_SCRIPT = """
import { parseRules } from "./lib/rules.js";
let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map((rules) => parseRules(rules))));
"""


def hcl_rule(chance: random.Random) -> str:
    level = chance.choice(LEVELS) if chance.random() < 0.3 else chance.choice(LEVELS[:3])
    if chance.random() < 0.2:
        return f'{chance.choice(BARE)} = "{level}"'
    resource, name, kind = chance.choice(RESOURCES), chance.choice(NAMES), chance.random()
    fields = f'policy = "{level}"'
    if chance.random() < 0.15:
        fields += chance.choice(["\n", " ", ", "]) + f'intentions = "{chance.choice(LEVELS)}"'
    if chance.random() < 0.1:
        fields = chance.choice(
            [fields + "\n foo = 5", 'intentions = "read"', f"policy = {level or 'x'}", 'policy = ["read"]']
        )
    if kind < 0.8:
        blank = chance.choice([" ", "\n"])
        return f'{resource} "{name}" {{{blank}{fields}{blank}}}'
    return chance.choice([
        f'{resource} "{name}" = {{ {fields} }}', f"{resource} {{ {fields} }}", f'{resource} "a" "b" {{ {fields} }}',
        "# a {", '// "', "/* { */", "}", "{", '"', "policy = 5", f'"{resource}" "{name}" {{ "policy" = "read" }}',
    ])  # fmt: skip


def json_rules(chance: random.Random) -> str:
    rules: dict[str, Any] = {}
    for _ in range(chance.randint(1, 3)):
        level, name = chance.choice(LEVELS), chance.choice(NAMES)
        body: Any = {"policy": level}
        rules[chance.choice(RESOURCES)] = chance.choice(
            [{name: body}, [{name: body}], {name: [body]}, [{name: body}, {"b": body}], {"a": {"Policy": level}}, body]
        )
        if chance.random() < 0.3:
            rules[chance.choice(BARE)] = level
    text = json.dumps(rules)
    return text[:-1] if chance.random() < 0.1 else text


def as_agent(text: str) -> list[tuple[Any, ...]] | None:
    """The rules, or None where they are refused."""
    try:
        return sorted(
            (rule.resource, rule.prefix, rule.name, rule.level.name.lower(),
             "" if rule.intentions is None else rule.intentions.name.lower())
            for rule in parse_rules(text)
        )  # fmt: skip
    except RuleError:
        return None


def test_the_page_understands_rules_as_the_agent_does(tmp_path: Path) -> None:
    # Older releases of node must be told that the files are modules.
    shutil.copytree(PAGE / "lib", tmp_path / "lib")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    chance = random.Random(15)
    texts = [
        json_rules(chance) if chance.random() < 0.25
        else chance.choice(["\n", " "]).join(hcl_rule(chance) for _ in range(chance.randint(1, 4)))
        for _ in range(1_500)
    ]  # fmt: skip
    done = subprocess.run(
        [require_node(), "--input-type=module", "--eval", _SCRIPT], input=json.dumps(texts), capture_output=True,
        text=True, cwd=tmp_path, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    refused = 0
    for text, said in zip(texts, json.loads(done.stdout), strict=True):
        expected = as_agent(text)
        errors = [one["text"] for one in said["problems"] if one["error"]]
        assert (expected is None) == bool(errors), (text, expected, errors)
        if expected is None:
            refused += 1
            continue
        rules = sorted(
            (one["resource"], one["prefix"], one["name"], one["level"], one.get("intentions") or "")
            for one in said["rules"]
        )
        assert rules == expected, text
    assert 300 < refused < 1_200
