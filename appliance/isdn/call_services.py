"""The supplementary services of a span tied to its calls: what a message carries for them is read before a
message that may end the call is acted on, and after the one that begins it; what they answer is sent.

Ref: ITU-T Q.932, 6.2 (Facility elements in any message of a call, and FACILITY).
"""
from dataclasses import replace

from appliance.isdn.call import table
from appliance.isdn.call.call import Call
from appliance.isdn.call.states import State
from appliance.isdn.calls import Calls
from appliance.isdn.elements import CalledNumber, RedirectingNumber
from appliance.isdn.events import Event, Incoming, Released
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.supplementary.events import Diverted, Named, Reason, Role, ServiceEvent
from appliance.isdn.supplementary.invocations import CallFacts, Clear, Send
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import NOT_AVAILABLE
from appliance.isdn.supplementary.services import Services

RINGING = (State.DELIVERED, State.RECEIVED)
ANSWERED = (State.ACTIVE, State.CONNECT_REQUEST)  # what is asked now comes behind our CONNECT
ENDING = (State.NULL, State.RELEASING)            # nothing more is said then


class CallServices:
    """`events` are the span's, in order. `calls` is set before the first message."""

    def __init__(self, events: list[Event]) -> None:
        self.services: Services
        self.calls: Calls
        self._events = events
        self._offered = False                     # the SETUP in hand is a call's first

    def facts(self, key: str) -> CallFacts | None:
        if key not in self.calls:
            return None
        call = self.calls[key]
        dialled = next((element for element in call.setup if isinstance(element, CalledNumber)), None)
        return CallFacts(call.ours, call.state in RINGING, call.state in ANSWERED,
                         dialled.digits if dialled else call.called)

    # --- around what call control does

    def before(self, call: Call, message: Message, now: float) -> None:
        self._offered = message.type is MessageType.SETUP and call.key not in self.calls
        if message.type is not MessageType.SETUP and call.key in self.calls and not call.told:
            self.services.receive(call.key, message, now)
            self._take_events()

    def after(self, call: Call, message: Message, now: float) -> None:
        if self._offered and call.key in self.calls:
            self.services.receive(call.key, message, now)
        self.flush(now)

    def tell(self, event: Event) -> None:
        """An event of a call. What its end means for services comes before."""
        if isinstance(event, Released):
            self.services.ended(event.key)
            self._take_events()
        self._events.append(event)

    # --- what the services say

    def expire(self, now: float) -> None:
        self.services.expire(now)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Send what is to be sent."""
        for action in self.services.take_actions():
            call = self.calls[action.key] if action.key in self.calls else None
            match action:
                case Send(element=element) if call is not None and call.state not in ENDING:
                    call.say(MessageType.FACILITY, now, element)
                case Clear(cause=cause) if call is not None:
                    table.hang_up(call, cause, now)
                    self.calls.touched(call)
        self._take_events()

    def _take_events(self) -> None:
        for event in self.services.take_events():
            if not self._completed(event):
                self._events.append(event)

    def _completed(self, event: ServiceEvent) -> bool:
        """What belongs to a call that is about to be told is in that event: the caller's name, the number it
        was diverted from. True: so it need not be told again."""
        if not isinstance(event, (Named, Diverted)):
            return False
        for at, incoming in enumerate(self._events):
            if isinstance(incoming, Incoming) and incoming.key == event.key:
                if isinstance(event, Diverted):
                    self._events[at] = diverted(incoming, event)
                    return False                  # there is more to it than an element can say
                if event.role is Role.CALLING and not incoming.name:
                    self._events[at] = replace(incoming, name="" if event.presentation else event.name)
                    return True
        return False


REASONS = {Reason.UNKNOWN: 0, Reason.BUSY: 1, Reason.NO_REPLY: 2, Reason.DEFLECTED: 10, Reason.ALWAYS: 15}


def diverted(incoming: Incoming, event: Diverted) -> Incoming:
    """With the element (4.6.7) that says the same, unless it has one."""
    if any(isinstance(element, RedirectingNumber) for element in incoming.elements):
        return incoming
    last = event.last or Party("", presentation=NOT_AVAILABLE)
    return replace(incoming, elements=(*incoming.elements, RedirectingNumber(
        last.digits, last.type, last.plan, last.presentation, last.screening, REASONS[event.reason])))
