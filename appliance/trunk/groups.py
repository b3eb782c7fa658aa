"""Which span of a trunk a call goes out on."""
from collections.abc import Sequence

from appliance.isdn.causes import DESTINATION_OUT_OF_ORDER, NETWORK_OUT_OF_ORDER, NO_CHANNEL
from appliance.isdn.dss1 import Signalling
from appliance.isdn.lapd import Side


def choose(spans: Sequence[Signalling]) -> int:
    """The place in `spans` of the one with most idle channels, its link up; Unavailable without one."""
    up = [place for place, span in enumerate(spans) if span.link_up]
    if not up:
        toward_network = any(span.side is Side.USER for span in spans)
        raise Unavailable(NETWORK_OUT_OF_ORDER if toward_network else DESTINATION_OUT_OF_ORDER)
    best = max(up, key=lambda place: spans[place].channels.idle())
    if not spans[best].channels.idle():
        raise Unavailable(NO_CHANNEL)
    return best


class Unavailable(Exception):
    """The trunk takes no call now; `cause` is the Q.850 value that says why."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"cause {cause}")
        self.cause = cause
