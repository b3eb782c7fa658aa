"""Gain, automatic gain control and meters."""

import numpy as np
import pytest

from appliance.media import g711, levels
from appliance.media.g711 import PEAK_0DBM0, Linear, Octets
from appliance.media.levels import Agc, Gain, Meters
from appliance.media.plan import Floats
from e1_driver import BLOCK, BLOCK_S
from hil_tests.instruments import speech

ONE = np.zeros(1, np.intp)
TARGET_DBM0 = -18.0


def gained(octets: Octets, gain_db: float) -> Octets:
    rows = octets.reshape(1, -1).copy()
    gain, wanted = Gain(1), np.array([levels.steps(gain_db)])
    for _ in range(70):
        gain.apply(rows_now := rows.copy(), ONE, wanted)
    return rows_now.ravel()


def test_every_gain_is_within_half_a_step_of_a_law() -> None:
    octets = np.arange(256, dtype=np.uint8)
    for gain_db in np.arange(levels.MIN_DB, levels.MAX_DB + 0.1, 0.75):
        exact = (g711.decode(octets) * 10 ** (gain_db / 20)).clip(-32256, 32256)
        got = g711.decode(gained(octets, float(gain_db))).astype(float)
        step = 16 * 2 ** np.maximum(np.floor(np.log2(np.abs(got))) - 8, 0)       # G.711 table 1, column 2
        assert (np.abs(got - exact) <= step / 2 + 0.5).all(), gain_db            # a half: whole numbers first


def test_no_gain_changes_no_octet() -> None:
    octets = np.arange(256, dtype=np.uint8)
    assert (gained(octets, 0.0) == octets).all()


def test_a_gain_moves_by_a_decibel_a_tick_both_ways() -> None:
    gain, loud = Gain(1), g711.encode(np.full((1, 1), 1000, np.int16))
    heard = []
    for wanted_db in [6.0] * 8 + [-3.0] * 12:
        octets = loud.copy()
        gain.apply(octets, ONE, np.array([levels.steps(wanted_db)]))
        heard.append(20 * np.log10(g711.decode(octets)[0, 0] / 1000))
    assert heard == pytest.approx([1, 2, 3, 4, 5, 6, 6, 6, 5, 4, 3, 2, 1, 0, -1, -2, *[-3] * 4], abs=0.3)


@pytest.mark.parametrize(("wanted_db", "reached_db"), [(35.0, levels.MAX_DB), (-55.0, levels.MIN_DB)])
def test_a_sum_of_gains_out_of_reach_is_the_last_one_within(wanted_db: float, reached_db: float) -> None:
    gain, soft = Gain(1), g711.encode(np.array([[1000, -1000]], np.int16))
    for _ in range(60):
        octets = soft.copy()
        gain.apply(octets, ONE, np.array([round(wanted_db / levels.STEP_DB)]))
    linear = g711.decode(soft) * 10 ** (reached_db / 20)
    assert g711.decode(octets) == pytest.approx(linear, rel=0.05, abs=9)


def test_a_gain_out_of_reach_is_refused() -> None:
    for gain_db in (-40.1, 24.0, float("nan")):
        with pytest.raises(ValueError, match=r"-40 to 23\.75 are possible"):
            levels.steps(gain_db)


# Automatic gain

def spoken(change_db: float) -> Linear:
    """Half a minute of speech, so much louder than the about -20 dBm0 that it was."""
    words = np.concatenate([speech.said(text) for text in speech.texts("caller")])
    linear = np.resize(g711.decode(words), 3000 * BLOCK) * 10 ** (change_db / 20)
    return linear.clip(-32767, 32767).astype(np.int16).reshape(-1, 1, BLOCK)


def run(agc: Agc, blocks: Linear) -> Floats:
    """The gain after each block, in dB."""
    targets = np.full(blocks.shape[1], TARGET_DBM0)
    return np.stack([agc.feed(block, targets) * levels.STEP_DB for block in blocks])


def active_level_dbm0(blocks: Linear, gains_db: Floats) -> float:
    """P.56 in the rough: the mean power of blocks that are not 25 dB below the loudest."""
    linear = blocks[:, 0] * 10 ** (gains_db / 20)
    power = (linear ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 316].mean() / (PEAK_0DBM0 ** 2 / 2)))


@pytest.mark.parametrize("change_db", [-12.0, -6.0, 0.0, 6.0])
def test_quiet_and_loud_speech_come_to_the_target(change_db: float) -> None:
    blocks = spoken(change_db)
    gains_db = run(Agc(1), blocks)
    assert active_level_dbm0(blocks[1000:], gains_db[1000:]) == pytest.approx(TARGET_DBM0, abs=2.0)
    assert np.ptp(gains_db[1500:]) < 4.0          # and then stay


def test_the_gain_moves_slowly_and_not_in_pauses() -> None:
    blocks = spoken(-6.0)
    gains_db = run(Agc(1), blocks)[:, 0]
    moves_db = np.diff(gains_db)
    assert moves_db.max() <= levels.RISE_DB_S * BLOCK_S + levels.STEP_DB
    quiet = np.abs(blocks[:, 0].astype(int)).max(axis=1) <= 100
    pauses = [end for end in range(40, 3000) if quiet[end - 40:end].all()]       # hangover, and 200 ms more
    assert len(pauses) > 50
    for end in pauses:
        assert np.ptp(gains_db[end - 19:end]) == 0


@pytest.mark.parametrize("level_dbm0", [-66, -50, -40, -25])
def test_noise_is_not_brought_up(level_dbm0: float) -> None:
    rms = PEAK_0DBM0 / np.sqrt(2) * 10 ** (level_dbm0 / 20)
    noise = np.random.default_rng(1).normal(0, rms, (2000, 1, BLOCK)).astype(np.int16)
    assert (run(Agc(1), noise) == 0).all()


def test_long_silence_leaves_the_gain_where_it_was() -> None:
    agc, blocks = Agc(1), spoken(-10.0)
    before = run(agc, blocks)[-1]
    silence = np.full((3000, 1, BLOCK), 8, np.int16)
    assert before > 3 and (run(agc, silence)[50:] == run(agc, silence)[-1]).all()
    assert run(agc, silence)[-1] == pytest.approx(before, abs=1.0)


def test_no_peak_is_made_louder_than_full_scale() -> None:
    blocks = spoken(-12.0)
    blocks[2000:2010] *= 4                        # a shout
    gains_db = run(Agc(1), blocks)
    peaks = np.abs(blocks[:, 0].astype(float)).max(axis=1) * 10 ** (gains_db[:, 0] / 20)
    assert peaks.max() <= PEAK_0DBM0 * 10 ** ((levels.LOUDEST_DBM0 + levels.STEP_DB) / 20)


def test_rows_are_independent_and_begin_anew() -> None:
    silence = np.full((3000, 1, BLOCK), 8, np.int16)
    blocks = np.concatenate([spoken(-10.0), spoken(6.0), silence], axis=1)[:1200]
    agc = Agc(3)
    together = run(agc, blocks)
    for row in range(3):
        assert (run(Agc(1), blocks[:, row:row + 1])[:, 0] == together[:, row]).all()
    agc.reset(0)
    assert (run(agc, blocks)[:, 0] == together[:, 0]).all()


# Meters

def test_a_meter_measures_each_stretch_by_itself() -> None:
    time_s = np.arange(100 * BLOCK) / 8000
    levels_dbm0 = np.repeat([-30.0, -3.0, -12.0, 3.0], 25 * BLOCK)
    sine = PEAK_0DBM0 * 10 ** (levels_dbm0 / 20) * np.sin(2 * np.pi * 440 * time_s)
    meters, measured = Meters(2), []
    for number, block in enumerate(sine.astype(np.int16).reshape(-1, BLOCK)):
        both = np.stack([block, np.full(BLOCK, 8, np.int16)])
        measured += [(number, *one) for one in meters.feed(both, np.array([25, 50]))]
    assert [(number, row) for number, row, *_ in measured] == [
        (24, 0), (49, 0), (49, 1), (74, 0), (99, 0), (99, 1)]
    assert [rms for _, row, rms, _ in measured if row == 0] == pytest.approx([-30, -3, -12, 3], abs=0.1)
    assert [peak for _, row, _, peak in measured if row == 0] == pytest.approx([-30, -3, -12, 3], abs=0.1)
    idle = 20 * np.log10(8 / PEAK_0DBM0)
    assert [one[2:] for one in measured if one[1] == 1] == [pytest.approx((idle + 3.01, idle), abs=0.01)] * 2


def test_no_sound_at_all_has_a_level_too() -> None:
    (_, rms_dbm0, peak_dbm0), = Meters(1).feed(np.zeros((1, BLOCK), np.int16), np.array([1]))
    assert (rms_dbm0, peak_dbm0) == (levels.SILENT_DBM0, levels.SILENT_DBM0)
