"""The rounds of replication by a clock that only jumps: their pace, and what happens when one fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from acl_world import World

from proconsul.engine.wire.gotime import ZERO_TIME
from proconsul.engine.wire.record import replace
from proconsul.features.acl import replication
from proconsul.features.acl.replicating import BACK_OFF_MAX_S, ROUNDS_AT_ONCE, Copied, Replica, back_off_s
from proconsul.features.acl.replication import KINDS, Kind, ReplicationProgress
from proconsul.features.acl.requests import HIDDEN, TokenBatchResponse
from proconsul.features.errors import ConsulError, PermissionDenied, StateError
from proconsul.features.options import Options
from proconsul.server.acl_replication import WAIT_NS, AclReplication, Secondary

POLICIES, ROLES, TOKENS = KINDS


class Over(BaseException):
    """The story is told: whoever asks next would wait."""


class Primary:
    """Answers for ``world``; ``index`` is that of every answer, and ``hidden`` what secrets are shown as."""

    def __init__(self, world: World, kind: Kind) -> None:
        self.world, self.kind, self.index = world, kind, 10
        self.hidden = False
        # What the next questions come to: errors, or changes that happen before they are answered.
        self.next: list[Exception | Callable[[], None]] = []
        self.asked: list[tuple[str, int]] = []

    async def ask(self, method: Any, args: Any, index: int) -> Copied:
        self.asked.append((method.name.removeprefix("ACL."), index))
        if self.next:
            come = self.next.pop(0)
            if isinstance(come, Exception):
                raise come
            come()
        elif index == self.index:
            raise Over
        rows = self.kind.rows(self.world.state.acl)
        if method.name.endswith("List"):
            return Copied(self.index, list(rows.values()))
        ids = args.AccessorIDs if self.kind is TOKENS else args.PolicyIDs if self.kind is POLICIES else args.RoleIDs
        found = [rows[one] for one in ids if one in rows]
        if self.kind is not TOKENS:
            return Copied(self.index, found)
        shown = [replace(row, SecretID=HIDDEN) for row in found] if self.hidden else found
        return Copied(self.index, TokenBatchResponse(Tokens=shown))


class Story:
    """A secondary below a primary. ``waited``: seconds between rounds, between commands, and after failures."""

    def __init__(self, kind: Kind = POLICIES) -> None:
        self.there, self.here = World(), World(datacenter="dc2")
        self.primary, self.kind = Primary(self.there, kind), kind
        self.now = 1000.0
        self.slept: list[float] = []
        self.paused: list[float] = []
        self.told: list[tuple[bool, int]] = []
        self.refusals: list[Exception] = []
        self.progress = ReplicationProgress(enabled=True, source="dc1", tokens=True)
        self.replica = Replica(
            kind, self.here.state.acl, self.primary.ask, self._propose, self.progress, clock=lambda: self.now,
            wall_clock_ns=lambda: int(self.now * 1e9), pause=self._waiting(self.paused),
            sleep=self._waiting(self.slept), rng=random.Random(7),
            told=lambda name, good, index: self.told.append((good, index)),
        )  # fmt: skip

    def _waiting(self, seconds_of: list[float]) -> Any:
        async def wait(seconds: float) -> None:
            seconds_of.append(seconds)
            self.now += seconds

        return wait

    async def _propose(self, kind: Any, request: Any) -> Any:
        return self.refusals.pop(0) if self.refusals else self.here.apply(kind, request)

    def run(self) -> None:
        """Until it would wait for a change of the primary."""
        with pytest.raises(Over):
            asyncio.run(self.replica.run())

    def names(self, world: World) -> list[str]:
        return sorted(row.Description or getattr(row, "Name", "") for row in self.kind.rows(world.state.acl).values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_round_copies_and_the_next_waits(kind: Kind) -> None:
    story = Story(kind)
    link = story.there.policy("p", 'key "a" { policy = "read" }')
    role = story.there.role("r", Policies=[link])
    story.there.token(Policies=[link], Roles=[role], Description="t")
    story.there.token(Policies=[link], Local=True, Description="local")
    story.run()
    assert story.names(story.here) == {"policies": ["p"], "roles": ["r"], "tokens": ["t"]}[kind.name]
    lists, reads = {"policies": ("PolicyList", "PolicyBatchRead"), "roles": ("RoleList", "RoleBatchRead"),
                    "tokens": ("TokenList", "TokenBatchRead")}[kind.name]  # fmt: skip
    assert story.primary.asked == [(lists, 0), (reads, 0), (lists, 10)]
    status = story.progress.status
    reached = status.ReplicatedIndex, status.ReplicatedRoleIndex, status.ReplicatedTokenIndex
    assert reached == tuple(10 if kind is one else 0 for one in KINDS)
    assert status.LastSuccess != ZERO_TIME and status.LastError == ZERO_TIME
    assert story.told == [(True, 10)]


def test_the_pace_is_one_round_a_second_after_the_first_few() -> None:
    story = Story()

    def changed() -> None:
        story.primary.index += 1

    story.primary.next = [changed] * 12
    story.run()
    assert story.slept == pytest.approx([1.0] * (13 - ROUNDS_AT_ONCE))
    assert [index for _, index in story.primary.asked] == [0, *range(11, 23)]


def test_a_lost_primary_is_asked_less_and_less_often_and_then_for_everything() -> None:
    story = Story()
    story.there.policy("p", "")
    story.run()
    lost = 12
    story.primary.next = [ConsulError("no path")] * lost
    story.there.policy("q", "")
    story.primary.asked.clear()
    story.run()
    assert story.names(story.here) == ["p", "q"]
    # What answers after a failure may be another one, with other indexes.
    assert [index for _, index in story.primary.asked] == [10] + [0] * (lost + 1) + [10]
    assert len(story.paused) == lost and all(0.5 <= pause <= BACK_OFF_MAX_S for pause in story.paused)
    for number, pause in enumerate(story.paused, 1):
        assert min(2.0**number, BACK_OFF_MAX_S) / 2 <= pause <= min(2.0**number, BACK_OFF_MAX_S)
    assert len(set(story.paused)) == lost, "each by chance"
    assert story.told[-lost - 1 :] == [(False, 0)] * lost + [(True, 10)]
    assert story.progress.status.LastError != ZERO_TIME
    # Once it has succeeded it begins with short pauses again.
    story.paused.clear()
    story.primary.next = [ConsulError("no path")]
    story.run()
    assert story.paused[0] <= 2.0


def test_a_primary_whose_indexes_began_anew_is_compared_as_a_whole() -> None:
    story = Story()
    kept, gone = story.there.policy("kept", ""), story.there.policy("gone", "")
    story.run()

    def restored() -> None:
        story.primary.index = 3
        story.there.write(lambda tx: tx.delete(story.there.state.acl.policies, gone.ID))
        story.there.policy("kept", 'key "a" { policy = "read" }', kept.ID, Hash=b"another")

    story.primary.next = [restored]
    story.run()
    assert story.names(story.here) == ["kept"]
    assert story.here.state.acl.policies.get(kept.ID).Rules  # type: ignore[union-attr]
    assert story.progress.status.ReplicatedIndex == 3
    assert story.primary.asked[-1][1] == 3 and story.paused == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_token_without_rights_takes_nothing_away(kind: Kind) -> None:
    story = Story(kind)
    link = story.there.policy("p", "")
    story.there.role("r", Policies=[link])
    story.there.token(Policies=[link])
    story.run()
    before = story.names(story.here)
    story.primary.next = [PermissionDenied()] * 3
    story.run()
    assert story.names(story.here) == before != []
    assert [good for good, _ in story.told[-4:]] == [False] * 3 + [True] and len(story.paused) == 3


def test_hidden_secrets_are_no_secrets() -> None:
    story = Story(TOKENS)
    story.there.token(Description="t")
    story.primary.hidden = True

    def shown() -> None:
        story.primary.hidden = False

    story.primary.next = [lambda: None, lambda: None, shown]
    story.run()
    assert [good for good, _ in story.told] == [False, True]
    assert story.names(story.here) == ["t"]
    secrets = {row.SecretID for row in story.here.state.acl.tokens.all()}
    assert secrets == {row.SecretID for row in story.there.state.acl.tokens.all()} and HIDDEN not in secrets


def test_what_our_own_state_refuses_is_tried_again() -> None:
    story = Story()
    story.there.policy("p", "")
    story.refusals = [StateError("no"), ConsulError("leadership lost")]
    story.run()
    assert [good for good, _ in story.told] == [False, False, True] and story.names(story.here) == ["p"]


def test_commands_come_one_after_the_other_with_pauses() -> None:
    story = Story()
    for number in range(20):
        story.there.policy(f"p{number}", "# " + "x" * (replication.WRITTEN_BYTES_MAX // 2))
    story.run()
    assert len(story.names(story.here)) == 20
    assert len(story.slept) >= 9 and sum(story.slept) == pytest.approx(len(story.slept) / 100)


def test_faults_of_the_program_end_it() -> None:
    story = Story()
    story.primary.next = [ValueError("a fault")]
    with pytest.raises(ValueError, match="a fault"):
        asyncio.run(story.replica.run())


def test_the_back_off_is_bounded_however_often_it_fails() -> None:
    rng = random.Random(1)
    assert all(back_off_s(number, rng) <= BACK_OFF_MAX_S for number in (1, 8, 100, 10**9))


async def test_nobody_waits_long_for_an_index_that_a_restored_primary_may_not_have_for_days() -> None:
    asked: list[Options] = []

    class Gate:
        reading = staticmethod(lambda method, args: method)

        async def found(self, read: Any, options: Options, token: str, datacenter: str) -> Any:
            asked.append(options)
            await asyncio.Event().wait()

    acl = SimpleNamespace(primary="dc1", token_replication=True)
    died: list[BaseException] = []
    server = SimpleNamespace(
        gate=Gate(), rng=random.Random(1), replication_token=lambda: "", config=SimpleNamespace(acl=acl),
        state=SimpleNamespace(acl=None), propose=None, clock=lambda: 0.0, wall_clock_ns=lambda: 0, died=died.append,
    )  # fmt: skip
    progress = ReplicationProgress(enabled=True, source="dc1", tokens=True)
    duty = AclReplication(cast(Secondary, server), cast(Any, SimpleNamespace(progress=progress)))
    duty.begin(0.0, 0)
    async with asyncio.timeout(30):
        while len(asked) < len(KINDS):
            await asyncio.sleep(0)
    duty.end()
    assert {options.wait_ns for options in asked} == {WAIT_NS}
    assert WAIT_NS <= 60 * 10**9
    assert not died
