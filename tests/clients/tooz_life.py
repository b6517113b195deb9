"""Groups, members and locks through tooz's driver for Consul. Run with the port of the agent.

Needs a library that keeps python-consul's interface; raises on the first surprise.
"""

from __future__ import annotations

import sys
import uuid
import warnings
from typing import Any

from tooz import coordination

warnings.simplefilter("ignore")


def coordinator(port: int, name: str) -> Any:
    made = coordination.get_coordinator(f"consul://127.0.0.1:{port}?ttl=30", name.encode())
    made.start()
    return made


def raises(kind: type[Exception], call: Any) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def groups(one: Any, two: Any) -> None:
    group = b"workers"
    joined: list[tuple[str, bytes]] = []
    one.create_group(group).get()
    raises(coordination.GroupAlreadyExist, lambda: two.create_group(group).get())
    assert group in two.get_groups().get()
    one.watch_join_group(group, lambda event: joined.append(("join", event.member_id)))
    one.watch_leave_group(group, lambda event: joined.append(("leave", event.member_id)))
    two.join_group(group, capabilities={"cores": 4}).get()
    raises(coordination.MemberAlreadyExist, lambda: two.join_group(group).get())
    assert one.get_members(group).get() == {b"two"}
    assert one.get_member_capabilities(group, b"two").get() == {"cores": 4}
    two.update_capabilities(group, {"cores": 8}).get()
    assert one.get_member_capabilities(group, b"two").get() == {"cores": 8}
    one.run_watchers()
    raises(coordination.GroupNotEmpty, lambda: one.delete_group(group).get())
    two.leave_group(group).get()
    raises(coordination.MemberNotJoined, lambda: two.leave_group(group).get())
    one.run_watchers()
    assert joined == [("join", b"two"), ("leave", b"two")], joined
    one.delete_group(group).get()
    raises(coordination.GroupNotCreated, lambda: one.get_members(group).get())


def locks(one: Any, two: Any) -> None:
    first, second = one.get_lock(b"resource"), two.get_lock(b"resource")
    assert first.acquire(blocking=False)
    assert not second.acquire(blocking=False)
    assert not first.acquire(blocking=False)
    assert first.release() and not first.release()
    assert second.acquire(blocking=True)
    assert one.heartbeat() == 15 and two.heartbeat() == 15
    with_context = one.get_lock(b"other")
    with with_context:
        assert not two.get_lock(b"other").acquire(blocking=False)
    assert second.release()


def main() -> None:
    port = int(sys.argv[1])
    one, two = coordinator(port, "one"), coordinator(port, "two")
    groups(one, two)
    locks(one, two)
    # Who stops lets go of what it holds, after the lock-delay.
    name = uuid.uuid4().bytes.hex().encode()
    held = two.get_lock(name)
    assert held.acquire(blocking=False)
    two.stop()
    other = one.get_lock(name)
    assert not other.acquire(blocking=False)
    one.stop()
    print("lived")


main()
