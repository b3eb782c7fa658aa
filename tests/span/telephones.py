"""The network side of RTP legs, in real time: telephones, and wires that lose and delay packets."""

import heapq
import itertools
import select
import socket
import threading
import time
from random import Random

import numpy as np

from appliance.media.rtp.packet import HEADER_OCTETS
from appliance.span.rtp import Ports
from e1_driver import IDLE
from hil_tests.instruments import audio
from hil_tests.instruments.line import PRIORITY, keep_time
from tests.media.rtp.network import HEADER, rtp

HOST, FIRST_PORT, LAST_PORT = "127.0.0.1", 44_000, 45_999
PTIME_S, PACKET_OCTETS = 0.02, 160
PERIOD = 100                                      # packets of which an exact share is lost
SPARED = 50

Address = tuple[str, int]


class End:
    """A socket of its own, and all RTP packets that came to it, by time stamp."""

    def __init__(self, ports: Ports) -> None:
        self._sockets = ports.take()
        self.socket, self.address = self._sockets.rtp, (HOST, self._sockets.port)
        self._came: list[tuple[float, bytes]] = []

    def take(self, now: float) -> list[bytes]:
        packets = []
        while True:
            try:
                packets.append(self.socket.recv(2048))
            except BlockingIOError:
                self._came += [(now, packet) for packet in packets]
                return packets

    def heard(self) -> tuple[audio.Octets, list[float]]:
        """The audio in the order of its time stamps, and when each packet of PACKET_OCTETS of it came."""
        came = self._came.copy()
        numbers = [self.number(packet) for _, packet in came]
        octets = np.full((max(numbers) + 1, PACKET_OCTETS), IDLE, np.uint8)
        times = [0.0] * len(octets)
        for number, (at, packet) in zip(numbers, came, strict=True):
            octets[number] = np.frombuffer(packet, np.uint8, PACKET_OCTETS, HEADER_OCTETS)
            times[number] = at
        return octets.ravel(), times

    def number(self, packet: bytes) -> int:
        """Of it in heard()."""
        first, = HEADER.unpack_from(self._came[0][1])[3:4]
        return int((HEADER.unpack_from(packet)[3] - first & 0xFFFFFFFF) // PACKET_OCTETS)

    @property
    def octets(self) -> int:
        """Of audio so far, all packets having come."""
        return len(self._came) * PACKET_OCTETS

    def close(self) -> None:
        self._sockets.close()


class Telephone(End):
    """Sends a packet each PTIME_S to `remote`: `says`, silence before and after."""

    def __init__(self, ports: Ports, remote: Address) -> None:
        super().__init__(ports)
        self._remote, self._says, self._begin, self._number = remote, np.zeros(0, np.uint8), 0, 0

    def say(self, octets: audio.Octets) -> None:
        self._says, self._begin = octets, self._number + 2

    def send(self) -> None:
        number, self._number = self._number, self._number + 1
        payload = np.full(PACKET_OCTETS, IDLE, np.uint8)
        if number >= self._begin:
            part = self._says[(number - self._begin) * PACKET_OCTETS:][:PACKET_OCTETS]
            payload[:len(part)] = part
        self.socket.sendto(rtp(number, number * PACKET_OCTETS, payload.tobytes()), self._remote)


class Wire(End):
    """Carries what comes to all of `to`, the same packets lost and the same delays for each of them.

    Of each PERIOD packets the share `loss` is lost, which ones is random; delays are evenly distributed from
    0 to `most_delay_s`, so that packets overtake each other (as netem's `delay 20ms 20ms`). The first SPARED
    packets suffer nothing.
    """

    def __init__(self, ports: Ports, to: list[Address], most_delay_s: float, seed: int) -> None:
        super().__init__(ports)
        self.to, self.loss = to, 0.0
        self.lost: list[bytes] = []
        self._most_delay_s, self._random = most_delay_s, Random(seed)
        self._gone: list[bool] = []
        self._share, self._spared = 0.0, SPARED

    def delay_s(self) -> float | None:
        """Of the next packet; None: it is lost."""
        if self._spared:
            self._spared -= 1
            return 0.0
        if not self._gone or self._share != self.loss:
            self._share = self.loss
            lost = round(PERIOD * self.loss)
            self._gone = [True] * lost + [False] * (PERIOD - lost)
            self._random.shuffle(self._gone)
        delay_s = self._random.uniform(0, self._most_delay_s)
        return None if self._gone.pop() else delay_s


class Network:
    """Keeps telephones and wires going until close()."""

    def __init__(self) -> None:
        self.ports = Ports(HOST, FIRST_PORT, LAST_PORT)
        self._ends: dict[int, End] = {}
        self._telephones: list[Telephone] = []
        self._flying: list[tuple[float, int, bytes, Wire]] = []
        self._order = itertools.count()
        self._stop = False
        self._poll = select.epoll()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wire(self, to: list[Address], most_delay_s: float, seed: int) -> Wire:
        wire = Wire(self.ports, to, most_delay_s, seed)
        self._add(wire)
        return wire

    def telephone(self, remote: Address) -> Telephone:
        telephone = Telephone(self.ports, remote)
        self._telephones = [*self._telephones, telephone]
        self._add(telephone)
        return telephone

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        for end in self._ends.values():
            end.close()
        self._poll.close()

    def _add(self, end: End) -> None:
        self._ends[end.socket.fileno()] = end
        self._poll.register(end.socket.fileno(), select.EPOLLIN)

    def _run(self) -> None:
        keep_time(PRIORITY)
        talk_at = time.monotonic()
        while not self._stop:
            due_at = min(talk_at, self._flying[0][0] if self._flying else talk_at)
            ready = self._poll.poll(max(0.0, due_at - time.monotonic()))
            now = time.monotonic()
            for descriptor, _ in ready:
                self._carry(self._ends[descriptor], now)
            while self._flying and self._flying[0][0] <= now:
                _, _, packet, wire = heapq.heappop(self._flying)
                for address in wire.to:
                    _send(wire.socket, packet, address)
            if now >= talk_at:
                talk_at += PTIME_S
                for telephone in self._telephones:
                    telephone.send()

    def _carry(self, end: End, now: float) -> None:
        for packet in end.take(now):
            if isinstance(end, Wire):
                delay_s = end.delay_s()
                if delay_s is None:
                    end.lost.append(packet)
                else:
                    heapq.heappush(self._flying, (now + delay_s, next(self._order), packet, end))


def _send(sender: socket.socket, packet: bytes, address: Address) -> None:
    try:
        sender.sendto(packet, address)
    except OSError:                               # its end is gone
        pass
