"""Answers that are no answers: JSON of another shape than a command expects. What it says was told by 1.8.7."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.cli.main import main
from proconsul.client.gojson import GoJsonError, Json, kind_of
from proconsul.client.shapes import _ANSWERS, _STRUCTS, answer_type, read

# What each command says of the answer ``5``, and the Go type it was to be.
NUMBER = "json: cannot unmarshal number into Go value of type "
COMMANDS = {
    "kv get k": f"Error querying Consul agent: {NUMBER}[]*api.KVPair",
    "kv get -keys k": f"Error querying Consul agent: {NUMBER}[]string",
    "members": f"Error retrieving members: {NUMBER}[]*api.AgentMember",
    "catalog nodes": f"Error listing nodes: {NUMBER}[]*api.Node",
    "catalog services": f"Error listing services: {NUMBER}map[string][]string",
    "info": f"Error querying agent: {NUMBER}map[string]map[string]interface {{}}",
    "operator raft list-peers":
        f"Error getting peers: Failed to retrieve raft configuration: {NUMBER}api.RaftConfiguration",
    "operator autopilot get-config": f"Error querying Autopilot configuration: {NUMBER}api.AutopilotConfiguration",
    "event -name x": f"Error querying Consul agent: {NUMBER}map[string]map[string]interface {{}}",
    "acl policy list": f"Failed to retrieve the policy list: {NUMBER}[]*api.ACLPolicyListEntry",
    "intention match x": f"Error matching the connection: {NUMBER}map[string][]*api.Intention",
    "config list -kind proxy-defaults":
        f'Error listing config entries for kind "proxy-defaults": {NUMBER}[]map[string]interface {{}}',
    "keyring -list": f"error: {NUMBER}[]*api.KeyringResponse",
}  # fmt: skip
OTHERS = [
    "acl token list", "acl role list", "acl auth-method list", "acl binding-rule list", "acl token read -id x",
    "acl policy read -id 00000000-0000-0000-0000-000000000000", "acl bootstrap", "catalog datacenters", "maint",
    "rtt a b", "connect ca get-config", "operator autopilot state", "config read -kind proxy-defaults -name global",
    "intention check a b", "intention get x", "exec -timeout 1s x", "lock x true", "kv export x",
]  # fmt: skip
BODIES = [
    "5", "{}", "[]", '"x"', "null", "true", "[5]", "[{}]", "[null]", '[{"Key":5}]', '{"a":5}', '{"ID":5}',
    '[{"Key":"a","Value":5}]', '{"a":[{}]}', '[["x"]]', '{"Servers":[null]}', '{"Config":[]}', "[] trailing", "[", "",
]  # fmt: skip


@contextlib.contextmanager
def answering() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers everything with the one body in the list."""
    body = [b""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("X-Consul-Index", "1")
            self.send_header("Content-Length", str(len(body[0])))
            self.end_headers()
            self.wfile.write(body[0])

        do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"127.0.0.1:{server.server_address[1]}", body
        server.shutdown()


def words(command: str, address: str) -> list[str]:
    """The command line with the address behind the command's name."""
    parts = command.split()
    names = [part for part in parts if not part.startswith("-")]
    at = next((index for index, part in enumerate(parts) if part.startswith("-")), len(parts))
    known = {"kv": 2, "catalog": 2, "acl": 2 if "bootstrap" in parts else 3, "operator": 3, "intention": 2, "config": 2}
    known["connect"] = 3
    at = min(at, known.get(names[0], 1))
    return [*parts[:at], f"-http-addr={address}", *parts[at:]]


def test_what_is_said_of_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with answering() as (address, body):
        body[0] = b"5"
        for command, text in COMMANDS.items():
            assert main(words(command, address)) == 1
            assert capsys.readouterr().err.strip() == text, command


@pytest.mark.parametrize("command", [*COMMANDS, *OTHERS])
def test_no_answer_ends_a_command_with_a_traceback(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as (address, body):
        for text in BODIES:
            body[0] = text.encode()
            assert main(words(command, address)) in (0, 1, 2), (command, text)
            assert "Traceback" not in capsys.readouterr().err


# ---------------------------------------------------------------------- the rule


@pytest.mark.parametrize(("value", "go_type", "text"), [
    ([5], "[]string", "json: cannot unmarshal number into Go value of type string"),
    ([5], "[]*api.KVPair", "json: cannot unmarshal number into Go value of type api.KVPair"),
    ([{"Key": 5}], "[]*api.KVPair", "json: cannot unmarshal number into Go struct field KVPair.Key of type string"),
    ({"a": 5}, "map[string][]string", "json: cannot unmarshal number into Go value of type []string"),
    ({"Servers": 5}, "api.RaftConfiguration",
     "json: cannot unmarshal number into Go struct field RaftConfiguration.Servers of type []*api.RaftServer"),
])  # fmt: skip
def test_what_is_said_of_a_wrong_shape(value: Json, go_type: str, text: str) -> None:
    with pytest.raises(GoJsonError) as caught:
        read(value, go_type)
    assert str(caught.value) == text


def test_names_are_read_without_case_and_what_is_missing_is_zero() -> None:
    pair: Json = {"key": "a", "FLAGS": 3, "Extra": [1]}
    assert read([pair], "[]*api.KVPair") == [{
        "Key": "a", "Flags": 3, "Extra": [1], "CreateIndex": 0, "ModifyIndex": 0, "LockIndex": 0, "Value": "",
        "Session": "",
    }]  # fmt: skip
    assert read(None, "[]string") == [] and read(None, "map[string][]string") == {}


def test_the_longest_path_decides() -> None:
    assert answer_type("/v1/kv/a/b") == "[]*api.KVPair" and answer_type("/v1/kv/a", {"keys"}) == "[]string"
    assert answer_type("/v1/acl/policy/x") == "api.ACLPolicy"
    assert answer_type("/v1/acl/policies") == "[]*api.ACLPolicyListEntry"
    assert answer_type("/v1/config/x") == "[]map[string]interface {}"
    assert answer_type("/v1/config/x/y") == "map[string]interface {}"
    assert answer_type("/v1/connect/intentions/check") == "struct { Allowed bool }"
    assert answer_type("/v1/unknown") == "interface {}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("Kx", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Key", "ID", "Node", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from([*_ANSWERS.values(), *(f"api.{name}" for name in _STRUCTS)]))
def test_every_value_has_the_shape_or_is_refused(value: Json, go_type: str) -> None:
    try:
        found = read(value, go_type)
    except GoJsonError as error:
        assert str(error).startswith("json: cannot unmarshal ")
    else:
        assert kind_of(found) == ("array" if go_type.startswith("[]") else "object")
        assert read(found, go_type) == found
