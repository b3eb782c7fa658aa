"""What the LED of each span shows, green and red (both: amber). The table is in docs/linecard.md.

What stands higher wins. Steady light tells of the line, blinking of the card.
"""

from firmware.wire import ALARMS

try:
    from firmware.linecard.hal import Pin
except ImportError:                               # MicroPython: annotations are not looked at
    pass

OFF, GREEN, RED, AMBER = range(4)                 # bit 0 green, bit 1 red

_RED_ALARMS = sum([1 << ALARMS.index(name) for name in ("los", "lof", "ais")])
_AMBER_ALARMS = sum([1 << ALARMS.index(name) for name in ("rai", "lomf")])

IDENTIFY_S = 30                                   # after a short press; a second one ends it

def colour(alarms: int, running: bool, joined: bool, identify: bool, reset: bool, update: bool,
           now_ms: int) -> int:
    """Of one span at this moment. `joined`: its line is at the PBX."""
    if reset:                                     # a factory reset is on offer: red, 5 Hz
        return RED if now_ms // 100 % 2 else OFF
    if identify:                                  # green and red in turn, 2 Hz
        return GREEN if now_ms // 250 % 2 else RED
    if update:                                    # new firmware comes in, or is on trial: green, 2 Hz
        return GREEN if now_ms // 250 % 2 else OFF
    if joined:                                    # the telco line is at the PBX: amber, 1 Hz
        return AMBER if now_ms // 500 % 2 else OFF
    if alarms & _RED_ALARMS:
        return RED
    if alarms & _AMBER_ALARMS:
        return AMBER
    if running:
        return GREEN
    return GREEN if now_ms % 2000 < 100 else OFF  # a good line that no host uses: a blink every 2 s


class Led:
    """A span's. Its pins are only touched on change."""

    def __init__(self, green: "Pin", red: "Pin") -> None:
        self._green, self._red = green, red
        self._shown = OFF
        green(False)
        red(False)

    def show(self, colour: int) -> None:
        if colour != self._shown:
            self._shown = colour
            self._green(bool(colour & GREEN))
            self._red(bool(colour & RED))
