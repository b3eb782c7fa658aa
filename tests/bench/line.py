"""A framed line: framing with CRC-4, D-channel and counters in CPU seconds; exactness; finding it again."""

import random
import time

import numpy as np

from e1_driver import BLOCK, BLOCK_S, TIMESLOTS, Block, Span
from e1_driver.backends.virtual import Line, pair
from e1_driver.framing.g704 import Crc4, Framer, Octets
from e1_driver.watch.performance import Seconds
from tests.bench.figures import Kind, Say, Theme

SECONDS = 30
FRAMES = 1_000_000
ERROR_EVERY_BITS = 20_011                         # a prime: all places of a frame are hit
FRAME_BITS, BLOCK_BITS = 256, 256 * 8             # BLOCK_BITS: of a CRC-4 block
CUTS = 50
MOST_FRAMES = 8000
CPU, STEPPED = "one framed span", "one framed span, stepped"
WRONG, FOUND = "miscounted CRC-4 blocks of 125,000", "alignment after a cut of 1 s, slowest"


def once(say: Say) -> dict[str, float]:
    share = _share()
    return {CPU: 100 * share, STEPPED: 1 / share, WRONG: _miscounted(), FOUND: _slowest_ms()}


def _line() -> Line:
    return pair("framing=g704&crc4=on", "framing=g704&crc4=on")


def _share() -> float:
    """CPU seconds of one end for a second of line: half of what two ends in one process need."""
    noise = np.random.default_rng(1)
    blocks = [noise.integers(0, 256, (TIMESLOTS, BLOCK), np.uint8) for _ in range(50)]
    line = _line()
    meters = {span: Seconds(span.abilities) for span in (line.a, line.b)}
    began_s = time.process_time()
    for number in range(SECONDS * 100):
        line.step()
        for span, meter in meters.items():
            _turn(span, blocks[number % len(blocks)], number)
            if number % 10 == 0:
                meter.observe(number * BLOCK_S, span.status(), span.counters())
    spent_s = time.process_time() - began_s
    if line.a.counters().frames_in < SECONDS * 9:
        raise RuntimeError("the line did not work")
    return spent_s / SECONDS / len(meters)


def _turn(span: Span, block: Block, number: int) -> None:
    if span.read(number * BLOCK_S) is not None:
        span.receive_frames()
    if number % 10 == 0:
        span.send_frame(bytes(40))
    span.write(block)


def _miscounted() -> int:
    """The difference between blocks hit and blocks counted, here and by the far end's E bits."""
    line, idle = _line(), np.zeros((TIMESLOTS, BLOCK), np.uint8)

    def carry(blocks: int) -> None:
        for number in range(blocks):
            line.step()
            for span in (line.a, line.b):
                _turn(span, idle, number)

    carry(100)
    before = line.b.counters().crc_errors, line.a.counters().e_bits
    # Timeslot 0 is left alone: a wrong bit there may also be an E bit or a frame word.
    places = [place for place in range(0, FRAMES * FRAME_BITS, ERROR_EVERY_BITS) if place % FRAME_BITS >= 8]
    line.a.faults.invert(places)
    carry(FRAMES // BLOCK + 10)
    wrong = len({place // BLOCK_BITS for place in places})
    after = line.b.counters().crc_errors, line.a.counters().e_bits
    return sum(abs(now - then - wrong) for now, then in zip(after, before, strict=True))


def _slowest_ms() -> float:
    """From the first good bit after a second without signal, in any phase, to no alarm at all."""
    chance, slowest_frames = random.Random(1), 0
    noise = np.random.default_rng(1)
    for _ in range(CUTS):
        sender, receiver = Framer(Crc4.ON), Framer(Crc4.ON)
        sender.rai = False                        # it hears nothing, and that is not the point
        receiver.receive(sender.send(noise.integers(0, 256, (TIMESLOTS, 800), np.uint8)))
        receiver.receive(np.zeros(TIMESLOTS * 8000, np.uint8))
        line = sender.send(noise.integers(0, 256, (TIMESLOTS, MOST_FRAMES), np.uint8))
        line = np.roll(line, -chance.randrange(TIMESLOTS * 16))
        frames = next((frame for frame in range(MOST_FRAMES - 16) if _aligned(receiver, line, frame)), None)
        if frames is None:
            raise RuntimeError("alignment was not found")
        slowest_frames = max(slowest_frames, frames + 1)
    return slowest_frames / 8


def _aligned(receiver: Framer, line: Octets, frame: int) -> bool:
    """With one frame more of the line: frames and multiframes are found."""
    receiver.receive(line[TIMESLOTS * frame:TIMESLOTS * (frame + 1)])
    return not receiver.alarms and receiver.crc4 is True


LINE = Theme(
    "line", "G.704 framing with CRC-4, D-channel and counters, both ways, noise on all timeslots. 10^6 "
    "frames with a wrong bit in every 20,011: each CRC-4 block hit is to be counted once, here and by the "
    "far end's E bits. Alignment is of frames and CRC-4 multiframes, in line time, the slowest of 50.", (
        Kind(CPU, "% of a core", "1"),
        Kind(STEPPED, "x real time", "100"),
        Kind(WRONG, "blocks", "0"),
        Kind(FOUND, "ms of line", "G.706: 8 for the multiframe once frames are found"),
    ), once)
