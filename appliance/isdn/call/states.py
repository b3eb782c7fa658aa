"""The states of a call, what besides a message can happen to it, and its timers.

Ref: ITU-T Q.931 (05/98), 2.1 (states), 9.1 and 9.2 (timers), Annex D; bare clause numbers are Q.931's.
"""
from dataclasses import dataclass
from enum import Enum

from appliance.isdn.lapd import Side


class State(Enum):
    """2.1, named by what our side does, so that one machine serves both sides; NUMBERS has the numbers, and
    NEVER those that no call of ours is in."""

    NULL = "null"
    INITIATED = "initiated"                       # we sent SETUP
    OVERLAP_SENDING = "overlap sending"           # the far end wants more digits
    PROCEEDING_OUT = "outgoing proceeding"
    DELIVERED = "delivered"                       # the far end rings
    PRESENT = "present"                           # SETUP came; the application is to say the first response
    OVERLAP_RECEIVING = "overlap receiving"       # we want more digits
    PROCEEDING_IN = "incoming proceeding"
    RECEIVED = "received"                         # we ring
    CONNECT_REQUEST = "connect request"           # we answered, CONNECT ACKNOWLEDGE is to come
    ACTIVE = "active"
    DISCONNECTING = "disconnecting"               # we sent DISCONNECT
    DISCONNECTED = "disconnected"                 # the far end did, and says why in the channel
    RELEASING = "releasing"                       # we sent RELEASE, or will when the link is back


NUMBERS: dict[State, dict[Side, int]] = {
    state: {Side.USER: user, Side.NETWORK: network} for state, user, network in (
        (State.NULL, 0, 0),
        (State.INITIATED, 1, 6),
        (State.OVERLAP_SENDING, 2, 25),
        (State.PROCEEDING_OUT, 3, 9),
        (State.DELIVERED, 4, 7),
        (State.PRESENT, 6, 1),
        (State.OVERLAP_RECEIVING, 25, 2),
        (State.PROCEEDING_IN, 9, 3),
        (State.RECEIVED, 7, 4),
        (State.CONNECT_REQUEST, 8, 8),            # network side: never but in Annex D
        (State.ACTIVE, 10, 10),
        (State.DISCONNECTING, 11, 12),
        (State.DISCONNECTED, 12, 11),             # network side: never, a user plays no announcements
        (State.RELEASING, 19, 19),
    )
}
NEVER: dict[str, str] = {                         # states of 2.1 that are not above, and why
    "N8": "the call is awarded within the CONNECT that asks for it (5.2.8): nobody else answers on one link",
    "U15": "suspending is for terminals that are carried from plug to plug of a passive bus (5.6)",
    "U17": "as U15",
    "N15": "SUSPEND is answered with SUSPEND REJECT at once (5.6.3)",
    "N17": "RESUME is answered with RESUME REJECT at once (5.6.5)",
    "N22": "call abort is for a SETUP that several terminals of one bus may still answer (5.2.5.4)",
}


class On(Enum):
    """What happens to a call besides messages: requests of the application, timers, the link, RESTART."""

    DIAL = "dial"
    MORE_DIGITS = "more digits"
    WANT_DIGITS = "want digits"
    PROCEED = "proceed"
    PROGRESS = "progress"
    ALERT = "alert"
    ANSWER = "answer"
    HANG_UP = "hang up"
    TELL = "tell"
    ENQUIRE = "enquire"
    T301 = "T301"
    T302 = "T302"
    T303 = "T303"
    T304 = "T304"
    T305 = "T305"
    T306 = "T306"
    T308 = "T308"
    T309 = "T309"
    T310 = "T310"
    T313 = "T313"
    T322 = "T322"
    LINK_RESET = "data link reset"                # 5.8.8: what was sent last may be lost
    LINK_LOST = "data link failure"               # 5.8.9
    LINK_BACK = "data link re-established"        # 5.8.9
    RESTARTED = "channel restarted by the far end"    # 5.5.2


REQUESTS = (On.DIAL, On.MORE_DIGITS, On.WANT_DIGITS, On.PROCEED, On.PROGRESS, On.ALERT, On.ANSWER, On.HANG_UP,
            On.TELL, On.ENQUIRE)


@dataclass(frozen=True, slots=True)
class Timers:
    """Durations in seconds; the defaults are the user side's of table 9-2. UNUSED has the others' numbers."""

    t301_s: float = 180.0                         # at least 3 minutes
    t302_s: float = 15.0
    t303_s: float = 4.0
    t304_s: float = 30.0
    t305_s: float = 30.0
    t306_s: float = 30.0                          # long enough for the announcement
    t308_s: float = 4.0
    t309_s: float = 90.0                          # 6 to 90 s
    t310_s: float = 60.0                          # 30 to 120 s
    t313_s: float = 4.0
    t314_s: float = 4.0
    t316_s: float = 120.0
    t317_s: float = 60.0                          # less than the far end's T316
    t322_s: float = 4.0
    n303: int = 1                                 # SETUPs after the first one
    n308: int = 1                                 # RELEASEs after the first one
    n316: int = 2                                 # unanswered RESTARTs that take a channel out of service
    n322: int = 3                                 # unanswered STATUS ENQUIRYs that clear a call
    link_pause_s: float = 1.0                     # ours: from the loss of layer 2 to our next attempt
    cold_restart_s: float = 10.0                  # ours: wait for an answer to RESTART of the interface

    def seconds(self, timer: On) -> float:
        """How long `timer` runs."""
        duration_s: float = getattr(self, _FIELDS[timer])
        return duration_s


_FIELDS = {on: f"{on.value.lower()}_s" for on in On if on.name.startswith("T3")}
TIMERS = {
    Side.USER: Timers(),
    # Table 9-1. T302 is 10 to 15 s there. T310 is 10 s, a private network's may be longer (note): a PBX that
    # forwards to a mobile is silent for 20 s and more.
    Side.NETWORK: Timers(t302_s=12.0, t304_s=20.0, t310_s=40.0),
}
UNUSED: dict[str, str] = {                        # timers of 9.1 and 9.2 without a meaning here, and why
    "T307": "keeps the channel of a suspended call; SUSPEND is rejected (5.6)",
    "T312": "waits for answers to a SETUP that was broadcast on a passive bus (5.2.5.1)",
    "T318": "waits for the answer to RESUME, which we never send",
    "T319": "waits for the answer to SUSPEND, which we never send",
    "T320": "keeps an idle packet-mode link on a D-channel (X.31)",
    "T321": "changes over to a second D-channel (annex F); each span has one D-channel of its own",
}
