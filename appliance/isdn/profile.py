"""Profiles: what one kind of neighbour does differently from another, as facts in a table. Whoever needs to
know asks for a field; nobody asks for the name.

etsi    EuroISDN, DSS1: one side is the network. Public networks, and most PBXs on our network side.
china   The national edition of DSS1. Messages, elements, states and timers are Q.931's. What differs:
        exchanges take a called number of unknown type only, as it is dialled; they send no names and want no
        Display; many do not answer RESTART of the whole interface, so none is sent at the start (channels are
        restarted one by one as everywhere); deflection and explicit transfer are not offered. The caller's
        number is replaced by the network when it is none of the line's.
qsig    A private network: both ends are exchanges, states and timers are the same on both (Q.931 Annex D).
        CONNECT is waited for and acknowledged in both directions; T310 is 120 s. The side only says who has
        layer 2's network bit and the say when two SETUPs meet (side A of the standard). There are no SUSPEND,
        RESUME, USER INFORMATION, CONGESTION CONTROL. Names and all supplementary services are components in
        Facility, with the networking profile and operations by number.
ecma    QSIG as in ECMA's editions of 1992, before ISO took it over: Facility with the ROSE profile,
        operations by object identifier. The basic call is qsig's.

Ref: ITU-T Q.931 (05/98) with Annex D; EN 300 403-1; YDN 034-1997; ISO/IEC 11572 = ECMA-143 (QSIG basic call);
ECMA-165 (QSIG generic procedures).
"""
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum

from appliance.isdn.call.states import TIMERS, Timers
from appliance.isdn.lapd import Side

ROSE = 0x11                                       # protocol profiles of Facility: Q.932, 8.2.3
NETWORKING = 0x1F                                 # the same behind a network facility extension: ECMA-165


class Transfer(Enum):
    """How a call that leaves by the trunk it came in on gives its two channels back."""

    NONE = "none"
    EXPLICIT = "explicit call transfer"           # EN 300 369-1
    PATH_REPLACEMENT = "path replacement"         # ECMA-176


@dataclass(frozen=True, slots=True)
class Numbering:
    """Type of number and numbering plan of digits that do not say it themselves (4.5.8, 4.5.10)."""

    type: int = 0                                 # 0 unknown, 1 international, 2 national, 4 subscriber
    plan: int = 1                                 # 0 unknown, 1 E.164, 9 private


def _of_sides(user: int, network: int) -> dict[Side, int]:
    return {Side.USER: user, Side.NETWORK: network}


@dataclass(frozen=True, slots=True)
class Profile:
    """Those of fields by side are for the side that we are."""

    name: str
    title: str                                    # for people
    timers: Mapping[Side, Timers] = field(default_factory=lambda: TIMERS)
    # of our causes and progress indicators (Q.850): 0 user, 1 private network serving the local user
    locations: Mapping[Side, int] = field(default_factory=lambda: _of_sides(0, 1))
    # of our CallingNumber: 0 user's, not screened, 3 network's
    screening: Mapping[Side, int] = field(default_factory=lambda: _of_sides(0, 3))
    symmetric: bool = False                       # Annex D: no user, no network
    called: Numbering = Numbering()
    calling: Numbering = Numbering()
    display_from: frozenset[Side] = frozenset({Side.NETWORK})
    sending_complete: bool = True                 # our SETUP with the whole number says so
    selection: str = "preferred"                  # of the channel in our SETUP: "exclusive", "any", "none"
    restart_at_start: bool = True                 # of the whole interface, when nothing is known of calls
    service_messages: bool = False                # SERVICE takes channels out of service
    suspend_known: bool = True                    # SUSPEND, RESUME exist; the network rejects them (5.6)
    user_information: bool = True                 # so do USER INFORMATION, CONGESTION CONTROL
    user_user_octets: int = 128                   # of the other user's text in our UserUser; 0: none is sent
    facility_profile: int = ROSE
    global_operations: bool = False               # by object identifier, else by number
    names_in_facility: bool = False               # calling and connected name: ECMA-164
    deflection: bool = True                       # EN 300 207-1, ECMA-174
    transfer: Transfer = Transfer.EXPLICIT


def override(timers: Timers, values: Mapping[str, float]) -> Timers:
    """`timers` with some of them changed, by names like "t310_s" and "n316". ValueError: one cannot be."""
    names = [timer.name for timer in fields(Timers)]
    counts = [name for name in names if isinstance(getattr(timers, name), int)]
    for name, value in values.items():
        if name not in names:
            raise ValueError(f"timer {name!r}: there are {', '.join(names)}")
        if name in counts and value not in range(101):
            raise ValueError(f"{name} is {value}: a whole number from 0 to 100")
        if name not in counts and not 0.0 < value <= 3600.0:
            raise ValueError(f"{name} is {value}: more than 0 and at most 3600 s")
    changed: dict[str, float] = {
        name: int(value) if name in counts else float(value) for name, value in values.items()}
    return Timers(**{name: getattr(timers, name) for name in names} | changed)


_PRIVATE_TIMERS = Timers(t304_s=20.0, t310_s=120.0)
_QSIG = Profile(
    "qsig", "QSIG, ISO/IEC 11572", {Side.USER: _PRIVATE_TIMERS, Side.NETWORK: _PRIVATE_TIMERS},
    locations=_of_sides(1, 1), screening=_of_sides(3, 3), symmetric=True,
    called=Numbering(plan=0), calling=Numbering(plan=0), display_from=frozenset(), suspend_known=False,
    user_information=False, user_user_octets=0, facility_profile=NETWORKING, names_in_facility=True,
    transfer=Transfer.PATH_REPLACEMENT)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (
    Profile("etsi", "EuroISDN, EN 300 403-1"),
    Profile("china", "YDN 034-1997", display_from=frozenset(), restart_at_start=False, deflection=False,
            transfer=Transfer.NONE),
    _QSIG,
    replace(_QSIG, name="ecma", title="QSIG, ECMA-143 of 1992", facility_profile=ROSE,
            global_operations=True),
)}
