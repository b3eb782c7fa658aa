"""Which firmware starts: of two slots the one that is confirmed, or the one on trial for some starts.

A slot is written without its head, which follows when all the rest is there and is the payload that was
signed: whenever it is cut short, it is no image. What the card was made with (BUILT_IN) starts when none can.
"""

import struct

from firmware.control import BUILT_IN
from firmware.image import HEAD_OCTETS, Head, ImageError, matches, verified
from firmware.linecard.hal import SECTOR_OCTETS

try:
    from firmware.linecard.guard.kept import Files
    from firmware.linecard.hal import Slot
except ImportError:                               # MicroPython: annotations are not looked at
    pass

PAYLOAD_AT = SECTOR_OCTETS                        # in a slot: the head has a sector of flash for itself
TRIAL_STARTS = 3                                  # a power cut or two leave a good one its trial

_FILE, _FORM = "boot", "<BBB"
_NONE = 0xFF


class Record:
    """Kept: `confirmed` slot or BUILT_IN, `trial` slot or None, and how often that was started."""

    def __init__(self, files: "Files") -> None:
        self._files = files
        octets = files.read(_FILE)
        confirmed, trial, starts = struct.unpack(_FORM, octets) if len(octets) == 3 else (BUILT_IN, _NONE, 0)
        self.confirmed: int = confirmed
        self.trial: int | None = trial if trial < BUILT_IN else None
        self.starts: int = starts

    def keep(self, confirmed: int, trial: int | None, starts: int) -> None:
        """OSError: it cannot be kept, and is as it was."""
        self._files.write(_FILE, struct.pack(_FORM, confirmed, _NONE if trial is None else trial, starts))
        self.confirmed, self.trial, self.starts = confirmed, trial, starts


def image(slot: "Slot", modulus: int) -> Head | None:
    """What is in a slot, checked to its last octet; None: nothing that may be started."""
    view = slot.view()
    try:
        head = verified(view[:HEAD_OCTETS], modulus)
    except ImageError:
        return None
    return head if matches(head, view[PAYLOAD_AT:]) else None


def choose(record: Record, good: "tuple[bool, bool]") -> "tuple[int, bool]":
    """The slot to start now, or BUILT_IN; True: a trial has failed just now. The record is kept before: a
    start of a trial that cannot be counted is none."""
    trial, fell = record.trial, False
    if trial is not None:
        starts = record.starts + 1 if good[trial] and record.starts < TRIAL_STARTS else 0
        try:
            record.keep(record.confirmed, trial if starts else None, starts)
            if starts:
                return trial, False
        except OSError:                           # the flash is worn out: what is confirmed needs none of it
            pass
        fell = True
    if record.confirmed < BUILT_IN and good[record.confirmed]:
        return record.confirmed, fell
    return BUILT_IN, fell
