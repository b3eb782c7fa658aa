"""What our SETUP says of a call, by the habits of the profile; its channel is calls.py's.

Ref: ITU-T Q.931 (05/98), 3.1.14, 4.5.5, 4.5.8, 4.5.10, 4.5.16, 4.5.27.
"""
from collections.abc import Sequence

from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    Display,
    Element,
    SendingComplete,
)
from appliance.isdn.lapd import Side
from appliance.isdn.profile import Profile
from appliance.isdn.q931 import Message, MessageType, encode

MAX_TEXT_OCTETS = 32                              # of a name or number that every network takes


def checked(elements: Sequence[Element]) -> tuple[Element, ...]:
    """ValueError when one of them cannot be sent."""
    said = tuple(elements)
    if said:
        encode(Message(MessageType.FACILITY, 0, False, said))      # has room for all
    return said


def setup_elements(profile: Profile, side: Side, called: str, calling: str, name: str, bearer: int,
                   complete: bool, given: Sequence[Element]) -> tuple[Element, ...]:
    """`given` come in place of those of their kind. ValueError: no SETUP can carry it."""
    elements: list[Element] = [
        BearerCapability(bearer), CalledNumber(called, profile.called.type, profile.called.plan)]
    if complete and profile.sending_complete:
        elements.append(SendingComplete())
    if calling:
        elements.append(CallingNumber(calling, profile.calling.type, profile.calling.plan,
                                      screening=profile.screening[side]))
    if side in profile.display_from and name and name.isascii() and name.isprintable():    # Display is IA5
        elements.append(Display(name[:MAX_TEXT_OCTETS]))
    if len(called) > MAX_TEXT_OCTETS or len(calling) > MAX_TEXT_OCTETS:
        raise ValueError(f"a number of more than {MAX_TEXT_OCTETS} digits")
    kinds = {type(element) for element in given}
    return checked([*(element for element in elements if type(element) not in kinds), *given])
