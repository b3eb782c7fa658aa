"""python -m tests.media.detect.compare: our detectors and spandsp's side by side, into docs/detection.md.

Needs libspandsp2 and the packages that corpus.py names. Five minutes of CPU, nearly all of them talk-off.
"""

import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from appliance.media import tones
from appliance.media.detect.r2 import R2Backward, R2Forward, TwoOfSix
from appliance.media.g711 import Linear
from tests.media import spandsp
from tests.media.detect import corpus, mitel
from tests.media.detect.mitel import Pulse, Receiver
from tests.media.detect.receivers import (
    MS,
    alaw,
    cut,
    of_level,
    ours,
    register_signal,
    register_times,
    spandsps,
    spandsps_without_dial_tone,
    suspected,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "detection.md"
RECEIVERS = (ours, spandsps)
NOISE_DB = (24, 18, 12, 10, 8, 6, 4)
DIAL_TONES: dict[str, tuple[float, ...]] = {
    "350 + 440 Hz": (350, 440), "425 Hz": (425,), "450 Hz": (450,), "400 Hz": (400,)}
DIAL_DBM0 = (-30, -27, -24, -21, -18, -15, -12, -9, -6, -3)
SPEECH_DBM0 = (-30, -26, -24, -22, -20)
SPEEDS = (0.65, 0.75, 0.85, 1.07, 1.22, 1.45)     # of a recording: lower and higher voices
EACH = 40                                         # pulses of every digit

LIMITS: tuple[tuple[str, str, tuple[Pulse, ...]], ...] = (       # Q.24 annex A; the digit is put in
    ("40 ms, and pauses of 40 ms", "100 %", (Pulse("", 40, gap_ms=40),)),
    ("-25 dBm0", "100 %", (Pulse("", 40, (-25, -25)),)),
    ("high sine 4 dB stronger", "100 %", (Pulse("", 40, (-20, -16)),)),
    ("high sine 8 dB weaker", "100 %", (Pulse("", 40, (-12, -20)),)),
    ("high sine 8 dB stronger", "", (Pulse("", 40, (-20, -12)),)),
    ("both sines 1.5 % off, in turn up and down", "100 %", tuple(
        Pulse("", 40, (-12, -12), (low, high)) for low in (-0.015, 0.015) for high in (-0.015, 0.015))),
    ("a sine 3.5 % off", "0 %", tuple(
        Pulse("", 60, (-12, -12), off) for off in ((-0.035, 0), (0.035, 0), (0, -0.035), (0, 0.035)))),
    ("23 ms", "0 %", (Pulse("", 23),)),
)
REGISTER: tuple[tuple[str, str, dict[str, Any]], ...] = (        # Q.455; options of register_signal()
    ("-5 dBm0", "15", {"dbm0": (-5, -5)}),
    ("-35 dBm0", "15", {"dbm0": (-35, -35)}),
    ("7 dB of difference", "15", {"dbm0": (-20, -27)}),
    ("both 10 Hz off", "15", {"off_hz": (10, -10)}),
    ("20 dB of difference", "0", {"dbm0": (-5, -25)}),
    ("7 ms", "0", {"dbm0": (-5, -5), "on": 7 * MS}),
    ("-42 dBm0", "0", {"dbm0": (-42, -42)}),
)

Row = Sequence[str]


def main() -> int:
    print("recorded and synthetic sound", file=sys.stderr, flush=True)
    sounds = {"recorded speech": corpus.recorded(), "synthetic speech": corpus.synthetic(),
              "music on hold": corpus.music()}
    prompts = sounds["recorded speech"]["it_IT_m_Carlo"]          # thresholds were chosen with another
    PAGE.write_text(PAGE_TEXT.format(
        each=EACH, speeds=", ".join(map(str, SPEEDS)),
        sounds="\n".join(f"- {kind}: {', '.join(by_name)}" for kind, by_name in sounds.items()),
        limits=limits(), tape=tape(), dial_tones=dial_tones(), over_speech=over_speech(prompts),
        talk_off=talk_off(sounds), registers=registers()), encoding="utf-8")
    return 0


def table(head: Row, rows: Iterable[Row]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *rows))


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def limits() -> str:
    def heard(receiver: Receiver, pulses: tuple[Pulse, ...]) -> str:
        said = receiver([
            mitel.line([replace(one, digit=digit) for one in pulses] * EACH) for digit in tones.DIGITS])
        return percent(sum(map(len, said)) / (EACH * len(pulses) * len(tones.DIGITS)))

    return table(["signal", "wanted", "ours", "spandsp"], [
        [name, wanted, *(heard(by, pulses) for by in RECEIVERS)] for name, wanted, pulses in LIMITS])


def tape() -> str:
    def row(name: str, measure: Callable[[Receiver], str]) -> Row:
        return [name, *map(measure, RECEIVERS)]

    def least_to_most(pairs: Iterable[tuple[float, float]], side: int) -> str:
        figures = [pair[side] for pair in pairs]
        return f"{min(figures):g} to {max(figures):g}"

    noise = zip(NOISE_DB, *(mitel.noise(receiver, NOISE_DB) for receiver in RECEIVERS), strict=True)
    return table(["test", "ours", "spandsp"], [
        row("2 decode, 160 pulses", lambda by: percent(mitel.decode_check(by))),
        row("3 bandwidth below a frequency, %", lambda by: least_to_most(mitel.bandwidth(by).values(), 0)),
        row("3 bandwidth above a frequency, %", lambda by: least_to_most(mitel.bandwidth(by).values(), 1)),
        row("4 twist, low sine weaker, dB", lambda by: least_to_most(mitel.twist(by).values(), 0)),
        row("4 twist, high sine weaker, dB", lambda by: least_to_most(mitel.twist(by).values(), 1)),
        row("5 dynamic range, dBm0 a sine", lambda by: "{} to {:+}".format(*mitel.dynamic_range(by))),
        row("6 guard time, ms: never heard, always", lambda by: "{:g}, {:g}".format(*mitel.guard_time(by))),
        *([f"7 noise {ratio} dB below a sine, 1000", *map(percent, shares)] for ratio, *shares in noise)])


def dial_tones() -> str:
    def loudest(receiver: Receiver, hz: tuple[float, ...]) -> str:
        shares = zip(DIAL_DBM0, mitel.dial_tone(receiver, hz, DIAL_DBM0), strict=True)
        return f"{max((level for level, share in shares if share == 1), default='none')}"

    return table(["dial tone", "ours", "spandsp", "spandsp, its filter on"], [
        [name, *(loudest(receiver, hz) for receiver in (*RECEIVERS, spandsps_without_dial_tone))]
        for name, hz in DIAL_TONES.items()])


def over_speech(speech: Linear) -> str:
    digits = 60 * tones.DIGITS
    lines = [mitel.line([Pulse(digit, 70, (-13, -13)) for digit in digits], under=of_level(speech, level))
             for level in SPEECH_DBM0]
    heard = zip(SPEECH_DBM0, *(receiver(lines) for receiver in RECEIVERS), strict=True)
    return table(["speech, dBm0", "ours", "spandsp"], [
        [str(level), *(percent(len(said) / len(digits)) for said in each)] for level, *each in heard])


def talk_off(sounds: dict[str, dict[str, Linear]]) -> str:
    rows = []
    for kind, by_name in sounds.items():
        for how, speeds in (("as it is", (1.0,)), ("at other speeds", SPEEDS)):
            seconds, masked_s, digits = 0.0, 0.0, [0] * len(RECEIVERS)
            for samples, speed in itertools.product(by_name.values(), speeds):
                lines = cut(played(samples, speed))
                here_s = samples.size / speed / tones.SAMPLE_RATE_HZ
                seconds += here_s
                masked_s += suspected(lines) * here_s
                digits = [so_far + sum(map(len, receiver(lines)))
                          for so_far, receiver in zip(digits, RECEIVERS, strict=True)]
            rows.append([f"{kind}, {how}", f"{seconds / 60:,.0f}", *(
                f"{count}, {3600 * count / seconds:.2g}" for count in digits), percent(masked_s / seconds)])
            print(*rows[-1], file=sys.stderr, flush=True)
    return table(["sound", "minutes", "ours: digits, an hour", "spandsp: digits, an hour",
                  "ours: blocks suspected"], rows)


def played(samples: Linear, speed: float) -> Linear:
    """The recording at another speed, its pitch with it."""
    return alaw(np.interp(np.arange(0, samples.size - 1, speed), np.arange(samples.size), samples))


def registers() -> str:
    def row(name: str, kind: type[TwoOfSix], what: str, wanted: str, options: dict[str, Any]) -> Row:
        starts = [7 * place for place in range(15)]               # anywhere in a block
        lines = [register_signal(kind, place, start=starts[place], **options) for place in range(15)]
        on = options.get("on", 60 * MS)
        ours_ms = [times for times in register_times(kind, lines, range(15), starts, on) if times]
        theirs = [max(spandsp.r2_signals(line, kind is R2Forward)) for line in lines]
        right = sum(said == place + 1 for place, said in enumerate(theirs))
        slowest = f"{max(sum(times) for times in ours_ms):.0f}" if ours_ms else ""
        return [f"{name}, {what}", wanted, str(len(ours_ms)), str(right), slowest]

    return table(["signals", "wanted", "ours", "spandsp", "ours: operate and release, ms at most"], [
        row(name, kind, *case) for name, kind in (("forward", R2Forward), ("backward", R2Backward))
        for case in REGISTER])


PAGE_TEXT = """\
# Detection of tones, beside spandsp

Made by `python -m tests.media.detect.compare`. spandsp is Debian's libspandsp2 (0.0.6) with its own settings;
everything passes through A-law; ours gets blocks of 10 ms. Levels are of each sine, in dBm0.

## DTMF: what administrations ask

ITU-T Q.24 annex A, the strictest of each; {each} pulses of each digit, anywhere in a block; the share heard.

{limits}
## DTMF: Mitel's tape CM7291, side 1

Synthesized after the tape's description: bandwidth in steps of 0.1 %, twist of 0.1 dB, level of 1 dB,
duration of 0.25 ms. Ranges are over the frequencies of 1, 5, 9 and D. Of level and duration more is not
always better: some administrations want nothing heard below -29 dBm0, others 23 ms to be no digit.

{tape}
## DTMF: with a dial tone

The loudest dial tone (each frequency, dBm0) under which all of 48 digits of -15 dBm0 are heard.

{dial_tones}
## DTMF: over speech

A caller dials while a prompt comes back as an echo: digits of 70 ms and -13 dBm0, speech of the active level.

{over_speech}
## DTMF: talk-off

Nobody dials here: whatever is heard is wrong. `tests/media/detect/corpus.py` tells where the sounds come
from; played at other speeds ({speeds}) they are other voices. What our receiver asks of a
digit of 50 ms was chosen with the same recordings at 0.7, 0.8, 0.9, 1.0, 1.15, 1.3 and 1.5 in hand, not with
these other speeds. A suspected block is kept from listeners and recordings only while digits are masked.

{sounds}

{talk_off}
## System R2

How many of 15 signals of 60 ms are heard, and should be (ITU-T Q.455). Operate and release time together may
be 80 ms.

{registers}"""

if __name__ == "__main__":
    sys.exit(main())
