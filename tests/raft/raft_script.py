"""Interpreter of the golden interaction scripts in ``testdata/*.txt``.

A script is a list of blocks: command lines, a line ``----``, the expected trace, an empty line. Commands:

    servers N [voters M]   make servers 1..N (in memory, clock at 0), the first M in the configuration
    campaign ID            let ID's election timer fire
    disk ID                acknowledge all writes of ID;  fail-disk ID  fails them
    deliver                deliver every message now under way, answers included in the next deliver
    stabilise              repeat disk and deliver until nothing is under way
    drop A->B / heal       lose all messages from A to B / stop losing
    propose ID text        as client of ID
    verify|transfer ID     ask for leadership proof / hand-over
    add|add-nonvoter|demote|remove ID TARGET   change membership through ID
    advance SECONDS        let time pass; timers fire
    compact ID INDEX       ID took a snapshot at INDEX
    status                 one line per server
"""

from __future__ import annotations

import random
from collections.abc import Callable

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change, Configuration, Server, Suffrage
from proconsul.engine.raft.core import InitialState, RaftCore
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.log import MemoryLog
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    Request,
    RequestVoteRequest,
    RequestVoteResponse,
    Response,
    StableState,
    TimeoutNowRequest,
    TimeoutNowResponse,
)
from proconsul.engine.raft.startup import load_state

Packet = tuple[str, str, str, Callable[[], None], Callable[[], None]]
SendEffect = ev.Send | ev.SendAppend | ev.SendSnapshot


class Script:
    """State between the blocks of one script."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cores: dict[str, RaftCore] = {}
        self.logs: dict[str, MemoryLog] = {}
        self.mirrors: dict[str, dict[int, LogEntry]] = {}
        self.writes: dict[str, list[ev.Write]] = {}
        self.timers: dict[str, float] = {}
        self.packets: list[Packet] = []
        self.lost: set[tuple[str, str]] = set()
        self.replies: dict[int, Callable[[ev.Reply], None]] = {}
        self.requests = 0
        self.tokens = 0
        self.out: list[str] = []

    def run(self, text: str) -> str:
        """Run a block; returns its trace."""
        self.out = []
        for line in text.splitlines():
            words = line.split()
            getattr(self, "do_" + words[0].replace("-", "_"))(*words[1:])
        return "\n".join(self.out) or "(nothing)"

    def say(self, server: str, text: str) -> None:
        self.out.append(f"{server}  {text}")

    def configuration(self, count: int) -> Configuration:
        return Configuration.of(Server(Suffrage.VOTER, str(n), f"host{n}") for n in range(1, count + 1))

    # -- commands ------------------------------------------------------------------------------------------------------

    def do_servers(self, count: str, _: str = "voters", voters: str = "") -> None:
        members = self.configuration(int(voters or count))
        config = RaftConfig(inflight_max=3, append_entries_max=2)
        for number in range(1, int(count) + 1):
            name = str(number)
            log = self.logs[name] = MemoryLog()
            initial = InitialState(StableState(), load_state(log, None).terms)
            if members.get(name) is not None:
                entry = LogEntry(1, 1, EntryType.CONFIGURATION, members.encode())
                log.write((ev.PersistState(0, 1, 0, b""), ev.Append(0, (entry,))))
                initial = load_state(log, None)
            self.mirrors[name] = {e.index: e for e in log._entries}
            self.writes[name] = []
            self.cores[name] = RaftCore(config, name, f"host{name}", random.Random(number), initial, 0.0)
        for name in self.cores:
            self.step(name, ev.Start())

    def do_campaign(self, name: str) -> None:
        for _ in range(10):
            self.now = max(self.now, self.timers.pop(name))
            self.step(name, ev.Tick())
            if self.cores[name].state.role is not Role.FOLLOWER:
                return
        raise AssertionError(f"{name} does not campaign")

    def do_disk(self, name: str) -> None:
        writes, self.writes[name] = self.writes[name], []
        if writes:
            self.logs[name].write(writes)
            self.step(name, ev.DiskDone(writes[-1].seq))

    def do_fail_disk(self, name: str) -> None:
        self.writes[name] = []
        self.step(name, ev.DiskFailed(self.logs[name].last_index, "disk full"))

    def do_deliver(self) -> None:
        packets, self.packets = self.packets, []
        for sender, to, label, action, fail in packets:
            if (sender, to) in self.lost:
                self.out.append(f"   {sender}->{to} lost: {label}")
                fail()
            else:
                self.out.append(f"   {sender}->{to} {label}")
                action()

    def do_stabilise(self) -> None:
        for _ in range(100):
            if not self.packets and not any(self.writes.values()):
                return
            for name in self.cores:
                self.do_disk(name)
            self.do_deliver()
        raise AssertionError("the script never becomes stable")

    def do_drop(self, *links: str) -> None:
        for link in links:
            sender, to = link.split("->")
            self.lost.add((sender, to))

    def do_heal(self) -> None:
        self.lost.clear()

    def do_propose(self, name: str, text: str) -> None:
        if self.cores[name].accepts_proposals:
            self.step(name, ev.Propose((ev.Proposal(0, text.encode()),)))
        else:
            self.say(name, "refuses the proposal")

    def token(self) -> int:
        self.tokens += 1
        return self.tokens

    def do_verify(self, name: str) -> None:
        self.step(name, ev.Verify(self.token()))

    def do_transfer(self, name: str, target: str | None = None) -> None:
        self.step(name, ev.Transfer(self.token(), target))

    def change(self, name: str, change: Change, target: str, address: str = "") -> None:
        self.step(name, ev.ChangeMembership(self.token(), change, target, address))

    def do_add(self, name: str, target: str) -> None:
        self.change(name, Change.ADD_VOTER, target, f"host{target}")

    def do_add_nonvoter(self, name: str, target: str) -> None:
        self.change(name, Change.ADD_NONVOTER, target, f"host{target}")

    def do_demote(self, name: str, target: str) -> None:
        self.change(name, Change.DEMOTE, target)

    def do_remove(self, name: str, target: str) -> None:
        self.change(name, Change.REMOVE, target)

    def do_compact(self, name: str, index: str) -> None:
        term = self.cores[name].state.terms.term_at(int(index))
        assert term is not None
        self.step(name, ev.SnapshotTaken(int(index), term, int(index)))

    def do_advance(self, seconds: str) -> None:
        end = self.now + float(seconds)
        while self.timers and min(self.timers.values()) <= end:
            name = min(self.timers, key=lambda n: (self.timers[n], n))
            self.now = max(self.now, self.timers.pop(name))
            self.step(name, ev.Tick())
        self.now = end

    def do_status(self) -> None:
        for name, core in self.cores.items():
            state = core.state
            self.say(
                name,
                f"{state.role.value} term {state.term} leader {state.leader_id} commit {state.commit_index} "
                f"durable {state.durable_index} last {state.last_index}",
            )

    # -- effects -------------------------------------------------------------------------------------------------------

    def step(self, name: str, event: ev.Event) -> None:
        core = self.cores[name]
        effects = core.step(event, self.now)
        core.check()
        for effect in effects:
            self.perform(name, effect)

    def perform(self, name: str, effect: ev.Effect) -> None:
        if isinstance(effect, ev.ArmTimer):
            self.timers[name] = effect.at
        elif isinstance(effect, ev.Append | ev.PersistState | ev.ResetLog):
            self.write(name, effect)
        elif isinstance(effect, ev.SendAppend):
            self.send_append(name, effect)
        elif isinstance(effect, ev.SendSnapshot):
            state = self.cores[name].state
            data = state.committed_configuration.encode()
            request = InstallSnapshotRequest(
                effect.term, b"", state.snapshot_index, state.snapshot_term, None, data, 1, 0, id=name.encode()
            )
            label = f"InstallSnapshot term {effect.term} index {state.snapshot_index}"
            self.send(name, effect.to, effect, request, label)
        elif isinstance(effect, ev.Send):
            self.send(name, effect.to, effect, effect.message, election_label(effect.message))
        elif isinstance(effect, ev.Reply):
            self.replies.pop(effect.request_id)(effect)
        elif isinstance(effect, ev.ReceiveSnapshot):
            configuration = Configuration.decode(effect.request.configuration)
            self.say(name, f"receives snapshot {effect.request.last_log_index}")
            self.step(name, ev.SnapshotStored(effect.request_id, effect.request, configuration))
        else:
            self.say(name, describe(effect, self.mirrors[name]))

    def write(self, name: str, write: ev.Write) -> None:
        self.writes[name].append(write)
        mirror = self.mirrors[name]
        if isinstance(write, ev.Append):
            for index in [i for i in mirror if i >= write.entries[0].index]:
                del mirror[index]
            mirror.update({entry.index: entry for entry in write.entries})
            drop = "" if write.truncate_from is None else f"truncate from {write.truncate_from}, "
            self.say(name, f"disk: {drop}append {' '.join(map(entry_label, write.entries))}")
        elif isinstance(write, ev.PersistState):
            vote = f" vote {write.voted_for.decode()}" if write.vote_term == write.term else ""
            self.say(name, f"disk: term {write.term}{vote}")
        else:
            mirror.clear()
            self.say(name, f"disk: reset log to {write.index}")

    def send_append(self, name: str, effect: ev.SendAppend) -> None:
        entries = tuple(self.mirrors[name][i] for i in range(effect.prev_index + 1, effect.last_index + 1))
        request = AppendEntriesRequest(
            effect.term,
            f"host{name}".encode(),
            effect.prev_index,
            effect.prev_term,
            None if effect.heartbeat else entries,
            effect.commit,
            id=name.encode(),
        )
        if effect.heartbeat:
            label = f"Heartbeat term {effect.term}"
        else:
            what = " ".join(map(entry_label, entries)) or "nothing"
            after = f"after {effect.prev_index}/{effect.prev_term}"
            label = f"Append term {effect.term} {after} commit {effect.commit}: {what}"
        self.send(name, effect.to, effect, request, label)

    def send(self, name: str, to: str, effect: SendEffect, request: Request, label: str) -> None:
        self.requests += 1
        number = self.requests

        def arrive() -> None:
            self.replies[number] = answer
            self.step(to, ev.Received(number, request))

        def answer(reply: ev.Reply) -> None:
            response = reply.response
            event = ev.SendFailed(effect) if reply.error else respond(effect, to, request, response)
            self.packets.append((to, name, reply_label(reply), lambda: self.step(name, event), fail))

        def fail() -> None:
            self.step(name, ev.SendFailed(effect))

        self.packets.append((name, to, label, arrive, fail))


def respond(effect: SendEffect, peer: str, request: Request, response: Response) -> ev.Event:
    if isinstance(effect, ev.SendAppend) and isinstance(response, AppendEntriesResponse):
        return ev.AppendResponded(effect, response)
    if isinstance(effect, ev.SendSnapshot) and isinstance(response, InstallSnapshotResponse):
        assert isinstance(request, InstallSnapshotRequest)
        return ev.SnapshotResponded(effect, request.last_log_index, response)
    assert isinstance(effect, ev.Send)
    assert isinstance(response, RequestVoteResponse | PreVoteResponse | TimeoutNowResponse)
    return ev.VoteResponded(peer, effect.message, response)


def entry_label(entry: LogEntry) -> str:
    kinds = {0: entry.data.decode("ascii", "replace"), 1: "noop", 4: "barrier", 5: "configuration"}
    return f"{entry.index}/{entry.term}:{kinds[entry.type]}"


def election_label(message: RequestVoteRequest | PreVoteRequest | TimeoutNowRequest) -> str:
    if isinstance(message, TimeoutNowRequest):
        return "TimeoutNow"
    name = "PreVote" if isinstance(message, PreVoteRequest) else "Vote"
    forced = " (transfer)" if isinstance(message, RequestVoteRequest) and message.leadership_transfer else ""
    return f"{name} term {message.term} last {message.last_log_index}/{message.last_log_term}{forced}"


def reply_label(reply: ev.Reply) -> str:
    response = reply.response
    if reply.error:
        return f"error: {reply.error}"
    if isinstance(response, AppendEntriesResponse):
        return f"{'ok' if response.success else 'no'} term {response.term} last {response.last_log}"
    if isinstance(response, InstallSnapshotResponse):
        return f"{'installed' if response.success else 'not installed'} term {response.term}"
    if isinstance(response, RequestVoteResponse):
        return f"{'granted' if response.granted else 'refused'} term {response.term}"
    granted = getattr(response, "granted", None)
    return "ok" if granted is None else f"pre-vote {'granted' if granted else 'refused'}"


def describe(effect: ev.Effect, mirror: dict[int, LogEntry]) -> str:
    if isinstance(effect, ev.Apply):
        return "apply " + " ".join(entry_label(mirror[i]) for i in range(effect.first, effect.last + 1))
    if isinstance(effect, ev.LeadershipChanged):
        return f"LEADERSHIP {'gained' if effect.is_leader else 'lost'} in term {effect.term}"
    if isinstance(effect, ev.ConfigurationChanged):
        state = "committed" if effect.committed else "in force"
        servers = effect.configuration.servers
        names = " ".join(s.id if s.suffrage is Suffrage.VOTER else f"{s.id}(non-voter)" for s in servers)
        return f"configuration {effect.index} {state}: {names}"
    if isinstance(effect, ev.Resolved):
        return f"request {effect.token} " + ("done" if effect.error is None else f"failed: {effect.error}")
    if isinstance(effect, ev.Note):
        return f"# {effect.text}"
    if isinstance(effect, ev.Compact):
        return f"compact up to {effect.up_to}"
    if isinstance(effect, ev.RestoreSnapshot):
        return f"restore snapshot {effect.index}/{effect.term}"
    raise AssertionError(f"unknown effect {effect}")
