"""Finished recordings: the work of making and reading the file of a ten-minute call, and its size."""

import io
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from appliance.bus.messages import RecordedFacts, Request
from appliance.config.schema import Config
from appliance.media.ring import Ring
from appliance.recording.audio import Format, Peaks, Silences, decode, encode
from appliance.recording.finishing import finish
from appliance.recording.journal.taker import END_TICKS
from appliance.recording.wav import CHANNELS, TICK_OCTETS, TICKS_PER_S
from e1_driver import BLOCK
from hil_tests.instruments import audio
from tests.bench.figures import Kind, Say, Theme
from tests.bench.hearing import SECONDS
from tests.bench.pure import cpu_s
from tests.recording.audio.talk import talk
from tests.recording.power import subject

CALL_S = 600.0
MEGA = 1e6
STEP_OCTETS = 100 * TICK_OCTETS                   # a second
CONFIG = {"spans": [{"name": "e1", "url": "virtual:/tmp/none/a", "side": "user", "trunk": "telco"}]}
FINISHED = "finished, opus: all of it"


def once(say: Say) -> dict[str, float]:
    spoken = talk(round(CALL_S / SECONDS))[0]
    line = spoken.tobytes()
    blocks = [line[at:at + STEP_OCTETS] for at in range(0, len(line), STEP_OCTETS)]
    figures = {"waveform and silences": cpu_s(partial(_look, blocks)), FINISHED: _finish_s(spoken)}
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


def _finish_s(line: audio.Octets) -> float:
    """CPU of what recordd does when that call is over, by its journal."""
    with tempfile.TemporaryDirectory() as folder:
        ring = Ring.create(Path(folder) / "ring", 1)
        parts = subject.build(Path(folder) / "state", Config.model_validate(CONFIG))
        parts.ask = _ask
        ids = np.frombuffer(bytes.fromhex(subject.recording(0, 1)), np.uint8).reshape(1, -1)
        ticks = line.reshape(-1, 1, BLOCK, CHANNELS).transpose(0, 1, 3, 2).copy()
        nobody = [(ids[:0], ticks[0, :0])] * END_TICKS
        ended: list[str] = []
        for tick, row in enumerate([*((ids, one) for one in ticks), *nobody], 1):
            ring.write(tick, *row)
            if tick % TICKS_PER_S == 0:
                ended = parts.taker.batch(ring)
                parts.taker.refill()
        [recording] = ended
        took_s = cpu_s(partial(finish, parts, recording, 0.0))
        parts.taker.close()
        parts.database.close()
        return took_s


def _ask(request: Request[Any], timeout_s: float = 2.0) -> RecordedFacts:
    """acdd: a call that has ended, to be kept small."""
    told: RecordedFacts = subject.ask(request, timeout_s)
    return replace(told, facts=[replace(one, format="small") for one in told.facts])


RECORDING_FORMATS = Theme(
    "recording_formats", f"A call of {CALL_S:g} s: caller and agent speak in turn, on a line with "
    "idle noise of -65 dBm0. The file is made of its A-law, and read again to A-law. "
    f'"{FINISHED}" is what recordd does when the call is over: read from the journal, coded, looked at, '
    "sealed, on the disk durably, in the catalogue and the chain.",
    (*(kind for format in Format for kind in (
        Kind(f"{format}: made", "CPU-s"),
        Kind(f"{format}: read", "CPU-s"),
        Kind(f"{format}: size", "MB", "at most 2" if format == "opus" else ""))),
     Kind("waveform and silences", "CPU-s"),
     Kind(FINISHED, "CPU-s", "under 1")), once)
