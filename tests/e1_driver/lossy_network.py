"""A network between two ends of an emulated circuit that does wrong on purpose, the same with the same seed.

A process of its own: `python -m tests.e1_driver.lossy_network '{"ports": [1201, 1202], "ends": [801, 802]}'`
and what else Plan has. What comes to the first port goes to the second end, and back. Of each way the first
`clean` packets pass as they are, of the next `wrong` some are lost, doubled or overtaken by the one behind
them, and all are late by up to `jitter_ms`; then they pass again. "ready" is printed when the ports are open,
and as JSON what was done, once it was done to both ways.
"""

import heapq
import json
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from random import Random

HOST = "127.0.0.1"
CHANCE_LOST, CHANCE_DOUBLED, CHANCE_OVERTAKEN = 0.02, 0.02, 0.03
POLL_MS = 1000


@dataclass
class Plan:
    ports: tuple[int, int]
    ends: tuple[int, int]
    clean: int = 300
    wrong: int = 2000
    jitter_ms: float = 5.0
    seed: int = 1


@dataclass
class Done:
    passed: int = 0
    lost: int = 0
    doubled: int = 0
    overtaken: int = 0


@dataclass
class Way:
    """One direction: what is done to its n-th packet depends on the seed and n alone."""

    random: Random
    plan: Plan
    done: Done = field(default_factory=Done)
    seen: int = 0
    held: bytes | None = None

    def pass_on(self, packet: bytes) -> list[tuple[float, bytes]]:
        """What to send now, each after so many seconds."""
        self.seen += 1
        chance, delay_s = self.random.random(), self.random.uniform(0, self.plan.jitter_ms / 1000)
        if not self.plan.clean < self.seen <= self.plan.clean + self.plan.wrong:
            chance, delay_s = 1.0, 0.0
        held, self.held = self.held, None
        packets = [packet, held] if held else [packet]
        if chance < CHANCE_LOST:
            packets.remove(packet)
            self.done.lost += 1
        elif chance < CHANCE_LOST + CHANCE_DOUBLED:
            packets.append(packet)
            self.done.doubled += 1
        elif chance < CHANCE_LOST + CHANCE_DOUBLED + CHANCE_OVERTAKEN:
            packets.remove(packet)
            self.held = packet
            self.done.overtaken += 1
        self.done.passed += len(packets)
        return [(delay_s, each) for each in packets]

    @property
    def over(self) -> bool:
        return self.seen > self.plan.clean + self.plan.wrong


def run(plan: Plan) -> None:
    sockets = []
    for port in plan.ports:
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind((HOST, port))
        sockets[-1].setblocking(False)
        sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ways = [Way(Random(plan.seed + way), plan) for way in (0, 1)]
    under_way: list[tuple[float, int, int, bytes]] = []
    count, told = 0, False
    poll = select.poll()
    for one in sockets:
        poll.register(one, select.POLLIN)
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, way, packet = heapq.heappop(under_way)
            sockets[1 - way].sendto(packet, (HOST, plan.ends[1 - way]))
        wait_ms = (under_way[0][0] - now) * 1000 if under_way else POLL_MS
        by_descriptor = {one.fileno(): way for way, one in enumerate(sockets)}
        for descriptor, _ in poll.poll(wait_ms):
            way = by_descriptor[descriptor]
            for delay_s, packet in ways[way].pass_on(sockets[way].recv(2000)):
                count += 1
                heapq.heappush(under_way, (time.monotonic() + delay_s, count, way, packet))
        if not told and all(way.over for way in ways):
            told = True
            print(json.dumps([asdict(way.done) for way in ways]), flush=True)


if __name__ == "__main__":
    run(Plan(**json.loads(sys.argv[1])))
