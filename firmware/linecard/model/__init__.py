"""The chips of the card, register by register, for the unix port and for tests; see chip.Chip."""

from firmware.linecard.model.chip import Chip


def open_model(chip: str) -> Chip:
    """A chip of framer.CHIPS that has just got power. ValueError: another."""
    if chip == "falc56":
        from firmware.linecard.model.falc import FalcModel
        return FalcModel()
    if chip == "ds26521":
        from firmware.linecard.model.ds26521 import DsModel
        return DsModel()
    raise ValueError("no model of the framer " + chip)
