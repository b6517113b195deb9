"""A bare member of a gossip pool as a process: what ``serf agent`` is, for tests and benchmarks.

    python -m proconsul.testing.gossip_member --name a --bind 127.0.0.1:7946 [--join 127.0.0.2:7946] [--key BASE64]

It prints one JSON object per line for everything that happens and reads commands, one per line, from standard input:
``event NAME PAYLOAD``, ``query NAME PAYLOAD``, ``ask JSON`` (a query with filters: name, payload, nodes, tags, ack,
relay_factor), ``tags K=V ...``, ``join ADDRESS ...``, ``members``, ``stats``, ``keys OPERATION [KEY]``,
``force-leave NAME [prune]``, ``leave``. It answers every query with what it asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import time
from typing import Any

from proconsul.engine.gossip import serf_effects as happened
from proconsul.engine.gossip.config import LAN, LOCAL
from proconsul.engine.gossip.keyring import Keyring, parse_key
from proconsul.engine.gossip.keys import KeyOp
from proconsul.engine.gossip.packet import PacketCodec
from proconsul.engine.gossip.pool import GossipPool, JoinError, PoolLogs
from proconsul.engine.gossip.queries import QueryError
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.stream import StreamCodec
from proconsul.engine.wire.hostport import Address, split_address

__all__ = ["MemberProcess", "address", "main", "say", "tags_of"]


def address(text: str) -> Address:
    return split_address(text)


def tags_of(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


class MemberProcess:
    """The pool and its commands."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        keyring = Keyring([parse_key(options.key)]) if options.key else None
        rng = random.Random()
        self.serf = Serf(SerfConfig(options.name), tags_of(options.tag), rng, time.monotonic(), keyring)
        log = logging.getLogger("gossip")
        bind = address(options.bind)
        self.pool = GossipPool(
            options.name, bind, bind, LOCAL if options.local else LAN, self.serf,
            packets=PacketCodec(b"", keyring), streams=StreamCodec(b"", keyring), on_effect=self._happened,
            logs=PoolLogs(log, log), rng=rng,
        )  # fmt: skip
        self._over = asyncio.Event()

    async def run(self) -> None:
        await self.pool.start()
        say("started")
        if self._options.join:
            await self._command(["join", *self._options.join])
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        commands = asyncio.ensure_future(self._commands(reader))
        await self._over.wait()
        commands.cancel()
        await self.pool.stop()

    async def _commands(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            words = line.decode().split()
            if words:
                try:
                    await self._command(words)
                except (JoinError, QueryError, ValueError) as error:
                    say("error", text=str(error))
        self._over.set()

    async def _command(self, words: list[str]) -> None:
        verb, rest = words[0], words[1:]
        now = time.monotonic()
        if verb == "event":
            self.serf.fire(rest[0], " ".join(rest[1:]).encode(), False, now)
        elif verb == "events":  # so many at once, for benchmarks
            for number in range(int(rest[0])):
                self.serf.fire(f"load-{number}", b"", False, now)
        elif verb == "query":
            self.serf.query(rest[0], " ".join(rest[1:]).encode(), now, ack=True)
        elif verb == "ask":
            asked = json.loads(" ".join(rest))
            self.serf.query(asked.pop("name"), asked.pop("payload").encode(), now, **asked)
        elif verb == "keys":
            key = parse_key(rest[1]) if len(rest) > 1 else b""
            self.serf.key_request(KeyOp(rest[0]), key, 0, now)
        elif verb == "tags":
            self.serf.set_tags(tags_of(rest), now)
        elif verb == "join":
            say("joined", count=await self.pool.join([address(text) for text in rest]))
        elif verb == "force-leave":
            self.serf.force_leave(rest[0], "prune" in rest[1:], now)
        elif verb == "members":
            members = self.serf.members()
            say("members", members={member.name: member.status.name.lower() for member in members},
                tags={member.name: dict(member.tags) for member in members},
                addresses={member.name: f"{member.address}:{member.port}" for member in members})  # fmt: skip
        elif verb == "stats":
            dropped = self.pool.dropped + self.pool.swim.dropped + self.serf.counters
            say("stats", cpu_s=time.process_time(), dropped=dict(dropped), serf=self.serf.stats())
        elif verb == "leave":
            await self.pool.leave()
            self._over.set()
        self.pool.flush_effects()

    def _happened(self, effect: happened.Effect) -> None:
        if isinstance(effect, happened.MembersChanged):
            say(f"member-{effect.kind.value}", name=effect.member.name)
        elif isinstance(effect, happened.UserEvent):
            say("user", name=effect.name, payload=effect.payload.decode("utf-8", "replace"), ltime=effect.ltime)
        elif isinstance(effect, happened.QueryReceived):
            say("query", name=effect.query.name, payload=effect.query.payload.decode("utf-8", "replace"))
            effect.query.respond(effect.query.payload, time.monotonic())
        elif isinstance(effect, happened.QueryAcked):
            say("ack", node=effect.node)
        elif isinstance(effect, happened.QueryAnswered):
            say("response", node=effect.node, payload=effect.payload.decode("utf-8", "replace"))
        elif isinstance(effect, happened.QueryFinished):
            say("finished", name=effect.query.name)
        elif isinstance(effect, happened.KeyringChanged):
            effect.written("")  # it has no file
        elif isinstance(effect, happened.KeysFinished):
            say("keys", error=effect.operation.error, keys=dict(effect.operation.keys))


def say(what: str, **more: Any) -> None:
    print(json.dumps({"what": what, "at": time.time(), **more}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m proconsul.testing.gossip_member", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--bind", required=True, help="IP:PORT")
    parser.add_argument("--join", action="append", default=[], help="IP:PORT")
    parser.add_argument("--key", default="", help="base64")
    parser.add_argument("--tag", action="append", default=[], help="K=V")
    parser.add_argument("--local", action="store_true", help="timing for members on one machine")
    parser.add_argument("--log-level", default="WARNING", help="of what goes to standard error")
    options = parser.parse_args()
    logging.basicConfig(level=options.log_level, format="%(asctime)s [%(levelname)s] %(message)s")

    async def run() -> None:
        await MemberProcess(options).run()

    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        runner.run(run())


if __name__ == "__main__":
    main()
