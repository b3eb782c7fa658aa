"""UDP ports of RTP legs, in pairs, and how they are given out: the asyncio side's."""

import errno
import socket
from collections import deque
from dataclasses import dataclass
from ipaddress import ip_address

EXPEDITED = 46 << 2                               # DSCP EF (RFC 3246) in the octet of IPv4 and IPv6
_SO_TIMESTAMPNS = 35                              # asm-generic/socket.h; Python has no name for it


@dataclass(frozen=True, slots=True)
class Sockets:
    """One leg's: RTP on an even port, RTCP on the next."""

    rtp: socket.socket
    rtcp: socket.socket
    port: int

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class Ports:
    """Gives out pairs of sockets on `address`, IPv4 or IPv6, of `first` to `last` by turns."""

    def __init__(self, address: str, first: int, last: int) -> None:
        """ValueError: no pair of ports is in the range, or the address is none."""
        self._address = str(ip_address(address))
        self._family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        self._even = deque(range(first + first % 2, last, 2))
        if not self._even or not 1 <= first <= last <= 65535:
            raise ValueError(f"RTP ports {first} to {last}: no pair of an even port and the next in it")

    def take(self, wanted: int = 0) -> Sockets:
        """`wanted`: that port, which a leg had before; 0: any. For the asyncio side.

        OSError: all are in use, that one is or is not one of ours, or the address is not this machine's.
        """
        if wanted:
            if wanted not in self._even:
                raise OSError(errno.EINVAL, "not an even port of the range for RTP")
            return self._pair(wanted)
        trouble: OSError | None = None
        for _ in range(len(self._even)):
            port = self._even[0]
            self._even.rotate(-1)
            try:
                return self._pair(port)
            except OSError as error:
                trouble = error
        raise OSError(trouble.errno if trouble else 0, f"no free pair of RTP ports: {trouble}", self._address)

    def reach(self, host: str) -> bool:
        """Whether that numeric address is of the same IP version."""
        return (":" in host) == (self._family == socket.AF_INET6)

    def _pair(self, port: int) -> Sockets:
        made: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                made.append(socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
                if self._family == socket.AF_INET:
                    made[-1].setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED)
                else:
                    made[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED)
                made[-1].setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                made[-1].bind((self._address, number))
        except OSError:
            for one in made:
                one.close()
            raise
        return Sockets(made[0], made[1], port)
