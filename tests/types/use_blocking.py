"""The blocking client as users write it; a type checker reads this, nobody runs it."""

from typing import assert_type

from proconsul.client import (
    Changes,
    Client,
    ConsulError,
    DirEntry,
    Held,
    Instance,
    LiveSettings,
    Mapping,
    NotFound,
    PermissionDenied,
    RateLimited,
    Session,
    Unavailable,
    Watch,
    json_of,
)


def calls() -> None:
    with Client(["127.0.0.1:8500", "unix:///run/consul"], token="t", dc="east", timeout=5) as client:
        assert_type(client, Client)
        assert_type(client.kv.get("a"), bytes | None)
        assert_type(client.kv.entries("a/"), list[DirEntry])
        assert_type(client.kv.mapping("a/", json_of(int)), Mapping[int])
        assert_type(client.session.list(), list[Session])
        assert_type(client.watch(client.kv.get, "a"), Watch[bytes | None])
        assert_type(client.changes(client.kv.entries, "a/"), Changes[DirEntry])
        with client.lock("a") as held:
            assert_type(held, Held)
            assert_type(held.held, bool)
            held.check()
        with client.resolver("web") as resolver:
            assert_type(resolver.pick(), Instance)
        live = client.live_settings("app/", {"size": 20})
        assert_type(live, LiveSettings)
        live.start(required=True)
        assert_type(live.integer("size"), int)
        live.on_change(lambda before, now: print(before.integer("size"), now.integer("size")))()
        answer = client.call("GET", "/v1/status/leader", query={"a": ["b"]})
        assert_type(answer.status, int)
        assert_type(answer.body, bytes)


def errors(client: Client) -> str:
    try:
        client.session.renew("a")
    except PermissionDenied as error:
        assert_type(error.resource, str)
        return error.rule
    except NotFound as error:
        assert_type(error.status, int)
    except RateLimited as error:
        assert_type(error.retry_after_s, float | None)
    except Unavailable as error:
        assert_type(error.sent, bool)
    except ConsulError as error:
        return str(error)
    return ""
