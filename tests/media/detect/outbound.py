"""python -m tests.media.detect.outbound: the figures of docs/detection-outbound.md.

Needs libspandsp2, espeak-ng, sox and the packages that corpus.py names; some minutes of CPU.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from appliance.media import g711, tones
from appliance.media.detect import Detector
from appliance.media.detect.fax import Fax
from appliance.media.detect.machine import Machine
from appliance.media.detect.progress import NAMES, Progress
from appliance.media.g711 import Linear
from appliance.media.tones import COUNTRIES, Tone
from e1_driver import BLOCK
from tests.media import spandsp
from tests.media.detect import corpus, greetings
from tests.media.detect.receivers import Samples, alaw, said

PAGE = Path(__file__).resolve().parents[3] / "docs" / "detection-outbound.md"
SECOND = tones.SAMPLE_RATE_HZ
VOICES = corpus.VOICES[3:]                        # the settings of Machine were chosen with the others
NOBODY = 24
CALLS = 6                                         # of each tone of each country
NOISE_DB = (30, 20, 15)                           # below the tone
SOME = ("cn", "de", "gb", "us")                   # whose receivers hear the talk
FAX_NAMES = {"cng": "cng", "ans": "ced", "ans reversed": "ced", "ansam": "ansam", "ansam reversed": "ansam"}
ROWS_AT_ONCE = (30, 480)
GREETINGS_S = (2.6, 3.4, 4.2, 5.0)                # of Settings, to compare


def main() -> None:
    answered = greetings.answers(VOICES) + greetings.nobody(NOBODY)
    confusion = [row for line in greetings.LINES for row in greetings.confusion(answered, line)]
    certainty = [greetings.certainty(answered, line, greeting_s)
                 for line in ("clear", "talk 12 dB below") for greeting_s in GREETINGS_S]
    sounds = {"recorded speech": corpus.recorded(), "synthetic speech": corpus.synthetic(),
              "music on hold": corpus.music()}
    PAGE.write_text(PAGE_TEXT.format(
        progress=progress(), fax=fax(), talk_off=talk_off(sounds),
        cpu=cpu(sounds["recorded speech"]["codec2"]),
        answers=table(["line", "answered by", "calls", *greetings.VERDICTS, "\"person\" said after, 95 %",
                       "beeps heard", "false"], confusion),
        certainty=table(["line", "greeting_s", "persons right", "companies right", "machines right",
                         "known for a machine after (median)"], certainty)), encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def calls(tone: Tone, octets: g711.Octets, noise_db: float, seed: int) -> list[Linear]:
    """CALLS lines: from anywhere in the cadence on, up to 3 % too fast or slow, 0 to 18 dB less."""
    random = np.random.default_rng(seed)
    once = g711.decode(octets).astype(np.float64)
    lines = []
    for call in range(CALLS):
        begins = random.integers(0, once.size) if call % 2 else 0
        length = 13 * SECOND - begins % SECOND
        played = np.tile(once, 2 + 15 * SECOND // once.size)[begins:]
        slow = 1 + random.uniform(-0.01, 0.01) * (1 if tone.by_turns else 3)
        samples: Samples = np.interp(np.arange(length) * slow, np.arange(played.size), played)
        samples *= 10 ** (-random.uniform(0, 18) / 20)
        power = np.square(samples[np.abs(samples) > np.abs(samples).max() / 8]).mean()
        quiet = np.zeros(random.integers(0, SECOND // 2))
        line = np.concatenate([quiet, samples])
        lines.append(alaw(line + random.normal(0, np.sqrt(power) * 10 ** (-noise_db / 20), line.size)))
    return lines


def progress() -> str:
    """For each noise the share of calls of all countries in which just the right tone was said."""
    rows = []
    for noise_db in NOISE_DB:
        right = {"ours": [0, 0], "spandsp": [0, 0]}
        for country, plan in COUNTRIES.items():
            names = distinct(plan)
            for seed, name in enumerate(names):
                lines = calls(plan[name], tones.loop(country, name), noise_db, seed)
                ours = said(Progress(len(lines), country), lines)
                right["ours"][0] += sum([what for _, what in heard] == [name] for heard in ours)
                right["ours"][1] += len(lines)
                if not plan[name].by_turns:
                    known = [one for one in names if not plan[one].by_turns]
                    theirs = [spandsp.supervisory_tones([elements(plan[one]) for one in known], line)
                              for line in lines]
                    right["spandsp"][0] += sum({code for code in codes if code >= 0} == {known.index(name)}
                                               for codes in theirs)
                    right["spandsp"][1] += len(lines)
        rows.append([f"{noise_db} dB", *(
            f"{100 * good / of:.1f} % of {of:,}" for good, of in right.values())])
        print(*rows[-1], file=sys.stderr, flush=True)
    return table(["noise below the tone", "ours", "spandsp"], rows)


def distinct(plan: dict[str, Tone]) -> list[str]:
    """The tones that do not sound as long as one before: the cadence cannot tell those apart."""
    cadences = [plan[name].cadence_ms for name in NAMES]
    return [name for at, name in enumerate(NAMES) if cadences.index(cadences[at]) == at]


def elements(tone: Tone) -> list[tuple[int, int, int, int]]:
    """For spandsp: the same tolerances as ours."""
    first, second = tone.hz[0], tone.hz[1] if len(tone.hz) > 1 else 0
    if not tone.cadence_ms:
        return [(first, second, 2300, 0)]
    return [(first, second, int(ms * 0.9) - 20, int(ms * 1.1) + 20) if at % 2 == 0 else
            (0, 0, int(ms * 0.9) - 20, int(ms * 1.1) + 20) for at, ms in enumerate(tone.cadence_ms)]


def fax() -> str:
    rows = []
    for name, ours_name in FAX_NAMES.items():
        sent = spandsp.connect_tone(name, 4 * SECOND).astype(np.float64)
        power = np.square(sent[np.abs(sent) > np.abs(sent).max() / 8]).mean()
        for below_db, noise_db in ((0, 40), (25, 20), (0, 15)):
            random = np.random.default_rng(3)
            lines = []
            for start in range(0, BLOCK, BLOCK // CALLS + 1):
                line = np.concatenate([np.zeros(SECOND // 4 + start), sent, np.zeros(SECOND)])
                line += random.normal(0, np.sqrt(power) * 10 ** (-noise_db / 20), line.size)
                lines.append(alaw(line * 10 ** (-below_db / 20)))
            want = [ours_name, "reversal"] if name.endswith("reversed") else [ours_name]
            ours = sum([what for _, what in heard] == want for heard in said(Fax(len(lines)), lines))
            theirs = sum(spandsp.CONNECT_TONES[name] in spandsp.connect_tones(name, line) for line in lines)
            level_dbm0 = 10 * np.log10(2 * power) - 20 * np.log10(g711.PEAK_0DBM0) - below_db
            rows.append([" + ".join(want), f"{level_dbm0:.0f} dBm0", f"{noise_db} dB",
                         f"{ours} of {len(lines)}", f"{theirs} of {len(lines)}"])
    return table(["spandsp sends", "level", "noise below", "ours", "spandsp"], rows)


def talk_off(sounds: dict[str, dict[str, Linear]]) -> str:
    """Everything said while nobody signals, by sort of sound."""
    ours: dict[str, Callable[[int], Detector]] = {
        **{f"progress {country}": partial(Progress, country=country) for country in SOME},
        "progress, any country": Progress, "fax": Fax, "beep": Machine}
    theirs: dict[str, Callable[[Linear], int]] = {
        **{f"progress {country}": partial(_reported_progress, country) for country in SOME},
        "fax": _reported_fax}
    rows = []
    for kind, by_name in sounds.items():
        lines = [alaw(samples) for samples in by_name.values()]
        minutes = sum(line.size for line in lines) / SECOND / 60
        cut = [part for line in lines for part in np.array_split(line, 64)]
        for name, made in ours.items():
            count = sum(what not in greetings.VERDICTS for start in range(0, len(cut), 64)
                        for heard in said(made(64), cut[start:start + 64]) for _, what in heard)
            rows.append([kind, f"{minutes:.0f}", name, str(count),
                         str(sum(map(theirs[name], lines))) if name in theirs else ""])
            print(*rows[-1], file=sys.stderr, flush=True)
    return table(["sound", "minutes", "detector", "ours", "spandsp"], rows)


def _reported_progress(country: str, line: Linear) -> int:
    tones_of_it = [elements(COUNTRIES[country][name]) for name in NAMES if name != "sit"]
    return sum(code >= 0 for code in spandsp.supervisory_tones(tones_of_it, line))


def _reported_fax(line: Linear) -> int:
    return sum(code > 0 for name in spandsp.CONNECT_TONES for code in spandsp.connect_tones(name, line))


def cpu(speech: Linear) -> str:
    rows = []
    makes: dict[str, Callable[[int], Detector]] = {
        "progress": partial(Progress, country="cn"), "fax": Fax, "machine": Machine}
    for name, made in makes.items():
        costs = []
        for count in ROWS_AT_ONCE:
            lines = np.stack([np.resize(np.roll(speech, 777 * row), 4 * SECOND) for row in range(count)])
            detector = made(count)
            times_s = []
            for at in range(0, lines.shape[1], BLOCK):
                block = np.ascontiguousarray(lines[:, at:at + BLOCK])
                begun_s = time.thread_time()
                detector.feed(block)
                times_s.append(time.thread_time() - begun_s)
            costs.append(f"{1e6 * float(np.median(times_s)) / count:.2f} us")
        rows.append([name, *costs])
    return table(["detector", *(f"{count} rows" for count in ROWS_AT_ONCE)], rows)


PAGE_TEXT = """# Detection on outbound calls

Made by `python -m tests.media.detect.outbound`. spandsp is Debian's libspandsp2 (0.0.6); everything passes
through A-law.

## Call progress

All tones of `appliance/media/tones.py` that a country's cadences tell apart, {calls_text} calls of each:
joined anywhere, up to 3 % too fast or too slow (the special information tone 1 %), about -10 to -28 dBm0.
Right is a call in which exactly this tone is said, once. spandsp's receiver is told the same frequencies and
the same limits of time, nothing of modulated tones, and is not asked for the special information tone.

{progress}

## Fax

Sent by spandsp, at several places of a block. Right is exactly this; V.21's preamble is in the tests.

{fax}

## Answering machines

Greetings of `tests/media/detect/greetings.toml` at -12 to -26 dBm0 in {voices_text} voices of espeak-ng; the
settings were chosen with other voices, but with mostly the same greetings.
"person" is a word or a short sentence, "company" a person who answers for one, "machine" goes on for 4 to
20 s and mostly beeps; "talk" is somebody else in the room, all the time. No recorded person answers here:
real calls will be worse. Everything is decided within 6 s of the answer.

{answers}

A company's greeting is told from a machine's by its length alone, so that `media.machine.greeting_s` buys
certainty with time; `within_s` grows with it here:

{certainty}

## Talk-off

Nobody signals here; whatever is said is wrong, but for the beeps that the recorded speech has: one `beep.wav`
in each of five languages.

{talk_off}

## Cost

CPU of a block of 10 ms for each row, while people talk.

{cpu}
""".replace("{calls_text}", str(CALLS)).replace("{voices_text}", str(len(VOICES)))


if __name__ == "__main__":
    main()
