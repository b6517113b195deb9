"""Loading: sources, order, merge, defaults, warnings, definitions, reload and the DebugConfig view."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.config import ConfigError, debug_config, load, load_with, reload, validate_paths
from proconsul.agent.config.debug_definitions import node_check_view, service_view
from proconsul.agent.config.host import Interface
from support.work import calls


class FakeHost:
    """A machine with the interfaces given."""

    def __init__(self, *interfaces: Interface, route: str = "eth0") -> None:
        self._interfaces = list(interfaces)
        self._route = route

    def hostname(self) -> str:
        return "box"

    def interfaces(self) -> list[Interface]:
        return self._interfaces

    def default_interface(self) -> str:
        return self._route

    def is_directory(self, path: str) -> bool | None:
        return None


LOOPBACK = Interface("lo", "127.0.0.1", 8, loopback=True)
PRIVATE = Interface("eth0", "10.0.0.7", 24)


def test_dev_mode_is_a_fast_open_server_on_loopback() -> None:
    config, warnings = load_with({"dev": True}, FakeHost())
    assert warnings == []
    fixed = config.fixed
    assert (fixed.server, fixed.dev_mode, fixed.bind_addr, fixed.node_name) == (True, True, "127.0.0.1", "box")
    assert (fixed.ui.enabled, fixed.connect.enabled, config.reloadable.enable_debug) == (True, True, True)
    assert (fixed.ports.grpc, config.reloadable.log_level, fixed.disable_keyring_file) == (-1, "DEBUG", True)
    assert fixed.raft.election_timeout_s == pytest.approx(0.052)
    assert fixed.gossip_lan.suspicion_mult == 3


def test_dev_mode_needs_no_heavy_module_and_little_work() -> None:
    code = (
        "import sys\n"
        "from proconsul.agent.config import load\n"
        "load({'dev': True})\n"
        "heavy = {'hcl2', 'lark', 'psutil', 'ssl', 'asyncio', 'cryptography', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert calls(lambda: load({"dev": True})) < 5000


def test_server_and_client_defaults_differ() -> None:
    host = FakeHost(LOOPBACK, PRIVATE)
    server, _ = load_with({"data_dir": "/d", "server": True}, host)
    client, _ = load_with({"data_dir": "/d"}, host)
    assert (server.reloadable.leave_on_terminate, server.reloadable.skip_leave_on_interrupt) == (False, True)
    assert (client.reloadable.leave_on_terminate, client.reloadable.skip_leave_on_interrupt) == (True, False)
    assert client.fixed.advertise_addr_lan == "10.0.0.7"
    assert server.fixed.raft.heartbeat_timeout_s == 5.0
    assert server.fixed.gossip_wan.suspicion_mult == 6


def test_sources_merge_in_order(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(
        '{"service":{"name":"a"},"retry_join":["a"],"node_meta":{"a":"1","b":"2"},"datacenter":"one"}'
    )
    (tmp_path / "2.hcl").write_text(
        'service { name = "b" } services { name = "c" } retry_join = ["b"] node_meta { b = "3" } datacenter = "two"'
    )
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "skipped.txt").write_text("not a configuration")
    (tmp_path / "below.json").mkdir()
    config, warnings = load_with(
        {
            "dev": True,
            "retry_join": ["flag"],
            "node_meta": {"f": "1"},
            "log_level": "WARN",
            "config_files": [str(tmp_path)],
            "hcl": ['retry_join = ["h"] log_level = "TRACE"'],
        },
        FakeHost(),
    )
    assert config.fixed.join_lan.retry_join == ("flag", "a", "b", "h")
    assert config.reloadable.node_meta == {"a": "1", "b": "3", "f": "1"}
    assert [service["Name"] for service in config.reloadable.service_definitions] == ["a", "c", "b"]
    assert (config.fixed.datacenter, config.reloadable.log_level) == ("two", "WARN")
    assert len(warnings) == 1
    assert warnings[0].startswith("skipping file")


def test_fragment_errors_name_the_fragment() -> None:
    with pytest.raises(ConfigError) as caught:
        load_with({"dev": True, "hcl": ["", "bogus = 1"]}, FakeHost())
    assert str(caught.value) == "failed to parse flags-1.hcl: 1 error occurred:\n\t* invalid config key bogus\n\n"


def test_missing_file() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"dev": True, "config_files": ["nope.json"]})
    assert str(caught.value) == "config: Open failed on nope.json. open nope.json: no such file or directory"


@pytest.mark.parametrize(
    ("interfaces", "bind", "outcome"),
    [
        ([LOOPBACK, PRIVATE], "0.0.0.0", "10.0.0.7"),
        (
            [LOOPBACK, PRIVATE, Interface("eth1", "192.168.1.1", 24)],
            "0.0.0.0",
            "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
        ),
        ([LOOPBACK], "0.0.0.0", "No private IPv4 address found"),
        ([LOOPBACK], "::", "No public IPv6 address found"),
        ([Interface("eth0", "2a00::1", 64)], "::", "2a00::1"),
        ([LOOPBACK, PRIVATE], '{{ GetInterfaceIP "eth0" }}', "10.0.0.7"),
        ([LOOPBACK, PRIVATE], "{{ GetPrivateIP }}", "10.0.0.7"),
        ([LOOPBACK, PRIVATE], '{{ GetAllInterfaces | exclude "name" "^lo" | attr "address" }}', "10.0.0.7"),
        ([LOOPBACK, PRIVATE], '{{ GetAllInterfaces | include "network" "10.0.0.0/8" | attr "address" }}', "10.0.0.7"),
    ],
)
def test_advertise_address_is_found_or_asked_for(interfaces: list[Interface], bind: str, outcome: str) -> None:
    flags = {"data_dir": "/d", "bind_addr": bind}
    if "found" in outcome:
        with pytest.raises(ConfigError) as caught:
            load_with(flags, FakeHost(*interfaces))
        assert str(caught.value) == outcome
    else:
        config, _ = load_with(flags, FakeHost(*interfaces))
        assert config.fixed.advertise_addr_lan == outcome
        assert config.fixed.tagged_addresses["wan"] == outcome


def test_listeners_and_unix_sockets() -> None:
    config, _ = load_with(
        {
            "dev": True,
            "client_addr": "127.0.0.1 ::1",
            "addresses": {"http": "unix:///run/c.sock 10.1.1.1"},
            "ports": {"https": 8501, "dns": -1},
        },
        FakeHost(),
    )
    assert [str(e) for e in config.fixed.http_addrs] == ["unix:///run/c.sock", "tcp://10.1.1.1:8500"]
    assert [str(e) for e in config.fixed.https_addrs] == ["tcp://127.0.0.1:8501", "tcp://[::1]:8501"]
    assert config.fixed.dns_addrs == ()


def test_addresses_per_family_are_tags_only() -> None:
    given = {"advertise_addr_ipv4": "127.0.0.2", "advertise_addr_ipv6": "::1", "advertise_addr_wan": "10.0.0.1"}
    config, _ = load_with({"dev": True, **given}, FakeHost())
    assert config.fixed.tagged_addresses == {
        "lan": "127.0.0.1", "lan_ipv4": "127.0.0.2", "lan_ipv6": "::1", "wan": "10.0.0.1", "wan_ipv4": "10.0.0.1",
    }  # fmt: skip


def test_definitions_take_the_form_of_the_http_api() -> None:
    body = {
        "name": "web", "port": 80, "tagged_addresses": {"lan": {"address": "1.2.3.4"}},
        "weights": {"passing": 5, "warning": 2}, "meta": {"k": "v"},
        "check": {"http": "http://x", "interval": "10s", "timeout": "1.5s", "args": ["x"], "id": "c"},
        "connect": {"sidecar_service": {"proxy": {"upstreams": [{"destination_name": "db", "local_bind_port": 9}]}}},
    }  # fmt: skip
    checks = [{"id": "m", "name": "m", "ttl": "5s"}]
    config, _ = load_with({"dev": True, "services": [body], "checks": checks}, FakeHost())
    service = config.reloadable.service_definitions[0]
    assert service["Checks"] == [
        {"CheckID": "c", "ScriptArgs": ["x"], "HTTP": "http://x", "Interval": 10**10, "Timeout": 1_500_000_000,
         "OutputMaxSize": 4096}
    ]  # fmt: skip
    assert service["TaggedAddresses"] == {"lan": {"Address": "1.2.3.4", "Port": 0}}
    assert service["Weights"] == {"Passing": 5, "Warning": 2}
    assert config.reloadable.check_definitions == ({"ID": "m", "Name": "m", "TTL": 5 * 10**9, "OutputMaxSize": 4096},)


def test_legacy_acl_keys_are_mapped() -> None:
    config, warnings = load_with(
        {
            "dev": True, "acl_datacenter": "DC2", "acl_master_token": "m", "acl_ttl": "7s",
            "acl_default_policy": "deny", "acl_agent_master_token": "am", "enable_acl_replication": True,
        },
        FakeHost(),
    )  # fmt: skip
    fixed = config.fixed
    assert fixed.acl.enabled
    assert (fixed.primary_datacenter, fixed.acl.default_policy, fixed.acl.token_ttl_s) == ("dc2", "deny", 7.0)
    assert (config.reloadable.tokens.initial_management, config.reloadable.tokens.agent_recovery) == ("m", "am")
    assert config.fixed.acl.enable_token_replication
    assert warnings == ["The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead."]


def test_newer_keys_are_understood() -> None:
    config, _ = load_with(
        {
            "dev": True,
            "acl": {"tokens": {"initial_management": "i"}},
            "tls": {"defaults": {"ca_file": "ca", "verify_incoming": True}, "https": {"verify_incoming": False}},
            "ui_config": {"enabled": True, "content_path": "x"},
            "limits": {"request_limits": {"mode": "enforcing", "read_rate": 5.0}},
        },
        FakeHost(),
    )
    assert config.reloadable.tokens.initial_management == "i"
    assert config.reloadable.tls.internal_rpc.verify_incoming
    assert not config.reloadable.tls.https.verify_incoming
    assert config.reloadable.tls.https.ca_file == "ca"
    assert config.fixed.ui.content_path == "/x/"
    assert (config.reloadable.serving.request_limits_mode, config.reloadable.serving.request_read_rate) == (
        "enforcing",
        5.0,
    )


@pytest.mark.parametrize(("block", "text"), [
    ({"metrics_provider": "Prom"}, 'ui_config.metrics_provider can only contain lowercase alphanumeric, - or _ '
                                   'characters. received: "Prom"'),
    ({"metrics_provider": "a b"}, "ui_config.metrics_provider can only"),
    ({"metrics_provider_options_json": "[1]"}, 'ui_config.metrics_provider_options_json must be empty or a string '
                                               'containing a valid JSON object. received: "[1]"'),
    ({"metrics_provider_options_json": "{"}, "ui_config.metrics_provider_options_json must be empty"),
    ({"metrics_provider_options_json": "null"}, "ui_config.metrics_provider_options_json must be empty"),
    ({"metrics_proxy": {"base_url": "localhost:9090"}}, "ui_config.metrics_proxy.base_url must be a valid http or "
                                                        'https URL. received: "localhost:9090"'),
    ({"metrics_proxy": {"base_url": "ftp://x/"}}, "ui_config.metrics_proxy.base_url must be a valid"),
    ({"metrics_proxy": {"base_url": "http://"}}, "ui_config.metrics_proxy.base_url must be a valid"),
    ({"dashboard_url_templates": {"Service": "http://x"}}, "ui_config.dashboard_url_templates key names can only "
                                                           'contain lowercase alphanumeric, - or _ characters. '
                                                           'received: "Service"'),
    ({"dashboard_url_templates": {"service": "javascript:alert(1)"}}, "ui_config.dashboard_url_templates values must "
                                                                      "be a valid http or https URL. received: "
                                                                      '"javascript:alert(1)"'),
    ({"content_path": "/v1/"}, "ui-content-path cannot have 'v[0-9]'. received: /v1/"),
    ({"content_path": "a b"}, "ui-content-path can only contain alphanumeric, -, _, or /. received: /a b/"),
])  # fmt: skip
def test_settings_of_the_page_are_checked(block: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_with({"dev": True, "ui_config": block}, FakeHost())
    assert str(refused.value).startswith(text)


def test_settings_of_the_page() -> None:
    block = {
        "enabled": True, "dir": "/pages", "metrics_provider": "prometheus", "read_only": True,
        "metrics_proxy": {"base_url": "https://p/x", "add_headers": [{"name": "Authorization", "value": "b"}]},
        "dashboard_url_templates": {"service": "https://g/{{Service.Name}}?a={{Datacenter}}"},
    }  # fmt: skip
    ui = load_with({"dev": True, "ui_config": block}, FakeHost())[0].fixed.ui
    assert (ui.directory, ui.read_only) == ("/pages", True)
    assert ui.metrics_proxy.add_headers == (("Authorization", "b"),)
    assert ui.metrics_proxy.path_allowlist == ("/api/v1/query", "/api/v1/query_range")
    given = {"base_url": "https://p", "path_allowlist": ["/only"]}
    proxy = load_with({"dev": True, "ui_config": {**block, "metrics_proxy": given}}, FakeHost())[0].fixed.ui
    assert proxy.metrics_proxy.path_allowlist == ("/only",)


def test_reload_keeps_what_may_not_change(tmp_path: Path) -> None:
    file = tmp_path / "c.hcl"
    file.write_text('node_name = "one" datacenter = "dc1"')
    flags = {"dev": True, "config_files": [str(file)]}
    first, _ = load(flags)
    file.write_text('node_name = "two" datacenter = "dc2" log_level = "ERR" service { name = "web" }')
    second, _ = reload(flags, first)
    assert (second.fixed.node_name, second.fixed.datacenter) == ("one", "dc1")
    assert second.reloadable.log_level == "ERR"
    assert len(second.reloadable.service_definitions) == 1
    file.write_text("broken {")
    with pytest.raises(ConfigError):
        reload(flags, second)


def test_debug_config_hides_secrets_and_is_sorted() -> None:
    config, _ = load_with(
        {
            "dev": True, "encrypt": "MTIzNDU2Nzg5MDEyMzQ1Ng==", "acl": {"tokens": {"master": "TOPSECRET"}},
            "services": [{"name": "a", "token": "TOPSECRET"}],
            "checks": [{"name": "c", "ttl": "5s", "token": "TOPSECRET"}],
            "connect": {"ca_provider": "vault", "ca_config": {"token": "TOPSECRET"}},
        },
        FakeHost(),
    )  # fmt: skip
    view = debug_config(config)
    assert list(view) == sorted(view)
    text = json.dumps(view)
    assert "TOPSECRET" not in text
    assert "MTIzNDU2" not in text
    assert view["RaftProtocol"] == 0
    assert config.fixed.raft.protocol == 3
    assert view["DNSAddrs"] == ["tcp://127.0.0.1:8600", "udp://127.0.0.1:8600"]
    assert view["ReconnectTimeoutLAN"] == "0s"


def test_nobody_is_told_of_grpc_which_nobody_serves() -> None:
    from proconsul.agent.hosting import unkept_promises
    from proconsul.agent.main import banner

    config, _ = load_with({"dev": True}, FakeHost())
    assert "gRPC: -1," in banner(config, "id")
    view = debug_config(config)
    assert (view["GRPCPort"], view["GRPCAddrs"]) == (-1, [])
    assert unkept_promises(config) == []
    config, _ = load_with({"dev": True, "ports": {"grpc": 8502}}, FakeHost())
    assert "gRPC: -1," in banner(config, "id")
    assert unkept_promises(config) == [
        "port 8502 is set for gRPC, but this version does not serve gRPC: nobody listens there"
    ]


def test_validate_paths(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text('{"data_dir":"/tmp/x","bind_addr":"127.0.0.1","acl_datacenter":"dc1"}')
    valid, text, warnings = validate_paths([str(good)])
    assert (valid, text) == (True, "Configuration is valid!")
    assert "acl_datacenter" in warnings[0]
    assert validate_paths([str(good)], quiet=True) == (True, "", warnings)
    assert validate_paths([]) == (False, "Must specify at least one config file or directory", [])
    assert validate_paths([str(good)], "yaml") == (False, "-config-format must be either 'hcl' or 'json", [])
    assert validate_paths([str(good)], "hcl") == (True, text, warnings)


URLS = [
    ("http://me:s3cret@127.0.0.1:1/x?a=b", "http://me:hidden@127.0.0.1:1/x?a=b"),
    ("http://me:s3@cret@127.0.0.1:1/", "http://me:hidden@127.0.0.1:1/"),
    ("http://127.0.0.1/x?a=b&token=s3cret&c=d#e", "http://127.0.0.1/x?a=b&token=hidden&c=d#e"),
    ("http://127.0.0.1/?X-API-Key=s3cret", "http://127.0.0.1/?X-API-Key=hidden"),
    ("http://127.0.0.1/a:b@c?d=e:f@g", "http://127.0.0.1/a:b@c?d=e:f@g"),
    ("", ""),
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_what_checks_prove_themselves_with_is_not_shown(url: str, shown: str) -> None:
    """Whoever may read the agent, or gets a debug bundle, is not to get the secrets of those that checks ask."""
    header = {"Authorization": ["Bearer s3cret"], "x-vault-token": ["s3cret"], "Cookie": ["s3cret", "s3cret"],
              "Accept": ["text/plain"]}  # fmt: skip
    hidden = {"Authorization": ["hidden"], "x-vault-token": ["hidden"], "Cookie": ["hidden", "hidden"],
              "Accept": ["text/plain"]}  # fmt: skip
    check = {"HTTP": url, "Header": header}
    for view in (node_check_view(check), service_view({"Name": "web", "Checks": [check]})["Checks"][0]):  # type: ignore[index]
        assert (view["HTTP"], view["Header"]) == (shown, hidden)
