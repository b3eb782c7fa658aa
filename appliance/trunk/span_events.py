"""What spans tell of their calls: into the table, to the bus, and on to the channels of waiting calls."""
import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.bus.messages import (
    CallAlerting,
    CallAnswered,
    CallClearing,
    CallDigits,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallProgress,
    CallTold,
)
from appliance.isdn import events as isdn
from appliance.isdn.causes import NO_CHANNEL, TEMPORARY_FAILURE
from appliance.isdn.elements import (
    ConnectedNumber,
    DateTime,
    Element,
    NotificationIndicator,
    ProgressIndicator,
)
from appliance.isdn.supplementary.events import ServiceEvent
from appliance.trunk.calls import Calls
from appliance.trunk.draining import Draining
from appliance.trunk.legs import Leg
from appliance.trunk.outgoing import CONGESTION, Outgoing, use
from appliance.trunk.span import TrunkSpan
from appliance.trunk.supplementary import Supplementary
from appliance.trunk.trunk import Trunk, first, user_data

IN_BAND = (1, 8)                                  # progress descriptions: sound is in the channel

log = logging.getLogger(__name__)


@dataclass(slots=True)
class SpanEvents:
    """`hang_up(leg, cause)` ends a call. An offered call that nobody takes ends after `claim_within_s`."""

    calls: Calls
    outgoing: Outgoing
    trunks: Mapping[str, Trunk]
    hang_up: Callable[[Leg, int], None]
    claim_within_s: float
    supplementary: Supplementary
    draining: Draining
    refused_draining: int = 0                     # calls that came in while calls were drained
    refused_reserved: int = 0                     # calls that came in and found only channels of others

    def handle(self, span: TrunkSpan, event: isdn.Event) -> None:
        """Of a call."""
        if isinstance(event, isdn.Incoming):
            self._incoming(span, event)
        elif (leg := self.calls.get(getattr(event, "key", ""))) is not None:
            self._on_call_event(span, leg, event)

    def _on_call_event(self, span: TrunkSpan, leg: Leg, event: isdn.Event) -> None:
        name = leg.info.leg
        match event:
            case isdn.Digits(called=called, complete=complete):
                leg.change(called=called, complete=complete)
                offered = complete and leg.info.state == "overlap"
                self.calls.enter(leg, "offered" if offered else leg.info.state)
                self.calls.say(CallDigits(leg=name, called=called, complete=complete))
                if (cause := self._refused(leg)) is not None:
                    self.hang_up(leg, cause)
                elif complete:
                    self._expect_claim(leg)
            case isdn.ChannelChosen(timeslot=timeslot):
                self.calls.place(leg, span.config.name, timeslot)
            case isdn.Proceeding(elements=elements):
                self.calls.enter(leg, "proceeding")
                self.calls.say(CallProceeding(leg=name))
                if any(isinstance(one, ProgressIndicator) and one.description in IN_BAND for one in elements):
                    self._progress(leg, True)
            case isdn.Progress(in_band=in_band):
                self._progress(leg, in_band)
            case isdn.Alerting():
                self.calls.enter(leg, "alerting")
                self.calls.say(CallAlerting(leg=name))
            case isdn.Answered(elements=elements):
                leg.change(answered=True, connected=self._connected(leg, elements))
                self.calls.enter(leg, "answered")
                self.calls.say(CallAnswered(leg=name, at=leg.info.since, connected=leg.info.connected,
                                            user_data=user_data(elements),
                                            network_time=_time(first(elements, DateTime))))
            case isdn.Told(elements=elements):
                self._told(leg, elements)
            case _ if isinstance(event, ServiceEvent):
                self.supplementary.handle(leg, event)
            case isdn.Disconnecting(cause=cause):
                self._disconnecting(span, leg, cause)
            case isdn.Released():
                if not self.outgoing.refused(leg, event):
                    by = "far" if leg.info.state == "disconnecting" else event.by.value
                    self.outgoing.over(leg)
                    self.calls.release(leg, event.cause, by, user_data(event.elements))

    def _connected(self, leg: Leg, elements: tuple[Element, ...]) -> str:
        trunk = self.trunks.get(leg.info.trunk)
        return trunk.shown(first(elements, ConnectedNumber)) if trunk is not None else ""

    def _progress(self, leg: Leg, in_band: bool) -> None:
        leg.in_band = leg.in_band or in_band
        self.calls.touch(leg)
        self.calls.say(CallProgress(leg=leg.info.leg, in_band=in_band))

    def _told(self, leg: Leg, elements: tuple[Element, ...]) -> None:
        notification, data = first(elements, NotificationIndicator), user_data(elements)
        if notification is not None or data is not None:
            self.calls.say(CallTold(leg=leg.info.leg, user_data=data, notification=(
                None if notification is None else notification.value)))

    def _disconnecting(self, span: TrunkSpan, leg: Leg, cause: int) -> None:
        """Announcements are for who calls; and a call that has another way to go does not listen to them."""
        if cause in CONGESTION and self.outgoing.has_other_ways(leg):
            span.signalling.hang_up(leg.info.leg, cause, span.now())
            return
        leg.change(cause=cause, by="far")
        self.calls.enter(leg, "disconnecting")
        if leg.info.inbound:
            span.signalling.hang_up(leg.info.leg, cause, span.now())
        else:
            self.calls.say(CallClearing(leg=leg.info.leg, cause=cause))

    def _incoming(self, span: TrunkSpan, event: isdn.Incoming) -> None:
        trunk = self.trunks[span.config.trunk]
        now = time.time()
        info = CallInfo(
            leg=event.key, trunk=trunk.config.name, span=span.config.name, timeslot=event.timeslot,
            inbound=True, state="offered" if event.complete else "overlap", complete=event.complete,
            since=now, began_at=now, **trunk.incoming(event))
        leg = Leg(info)
        if (cause := self._refused(leg)) is not None:
            span.signalling.hang_up(event.key, cause, span.now())
            return
        self.calls.add(leg)
        self.calls.placed(leg)
        self.calls.place(leg, info.span, info.timeslot)
        self.calls.say(CallIncoming(
            leg=info.leg, trunk=info.trunk, called=info.called, calling=info.calling,
            calling_name=info.calling_name, complete=info.complete, at=info.since,
            withheld=bool(info.withheld), screened=info.screened, diversion=info.diversion,
            called_subaddress=info.called_subaddress, calling_subaddress=info.calling_subaddress,
            user_data=info.user_data))
        if info.complete:
            self._expect_claim(leg)

    def _admits(self, leg: Leg) -> bool:
        """Whether reservations let a call stay that came in. One whose number comes digit by digit stays as
        long as it may become one of theirs."""
        trunk = self.trunks.get(leg.info.trunk)
        return trunk is None or trunk.group.admits(use(leg), (
            use(other) for other in self.calls
            if other.info.trunk == leg.info.trunk and other.info.span and other is not leg))

    def _refused(self, leg: Leg) -> int | None:
        """Why a call that comes in may not stay, as a cause; counted."""
        info, now = leg.info, asyncio.get_running_loop().time()
        if not self.draining.admits(now, info.trunk, info.called, complete=info.complete):
            log.info("%s: the call to %s is refused with cause %d: no new calls are taken now",
                     info.span, info.called, self.draining.cause)
            self.refused_draining += 1
            return self.draining.cause
        if not self._admits(leg):
            log.warning("%s: the call to %s is refused, the idle channels are reserved for others",
                        info.span, info.called)
            self.refused_reserved += 1
            return NO_CHANNEL
        return None

    def _expect_claim(self, leg: Leg) -> None:
        def check() -> None:
            if not leg.claimed and self.calls.get(leg.info.leg) is leg:
                log.warning("nobody took the call to %s in %g s", leg.info.called, self.claim_within_s)
                self.hang_up(leg, TEMPORARY_FAILURE)
        asyncio.get_running_loop().call_later(self.claim_within_s, check)


def _time(told: DateTime | None) -> str:
    if told is None or told.hour is None or told.minute is None:
        return ""
    return f"{told.year:02}-{told.month:02}-{told.day:02} {told.hour:02}:{told.minute:02}"
