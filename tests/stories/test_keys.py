"""Gossip keys: rotated while members come and go, lost, wrong, damaged, and members without any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.harness import Subject, eventually
from support.pools import KEYS, ConsulMember, Pool

pytestmark = pytest.mark.timeout(300)

KEYRING = "/v1/operator/keyring"
FIRST, SECOND, THIRD = KEYS


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with Pool(tmp_path, key=FIRST) as one:
        yield one


def begun(pool: Pool, *names: str) -> list[ConsulMember]:
    members = [pool.add_consul(name, Subject.OURS, server=name == "a") for name in names]
    pool.join_all()
    pool.everybody_sees()
    return members


def change(member: ConsulMember, method: str, key: str) -> None:
    """A change of keys, tried until every living member has answered: now and then an answer is lost."""
    body = json.dumps({"Key": key}).encode()
    eventually(lambda: member.call(method, KEYRING, body).status == 200, f"{method} of a key")


def kept_keys(member: ConsulMember) -> list[str]:
    keys: list[str] = json.loads((member.data_dir / "serf/local.keyring").read_text())
    return keys


def rotate(member: ConsulMember, old: str, new: str) -> None:
    for method, key in (("POST", new), ("PUT", new), ("DELETE", old)):
        change(member, method, key)


def test_a_rotation_that_one_member_slept_through(pool: Pool) -> None:
    """It cannot come back by itself, says why, hurts nobody, and is helped as the runbook says: with its file."""
    first, second, away = begun(pool, "a", "b", "c")
    away.kill()
    pool.everybody_sees(c="failed")
    rotate(first, FIRST, SECOND)
    assert kept_keys(first) == kept_keys(second) == [SECOND]
    late = pool.add_consul("d", Subject.OURS)
    late.kill()
    late.key = SECOND
    (late.data_dir / "serf/local.keyring").unlink(missing_ok=True)
    late.start()
    pool.join(late)
    eventually(lambda: first.members()["d"].status == "alive", "one with the new key is let in")
    # Back with the key of old: no member, and both sides say so.
    away.arguments += ["-retry-join", first.gossip, "-retry-interval=1s"]
    away.start()
    away.wait_ready()
    eventually(lambda: "No installed keys could decrypt the message" in first.log(), "they say why they do not listen")
    eventually(lambda: "Join cluster failed, will retry" in away.log(), "it says that nobody lets it in")
    assert first.members()["c"].status == "failed"
    # The way back: its file gets the key of now.
    away.kill()
    (away.data_dir / "serf/local.keyring").write_text(json.dumps([SECOND]))
    away.start()
    pool.everybody_sees()


def test_the_file_counts_whatever_the_configuration_says(pool: Pool) -> None:
    """A key taken out of the configuration, or changed there, changes nothing; a warning says so."""
    first, second = begun(pool, "a", "b")
    rotate(first, FIRST, SECOND)
    for key in ("", THIRD):
        second.kill()
        second.key = key
        second.start()
        pool.join(second)
        pool.everybody_sees()
        assert kept_keys(second) == [SECOND]
    assert "keyring doesn't include key provided with -encrypt, using keyring" in second.log()


def test_a_first_start_with_a_wrong_key(pool: Pool) -> None:
    """The wrong key is in a file by then: with the right one in the configuration it is still outside, and says why."""
    (first,) = begun(pool, "a")
    wrong = pool.add_consul("b", Subject.OURS, "-retry-join", first.gossip, "-retry-interval=1s")
    wrong.kill()
    for path in (wrong.data_dir / "serf").glob("*.keyring"):
        path.unlink()
    wrong.key = THIRD
    wrong.start()
    eventually(lambda: "Join cluster failed, will retry" in wrong.log(), "nobody lets it in")
    wrong.kill()
    wrong.key = FIRST
    wrong.start()
    eventually(lambda: "keyring doesn't include key provided with -encrypt" in wrong.log(), "what counts is named")
    assert set(first.members()) == {"a"}
    wrong.kill()
    (wrong.data_dir / "serf/local.keyring").unlink()
    wrong.start()
    pool.everybody_sees()


def test_members_in_clear_text_and_mixed_settings(pool: Pool) -> None:
    """A member without keys is not let in, unless both sides were told to be lenient for the time of a change."""
    (first,) = begun(pool, "a")
    stranger = pool.add_consul("b", Subject.OURS, "-retry-join", first.gossip, "-retry-interval=1s")
    stranger.kill()
    for path in (stranger.data_dir / "serf").glob("*.keyring"):
        path.unlink()
    stranger.key = ""
    stranger.start()
    eventually(lambda: "Join cluster failed, will retry" in stranger.log(), "nobody lets it in")
    eventually(lambda: "ncrypt" in first.log(), "it is named")
    assert set(first.members()) == {"a"}
    # Encrypt a living cluster step by step (Consul docs: encryption): clear text is taken, and sent, for a while.
    first.kill()
    first.arguments += ["-hcl", "encrypt_verify_incoming = false encrypt_verify_outgoing = false"]
    first.start()
    pool.everybody_sees()
    stranger.kill()
    stranger.key = FIRST
    stranger.arguments += ["-hcl", "encrypt_verify_incoming = false"]
    stranger.start()
    pool.everybody_sees()
    first.kill()
    first.arguments += ["-hcl", "encrypt_verify_incoming = true encrypt_verify_outgoing = true"]
    first.start()
    pool.everybody_sees()


@pytest.mark.long
@pytest.mark.reference
def test_keys_go_round_while_members_come_and_go(reference_binary: Path, tmp_path: Path) -> None:
    """A pool of both programs, ten rotations, a member killed or started at each: at the end all agree on one key."""
    with Pool(tmp_path, key=FIRST) as pool:
        first = pool.add_consul("a", Subject.OURS, server=True)
        others = [pool.add_consul(f"m{number}", subject) for number, subject in enumerate([*Subject, *Subject])]
        pool.join_all()
        pool.everybody_sees()
        now = 0
        for turn in range(10):
            old, new = KEYS[now % 3], KEYS[(now + 1) % 3]
            goer = others[turn % len(others)]
            change(first, "POST", new)
            goer.kill()
            change(first, "PUT", new)
            goer.start()  # it has both keys
            pool.join(goer)
            pool.everybody_sees()
            change(first, "PUT", new)
            change(first, "DELETE", old)
            now += 1
        pool.everybody_sees()
        keys = {tuple(kept_keys(member)) for member in pool.agents()}
        assert keys == {(KEYS[now % 3],)}
