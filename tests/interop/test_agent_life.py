"""How agents come and go: joins at the start, restarts, leaves, signals; ours beside Consul 1.8.7 in the same story."""

# mypy: disable-error-code="arg-type,assignment"

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pool_stories as stories
import pytest

from support.harness import Subject, eventually, program, run
from support.pools import ConsulMember, Pool, require_reference

pytestmark = pytest.mark.reference
OURS, REFERENCE = Subject.OURS, Subject.REFERENCE
NOBODY = "127.0.0.1:1"
both = pytest.mark.parametrize("subject", [OURS, REFERENCE], ids=["ours", "reference"])


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    require_reference()
    with Pool(tmp_path) as pool:
        yield pool


def other(subject: Subject) -> Subject:
    return REFERENCE if subject is OURS else OURS


def first(pool: Pool, subject: Subject) -> ConsulMember:
    """A server for others to join."""
    server = pool.add_consul("first", subject, server=True)
    server.wait_ready()
    return server


def command(subject: Subject, member: ConsulMember, *words: str) -> str:
    environment = {**os.environ, "CONSUL_HTTP_ADDR": f"{member.host}:{member.ports['http']}"}
    done = run([*program(subject), *words], env=environment)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


# ---------------------------------------------------------------------- what ends an agent at its start


def last_words(pool: Pool, *arguments: str, server: bool = False, held: str = "", kind: int = 0) -> list[object]:
    """Exit code and error lines of both programs, without what is different by nature."""
    found: list[object] = []
    with contextlib.ExitStack() as stack:
        for subject in (REFERENCE, OURS):
            member = ConsulMember(
                subject.value, pool.directory / subject.value, subject=subject, server=server, arguments=list(arguments)
            )
            if held:
                holder = stack.enter_context(socket.socket(socket.AF_INET, kind))
                holder.bind((member.host, member.ports[held]))
                if kind == socket.SOCK_STREAM:
                    holder.listen()
            pool.members[member.name] = member
            member.start()
        for member in list(pool.members.values()):
            assert isinstance(member, ConsulMember)
            found.append((member.wait_exit(), _errors(member)))
    return found


def _errors(member: ConsulMember) -> list[str]:
    # Ours escapes quotes inside of values, lest a value be taken for more of the log.
    log = member.log().replace('\\"', '"').replace(member.host, "HOST")
    for name, port in member.ports.items():
        log = log.replace(str(port), name)
    errors = re.findall(r"\[ERROR\] agent: ((?:(?!failed to sync|    \d{4}-).*\n?)+)", log)
    return [error.rstrip() for error in errors if error]


@pytest.mark.parametrize(
    ("server", "held", "kind"),
    [(False, "serf_lan", socket.SOCK_STREAM), (False, "serf_lan", socket.SOCK_DGRAM),
     (True, "serf_lan", socket.SOCK_STREAM), (True, "serf_wan", socket.SOCK_DGRAM), (True, "http", socket.SOCK_STREAM),
     (True, "server", socket.SOCK_STREAM)],
)  # fmt: skip
def test_a_port_in_use_ends_it(pool: Pool, server: bool, held: str, kind: int) -> None:
    theirs, ours = last_words(pool, server=server, held=held, kind=kind)
    assert ours == theirs
    assert "bind: address already in use" in str(ours)


def test_a_failed_start_join_ends_it(pool: Pool) -> None:
    theirs, ours = last_words(pool, "-join", NOBODY)
    assert ours == theirs == (1, [
        "1 error occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused"
    ])  # fmt: skip


def test_exhausted_retries_end_it(pool: Pool) -> None:
    theirs, ours = last_words(pool, "-retry-join", NOBODY, "-retry-max=1", "-retry-interval=1s")
    assert ours == theirs == (1, ['Retry join failed: error="agent: max join LAN retry exhausted, exiting"'])


@both
def test_a_short_reconnect_timeout_is_taken(pool: Pool, subject: Subject) -> None:
    """The documentation asks for 8 hours at least; the program does not."""
    member = pool.add_consul("brief", subject, "-hcl", 'reconnect_timeout = "10ms" reconnect_timeout_wan = "1s"')
    member.wait_ready()
    config = member.ok("GET", "/v1/agent/self").json()["DebugConfig"]
    assert (config["ReconnectTimeoutLAN"], config["ReconnectTimeoutWAN"]) == ("10ms", "1s")


# ---------------------------------------------------------------------- joining


@both
def test_retry_join_waits_for_who_comes_later(pool: Pool, subject: Subject) -> None:
    server = ConsulMember("first", pool.directory / "first", subject=other(subject), server=True)
    client = pool.add_consul(
        "early", subject, "-retry-join", NOBODY, "-retry-join", server.gossip, "-retry-interval=1s"
    )
    eventually(lambda: "will retry" in client.log(), "the first attempt fails")
    pool.members[server.name] = server
    server.start()
    server.wait_ready()
    pool.everybody_sees()
    eventually(lambda: "Join LAN completed" in client.log() or "Join cluster completed" in client.log(), "it says so")


@both
def test_readiness_is_told_when_a_join_succeeds(pool: Pool, subject: Subject) -> None:
    server = first(pool, other(subject))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = pool.directory / "notify"
        manager.bind(str(path))
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(path)}
        member = ConsulMember("unit", pool.directory / "unit", subject=subject, environment=environment)
        pool.members[member.name] = member
        member.start()
        member.wait_ready()
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        manager.settimeout(20)
        member.join(server.gossip)
        assert manager.recv(100) == b"READY=1"


@both
def test_members_of_another_datacenter_are_refused(pool: Pool, subject: Subject) -> None:
    server = first(pool, other(subject))
    foreign = pool.add_consul("foreign", subject, "-datacenter=dc2")
    foreign.wait_ready()
    for member, name, datacenter, target in (
        (foreign, "first", "dc1", server.gossip), (server, "foreign", "dc2", foreign.gossip),
    ):  # fmt: skip
        # Who is asked refuses in silence or with its own reason; who asks names the one that does not belong.
        reply = member.call("PUT", f"/v1/agent/join/{target}")
        assert reply.status == 500
        assert "1 error occurred" in reply.text
        assert f"Member '{name}' part of wrong datacenter '{datacenter}'" in member.log() + reply.text
    for member in (server, foreign):
        assert set(member.members()) == {member.name}


@both
def test_federation_by_hand(pool: Pool, subject: Subject) -> None:
    server = first(pool, other(subject))
    far = pool.add_consul("far", subject, "-datacenter=dc2", server=True)
    far.wait_ready()
    said = command(subject, far, "join", "-wan", server.wan_gossip)
    assert said == "0\nSuccessfully joined cluster by contacting 1 nodes.\n"

    def apart() -> object:
        views = [{name: seen.status for name, seen in member.members(wan=True).items()} for member in (server, far)]
        return [view for view in views if view != {"first.dc1": "alive", "far.dc2": "alive"}]

    pool.until(apart, "both see both over the WAN")
    assert set(server.members()) == {"first"}
    assert set(far.members()) == {"far"}
    # A client cannot be in the WAN pool.
    client = pool.add_consul("client", subject)
    client.wait_ready()
    assert "Must be a server to join WAN cluster" in command(subject, client, "join", "-wan", server.wan_gossip)


# ---------------------------------------------------------------------- restarts and leaves


def test_a_restart_finds_the_pool_by_itself(pool: Pool) -> None:
    """After kill -9 too; the original has its last lines in memory then, and knows only what came before."""
    server = first(pool, REFERENCE)
    member = pool.add_consul("back", OURS)
    pool.join(member)
    pool.everybody_sees()
    snapshot = member.directory / "data/serf/local.snapshot"
    eventually(lambda: f"alive: first {server.gossip}\n" in snapshot.read_text(), "it remembers whom it knows")
    member.kill()
    member.start()
    member.wait_ready()
    pool.everybody_sees()
    eventually(lambda: "serf: Re-joined to previously known node: first" in member.log(), "it went there by itself")


def test_a_restart_after_a_leave(pool: Pool) -> None:
    """Who has left stays away, unless it is told that leaving means nothing."""
    server = first(pool, REFERENCE)
    alone = pool.add_consul("alone", OURS)
    back = pool.add_consul("back", OURS, "-rejoin")
    for member in (alone, back):
        pool.join(member)
    pool.everybody_sees()
    stories.leave_together(pool, ("alone", "back"))
    pool.everybody_sees(alone="left", back="left")
    # In this order, for one of those that the other remembers would do.
    back.start()
    eventually(lambda: server.members()["back"].status == "alive", "one comes back")
    alone.start()
    alone.wait_ready()
    assert back.members()["first"].status == "alive"
    assert set(alone.members()) == {"alone"}
    assert server.members()["alone"].status == "left"
    assert "Attempting re-join" not in alone.log()


def test_who_is_told_to_end_leaves_if_it_should(pool: Pool) -> None:
    """Clients leave at SIGTERM, servers do not, unless configured otherwise."""
    first(pool, REFERENCE)
    expected = {"client": (0, "left"), "server": (1, "failed"), "stays": (1, "failed"), "goes": (0, "left")}
    for name, words in (("client", ()), ("stays", ("-hcl", "leave_on_terminate = false"))):
        pool.add_consul(name, OURS, *words)
    for name, words in (("server", ()), ("goes", ("-hcl", "leave_on_terminate = true"))):
        pool.add_consul(name, OURS, *words, server=True)
    pool.join_all()
    pool.everybody_sees()
    for name in expected:
        os.kill(pool.members[name].pid, signal.SIGTERM)
    for name, (code, _) in expected.items():
        assert pool.members[name].wait_exit() == code, name
    pool.everybody_sees(**{name: status for name, (_, status) in expected.items()})


def test_failed_members_are_listed_and_pruned(pool: Pool) -> None:
    first(pool, REFERENCE)
    for number in (1, 2):
        pool.add_consul(f"our{number}", OURS)
        pool.add_consul(f"ref{number}", REFERENCE)
    pool.join_all()
    pool.everybody_sees()
    for name in ("our2", "ref2"):
        pool.members[name].kill()
    pool.everybody_sees(our2="failed", ref2="failed")
    asked = [member for member in pool.agents() if member.name in ("our1", "ref1")]
    for member in asked:
        for subject in (OURS, REFERENCE):
            lines = command(subject, member, "members", "-status=failed").splitlines()
            assert {line.split()[0] for line in lines[2:]} == {"our2", "ref2"}
    for subject, member, name in ((OURS, asked[0], "ref2"), (REFERENCE, asked[1], "our2")):
        # To be forgotten is gossip only and misses somebody now and then; it may be asked for again.
        def pruned(subject: Subject = subject, member: ConsulMember = member, name: str = name) -> bool:
            for one in pool.agents():
                if name in one.members():
                    command(subject, one if one is not member else member, "force-leave", "-prune", name)
            return all(name not in one.members() for one in pool.agents())

        eventually(pruned, f"{name} is forgotten by all")
    pool.everybody_sees()
