"""One trunk: its channels, its number plan, its rules of caller ID, and what a call says on it. Pure."""
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from appliance.bus.messages import CallInfo, Diversion, UserData
from appliance.config.emergency import known_numbers
from appliance.config.lines import SpanConfig, TrunkConfig
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import (
    CalledNumber,
    CalledSubaddress,
    CallingNumber,
    CallingSubaddress,
    ConnectedNumber,
    Element,
    RedirectingNumber,
    UserUser,
)
from appliance.isdn.events import Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES, Profile
from appliance.isdn.supplementary.presentation import (
    ALLOWED,
    NETWORK_PROVIDED,
    PASSED,
    RESTRICTED,
    pass_on,
    shown,
    trusted,
    withheld,
)
from appliance.trunk.caller_id import CallerId
from appliance.trunk.groups import Group
from appliance.trunk.numbering import LineNumber, NumberPlan, plain

K = TypeVar("K", bound=Element)

NSAP, IA5_AFI = 0, 0x50                           # type of subaddress; X.213 format of IA5 text: Q.931 4.5.8


class Trunk:
    """`country`: whose emergency numbers it knows, as in NumbersConfig."""

    def __init__(self, config: TrunkConfig, country: str, spans: Sequence[SpanConfig],
                 signalling: Mapping[str, Signalling], idle_since: Mapping[tuple[str, int], float]) -> None:
        self.config = config
        self.spans = tuple(span.name for span in spans)
        self.group = Group(config, spans, signalling, idle_since)
        self._plan = NumberPlan(config.numbers) if config.numbers is not None else None
        self._caller_id = CallerId(config.caller_id, self._plan)
        self._emergency = known_numbers(config, spans, country)
        public = [span.side == "user" for span in spans if not PROFILES[span.profile].symmetric]
        self._toward_pbx = bool(public) and not any(public)

    def is_emergency(self, called: str) -> bool:
        return called in self._emergency

    def setup(self, info: CallInfo, profile: Profile, side: Side) -> tuple[str, str, tuple[Element, ...]]:
        """(called, name, elements) of Signalling.setup for this call. ValueError: no line can carry it."""
        to_trusted = trusted(side, symmetric=profile.symmetric)
        called = self._plan.send_called(info.called) if self._plan is not None else plain(info.called)
        calling = self._caller_id.number(info.calling, info.withheld, profile, side, emergency=info.emergency)
        elements: list[Element] = []
        if called.type is not None:
            elements.append(CalledNumber(called.digits, called.type, profile.called.plan
                                         if called.plan is None else called.plan))
        if calling is not None:
            elements.append(calling)
        if info.diversion is not None:
            elements.append(self._redirecting(info.diversion, profile))
        if info.called_subaddress:
            elements.append(CalledSubaddress(_ia5(info.called_subaddress), NSAP))
        if info.calling_subaddress:
            elements.append(CallingSubaddress(_ia5(info.calling_subaddress), NSAP))
        if info.user_data is not None:
            elements += user_user(info.user_data, profile)
        hidden = calling is not None and withheld(calling)
        return called.digits, self._caller_id.name(info.calling_name, hidden), pass_on(elements, to_trusted)

    def connected(self, number: str, profile: Profile, side: Side) -> tuple[Element, ...]:
        """What CONNECT says of who answered (COLP)."""
        if not number:
            return ()
        on_line = self._on_line(number)
        return (ConnectedNumber(on_line.digits, _type(on_line, profile), _plan(on_line, profile), ALLOWED,
                                profile.screening[side]),)

    def shown(self, number: CallingNumber | ConnectedNumber | RedirectingNumber | None) -> str:
        """A number of the far end for the box; "" when there is none, or it may not be shown."""
        digits = shown(number)
        if number is None or not digits or self._plan is None:
            return digits
        return self._plan.show(digits, number.type, number.plan)

    def incoming(self, event: Incoming) -> dict[str, Any]:
        """The fields of a CallInfo that a SETUP fills."""
        called, calling = first(event.elements, CalledNumber), first(event.elements, CallingNumber)
        diverted = first(event.elements, RedirectingNumber)
        digits = event.called
        if self._plan is not None and called is not None and event.complete:
            digits = self._plan.show_called(called.digits, called.type, called.plan)
        return {
            "called": digits,
            "calling": event.calling if calling is None else self._caller(calling),
            "calling_name": event.name,
            "withheld": True if calling is not None and withheld(calling) else None,
            "screened": calling is None or calling.screening in (PASSED, NETWORK_PROVIDED),
            "diversion": None if diverted is None else Diversion(
                number=self.shown(diverted), reason=diverted.reason or 0),
            "called_subaddress": _text(first(event.elements, CalledSubaddress)),
            "calling_subaddress": _text(first(event.elements, CallingSubaddress)),
            "user_data": user_data(event.elements),
        }

    def _caller(self, calling: CallingNumber) -> str:
        """An extension that hides from those it calls does not hide from its own box."""
        if self._toward_pbx:
            calling = replace(calling, presentation=ALLOWED)
        return self.shown(calling)

    def _redirecting(self, diversion: Diversion, profile: Profile) -> RedirectingNumber:
        on_line = self._on_line(diversion.number)
        return RedirectingNumber(on_line.digits, _type(on_line, profile), _plan(on_line, profile),
                                 ALLOWED if diversion.number else RESTRICTED, reason=diversion.reason)

    def _on_line(self, number: str) -> LineNumber:
        return self._plan.send_calling(number) if self._plan is not None else plain(number)


def user_user(data: UserData, profile: Profile) -> tuple[Element, ...]:
    """ValueError: more than the line carries; one that carries none gets none."""
    if not profile.user_user_octets:
        return ()
    if len(data.data) > profile.user_user_octets:
        raise ValueError(f"{len(data.data)} octets of user data, the line carries {profile.user_user_octets}")
    return (UserUser(data.protocol, data.data),)


def user_data(elements: Sequence[Element]) -> UserData | None:
    element = first(elements, UserUser)
    return None if element is None else UserData(protocol=element.protocol, data=element.content)


def first(elements: Sequence[Element], kind: type[K]) -> K | None:
    """The first element of that kind."""
    return next((element for element in elements if isinstance(element, kind)), None)


def _type(number: LineNumber, profile: Profile) -> int:
    return profile.calling.type if number.type is None else number.type


def _plan(number: LineNumber, profile: Profile) -> int:
    return profile.calling.plan if number.plan is None else number.plan


def _ia5(text: str) -> bytes:
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"subaddress {text!r}: not printable ASCII")
    return bytes((IA5_AFI,)) + text.encode("ascii")


def _text(subaddress: CalledSubaddress | CallingSubaddress | None) -> str:
    """IA5 text, or the octets in hexadecimal digits."""
    if subaddress is None:
        return ""
    text = subaddress.content[1:].decode("ascii", "replace")
    if subaddress.type == NSAP and subaddress.content[:1] == bytes((IA5_AFI,)) and text.isascii() and (
            text.isprintable()):
        return text
    return subaddress.content.hex()
