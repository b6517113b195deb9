"""The agent's own tokens: from the configuration, told by API, and kept in data_dir/acl-tokens.json.

Of a token that is both configured and kept the kept one counts (Consul docs: acl.enable_token_persistence). Only what
the API was told is kept. Without persistence a reload brings the configured ones back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from proconsul.agent.config.runtime import AclConfig, AclTokens, ReloadableConfig
from proconsul.agent.part import Part
from proconsul.engine.durable import replace_file
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.secrets import among_secrets, same_secret
from proconsul.features.errors import ConsulError, NotFound

log = logging.getLogger("agent")

FILE = "acl-tokens.json"
# What a token is called in the file, in its order there, by the field of `AclTokens`.
_KEPT: Final = {
    "replication": "replication", "agent_recovery": "agent_master", "default": "default", "agent": "agent",
    "config_file_service_registration": "config_file_service_registration", "dns": "dns",
}  # fmt: skip
# What /v1/agent/token/:target may name: fields of `AclTokens`, and their names before 1.4 and 1.11.
TARGETS: Final = {name: name for name in _KEPT} | {
    "agent_master": "agent_recovery", "acl_token": "default", "acl_agent_token": "agent",
    "acl_agent_master_token": "agent_recovery", "acl_replication_token": "replication",
}  # fmt: skip


class AgentTokens(Part):
    """``data_dir`` "" keeps nothing."""

    def __init__(self, data_dir: str, acl: AclConfig, configured: AclTokens) -> None:
        self._path = Path(data_dir) / FILE if data_dir else None
        self._keeps = acl.enable_token_persistence and self._path is not None
        self._tokens: dict[str, str] = {}
        # Those that the API was told, now or in an earlier life.
        self._told: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._configure(configured)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a token may have become another one."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def reloaded(self, config: ReloadableConfig) -> None:
        self._configure(config.tokens)
        self._tell()

    def _configure(self, tokens: AclTokens) -> None:
        """Take the tokens of a configuration, at the start and with every reload."""
        self._told = self._read() if self._keeps else {}
        for name in _KEPT:
            configured: str = getattr(tokens, name)
            if configured and name in self._told:
                log.warning('"%s" token present in both the configuration and persisted token store, using the '
                            "persisted token", _KEPT[name])  # fmt: skip
            self._tokens[name] = self._told.get(name) or configured

    def _read(self) -> dict[str, str]:
        assert self._path is not None
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("unable to load persisted tokens: error=%s", error)
            return {}
        kept = found.items() if isinstance(found, dict) else ()
        names = {shown: name for name, shown in _KEPT.items()}
        return {names[key]: value for key, value in kept if key in names and isinstance(value, str) and value}

    def update(self, target: str, secret: str) -> None:
        """Use another token from now on. Raises NotFound for a name that no token has, ConsulError when it cannot be
        kept; then it is used all the same."""
        name = TARGETS.get(target)
        if name is None:
            raise NotFound(f"Token {quoted(target)} is unknown")
        self._tokens[name] = self._told[name] = secret
        log.info("Updated agent's ACL token: token=%s", target)
        self._tell()
        if self._keeps:
            assert self._path is not None
            kept = {shown: self._told[name] for name, shown in _KEPT.items() if self._told.get(name)}
            try:
                replace_file(self._path, json.dumps(kept, separators=(",", ":")).encode())
            except OSError as error:
                log.warning("failed to persist tokens: error=%s", error)
                raise ConsulError(f"Failed to persist tokens - {error}") from None

    # ------------------------------------------------------------------ for whom

    @property
    def default(self) -> str:
        """For requests without a token, and registrations without one."""
        return self._tokens["default"]

    def for_agent(self) -> str:
        """For what the agent does by itself."""
        return self._tokens["agent"] or self.default

    def for_registration(self, from_file: bool) -> str:
        """For services and checks that have none of their own; ``from_file``: of configuration files."""
        return (self._tokens["config_file_service_registration"] if from_file else "") or self.default

    def for_dns(self) -> str:
        """For answers to DNS questions."""
        return self._tokens["dns"] or self.default

    def for_replication(self) -> str:
        """For what a secondary datacenter copies from the primary."""
        return self._tokens["replication"]

    def has(self, secret: str) -> bool:
        """Whether ``secret`` is one of them; for what is to be hidden, not for who may do what."""
        return bool(secret) and among_secrets(secret, self._tokens.values())

    def is_recovery(self, secret: str) -> bool:
        """Whether ``secret`` opens this agent even when no server can be asked."""
        known = self._tokens["agent_recovery"]
        return bool(known) and same_secret(known, secret)
