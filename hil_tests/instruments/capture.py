"""D-channel frames into a capture file that tshark reads.

Ref: pcap format, LINKTYPE_LINUX_LAPD (177).
"""

import struct
import time
from pathlib import Path

_MAGIC, _SNAPLEN, _LINKTYPE = 0xA1B2C3D4, 65535, 177
_OUTGOING = 4                                     # sll_pkttype
_ARPHRD_LAPD, _ETH_P_LAPD = 8445, 0x0030


class Capture:
    """Written through, so that the file is whole up to the last frame whenever the program ends."""

    def __init__(self, path: Path, network: bool) -> None:
        self._address = bytes((network,)) + bytes(7)      # our side: with the direction it tells who said it
        self._file = path.open("wb", buffering=0)
        self._file.write(struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, _SNAPLEN, _LINKTYPE))

    def frame(self, frame: bytes, outgoing: bool) -> None:
        """One frame without FCS."""
        packet_type = _OUTGOING if outgoing else 0
        head = struct.pack(">HHH8sH", packet_type, _ARPHRD_LAPD, 1, self._address, _ETH_P_LAPD)
        now_us = time.time_ns() // 1000
        length = len(head) + len(frame)
        record = struct.pack("<IIII", now_us // 1_000_000, now_us % 1_000_000, length, length)
        self._file.write(record + head + frame)

    def close(self) -> None:
        self._file.close()
