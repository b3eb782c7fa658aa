"""Facility elements of any octets, read as every neighbour's and on either side."""

from collections import Counter
from itertools import product

from appliance.isdn.elements import Facility
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.supplementary import rose
from appliance.isdn.supplementary.invocations import CallFacts, Send
from appliance.isdn.supplementary.services import Services

VECTORS = (                                       # libpri's, but for the last three
    "91 a1 12 02 01 01 02 01 22 30 0a a1 05 30 03 02 01 07 82 01 00",
    "91 a1 18 02 01 01 02 01 0f 30 10 02 01 01 0a 01 03 a1 08 a0 06 80 04 36 30 30 33",
    "91 a2 10 02 01 01 30 0b 06 06 04 00 82 71 01 04 02 01 01",
    "91 a1 0e 02 01 02 06 06 04 00 82 71 01 01 02 01 01",
    "9f aa 06 80 01 00 82 01 00 8b 01 00 a1 0c 02 01 01 02 01 00 80 04 57 61 6e 67",
    "9f aa 06 80 01 00 82 01 00 8b 01 02 a1 10 02 01 02 02 01 0c 30 08 0a 01 00 81 00 0a 01 01",
    "91 a1 06 02 01 05 02 01 03 a3 06 02 01 02 02 01 03 a4 05 05 00 80 01 02",
    "91 a1 80 02 01 05 02 01 22 05 00 00 00",
    "9f a1 12 02 01 09 06 04 2b 0c 09 04 30 07 12 01 31 80 02 31 37",
)
SHARE = 0.2                                       # each input is read eight times
CALL = CallFacts(True, True, True, "6001")


def corpus() -> list[bytes]:
    return [bytes.fromhex(octets) for octets in VECTORS]


def fuzz(data: bytes) -> None:
    """What is answered can be read, and two ends do not go on answering each other."""
    if not data:
        return
    for profile, side in product((PROFILES["etsi"], PROFILES["qsig"]), Side):
        end, other = (Services(profile, each, lambda key: CALL, Counter()) for each in (side, side.peer))
        heard = [Facility(data)]
        for _ in range(3):                        # an error of an invocation, its rejection, nothing
            end.receive("k", Message(MessageType.FACILITY, 1, False, tuple(heard)), 0.0)
            heard = [action.element for action in end.take_actions() if isinstance(action, Send)]
            assert not any(rose.read(element.content).unreadable for element in heard)
            end, other = other, end
        assert not heard
