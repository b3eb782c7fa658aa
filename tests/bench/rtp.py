"""RTP legs at work: sockets, jitter buffer, concealment, reports, against far ends that cost nothing here."""

import json
import multiprocessing
import select
import socket
import statistics
import time
from multiprocessing.connection import Connection

import numpy as np

from appliance.media.g711 import Octets
from appliance.media.rtp.packet import HEADER_OCTETS
from appliance.media.rtp.settings import LegFigures, LegSettings
from appliance.media.rtp.source import Address
from appliance.span.rtp import OpenLeg, Ports, RtpLegs, Sockets
from e1_driver import BLOCK
from tests.bench.figures import Kind, Say, Theme
from tests.media.rtp.network import rtp

LEGS = (30, 120)
LOSS = 0.03
WARM_S, RUN_S = 2.0, 10.0
TICK_S = 0.01
PTIME_S = 0.02
HOST, FIRST_PORT, LAST_PORT = "127.0.0.1", 20_000, 20_999
_CONTROL_OCTETS = socket.CMSG_SPACE(16)           # the kernel's time of arrival
_SPREAD = 2                                       # ticks over which far ends' packets are spread


def far_ends(ports: list[int], loss: float, orders: Connection) -> None:
    """Sends 50 packets a second to each port from a socket of its own, and reads what comes, until told."""
    random = np.random.default_rng(1)
    voices = []
    for _ in ports:
        voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        voice.bind((HOST, 0))
        voices.append(voice)
    orders.send([voice.getsockname()[1] for voice in voices])
    audio = random.integers(0, 256, 160 * 50, np.uint8).tobytes()
    began, number, read = time.monotonic(), 0, 0
    while not orders.poll(0):
        number, part = number + 1, number % _SPREAD
        packet_number = number // _SPREAD
        start = packet_number % 50 * 160
        for at in range(part, len(voices), _SPREAD):
            if random.random() >= loss:
                packet = rtp(packet_number, 160 * packet_number, audio[start:start + 160], ssrc=at)
                voices[at].sendto(packet, (HOST, ports[at]))
        for voice in voices:
            try:
                while voice.recv(2048):
                    read += 1
            except OSError:
                pass
        time.sleep(max(0.0, began + number * PTIME_S / _SPREAD - time.monotonic()))
    orders.send(read)


class Bare:
    """What sockets alone cost: the same calls of them, a copy of each packet, and nothing more."""

    def __init__(self, legs: int) -> None:
        self._legs: dict[int, tuple[int, socket.socket, Address]] = {}
        self._epoll, self._packet, self._tick = select.epoll(), bytearray(2048), 0
        self._received, self._room = [0] * legs, [memoryview(self._packet)]

    def obey(self, order: OpenLeg, now: float) -> None:
        assert order.settings.remote
        number = order.sockets.rtp.fileno()
        self._legs[number] = order.row, order.sockets.rtp, order.settings.remote
        self._epoll.register(number, select.EPOLLIN)

    def fill(self, rx: Octets, now: float) -> None:
        while ready := self._epoll.poll(0):
            for number, _ in ready:
                row, rtp_socket, _ = self._legs[number]
                rtp_socket.recvmsg_into(self._room, _CONTROL_OCTETS)
                self._received[row] += 1
                rx[row] = self._packet[HEADER_OCTETS:HEADER_OCTETS + BLOCK]

    def send(self, tx: Octets, now: float) -> None:
        self._tick += 1
        for row, rtp_socket, told in self._legs.values():
            if row % _SPREAD == self._tick % _SPREAD:
                self._packet[HEADER_OCTETS:HEADER_OCTETS + BLOCK] = tx[row].data
                rtp_socket.sendto(memoryview(self._packet)[:HEADER_OCTETS + 2 * BLOCK], told)

    def figures(self, row: int) -> LegFigures:
        return LegFigures(received=self._received[row])

    def close(self) -> None:
        for _, rtp_socket, _ in self._legs.values():
            rtp_socket.close()
        self._epoll.close()


def cpu_ms(legs: int, loss: float, bare: bool = False) -> dict[str, float]:
    """CPU-milliseconds of one leg for one second, and the longest of its ticks."""
    ports, now = Ports(HOST, FIRST_PORT, LAST_PORT), time.monotonic()
    rtp_legs = Bare(legs) if bare else RtpLegs(legs)
    taken: list[Sockets] = [ports.take() for _ in range(legs)]
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=far_ends, args=([one.port for one in taken], loss, theirs))
    process.start()
    told: list[int] = ours.recv()
    for row, (sockets, port) in enumerate(zip(taken, told, strict=True)):
        rtp_legs.obey(OpenLeg(row, sockets, LegSettings(remote=(HOST, port))), now)
    rx = np.empty((legs, BLOCK), np.uint8)
    costs, began, tick = [], time.monotonic(), 0
    while (now := time.monotonic()) < began + WARM_S + RUN_S:
        before = time.thread_time()
        rtp_legs.fill(rx, now)
        rtp_legs.send(rx, now)
        if now >= began + WARM_S:
            costs.append(time.thread_time() - before)
        tick += 1
        time.sleep(max(0.0, began + tick * TICK_S - time.monotonic()))
    figures = [rtp_legs.figures(row) for row in range(legs)]
    ours.send(None)
    read = int(ours.recv())
    process.join()
    rtp_legs.close()
    if min(one.received for one in figures) < 0.8 * (1 - loss) * RUN_S / PTIME_S or not read:
        raise ValueError(f"the far ends were not heard: {json.dumps([one.received for one in figures])}")
    return {"cpu": 1000 * sum(costs) / (len(costs) * TICK_S) / legs,
            "tick": 1e6 * statistics.quantiles(costs, n=100)[-1]}


def once(say: Say) -> dict[str, float]:
    figures = {}
    for legs in LEGS:
        clean, lossy = cpu_ms(legs, 0.0), cpu_ms(legs, LOSS)
        figures[f"RTP, {legs} legs"] = clean["cpu"]
        figures[f"RTP, {legs} legs, {100 * LOSS:g} % lost"] = lossy["cpu"]
        figures[f"RTP, {legs} legs, sockets alone"] = cpu_ms(legs, 0.0, bare=True)["cpu"]
        figures[f"RTP tick of {legs} legs, 99 of 100"] = clean["tick"]
    return figures


RTP = Theme(
    "rtp", "RTP legs over sockets of this machine, 20 ms packets both ways, each far end a socket of another "
    "process: CPU time of the real-time thread's part (reading, jitter buffer, concealment, sending, RTCP), "
    "without switching. Sockets alone, the floor: a loop with the same calls of them that copies octets and "
    "does nothing else.",
    tuple(kind for legs, goal in zip(LEGS, ("0.8", "0.5"), strict=True) for kind in (
        Kind(f"RTP, {legs} legs", "CPU-ms/leg-s", f"at most {goal}"),
        Kind(f"RTP, {legs} legs, {100 * LOSS:g} % lost", "CPU-ms/leg-s", ""),
        Kind(f"RTP, {legs} legs, sockets alone", "CPU-ms/leg-s", ""),
        Kind(f"RTP tick of {legs} legs, 99 of 100", "µs", "at most 1,500"))), once)
