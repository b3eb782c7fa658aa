"""Who answered: greetings of espeak-ng over lines of all sorts; the long table is in docs/."""

from collections.abc import Sequence

import numpy as np
import pytest

from appliance.config.schema import MachineConfig
from appliance.media import tones
from appliance.media.detect.machine import Machine, Settings
from tests.media.detect import corpus, greetings
from tests.media.detect.greetings import Answer, beeps, heard, nobody, over, verdict
from tests.media.detect.receivers import MS, Samples, alaw, said

SECOND = 1000 * MS


@pytest.fixture(scope="module")
def answered() -> list[Answer]:
    return greetings.answers(corpus.VOICES[:1], texts=3) + nobody(2)


def share(answered: Sequence[Answer], line: str, who: str, right: str) -> float:
    results = zip(answered, heard(over(line, answered)), strict=True)
    return float(np.mean([verdict(each)[1] == right for answer, each in results if answer.who == who]))


@pytest.mark.parametrize("line", ["clear", "noise -45 dBm0", "noise -38 dBm0"])
def test_most_answers_are_told_apart(answered: list[Answer], line: str) -> None:
    assert share(answered, line, "person", "person") >= 0.95
    assert share(answered, line, "machine", "machine") >= 0.8
    assert share(answered, line, "nobody", "silence") == 1


def test_a_person_need_not_wait_and_all_are_decided_in_time(answered: list[Answer]) -> None:
    """Within 2 s of the last word, as rules for silent calls ask; within 6 s of the answer in any case."""
    for answer, each in zip(answered, heard(over("clear", answered)), strict=True):
        at_s, what = verdict(each)
        assert at_s <= 6.0
        assert [what for _, what in each if what in greetings.VERDICTS] == [what]
        if answer.who == "person":
            assert at_s - answer.ends_s <= 1.0


def test_beeps_are_heard_when_they_end(answered: list[Answer]) -> None:
    counts = np.array([beeps(answer, each) for answer, each in zip(
        answered, heard(over("noise -45 dBm0", answered)), strict=True)])
    assert counts[:, 0].sum() == sum(answer.beep_s is not None for answer in answered) > 5
    assert counts[:, 1].sum() == 0


def burst(hz: Sequence[float], ms: int) -> Samples:
    tone = tones.sines(tuple(hz), (-15,) * len(hz), ms * MS)
    return np.concatenate([np.zeros(SECOND), tone, np.zeros(SECOND)])


@pytest.mark.parametrize(("line", "is_beep"), [
    (burst([1000], 200), True), (burst([440], 500), True), (burst([2000], 1500), True),
    (burst([1000], 60), False), (burst([2100], 3000), False), (burst([697, 1209], 500), False),
    (burst([150], 500), False),
])
def test_what_is_a_beep(line: Samples, is_beep: bool) -> None:
    """Not a click, not a fax machine, not a digit, not hum."""
    assert ("beep" in [what for _, what in said(Machine(1), [alaw(line)])[0]]) == is_beep


@pytest.mark.parametrize("noise_dbm0", [-60, -40, -30])
def test_noise_from_the_answer_on_is_silence(noise_dbm0: float) -> None:
    random = np.random.default_rng(3)
    noise = random.normal(0, greetings.noise_rms(noise_dbm0), 5 * SECOND)
    assert [what for _, what in said(Machine(1), [alaw(noise)])[0]] == ["silence"]


def voice(seconds: float, loudness: float = 4000) -> Samples:
    size = int(seconds * SECOND)
    noise: Samples = np.random.default_rng(4).normal(0, loudness, size)
    noise *= 1 + np.sin(np.arange(size) / 300)
    return noise


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * SECOND))


def verdicts(parts: Sequence[Samples], **settings: float) -> list[tuple[float, str]]:
    """What is said of a line, and when."""
    [each] = said(Machine(1, Settings(**settings)), [alaw(np.concatenate(parts))])
    return [(round(end / SECOND, 1), what) for end, what in each]


TWO_SENTENCES = [quiet(0.5), voice(1.2), quiet(0.8), voice(1), quiet(5)]


@pytest.mark.parametrize(("settings", "at_s", "verdict"), [
    ({}, 4.4, "person"), ({"sentence_pause_s": 0.7}, 2.4, "person"), ({"greeting_s": 2.6}, 3.1, "machine"),
    ({"within_s": 3.0}, 3.0, "unsure"), ({"silence_s": 0.4}, 0.4, "silence")])
def test_settings_decide(settings: dict[str, float], at_s: float, verdict: str) -> None:
    assert verdicts(TWO_SENTENCES, **settings) == [(at_s, verdict)]


def test_a_word_is_waited_after_for_less_long_than_a_sentence() -> None:
    assert verdicts([quiet(0.5), voice(0.6), quiet(5)]) == [(1.8, "person")]
    assert verdicts([quiet(0.5), voice(1.6), quiet(5)]) == [(3.0, "person")]


def test_who_only_others_are_heard_of_waits() -> None:
    """A person says a sentence, and somebody else in the room talks on, 12 dB below."""
    assert verdicts([quiet(0.5), voice(1.5), voice(5, 1000)]) == [(3.3, "person")]
    assert verdicts([quiet(0.5), voice(1.5), voice(5, 3000)]) == [(4.7, "machine")]


@pytest.mark.parametrize(("words_s", "verdict"), [(0.6, "machine"), (0.0, "person")])
def test_a_beep_after_words_is_a_machines(words_s: float, verdict: str) -> None:
    """Before any word it may be a telephone's."""
    beep = tones.sines((1000.0,), (-15.0,), 400 * MS).astype(float)
    heard = verdicts([quiet(0.5), voice(words_s), quiet(0.5 if words_s else 0), beep, quiet(3)])
    assert sorted(what for _, what in heard) == sorted(["beep", verdict])


def test_the_document_says_by_default_what_is_the_detectors_own() -> None:
    assert Settings(**MachineConfig().model_dump()) == Settings()


def test_rows_begin_anew_at_the_answer() -> None:
    detector, quiet = Machine(66), np.zeros(3 * SECOND, np.int16)
    assert all([what for _, what in each] == ["silence"] for each in said(detector, [quiet] * 66))
    detector.reset(65)
    assert [row for row, each in enumerate(said(detector, [quiet] * 66)) if each] == [65]
