"""The UDP socket of an emulated circuit: packets of one peer, in batches, without waiting."""

import contextlib
import logging
import socket

import numpy as np

from e1_driver import LineError
from e1_driver.backends.pwe3_url import Address
from e1_driver.backends.pwe3_wire import Numbers, Octets
from e1_driver.backends.socket_filter import attach, from_host

log = logging.getLogger(__name__)

BATCH_PACKETS = 64
RECEIVE_OCTETS = 1 << 20                          # asked of the kernel: a quarter of a second, and a flood

class PacketSocket:
    """Bound to `local` for the object's life. Packets from another address than `peer`'s are dropped, most by
    the kernel, unseen; those that get here are `strangers`. Its port may be any, for some gateways put the
    circuit's number there.

    Errors of the network are silence: a packet that cannot go is lost, and the socket lives on.
    """

    def __init__(self, url: str, local: Address, peer: Address, packet_octets: int) -> None:
        self._url, self._peer, self._host = url, peer, peer[0]
        self.strangers = 0
        self.packets: Octets = np.zeros((BATCH_PACKETS, packet_octets + 1), np.uint8)    # one more: too long
        self.lengths: Numbers = np.zeros(BATCH_PACKETS, np.int64)
        self._rows = [memoryview(row) for row in self.packets]
        self._unreachable = False
        family = socket.AF_INET if len(peer) == 2 else socket.AF_INET6
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        with contextlib.suppress(OSError):        # a kernel without: receive() looks too
            attach(self._socket, from_host(self._host))
        try:
            self._socket.bind(local)
        except OSError as error:
            self._socket.close()
            where = f"{local[0] or 'any address'}, port {local[1]}"
            raise LineError(f"{url}: cannot listen at {where}: {error.strerror}") from None

    def receive(self) -> tuple[int, bool]:
        """Fill `packets` and `lengths`: how many are the peer's, and whether there may be more."""
        taken = 0
        for _ in range(BATCH_PACKETS):
            try:
                length, sender = self._socket.recvfrom_into(self._rows[taken])
            except OSError:                       # none left, or what the network said of a packet of ours
                return taken, False
            if sender[0] != self._host:
                self.strangers += 1
                continue
            self.lengths[taken] = length
            taken += 1
        return taken, True

    def send(self, packets: Octets) -> None:
        try:
            for packet in packets:
                self._socket.sendto(packet, self._peer)
        except OSError as error:
            if not self._unreachable:
                self._unreachable = True
                log.warning("%s: cannot send: %s", self._url, error.strerror)
            return
        if self._unreachable:
            self._unreachable = False
            log.info("%s: can send again", self._url)

    def close(self) -> None:
        self._socket.close()
