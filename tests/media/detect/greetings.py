"""Answered calls by espeak-ng: people, companies and machines in seven languages, on all sorts of lines."""

import os
import tomllib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from appliance.media import tones
from appliance.media.detect.machine import Machine, Settings
from appliance.media.g711 import PEAK_0DBM0, Linear
from tests.media.detect import corpus
from tests.media.detect.receivers import Samples, alaw, said

Voice = tuple[str, int, int]                      # of corpus.VOICES

SECOND = tones.SAMPLE_RATE_HZ
LINES: dict[str, tuple[float, float | None]] = {                 # noise dBm0, other talk dB below the answer
    "clear": (-70, None), "noise -55 dBm0": (-55, None), "noise -45 dBm0": (-45, None),
    "noise -38 dBm0": (-38, None), "talk 20 dB below": (-60, 20), "talk 12 dB below": (-60, 12)}
VERDICTS = ("person", "machine", "silence", "unsure")
SPEECH_DBM0 = (-26.0, -12.0)
TEXTS: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("greetings.toml").read_text(encoding="utf-8"))

_UNTIL_WORD_S = 0.5                               # from the answer, on the average
_WITH_BEEP = 0.8                                  # of the machines
_BEEP_HZ, _BEEP_S = (420, 1600), (0.2, 1.0)
_LENGTH_S = 26
_UNTIL_MACHINE_S = 1.8                            # from the answer to the first word of nearly all
_NEAR_S = 0.2                                     # of the beep's end


@dataclass(frozen=True)
class Answer:
    """`samples` from the moment of answer; the speech ends at `ends_s`, a machine's beep at `beep_s`."""

    who: str
    samples: Samples
    ends_s: float
    beep_s: float | None = None


def answers(voices: Sequence[Voice], texts: int | None = None, seed: int = 1) -> list[Answer]:
    """Each text, or the first `texts` of a language, in each of the voices."""
    jobs = [(who, language, text, voice) for who, by_language in TEXTS.items()
            for language, all_texts in by_language.items() for text in all_texts[:texts]
            for voice in voices]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        spoken = list(pool.map(lambda job: _speech(*job[1:]), jobs))
    random = np.random.default_rng(seed)
    return [_answer(who, parts, random) for (who, *_), parts in zip(jobs, spoken, strict=True)]


def nobody(count: int) -> list[Answer]:
    return [Answer("nobody", np.zeros(_LENGTH_S * SECOND), 0.0)] * count


def over(line: str, answered: Sequence[Answer], seed: int = 2) -> list[Linear]:
    """What arrives of each answer over one of LINES."""
    noise_dbm0, below_db = LINES[line]
    random = np.random.default_rng(seed)
    talk = corpus.recorded()["codec2"].astype(np.float64) if below_db is not None else np.zeros(0)
    arrived = []
    for answer in answered:
        level_dbm0 = random.uniform(*SPEECH_DBM0)
        samples = answer.samples * 10 ** (level_dbm0 / 20)
        if below_db is not None:
            other = talk[random.integers(0, talk.size - samples.size):][:samples.size]
            samples += other * (noise_rms(level_dbm0 - below_db) / _rms(other))
        samples += random.normal(0, noise_rms(noise_dbm0), samples.size)
        arrived.append(alaw(samples))
    return arrived


def heard(lines: Sequence[Linear], settings: Settings | None = None) -> list[list[tuple[float, str]]]:
    """For each line when the detector said what, in seconds from the answer."""
    return [[(end / SECOND, what) for end, what in each]
            for each in said(Machine(len(lines), settings), lines)]


def verdict(said_of_one: Sequence[tuple[float, str]]) -> tuple[float, str]:
    return next((at_s, what) for at_s, what in said_of_one if what in VERDICTS)


def beeps(answer: Answer, said_of_one: Sequence[tuple[float, str]]) -> tuple[int, int]:
    """Was the one that there is heard, 1 or 0, and how many others."""
    heard_s = [at_s for at_s, what in said_of_one if what == "beep"]
    right = answer.beep_s is not None and any(abs(at_s - answer.beep_s) < _NEAR_S for at_s in heard_s)
    return int(right), len(heard_s) - int(right)


def confusion(answered: Sequence[Answer], line: str) -> list[list[str]]:
    """For each sort of answer a row: line, answer, count, verdicts, time after the speech, beeps."""
    results = list(zip(answered, heard(over(line, answered)), strict=True))
    rows = []
    for who in dict.fromkeys(answer.who for answer in answered):
        of = [(answer, each) for answer, each in results if answer.who == who]
        count = Counter(verdict(each)[1] for _, each in of)
        waited_s = [verdict(each)[0] - answer.ends_s for answer, each in of
                    if who in ("person", "company") and verdict(each)[1] == "person"]
        right, wrong = np.sum([beeps(answer, each) for answer, each in of], axis=0)
        with_beep = sum(answer.beep_s is not None for answer, _ in of)
        rows.append([line, who, str(len(of)), *(f"{100 * count[one] / len(of):.0f} %" for one in VERDICTS),
                     f"{np.quantile(waited_s, 0.95):.1f} s" if waited_s else "",
                     f"{right} of {with_beep}" if with_beep else "", str(wrong)])
    return rows


def certainty(answered: Sequence[Answer], line: str, greeting_s: float) -> list[str]:
    """What `greeting_s` buys: who is right, and when a machine is known for one."""
    results = list(zip(answered, heard(over(line, answered), Settings(
        greeting_s=greeting_s, within_s=greeting_s + _UNTIL_MACHINE_S)), strict=True))
    shares = [float(np.mean([verdict(each)[1] == right for answer, each in results if answer.who == who]))
              for who, right in (("person", "person"), ("company", "person"), ("machine", "machine"))]
    known_s = [verdict(each)[0] for answer, each in results
               if answer.who == "machine" and verdict(each)[1] == "machine"]
    return [line, f"{greeting_s:g} s", *(f"{100 * share:.0f} %" for share in shares),
            f"{np.median(known_s):.1f} s"]


def noise_rms(dbm0: float) -> float:
    return float(PEAK_0DBM0 / np.sqrt(2) * 10 ** (dbm0 / 20))


def _speech(language: str, text: str, voice: Voice) -> list[Linear]:
    variant, pitch, speed = voice
    return [corpus.speech(language + variant, part, pitch, speed) for part in text.split(" - ")]


def _answer(who: str, parts: Sequence[Linear], random: np.random.Generator) -> Answer:
    """Speech at 0 dBm0, a machine's beep 2 dB below."""
    pieces = [np.zeros(int(random.gamma(3, _UNTIL_WORD_S / 3) * SECOND) + SECOND // 20)]
    for part in parts:
        speech = _trimmed(part.astype(np.float64))
        pieces += [speech * (noise_rms(0) / _rms(speech)),
                   np.zeros(int(random.uniform(0.4, 0.9) * SECOND))]
    ends_s, beep_s = sum(piece.size for piece in pieces[:-1]) / SECOND, None
    if who == "machine" and random.random() < _WITH_BEEP:
        hz, length_s = random.uniform(*_BEEP_HZ), random.uniform(*_BEEP_S)
        pieces.append(tones.sines((hz,), (-2,), int(length_s * SECOND)))
        beep_s = sum(piece.size for piece in pieces) / SECOND
    whole = np.concatenate(pieces)[:_LENGTH_S * SECOND]
    return Answer(who, np.pad(whole, (0, _LENGTH_S * SECOND - whole.size)), ends_s, beep_s)


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 50)
    return samples[loud[0]:loud[-1] + 1]


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.square(samples).mean()))
