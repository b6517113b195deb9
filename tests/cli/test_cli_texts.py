"""Tables, JSON, watches, archives and completion, without any agent."""

from __future__ import annotations

import io
import os
from pathlib import Path

import cli_archives as archives
import pytest

from proconsul.cli import archive, complete, config_schema
from proconsul.cli.acl_common import merged, node_identities, service_identities
from proconsul.cli.agent_flags import AgentFlags
from proconsul.cli.api import ApiError, Client, encode_query, escape_path
from proconsul.cli.columnize import columnize, tabwriter
from proconsul.cli.command import Failure
from proconsul.cli.commands.agent import Agent
from proconsul.cli.commands.kv import Base64Error, strict_base64
from proconsul.cli.commands.rtt import distance_s
from proconsul.cli.main import main
from proconsul.client import gojson, schemas, watchplan
from proconsul.client.settings import ClientConfig
from proconsul.engine.wire.goregexp import compile_go


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], ""),
        (["a|b", "ccc|d"], "a    b\nccc  d"),
        (["a | b ", "c|ddd|e"], "a  b\nc  ddd  e"),
        (["Node|ID", "n|"], "Node  ID\nn     "),
    ],
)
def test_columnize(lines: list[str], text: str) -> None:
    assert columnize(lines) == text


def test_tabwriter_pads_blocks() -> None:
    assert tabwriter([["Key", "a"], ["ModifyIndex", "3"]]) == "Key              a\nModifyIndex      3"
    assert tabwriter([["a", ""], ["bbb", ""]], padding=2) == "a    \nbbb  "
    assert tabwriter([["long", "x"], ["alone"], ["b", "y"]], padding=1) == "long x\nalone\nb y"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        ('{"a"', "unexpected end of JSON input"),
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("nul", "unexpected end of JSON input"),
    ],
)
def test_json_refusals(text: str, reason: str) -> None:
    with pytest.raises(gojson.GoJsonError) as caught:
        gojson.loads(text)
    assert str(caught.value) == reason


def test_json_is_written_like_go() -> None:
    value: gojson.Json = {"a": "<&>\u2028ü", "b": [1, 1.5, 1e21, True, None], "c": [], "d": {}}
    assert gojson.dumps(value) == '{"a":"\\u003c\\u0026\\u003e\\u2028ü","b":[1,1.5,1e+21,true,null],"c":[],"d":{}}'
    assert gojson.dumps({"a": [1], "b": {}}, indent="\t") == '{\n\t"a": [\n\t\t1\n\t],\n\t"b": {}\n}'


def test_structs_order_fill_and_omit() -> None:
    shaped = schemas.KV_PAIR.shape({"Value": "eA==", "key": "k", "ModifyIndex": 3, "Unknown": 1})
    assert shaped == {
        "Key": "k", "CreateIndex": 0, "ModifyIndex": 3, "LockIndex": 0, "Flags": 0, "Value": "eA==", "Session": "",
    }  # fmt: skip
    assert list(shaped) == ["Key", "CreateIndex", "ModifyIndex", "LockIndex", "Flags", "Value", "Session"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"Name": "x"}, "Payload does not contain a kind/Kind key at the top level"),
        ({"Kind": "zz"}, "invalid config entry kind: zz"),
        ({"Kind": "service-defaults", "Foo": 1}, '1 error occurred:\n\t* invalid config key "Foo"\n\n'),
        ({"Kind": "service-resolver", "ConnectTimeout": "x"}, 'time: invalid duration "x"'),
    ],
)
def test_config_entry_refusals(document: dict[str, gojson.Json], reason: str) -> None:
    with pytest.raises(config_schema.EntryError) as caught:
        config_schema.decode(document)
    assert str(caught.value) == reason


def test_config_entry_takes_snake_case_and_blocks() -> None:
    entry = config_schema.decode(
        {
            "kind": "service-resolver",
            "name": "w",
            "connect_timeout": "15s",
            "subsets": [{"v1": [{"only_passing": True}]}],
        }
    )
    assert entry == {
        "ConnectTimeout": "15s", "Kind": "service-resolver", "Name": "w", "Subsets": {"v1": {"OnlyPassing": True}},
        "CreateIndex": 0, "ModifyIndex": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        ("", {}, "Watch type must be specified"),
        ("foo", {}, "Unsupported watch type: foo"),
        ("key", {}, "Must specify a single key to watch"),
        ("keyprefix", {}, "Must specify a single prefix to watch"),
        ("service", {}, "Must specify a single service to watch"),
        ("checks", {"service": "a", "state": "any"}, "Cannot specify service and state"),
        ("nodes", {"tag": ["a"]}, "Invalid parameters: [tag]"),
        ("event", {"stale": True}, "Invalid parameters: [stale]"),
    ],
)
def test_watch_refusals(kind: str, given: dict[str, gojson.Json], reason: str) -> None:
    with pytest.raises(watchplan.WatchError) as caught:
        watchplan.parse(kind, given)
    assert str(caught.value) == reason


def test_watch_requests() -> None:
    request = watchplan.parse("service", {"service": "web", "tag": ["a", "b"], "passingonly": True, "stale": True})
    assert request.path == "/v1/health/service/web"
    assert request.query == {"passing": "1", "tag": ["a", "b"]}
    assert request.stale
    assert watchplan.parse("checks", {}).path == "/v1/health/state/any"


def test_watch_plan_runs_the_handler_only_for_changes() -> None:
    plan = watchplan.WatchPlan()
    steps = [(5, None, True), (5, "x", False), (6, None, False), (7, "x", True), (8, "x", False), (3, "y", True)]
    assert [plan.observe(index, result) for index, result, _ in steps] == [wanted for _, _, wanted in steps]
    assert plan.index == 0, "an index that went backwards starts over"


def test_watch_retries_grow_to_three_minutes() -> None:
    assert [watchplan.retry_s(failures) for failures in (1, 2, 3, 6, 7, 100)] == [5, 20, 45, 180, 180, 180]


def test_events_after_the_last_seen() -> None:
    events: gojson.Json = [
        {"ID": "11111111-1111-1111-0000-000000000001"},
        {"ID": "22222222-2222-2222-0000-000000000002"},
    ]
    last = watchplan.event_index("11111111-1111-1111-0000-000000000001")
    assert last == 0x1111111111111111 ^ 1
    assert watchplan.new_events(events, last) == [{"ID": "22222222-2222-2222-0000-000000000002"}]
    assert watchplan.new_events(events, 77) == events


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "failed to decompress snapshot: EOF"),
        ("t5", "failed to decompress snapshot: unexpected EOF"),
        ("trunc", "unexpected EOF"),
        ("badsum", 'hash check failed for "state.bin"'),
        ("extra", 'unexpected file "foo" in snapshot'),
        ("badmeta", "failed to decode snapshot metadata: invalid character 'b'"),
        ("unk", 'list missing hash for "foo"'),
        ("nostate2", 'file missing for "state.bin"'),
    ],
)
def test_broken_archives_are_refused(name: str, reason: str, tmp_path: Path) -> None:
    archives.write_all(tmp_path)
    with pytest.raises(archive.ArchiveError) as caught:
        archive.verify(io.BytesIO((tmp_path / name).read_bytes()))
    assert reason in str(caught.value)


def test_sound_archive(tmp_path: Path) -> None:
    archives.write_all(tmp_path)
    with (tmp_path / "s.snap").open("rb") as file:
        assert archive.verify(file)["Index"] == 9


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("consul k", ["keygen", "keyring", "kv"]),
        ("consul kv ", ["delete", "export", "get", "import", "put"]),
        ("consul kv g", ["get"]),
        ("consul kv get -re", ["-recurse"]),
        ("consul kv get --re", ["-recurse"]),
        ("consul -v", ["-version"]),
        ("consul kv get x y", []),
    ],
)
def test_completion(line: str, wanted: list[str]) -> None:
    assert complete.candidates(line) == wanted


def test_completion_installs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    bashrc = tmp_path / ".bashrc"
    bashrc.write_text("# mine\n")
    (tmp_path / ".config" / "fish").mkdir(parents=True)
    assert main(["-autocomplete-install"]) == 0
    assert "complete -C" in bashrc.read_text()
    assert len(list((tmp_path / ".config" / "fish" / "completions").iterdir())) == 1
    assert main(["-autocomplete-install"]) == 1
    assert main(["-autocomplete-uninstall"]) == 0
    assert bashrc.read_text() == "# mine\n"


def test_paths_and_queries_are_encoded_like_go() -> None:
    assert escape_path("/v1/kv/a b/ü?*!") == "/v1/kv/a%20b/%C3%BC%3F%2A%21"
    assert encode_query({"b": "x y", "a": ["1", "/"], "c": ""}) == "a=1&a=%2F&b=x+y&c="


@pytest.mark.parametrize(
    ("environ", "scheme", "verify", "warnings"),
    [
        ({}, "http", True, 0),
        ({"CONSUL_HTTP_SSL": "true"}, "https", True, 0),
        ({"CONSUL_HTTP_SSL": "x", "CONSUL_HTTP_SSL_VERIFY": "0"}, "http", False, 1),
    ],
)
def test_environment(environ: dict[str, str], scheme: str, verify: bool, warnings: int) -> None:
    config = ClientConfig(environ)
    assert (config.scheme, config.verify, len(config.warnings)) == (scheme, verify, warnings)
    assert config.address == "127.0.0.1:8500"


def test_addresses() -> None:
    def client(address: str) -> Client:
        return Client(ClientConfig({"CONSUL_HTTP_ADDR": address}))

    assert client("https://h:1").scheme == "https"
    assert client("unix:///tmp/s").unix_path == "/tmp/s"
    with pytest.raises(ApiError, match="Unknown protocol scheme: zz"):
        client("zz://h")
    with pytest.raises(ApiError, match=r'Get "http://%2Fnope\.sock/v1/x": dial unix /nope.sock: connect: no such file'):
        client("unix:///nope.sock").get("/v1/x")


@pytest.mark.parametrize(
    ("data", "position", "partial"),
    [(b"aGVsbG8", 4, b"hel"), (b"****", 0, b""), (b"aGVs****", 4, b"hel")],
)
def test_base64_refusals(data: bytes, position: int, partial: bytes) -> None:
    with pytest.raises(Base64Error) as caught:
        strict_base64(data)
    assert str(caught.value) == f"illegal base64 data at input byte {position}"
    assert caught.value.partial == partial


def test_base64_skips_line_ends() -> None:
    assert strict_base64(b"aGVs\r\nbG8=\n") == b"hello"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[", "missing closing ]: `[`"),
        ("(", "missing closing ): `(`"),
        (")", "unexpected ): `)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("\\", "trailing backslash at end of expression: ``"),
    ],
)
def test_regular_expressions_are_refused_like_go(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match="error parsing regexp") as caught:
        compile_go(pattern)
    assert str(caught.value) == f"error parsing regexp: {reason}"


def test_distances() -> None:
    one: dict[str, gojson.Json] = {"Vec": [3.0, 0.0], "Height": 1.0, "Adjustment": 0.0}
    other: dict[str, gojson.Json] = {"Vec": [0.0, 4.0], "Height": 1.0, "Adjustment": -0.5}
    assert distance_s(one, other) == pytest.approx(6.5)
    assert distance_s(one, {**other, "Adjustment": -99.0}) == pytest.approx(7.0)


def test_identities() -> None:
    assert service_identities(["a", "b:d1,d2"]) == [
        {"ServiceName": "a"},
        {"ServiceName": "b", "Datacenters": ["d1", "d2"]},
    ]
    assert node_identities(["n:d"]) == [{"NodeName": "n", "Datacenter": "d"}]
    with pytest.raises(Failure, match='Malformed -node-identity argument: "n"'):
        node_identities(["n"])
    assert merged([{"ID": "1", "Name": "a"}], [{"Name": "a"}, {"Name": "b"}], ("ID", "Name")) == [
        {"ID": "1", "Name": "a"},
        {"Name": "b"},
    ]


def test_agent_flags() -> None:
    agent = Agent()
    agent.flags.parse(
        [
            "-dev",
            "-config-dir",
            "d",
            "-config-file",
            "f",
            "-config-dir",
            "e",
            "-http-port",
            "80",
            "-node",
            "n",
            "-node-meta",
            "a:b",
            "-retry-join",
            "x",
            "-retry-join",
            "y",
            "-server",
            "-disable-host-node-id=false",
            "-hcl",
            "a=1",
            "-serf-lan-port=7",
            "-recursor",
            "8.8.8.8",
        ]
    )
    found = agent.values()
    assert found.dev
    assert found.config_files == [("dir", "d"), ("file", "f"), ("dir", "e")]
    assert found.ports_http == 80
    assert found.ports_serf_lan == 7
    assert found.node_name == "n"
    assert found.node_meta == {"a": "b"}
    assert found.retry_join == ["x", "y"]
    assert found.server is True
    assert found.disable_host_node_id is False
    assert found.hcl == ["a=1"]
    assert found.dns_recursors == ["8.8.8.8"]
    assert found.bind_addr is None
    assert Agent().values() == AgentFlags()


def test_unknown_command_shows_help_and_ends_with_127(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nosuch"]) == 127
    assert capsys.readouterr().err.startswith("Usage: consul [--version] [--help] <command> [<args>]\n\nAvailable")
    assert main(["--help"]) == 0
    assert "    kv " in capsys.readouterr().out


def test_version_is_the_compatible_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("Consul v1.8.7\nProtocol 2 spoken by default")


def test_start_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom proconsul.cli.main import main\nmain(['kv', 'get', 'x'])\n"
        "heavy = {'httpx', 'cryptography', 'msgspec', 'hcl2', 'lark', 'psutil', 'asyncio', 'dataclasses'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "CONSUL_HTTP_ADDR": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "loaded: []\n", done.stdout + done.stderr
