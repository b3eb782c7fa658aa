"""Temperature and supplies, and when they are troubles."""

from firmware.control import TROUBLES
from firmware.linecard.hal import LINE_SUPPLY, SUPPLY, TEMPERATURE, since_ms

try:
    from firmware.linecard.hal import Hal
except ImportError:                               # MicroPython: annotations are not looked at
    pass

EVERY_MS = 5_000

# Lowest and highest that are good; beyond by more than the third it is a trouble, which ends inside.
_TEMPERATURE = (-2_000, 8_000, 500)               # hundredths of a degree Celsius; parts are for -40 to 85
_SUPPLIES = ((4_500, 5_500, 100), (3_200, 3_400, 65))                # millivolts of SUPPLY, LINE_SUPPLY

_HOT, _SUPPLY = 1 << TROUBLES.index("temperature"), 1 << TROUBLES.index("supply")


class Sensors:
    """`troubles`: bits of control.TROUBLES."""

    def __init__(self, hal: "Hal", now_ms: int) -> None:
        self._hal, self._at_ms = hal, now_ms
        self.troubles = 0
        self.temperature_centicelsius, self.supplies_mv = 0, [0, 0]
        self._read()

    def poll(self, now_ms: int) -> bool:
        """They were read just now."""
        if since_ms(now_ms, self._at_ms) < EVERY_MS:
            return False
        self._at_ms = now_ms
        self._read()
        return True

    def _read(self) -> None:
        self.temperature_centicelsius = self._hal.read(TEMPERATURE)
        self.supplies_mv[0], self.supplies_mv[1] = self._hal.read(SUPPLY), self._hal.read(LINE_SUPPLY)
        hot = _wrong(self.temperature_centicelsius, _TEMPERATURE, bool(self.troubles & _HOT))
        was = bool(self.troubles & _SUPPLY)
        low = _wrong(self.supplies_mv[0], _SUPPLIES[0], was) or _wrong(self.supplies_mv[1], _SUPPLIES[1], was)
        self.troubles = hot * _HOT | low * _SUPPLY


def _wrong(value: int, limits: "tuple[int, int, int]", was: bool) -> bool:
    lowest, highest, beyond = limits
    slack = 0 if was else beyond
    return not lowest - slack <= value <= highest + slack
