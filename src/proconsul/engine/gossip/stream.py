"""memberlist's streams: one message each way over a connection, as bytes in and messages out.

Pure but for the nonces of the keyring. From the outside in: label, then either an encrypted frame of known length or a
typed message, which may be compressed. Nothing tells the length of a message that comes plain, so it is followed object
by object as it arrives. Errors carry the original's texts, and say whether it tells them to the other side.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgpack

from proconsul.engine.gossip.codec import BadMessage, GossipError, decode, decode_each, encode, encode_body
from proconsul.engine.gossip.keyring import OVERHEAD, DecryptError, Keyring
from proconsul.engine.gossip.lzw import LzwTooLarge, compress
from proconsul.engine.gossip.messages import Ack, Compress, Error, Kind, Ping, PushNode, PushPullHeader, UserHeader
from proconsul.engine.gossip.packet import inflate, label_prefix

# memberlist's limit for an encrypted frame and for a user state; here for whole messages, as they come and inflated. A
# member takes some 300 bytes, so this is a pool of 60 000.
MESSAGE_BYTES_MAX = 20 << 20
# memberlist's limit for the members of a push/pull.
NODES_MAX = 1 << 20
# Longer messages are sent plain: LZW takes a millisecond for about this much, and all receivers accept both.
COMPRESS_BYTES_MAX = 8 << 10
# Encoded at once: a fraction of a millisecond.
_NODES_PER_PIECE = 256
# To decrypt, inflate and check as much takes about a millisecond.
HEAVY_BYTES = 16 << 10

_FRAME_HEADER = struct.Struct(">BI")
_LABEL_HEADER = 2


class StreamError(GossipError):
    """A stream cannot be used. ``answered``: tell the other side, in a message of kind ERROR, before closing."""

    def __init__(self, text: str, *, answered: bool = False) -> None:
        super().__init__(text)
        self.answered = answered


class PushPull(NamedTuple):
    """A full exchange. ``nodes`` are decoded as they are taken, so that thousands can be taken in slices.

    Taking one raises BadMessage when it is no node.
    """

    join: bool
    node_count: int
    nodes: Iterator[PushNode]
    user_state: bytes


Payload = Ping | Ack | Error | bytes | PushPull


class StreamCodec:
    """Seals and reads the streams of one pool. Changes of the keyring take effect at once."""

    def __init__(
        self, label: bytes = b"", keyring: Keyring | None = None, *,
        verify_incoming: bool = True, verify_outgoing: bool = True,
    ) -> None:  # fmt: skip
        """``verify_incoming`` off: streams may come plain. ``verify_outgoing`` off: ours go plain."""
        self._prefix = label_prefix(label)
        self._label = label
        self._keyring = keyring
        self._verify_incoming = verify_incoming
        self._seals = keyring is not None and verify_outgoing

    def seal(self, message: bytes) -> bytes:
        """The bytes to send for ``message`` (with its type byte). Raises GossipError above MESSAGE_BYTES_MAX."""
        if len(message) <= COMPRESS_BYTES_MAX:
            smaller = encode(Kind.COMPRESS, Compress(0, compress(message)))
            message = min(message, smaller, key=len)
        length = len(message) + (OVERHEAD[1] if self._seals else 0)
        if length > MESSAGE_BYTES_MAX:
            raise GossipError(f"message of {length} bytes, limit is {MESSAGE_BYTES_MAX}")
        if not self._seals:
            return self._prefix + message
        assert self._keyring is not None
        header = _FRAME_HEADER.pack(Kind.ENCRYPT, length)
        return self._prefix + header + self._keyring.encrypt(message, header + self._label)

    def reader(self) -> StreamReader:
        """For one incoming stream, or the answer on an outgoing one."""
        return StreamReader(self._label, self._keyring, self._verify_incoming)


class StreamReader:
    """Collects one message. `feed` what arrives until `is_complete`, then take the `message`.

    What follows the message is ignored, as the original does.
    """

    def __init__(self, label: bytes, keyring: Keyring | None, verify_incoming: bool) -> None:
        self._label = label
        self._keyring = keyring
        self._verify_incoming = verify_incoming
        self._head = bytearray()  # until it is clear what comes; then all of an encrypted frame
        self._awaits_label = True
        self._frame_end = 0
        self._plain: _Plain | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is a `message`, good or bad."""
        return self._plain.is_complete if self._plain else 0 < self._frame_end <= len(self._head)

    @property
    def is_heavy(self) -> bool:
        """Whether `message` takes long enough to be worth a thread. Nothing else may use this reader meanwhile."""
        if self._plain is not None:
            return self._plain.kind == Kind.COMPRESS and len(self._plain.data) > HEAVY_BYTES
        return self._frame_end > HEAVY_BYTES

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises StreamError as soon as it is clear that no message will come of it."""
        if self.is_complete:
            return
        if self._plain is not None:
            self._plain.feed(data)
            return
        self._head += data
        if self._awaits_label and not self._take_label():
            return
        if not self._head:
            return
        if self._head[0] == Kind.ENCRYPT:
            self._await_frame()
            return
        if self._keyring is not None and self._verify_incoming:
            raise StreamError("Encryption is configured but remote state is not encrypted", answered=True)
        self._plain = _Plain(_OUTER_KINDS)
        self._plain.feed(bytes(self._head))

    def message(self) -> tuple[Kind, Payload] | None:
        """The message, None when it is not complete yet. Raises StreamError.

        Its payload: a record for PING, ACK and ERROR, the delegate's bytes for USER, a `PushPull` for PUSH_PULL.
        """
        if not self.is_complete:
            return None
        plain = self._plain
        if plain is None:
            plain = _Plain(_OUTER_KINDS)
            plain.feed(self._decrypted())
        if plain.kind == Kind.COMPRESS and plain.is_complete:
            inner = _Plain(_INNER_KINDS)
            inner.feed(plain.inflated())
            plain = inner
        if not plain.is_complete:
            raise StreamError("unexpected EOF")
        return plain.parsed()

    def _take_label(self) -> bool:
        """Remove the label; False while it is not all there. Raises StreamError when it is not ours."""
        head = self._head
        if not head:
            return False
        if head[0] != Kind.LABEL:
            if self._label:
                raise StreamError("stream without a label")
            self._awaits_label = False
            return True
        end = _LABEL_HEADER + (head[1] if len(head) > 1 else 0)
        if len(head) < _LABEL_HEADER or len(head) < end:
            return False
        if end == _LABEL_HEADER or head[_LABEL_HEADER:end] != self._label:
            raise StreamError("stream of another label")
        del head[:end]
        self._awaits_label = False
        return True

    def _await_frame(self) -> None:
        if self._keyring is None:
            raise StreamError("Remote state is encrypted and encryption is not configured", answered=True)
        if not self._frame_end and len(self._head) >= _FRAME_HEADER.size:
            _, length = _FRAME_HEADER.unpack_from(self._head)
            if length > MESSAGE_BYTES_MAX:
                raise _too_large(length)
            self._frame_end = _FRAME_HEADER.size + length

    def _decrypted(self) -> bytes:
        assert self._keyring is not None
        frame = bytes(self._head[: self._frame_end])
        header, sealed = frame[: _FRAME_HEADER.size], frame[_FRAME_HEADER.size :]
        try:
            return self._keyring.decrypt(sealed, header + self._label)
        except DecryptError as error:
            raise StreamError(str(error), answered=True) from None


def encode_push_pull(nodes: Sequence[PushNode], user_state: bytes, join: bool) -> Iterator[bytes]:
    """A push/pull in pieces to be joined, each of which takes a fraction of a millisecond to make."""
    yield encode(Kind.PUSH_PULL, PushPullHeader(len(nodes), len(user_state), join))
    remaining = iter(nodes)
    while piece := b"".join(map(encode_body, islice(remaining, _NODES_PER_PIECE))):
        yield piece
    yield user_state


def encode_user(body: bytes) -> bytes:
    """A message of the delegate as it is sent over a stream."""
    return encode(Kind.USER, UserHeader(len(body))) + body


_INNER_KINDS = frozenset((Kind.PING, Kind.ACK, Kind.PUSH_PULL, Kind.USER, Kind.ERROR))
_OUTER_KINDS = _INNER_KINDS | {Kind.COMPRESS}


class _Plain:
    """A typed message that comes without its length, and where it ends.

    Objects are passed over as they arrive, each once, and none is built: neither the way the bytes are cut up nor what
    they claim to hold costs more than their number.
    """

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self.data = bytearray()
        self.kind: int | None = None
        self._kinds = kinds
        self._unpacker = msgpack.Unpacker(max_buffer_size=MESSAGE_BYTES_MAX)
        self._header: PushPullHeader | UserHeader | None = None
        self._objects_left = 1
        self._header_end = self._objects_end = self._end = 0

    @property
    def is_complete(self) -> bool:
        return 0 < self._end <= len(self.data)

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises StreamError."""
        self.data += data
        if len(self.data) > MESSAGE_BYTES_MAX:
            raise _too_large(len(self.data))
        if self.kind is None and data:
            self.kind = data[0]
            if self.kind not in self._kinds:
                raise StreamError(f"Received invalid msgType ({self.kind})")
            data = data[1:]
        if not self._end:
            self._unpacker.feed(data)
            self._pass_objects()

    def _pass_objects(self) -> None:
        try:
            while self._objects_left:
                self._unpacker.skip()
                self._objects_left -= 1
                self._objects_end = 1 + self._unpacker.tell()
                if not self._header_end:
                    self._header_end = self._objects_end
                    self._read_header()
        except msgpack.OutOfData:
            return
        except StreamError:
            raise
        except (ValueError, msgpack.UnpackException) as error:
            raise StreamError(f"not msgpack: {error}") from None
        self._end = self._objects_end + self._tail_bytes()
        if self._end > MESSAGE_BYTES_MAX:
            raise _too_large(self._end)

    def _read_header(self) -> None:
        """What the first object says of the rest. The original trusts negative numbers, and ends."""
        header = bytes(self.data[1 : self._header_end])
        if self.kind == Kind.PUSH_PULL:
            self._header = pushed = decode(PushPullHeader, header)
            if not 0 <= pushed.Nodes <= NODES_MAX:
                raise StreamError(f"push/pull of {pushed.Nodes} nodes, limit is {NODES_MAX}")
            self._objects_left = pushed.Nodes
        elif self.kind == Kind.USER:
            self._header = decode(UserHeader, header)
        if self._tail_bytes() < 0:
            raise StreamError(f"user state of {self._tail_bytes()} bytes")

    def _tail_bytes(self) -> int:
        if isinstance(self._header, PushPullHeader):
            return self._header.UserStateLen
        return self._header.UserMsgLen if self._header is not None else 0

    def inflated(self) -> bytes:
        """The message in this compressed one. Raises StreamError."""
        try:
            return inflate(bytes(self.data[1 : self._end]), MESSAGE_BYTES_MAX)
        except LzwTooLarge:
            raise _too_large(MESSAGE_BYTES_MAX + 1) from None
        except GossipError as error:
            raise StreamError(str(error), answered=True) from None

    def parsed(self) -> tuple[Kind, Payload]:
        """The message, once it is complete. Raises StreamError."""
        kind = Kind(self.data[0])
        tail = bytes(self.data[self._objects_end : self._end])
        if isinstance(self._header, PushPullHeader):
            pushed = bytes(self.data[self._header_end : self._objects_end])
            nodes = decode_each(PushNode, pushed, self._header.Nodes)
            return kind, PushPull(self._header.Join, self._header.Nodes, nodes, tail)
        if kind == Kind.USER:
            return kind, tail
        try:
            return kind, decode(_RECORDS[kind], bytes(self.data[1 : self._end]))
        except BadMessage as error:
            raise StreamError(str(error)) from None


_RECORDS: dict[Kind, type[Ping | Ack | Error]] = {Kind.PING: Ping, Kind.ACK: Ack, Kind.ERROR: Error}


def _too_large(length: int) -> StreamError:
    return StreamError(f"Remote node state is larger than limit ({length})", answered=True)
