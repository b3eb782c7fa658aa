"""The canceller's promises that no Recommendation tests, and its parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media.echo import EchoCanceller, spectra
from appliance.media.echo.filters import PARTITIONS
from appliance.media.echo.suppressor import LEAST, Suppressor
from appliance.media.g711 import Linear
from e1_driver import BLOCK
from tests.media.echo import signals

ERL_DB = 9


def run(canceller: EchoCanceller, sent: Linear, received: Linear) -> Linear:
    return np.concatenate([
        canceller.feed(sent[:, at:at + BLOCK], received[:, at:at + BLOCK])
        for at in range(0, sent.shape[1], BLOCK)], axis=1)


def call(seconds: float, model: int = 1, *, near_dbm0: float | None = None) -> list[Linear]:
    sent = signals.coded(signals.css(seconds, -15))
    echo = signals.echoed(sent.astype(float), signals.path(model, ERL_DB, 20))
    if near_dbm0 is not None:
        echo += signals.css(seconds, near_dbm0, near=True)
    return [sent[None], signals.coded(echo)[None]]


def test_spectra_are_those_of_an_fft() -> None:
    frames = np.random.default_rng(1).normal(size=(130, spectra.FRAME)).astype(np.float32)
    whole = spectra.of_first(frames[:, :BLOCK]) + spectra.of_second(frames[:, BLOCK:])
    assert np.allclose(whole, np.fft.rfft(frames), atol=1e-4)
    assert np.allclose(spectra.first(whole), frames[:, :BLOCK], atol=1e-4)
    assert np.allclose(spectra.second(whole), frames[:, BLOCK:], atol=1e-4)


@pytest.mark.parametrize("delay_ms", [0, 30, 112])
def test_learns_the_path_of_its_tail(delay_ms: int) -> None:
    path = signals.path(1, ERL_DB, delay_ms)
    sent = signals.coded(signals.white(4, -15))
    canceller = EchoCanceller(1)
    run(canceller, sent[None], signals.coded(signals.echoed(sent.astype(float), path))[None])
    wanted = np.zeros(PARTITIONS * BLOCK)
    wanted[:path.size] = path
    off = canceller._filters.taps(0) - wanted
    assert np.dot(off, off) < 0.005 * np.dot(path, path)
    figures = canceller.figures(0)
    assert figures.converged and figures.erle_db is not None and figures.erle_db > 20
    assert figures.erl_db == pytest.approx(-10 * np.log10(np.dot(path, path)), abs=0.3)


def test_near_end_alone_is_not_touched() -> None:
    received = signals.coded(signals.css(2, -20, near=True))[None]
    for quiet_dbm0 in (None, -60):                # nothing at all, or less than anybody hears
        sent = np.full_like(received, 8) if quiet_dbm0 is None else signals.coded(
            signals.white(2, quiet_dbm0))[None]
        assert (run(EchoCanceller(1), sent, received) == received).all()


def test_near_end_passes_in_double_talk() -> None:
    canceller = EchoCanceller(1)
    run(canceller, *call(4))
    sent, received = call(4, near_dbm0=-15)
    near = signals.css(4, -15, near=True)
    left = run(canceller, sent, received)[0] - near
    assert signals.mean_dbm0(left[8000:]) < -15 - ERL_DB - 10


@pytest.mark.parametrize(("share", "gain"), [(0.0, 1.0), (1e4, float(LEAST))])
def test_suppressor_adds_no_delay(share: float, gain: float) -> None:
    suppressor, row = Suppressor(2), np.array([1])
    random = np.random.default_rng(4)
    for tick in range(20):
        block = random.normal(0, 1000, (1, BLOCK)).astype(np.float32)
        echo = np.full((1, spectra.BINS), share * 1000 ** 2 * BLOCK, np.float32)
        out = suppressor.feed(block, echo, row, tick)
    assert np.allclose(out, gain * block, atol=30)


def test_suppressor_begins_anew_after_a_tick_of_rest() -> None:
    used, fresh, row = Suppressor(2), Suppressor(2), np.array([1])
    block = np.random.default_rng(4).normal(0, 1000, (1, BLOCK)).astype(np.float32)
    loud, none = (np.full((1, spectra.BINS), power, np.float32) for power in (1e9, 0))
    used.feed(block, loud, row, 1)
    assert not np.allclose(used.feed(block, none, row, 2), fresh.feed(block, none, row, 2), atol=10)
    assert (used.feed(block, none, row, 4) == fresh.feed(block, none, row, 4)).all()


def test_rows_are_independent_and_few_rows_may_be_fed() -> None:
    """What wakes and sleeps around a row changes its seat, not what it hears."""
    rows, fed = 67, 42
    alone = [call(3, model, near_dbm0=-30) for model in (1, 4)]
    wanted = [run(EchoCanceller(1), *one) for one in alone]
    random = np.random.default_rng(3)
    pulses = random.normal(0, 2000, (rows, 24000)) * random.integers(0, 2, (rows, 30)).repeat(800, 1)
    sent = pulses.astype(np.int16)
    received = (sent // 3)[:, ::-1].copy()
    for row, (far, near) in zip((5, fed - 1), alone, strict=True):
        sent[row], received[row] = far[0], near[0]
    canceller = EchoCanceller(rows)
    out = np.concatenate([
        canceller.feed(sent[:n, at:at + BLOCK], received[:n, at:at + BLOCK])[:fed]
        for at, n in zip(range(0, 24000, BLOCK), np.resize([rows, fed], 300), strict=True)], axis=1)
    for row, left in zip((5, fed - 1), wanted, strict=True):
        assert abs(signals.mean_dbm0(out[row, 8000:]) - signals.mean_dbm0(left[0, 8000:])) < 1.5


def test_reset_begins_anew() -> None:
    one, fresh = EchoCanceller(2), EchoCanceller(2)
    both = [np.repeat(block, 2, axis=0) for block in call(2)]
    run(one, *both)
    one.reset(1)
    assert one.figures(0).converged and one.figures(1) == fresh.figures(1)
    erle_db = one.figures(0).erle_db
    run(one, *both)
    assert erle_db is not None and (one.figures(0).erle_db or 0) > erle_db - 3


def test_silence_costs_no_filtering(monkeypatch: pytest.MonkeyPatch) -> None:
    canceller = EchoCanceller(3)
    run(canceller, *[np.repeat(block, 3, axis=0) for block in call(1)])
    idle = np.full((3, 2 * 8000), 8, np.int16)
    run(canceller, idle[:, :BLOCK * (PARTITIONS + 2)], idle[:, :BLOCK * (PARTITIONS + 2)])
    monkeypatch.setattr(canceller, "_filters", None)
    assert (run(canceller, idle, idle) == idle).all()


@pytest.mark.parametrize(("hz", "disables"), [
    (2079, True), (2100, True), (2121, True), (1900, False), (2350, False)])
@pytest.mark.parametrize("received", [False, True])
def test_disabler_s_band(hz: float, disables: bool, received: bool) -> None:
    tone = signals.coded(signals.answer_tone(1, -25, hz))[None]
    quiet = np.full_like(tone, 8)
    canceller = EchoCanceller(1)
    run(canceller, *((quiet, tone) if received else (tone, quiet)))
    assert canceller.figures(0).disabled == disables


@pytest.mark.parametrize(("turn_deg", "disables"), [(155, True), (205, True), (110, False), (0, False)])
def test_disabler_s_phases(turn_deg: float, disables: bool) -> None:
    t = np.arange(8000) / 8000
    turned = np.radians(turn_deg) * ((t / 0.45).astype(int) % 2)
    tone = signals.coded(signals.of_level(np.sin(2 * np.pi * 2100 * t + turned), -12))[None]
    canceller = EchoCanceller(1)
    run(canceller, tone, np.full_like(tone, 8))
    assert canceller.figures(0).disabled == disables


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 ** 31), st.sampled_from([10, 1000, 40000]), st.sampled_from([10, 1000, 40000]))
def test_no_signal_breaks_it(seed: int, far: int, near: int) -> None:
    """What is left is not louder for long than what was received, and the next echo is learnt."""
    random = np.random.default_rng(seed)

    def anything(size: int) -> Linear:
        pulses = random.normal(0, 1, (1, 4000)) ** 3 * size * random.integers(0, 2, (1, 50)).repeat(80, 1)
        return np.clip(pulses, -32768, 32767).astype(np.int16)

    canceller = EchoCanceller(1)
    received = anything(near)
    left = run(canceller, anything(far), received)
    assert (left.astype(float) ** 2).sum() < 2 * (received.astype(float) ** 2).sum() + 1e6
    run(canceller, *call(3))
    assert canceller.figures(0).converged
