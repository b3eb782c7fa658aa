"""The hardware watchdog is fed only while the card's loop turns as it should."""

from firmware.linecard.hal import since_ms

try:
    from firmware.linecard import hal
except ImportError:                               # MicroPython: annotations are not looked at
    pass

TIMEOUT_MS = 4_000                                # without food for so long the controller resets
TURN_MS = 500                                     # all parts are to have had their turn in it


class Watchdog:
    """The last part of the loop: it has its turn when all others had theirs. One too late gives no food."""

    def __init__(self, dog: "hal.Watchdog", now_ms: int) -> None:
        self._dog, self._at_ms = dog, now_ms
        self.late = 0                             # turns that took too long

    def poll(self, now_ms: int) -> None:
        if since_ms(now_ms, self._at_ms) <= TURN_MS:
            self._dog.feed()
        else:
            self.late += 1
        self._at_ms = now_ms
