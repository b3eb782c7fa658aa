"""The button in the front: a short press identifies the card, and a long one begins a factory reset.

Factory reset: hold it for 10 s until the LEDs flash, let go, press again within 5 s. The card only tells the
host so. Anything else is nothing: held for longer than a short press and let go before the LEDs flash, held
for ever (a button that is stuck), not pressed again.
"""

from firmware.control import BUTTONS
from firmware.linecard.hal import since_ms

BOUNCE_MS = 30
SHORT_MS = 2_000
HOLD_MS = 10_000
STUCK_MS = 20_000
AGAIN_MS = 5_000

_IDENTIFY, _FACTORY_RESET = BUTTONS.index("identify"), BUTTONS.index("factory-reset")
_FREE, _PRESSED, _ARMED, _AGAIN, _SPENT = range(5)


class Button:
    """`asked`: what the last of `presses` was for, of BUTTONS. `flashes`: a factory reset is on offer."""

    def __init__(self, now_ms: int) -> None:
        self.asked = self.presses = 0
        self._state = _FREE
        self._since_ms = now_ms                   # the state's beginning
        self._down, self._changed_ms = False, now_ms

    @property
    def flashes(self) -> bool:
        return self._state in (_ARMED, _AGAIN)

    def poll(self, down: bool, now_ms: int) -> bool:
        """Something was asked for just now."""
        if down == self._down:
            self._changed_ms = now_ms
        elif since_ms(now_ms, self._changed_ms) >= BOUNCE_MS:
            self._down, self._changed_ms = down, now_ms
            return self._down_now(now_ms) if down else self._up_now(now_ms)
        self._wait(now_ms)
        return False

    def _down_now(self, now_ms: int) -> bool:
        if self._state == _AGAIN:
            self._enter(_SPENT, now_ms)
            return self._ask(_FACTORY_RESET)
        self._enter(_PRESSED, now_ms)
        return False

    def _up_now(self, now_ms: int) -> bool:
        short = self._state == _PRESSED and since_ms(now_ms, self._since_ms) < SHORT_MS
        self._enter(_AGAIN if self._state == _ARMED else _FREE, now_ms)
        return short and self._ask(_IDENTIFY)

    def _wait(self, now_ms: int) -> None:
        for_ms = since_ms(now_ms, self._since_ms)
        if self._state == _PRESSED and for_ms >= HOLD_MS:
            self._enter(_ARMED, now_ms)
        elif self._state == _ARMED and for_ms >= STUCK_MS - HOLD_MS:
            self._enter(_SPENT, now_ms)
        elif self._state == _AGAIN and for_ms >= AGAIN_MS:
            self._enter(_FREE, now_ms)

    def _enter(self, state: int, now_ms: int) -> None:
        self._state, self._since_ms = state, now_ms

    def _ask(self, what: int) -> bool:
        self.asked, self.presses = what, (self.presses + 1) & 0xFF
        return True
