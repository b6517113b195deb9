"""What a follower or a client agent passes on: equal reads together, failed ones again, writes one by one."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rpc_support import OperatingError, Site, Text, site, until

from proconsul.engine.wire.hostport import Address
from proconsul.features.errors import ConsulError, DatacenterUnreachable, NoLeader, Unanswered
from proconsul.features.server import ReadMethod, WriteMethod
from proconsul.server.forwarding import NO_LEADER, UNDECIDED, Forwarding, Way


class Waiter:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.outcome: Any = None
        self.told = 0

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        self.told += 1
        self.outcome = result

    def set_exception(self, exception: Exception) -> None:
        self.told += 1
        self.outcome = exception


class World:
    """A site and a forwarding to it."""

    def __init__(self, there: Site, hold_timeout_s: float) -> None:
        self.there = there
        self.address: Address | None = there.address
        self.failed: list[Address] = []
        self.leads = False
        self.home = Way(
            "dc1", lambda: self.address, self.failed.append, NoLeader, lambda: self.leads, lambda: asyncio.sleep(0.001)
        )
        self.forwarding = Forwarding(there.pool, self.home, hold_timeout_s=hold_timeout_s, rng=random.Random(1))

    def begin(self, method: str, args: Any, *, reads: bool = True) -> tuple[Waiter, Any]:
        waiter, leave = Waiter(), None
        if reads:
            leave = self.forwarding.ask(waiter, ReadMethod(f"Test.{method}", Text, Text), args, self.home)
        else:
            self.forwarding.write(waiter, WriteMethod(f"Test.{method}", Text, Text), args, self.home)
        return waiter, leave


@contextlib.asynccontextmanager
async def world(hold_timeout_s: float = 1.0) -> AsyncIterator[World]:
    async with site() as there:
        await there.call("Nothing")  # connect
        yield World(there, hold_timeout_s)


async def told(*waiters: Waiter) -> None:
    await until(lambda: all(waiter.told for waiter in waiters))
    assert [waiter.told for waiter in waiters] == [1] * len(waiters)


async def test_equal_reads_of_one_turn_share_a_call() -> None:
    async with world() as here:
        waiters = [here.begin("Echo", Text(b"a"))[0] for _ in range(50)]
        other, _ = here.begin("Echo", Text(b"b"))
        await told(other, *waiters)
        assert here.there.methods.calls == 2
        assert all(waiter.outcome is waiters[0].outcome for waiter in waiters)
        assert (waiters[0].outcome, other.outcome) == (Text(b"a"), Text(b"b"))


async def test_a_call_that_was_sent_is_joined_by_nobody() -> None:
    """Its answer may be older than the question."""
    async with world() as here:
        first, _ = here.begin("Wait", Text(b"a"))
        await until(lambda: here.there.methods.waiting)
        second, _ = here.begin("Wait", Text(b"a"))
        await until(lambda: len(here.there.methods.waiting) == 2)
        for number, future in enumerate(here.there.methods.waiting):
            future.set_result(Text(Count=number))
        await told(first, second)
        assert (first.outcome.Count, second.outcome.Count) == (0, 1)


async def test_a_call_that_was_given_up_is_joined_by_nobody() -> None:
    async with world() as here:
        given_up, leave = here.begin("Echo", Text(b"a"))
        leave()
        waiter, _ = here.begin("Echo", Text(b"a"))
        await told(waiter)
        assert waiter.outcome == Text(b"a") and not given_up.told


async def test_writes_share_nothing() -> None:
    async with world() as here:
        waiters = [here.begin("Echo", Text(b"a"), reads=False)[0] for _ in range(5)]
        await told(*waiters)
        assert here.there.methods.calls == 5


async def test_arguments_with_maps_are_asked_one_by_one() -> None:
    async with world() as here:
        waiters = [here.begin("Echo", {"Value": b"a"})[0] for _ in range(3)]
        await told(*waiters)
        assert here.there.methods.calls == 3


async def test_the_call_ends_with_the_last_who_leaves() -> None:
    async with world() as here:
        stays, _ = here.begin("Wait", Text())
        goes, leave = here.begin("Wait", Text())
        await until(lambda: here.there.methods.waiting)
        leave()
        leave()
        here.there.methods.waiting[0].set_result(Text(b"there"))
        await told(stays)
        assert stays.outcome == Text(b"there") and not goes.told
        _, leave = here.begin("Wait", Text())
        await until(lambda: len(here.there.methods.waiting) == 2)
        leave()
        await until(lambda: here.there.methods.cancelled == 1)


@pytest.mark.parametrize("reads", [True, False])
async def test_the_servers_error_is_told_to_all(reads: bool) -> None:
    async with world() as here:
        waiters = [here.begin("Fail", Text(b"no such thing"), reads=reads)[0] for _ in range(2)]
        await told(*waiters)
        assert {str(waiter.outcome) for waiter in waiters} == {"rpc error making call: no such thing"}
        assert not here.failed


@pytest.mark.parametrize("text", [*UNDECIDED, "rpc error getting client: failed to get conn: refused", "error: EOF"])
async def test_a_server_that_nobody_can_decide_for_is_not_asked_again(text: str) -> None:
    """It may be cut off from the others for good, or be none of Raft's peers any more."""
    async with world(hold_timeout_s=0.02) as here:
        waiter, _ = here.begin("Fail", Text(text.encode()), reads=False)
        await told(waiter)
        assert isinstance(waiter.outcome, Unanswered) and set(here.failed) == {here.address}


async def test_a_reply_of_another_type_is_an_error() -> None:
    async with world() as here:
        waiter, _ = here.begin("Leader", Text())
        await told(waiter)
        assert isinstance(waiter.outcome, ConsulError)


async def test_a_lost_read_is_asked_again_but_no_write() -> None:
    async with world() as here:
        read, _ = here.begin("Wait", Text())
        write, _ = here.begin("Wait", Text(), reads=False)
        await until(lambda: len(here.there.methods.waiting) == 2)
        here.there.server.close()
        await told(write)
        assert str(write.outcome).startswith("rpc error making call: ")
        await until(lambda: len(here.there.methods.waiting) == 3)
        here.there.methods.waiting[2].set_result(Text(b"again"))
        await told(read)
        assert read.outcome == Text(b"again") and here.there.address in here.failed


@pytest.mark.parametrize("text", UNDECIDED)
async def test_a_read_of_a_server_that_ceases_to_lead_is_asked_again(text: str) -> None:
    """Whoever watches hears nothing of an election; what became of a write only its client can find out."""
    async with world() as here:
        read, _ = here.begin("Wait", Text())
        write, _ = here.begin("Wait", Text(b"w"), reads=False)
        waiting = here.there.methods.waiting
        await until(lambda: len(waiting) == 2)
        for future in list(waiting):
            future.set_exception(OperatingError(text))
        again = 3 if text != NO_LEADER else 4  # then nothing was written
        await until(lambda: len(waiting) == again)
        for future in waiting[2:]:
            future.set_result(Text(b"again"))
        await told(read, write)
        assert read.outcome == Text(b"again")
        assert write.outcome == Text(b"again") if text == NO_LEADER else text in str(write.outcome)


async def test_without_a_connection_somebody_insists_until_there_is_one() -> None:
    async with site() as there:
        here = World(there, 1.0)
        waiter, _ = here.begin("Echo", Text(b"a"))
        await told(waiter)
        assert waiter.outcome == Text(b"a")


async def test_who_leads_by_then_is_told_nothing_was_asked() -> None:
    async with world() as here:
        here.address = None
        assert here.begin("Echo", Text())[1] is None, "nobody to ask"
        here.address, here.leads = here.there.address, True
        assert here.begin("Echo", Text())[1] is None, "ours to do"
        here.address = None
        waiter, _ = here.begin("Echo", Text(), reads=False)
        await told(waiter)
        assert waiter.outcome is None and here.there.methods.calls == 0


async def test_nobody_to_ask_is_an_error_when_the_time_is_over() -> None:
    async with world(hold_timeout_s=0.02) as here:
        here.address = None
        waiter, _ = here.begin("Echo", Text(), reads=False)
        await told(waiter)
        assert isinstance(waiter.outcome, NoLeader)


async def test_who_leaves_is_not_insisted_for() -> None:
    async with world(hold_timeout_s=30.0) as here:
        here.address = Address("127.0.0.1", 1)  # where nobody listens
        waiter, leave = here.begin("Echo", Text())
        leave()
        await until(lambda: not [task for task in asyncio.all_tasks() if "Forwarding.retry" in repr(task)])
        assert not waiter.told


class Abroad(World):
    """Another datacenter with ``count`` servers, of which only the last can be reached."""

    def __init__(self, there: Site, count: int, *, reachable: bool = True) -> None:
        super().__init__(there, 5.0)
        good = there.address if reachable else Address("127.0.0.1", 1)
        self.servers = [*(Address("127.0.0.1", 1) for _ in range(count - 1)), good]
        self.home = Way(
            "dc2", lambda: self.servers[min(len(self.failed), count - 1)] if count else None, self.failed.append,
            DatacenterUnreachable, lambda: False, None, lambda: count,
        )  # fmt: skip


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("count", [1, 2, 4])
async def test_every_server_of_another_datacenter_is_tried(count: int, reads: bool) -> None:
    async with site() as there:
        await there.call("Nothing")
        here = Abroad(there, count)
        waiter, _ = here.begin("Echo", Text(b"a"), reads=reads)
        await told(waiter)
        assert waiter.outcome == Text(b"a") and len(here.failed) == count - 1


@pytest.mark.parametrize("reads", [True, False])
async def test_when_none_can_be_reached_that_is_told(reads: bool) -> None:
    async with site() as there:
        here = Abroad(there, 3, reachable=False)
        waiter, _ = here.begin("Echo", Text(b"a"), reads=reads)
        await told(waiter)
        assert "failed to get conn" in str(waiter.outcome) and len(here.failed) == 3


async def test_nobody_is_waited_for_in_another_datacenter() -> None:
    async with site() as there:
        here = Abroad(there, 0)
        waiter, leave = here.begin("Echo", Text(b"a"))
        assert leave is None and not waiter.told
        waiter, _ = here.begin("Echo", Text(b"a"), reads=False)
        await told(waiter)
        assert str(waiter.outcome) == "Remote DC has no server currently reachable"


async def test_another_datacenter_has_waited_for_its_leader_itself() -> None:
    async with site() as there:
        await there.call("Nothing")
        here, chosen = Abroad(there, 1), [there.address]
        here.home = here.home._replace(choose=chosen.pop)  # who asked again would find nobody
        waiter, _ = here.begin("Fail", Text(b"No cluster leader"))
        await told(waiter)
        assert str(waiter.outcome) == "rpc error making call: No cluster leader"


async def test_the_same_answer_again_is_the_same_reply() -> None:
    """What was made of it is of use again, as long as nothing has changed; what is short costs nothing anyway."""
    async with world() as here:
        for size, same in ((2000, True), (10, False)):
            outcomes = []
            for text in (b"a" * size, b"a" * size, b"b" * size, b"a" * size):
                waiter, _ = here.begin("Echo", Text(text))
                await told(waiter)
                assert waiter.outcome == Text(text)
                outcomes.append(waiter.outcome)
            assert (outcomes[0] is outcomes[1] is outcomes[3]) is same
            assert outcomes[2] is not outcomes[0]
