"""How fast the line card's firmware carries blocks, on MicroPython's unix port."""

import subprocess

from hil_tests.instruments.card import HEAP, INTERPRETER, ROOT
from tests.bench.figures import Kind, Say, Theme

BLOCKS = 20_000
PER_SECOND = 100                                  # as the line has them
NAME, TIMES = "blocks a second, both ways", "times real time"


def once(say: Say) -> dict[str, float]:
    ran = subprocess.run(
        [INTERPRETER, "-X", f"heapsize={HEAP}", "-m", "tests.firmware.block_path", str(BLOCKS), "1"],
        cwd=ROOT, capture_output=True, text=True, check=True)
    took_s = float(ran.stdout.split()[0])
    return {NAME: BLOCKS / took_s, TIMES: BLOCKS / took_s / PER_SECOND}


CARD = Theme(
    "card", "The line card's block path on MicroPython's unix port, in CPU time: 10 ms of 32 timeslots from "
    "the bus, frame by frame, to a packet (CRC-32, COBS), and from the host's packet back, with the span's "
    "status ten times a second; no hardware and no model of it.",
    (Kind(NAME, "/s", "at least 2000"), Kind(TIMES, "", "at least 20")), once, runs=5)
