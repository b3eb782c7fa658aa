"""The line's chip, framer and line interface in one; framer.py: what the card may ask of it."""

from firmware.linecard.framer.framer import Framer
from firmware.linecard.hal import Spi

CHIPS = ("falc56", "ds26521")


def open_framer(chip: str, spi: Spi) -> Framer:
    """The driver of a chip of CHIPS; only this one is loaded. ValueError: another."""
    if chip == "falc56":
        from firmware.linecard.framer.falc import Falc56
        return Falc56(spi)
    if chip == "ds26521":
        from firmware.linecard.framer.ds26521 import Ds26521
        return Ds26521(spi)
    raise ValueError("no driver for the framer " + chip)
