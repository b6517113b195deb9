"""The Session RPC methods: validation of the contract, ids chosen before Raft, renewal without Raft."""

from __future__ import annotations

from proconsul.engine.completion import Completion, tell
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration
from proconsul.engine.wire.record import replace
from proconsul.features.base import NodeSpecificRequest
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, WriteMethod, Writes, or_empty
from proconsul.features.session.model import (
    BEHAVIOR_DELETE,
    BEHAVIOR_RELEASE,
    CREATE,
    TTL_MAX_NS,
    IndexedSessions,
    Session,
    SessionRequest,
    SessionSpecificRequest,
)

APPLY = WriteMethod("Session.Apply", SessionRequest, str, to_reply=lambda result: result or "")
RENEW = WriteMethod(
    "Session.Renew", SessionSpecificRequest, IndexedSessions,
    to_reply=lambda found: IndexedSessions(Sessions=found or None),  # to Consul's clients an empty list is a session
    to_result=lambda reply: reply.Sessions or [], repeatable=True,
)  # fmt: skip
GET = ReadMethod("Session.Get", SessionSpecificRequest, IndexedSessions, "Sessions", to_value=or_empty)
LIST = ReadMethod("Session.List", SessionSpecificRequest, IndexedSessions, "Sessions", to_value=or_empty)
NODE_SESSIONS = ReadMethod("Session.NodeSessions", NodeSpecificRequest, IndexedSessions, "Sessions", to_value=or_empty)


class Sessions(Endpoint):
    """Session.Apply, Get, List, NodeSessions and Renew."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {GET: self.get, LIST: self.list_all, NODE_SESSIONS: self.node_sessions}
        self.writes: Writes = {APPLY: self.apply, RENEW: self.renew}

    def apply(self, waiter: Completion, args: SessionRequest) -> None:
        """Create (the result is the new id) or destroy. Raises ConsulError when the contract is invalid."""
        session = args.Session
        if args.Op != CREATE:
            if not session.ID:
                raise ConsulError("Must provide ID")
            self._server.propose_for(waiter, MessageType.SESSION, args)
            return
        if not session.Node:
            raise ConsulError("Must provide Node")
        if session.Behavior not in ("", BEHAVIOR_RELEASE, BEHAVIOR_DELETE):
            raise ConsulError(f"Invalid Behavior setting '{session.Behavior}'")
        self._check_ttl(session.TTL)
        session = replace(session, ID=self._server.new_id(), Behavior=session.Behavior or BEHAVIOR_RELEASE)
        self._server.propose_for(waiter, MessageType.SESSION, replace(args, Session=session))

    def _check_ttl(self, text: str) -> None:
        if not text:
            return
        try:
            ttl_ns = parse_duration(text)
        except DurationError as error:
            raise ConsulError(f"Session TTL '{text}' invalid: {error}") from None
        low_ns = self._server.session_ttl_min_ns
        if ttl_ns != 0 and not low_ns <= ttl_ns <= TTL_MAX_NS:
            raise ConsulError(
                f"Invalid Session TTL '{ttl_ns}', must be between "
                f"[{format_duration(low_ns)}={format_duration(TTL_MAX_NS)}]"
            )

    def get(self, args: SessionSpecificRequest) -> Read:
        session_id = args.SessionID or args.Session
        state = self._server.state.sessions

        def run(watch: WatchSet) -> tuple[int, list[Session]]:
            index, session = state.get(watch, session_id)
            return index, [session] if session is not None else []

        return Read((GET.name, session_id), run, GET, args, shared=False)

    def list_all(self, args: SessionSpecificRequest) -> Read:
        return Read((LIST.name,), self._server.state.sessions.all, LIST, args)

    def node_sessions(self, args: NodeSpecificRequest) -> Read:
        node, state = args.Node, self._server.state.sessions
        key = (NODE_SESSIONS.name, node.lower())
        return Read(key, lambda watch: state.of_node(watch, node), NODE_SESSIONS, args)

    def renew(self, waiter: Completion, args: SessionSpecificRequest) -> None:
        """Give the session its full TTL again; the result is an empty list when it does not exist."""
        _, session = self._server.state.sessions.get(None, args.SessionID or args.Session)
        if session is not None:
            self._server.renew(session)
        tell(waiter, [session] if session is not None else [])
