"""The far ends of many virtual lines, as a program of their own: speech on every channel, and how late it is.

python -m tests.bench.far_spans FOLDER SPANS: ends a of virtual:FOLDER/0 ... are kept going until stdin ends;
then a JSON list of delays in seconds is printed, from when a block was said on timeslot 1 of a line until it
was heard on another, of those said in the time after a line came in on stdin.
"""

import argparse
import json
import select
import sys
import time

import numpy as np

from e1_driver import BEARERS, BLOCK, TIMESLOTS, Block, open_span
from hil_tests.instruments import speech
from hil_tests.instruments.line import PRIORITY, keep_time

LOOP_BLOCKS = 200
MARK_OCTETS = 8                                   # of a block on timeslot 1: line and number


def far_ends(folder: str, count: int) -> list[float]:
    spans = [open_span(f"virtual:{folder}/{index}/a") for index in range(count)]
    blocks = spoken()
    said_at: dict[bytes, float] = {}
    delays: list[float] = []
    numbers = [0] * count
    poll = select.epoll()
    index_of = {span.fileno(): index for index, span in enumerate(spans)}
    for descriptor in (*index_of, sys.stdin.fileno()):
        poll.register(descriptor, select.EPOLLIN)
    keep_time(PRIORITY)
    measuring = False
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == sys.stdin.fileno():
                if not sys.stdin.readline():
                    return delays
                measuring = True
                continue
            index, now = index_of[descriptor], time.monotonic()
            heard = spans[index].read(now)
            spans[index].receive_frames()
            if heard is None:
                continue
            mark = heard[1, :MARK_OCTETS].tobytes()
            if (began_at := said_at.pop(mark, None)) is not None and measuring:
                delays.append(now - began_at)
            block = blocks[numbers[index] % LOOP_BLOCKS].copy()
            mark = ((index + 1) << 48 | numbers[index]).to_bytes(MARK_OCTETS, "big")
            block[1, :MARK_OCTETS] = np.frombuffer(mark, np.uint8)
            said_at[mark] = now
            numbers[index] += 1
            spans[index].write(block)


def spoken() -> list[Block]:
    """Two seconds of speech on every B-channel, each at another place of it."""
    words = np.concatenate([speech.said(text) for text in speech.texts("caller")])
    octets = np.full((TIMESLOTS, LOOP_BLOCKS * BLOCK), 0xD5, np.uint8)
    for timeslot in BEARERS:
        octets[timeslot] = np.roll(words, -timeslot * 4321)[:LOOP_BLOCKS * BLOCK]
    return [np.ascontiguousarray(octets[:, at:at + BLOCK]) for at in range(0, LOOP_BLOCKS * BLOCK, BLOCK)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.far_spans")
    parser.add_argument("folder")
    parser.add_argument("spans", type=int)
    arguments = parser.parse_args()
    print(json.dumps(far_ends(arguments.folder, arguments.spans)))
