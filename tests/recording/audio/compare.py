"""python -m tests.recording.audio.compare: size, work and sound of recordings; docs/recording-formats.md.

Needs ffmpeg, which decodes what is judged and shows what a usual stereo file is like. With visqol-python
installed there is its figure too, which takes minutes.
"""

import contextlib
import importlib
import io
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from pesq import pesq

from appliance.recording.audio import Format, decode, encode, opus
from appliance.recording.wav import SILENCE, TICK_OCTETS
from hil_tests.instruments import audio
from tests.bench.figures import machine
from tests.bench.hearing import SECONDS
from tests.recording.audio.talk import talk

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recording-formats.md"
BEGIN, END = "<!-- made by the command: begin -->", "<!-- made by the command: end -->"
CALL_S = 600.0
TURNS = round(CALL_S / SECONDS)
JUDGED_TURNS = 10
MEGA = 1e6
TURN = round(SECONDS * audio.RATE_HZ)
AFTER_SPEECH = audio.RATE_HZ                      # samples after which a side that stopped is idle

SETTINGS: tuple[tuple[str, dict[str, int]], ...] = (
    ("as chosen", {}),
    ("every packet coded", {"QUIET_STEPS": -1}),
    ("silence at the rate of speech", {"QUIET_BITS_PER_S": opus.BITS_PER_S}),
    ("silence at 8 kbit/s", {"QUIET_BITS_PER_S": 8_000}),
    ("24 kbit/s", {"BITS_PER_S": 24_000}),
    ("32 kbit/s", {"BITS_PER_S": 32_000}),
    ("complexity 5", {"COMPLEXITY": 5}),
)

DECODERS = {"libopus": "libopus", "ffmpeg's own": "opus"}            # as ffmpeg calls them

Coder = Callable[[bytes], bytes]


class Judged(NamedTuple):
    megaoctets: float                             # of a call of CALL_S
    work_s: float                                 # CPU
    marks: list[tuple[float, float]]              # PESQ, mean and worst, by each of DECODERS
    visqol: float | None
    idle_db: float                                # how much louder an idle line gets
    leak_db: float                                # of the caller into the agent's silent side


def ours(octets: bytes) -> bytes:
    return b"".join(encode(Format.OPUS, [octets], len(octets) // TICK_OCTETS))


def stereo(octets: bytes) -> bytes:
    """The usual Opus of two channels, which libopus codes together; the rate is that of ours."""
    return _ffmpeg(octets, "-f", "alaw", "-ar", "8000", "-ac", "2", "-i", "-", "-c:a", "libopus", "-b:a",
                   str(opus.BITS_PER_S), "-application", "voip", "-compression_level", "0",
                   "-frame_duration", "60", "-f", "ogg", "-")


def judge(coder: Coder) -> Judged:
    line, spoken = talk(TURNS)
    file, work_s = _timed(lambda: coder(line.tobytes()))
    few, spoken = line[:JUDGED_TURNS * TURN].copy(), spoken[:JUDGED_TURNS]
    coded, marks = coder(few.tobytes()), []
    for decoder in DECODERS.values():
        heard = _heard(coded, decoder)
        pairs = [(audio.expand(few[_turn(number), side]), heard[_turn(number), side])
                 for number, (side, _) in enumerate(spoken)]
        found = [float(pesq(audio.RATE_HZ, *(one.astype(np.int16) for one in pair), "nb")) for pair in pairs]
        marks.append((statistics.mean(found), min(found)))
    quiet = [(audio.expand(few[_turn(number), 1 - side][AFTER_SPEECH:]),
              heard[_turn(number), 1 - side][AFTER_SPEECH:]) for number, (side, _) in enumerate(spoken)]
    idle_db = 10 * np.log10(np.var([one for _, one in quiet]) / np.var([one for one, _ in quiet]))
    few[:, 1] = SILENCE[0]
    alone = _heard(coder(few.tobytes()), "libopus")
    leak = np.mean((alone[:, 1] - audio.expand(few[:, 1])) ** 2) / np.mean(alone[:, 0] ** 2)
    return Judged(len(file) / MEGA, work_s, marks, _visqol(pairs), float(idle_db),
                  10 * np.log10(max(float(leak), 1e-12)))


def exact(format: Format, line: bytes) -> list[str]:
    file, coding_s = _timed(lambda: b"".join(encode(format, [line], len(line) // TICK_OCTETS)))
    again, decoding_s = _timed(lambda: b"".join(decode(format, io.BytesIO(file))))
    return [str(format), f"{len(file) / MEGA:.2f}", f"{coding_s:.2f}", f"{decoding_s:.2f}",
            "yes" if again == line else "no"]


def page() -> Iterator[str]:
    yield f"Measured on {machine()}.\n"
    lines = {"in turn": talk(TURNS)[0], "in turn, line without noise": talk(TURNS, None)[0],
             "both speak all the time": talk(TURNS, together=True)[0]}
    yield from _table(
        ("format, 10 minutes", "megaoctets", "CPU, coding, s", "CPU, decoding, s", "octets of the line"),
        [[f"{row[0]}, {name}", *row[1:]]
         for name, line in lines.items()
         for row in (exact(format, line.tobytes()) for format in Format)])
    rows = []
    for name, settings in SETTINGS:
        with contextlib.ExitStack() as changed:
            for key, value in settings.items():
                changed.enter_context(mock.patch.object(opus, key, value))
            rows.append((f"Opus, {name}", judge(ours)))
    rows.append(("Opus as ffmpeg writes stereo", judge(stereo)))
    yield from _table(
        ("10 minutes, in turn", "megaoctets", "CPU, coding, s",
         *(f"PESQ by {name}: mean, worst" for name in DECODERS), "ViSQOL", "idle line, dB louder",
         "caller on the agent's side, dB"),
        [[name, f"{of.megaoctets:.2f}", f"{of.work_s:.2f}",
          *(f"{mean:.2f}, {worst:.2f}" for mean, worst in of.marks),
          "" if of.visqol is None else f"{of.visqol:.2f}", f"{of.idle_db:+.1f}", f"{of.leak_db:.0f}"]
         for name, of in rows])


def main() -> int:
    tables = "".join(f"{line}\n" for line in page())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{tables}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


def _turn(number: int) -> slice:
    return slice(number * TURN, (number + 1) * TURN)


def _timed(work: Callable[[], bytes]) -> tuple[bytes, float]:
    """CPU of this process and of those that it waited for."""
    began = os.times()
    done = work()
    return done, sum(os.times()[:4]) - sum(began[:4])


def _heard(file: bytes, decoder: str) -> audio.Samples:
    """[sample, side]"""
    raw = _ffmpeg(file, "-c:a", decoder, "-i", "-", "-f", "s16le", "-ar", "8000", "-")
    return np.frombuffer(raw, "<i2").reshape(-1, 2).astype(np.float64)


def _ffmpeg(octets: bytes, *arguments: str) -> bytes:
    return subprocess.run(("ffmpeg", "-v", "error", *arguments), input=octets, check=True,
                          stdout=subprocess.PIPE).stdout


def _visqol(pairs: Sequence[tuple[audio.Samples, audio.Samples]]) -> float | None:
    """Mean MOS-LQO of its speech mode, at 16 kHz; None: it is not installed."""
    try:
        judge = importlib.import_module("visqol").VisqolApi()
    except ImportError:
        return None
    judge.create(mode="speech", use_lattice_model=False)
    found = []
    for said, heard in pairs:
        wide = [np.interp(np.arange(2 * TURN) / 2, np.arange(TURN), one) / audio.FULL_SCALE
                for one in (said, heard)]
        found.append(float(judge.measure_from_arrays(*wide, 2 * audio.RATE_HZ).moslqo))
    return statistics.mean(found)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Without the columns in which nothing is."""
    head, *rows = zip(*(column for column in zip(head, *rows, strict=True) if any(column[1:])), strict=True)
    yield f"| {' | '.join(head)} |"
    yield re.sub(r"[^|]+", " --- ", f"|{'|'.join(head)}|")
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
