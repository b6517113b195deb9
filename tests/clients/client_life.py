"""The life of a service, told to an agent through a Python client library. Run with the address and the port.

Works with any library that keeps python-consul's interface; raises on the first surprise.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import consul


def eventually(probe: Any, what: str) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        result = probe()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(what)


def services(c: Any) -> None:
    check = consul.Check.ttl("900s")
    assert c.agent.service.register(
        "web", service_id="web1", address="10.0.0.9", port=8080, tags=["a", "b"], check=check
    )
    assert c.agent.service.register("plain", port=1)
    assert {"web1", "plain"} <= set(c.agent.services())
    assert c.agent.checks()["service:web1"]["Status"] == "critical"
    eventually(lambda: c.health.service("web")[1], "web is in the catalog")
    assert c.health.service("web", passing=True)[1] == []
    assert c.agent.check.ttl_pass("service:web1", "fine")
    (entry,) = eventually(lambda: c.health.service("web", passing=True)[1], "web passes")
    assert entry["Service"]["Port"] == 8080
    assert [check["Output"] for check in entry["Checks"] if check["CheckID"] == "service:web1"] == ["fine"]
    assert c.agent.check.ttl_warn("service:web1") and c.agent.check.ttl_fail("service:web1")
    eventually(lambda: c.health.state("critical")[1], "web is critical")
    assert c.agent.check.register("memory", check=consul.Check.ttl("900s"))
    assert c.agent.check.ttl_pass("memory")
    assert c.agent.check.deregister("memory")
    index, nodes = c.catalog.nodes()
    assert int(index) > 0 and len(nodes) >= 1
    assert "web" in c.catalog.services()[1]
    assert c.catalog.service("web", tag="a")[1][0]["ServiceID"] == "web1"
    assert c.catalog.node(nodes[0]["Node"])[1]["Services"]["web1"]["Tags"] == ["a", "b"]


def maintenance(c: Any) -> None:
    assert c.agent.service.maintenance("plain", "true", "reason")
    assert "_service_maintenance:plain" in c.agent.checks()
    assert c.agent.service.maintenance("plain", "false")
    assert c.agent.maintenance("true", "all of it")
    assert "_node_maintenance" in c.agent.checks()
    assert c.agent.maintenance("false")
    assert not [name for name in c.agent.checks() if "maintenance" in name]


def keys(c: Any) -> None:
    assert c.kv.get("none")[1] is None
    assert c.kv.put("app/a", "1") is True and c.kv.put("app/b", b"\x00\xff", flags=42) is True
    assert c.kv.get("app/b")[1]["Value"] == b"\x00\xff" and c.kv.get("app/b")[1]["Flags"] == 42
    assert c.kv.get("app/", keys=True)[1] == ["app/a", "app/b"]
    assert [item["Key"] for item in c.kv.get("app/", recurse=True)[1]] == ["app/a", "app/b"]
    index = c.kv.get("app/a")[1]["ModifyIndex"]
    assert c.kv.put("app/a", "2", cas=index) is True
    assert c.kv.put("app/a", "3", cas=index) is False
    assert c.kv.put("app/a", "x", cas=0) is False
    assert c.kv.delete("app/", recurse=True) is True
    assert c.kv.get("app/", recurse=True)[1] is None


def blocking(c: Any, port: int) -> None:
    seen: list[bytes] = []
    done = threading.Event()
    c.kv.put("loop", "0")
    start = c.kv.get("loop")[0]

    def follow() -> None:
        mine, index = consul.Consul(host="127.0.0.1", port=port), start
        while seen[-1:] != [b"3"]:
            index, item = mine.kv.get("loop", index=index, wait="20s")
            seen.append(item["Value"])
        done.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    for number in (1, 2, 3):
        c.kv.put("loop", str(number))
        eventually(lambda number=number: str(number).encode() in seen, f"the loop sees {number}")
    assert done.wait(20)


def locks(c: Any) -> None:
    one = c.session.create(name="one", ttl=30, lock_delay=0)
    two = c.session.create(name="two", behavior="delete", lock_delay=0)
    assert {one, two} <= {session["ID"] for session in c.session.list()[1]}
    assert c.kv.put("lock", "one", acquire=one) is True
    assert c.kv.put("lock", "two", acquire=two) is False
    assert c.kv.get("lock")[1]["Session"] == one
    assert c.session.renew(one)["ID"] == one
    assert c.kv.put("lock", "one", release=one) is True
    assert c.kv.put("lock", "two", acquire=two) is True
    assert c.session.info(two)[1]["Behavior"] == "delete"
    assert c.session.destroy(two) is True
    assert c.kv.get("lock")[1] is None
    assert c.session.destroy(one) is True


def the_rest(c: Any) -> None:
    fired = c.event.fire("deploy", "v1")
    assert fired["Name"] == "deploy"

    def arrived() -> bool:
        return fired["ID"] in [event["ID"] for event in c.event.list(name="deploy")[1]]

    assert eventually(arrived, "the event arrives")
    assert c.status.leader() and len(c.status.peers()) == 1
    assert len(c.agent.members()) == 1 and c.agent.self()["Config"]["Server"] is True
    assert c.catalog.register("ext", "10.0.0.3", service={"Service": "db", "Port": 5432}) is True
    assert c.catalog.service("db")[1][0]["Node"] == "ext"
    assert c.catalog.deregister("ext") is True
    assert isinstance(c.coordinate.datacenters() if hasattr(c.coordinate, "datacenters") else [], list)
    done = c.txn.put([{"KV": {"Verb": "set", "Key": "t", "Value": "eA=="}}])
    done = json.loads(done) if isinstance(done, str) else done
    assert done["Errors"] is None and done["Results"][0]["KV"]["Key"] == "t"
    assert c.agent.service.deregister("web1") and c.agent.service.deregister("plain")
    eventually(lambda: "web" not in c.catalog.services()[1], "web leaves the catalog")


def main() -> None:
    port = int(sys.argv[1])
    c = consul.Consul(host="127.0.0.1", port=port)
    for part in (services, maintenance, keys, locks, the_rest):
        part(c)
    blocking(c, port)
    print("lived")


main()
