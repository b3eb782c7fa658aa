"""What MicroPython runs first on the card, in the place of its own _boot.py."""

from firmware.linecard.guard.boot import main

main([])
