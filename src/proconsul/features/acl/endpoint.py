"""The ACL methods of a server: tokens, policies, roles, the beginning of access control, and questions about it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import Any

from proconsul.engine.completion import Completion
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model, setup
from proconsul.features.acl.authorizer import Authorizer, Decision
from proconsul.features.acl.binding import BindingRules
from proconsul.features.acl.common import Desk
from proconsul.features.acl.denials import needed
from proconsul.features.acl.legacy import Legacy, shown_as_legacy
from proconsul.features.acl.login import Logins
from proconsul.features.acl.methods import AuthMethods
from proconsul.features.acl.model import ACLToken, LegacyACL
from proconsul.features.acl.named import Policies, Roles
from proconsul.features.acl.needs import Guarded
from proconsul.features.acl.replication import ReplicationProgress
from proconsul.features.acl.requests import (
    Answered,
    AuthorizeRequest,
    BootstrapCall,
    ExplainRequest,
    Explanation,
    Question,
    ReplicationStatus,
)
from proconsul.features.acl.rules import BARE, NAMED, Level
from proconsul.features.acl.tokens import Tokens
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import ACLDisabled, BadRequest, ConsulError, PermissionDenied
from proconsul.features.messages import MessageType
from proconsul.features.server import CallMethod, Calls, Endpoint, Reads, Server, WriteMethod, Writes

log = logging.getLogger("agent.server.acl")

BOOTSTRAP = WriteMethod("ACL.BootstrapTokens", BootstrapCall, ACLToken)
LEGACY_BOOTSTRAP = WriteMethod("ACL.Bootstrap", BootstrapCall, LegacyACL, to_reply=shown_as_legacy)
AUTHORIZE = CallMethod("ACL.Authorize", AuthorizeRequest, list[Answered], may_be_stale=True)
REPLICATION = CallMethod("ACL.ReplicationStatus", DCSpecificRequest, ReplicationStatus, may_be_stale=True)
# Ours.
EXPLAIN = CallMethod("ACL.Explain", ExplainRequest, Explanation, may_be_stale=True)

QUESTIONS_MAX = 64
RESET_FILE = "acl-bootstrap-reset"
# More than any index has digits.
_RESET_BYTES_MAX = 64
_PLAIN = {"read": Level.READ, "write": Level.WRITE}
_OF_KEYS = {**_PLAIN, "list": Level.LIST, "write-prefix": Level.WRITE}
_RESOURCES = {name: _PLAIN for name in (*BARE, *NAMED, "intention") if name not in ("mesh", "peering")} | {
    "key": _OF_KEYS
}  # fmt: skip


def decide(authorizer: Authorizer, question: Question) -> Decision:
    """The answer to a question. Raises BadRequest when it is none."""
    levels = _RESOURCES.get(question.Resource)
    if levels is None:
        raise BadRequest(f"Bad request: Invalid ACL resource requested: {quoted(question.Resource)}")
    level = levels.get(question.Access)
    if level is None:
        raise BadRequest(f"Bad request: Invalid access level for {question.Resource} resource: {question.Access}")
    if question.Access == "write-prefix":
        return authorizer.decide_tree(question.Segment)
    return authorizer.decide(question.Resource, level, "" if question.Resource in BARE else question.Segment)


def check_questions(questions: list[Question]) -> None:
    """Raise BadRequest when there are too many."""
    if len(questions) > QUESTIONS_MAX:
        raise BadRequest(f"Bad request: Refusing to process more than {QUESTIONS_MAX} authorizations at once")


class ACL(Endpoint):
    """All of them, for those who may: see `needs`."""

    def __init__(self, server: Server) -> None:
        self._server, self.resolver = server, server.resolver
        resolver, settings = server.resolver, server.acl_settings
        self._initial_management, self._data_dir = settings.initial_management, settings.reset_dir
        self._tending = False
        settings = server.acl_settings
        self.progress = ReplicationProgress(
            enabled=bool(settings.enabled and settings.primary), source=settings.primary,
            tokens=settings.token_replication,
        )  # fmt: skip
        self._desk = desk = Desk(server, resolver)
        # What these can do is reached through the guarded tables only.
        methods, legacy = AuthMethods(desk), Legacy(desk)
        rules = BindingRules(desk, methods)
        readers = (Tokens(desk), Policies(desk), Roles(desk), methods, rules, legacy)
        reads: Reads = {method: read for part in readers for method, read in part.reads.items()}
        writes: Writes = {BOOTSTRAP: self.bootstrap, LEGACY_BOOTSTRAP: self.legacy_bootstrap} | {
            method: write for part in (*readers, Logins(desk, methods, rules)) for method, write in part.writes.items()
        }
        calls: Calls = {
            AUTHORIZE: self.authorize, REPLICATION: self.replication, EXPLAIN: self.explain, **legacy.calls
        }  # fmt: skip
        guarded = Guarded(desk, reads, writes, calls)
        self.reads, self.writes, self.calls = guarded.reads, guarded.writes, guarded.calls

    # ------------------------------------------------------------------ the beginning

    def bootstrap(self, waiter: Completion, args: BootstrapCall) -> None:
        """Make the first management token; again only with the proof that whoever asks may write our files."""
        if not self.resolver.enabled:
            raise ACLDisabled()
        if self._server.acl_settings.primary:
            raise ConsulError(str(ACLDisabled()))  # a secondary has what the primary has
        state, reset_index = self._server.state.acl, 0
        allowed, index = state.can_bootstrap()
        if not allowed:
            reset_index = self._reset_index()
            if reset_index == 0:
                raise PermissionDenied(f"Permission denied: ACL bootstrap no longer allowed (reset index: {index})")
            if reset_index != index:
                raise PermissionDenied(
                    "Permission denied: Invalid ACL bootstrap reset index "
                    f"(specified {reset_index}, reset index: {index})"
                )
        tables = self._desk.token_ids
        token = setup.management_token(
            self._desk.new_id(*tables), self._desk.new_id(*tables), "Bootstrap Token (Global Management)",
            self.resolver.now_ns(),
        )  # fmt: skip

        def made() -> ACLToken:
            if reset_index:
                with contextlib.suppress(OSError):
                    (Path(self._data_dir) / RESET_FILE).unlink()
            stored = state.token(token.AccessorID)
            assert stored is not None, "what was just applied is there"
            log.info("ACL bootstrap completed")
            return self.resolver.shown(stored)

        request = model.BootstrapRequest(Token=token, ResetIndex=reset_index)
        self._desk.propose(waiter, MessageType.ACL_BOOTSTRAP, request, made)

    def legacy_bootstrap(self, waiter: Completion, args: BootstrapCall) -> None:
        """As `bootstrap`, once and for all. Raises ConsulError."""
        if self.resolver.enabled and not self._server.state.acl.can_bootstrap()[0]:
            raise ConsulError("ACL bootstrap no longer allowed")
        self.bootstrap(waiter, args)

    def _reset_index(self) -> int:
        """The index in the reset file, 0 when there is none. Raises nothing: what cannot be read allows nothing."""
        if not self._data_dir:
            return 0
        path = Path(self._data_dir) / RESET_FILE
        try:
            with path.open("rb") as file:
                text = file.read(_RESET_BYTES_MAX).strip()
        except FileNotFoundError:
            return 0
        except OSError as error:
            log.error("bootstrap: failed to read the reset file: path=%s error=%s", path, error)
            return 0
        if not text.isdigit():
            log.error("bootstrap: failed to parse the reset file: path=%s", path)
            return 0
        return int(text)

    # ------------------------------------------------------------------ the leader's duties

    async def establish(self) -> None:
        """Bring what every primary datacenter has. Raises RaftError when leadership is gone."""
        if not self.resolver.enabled or self._server.acl_settings.primary:
            return
        state = self._server.state.acl
        tables = self._desk.token_ids
        commands = setup.missing(
            state, self._initial_management, self.resolver.now_ns(), lambda: self._desk.new_id(*tables)
        )
        for kind, request in commands:
            try:
                await self._server.propose(kind, request)
            except ConsulError as error:
                log.error("failed to initialize ACLs: error=%s", error)

    def reap(self) -> None:
        """See to some tokens, unless some are being seen to: expired ones go, those from before 1.4 get an id."""
        if not self.resolver.enabled or self._tending:
            return
        state, ids = self._server.state.acl, self._desk.token_ids
        secondary = bool(self._server.acl_settings.primary)
        expired = setup.expired(state, self.resolver.now_ns(), only_local=secondary)
        if expired is not None:
            self._tend("remove expired", MessageType.ACL_TOKEN_DELETE, expired)
            return
        nameless = None if secondary else setup.upgraded(state, lambda: self._desk.new_id(*ids))
        if nameless is not None:
            self._tend("upgrade legacy", MessageType.ACL_TOKEN_SET, nameless)

    def _tend(self, what: str, kind: MessageType, request: Any) -> None:
        self._tending = True
        self._server.propose(kind, request).add_done_callback(partial(self._tended, what))

    def _tended(self, what: str, done: asyncio.Future[Any]) -> None:
        self._tending = False
        error = None if done.cancelled() else done.exception() or done.result()
        if isinstance(error, RaftError | ConsulError):
            log.warning("failed to %s tokens: error=%s", what, error)  # the next turn tries again

    # ------------------------------------------------------------------ questions

    async def authorize(self, args: AuthorizeRequest) -> list[Answered]:
        """What the token that asks may do. Raises ConsulError."""
        questions = args.Requests or []
        check_questions(questions)
        if not questions:
            return []
        authorizer = self.resolver.resolve(args.Token).authorizer
        return [Answered(q.Resource, q.Segment, q.Access, decide(authorizer, q).allowed) for q in questions]

    async def replication(self, args: DCSpecificRequest) -> ReplicationStatus:
        """How far the leader is with copying; the primary copies from nobody."""
        return self.progress.status

    async def explain(self, args: ExplainRequest) -> Explanation:
        """Why a token may do something or not, and which rule would let it. Raises ConsulError."""
        identity = self.resolver.resolve(args.Token)
        token, authorizer = identity.token, identity.authorizer
        if args.AccessorID:
            token = self._server.state.acl.token(args.AccessorID)
            if token is None:
                raise ConsulError(f"Cannot find token {quoted(args.AccessorID)}")
            authorizer = self.resolver.authorizer_of(token)
        question = args.Question
        decision = decide(authorizer, question)
        return Explanation(
            AccessorID=token.AccessorID if token is not None else model.ANONYMOUS_ACCESSOR_ID,
            Resource=question.Resource, Access=question.Access, Segment=question.Segment,
            Allow=decision.allowed, Policy=decision.policy, Rule="" if decision.rule is None else str(decision.rule),
            Default=decision.rule is None,
            Needed="" if decision.allowed else needed(question.Resource, question.Access, question.Segment),
        )  # fmt: skip
