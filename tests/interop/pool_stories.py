"""What must happen in a pool, whoever its members are."""

# mypy: disable-error-code="arg-type,misc"

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from support.harness import Subject, eventually, program, run
from support.pools import SETTLED_TIMEOUT_S, ConsulMember, Pool, Seen, new_host

# Longer than a member that leaves takes to tell the others.
REMINDED_S = 20.0

# Gossip goes round within a second.
EVENT_TIMEOUT_S = 8.0
KEYRING = "/v1/operator/keyring"


def _consul(pool: Pool, name: str) -> ConsulMember:
    member = pool.members[name]
    assert isinstance(member, ConsulMember)
    return member


def all_agree(pool: Pool) -> None:
    """Everybody sees everybody alive, at the same address and with the same tags."""
    pool.everybody_sees()

    def wrong() -> object:
        views = {member.name: member.members() for member in pool}
        first_name, first = next(iter(views.items()))
        return {
            (name, first_name, about): (view[about], first[about])
            for name, view in views.items() for about in first if view[about] != first[about]
        }  # fmt: skip

    pool.until(wrong, "all agree on addresses and tags")
    seen = next(iter(pool)).members()
    for member in pool:
        shown = seen[member.name]
        assert shown.address == member.gossip
        if isinstance(member, ConsulMember):
            _require_tags(member, shown)
        else:
            assert shown.tags == member.tags


def _require_tags(member: ConsulMember, seen: Seen) -> None:
    node_id = member.ok("GET", "/v1/agent/self").json()["Config"]["NodeID"]
    common = {"dc": "dc1", "id": node_id, "segment": "", "vsn": "2", "vsn_min": "2", "vsn_max": "3", "acls": "0"}
    if member.server:
        common |= {
            "role": "consul", "port": str(member.ports["server"]), "raft_vsn": "3", "bootstrap": "1", "ft_fs": "1",
            "wan_join_port": str(member.ports["serf_wan"]),
        }  # fmt: skip
    else:
        common |= {"role": "node"}
    tags = dict(seen.tags)
    assert tags.pop("build").startswith("1.8.7:")
    tags.pop("expect", "1")
    assert tags == common, member.name


def event_from(pool: Pool, name: str) -> None:
    """An event fired at one member is listed by all agents and handled by serf.

    Events are gossip, told a few times at random: now and then one misses a member, three in a row hardly can.
    """
    for attempt in (1, 2, 3):
        payload = f"from {name}, {attempt}"
        eventually(lambda payload=payload: pool.members[name].fire("story", payload) or True, f"{name} fires")

        def without(payload: str = payload) -> list[str]:
            return [member.name for member in pool if not member.has_event("story", payload)]

        try:
            pool.until(without, f"everybody has the event of {name}", EVENT_TIMEOUT_S)
        except AssertionError:
            if attempt == 3:
                raise
        else:
            return


def dies(pool: Pool, *names: str) -> None:
    """Members killed at once are seen as failed by all others."""
    for name in names:
        pool.members[name].kill()
    pool.everybody_sees(**dict.fromkeys(names, "failed"))


def leaves(pool: Pool, name: str, remind: Callable[[], object] | None = None) -> None:
    """A member leaves. ``remind``: tells the others again, for a leaver that waits for nobody."""
    pool.members[name].leave()
    try:
        pool.everybody_sees(timeout_s=SETTLED_TIMEOUT_S if remind is None else REMINDED_S, **{name: "left"})
    except AssertionError:
        if remind is None:
            raise
        # A real serf says that it leaves for a second and ends: who has no turn just then takes it for failed.
        remind()
        pool.everybody_sees(**{name: "left"})


def leave_together(pool: Pool, names: Sequence[str]) -> None:
    """Several leave at the same time, and end."""
    with ThreadPoolExecutor(len(names)) as threads:
        for done in [threads.submit(pool.members[name].leave) for name in names]:
            done.result()


def leaves_and_comes_back_elsewhere(pool: Pool, name: str, remind: Callable[[], object] | None = None) -> None:
    """A member that left is seen as left by all, and may return under its name at another address at once."""
    leaves(pool, name, remind)
    member = pool.members[name]
    old = member.gossip
    member.host = new_host()
    member.start()
    pool.join(member)
    pool.everybody_sees()
    pool.until(
        lambda: [one.name for one in pool if one.members()[name].address != member.gossip],
        f"{name} has moved from {old} to {member.gossip}",
    )


def rotation_by(pool: Pool, name: str, old: str, new: str) -> None:
    """One server replaces the key of all members, every server lists that, and everybody stays."""
    count = len(list(pool))
    both = {old: count, new: count}
    steps = (("POST", new, both, old), ("PUT", new, both, new), ("DELETE", old, {new: count}, new))
    for method, key, keys, primary in steps:
        _change_key(_consul(pool, name), method, key)
        expected = {"Keys": keys, "PrimaryKeys": {primary: count}, "NumNodes": count}
        pool.until(
            lambda expected=expected: [
                (server.name, listed) for server in pool.agents() if server.server
                for listed in [_lan_keys(server)] if not expected.items() <= listed.items()
            ],
            f"every server lists {expected}",
        )  # fmt: skip
    pool.everybody_sees()


def _change_key(operator: ConsulMember, method: str, key: str) -> None:
    """Key operations may be repeated, and on a loaded machine one member's answer may be late."""

    def done() -> bool:
        reply = operator.call(method, KEYRING, json.dumps({"Key": key}).encode())
        assert reply.status == 200 or "nodes reported success" in reply.text, reply.text
        return reply.status == 200

    eventually(done, f"{operator.name}: {method} of a key is done by all members")


def _lan_keys(server: ConsulMember) -> dict[str, Any]:
    reply = server.call("GET", KEYRING)
    if reply.status != 200:
        return {"error": reply.text}
    found: dict[str, Any] = next(one for one in reply.json() if not one["WAN"])
    return found


def same_command_lines(pool: Pool) -> None:
    """Both command lines show the pool in the same way, whichever agent they ask."""
    lines = [
        ["members"], ["members", "-detailed"], ["members", "-wan"], ["members", "-status=failed"],
        ["members", "-status=^(alive|left)$"], ["rtt", "ref1", "our1"], ["rtt", "-wan", "ref1.dc1", "our1.dc1"],
        ["keyring", "-list"], ["keyring", "-list-primary", "-local-only"],
    ]  # fmt: skip
    for member in pool.agents():
        for line in lines:
            if member.server or line[0] != "keyring":
                # Now and then a member's answer to a key operation is lost, or a status changes between the two.
                pool.until(partial(_difference, member, line), f"both print the same: {line} at {member.name}", 20.0)


def _difference(member: ConsulMember, line: list[str]) -> object:
    environment = {**os.environ, "CONSUL_HTTP_ADDR": f"{member.host}:{member.ports['http']}"}
    theirs, ours = (run([*program(subject), *line], env=environment) for subject in (Subject.REFERENCE, Subject.OURS))
    expected, answer = ((one.returncode, _shape(one.stdout + one.stderr)) for one in (theirs, ours))
    return None if expected == answer else (expected, answer)


def _shape(text: str) -> list[str]:
    """Lines in an order of their own, since maps and members have none; estimates move between two questions."""
    return sorted(re.sub(r"\d+\.\d+ ms", "<number> ms", line) for line in text.splitlines())


def why(pool: Pool, asked: str, about: str) -> str:
    """What ``consul members -why`` prints."""
    member = _consul(pool, asked)
    done = run([*program(Subject.OURS), "members", f"-why={about}", f"-http-addr={member.host}:{member.ports['http']}"])
    assert done.returncode == 0, done.stderr
    return done.stdout
