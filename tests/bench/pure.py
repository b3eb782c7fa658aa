"""Code without a process around it, in CPU seconds of this one."""

import random
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from unittest import mock

from appliance.isdn import q931
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    ChannelId,
    Display,
    HighLayerCompatibility,
    ProgressIndicator,
    SendingComplete,
)
from e1_driver import BLOCK
from e1_driver.framing.hdlc import FCS_OCTETS, Decoder, Encoder
from tests.bench.figures import Kind, Say, Theme

IDLE_BLOCKS, FULL_BLOCKS = 100_000, 5_000
SETUPS = 20_000
CODEC_NAMES = ("encode of a SETUP", "decode of a SETUP", "decode of a SETUP, nothing remembered")


def cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def hdlc_once(say: Say) -> dict[str, float]:
    figures = {}
    for state, blocks, frames in (("idle", IDLE_BLOCKS, []), ("full", FULL_BLOCKS, _frames())):
        line: list[bytes] = []
        encode_s = cpu_s(partial(_encode, blocks, frames, line))
        decode_s = cpu_s(partial(_decode, line))
        figures[f"HDLC encode, {state} line"] = blocks * BLOCK / encode_s
        figures[f"HDLC decode, {state} line"] = blocks * BLOCK / decode_s
    return figures


def _frames() -> list[bytes]:
    """Octets of the lengths of LAPD frames: half of them supervisory, the rest carry a message."""
    octets = random.Random(1)
    return [octets.randbytes(4 if octets.random() < 0.5 else octets.randrange(9, 60)) for _ in range(1000)]


def _encode(blocks: int, frames: list[bytes], line: list[bytes]) -> None:
    """Blocks as a span asks for them, with always a frame waiting when there are `frames`."""
    encoder, sent, waiting_octets = Encoder(), 0, 0
    for _ in range(blocks):
        while frames and waiting_octets < BLOCK:
            frame = frames[sent % len(frames)]
            encoder.send(frame)
            sent += 1
            waiting_octets += len(frame) + FCS_OCTETS + 1        # and a flag; stuffed bits come on top
        line.append(encoder.pull(BLOCK))
        waiting_octets -= BLOCK


def _decode(line: list[bytes]) -> None:
    decoder = Decoder()
    for block in line:
        decoder.feed(block)


def codec_once(say: Say) -> dict[str, float]:
    """SETUPs from the network, each with numbers, channel and call reference of its own."""
    messages = [_setup(number) for number in range(SETUPS)]
    octets = [q931.encode(message) for message in messages]
    if [q931.decode(each) for each in octets] != messages:
        raise ValueError("a SETUP was not read as it was written")
    encode_s = cpu_s(lambda: deque(map(q931.encode, messages), maxlen=0))
    decode_s = cpu_s(lambda: deque(map(q931.decode, octets), maxlen=0))
    with mock.patch.object(q931, "read_element", q931.read_element.__wrapped__):
        anew_s = cpu_s(lambda: deque(map(q931.decode, octets), maxlen=0))
    return {name: 1e6 * seconds / SETUPS
            for name, seconds in zip(CODEC_NAMES, (encode_s, decode_s, anew_s), strict=True)}


def _setup(number: int) -> q931.Message:
    return q931.Message(q931.MessageType.SETUP, number, False, (
        SendingComplete(), BearerCapability(), ChannelId(1 + number % 15), ProgressIndicator(3, 2),
        Display("Alice Smith"), CallingNumber(f"21{number:08}", type=2, screening=3),
        CalledNumber(f"{5000 + 7 * number % 1000}", type=4), HighLayerCompatibility()))


HDLC = Theme(
    "hdlc", "Timeslot octets per CPU second, in blocks of 80 as a span asks for them: nothing but flags, and "
    "frames back to back, half of them of 4 octets.",
    tuple(Kind(f"HDLC {way}, {state} line", "octets/s", "8,000 a span")
          for state in ("idle", "full") for way in ("encode", "decode")), hdlc_once, runs=7)
CODEC = Theme(
    "codec", "CPU time of one SETUP with bearer, channel, progress, display, both numbers, high layer "
    "compatibility and Sending complete, each with other numbers. Elements that a line repeats are "
    "remembered; the last figure is without that.",
    tuple(Kind(name, "µs", "at most 25") for name in CODEC_NAMES), codec_once, runs=7)
