"""Which writes move which indexes, and which wake which readers: the same as in the reference.

Indexes themselves count every write of a server's life and differ; compared is whether they moved, and whether a
reader that waited got a newer one.
"""

from __future__ import annotations

import json
import threading

import pytest

from support.harness import Agent, Client, eventually

pytestmark = pytest.mark.reference

READS = (
    "/v1/kv/ix/a", "/v1/kv/ix/none", "/v1/kv/ix/?recurse", "/v1/kv/iy/?recurse", "/v1/kv/?recurse", "/v1/kv/ix/?keys",
    "/v1/catalog/nodes", "/v1/catalog/services", "/v1/catalog/service/ixs", "/v1/catalog/service/ixnone",
    "/v1/catalog/node/ixn", "/v1/health/service/ixs", "/v1/health/service/ixnone", "/v1/health/service/consul",
    "/v1/health/node/ixn", "/v1/health/checks/ixs", "/v1/health/state/any", "/v1/health/state/critical",
    "/v1/session/list", "/v1/session/node/n1",
)  # fmt: skip

NODE = {"Node": "ixn", "Address": "1.1.1.1"}
MOVED = {"Node": "ixn", "Address": "1.1.1.2"}
REGISTER, DEREGISTER = "/v1/catalog/register", "/v1/catalog/deregister"
WRITES: list[tuple[str, str, object]] = [
    ("PUT", "/v1/kv/ix/a", 1), ("PUT", "/v1/kv/ix/b", 1), ("PUT", "/v1/kv/other", 1), ("PUT", "/v1/kv/ix/a", 1),
    ("DELETE", "/v1/kv/ix/b", None), ("DELETE", "/v1/kv/ix/b", None), ("DELETE", "/v1/kv/ix/?recurse", None),
    ("DELETE", "/v1/kv/ix/?recurse", None),
    ("PUT", REGISTER, NODE), ("PUT", REGISTER, NODE), ("PUT", REGISTER, NODE | {"Service": {"Service": "ixs"}}),
    ("PUT", REGISTER, NODE | {"Check": {"Name": "nc", "Status": "passing"}}),
    ("PUT", REGISTER, NODE | {"Check": {"Name": "sc", "Status": "critical", "ServiceID": "ixs"}}),
    ("PUT", REGISTER, MOVED), ("PUT", REGISTER, MOVED | {"Check": {"Name": "nc", "Status": "critical"}}),
    ("PUT", REGISTER, MOVED | {"Check": {"Name": "nc", "Status": "critical", "Output": "o"}}),
    ("PUT", REGISTER, MOVED | {"Service": {"Service": "ixs", "ID": "ixs2"}}),
    ("PUT", DEREGISTER, {"Node": "ixn", "ServiceID": "ixs2"}), ("PUT", DEREGISTER, {"Node": "ixn", "CheckID": "sc"}),
    ("PUT", DEREGISTER, {"Node": "ixn", "ServiceID": "ixs"}),
    ("PUT", REGISTER, MOVED | {"Service": {"Service": "ixnone"}}), ("PUT", DEREGISTER, {"Node": "ixn"}),
    ("PUT", "/v1/session/create", {"Name": "q"}),
]  # fmt: skip

BLK = {"Node": "bn", "Address": "1.1.1.1"}
# A read, a write that comes while it waits, and whether there is something to wait for in between.
WAKES: list[tuple[str, str, str, object]] = [
    ("/v1/kv/b/x", "PUT", "/v1/kv/b/x", "new"),
    ("/v1/kv/b/x", "PUT", "/v1/kv/b/unrelated", "new"),
    ("/v1/kv/b/x", "DELETE", "/v1/kv/b/x", None),
    ("/v1/kv/b/?recurse", "PUT", "/v1/kv/b/y", "new"),
    ("/v1/kv/b/?recurse", "DELETE", "/v1/kv/b/y", None),
    ("/v1/kv/b/?recurse", "PUT", "/v1/kv/c/z", "new"),
    ("/v1/kv/b/?keys", "PUT", "/v1/kv/b/z", "new"),
    ("/v1/kv/b/new1", "PUT", "/v1/kv/b/new1", "new"),
    ("/v1/kv/newp/?recurse", "PUT", "/v1/kv/newp/1", "new"),
    ("/v1/health/service/blk", "PUT", REGISTER, BLK | {"Service": {"Service": "blk"}}),
    ("/v1/health/service/blk", "PUT", REGISTER, BLK | {"Service": {"Service": "blk2"}}),
    ("/v1/health/service/blk", "PUT", REGISTER, BLK | {"Check": {"Name": "c", "Status": "critical"}}),
    ("/v1/health/service/blk?passing", "PUT", REGISTER, BLK | {"Check": {"Name": "c", "Status": "passing"}}),
    ("/v1/health/service/blk?cached", "PUT", REGISTER, BLK | {"Check": {"Name": "c", "Status": "critical"}}),
    ("/v1/catalog/nodes", "PUT", REGISTER, {"Node": "bn2", "Address": "1.1.1.1"}),
    ("/v1/catalog/services", "PUT", DEREGISTER, {"Node": "bn", "ServiceID": "blk"}),
    ("/v1/catalog/service/blk", "PUT", REGISTER, BLK | {"Service": {"Service": "blk"}}),
    ("/v1/catalog/node/bn", "PUT", DEREGISTER, {"Node": "bn"}),
    ("/v1/session/list", "PUT", "/v1/session/create", None),
    ("/v1/health/state/any", "PUT", REGISTER,
     {"Node": "bn2", "Address": "1.1.1.1", "Check": {"Name": "cx", "Status": "critical"}}),
    ("/v1/health/node/bn2", "PUT", DEREGISTER, {"Node": "bn2"}),
    ("/v1/event/list", "PUT", "/v1/event/fire/wake", "x"),
    ("/v1/kv/b/x?stale", "PUT", "/v1/kv/b/x", "newer"),
    ("/v1/kv/b/x?consistent", "PUT", "/v1/kv/b/x", "newest"),
]  # fmt: skip
# How long a reader waits that nothing wakes; the others wait up to half a minute and are woken long before.
NOTHING_S, SOMETHING_S = 1, 30
UNWOKEN = {("/v1/kv/b/x", "/v1/kv/b/unrelated"), ("/v1/kv/b/?recurse", "/v1/kv/c/z")}

# The reference answers for a node that is gone with an older index than before, and lets a reader that waits for it
# wait its whole time. Ours is the newest, and wakes.
GONE = "/v1/catalog/node/bn"
INTENDED_MOVES = [("    /v1/catalog/node/ixn behind the newest", "    /v1/catalog/node/ixn to the newest")]
INTENDED_WAKES = [
    tuple(f'{GONE} then PUT {DEREGISTER} {{"Node": "bn"}}: {answers}' for answers in (["200 older"], ["200 newer"]))
]


def differences(expected: list[str], ours: list[str]) -> list[tuple[str, str]]:
    assert len(expected) == len(ours), set(expected) ^ set(ours)
    return [(one, other) for one, other in zip(expected, ours, strict=True) if one != other]


def body_of(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b"" if value is None else json.dumps(value).encode()


def moves(agent: Agent) -> list[str]:
    """For each write, the reads whose index it moved, and whether to the newest index there is."""
    client, lines = agent.client(), []
    before = [client.call("GET", read).index for read in READS]
    for method, target, value in WRITES:
        client.call(method, target, body_of(value))
        now = [client.call("GET", read).index for read in READS]
        moved = [
            f"{read} {'to the newest' if new == max(now) else 'behind the newest'}"
            for read, old, new in zip(READS, before, now, strict=True)
            if new != old
        ]
        lines += [f"{method} {target} {body_of(value).decode()}", *(f"    {line}" for line in moved)]
        before = now
    client.close()
    return lines


def wakes(agent: Agent) -> list[str]:
    """For each case, how the waiting reader was answered."""
    return [_wake(agent, *case) for case in WAKES]


def _wake(agent: Agent, read: str, method: str, target: str, value: object) -> str:
    client, waiter = agent.client(), agent.client(timeout_s=60)
    index = client.call("GET", read).index
    blk2 = isinstance(value, dict) and value.get("Service") == {"Service": "blk2"}
    wait_s = NOTHING_S if blk2 or (read, target) in UNWOKEN or read == GONE else SOMETHING_S
    answers: list[str] = []

    def wait() -> None:
        joint = "&" if "?" in read else "?"
        reply = waiter.call("GET", f"{read}{joint}index={index}&wait={wait_s}s")
        kind = "newer" if reply.index > index else "same" if reply.index == index else "older"
        answers.append(f"{reply.status} {kind}")

    thread = threading.Thread(target=wait)
    thread.start()
    _until_sent(waiter)
    client.call(method, target, body_of(value))
    thread.join(60)
    client.close()
    waiter.close()
    if read == "/v1/event/list":  # its index is a hash: any other one is news
        answers = [answers[0].replace("newer", "other").replace("older", "other")]
    return f"{read} then {method} {target} {body_of(value).decode()}: {answers}"


def _until_sent(waiter: Client) -> None:
    """Until the waiter's connection has sent its request; a write before it arrives only makes it answer at once."""
    eventually(lambda: waiter._connection.sock is not None, "the reader is connected", 10)


def test_writes_move_the_same_indexes(agents: list[Agent]) -> None:
    expected, ours = (moves(agent) for agent in agents)
    assert differences(expected, ours) == INTENDED_MOVES


def test_writes_wake_the_same_readers(agents: list[Agent]) -> None:
    for agent in agents:
        agent.call("PUT", "/v1/kv/b/x", "old")
    results: list[list[str]] = [[], []]

    def ask(position: int) -> None:
        results[position] = wakes(agents[position])

    threads = [threading.Thread(target=ask, args=(position,)) for position in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert differences(results[0], results[1]) == INTENDED_WAKES


def test_a_waiting_read_ends_with_its_time(agents: list[Agent]) -> None:
    answers = []
    for agent in agents:
        index = agent.call("GET", "/v1/kv/quiet/?recurse").index
        reply = agent.call("GET", f"/v1/kv/quiet/?recurse&index={index}&wait=100ms")
        answers.append((reply.status, reply.index == index))
    assert answers[0] == answers[1] == (404, True)
