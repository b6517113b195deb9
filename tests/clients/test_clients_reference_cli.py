"""The reference's own command line, pointed at the reference and at us: the same words and exit codes."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from support.harness import Agent, eventually, run

pytestmark = pytest.mark.reference

# One line is one command; each is run against the reference and then against us.
COMMANDS = """
kv put cli/a one
kv put -flags=7 cli/b two
kv put -cas -modify-index=0 cli/a nope
kv put cli/e
kv get cli/a
kv get -detailed cli/b
kv get -keys cli/
kv get -recurse cli/
kv get -base64 cli/b
kv get cli/none
kv get -stale cli/a
kv export cli/
kv delete cli/a
kv delete -recurse cli/
kv get -recurse cli/
catalog datacenters
catalog nodes
catalog nodes -detailed
catalog nodes -service=consul
catalog nodes -near=_agent
catalog nodes -node-meta=a=b
catalog services
catalog services -tags
catalog services -node=n1
members
members -detailed
members -status=alive
members -status=failed
members -wan
services register -name=web -id=web1 -port=8080 -tag=a -tag=b -meta=k=v
services register -name=web -address=10.0.0.1
services register
catalog services
services deregister -id=web1
services deregister -id=none
services deregister web.json
event -name=deploy payload
event -name=deploy -node=n1 -service=consul
event
maint
maint -enable -reason=repair
maint
maint -disable
maint -enable -service=none
maint -enable -service=web
maint
maint -disable -service=web
lock -child-exit-code cli/lock true
lock -child-exit-code cli/lock false
lock -n=2 cli/sem echo held
info
reload
force-leave none
join 127.0.0.1:1
monitor -log-level=bogus
watch -type=nodes
watch -type=services
watch -type=service -service=consul
watch -type=checks
watch -type=checks -state=critical
watch -type=key -key=none
watch -type=keyprefix -prefix=cli/
watch -type=event -name=none
operator raft list-peers
operator autopilot get-config
snapshot save snapshot.out
keyring -list
validate .
""".strip().splitlines()  # fmt: skip

# Commands whose subject is not there yet. The reason is asserted to still hold.
NOT_YET = {
    "info": "the statistics of two programs differ",
}

_RULES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r'((?:Create|Modify)Index"?:? +)\d+'), r"\1<index>"),
    (re.compile(r"(verified snapshot to index )\d+"), r"\1<index>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r'("(?:Port|ServicePort)": )\d+|(port=)\d+|(wan_join_port=)\d+'), r"\1\2\3<port>"),
    (re.compile(r'"LTime": \d+'), '"LTime": <time>'),
    (re.compile(r" +"), " "),  # columns are as wide as ports are long
)


def _shown(done: subprocess.CompletedProcess[str]) -> str:
    text = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


@pytest.fixture(scope="module")
def agents(agents: list[Agent]) -> list[Agent]:
    for agent in agents:
        (agent.directory / "web.json").write_text('{"service": {"name": "web"}}')
    return agents


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_say_the_same(command: str, agents: list[Agent], reference_binary: Path) -> None:
    said = []
    for agent in agents:
        environment = {"CONSUL_HTTP_ADDR": agent.address, "PATH": "/usr/bin:/bin"}
        words = [str(reference_binary), *command.split()]
        said.append(_shown(run(words, env=environment, cwd=agent.directory)))
    if command in NOT_YET:
        assert said[0] != said[1], f"no longer differs; remove it from NOT_YET: {NOT_YET[command]}"
    else:
        assert said[1] == said[0]


def test_an_export_is_imported(agents: list[Agent], reference_binary: Path) -> None:
    ours = agents[1]
    ours.call("PUT", "/v1/kv/move/a", b"\x00\xff")
    address = [f"-http-addr={ours.address}"]
    exported = run([str(reference_binary), "kv", "export", *address, "move/"]).stdout
    ours.call("DELETE", "/v1/kv/move/?recurse")
    done = run([str(reference_binary), "kv", "import", *address, exported])
    assert done.stdout.strip() == "Imported: move/a"
    assert ours.call("GET", "/v1/kv/move/a?raw").body == b"\x00\xff"


def test_a_lock_waits_for_its_holder(agents: list[Agent], reference_binary: Path, tmp_path: Path) -> None:
    ours, marker = agents[1], tmp_path / "order"
    base = [str(reference_binary), "lock", f"-http-addr={ours.address}"]
    with contextlib.ExitStack() as stack:
        hold = f"echo first >> {marker}; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        first = stack.enter_context(subprocess.Popen([*base, "turns", hold]))
        eventually(marker.exists, "the first holder")
        second = stack.enter_context(subprocess.Popen([*base, "turns", f"echo second >> {marker}"]))
        eventually(lambda: len(ours.call("GET", "/v1/session/list").json()) >= 2, "the second waits")
        assert marker.read_text() == "first\n"
        (tmp_path / "go").touch()
        assert (first.wait(60), second.wait(60)) == (0, 0)
    assert marker.read_text() == "first\nsecond\n"


def test_a_watch_follows_changes(agents: list[Agent], reference_binary: Path, tmp_path: Path) -> None:
    ours, seen = agents[1], tmp_path / "seen"
    ours.call("PUT", "/v1/kv/watched", "0")
    command = [str(reference_binary), "watch", f"-http-addr={ours.address}", "-type=key", "-key=watched"]
    process = subprocess.Popen([*command, f"cat >> {seen}; echo >> {seen}"])
    try:
        for number in range(3):
            ours.call("PUT", "/v1/kv/watched", str(number))
            entry = ours.call("GET", "/v1/kv/watched").json()[0]["Value"]
            eventually(lambda entry=entry: seen.exists() and entry in seen.read_text(), f"change {number} is seen")
    finally:
        process.terminate()
        process.wait(20)
