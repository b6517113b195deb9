"""A datacenter of ours and one of Consul 1.8.7, with gossip encrypted and certificates checked by name.

Every server may only be taken for one of its own datacenter; keys are changed from either side, in all pools at once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.harness import Subject, eventually, program, run
from support.pools import KEYS, ConsulMember, Pool, require_reference

pytestmark = pytest.mark.reference

NEW_KEY = b64encode(bytes([77]) * 32).decode()


def certificates(directory: Path, *datacenters: str) -> None:
    """An authority, and a certificate for the servers of each datacenter."""
    for words in (["ca", "create"], *(["cert", "create", "-server", "-dc", name] for name in datacenters)):
        assert run([*program(Subject.OURS), "tls", *words], cwd=directory).returncode == 0


def tls(directory: Path, datacenter: str) -> str:
    """The settings of servers of ``datacenter``."""
    own = f"{directory}/{datacenter}-server-consul-0"
    return (
        "verify_incoming_rpc = true verify_outgoing = true verify_server_hostname = true "
        f'ca_file = "{directory}/consul-agent-ca.pem" cert_file = "{own}.pem" key_file = "{own}-key.pem"'
    )


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ConsulMember]]:
    """By datacenter. ``liar`` is of dc3 and has the certificate of dc1."""
    require_reference()
    files = tmp_path_factory.mktemp("certificates")
    certificates(files, "dc1", "dc2", "dc4")
    with Pool(tmp_path_factory.mktemp("secured"), KEYS[0]) as pool:
        found: dict[str, ConsulMember] = {}
        for subject, datacenter, certificate in (
            (Subject.OURS, "dc1", "dc1"), (Subject.REFERENCE, "dc2", "dc2"), (Subject.OURS, "dc3", "dc1"),
            (Subject.OURS, "dc4", "dc4"),
        ):  # fmt: skip
            words = ["-datacenter", datacenter, "-hcl", tls(files, certificate)]
            if found:
                words += ["-retry-join-wan", found["dc1"].wan_gossip, "-retry-interval-wan", "1s"]
            found[datacenter] = pool.add_consul(datacenter, subject, *words, server=True)
        for member in found.values():
            member.wait_ready()
            member.ok("PUT", "/v1/kv/where", member.name.encode())
        for member in found.values():
            eventually(lambda one=member: len(one.members(wan=True)) == 4, f"{member.name} knows all")  # type: ignore[misc]
        yield found


def test_servers_are_taken_for_those_of_their_datacenter(servers: dict[str, ConsulMember]) -> None:
    for asked in ("dc1", "dc2", "dc4"):
        for target in ("dc1", "dc2", "dc4"):
            assert servers[asked].ok("GET", f"/v1/kv/where?raw&dc={target}").text == target
            assert servers[asked].ok("GET", f"/v1/snapshot?dc={target}").body[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("asked", ["dc4"])
def test_a_certificate_of_another_datacenter_is_refused(servers: dict[str, ConsulMember], asked: str) -> None:
    for method, path in (("GET", "/v1/kv/where"), ("PUT", "/v1/kv/new"), ("GET", "/v1/snapshot")):
        refused = servers[asked].call(method, f"{path}?dc=dc3", b"x" if method == "PUT" else None)
        assert refused.status == 500 and "certificate" in refused.text, refused.text


@pytest.mark.parametrize(("asked", "old", "new"), [("dc1", KEYS[0], NEW_KEY), ("dc2", NEW_KEY, KEYS[0])])
def test_keys_are_changed_from_either_side(
    servers: dict[str, ConsulMember], asked: str, old: str, new: str
) -> None:  # fmt: skip
    """All pools of all datacenters answer; nobody is lost on the way. The liar's own pool cannot be asked."""
    liar = servers["dc3"]
    if liar.running:
        liar.leave()
        for member in servers.values():
            if member is not liar:
                eventually(lambda one=member: one.members(wan=True)["dc3.dc3"].status == "left", "it is seen to leave")  # type: ignore[misc]
    agent = servers[asked]
    for method, key in (("POST", new), ("PUT", new), ("DELETE", old)):
        body = b'{"Key":"%s"}' % key.encode()
        eventually(lambda m=method, b=body: agent.call(m, "/v1/operator/keyring", b).status == 200, f"{method} {key}")  # type: ignore[misc]
    for member in (servers["dc1"], servers["dc2"], servers["dc4"]):
        rings = member.ok("GET", "/v1/operator/keyring").json()
        assert sorted((one["WAN"], one["Datacenter"]) for one in rings) == sorted(
            [(True, member.name), *((False, name) for name in ("dc1", "dc2", "dc4"))]
        )
        assert all(list(one["Keys"]) == [new] and one["Keys"][new] == one["NumNodes"] for one in rings), rings
        local = member.ok("GET", "/v1/operator/keyring?local-only=1").json()
        assert [(one["WAN"], one["Datacenter"]) for one in local] == [(False, member.name)]
