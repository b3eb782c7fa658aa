"""Messages of the global call reference: the far end's RESTART is done and acknowledged (REST 2), answers to
ours are handed to restart.py (REST 1), all others are refused.

Ref: ITU-T Q.931 (05/98), 3.4, 4.3, 5.5, 5.8.3.2 f); bare clause numbers are Q.931's. Both sides may restart
at the same time: the two are handled independently. RESTART with the call reference flag of the other side is
answered like any: exchanges err there.
"""
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.isdn.call.states import Timers
from appliance.isdn.causes import INVALID_CALL_REFERENCE
from appliance.isdn.channels import Channels
from appliance.isdn.elements import (
    CHANNEL_DOES_NOT_EXIST,
    IDENTIFIERS,
    CallState,
    Cause,
    ChannelId,
    Element,
    RestartIndicator,
)
from appliance.isdn.events import ChannelState
from appliance.isdn.q931 import MISSING_ELEMENT, Message, MessageError, MessageType
from appliance.isdn.restart import INTERFACE, Restarts

GLOBAL = 0                                        # the call reference, 4.3
NULL, RESTART_REQUEST, RESTART = 0, 61, 62        # REST 0, 1, 2 as call states, 4.5.7
KNOWN = (MessageType.RESTART, MessageType.RESTART_ACKNOWLEDGE, MessageType.STATUS)

log = logging.getLogger(__name__)


class CallsToRestart(Protocol):
    def restarted(self, timeslots: Sequence[int], now: float) -> dict[str, int]:
        """Clear the calls on these channels: their keys and timeslots."""
        ...


@dataclass(slots=True)
class _Asked:
    """A RESTART of the far end that is not acknowledged yet."""

    message: Message
    timeslots: tuple[int, ...]
    deadline: float                               # T317


class GlobalReference:
    """`slow`: the application says cleared() when it has let go of a call that a RESTART ended, and only then
    is that RESTART acknowledged. `location` is that of our causes."""

    def __init__(self, name: str, timers: Timers, channels: Channels, restarts: Restarts,
                 calls: CallsToRestart, counts: Counter[str], send: Callable[[Message, float], None], *,
                 location: int, slow: bool) -> None:
        self.timers, self.location = timers, location
        self._name, self._channels, self._restarts, self._calls = name, channels, restarts, calls
        self._counts, self._send, self._slow = counts, send, slow
        self._asked: list[_Asked] = []
        self._uncleared: dict[str, int] = {}      # keys of calls that the application has not let go of

    def receive(self, message: Message, now: float) -> None:
        channel = message.first(ChannelId)
        match message.type:
            case MessageType.RESTART:
                self._restart(message, channel, now)
            case MessageType.RESTART_ACKNOWLEDGE:
                indicator = message.first(RestartIndicator)
                part = channel is not None and indicator == RestartIndicator(RestartIndicator.CHANNELS)
                self._restarts.acknowledged(channel.timeslots if channel and part else (), now)
            case MessageType.STATUS:
                self._status(message, now)
            case _:
                self._refuse(INVALID_CALL_REFERENCE, message.to_originator, now)

    def refuse(self, error: MessageError, now: float) -> None:
        """A faulty message, STATUS excepted: 5.8.3.2 f), 5.8.6."""
        if error.type in KNOWN:
            self._refuse(error.cause, error.to_originator, now, error.diagnostic)
        else:
            self._refuse(INVALID_CALL_REFERENCE, error.to_originator, now)

    def request(self, timeslot: int, now: float) -> None:
        """Send RESTART of a channel or the INTERFACE."""
        self._counts["restarts_sent"] += 1
        elements: tuple[Element, ...] = (RestartIndicator(RestartIndicator.INTERFACE),)
        if timeslot != INTERFACE:
            elements = (ChannelId(timeslot), RestartIndicator(RestartIndicator.CHANNELS))
        self._send(Message(MessageType.RESTART, GLOBAL, False, elements), now)

    def cleared(self, key: str, now: float) -> None:
        """The application has let go of the call. Harmless for others."""
        timeslot = self._uncleared.pop(key, None)
        if timeslot is not None:
            if not any(timeslot in asked.timeslots for asked in self._asked):
                self._end(timeslot)               # T317 ran out before
            self._acknowledge_done(now)

    def link_lost(self) -> None:
        """Whoever still wants his RESTART acknowledged sends it again."""
        self._asked.clear()

    def next_deadline(self) -> float | None:
        return min([asked.deadline for asked in self._asked]) if self._asked else None

    def expire(self, now: float) -> None:
        for asked in [asked for asked in self._asked if asked.deadline <= now]:      # T317
            left = sorted(set(asked.timeslots) & set(self._uncleared.values()))
            log.warning("%s: RESTART: timeslots %s are not cleared in %g s",
                        self._name, ", ".join(map(str, left)), self.timers.t317_s)
            self._counts["restarts_late"] += 1
            self._asked.remove(asked)
            done = [timeslot for timeslot in asked.timeslots if timeslot not in left]
            if done:
                self._acknowledge(asked.message, done, now)

    # --- the far end's RESTART, 5.5.2

    def _restart(self, message: Message, channel: ChannelId | None, now: float) -> None:
        indicator = message.first(RestartIndicator)
        if indicator is not None and indicator.value != RestartIndicator.CHANNELS:
            timeslots = self._channels.timeslots  # a channel that is named with it is passed over, 5.8.7.3
        elif channel is not None and channel.timeslots:
            timeslots = tuple(timeslot for timeslot in channel.timeslots if timeslot in self._channels)
        else:
            identifier = IDENTIFIERS[ChannelId]
            cause = next((fault.cause for fault in message.faults if fault.identifier == identifier),
                         MISSING_ELEMENT)         # 5.5.2, 5.8.6.1
            self._refuse(cause, message.to_originator, now, bytes((identifier,)))
            return
        if not timeslots:
            self._refuse(CHANNEL_DOES_NOT_EXIST, message.to_originator, now)
            return
        self._counts["restarts_received"] += 1
        ended = self._calls.restarted(timeslots, now)
        self._restarts.used([timeslot for timeslot in timeslots
                             if self._channels[timeslot].restart is ChannelState.OUT_OF_SERVICE], now)
        if self._slow:
            self._uncleared |= ended
            for timeslot in ended.values():
                self._channels.set_restart(timeslot, ChannelState.RESTARTING)
        if not any(asked.message == message for asked in self._asked):       # else it is said once more
            self._asked.append(_Asked(message, timeslots, now + self.timers.t317_s))
        self._acknowledge_done(now)

    def _acknowledge_done(self, now: float) -> None:
        left = set(self._uncleared.values())
        for asked in [asked for asked in self._asked if left.isdisjoint(asked.timeslots)]:
            self._asked.remove(asked)
            self._acknowledge(asked.message, asked.timeslots, now)

    def _acknowledge(self, message: Message, timeslots: Iterable[int], now: float) -> None:
        """Names what was named, or the part of it that could be restarted."""
        done = tuple(timeslots)
        for timeslot in done:
            self._end(timeslot)
        channel, indicator = message.first(ChannelId), message.first(RestartIndicator)
        elements: tuple[Element, ...] = (indicator,) if indicator else ()
        if indicator == RestartIndicator(RestartIndicator.CHANNELS) and channel is not None:
            if channel.timeslots != done:
                channel = ChannelId(done[0], channel.exclusive, others=done[1:], slot_map=channel.slot_map)
            elements = (channel, *elements)
        elif set(done) != set(self._channels.timeslots):
            elements = (ChannelId(done[0], others=done[1:]), RestartIndicator(RestartIndicator.CHANNELS))
        self._send(
            Message(MessageType.RESTART_ACKNOWLEDGE, GLOBAL, not message.to_originator, elements), now)

    def _end(self, timeslot: int) -> None:
        """The far end's restart of a channel is done; ours of the same one goes on (5.5)."""
        if self._slow and not self._restarts.is_under_way(timeslot):
            self._channels.set_restart(timeslot, ChannelState.IDLE)

    # --- refusals

    def _status(self, message: Message, now: float) -> None:
        self._counts["global_status"] += 1
        cause = message.first(Cause)
        if cause is not None and message.to_originator:
            self._restarts.refused(cause.value, now)

    def _refuse(self, cause: int, to_originator: bool, now: float, diagnostic: bytes = b"") -> None:
        """STATUS with our restart state in the role that the message speaks to."""
        if to_originator:
            state = RESTART_REQUEST if self._restarts.waits else NULL
        else:
            state = RESTART if self._asked else NULL
        elements = (Cause(cause, self.location, diagnostic), CallState(state))
        self._send(Message(MessageType.STATUS, GLOBAL, not to_originator, elements), now)
