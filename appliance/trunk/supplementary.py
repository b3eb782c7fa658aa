"""Supplementary services between the bus and the spans: what is asked for, and what the far ends tell."""
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.bus.client import Refused
from appliance.bus.messages import (
    CallCharged,
    CallDeflected,
    CallParty,
    CallsJoined,
    Charge,
    Deflect,
    DeflectionWanted,
    GrantDeflection,
    GrantJoin,
    JoinOutside,
    JoinWanted,
    MaliciousCallReported,
    MaliciousCallTraced,
    TraceMalicious,
)
from appliance.errors import StateError
from appliance.isdn.causes import NORMAL_CLEARING, NORMAL_UNSPECIFIED
from appliance.isdn.supplementary import events as services
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import ALLOWED
from appliance.trunk.calls import Calls
from appliance.trunk.legs import Leg
from appliance.trunk.span import TrunkSpan

log = logging.getLogger(__name__)

ServiceRequest = JoinOutside | Deflect | TraceMalicious | GrantDeflection | GrantJoin


@dataclass(slots=True)
class Supplementary:
    """`hang_up(leg, cause)` ends a call."""

    calls: Calls
    spans: Mapping[str, TrunkSpan]
    hang_up: Callable[[Leg, int], None]

    # --- asked by the centre

    def ask(self, request: ServiceRequest) -> None:
        """Refused says why it cannot even be tried."""
        try:
            match request:
                case JoinOutside(leg_a=leg_a, leg_b=leg_b):
                    self._join(leg_a, leg_b)
                case Deflect(leg=leg, to=to):
                    span = self._span(leg)
                    span.signalling.deflect(leg, to, span.now())
                    span.flush()
                case TraceMalicious(leg=leg):
                    span = self._span(leg)
                    span.signalling.trace_malicious(leg, span.now())
                    span.flush()
                case GrantDeflection(leg=leg, granted=granted):
                    span = self._span(leg)
                    span.signalling.answer_deflection(leg, granted, span.now())
                    span.flush()
                    self._let_go([leg] if granted else [], NORMAL_UNSPECIFIED)
                case GrantJoin(leg=leg, granted=granted):
                    span = self._span(leg)
                    other = span.signalling.answer_transfer(leg, granted, span.now())
                    span.flush()
                    self._let_go([leg, other] if granted else [], NORMAL_CLEARING)
        except (StateError, ValueError) as error:
            raise Refused(str(error)) from None

    def _join(self, leg_a: str, leg_b: str) -> None:
        span = self._span(leg_a)
        if self._span(leg_b) is not span:
            raise Refused(f"legs {leg_a} and {leg_b} are not on one span: their far end cannot join them")
        span.signalling.transfer(leg_a, leg_b, span.now())
        span.flush()

    def _span(self, name: str) -> TrunkSpan:
        leg = self.calls.get(name)
        if leg is None:
            raise Refused(f"no leg {name}: it ended")
        if leg.info.span not in self.spans:
            raise Refused(f"leg {name} waits for a channel: it cannot do that")
        leg.claimed = True
        return self.spans[leg.info.span]

    def _let_go(self, names: list[str], cause: int) -> None:
        for leg in [leg for name in names if (leg := self.calls.get(name)) is not None]:
            self.hang_up(leg, cause)

    # --- told by the far ends

    def handle(self, leg: Leg, event: services.ServiceEvent) -> None:
        name = leg.info.leg
        match event:
            case services.Charged():
                charge = Charge(
                    units=event.units, amount_thousandths=event.amount_thousandths, currency=event.currency,
                    free=event.free, total=event.total, final=event.when is services.Advice.END,
                    billing=event.billing, charged_to=event.charged_to)
                leg.change(charge=charge)
                self.calls.touch(leg)
                self.calls.say(CallCharged(leg=name, charge=charge))
            case services.RatesTold(rates=rates):
                log.info("leg %s: what it will cost: %s", name, rates or "the network cannot tell")
            case services.Named(name=text, presentation=presentation):
                if text and presentation == ALLOWED:
                    self.calls.say(CallParty(leg=name, why="named", name=text))
            case services.Diverting(to=to, name=text):
                self.calls.say(CallParty(leg=name, why="diverted", number=_digits(to), name=text))
            case services.Transferred(party=party, name=text, answered=answered):
                self.calls.say(CallParty(leg=name, why="transferred", number=_digits(party), name=text,
                                         answered=answered))
            case services.DeflectionDone():
                self.calls.say(CallDeflected(leg=name, done=True))
            case services.DeflectionRefused(why=why):
                self.calls.say(CallDeflected(leg=name, done=False, why=why))
            case services.TransferDone(other=other):
                self.calls.say(CallsJoined(leg_a=name, leg_b=other, done=True))
            case services.TransferRefused(other=other, why=why):
                self.calls.say(CallsJoined(leg_a=name, leg_b=other, done=False, why=why))
            case services.MaliciousCallNoted():
                self.calls.say(MaliciousCallTraced(leg=name, done=True))
            case services.MaliciousCallRefused(why=why):
                self.calls.say(MaliciousCallTraced(leg=name, done=False, why=why))
            case services.MaliciousCallReported():
                self.calls.say(MaliciousCallReported(leg=name))
            case services.DeflectionAsked(to=to):
                self.calls.say(DeflectionWanted(leg=name, to=to.digits))
            case services.TransferAsked(other=other):
                self.calls.say(JoinWanted(leg_a=name, leg_b=other))


def _digits(party: Party | None) -> str:
    return party.digits if party is not None and party.presentation == ALLOWED else ""
