"""The states of a call, what besides a message can happen to it, and its timers.

Ref: ITU-T Q.931 (05/98), 2.1 (states), 9.1 and 9.2 (timers); bare clause numbers are Q.931's.
"""
from dataclasses import dataclass
from enum import Enum

from appliance.isdn.lapd import Side


class State(Enum):
    """2.1, named by what our side does, so that one machine serves both sides; NUMBERS has the numbers.

    States that end within the input that begins them are not here: U6/N1 (a SETUP is answered at once),
    U12/N11 (a DISCONNECT is answered with RELEASE at once), N8 (the call is awarded at once). U15, U17 and
    N22 belong to basic rate.
    """

    NULL = "null"
    INITIATED = "initiated"                       # we sent SETUP
    OVERLAP_SENDING = "overlap sending"           # the far end wants more digits
    PROCEEDING_OUT = "outgoing proceeding"
    DELIVERED = "delivered"                       # the far end rings
    OVERLAP_RECEIVING = "overlap receiving"       # we want more digits
    PROCEEDING_IN = "incoming proceeding"
    RECEIVED = "received"                         # we ring
    CONNECT_REQUEST = "connect request"           # user side: we answered, CONNECT ACKNOWLEDGE is to come
    ACTIVE = "active"
    DISCONNECTING = "disconnecting"               # we sent DISCONNECT
    RELEASING = "releasing"                       # we sent RELEASE, or will when the link is back


NUMBERS: dict[State, dict[Side, int]] = {
    state: {Side.USER: user, Side.NETWORK: network} for state, user, network in (
        (State.NULL, 0, 0),
        (State.INITIATED, 1, 6),
        (State.OVERLAP_SENDING, 2, 25),
        (State.PROCEEDING_OUT, 3, 9),
        (State.DELIVERED, 4, 7),
        (State.OVERLAP_RECEIVING, 25, 2),
        (State.PROCEEDING_IN, 9, 3),
        (State.RECEIVED, 7, 4),
        (State.CONNECT_REQUEST, 8, 8),            # network side: never entered
        (State.ACTIVE, 10, 10),
        (State.DISCONNECTING, 11, 12),
        (State.RELEASING, 19, 19),
    )
}


class On(Enum):
    """What happens to a call besides messages: requests of the application, timers, the link, RESTART."""

    DIAL = "dial"
    MORE_DIGITS = "more digits"
    PROCEED = "proceed"
    ALERT = "alert"
    ANSWER = "answer"
    HANG_UP = "hang up"
    T301 = "T301"
    T302 = "T302"
    T303 = "T303"
    T304 = "T304"
    T305 = "T305"
    T308 = "T308"
    T309 = "T309"
    T310 = "T310"
    T313 = "T313"
    T322 = "T322"
    LINK_RESET = "data link reset"                # 5.8.8: what was sent last may be lost
    LINK_LOST = "data link failure"               # 5.8.9
    LINK_BACK = "data link re-established"        # 5.8.9
    RESTARTED = "channel restarted by the far end"    # 5.5.2


@dataclass(frozen=True, slots=True)
class Timers:
    """Durations in seconds; the defaults are the user side's of table 9-2."""

    t301_s: float = 180.0
    t302_s: float = 15.0
    t303_s: float = 4.0
    t304_s: float = 30.0
    t305_s: float = 30.0
    t308_s: float = 4.0
    t309_s: float = 90.0
    t310_s: float = 60.0                          # table 9-2: 30 to 120 s
    t313_s: float = 4.0
    t316_s: float = 120.0
    t322_s: float = 4.0
    n316: int = 2                                 # unanswered RESTARTs that take a channel out of service
    n322: int = 3                                 # unanswered STATUS ENQUIRYs that clear a call
    link_pause_s: float = 1.0                     # ours: from the loss of layer 2 to our next attempt
    cold_restart_s: float = 10.0                  # ours: wait for an answer to RESTART of the interface

    def seconds(self, timer: On) -> float:
        """How long `timer` runs."""
        duration_s: float = getattr(self, f"{timer.value.lower()}_s")
        return duration_s


TIMERS = {
    Side.USER: Timers(),
    Side.NETWORK: Timers(t302_s=12.0, t304_s=20.0, t310_s=10.0),     # table 9-1; T302 is 10 to 15 s there
}
LOCATIONS = {Side.USER: 0, Side.NETWORK: 1}       # Q.850: user; private network serving the local user
