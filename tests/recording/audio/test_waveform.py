"""What a player shows, against the same computed at once over the whole recording."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.recording.audio import Peaks, Silences
from appliance.recording.audio.waveform import FULL_PEAK, MOST_PARTS, MOST_SILENCES, SILENCE_TICKS
from appliance.recording.wav import SILENCE, TICK_OCTETS
from hil_tests.instruments import audio

QUIET = SILENCE * TICK_OCTETS
CALLER = (bytes((0xAA,)) + SILENCE) * (TICK_OCTETS // 2)             # loudest that A-law has
AGENT = (SILENCE + bytes((0x2A,))) * (TICK_OCTETS // 2)


def blocks(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *(TICK_OCTETS * cut for cut in sorted(cuts)), len(octets)]
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


@settings(deadline=None, max_examples=30)
@given(data=st.data(), ticks=st.integers(0, 5 * MOST_PARTS), seed=st.integers(0, 99))
def test_peaks_are_the_loudest_samples_of_equal_parts(data: st.DataObject, ticks: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    line = audio.compress(random.normal(0, 1, (ticks * 80, 2)) * random.uniform(10, 9000, 2))
    cuts = data.draw(st.lists(st.integers(0, ticks), max_size=6))
    peaks = Peaks()
    for block in blocks(line.tobytes(), cuts):
        peaks.add(block)
    shown = Peaks.read(peaks.write())
    part = 1
    while part * MOST_PARTS < ticks:
        part *= 2
    for side, got in enumerate(shown):
        loud = np.abs(audio.expand(line[:, side])).reshape(-1, 80).max(axis=1) if ticks else np.zeros(0)
        wanted = [loud[at:at + part].max() for at in range(0, ticks, part)]
        assert np.abs(np.array(wanted) * FULL_PEAK / 32256 - np.frombuffer(got, np.uint8)).max(initial=0) < 1
        assert len(got) == len(wanted) <= MOST_PARTS


def test_each_side_has_its_own_waveform() -> None:
    peaks = Peaks()
    for block in (QUIET, CALLER, AGENT, QUIET):
        peaks.add(block)
    assert Peaks.read(peaks.write()) == (bytes((0, FULL_PEAK, 0, 0)), bytes((0, 0, FULL_PEAK, 0)))


@settings(deadline=None, max_examples=100)
@given(runs=st.lists(st.tuples(st.sampled_from([QUIET, CALLER, AGENT]), st.integers(1, 500)), max_size=8),
       cuts=st.lists(st.integers(0, 100), max_size=6))
def test_silence_is_where_both_are_quiet_for_long(runs: list[tuple[bytes, int]], cuts: list[int]) -> None:
    line = b"".join(tick * ticks for tick, ticks in runs)
    silences = Silences()
    for block in blocks(line, [cut for cut in cuts if cut * TICK_OCTETS <= len(line)]):
        silences.add(block)
    wanted, at = [], 0
    for quiet, group in itertools.groupby(runs, key=lambda run: run[0] is QUIET):
        ticks = sum(ticks for _, ticks in group)
        if quiet and ticks >= SILENCE_TICKS:
            wanted.append((at, at + ticks))
        at += ticks
    assert Silences.read(silences.write()) == wanted


def test_a_room_behind_the_speaker_is_silence_and_a_voice_is_none() -> None:
    for dbm0, quiet in ((-50.0, True), (-30.0, False)):
        rms = audio.amplitude(dbm0) / np.sqrt(2)
        line = audio.compress(np.random.default_rng(1).normal(0, rms, (80 * 400, 2)))
        silences = Silences()
        silences.add(line.tobytes())
        assert (Silences.read(silences.write()) == [(0, 400)]) is quiet


def test_of_too_many_silences_the_longest_stay() -> None:
    silences = Silences()
    for number in range(MOST_SILENCES + 50):
        silences.add(QUIET * (SILENCE_TICKS + (number % 2)) + CALLER)
    found = Silences.read(silences.write())
    assert len(found) == MOST_SILENCES and found == sorted(found)
    assert sum(end - first > SILENCE_TICKS for first, end in found) == (MOST_SILENCES + 50) // 2
