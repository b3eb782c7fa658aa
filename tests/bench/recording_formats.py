"""Finished recordings: the work of making and reading the file of a ten-minute call, and its size."""

import io
from functools import partial

from appliance.recording.audio import Format, Peaks, Silences, decode, encode
from appliance.recording.wav import TICK_OCTETS
from tests.bench.figures import Kind, Say, Theme
from tests.bench.hearing import SECONDS
from tests.bench.pure import cpu_s
from tests.recording.audio.talk import talk

CALL_S = 600.0
MEGA = 1e6
STEP_OCTETS = 100 * TICK_OCTETS                   # a second


def once(say: Say) -> dict[str, float]:
    line = talk(round(CALL_S / SECONDS))[0].tobytes()
    blocks = [line[at:at + STEP_OCTETS] for at in range(0, len(line), STEP_OCTETS)]
    figures = {"waveform and silences": cpu_s(partial(_look, blocks))}
    for format in Format:
        say(f"  {format}")
        pieces: list[bytes] = []
        work = encode(format, blocks, len(line) // TICK_OCTETS)
        figures[f"{format}: made"] = cpu_s(partial(pieces.extend, work))
        file = b"".join(pieces)
        figures[f"{format}: read"] = cpu_s(partial(_read, format, file))
        figures[f"{format}: size"] = len(file) / MEGA
    return figures


def _look(blocks: list[bytes]) -> None:
    looking = Peaks(), Silences()
    for block in blocks:
        for one in looking:
            one.add(block)


def _read(format: Format, file: bytes) -> None:
    for _ in decode(format, io.BytesIO(file)):
        pass


RECORDING_FORMATS = Theme(
    "recording_formats", f"A call of {CALL_S:g} s: caller and agent speak in turn, on a line with "
    "idle noise of -65 dBm0. The file is made of its A-law, and read again to A-law; nothing is written to a "
    "disk or sealed.",
    (*(kind for format in Format for kind in (
        Kind(f"{format}: made", "CPU-s", "under 1, all of finishing" if format == "opus" else ""),
        Kind(f"{format}: read", "CPU-s"),
        Kind(f"{format}: size", "MB", "at most 2" if format == "opus" else ""))),
     Kind("waveform and silences", "CPU-s")), once)
