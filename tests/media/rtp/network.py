"""A far end and the network before it in virtual time: loss, jitter, order, copies, drift, stalls."""

import heapq
import itertools
import struct
from collections.abc import Callable
from random import Random

import numpy as np

from appliance.media.g711 import Octets
from appliance.media.rtp.legs import Legs, RtpHeard
from appliance.media.rtp.packet import WIDTH
from appliance.media.rtp.settings import LegSettings
from e1_driver import BLOCK

TICK_S = 0.01
HEADER = struct.Struct(">BBHII")
SSRC = 0x1234ABCD


def rtp(
    sequence: int, timestamp: int, payload: bytes, kind: int = 8, marker: bool = False, ssrc: int = SSRC,
) -> bytes:
    return HEADER.pack(
        0x80, marker << 7 | kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc & 0xFFFFFFFF) + payload


class Network:
    """`delay_s`: of a packet, by its number. Losses, copies and delays are random, the same for a seed."""

    def __init__(
        self, *, loss: float = 0.0, jitter_s: float = 0.0, copies: float = 0.0, seed: int = 1,
        delay_s: Callable[[int], float] = lambda number: 0.02,
    ) -> None:
        self.loss, self.jitter_s, self.copies, self.delay_s = loss, jitter_s, copies, delay_s
        self._random = Random(seed)
        self._flying: list[tuple[float, int, bytes]] = []
        self._order = itertools.count()
        self.lost: list[int] = []

    def send(self, number: int, packet: bytes, now: float) -> None:
        """The jitter is a normal distribution's upper half, of that deviation."""
        for _ in range(2 if self._random.random() < self.copies else 1):
            late_s = abs(self._random.gauss(0, self.jitter_s)) if self.jitter_s else 0.0
            if self._random.random() >= self.loss:
                heapq.heappush(self._flying, (now + self.delay_s(number) + late_s, next(self._order), packet))
            else:
                self.lost.append(number)

    def arrive(self, now: float) -> list[tuple[float, bytes]]:
        there = []
        while self._flying and self._flying[0][0] <= now:
            at, _, packet = heapq.heappop(self._flying)
            there.append((at, packet))
        return there


class Talk:
    """One leg, `row` of `legs`, that hears `audio` from a far end whose clock is `drift_ppm` fast."""

    def __init__(
        self, audio: Octets, network: Network | None = None, *, ptime_ms: int = 20, drift_ppm: float = 0.0,
        settings: LegSettings | None = None, legs: Legs | None = None, row: int = 0,
        first_sequence: int = 65_000, first_timestamp: int = 2 ** 32 - 40_000, kind: int = 8,
    ) -> None:
        self.legs = legs or Legs(1)
        self.row, self.audio, self.network = row, audio, network or Network()
        self.heard: list[RtpHeard] = []
        self.now = 0.0
        self._samples, self._kind = ptime_ms * 8, kind
        self._each_s = ptime_ms / 1000 / (1 + drift_ppm * 1e-6)
        self._number = 0
        self._sequence, self._timestamp = first_sequence, first_timestamp
        self.legs.open(row, settings or LegSettings(), "far", (1, 2, 3), 0.0)

    def run(self, seconds: float) -> Octets:
        """What the leg heard."""
        blocks = []
        rx = np.empty((1, BLOCK), np.uint8)
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            self.talk()
            self.deliver(self.network.arrive(self.now))
            self.heard += self.legs.fill(rx, self.now)
            blocks.append(rx[self.row].copy())
            for _, error in self.legs.failed:
                raise error
        return np.concatenate(blocks)

    def talk(self) -> None:
        """Every packet whose end has been spoken."""
        while (self._number + 1) * self._each_s <= self.now:
            start = self._number * self._samples
            payload = self.audio[start:start + self._samples].tobytes()
            if len(payload) == self._samples:
                self.network.send(self._number, rtp(
                    self._sequence + self._number, self._timestamp + start, payload, self._kind),
                    (self._number + 1) * self._each_s)
            self._number += 1

    def deliver(self, packets: list[tuple[float, bytes]]) -> None:
        for at_s, data in packets:
            octets = np.zeros((1, WIDTH), np.uint8)
            octets[0, :len(data)] = np.frombuffer(data, np.uint8)
            self.legs.receive(
                np.array([self.row]), octets, np.array([len(data)]), np.array([at_s * 8000]), self.now)
