"""Seconds of a line written as letters, for tests of its history.

`.` clean, `e` errored, `s` severely errored, `l` loss of signal, `r` RAI, `E` and `S` errored and severely
errored at the far end, `x` a second that is missing.
"""

from e1_driver import Alarm
from e1_driver.watch.performance import Second

ALARMS = frozenset({Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.RAI})
BLOCKS = {"e": (3, 0), "s": (400, 0), "E": (0, 2), "S": (0, 900)}            # errored near, far
DEFECTS = {"l": frozenset({Alarm.LOS}), "r": frozenset({Alarm.RAI})}
LETTERS = ".eslrESx"


def line(at: int, letters: str) -> list[Second]:
    """Its seconds from `at` on; spaces are for the reader."""
    found = []
    for offset, letter in enumerate(letters.replace(" ", "")):
        crc_errors, e_bits = BLOCKS.get(letter, (0, 0))
        if letter != "x":
            found.append(Second(
                at=at + offset, told=ALARMS, defects=DEFECTS.get(letter, frozenset()), slips=0, fas_errors=0,
                crc_errors=crc_errors, e_bits=e_bits))
    return found
