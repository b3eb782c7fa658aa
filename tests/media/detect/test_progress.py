"""Call progress: every country's tones, in time and once; spandsp's sender; nothing else is a tone."""

import itertools

import numpy as np
import pytest

from appliance.media import g711, tones
from appliance.media.detect import DETECTORS, configured
from appliance.media.detect.machine import Settings
from appliance.media.detect.progress import Progress, country_patterns
from appliance.media.tones import COUNTRIES
from tests.media import spandsp
from tests.media.detect import corpus
from tests.media.detect.outbound import calls, distinct
from tests.media.detect.receivers import MS, Samples, alaw, said

SECOND = 1000 * MS


def tone(country: str, name: str, seconds: float = 7, before_ms: int = 300) -> Samples:
    once = g711.decode(tones.loop(country, name)).astype(np.float64)
    return np.concatenate([np.zeros(before_ms * MS), np.resize(once, int(seconds * SECOND))])


def words(lines: list[Samples], country: str | None = None) -> list[list[str]]:
    return [[what for _, what in heard]
            for heard in said(Progress(len(lines), country), [alaw(line) for line in lines])]


def when_s(line: Samples, country: str) -> float:
    """From the tone's beginning until it is said."""
    (end, _), = said(Progress(1, country), [alaw(line)])[0]
    return end / SECOND - 0.3


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_tone_of_every_country(country: str) -> None:
    names = distinct(COUNTRIES[country])
    assert words([tone(country, name) for name in names], country) == [[name] for name in names]


@pytest.mark.parametrize("country", ["cn", "gb", "us"])
def test_joined_anywhere_too_fast_or_slow_quiet_and_in_noise(country: str) -> None:
    for seed, name in enumerate(distinct(COUNTRIES[country])):
        lines = calls(COUNTRIES[country][name], tones.loop(country, name), 20, seed)
        assert [[what for _, what in heard] for heard in said(Progress(len(lines), country), lines)] == [
            [name]] * len(lines)


@pytest.mark.parametrize(("country", "name", "at_most_s"), [
    ("cn", "busy", 1.5), ("cn", "congestion", 2.9), ("cn", "ringback", 2.0), ("cn", "dial", 1.3),
    ("us", "busy", 2.1), ("us", "congestion", 1.1), ("us", "ringback", 2.8), ("gb", "ringback", 1.8),
])
def test_said_as_soon_as_certain(country: str, name: str, at_most_s: float) -> None:
    assert when_s(tone(country, name), country) <= at_most_s


@pytest.mark.parametrize(("country", "name", "heard"), [
    ("cn", "ringback", "ringback"), ("us", "ringback", "ringback"), ("gb", "ringback", "ringback"),
    ("cn", "busy", "busy"), ("de", "busy", "busy"), ("us", "congestion", "congestion"),
    ("cn", "dial", "dial"),
])
def test_without_a_country(country: str, name: str, heard: str) -> None:
    assert words([tone(country, name)]) == [[heard]]


@pytest.mark.parametrize("level_dbm0", [0, -10, -25, -35])
def test_levels(level_dbm0: float) -> None:
    burst = spandsp.cadenced((450,), level_dbm0, 350).astype(np.float64)
    line = np.tile(np.concatenate([np.zeros(350 * MS), burst]), 8)
    assert words([line], "cn") == [["busy"]]


def test_too_quiet() -> None:
    burst = spandsp.cadenced((450,), -46, 350).astype(np.float64)
    assert words([np.tile(np.concatenate([np.zeros(350 * MS), burst]), 8)], "cn") == [[]]


@pytest.mark.parametrize(("hz", "heard"), [
    (425, ["busy"]), (450, ["busy"]), (475, ["busy"]), (330, []), (600, []), (1000, [])])
def test_frequencies(hz: int, heard: list[str]) -> None:
    """China's 450 Hz, 25 more or less."""
    burst = spandsp.cadenced((hz,), -10, 350).astype(np.float64)
    assert words([np.tile(np.concatenate([np.zeros(350 * MS), burst]), 8)], "cn") == [heard]


def test_spandsp_hears_our_busy() -> None:
    busy = [[(450, 0, 300, 400), (0, 0, 300, 400)], [(450, 0, 600, 800), (0, 0, 600, 800)]]
    for code, name in enumerate(("busy", "congestion")):
        assert spandsp.supervisory_tones(busy, alaw(tone("cn", name))) == [code]


SHORT, LONG = 274, 380
CODES = [                                         # first and second sine, ms
    ("sit intercept", (913.8, SHORT), (1370.6, SHORT)), ("sit vacant", (985.2, LONG), (1370.6, SHORT)),
    ("sit reorder", (913.8, SHORT), (1428.5, LONG)), ("sit no circuit", (985.2, LONG), (1428.5, LONG)),
    ("sit reorder", (985.2, SHORT), (1370.6, LONG)), ("sit no circuit", (913.8, LONG), (1370.6, LONG)),
]


def sit(*sines: tuple[float, int], gap_ms: int = 0, dbm0: float = -24, start: int = 0) -> Samples:
    gap = np.zeros(gap_ms * MS)
    parts = [part for hz, ms in sines for part in (tones.sines((hz,), (dbm0,), ms * MS), gap)]
    return np.concatenate([np.zeros(300 * MS + start), *parts, np.zeros(SECOND)])


@pytest.mark.parametrize(("name", "first", "second"), CODES)
def test_special_information_tones_that_say_why(
    name: str, first: tuple[float, int], second: tuple[float, int],
) -> None:
    lines = [sit(first, second, (1776.7, LONG), gap_ms=gap, dbm0=dbm0, start=start)
             for gap, dbm0, start in itertools.product((0, 4), (-10, -30), (0, 31, 59))]
    assert words(lines) == [[name]] * len(lines)


@pytest.mark.parametrize("ms", [260, 330, 400])
@pytest.mark.parametrize("off_hz", [-50, 0, 50])
def test_special_information_tone_of_e180(ms: int, off_hz: float) -> None:
    lines = [sit(*((hz + off_hz, ms) for hz in (950, 1400, 1800)), gap_ms=gap) for gap in (0, 30)]
    assert words(lines, "de") == [["sit"]] * 2


def test_said_anew_after_speech_only() -> None:
    speech = corpus.speech("en", "Hold on, I am putting you through to the other department now.")
    ringing = tone("cn", "ringback", 15)
    assert words([np.concatenate([ringing, speech, ringing])], "cn") == [["ringback", "ringback"]]
    assert words([np.concatenate([ringing, tone("cn", "busy")])], "cn") == [["ringback", "busy"]]


def test_a_click_in_the_pause_changes_nothing() -> None:
    line = tone("cn", "ringback", 12)
    line[int(2.5 * SECOND):][:10 * MS] = 8000
    assert words([line], "cn") == [["ringback"]]


def test_colour_ringback_and_talk_are_no_tones() -> None:
    """Two minutes of music on hold and two of speech, cut into rows."""
    heard = [*(music[:100 * SECOND] for music in corpus.music().values()),
             corpus.speech("cmn", corpus.TEXTS["cmn"]), corpus.speech("en", corpus.TEXTS["en"])]
    lines = [part.astype(np.float64) for one in heard for part in np.array_split(one, 8)]
    for country in (None, "cn", "us"):
        assert words(lines, country) == [[]] * len(lines)


def test_rows_are_independent_and_begin_anew() -> None:
    detector = Progress(70, "cn")
    lines = [np.zeros(4 * SECOND, np.int16)] * 70
    lines[3], lines[68] = alaw(tone("cn", "busy", 3.7)), alaw(tone("cn", "dial", 3.7))
    first = [[what for _, what in heard] for heard in said(detector, lines)]
    assert {row: heard for row, heard in enumerate(first) if heard} == {3: ["busy"], 68: ["dial"]}
    detector.reset(3)
    again = said(detector, lines[:10])
    assert [row for row, heard in enumerate(again) if heard] == [3]


def test_a_cadence_that_others_contain_is_asked_for_at_greater_length() -> None:
    """Spain's busy tone, 200 ms on and off, is a part of its congestion."""
    def lengths(*names: str) -> set[int]:
        patterns = country_patterns([(name, COUNTRIES["es"][name]) for name in names])
        return {len(pattern.runs) for pattern in patterns if pattern.name == "busy"}

    assert (lengths("ringback", "busy"), lengths("ringback", "busy", "congestion")) == ({5}, {7})


def test_the_table_of_a_country() -> None:
    """China's congestion is longer than other countries' busy tones."""
    made = configured("cn", Settings())
    assert made.keys() == DETECTORS.keys()
    line = alaw(tone("cn", "congestion"))
    assert [[what for _, what in said(table["progress"](1), [line])[0]] for table in (made, DETECTORS)] == [
        ["congestion"], ["busy"]]


def test_an_unknown_country() -> None:
    with pytest.raises(KeyError):
        Progress(1, "atlantis")
