"""How speech sounds after a network that loses packets: PESQ (ITU-T P.862) of what a leg hears."""

from collections.abc import Callable
from functools import partial
from statistics import mean
from typing import Any
from unittest import mock

import cffi
import numpy as np
from pesq import pesq

from appliance.media import g711
from appliance.media.g711 import Linear, Octets
from appliance.media.rtp import conceal
from e1_driver import IDLE
from hil_tests.instruments import speech
from tests.bench.figures import Kind, Say, Theme
from tests.media.rtp.network import Network, Talk

LOSSES = (0.0, 0.01, 0.03, 0.05)
JITTER_S = 0.02
SETTLED_S = 20                                    # of talk before the clip
SEEDS = (1, 2, 3)
CLIP_S = 10
PACKET = 160                                      # samples
TAIL = 4000

Clip = Octets
Heard = Callable[[Clip, float, int], Linear]


def clips() -> list[Clip]:
    """Speech of both people of the bench, each the reference of its own score."""
    said = [np.concatenate([speech.said(text) for text in speech.texts(who)]) for who in ("caller", "agent")]
    return [part[:CLIP_S * 8000] for voice in said for part in np.array_split(voice, len(voice) // 80_000)]


def leg(clip: Clip, loss: float, seed: int, jitter_s: float) -> tuple[Linear, list[int]]:
    """What a leg heard, and the numbers of the packets that were lost."""
    audio = np.concatenate([clip, np.full(TAIL + -len(clip) % PACKET, IDLE, np.uint8)])
    network = Network(loss=loss, seed=seed, jitter_s=jitter_s)
    return g711.decode(Talk(audio, network).run(len(audio) / 8000)), network.lost


def concealed(clip: Clip, loss: float, seed: int, jitter_s: float = 0.0) -> Linear:
    return leg(clip, loss, seed, jitter_s)[0]


def settled(clip: Clip, loss: float, seed: int) -> Linear:
    """With a jitter that the leg has come to know."""
    before = np.resize(clip, SETTLED_S * 8000)
    return concealed(np.concatenate([before, clip]), loss, seed, JITTER_S)[len(before):]


def silenced(clip: Clip, loss: float, seed: int, jitter_s: float = 0.0) -> Linear:
    """The same with silence in place of what is made up."""
    def nothing(history: Linear) -> tuple[conceal.Floats, conceal.Lags]:
        return np.zeros((len(history), conceal.LENGTH), np.float32), np.zeros(len(history), np.intp)

    with mock.patch.object(conceal, "continuation", nothing):
        return leg(clip, loss, seed, jitter_s)[0]


def spandsp(clip: Clip, loss: float, seed: int) -> Linear:
    """The same packets lost, concealed by spandsp's plc_rx() and plc_fillin(); it has no jitter buffer."""
    ffi = cffi.FFI()
    ffi.cdef("typedef struct plc_state_s plc_state_t; plc_state_t *plc_init(plc_state_t *);"
             "int plc_rx(plc_state_t *, int16_t amp[], int len);"
             "int plc_fillin(plc_state_t *, int16_t amp[], int len); int plc_free(plc_state_t *);")
    library: Any = ffi.dlopen("libspandsp.so.2")
    state = library.plc_init(ffi.NULL)
    lost = set(leg(clip, loss, seed, 0.0)[1])
    linear = g711.decode(clip[:len(clip) // PACKET * PACKET]).reshape(-1, PACKET)
    for number, packet in enumerate(linear):
        work = library.plc_fillin if number in lost else library.plc_rx
        work(state, ffi.cast("int16_t *", packet.ctypes.data), PACKET)
    library.plc_free(state)
    return linear.reshape(-1)


WAYS: dict[str, Heard] = {
    "concealed": concealed, "silence instead": silenced, "spandsp's plc": spandsp,
    "concealed, 20 ms jitter": partial(concealed, jitter_s=JITTER_S),
    "concealed, 20 ms jitter, settled": settled,
    "silence instead, 20 ms jitter": partial(silenced, jitter_s=JITTER_S),
}


def once(say: Say) -> dict[str, float]:
    spoken, figures = clips(), {}
    for loss in LOSSES:
        for way, heard in WAYS.items():
            scores = [pesq(8000, g711.decode(clip), heard(clip, loss, seed), "nb")
                      for clip in spoken for seed in (SEEDS if loss or "jitter" in way else SEEDS[:1])]
            figures[f"PESQ, {100 * loss:g} % lost, {way}"] = mean(scores)
        say(f"{100 * loss:g} % lost")
    return figures


RTP_QUALITY = Theme(
    "rtp-quality", "Speech through a leg, 20 ms packets lost at random, scored by PESQ (P.862, narrow band) "
    "against itself; with jitter, each packet late by the upper half of a normal distribution of 20 ms, from "
    "the call's begin or, settled, after 20 s. "
    "Silence instead: the same leg that makes nothing up. spandsp: the same packets lost, no jitter buffer.",
    tuple(Kind(f"PESQ, {100 * loss:g} % lost, {way}", "MOS-LQO") for loss in LOSSES for way in WAYS), once,
    runs=1)
