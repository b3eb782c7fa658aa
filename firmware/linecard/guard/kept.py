"""What the card keeps: small files that outlast everything, and a few octets that outlast a reset."""

import os
import struct
from binascii import crc32

from firmware.control import RESETS

try:
    from firmware.linecard.hal import Retained
except ImportError:                               # MicroPython: annotations are not looked at
    pass

_STATE = "<BBHIIIBB2x"                            # relay: energised, bypass; starts; lease left, since
_STATE_OCTETS = 20                                # its last move; uptime; why it resets; early ends in a row
_CRC_OCTETS = 4
_OCTETS = _STATE_OCTETS + _CRC_OCTETS             # hal.RETAINED_OCTETS at most


class Files:
    """Small files in a folder. A power cut leaves the old or the new one, and a damaged one is none."""

    def __init__(self, folder: str) -> None:
        """`folder` ends with /."""
        self._folder = folder

    def read(self, name: str) -> bytes:
        """b"": not there, or damaged."""
        try:
            with open(self._folder + name, "rb") as file:
                octets = file.read()
        except OSError:
            return b""
        body = octets[:-_CRC_OCTETS]
        if len(octets) < _CRC_OCTETS or struct.unpack_from("<I", octets, len(body))[0] != crc32(body):
            return b""
        return body

    def write(self, name: str, body: bytes) -> None:
        """OSError: there is no room, or the flash is worn out; the old one is as it was."""
        path = self._folder + name
        with open(path + ".new", "wb") as file:
            file.write(body + struct.pack("<I", crc32(body)))
            file.flush()
        os.rename(path + ".new", path)


class Memory:
    """What a reset keeps and a power-up clears. `save()` after changes."""

    def __init__(self, retained: "Retained") -> None:
        self._retained = retained
        self._buffer = bytearray(_OCTETS)
        self._view = memoryview(self._buffer)
        retained.load(self._buffer)
        kept = struct.unpack_from("<I", self._buffer, _STATE_OCTETS)[0] == crc32(self._view[:_STATE_OCTETS])
        self.warm = kept and any(self._buffer)    # False: the power was off
        if not self.warm:
            self._buffer[:] = bytes(_OCTETS)
        (energised, bypass, self.starts, self.lease_ms, self.still_ms, self.uptime_s, self.reset,
         self.early_ends) = (
            struct.unpack_from(_STATE, self._buffer, 0))
        self.energised, self.bypass = bool(energised), bool(bypass)

    def begin(self) -> "tuple[str, int]":
        """Count a start; how the one before ended, of RESETS, after how many seconds. save() is to follow."""
        noted, uptime_s = RESETS[self.reset % len(RESETS)], self.uptime_s
        self.starts = self.starts + 1 if self.warm else 0
        self.reset = self.uptime_s = 0
        if not self.warm:
            return RESETS[0], 0
        return "watchdog" if noted == RESETS[0] else noted, uptime_s      # which had no time to note it

    def save(self) -> None:
        struct.pack_into(_STATE, self._buffer, 0, self.energised, self.bypass, min(self.starts, 0xFFFF),
                         self.lease_ms, self.still_ms, self.uptime_s, self.reset, min(self.early_ends, 0xFF))
        struct.pack_into("<I", self._buffer, _STATE_OCTETS, crc32(self._view[:_STATE_OCTETS]))
        self._retained.store(self._buffer)
