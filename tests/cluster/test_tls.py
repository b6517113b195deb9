"""Clusters whose agents talk TLS only: ours, and ours with Consul 1.8.7 in one quorum."""

# mypy: disable-error-code="union-attr"

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from support.clusters import Cluster, written
from support.harness import Subject, eventually, program, run
from support.pools import ConsulMember, require_reference

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
STRICT = "verify_incoming = true verify_outgoing = true verify_server_hostname = true"
SERVER_NAME = "server.dc1.consul"


class Certificates:
    """An authority and certificates of it, made as operators make them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._tls("ca", "create")
        for kind in ("server", "client"):
            self.create(kind)

    def _tls(self, *words: str) -> None:
        made = run([*program(OURS), "tls", *words], cwd=self.directory)
        assert made.returncode == 0, made.stderr

    def create(self, kind: str) -> None:
        """The next certificate of ``kind``: what is there is not overwritten."""
        self._tls("cert", "create", f"-{kind}", "-dc", "dc1")

    def pair(self, kind: str, number: int = 0) -> tuple[Path, Path]:
        """Certificate and key."""
        stem = f"dc1-{kind}-consul-{number}"
        return self.directory / f"{stem}.pem", self.directory / f"{stem}-key.pem"

    @property
    def authority(self) -> Path:
        return self.directory / "consul-agent-ca.pem"

    def renew(self) -> None:
        """Have another server certificate in the files of the first."""
        self.create("server")
        for new, old in zip(self.pair("server", 1), self.pair("server"), strict=True):
            shutil.copy(new, old)

    def settings(self, kind: str, authority: Path | None = None) -> list[str]:
        certificate, key = self.pair(kind)
        ca = authority or self.authority
        return ["-hcl", f'{STRICT} ca_file = "{ca}" cert_file = "{certificate}" key_file = "{key}"']

    def dial(self, server: ConsulMember, inner: bytes, kind: str = "client") -> ssl.SSLSocket:
        """A connection to the RPC port as agents make it, with a certificate of ``kind``."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.load_cert_chain(*self.pair(kind))
        plain = socket.create_connection((server.host, server.ports["server"]), timeout=10)
        plain.sendall(b"\x03")
        secured = context.wrap_socket(plain, server_hostname=SERVER_NAME)
        secured.sendall(inner)
        return secured


class SecuredCluster(Cluster):
    """As `Cluster`, under TLS, with a client agent of each kind that is at hand."""

    def __init__(self, directory: Path, made: Certificates, *servers: Subject) -> None:
        self.made = made
        cast = [(f"s{number}-{subject.value}", subject) for number, subject in enumerate(servers)]
        super().__init__(directory, *cast, clients=[(f"c-{subject.value}", subject) for subject in (OURS, THEIRS)])

    def _add(self, name: str, subject: Subject, arguments: list[str]) -> ConsulMember:
        if "ca_file" not in "".join(arguments):
            arguments = [*arguments, *self.made.settings("server" if "-server" in arguments else "client")]
        return super()._add(name, subject, arguments)

    def add_stranger(self, name: str, arguments: list[str]) -> ConsulMember:
        """Begin an agent with settings of its own."""
        member = self._add(name, OURS, arguments)
        self.restart(member)
        return member

    def serial(self, server: ConsulMember) -> str:
        """Of the certificate that new connections are shown."""
        with self.made.dial(server, b"") as connection:
            certificate = connection.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])


NOBODY = "No known Consul servers"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def works_everywhere(cluster: SecuredCluster, mark: str) -> None:
    """Every agent writes, and all servers come to hold the same."""
    for member in cluster.agents():
        written(member, "PUT", f"/v1/kv/{mark}/{member.name}", member.name.encode())
    cluster.same_state()


def save_and_restore_everywhere(cluster: SecuredCluster) -> None:
    """Snapshots go through every agent both ways: each is asked for by whoever does not lead, inside of TLS."""
    for member in cluster.agents():
        written(member, "PUT", "/v1/kv/saved", member.name.encode())
        archive = member.ok("GET", "/v1/snapshot").body
        written(member, "PUT", "/v1/kv/saved", b"later")
        written(member, "PUT", "/v1/snapshot", archive)
        eventually(partial(holds, member, "saved", member.name), "the state is back")


def holds(member: ConsulMember, key: str, value: str) -> bool:
    return member.call("GET", f"/v1/kv/{key}?raw").text == value


@pytest.mark.parametrize(
    "servers", [(OURS, OURS, OURS), (OURS, THEIRS, OURS), (THEIRS, OURS, THEIRS)],
    ids=["ours", "two-of-ours", "one-of-ours"],
)  # fmt: skip
def test_a_cluster_under_tls(tmp_path: Path, made: Certificates, servers: tuple[Subject, ...]) -> None:
    require_reference()
    with SecuredCluster(tmp_path, made, *servers) as cluster:
        leader = cluster.settled()
        for member in cluster.servers():
            assert member.members()[member.name].tags["use_tls"] == "1"
        works_everywhere(cluster, "first")
        save_and_restore_everywhere(cluster)
        eventually(partial(healthy, leader), "servers answer autopilot")
        leader.kill()
        works_everywhere(cluster, "afterwards")


def healthy(server: ConsulMember) -> bool:
    return server.call("GET", "/v1/operator/autopilot/health").status == 200


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredCluster]:
    """One server of ours, whose certificate files are nobody else's, and two client agents."""
    require_reference()
    directory = tmp_path_factory.mktemp("ours")
    with SecuredCluster(directory, Certificates(directory / "certificates"), OURS) as cluster:
        cluster.settled()
        yield cluster


def test_a_server_with_another_authoritys_certificate_stays_out(single: SecuredCluster, tmp_path: Path) -> None:
    leader = single.servers()[0]
    other = Certificates(tmp_path)
    stranger = single.add_stranger("stranger", ["-server", *other.settings("server", single.made.authority)])
    eventually(lambda: "failed to get conn: x509: certificate signed by unknown authority" in leader.log(),
               "the leader does not talk to it")  # fmt: skip
    assert stranger.call("GET", "/v1/kv/?recurse&stale").status == 500, "it knows nothing"
    peers = leader.ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
    assert [one["Node"] for one in peers if one["Voter"]] == [leader.name]
    stranger.kill()
    works_everywhere(single, "meanwhile")


def test_who_speaks_in_the_clear_is_told_nothing(single: SecuredCluster) -> None:
    leader = single.servers()[0]
    plain = single.add_stranger("plain", ["-hcl", "# ca_file: none"])
    # Before it has met the server it knows nobody to speak to.
    reply = eventually(
        lambda: (found := plain.call("PUT", "/v1/kv/bad")).text.strip() != NOBODY and found, "the server is known"
    )
    assert (reply.status, reply.text.strip()) == (500, "rpc error making call: EOF")
    eventually(lambda: "Non-TLS connection attempted with VerifyIncoming set" in leader.log(),
               "the server says why")  # fmt: skip
    plain.kill()


def test_a_clients_certificate_is_not_enough_for_consensus(single: SecuredCluster) -> None:
    leader = single.servers()[0]
    with single.made.dial(leader, b"\x01", "client") as connection:
        assert connection.recv(1) == b""
    expected = "Raft connection refused"
    eventually(lambda: expected in leader.log(), "the server says why")
    assert "x509: certificate is valid for client.dc1.consul, localhost, not server.dc1.consul" in leader.log()
    with single.made.dial(leader, b"\x01\x63", "server") as connection:  # an unknown request, so it was read
        assert connection.recv(1) == b""
    assert leader.log().count(expected) == 1


def test_a_renewed_certificate_is_used_after_a_reload(single: SecuredCluster) -> None:
    leader = single.servers()[0]
    first = single.serial(leader)
    single.made.renew()
    assert single.serial(leader) == first
    os.kill(leader.pid, signal.SIGHUP)
    eventually(lambda: single.serial(leader) != first, "the new certificate is shown")
    renewed = single.serial(leader)
    works_everywhere(single, "renewed")

    single.made.pair("server")[0].write_text("junk")
    reply = leader.call("PUT", "/v1/agent/reload")
    text = "Failed reloading tls configuration: Failed to load cert/key pair: tls: failed to find any PEM data"
    assert reply.status == 500 and text in reply.text
    os.kill(leader.pid, signal.SIGHUP)
    eventually(lambda: f"Reload config failed: error={text}" in leader.log().replace('"', ""), "it is logged")
    assert single.serial(leader) == renewed
    works_everywhere(single, "before")
