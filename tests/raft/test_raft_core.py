"""Single rules of the core which the scripts and the simulator do not single out."""

# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from random import Random

import pytest

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.core import InitialState, RaftCore
from proconsul.engine.raft.events import Effect, Role
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    Request,
    RequestVoteRequest,
    RequestVoteResponse,
    Response,
    StableState,
    TimeoutNowRequest,
)
from proconsul.engine.raft.terms import LogTerms

MEMBERS = Configuration.of(Server(Suffrage.VOTER, i, f"host-{i}") for i in "abc")


def core(term: int = 1, *, vote: bytes = b"", runs: tuple[tuple[int, int], ...] = ((1, 1),), last: int = 1) -> RaftCore:
    stable = StableState(term, term if vote else 0, vote)
    initial = InitialState(stable, LogTerms.of((0, 0), runs, last), [(1, MEMBERS)])
    made = RaftCore(RaftConfig(), "a", "host-a", Random(3), initial)
    made.step(ev.Start(), 0.0)
    return made


def ask(target: RaftCore, message: Request, now: float = 0.1, *, disk: bool = True) -> tuple[Response, str]:
    """The answer to a request, after the disk has done what it was given."""
    effects = target.step(ev.Received(1, message), now)
    writes = [e.seq for e in effects if isinstance(e, ev.Append | ev.PersistState)]
    if writes:
        assert not replies(effects), "answered before the disk"
        effects = target.step(ev.DiskDone(writes[-1]), now) if disk else []
    (reply,) = replies(effects)
    return reply.response, reply.error


def replies(effects: list[Effect]) -> list[ev.Reply]:
    return [e for e in effects if isinstance(e, ev.Reply)]


def vote(term: int, candidate: bytes = b"host-b", last: tuple[int, int] = (1, 1), *, transfer: bool = False) -> Request:
    return RequestVoteRequest(term, candidate, last[0], last[1], transfer)


@pytest.mark.parametrize(
    ("start", "request_", "granted", "term"),
    [
        (core(1), vote(2), True, 2),
        (core(3), vote(2), False, 3),
        (core(2, vote=b"host-c"), vote(2), False, 2),
        (core(2, vote=b"host-b"), vote(2), True, 2),
        (core(2, vote=b"host-c"), vote(3), True, 3),
        (core(2, runs=((1, 1), (2, 2)), last=2), vote(3, last=(9, 1)), False, 3),
        (core(2, runs=((1, 1), (2, 2)), last=3), vote(3, last=(2, 2)), False, 3),
        (core(2, runs=((1, 1), (2, 2)), last=3), vote(3, last=(3, 2)), True, 3),
    ],
)
def test_votes(start: RaftCore, request_: Request, granted: bool, term: int) -> None:
    response, error = ask(start, request_)
    assert isinstance(response, RequestVoteResponse)
    assert (response.granted, response.term, error) == (granted, term, "")


def append(term: int, prev: tuple[int, int], *entries: LogEntry, commit: int = 0) -> AppendEntriesRequest:
    return AppendEntriesRequest(term, b"host-b", prev[0], prev[1], entries, commit)


def entry(index: int, term: int) -> LogEntry:
    return LogEntry(index, term, 0, b"x")


def test_a_known_leader_protects_against_votes_but_not_against_a_transfer() -> None:
    follower = core(1)
    ask(follower, append(1, (1, 1)))
    assert follower.state.leader_id == "b"
    for request in (vote(5, b"host-c"), PreVoteRequest(5, 9, 9, id=b"c", addr=b"host-c")):
        response, _ = ask(follower, request)
        assert isinstance(response, RequestVoteResponse | PreVoteResponse) and not response.granted
    assert follower.state.term == 1
    response, _ = ask(follower, vote(5, b"host-c", transfer=True))
    assert isinstance(response, RequestVoteResponse) and response.granted


def test_a_pre_vote_changes_nothing() -> None:
    follower = core(4)
    response, _ = ask(follower, PreVoteRequest(5, 1, 1, id=b"b", addr=b"host-b"))
    assert response == PreVoteResponse(5, True, id=b"a", addr=b"host-a")
    response, _ = ask(follower, PreVoteRequest(3, 9, 9, id=b"b", addr=b"host-b"))
    assert isinstance(response, PreVoteResponse) and not response.granted
    assert (follower.state.term, follower.state.vote_term) == (4, 0)


def test_append_rules() -> None:
    follower = core(2, runs=((1, 1), (3, 2)), last=4)

    def answer(request: Request) -> tuple[bool, int, bool]:
        response, error = ask(follower, request)
        assert isinstance(response, AppendEntriesResponse) and not error
        return response.success, response.last_log, response.no_retry_backoff

    assert answer(append(1, (4, 2))) == (False, 4, False)
    assert answer(append(2, (9, 2))) == (False, 4, True)
    assert answer(append(2, (4, 1))) == (False, 4, True)
    # An old, shorter message does not truncate what follows it (paper 5.3).
    assert answer(append(2, (2, 1), entry(3, 2), commit=9)) == (True, 4, False)
    assert follower.state.commit_index == 3
    assert answer(append(3, (3, 2), entry(4, 3), entry(5, 3), commit=4)) == (True, 5, False)
    assert (follower.state.commit_index, follower.state.last_term) == (4, 3)


def test_malformed_appends_are_refused_with_an_error() -> None:
    broken = LogEntry(2, 1, EntryType.CONFIGURATION, b"\xc1")
    for request in (append(1, (1, 1), entry(3, 1)), append(1, (1, 1), entry(2, 2)), append(1, (1, 1), broken)):
        response, error = ask(core(1), request)
        assert isinstance(response, AppendEntriesResponse) and not response.success
        assert error == "entries do not follow each other"


def test_foreign_protocol_versions_change_nothing() -> None:
    follower = core(1)
    for version in (0, 1, 4):
        _, error = ask(follower, RequestVoteRequest(9, b"host-b", 9, 9, protocol_version=version))
        assert error == "operation not supported with current protocol version"
    assert follower.state.term == 1


def test_heartbeats_are_answered_while_the_disk_is_slow() -> None:
    follower = core(1)
    effects = follower.step(ev.Received(1, append(1, (1, 1), entry(2, 1))), 0.1)
    assert not replies(effects)
    heartbeat = AppendEntriesRequest(1, b"host-b", 0, 0, None, 0)
    (reply,) = replies(follower.step(ev.Received(2, heartbeat), 0.2))
    assert isinstance(reply.response, AppendEntriesResponse) and reply.response.success


def test_a_snapshot_that_contradicts_the_leader_is_not_taken_for_committed() -> None:
    """Who restored a user's snapshot as leader, and was deposed before anybody had it, must not go on from it."""
    initial = InitialState(StableState(2, 0, b""), LogTerms(5, 2), [], 5, 2, (1, MEMBERS))
    follower = RaftCore(RaftConfig(), "a", "host-a", Random(3), initial)
    follower.step(ev.Start(), 0.0)
    theirs = [entry(index, 1 if index < 5 else 3) for index in range(2, 8)]
    response, _ = ask(follower, append(3, (1, 1), *theirs, commit=7))
    assert isinstance(response, AppendEntriesResponse) and not response.success
    assert (follower.state.last_index, follower.state.commit_index) == (5, 5)
    ours = [entry(index, 1 if index < 5 else 2) for index in range(2, 8)]
    response, _ = ask(follower, append(3, (1, 1), *ours, commit=7))
    assert isinstance(response, AppendEntriesResponse) and response.success
    assert (follower.state.last_index, follower.state.commit_index) == (7, 7)


def test_a_follower_that_refuses_the_first_entry_gets_a_snapshot() -> None:
    leader = core(2, runs=((1, 1), (2, 2)), last=3)
    effects = leader.step(ev.Received(1, TimeoutNowRequest()), 0.1)
    persist = next(e for e in effects if isinstance(e, ev.PersistState))
    sends = [e for e in leader.step(ev.DiskDone(persist.seq), 0.1) if isinstance(e, ev.Send)]
    effects = leader.step(ev.VoteResponded("b", sends[0].message, RequestVoteResponse(3, True)), 0.2)
    for _ in range(9):
        if any(isinstance(e, ev.SendSnapshot) for e in effects):
            break
        send = next(e for e in effects if isinstance(e, ev.SendAppend) and e.to == "b" and not e.heartbeat)
        effects = leader.step(ev.AppendResponded(send, AppendEntriesResponse(3, 9, False, True)), 0.2)
    assert [e.to for e in effects if isinstance(e, ev.SendSnapshot)] == ["b"]


def test_a_server_that_does_not_know_pre_votes_counts_as_granting() -> None:
    candidate = core(1)
    effects: list[Effect] = []
    now = 0.0
    while candidate.state.role is Role.FOLLOWER:
        now += 0.5
        effects = candidate.step(ev.Tick(), now)
    send = next(e for e in effects if isinstance(e, ev.Send))
    candidate.step(ev.SendFailed(send), now)
    assert candidate.state.role is Role.PRE_CANDIDATE
    candidate.step(ev.SendFailed(send, unsupported=True), now)
    assert candidate.state.role is Role.CANDIDATE and candidate.state.term == 2


def test_no_answer_promises_anything_after_a_failed_write() -> None:
    follower = core(1)
    assert not replies(follower.step(ev.Received(1, append(1, (1, 1), entry(2, 1))), 0.1))
    (reply,) = replies(follower.step(ev.DiskFailed(1, "no space"), 0.1))
    assert reply.error == "storage failed: no space"
    assert follower.state.last_index == 1
    _, error = ask(follower, vote(7))
    assert error == "storage failed: no space" and follower.state.term == 1


def test_who_cannot_write_still_knows_its_leader() -> None:
    """Until that is silent; and it promises nothing that has to be on disk, as a newer term."""
    follower = core(1)
    follower.step(ev.Received(1, append(1, (1, 1), entry(2, 1))), 0.1)
    follower.step(ev.DiskFailed(1, "no space"), 0.1)
    contact = follower.state.last_contact
    answer, error = ask(follower, AppendEntriesRequest(1, b"host-b", 0, 0, None, 0))
    assert isinstance(answer, AppendEntriesResponse) and answer.success and not error
    assert follower.state.leader_address == "host-b"
    assert ask(follower, append(1, (1, 1), entry(2, 1)))[1] == "storage failed: no space"
    assert ask(follower, AppendEntriesRequest(2, b"host-c", 0, 0, None, 0))[1] == "storage failed: no space"
    assert (follower.state.term, follower.state.leader_address) == (1, "host-c")
    assert follower.state.last_contact == contact, "its state does not follow the leader's"
    follower.step(ev.Tick(), 9.0)
    assert follower.state.leader_address == "" and follower.state.role is Role.FOLLOWER


def test_timeout_now_campaigns_without_pre_vote_and_says_so() -> None:
    follower = core(1)
    ask(follower, append(1, (1, 1)))
    effects = follower.step(ev.Received(2, TimeoutNowRequest()), 0.2)
    assert follower.state.role is Role.CANDIDATE
    persist = next(e for e in effects if isinstance(e, ev.PersistState))
    sends = [e for e in follower.step(ev.DiskDone(persist.seq), 0.2) if isinstance(e, ev.Send)]
    assert {s.to for s in sends} == {"b", "c"}
    assert all(isinstance(s.message, RequestVoteRequest) and s.message.leadership_transfer for s in sends)


def test_raft_5_4_2_entries_of_older_terms_are_not_committed_by_counting() -> None:
    leader = core(2, runs=((1, 1), (2, 2)), last=3)
    effects = leader.step(ev.Received(1, TimeoutNowRequest()), 0.1)
    persist = next(e for e in effects if isinstance(e, ev.PersistState))
    sends = [e for e in leader.step(ev.DiskDone(persist.seq), 0.1) if isinstance(e, ev.Send)]
    request = sends[0].message
    effects = leader.step(ev.VoteResponded("b", request, RequestVoteResponse(3, True)), 0.2)
    noop = next(e for e in effects if isinstance(e, ev.Append))
    leader.step(ev.DiskDone(noop.seq), 0.2)
    assert leader.state.role is Role.LEADER and leader.state.last_index == 4
    for peer in "bc":
        old = ev.SendAppend(peer, 90, 3, 1, 1, 3, 0, False, 0.2)
        leader.step(ev.AppendResponded(old, AppendEntriesResponse(3, 3, True)), 0.3)
    assert leader.state.commit_index == 0
    new = ev.SendAppend("b", 91, 3, 3, 2, 4, 0, False, 0.3)
    effects = leader.step(ev.AppendResponded(new, AppendEntriesResponse(3, 4, True)), 0.4)
    assert leader.state.commit_index == 4
    assert [e for e in effects if isinstance(e, ev.Apply)] == [ev.Apply(1, 4)]


def test_a_refused_vote_does_not_put_back_the_election_timer() -> None:
    follower = core(2, runs=((1, 1), (2, 2)), last=3)
    now = 0.0
    for term in range(3, 40):
        response, _ = ask(follower, vote(term, last=(9, 1)), now)
        assert isinstance(response, RequestVoteResponse) and not response.granted
        now += 0.1
        follower.step(ev.Tick(), now)
        if follower.state.role is Role.PRE_CANDIDATE:
            return
    pytest.fail("the follower never campaigned")
