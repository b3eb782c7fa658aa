"""Classic BPF on a socket: the kernel drops what a stranger sends before it takes a place or a turn.

Ref: the Linux kernel's Documentation/networking/filter.rst.
"""

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterable

LOAD_WORD, LOAD_HALF, IF_EQUAL, GIVE = 0x20, 0x28, 0x15, 0x06         # LD ABS W, LD ABS H, JMP JEQ K, RET K

_SO_ATTACH_FILTER = 26                            # asm-generic/socket.h; Python does not name it
_NETWORK_HEADER = 0xFFF00000                      # SKF_NET_OFF: added to an offset, it counts from there
_SOURCE_AT = {4: 12, 6: 8}                        # IP version: where its header has the source address
_WHOLE_PACKET = 0xFFFF

Step = tuple[int, int, int, int]                  # code, steps to skip when true, when false, operand


class _Program(ctypes.Structure):                 # struct sock_fprog
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def attach(to: socket.socket, steps: Iterable[Step]) -> None:
    """OSError: the kernel does not take it."""
    octets = b"".join(struct.pack("=HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(octets, len(octets))
    program = _Program(len(octets) // struct.calcsize("=HBBI"), ctypes.addressof(code))
    to.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(program))


def from_host(address: str) -> list[Step]:
    """Of a UDP socket: take packets of this IP address, from any port."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    words = [word for word, in struct.iter_unpack(">I", ip.packed)]
    steps: list[Step] = []
    for at, word in enumerate(words):
        to_the_end = 2 * (len(words) - at) - 1
        steps.append((LOAD_WORD, 0, 0, _NETWORK_HEADER + _SOURCE_AT[ip.version] + 4 * at))
        steps.append((IF_EQUAL, 0, to_the_end, word))
    return [*steps, (GIVE, 0, 0, _WHOLE_PACKET), (GIVE, 0, 0, 0)]
