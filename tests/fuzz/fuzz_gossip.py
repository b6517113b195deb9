"""Coverage-guided search for bytes that gossip's decoders cannot cope with. Run by ``make fuzz``.

The first byte of an input chooses a decoder, the rest is what it gets. Anything but the decoder's own errors, and any
answer beyond its bounds, is a finding: the input is written to a file ``crash-...`` whose name is printed, and running
this script with that file as its only argument replays it. FUZZ_SECONDS bounds the run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gossip"))

with atheris.instrument_imports(include=["proconsul.engine.gossip"]):
    from proconsul.engine.gossip import codec, keyring, lzw, messages, packet, stream

import gossip_vectors as vectors

KEYS = keyring.Keyring([b"o" * 16, vectors.key("ml-encrypted-packet")])
RECORDS = (
    messages.Ping, messages.IndirectPing, messages.Ack, messages.Suspect, messages.Alive, messages.PushNode,
    messages.SerfPushPull, messages.UserEventMessage, messages.QueryMessage, messages.QueryResponse,
    messages.MemberBody, messages.KeyResponse, messages.RelayHeader, codec.CoordinateBody,
)  # fmt: skip
OUTPUT_BYTES_MAX = 1 << 16


def fuzz_record(data: bytes) -> None:
    """Both readers of a record must agree, and what was read must be written so that it reads the same."""
    cls = RECORDS[data[0] % len(RECORDS)] if data else messages.Ping
    body = data[1:]
    careful, end = codec.decode_first(cls, body)
    if end == len(body):
        assert repr(codec.decode(cls, body)) == repr(careful)
    codec.decode_first(cls, codec.encode_body(careful))


def fuzz_metadata(data: bytes) -> None:
    codec.decode_tags(data)


def fuzz_ping_payload(data: bytes) -> None:
    codec.decode_ping_payload(data)


def fuzz_datagram(data: bytes) -> None:
    for opener, datagram in (
        (packet.PacketCodec(), data),
        (packet.PacketCodec(b"blue"), data),
        (packet.PacketCodec(b"", KEYS, verify_incoming=False), data),
        (sealed := packet.PacketCodec(b"", KEYS), sealed.seal([data], crc=len(data) % 2 == 0)),
    ):
        try:
            opened = opener.open(datagram)
        except packet.Dropped:
            continue
        assert len(opened.messages) <= packet.MESSAGES_MAX
        assert sum(map(len, opened.messages)) <= len(datagram) + packet.INFLATED_BYTES_MAX


def fuzz_stream(data: bytes) -> None:
    """What comes of a stream does not depend on how it is cut up."""
    cut, wire = (data[0] or 1, data[1:]) if data else (1, data)
    lenient = stream.StreamCodec(b"", KEYS, verify_incoming=False)
    for reader_of, given in ((lenient, wire), (stream.StreamCodec(b"blue"), wire), (lenient, lenient.seal(wire))):
        assert outcome(reader_of, given, cut) == outcome(reader_of, given, len(given) or 1)


def outcome(reader_of: stream.StreamCodec, wire: bytes, cut: int) -> str:
    reader = reader_of.reader()
    try:
        for at in range(0, len(wire), cut):
            reader.feed(wire[at : at + cut])
        message = reader.message()
    except stream.StreamError as error:
        return str(error)
    if message is None or not isinstance(message[1], stream.PushPull):
        return repr(message)
    try:
        return repr(list(message[1].nodes)) + repr(message[1].user_state)
    except codec.BadMessage as error:
        return str(error)


def fuzz_compression(data: bytes) -> None:
    assert lzw.decompress(lzw.compress(data)) == data
    assert len(lzw.decompress(data, OUTPUT_BYTES_MAX)) <= OUTPUT_BYTES_MAX


def fuzz_keys(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for parse in (keyring.parse_keyring, keyring.parse_key):
        try:
            parse(text)
        except keyring.KeyringError:
            continue
    KEYS.decrypt(data)


TARGETS: tuple[Callable[[bytes], None], ...] = (
    fuzz_record, fuzz_metadata, fuzz_ping_payload, fuzz_datagram, fuzz_stream, fuzz_compression, fuzz_keys,
)  # fmt: skip


def one_input(data: bytes) -> None:
    if not data:
        return
    try:
        TARGETS[data[0] % len(TARGETS)](data[1:])
    except codec.GossipError:
        return


def write_seeds(directory: str) -> None:
    """The captured messages, for every decoder: with and without what the decoder takes off in front."""
    for layer in ("memberlist", "serf", "lzw"):
        for name in vectors.names(layer):
            wire = vectors.wire(name)
            for number in range(len(TARGETS)):
                (Path(directory) / f"{name}-{number}").write_bytes(bytes((number,)) + wire)
                (Path(directory) / f"{name}-{number}-after").write_bytes(bytes((number, 7)) + wire)
            for index in range(len(RECORDS)):
                (Path(directory) / f"{name}-record-{index}").write_bytes(bytes((0, index)) + wire[1:])


def main() -> None:
    arguments = sys.argv
    if len(arguments) == 1:
        seeds = tempfile.mkdtemp(prefix="fuzz-gossip-")
        write_seeds(seeds)
        seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
        # 512 MiB and 5 s: nothing of this size may take more, so more is a finding too.
        arguments = [
            arguments[0], seeds, f"-max_total_time={seconds}", f"-artifact_prefix={tempfile.gettempdir()}/",
            "-rss_limit_mb=512", "-timeout=5", "-max_len=4096", "-print_final_stats=1",
        ]  # fmt: skip
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
