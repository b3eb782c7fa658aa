"""Placing calls: a channel of the trunk or of those it overflows to, other ways when the far end refuses, and
a channel for emergency calls whatever it takes.

An emergency call takes, of the trunk it is dialled on, of those it overflows to, and of every other that
knows its number: an idle channel, reserved or one-way or not; else one that people took out of use; else it
waits for EMERGENCY_WAIT_S for whatever becomes idle, and every PRE_EMPT_EVERY_S of these an ordinary call is
cleared with cause 8 to make room: a test, else the youngest outgoing one, else the youngest incoming one that
nobody has answered, else the youngest incoming one.

A test stands back: it ends, with cause 8 too, when others take the channels that it is to leave free.
"""
import logging
import time
from collections.abc import Callable, Iterable, Mapping

from appliance.bus.client import Refused
from appliance.bus.messages import CallInfo, Dial
from appliance.isdn.causes import NO_CHANNEL, PRE_EMPTION, TIMER_EXPIRY
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import Element
from appliance.isdn.events import By, Released
from appliance.isdn.setup import checked
from appliance.trunk.calls import Calls
from appliance.trunk.groups import Place, Unavailable, Use
from appliance.trunk.legs import Leg
from appliance.trunk.span import TrunkSpan
from appliance.trunk.trunk import Trunk

ATTEMPTS = 3                                      # of a call whose channel the far end refuses, on one trunk
CONGESTION = (34, 38, 41, 42, 44, 47, 102)        # causes, Q.850, that another trunk may not give
EMERGENCY_WAIT_S = 20.0
PRE_EMPT_EVERY_S = 2.0                            # the far end may take so long to let a channel go

log = logging.getLogger(__name__)


class Outgoing:
    """`hang_up(leg, cause)` ends a call; `later(delay_s, act)` is asyncio's call_later."""

    def __init__(self, calls: Calls, spans: Mapping[str, TrunkSpan], trunks: Mapping[str, Trunk],
                 hang_up: Callable[[Leg, int], None],
                 later: Callable[[float, Callable[[], None]], object]) -> None:
        self._calls, self._spans, self.trunks = calls, spans, trunks
        self._hang_up, self._later = hang_up, later
        self._refused: dict[str, set[str]] = {}   # leg -> trunks that cannot take it
        self._waiting: set[str] = set()           # emergency calls without a channel
        self._until: dict[str, float] = {}        # how long they look for one
        self._looks_again: set[str] = set()       # those that do so when PRE_EMPT_EVERY_S is over
        self.pre_empted = 0

    def dial(self, request: Dial) -> None:
        """Place it, or say that it is released. Refused: it cannot even be tried."""
        if self._calls.get(request.leg) is not None:
            raise Refused(f"leg {request.leg} is there already")
        if request.trunk not in self.trunks:
            raise Refused(f"no trunk {request.trunk!r}, there are {', '.join(sorted(self.trunks))}")
        now = time.time()
        leg = Leg(CallInfo(
            leg=request.leg, trunk=request.trunk, span="", timeslot=0, inbound=False, state="offered",
            called=request.called, calling=request.calling, calling_name=request.calling_name, complete=True,
            since=now, began_at=now, withheld=request.withheld, diversion=request.diversion,
            called_subaddress=request.called_subaddress, calling_subaddress=request.calling_subaddress,
            user_data=request.user_data,
            emergency=self.trunks[request.trunk].is_emergency(request.called)), claimed=True)
        leg.dialled, leg.spare = request.trunk, request.spare
        if leg.info.emergency:
            log.warning("an emergency call to %s on trunk %s", leg.info.called, leg.dialled)
        self._calls.add(leg)
        try:
            self._place(leg)
        except ValueError as error:
            self._calls.forget(leg)
            raise Refused(f"called {request.called!r}, calling {request.calling!r}: {error}") from None

    def refused(self, leg: Leg, event: Released) -> bool:
        """A call ended before anything came of it. True: it is tried another way."""
        info = leg.info
        if info.inbound or leg.in_band or info.state not in ("offered", "proceeding"):
            return False
        lost_link = event.by is By.LINE and event.cause != TIMER_EXPIRY
        if (event.channel_refused or lost_link) and leg.attempts < ATTEMPTS:
            leg.attempts += 1
        elif event.cause in CONGESTION:
            leg.attempts = 1
            self._refused.setdefault(info.leg, set()).add(info.trunk)
        else:
            return False
        leg.change(timeslot=0, span="")
        self._calls.enter(leg, "offered")
        try:
            self._place(leg, event.cause)
        except ValueError as error:               # nothing for the other trunk
            log.warning("the call to %s: %s", info.called, error)
            self._release(leg, event.cause)
        return True

    def has_other_ways(self, leg: Leg) -> bool:
        """A call that is congested here may go elsewhere."""
        if leg.info.inbound or leg.in_band or leg.info.state not in ("offered", "proceeding"):
            return False
        routes = self._emergency_routes(leg) if leg.info.emergency else self._routes(leg)
        return any(trunk.config.name != leg.info.trunk for trunk in routes)

    def over(self, leg: Leg) -> None:
        """It was released."""
        self._refused.pop(leg.info.leg, None)
        self._until.pop(leg.info.leg, None)
        self._waiting.discard(leg.info.leg)

    def channel_freed(self) -> None:
        """A channel is idle, or a link up: emergency calls come first."""
        for name in sorted(self._waiting):
            leg = self._calls.get(name)
            if leg is not None and (found := self._emergency_place(leg)) is not None:
                self._waiting.discard(name)
                self._set_up(leg, *found)

    def channel_taken(self) -> None:
        """A channel is busy: a test ends when it leaves too few."""
        for leg in [leg for leg in self._calls
                    if leg.spare and leg.info.span and leg.info.state != "clearing"]:
            trunk = self.trunks.get(leg.info.trunk)
            if trunk is None or not trunk.group.has_free(leg.spare):
                log.info("the test call to %s is cleared: others need its channel", leg.info.called)
                self._hang_up(leg, PRE_EMPTION)

    def _place(self, leg: Leg, cause: int | None = None) -> None:
        """`cause`: of the way tried before."""
        if leg.info.emergency:
            found = self._emergency_place(leg)
            if found is not None:
                self._set_up(leg, *found)
            else:
                self._wait(leg)
            return
        if leg.spare and any(other.info.emergency for other in self._calls):
            self._release(leg, NO_CHANNEL)
            return
        for trunk in self._routes(leg):
            try:
                place = trunk.group.choose(use(leg), self._others(trunk, leg), leg.spare)
            except Unavailable as no:
                cause = no.cause if cause is None else cause
                continue
            self._set_up(leg, trunk, place)
            return
        self._release(leg, NO_CHANNEL if cause is None else cause)

    def _routes(self, leg: Leg) -> list[Trunk]:
        refused = self._refused.get(leg.info.leg, ())
        return [self.trunks[name] for name in self._asked_for(leg) if name not in refused]

    def _asked_for(self, leg: Leg) -> list[str]:
        """The trunk that the call was dialled on and those it overflows to; none when it is there no more."""
        trunk = self.trunks.get(leg.dialled)
        return [] if trunk is None else [leg.dialled, *([] if leg.spare else trunk.config.overflow)]

    def _others(self, trunk: Trunk, leg: Leg) -> Iterable[Use]:
        return (use(other) for other in self._calls
                if other.info.trunk == trunk.config.name and other.info.span and other is not leg)

    def _set_up(self, leg: Leg, trunk: Trunk, place: Place) -> None:
        span = self._spans[place.span]
        signalling, now = span.signalling, span.now()
        called, name, elements = self._said(leg, trunk, signalling)
        if place.blocked:
            log.warning("%s: timeslot %d is out of use: it carries an emergency call",
                        place.span, place.timeslot)
            signalling.unblock((place.timeslot,), now)
        timeslot = place.timeslot if span.names_channel or place.blocked else None
        try:
            signalling.setup(leg.info.leg, called, now, name=name, timeslot=timeslot, elements=elements)
        finally:
            if place.blocked:
                signalling.block((place.timeslot,), now)
        leg.change(trunk=trunk.config.name, span=place.span)
        self._calls.placed(leg)
        span.flush()

    def _said(self, leg: Leg, trunk: Trunk,
              signalling: Signalling) -> tuple[str, str, tuple[Element, ...]]:
        try:
            said = trunk.setup(leg.info, signalling.profile, signalling.side)
            checked(said[2])
        except ValueError as error:
            if not leg.info.emergency:
                raise
            log.error("the emergency call to %s goes without its details: %s", leg.info.called, error)
            leg.change(calling="", calling_name="", diversion=None, called_subaddress="",
                       calling_subaddress="", user_data=None)
            said = trunk.setup(leg.info, signalling.profile, signalling.side)
        return said

    # --- emergency calls

    def _emergency_place(self, leg: Leg) -> tuple[Trunk, Place] | None:
        for blocked in (False, True):
            for trunk in self._emergency_routes(leg):
                place = trunk.group.choose_any(blocked)
                if place is not None:
                    return trunk, place
        return None

    def _emergency_routes(self, leg: Leg) -> list[Trunk]:
        first = self._asked_for(leg)
        names = [*first, *(name for name, trunk in self.trunks.items()
                           if name not in first and trunk.is_emergency(leg.info.called))]
        refused = self._refused.get(leg.info.leg, ())
        return [self.trunks[name] for name in names if name not in refused]

    def _wait(self, leg: Leg) -> None:
        name = leg.info.leg
        self._waiting.add(name)
        self._until.setdefault(name, time.monotonic() + EMERGENCY_WAIT_S)
        if name in self._refused:                 # networks had none; they are asked again, but not at once
            self._look_again(name)
        else:
            self._make_room(leg)

    def _look_again(self, name: str) -> None:
        if name not in self._looks_again:
            self._looks_again.add(name)
            self._later(PRE_EMPT_EVERY_S, lambda: self._try_again(name))

    def _try_again(self, name: str) -> None:
        self._looks_again.discard(name)
        leg = self._calls.get(name)
        if leg is None or name not in self._waiting:
            return
        if time.monotonic() >= self._until[name]:
            log.error("the emergency call to %s found no channel in %g s", leg.info.called, EMERGENCY_WAIT_S)
            self._release(leg, NO_CHANNEL)
            return
        self._refused.pop(name, None)
        self.channel_freed()
        if name in self._waiting:
            self._make_room(leg)

    def _make_room(self, leg: Leg) -> None:
        self._look_again(leg.info.leg)
        victim = victim_of(self._calls, {trunk.config.name for trunk in self._emergency_routes(leg)
                                         if trunk.group.is_up()})
        if victim is not None:
            self.pre_empted += 1
            log.warning("the call to %s on %s timeslot %d is cleared: an emergency call needs its channel",
                        victim.info.called, victim.info.span, victim.info.timeslot)
            self._hang_up(victim, PRE_EMPTION)

    def _release(self, leg: Leg, cause: int) -> None:
        self.over(leg)
        self._calls.release(leg, cause, "line")
        self._calls.settle()


def victim_of(calls: Iterable[Leg], trunks: set[str]) -> Leg | None:
    """Whose channel an emergency call takes: never another emergency call's."""
    ordinary = [leg for leg in calls if leg.info.trunk in trunks and leg.info.span and leg.info.timeslot
                and not leg.info.emergency and leg.info.state != "clearing"]
    rank = {(False, False): 0, (False, True): 0, (True, False): 1, (True, True): 2}
    return min(ordinary, default=None, key=lambda leg: (
        not leg.spare, rank[leg.info.inbound, leg.info.answered], -leg.info.began_at))


def use(leg: Leg) -> Use:
    """What reservations see of it."""
    return Use(leg.info.inbound, leg.info.called, leg.info.complete)
