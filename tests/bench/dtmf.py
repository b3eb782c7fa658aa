"""What listening for DTMF costs on many ports, alone, in CPU time of this thread."""

import time

import numpy as np

from appliance.media import g711, tones
from appliance.media.detect.dtmf import Dtmf
from appliance.media.g711 import Linear
from e1_driver import BLOCK
from hil_tests.instruments import speech
from tests.bench.figures import Kind, Say, Theme

GOALS = {30: "at most 60 of speech", 120: "", 480: "at most 400 of speech"}      # by ports
CARRIED = ("silence", "speech", "one dials", "all dial")
TICKS = 500


def once(say: Say) -> dict[str, float]:
    return {_name(ports, carried): _tick_us(_lines(ports, carried)) for ports in GOALS for carried in CARRIED}


def _name(ports: int, carried: str) -> str:
    return f"DTMF on {ports} ports, {carried}"


def _lines(ports: int, carried: str) -> Linear:
    """int16[TICKS, ports, BLOCK]: every port somewhere else in what is said or dialled."""
    words = g711.decode(np.concatenate([speech.said(text) for text in speech.texts("caller")]))
    digits = g711.decode(tones.dtmf(tones.DIGITS))
    dialling = {"one dials": 1, "all dial": ports}.get(carried, 0)
    lines = np.stack([np.resize(np.roll(digits if port < dialling else words, 997 * port), TICKS * BLOCK)
                      for port in range(ports)])
    if carried == "silence":
        lines[:] = g711.decode(np.array([0xD5], np.uint8))
    return np.ascontiguousarray(lines.reshape(ports, TICKS, BLOCK).swapaxes(0, 1))


def _tick_us(blocks: Linear) -> float:
    detector = Dtmf(blocks.shape[1])
    began = time.thread_time()
    for block in blocks:
        detector.feed(block)
    return 1e6 * (time.thread_time() - began) / len(blocks)


DTMF = Theme(
    "dtmf", "The digit detector alone: CPU time of one tick, that is of 10 ms of every port. Speech "
    "on every port; digits of 70 ms with pauses of 70 ms on one port beside it, or on all.",
    tuple(Kind(_name(ports, carried), "µs", goal) for ports, goal in GOALS.items() for carried in CARRIED),
    once, runs=5)
