"""Programs that opened a WebSocket without a token: the first that they say has to be one.

Few of them at once, for a short time, and who guesses waits. They are told nothing. The clock is an argument.
"""

import msgspec

from webui.api.live.shapes import ShowToken
from webui.throttle import Throttle

TOKEN_S = 5.0                                     # to show one
MOST = 24                                         # at once
MOST_OF_ADDRESS = 8
FIRST_WAIT_S = 10.0                               # programs do not mistype
LONGEST_WAIT_S = 60.0                             # of an address from which wrong ones came


class Strangers:
    """How often an address was wrong. Of headers nothing is counted: a token has 256 random bits."""

    def __init__(self) -> None:
        self._throttle = Throttle(LONGEST_WAIT_S, first_s=FIRST_WAIT_S)

    def wait_s(self, address: str, now: float) -> float:
        """Until one from there may come, 0 when it may now."""
        return self._throttle.wait_s(address, now)

    def wrong(self, address: str, now: float) -> bool:
        """Count it. True: from now on this address waits."""
        self._throttle.attempt(address, now)
        return self._throttle.wait_s(address, now) > 0.0

    def right(self, address: str) -> None:
        self._throttle.passed(address)


def shown(text: str) -> str:
    """The token of a first message. ValueError: it is no such message."""
    try:
        return msgspec.json.decode(text, type=ShowToken).token
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from None
