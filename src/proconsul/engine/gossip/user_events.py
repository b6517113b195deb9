"""User events: small messages to the whole pool, each delivered once to every member that is there. Pure."""

from __future__ import annotations

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.messages import EventItem, EventSlot, SerfKind, SerfPushPull, UserEventMessage
from proconsul.engine.gossip.recent import Recent, Verdict
from proconsul.engine.gossip.serf_config import USER_EVENT_BYTES_CEILING
from proconsul.engine.gossip.serf_context import Context
from proconsul.engine.gossip.serf_effects import UserEvent


class EventTooLarge(ValueError):
    """A user event exceeds the limit; the text is serf's."""


class UserEvents:
    """Events sent and received."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recent: Recent[EventItem] = Recent(context.config.event_buffer)
        # Events before this time are not for us: they are older than our joining, or were seen before a restart.
        self.min_time = 0

    def fire(self, name: str, payload: bytes, coalesce: bool) -> int:
        """Send an event to all, ourselves included, and return its Lamport time. Raises EventTooLarge."""
        limit = self._context.config.user_event_bytes_max
        size = len(name.encode("utf-8", "surrogateescape")) + len(payload)
        if size > limit:
            raise EventTooLarge(f"user event exceeds configured limit of {limit} bytes before encoding")
        if size > USER_EVENT_BYTES_CEILING:
            raise EventTooLarge(f"user event exceeds sane limit of {USER_EVENT_BYTES_CEILING} bytes before encoding")
        event = UserEventMessage(self._context.event_clock.time, name, payload, coalesce)
        body = codec.encode(SerfKind.USER_EVENT, event)
        if len(body) > limit:
            raise EventTooLarge(f"encoded user event exceeds configured limit of {limit} bytes after encoding")
        self._context.event_clock.stamp()
        self.receive(event)
        self._context.events.put(body)
        return event.LTime

    def receive(self, event: UserEventMessage) -> bool:
        """An event arrived. True when it is new, and so to be passed on."""
        context = self._context
        context.event_clock.witness(event.LTime)
        if event.LTime < self.min_time:
            return False
        clock = context.event_clock.time
        verdict = self._recent.admit(event.LTime, EventItem(event.Name, event.Payload), clock)
        if verdict is Verdict.OLD:
            context.drop(
                "events_old", f"serf: received old event {event.Name} from time {event.LTime} (current: {clock})"
            )
        elif verdict is Verdict.EXCESS:
            context.drop("events_excess", f"serf: dropped event {event.Name} of time {event.LTime}")
        elif verdict is Verdict.NEW:
            context.effects.append(UserEvent(event.LTime, event.Name, event.Payload, event.CC))
            return True
        return False

    def slots(self) -> list[EventSlot | None]:
        """What we remember, for a push/pull. The original sends nil for its empty slots; they carry nothing."""
        return [EventSlot(ltime, list(items)) for ltime, items in self._recent.slots()]

    def replay(self, state: SerfPushPull, ignore: bool) -> None:
        """The other side's events. ``ignore``: all that it knows happened before we came."""
        self._context.event_clock.witness(state.EventLTime - 1)
        if ignore:
            self.min_time = max(self.min_time, min(state.EventLTime, self._context.event_clock.time))
        for slot in state.Events or ():
            if slot is None:
                continue
            for item in slot.Events or ():
                self.receive(UserEventMessage(slot.LTime, item.Name, item.Payload))
