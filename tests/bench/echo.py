"""What echo cancelling costs, beside speexdsp's canceller on the same calls.

Ref: ITU-T P.59 (each end of a conversation talks 38.5 % of the time, both at once 6.6 %, nobody 22.5 %).
"""

import time
from typing import Protocol

import numpy as np

from appliance.media.echo import EchoCanceller
from appliance.media.g711 import Linear
from e1_driver import BLOCK
from tests.bench.figures import Kind, Say, Theme
from tests.media.echo import signals
from tests.media.echo.speexdsp import Canceller

ROWS = 120
WARM_TICKS, TICKS = 900, 300
TURN_S = 3.0                                      # of a conversation: the far end begins,
FAR_END_S, NEAR_START_S, NEAR_END_S = 1.2, 1.0, 2.2       # the near end falls in, then nobody talks
TICK_S = 0.01
PEERS = (("Branchline", EchoCanceller), ("speexdsp", Canceller))
CALLS = ("conversation", "far end always talks", "silence")


class _Fed(Protocol):
    def feed(self, sent: Linear, received: Linear) -> Linear: ...


def echo_once(say: Say) -> dict[str, float]:
    """CPU-ms for each channel and second."""
    figures = {}
    for call in CALLS:
        sent, received = _call(call)
        for name, make in PEERS:
            if name == "Branchline" or call != "silence":
                figures[f"{name}, {call}"] = _cost_ms(make(ROWS), sent, received)
    return figures


def _cost_ms(canceller: _Fed, sent: Linear, received: Linear) -> float:
    began = 0.0
    for tick, (far, near) in enumerate(zip(sent, received, strict=True)):
        if tick == WARM_TICKS:
            began = time.thread_time()
        canceller.feed(far, near)
    return 1000 * (time.thread_time() - began) / (ROWS * TICKS * TICK_S)


def _call(kind: str) -> tuple[Linear, Linear]:
    """int16[ticks, ROWS, BLOCK] each way, every row at another place of its call."""
    seconds = (WARM_TICKS + TICKS) * TICK_S
    far, near = signals.css(seconds, -15), signals.css(seconds, -18, near=True)
    sent, received = [], []
    for row in range(ROWS):
        at_s = (np.arange(far.size) / signals.RATE_HZ + TURN_S * row / ROWS) % TURN_S
        talks = at_s < FAR_END_S if kind == "conversation" else np.full(far.size, kind != "silence")
        answers = (at_s >= NEAR_START_S) & (at_s < NEAR_END_S) & (kind == "conversation")
        one, other = np.roll(far, 997 * row) * talks, np.roll(near, 991 * row) * answers
        coded = signals.coded(one)
        path = signals.path(1 + row % 8, 6 + row % 12, 20)
        sent.append(coded)
        received.append(signals.coded(signals.echoed(coded.astype(np.float64), path) + other))
    return _by_ticks(sent), _by_ticks(received)


def _by_ticks(rows: list[Linear]) -> Linear:
    return np.ascontiguousarray(np.stack(rows).reshape(ROWS, -1, BLOCK).swapaxes(0, 1))


ECHO = Theme(
    "echo", "CPU time of cancelling the echoes of 120 channels, 128 ms of tail each, with non-linear "
    "processor and comfort noise, from the tenth second of calls on; composite source signals of ITU-T "
    "P.501, in a conversation each end for 1.2 s of 3, both at once for 0.2 (about as in P.59). speexdsp "
    "1.2.1 with its preprocessor, a state a channel, on the same octets.",
    tuple(Kind(f"{name}, {call}", "CPU-ms/channel-s", "at most 0.6" if name == "Branchline" else "")
          for call in CALLS for name, _ in PEERS if name == "Branchline" or call != "silence"),
    echo_once, runs=5)
