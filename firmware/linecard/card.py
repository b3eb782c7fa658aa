"""The card as a list of parts, turned by one loop."""

try:
    from collections.abc import Sequence
except ImportError:                               # MicroPython: annotations are not looked at
    pass

from firmware.linecard.hal import Part


class Card:
    """Parts in the order in which they are polled: what the line needs first."""

    def __init__(self, parts: "Sequence[Part]") -> None:
        self._parts = parts

    def turn(self, now_ms: int) -> None:
        for part in self._parts:
            part.poll(now_ms)
