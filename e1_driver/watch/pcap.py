"""A D-channel trace as a classic pcap file that Wireshark opens as LAPD and Q.931.

Ref: libpcap's LINKTYPE_LINUX_LAPD (177): each frame behind a 16-octet "cooked" header.
"""
import struct
from collections.abc import Iterable

MAGIC = 0xA1B2C3D4                                # microsecond time stamps
LINKTYPE_LINUX_LAPD = 177
SNAPLEN_OCTETS = 65535
ARPHRD_LAPD = 8445
ETH_P_LAPD = 0x0030
TO_US, OUTGOING = 0, 4                            # packet type

FILE_HEADER = struct.pack(">IHHiIII", MAGIC, 2, 4, 0, 0, SNAPLEN_OCTETS, LINKTYPE_LINUX_LAPD)


def write(frames: Iterable[tuple[float, bool, bytes]], network_side: bool) -> bytes:
    """A whole file of (time_unix_s, outgoing, frame without FCS); `network_side` tells which end we are."""
    return FILE_HEADER + b"".join(record(at_unix_s, outgoing, frame, network_side)
                                  for at_unix_s, outgoing, frame in frames)


def record(at_unix_s: float, outgoing: bool, frame: bytes, network_side: bool) -> bytes:
    """One frame, to be appended to FILE_HEADER and the records before it."""
    seconds, microseconds = divmod(round(at_unix_s * 1_000_000), 1_000_000)
    address = bytes((network_side,)) + bytes(7)   # its first octet tells the dissector who is the network
    cooked = struct.pack(">HHH8sH", OUTGOING if outgoing else TO_US, ARPHRD_LAPD, 1, address, ETH_P_LAPD)
    length = len(cooked) + len(frame)
    return struct.pack(">IIII", seconds, microseconds, length, length) + cooked + frame
