"""The keys that encrypt gossip, as files: serf/local.keyring and serf/remote.keyring (Consul docs: encryption).

The first key of the configuration makes the files; from then on the files count, since operators replace keys while the
agents run. Damaged files end the agent: an agent that went on without its keys would talk in the clear.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proconsul.agent.config.runtime import FixedConfig
from proconsul.engine.durable import replace_file
from proconsul.engine.gossip.keyring import (
    KEY_SIZES,
    KeyringError,
    format_keyring,
    parse_key,
    parse_keyring,
)
from proconsul.engine.wire.goerrors import path_error
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

LAN_FILE = "local.keyring"
WAN_FILE = "remote.keyring"
# As many keys as a keyring holds take 3 KiB; a file far beyond that is none.
FILE_BYTES_MAX = 64 << 10


@dataclass(frozen=True, slots=True)
class PoolKeys:
    """The keys of one pool as they were at the start, the primary first. None: the pool is not encrypted.

    path: where changes are kept, None to keep them in memory only.
    """

    keys: tuple[bytes, ...] = ()
    path: Path | None = None

    def save(self, keys: Sequence[bytes]) -> None:
        """Keep ``keys`` for the next start, durably. Raises OSError, the old file then stays."""
        if self.path is not None:
            replace_file(self.path, format_keyring(keys).encode())


@dataclass(frozen=True, slots=True)
class Keyrings:
    """What an agent's pools begin with. ``wan`` is None for agents that are in no WAN pool."""

    lan: PoolKeys
    wan: PoolKeys | None


def load_keyrings(config: FixedConfig) -> Keyrings:
    """The keyrings of an agent; makes the files on the first start. Raises ConsulError, which is fatal."""
    directory = Path(config.data_dir) / "serf" if config.data_dir and not config.disable_keyring_file else None
    in_wan = config.server and config.serf_bind_wan is not None
    try:
        lan = _load(directory, LAN_FILE, config.encrypt_key, "LAN")
        wan = _load(directory, WAN_FILE, config.encrypt_key, "WAN") if in_wan else None
    except KeyringError as error:
        raise ConsulError(f"Failed to configure keyring: {error}") from None
    return Keyrings(lan, wan)


def _load(directory: Path | None, name: str, given: str, pool: str) -> PoolKeys:
    if directory is None:
        return PoolKeys((_checked(parse_key(given)),) if given else ())
    path = directory / name
    text = _read(path)
    if text is None:
        return PoolKeys(_seed(path, given), path)
    keys = tuple(map(_checked, _parse(text, path)))
    if given and parse_key(given) not in keys:
        log.warning("keyring doesn't include key provided with -encrypt, using keyring: keyring=%s", pool)
    return PoolKeys(keys, path)


def _seed(path: Path, given: str) -> tuple[bytes, ...]:
    """The first start: the configured key becomes the file."""
    if not given:
        return ()
    try:
        key = _checked(parse_key(given))
    except KeyringError as error:
        raise KeyringError(f"Invalid key: {error}") from None
    try:
        replace_file(path, format_keyring([key]).encode())
    except OSError as error:
        raise KeyringError(path_error("open", path, error)) from None
    return (key,)


def _checked(key: bytes) -> bytes:
    if len(key) not in KEY_SIZES:
        raise KeyringError("key size must be 16, 24 or 32 bytes")
    return key


def _read(path: Path) -> str | None:
    """The file's text, None when there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyringError(path_error("read", path, error)) from None
    if len(data) > FILE_BYTES_MAX:
        raise KeyringError(f"{path} is larger than {FILE_BYTES_MAX} bytes")
    return data.decode("utf-8", "surrogateescape")


def _parse(text: str, path: Path) -> list[bytes]:
    if text.strip() in ("", "null"):
        reason = f"no keys present in keyring: {path}" if text.strip() else "unexpected end of JSON input"
        raise KeyringError(reason)
    try:
        return parse_keyring(text)
    except KeyringError as error:
        reason = str(error)
        if reason == "no keys present in keyring":
            reason += f": {path}"
        # A file has an end, a stream only stops.
        raise KeyringError("unexpected end of JSON input" if reason.endswith("EOF") else reason) from None
