"""Sounds on their way to be prompts: read from files and engines, cut, levelled, drawn. 8000 Hz, linear."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from appliance.config.sources import SpeechConfig
from appliance.errors import StateError
from appliance.media import g711, voice
from appliance.recording.prompts.decoder import LONGEST_S

LEVELS_DBM0 = (-40.0, -6.0)                       # that a prompt can be given
SHORTEST_MS = 20
MOST_PEAKS = 2000
TEXT_MOST = 2000                                  # characters

_DECODER = (sys.executable, "-I", "-X", "utf8", "-m", "appliance.recording.prompts.decoder")
_DECODER_S = 90.0                                 # by the wall clock
_ONE = threading.Lock()                           # file at a time: each may take its memory
_TURN_S = 25.0                                    # of whoever asks, until the one before is read
_ENGINE_S = 60.0
_SAID = 300                                       # characters of what a program says
_FULL = 32768.0
_LOUDNESS = (np.abs(g711.decode(np.arange(256, dtype=np.uint8)).astype(np.int32)) * 255
             // 32256).clip(0, 255).astype(np.uint8)

Floats = npt.NDArray[np.float64]


def from_file(path: Path) -> tuple[Floats, str]:
    """What is in a sound file, and what kind of file it was. StateError: why it is not taken.

    Another process reads it: its memory and time have limits, and it can write nothing.
    """
    if not _ONE.acquire(timeout=_TURN_S):
        raise StateError("other files are being read: bring it again in a minute")
    try:
        return _decoded(path)
    finally:
        _ONE.release()


def _decoded(path: Path) -> tuple[Floats, str]:
    quiet = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        with path.open("rb") as file:
            done = subprocess.run(                                   # noqa: S603
                _DECODER, stdin=file, capture_output=True, timeout=_DECODER_S, env=quiet, check=False)
    except subprocess.TimeoutExpired:
        raise StateError("the file takes too long to read: save it as WAV, and bring that") from None
    except OSError as error:
        raise StateError(f"the file cannot be read: {error.strerror}") from None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode == 0:
        return np.frombuffer(done.stdout, "<f4").astype(np.float64) * _FULL, lines[-1] if lines else ""
    if done.returncode == 2 and lines:
        raise StateError(lines[-1][:_SAID])
    raise StateError("the file takes more time or memory than a sound file may, or is damaged: save it as "
                     "WAV, and bring that")


def from_text(text: str, language: str, config: SpeechConfig) -> Floats:
    """Spoken by the engine of media.speech. StateError: it cannot be."""
    text = " ".join(text.split())
    if not 0 < len(text) <= TEXT_MOST:
        raise StateError(f"text: has {len(text)} characters: 1 to {TEXT_MOST} are spoken")
    command = list(voice.command(language))
    given = voice.document([text])
    if config.command:
        voices = {str(one): name for one, name in config.voices.items()}
        filled = {"{voice}": voices.get(language, language), "{language}": language}
        command, given = list(config.command), text.encode()
        for name, value in filled.items():
            command = [word.replace(name, value) for word in command]
    try:
        spoken = subprocess.run(                                     # noqa: S603
            command, input=given, capture_output=True, timeout=_ENGINE_S, check=True)
        return g711.decode_float(voice.recording(spoken.stdout))
    except subprocess.CalledProcessError as error:
        raise StateError(f"{command[0]}: exit code {error.returncode}: look at media.speech") from None
    except subprocess.TimeoutExpired:
        raise StateError(f"{command[0]}: no sound after {_ENGINE_S:g} s: shorten the text") from None
    except OSError as error:
        raise StateError(f"{command[0]}: {error.strerror}: look at media.speech") from None
    except voice.CannotSpeak as error:
        raise StateError(str(error)) from None


def ready(samples: Floats) -> None:
    """StateError: nothing is heard, or it is longer than a prompt may be."""
    if samples.size > LONGEST_S * 8000:
        raise StateError(f"it is longer than {LONGEST_S:g} s: shorten it")
    if not samples.size or np.abs(samples).max() < 8:
        raise StateError("nothing is heard in it: bring another sound")


def shaped(octets: g711.Octets, from_ms: int, to_ms: int, trim: bool,
           level_dbm0: float | None) -> g711.Octets:
    """The same octets as far as nothing but the length changes; the ends swell and fade where it was cut.

    StateError: no such stretch or level.
    """
    length_ms = octets.size // 8
    end_ms = min(to_ms or length_ms, length_ms)
    if not 0 <= from_ms < end_ms or end_ms - from_ms < SHORTEST_MS:
        raise StateError(f"from {from_ms} to {end_ms} ms: write a stretch of at least {SHORTEST_MS} ms, "
                         f"it has {length_ms}")
    if level_dbm0 is not None and not LEVELS_DBM0[0] <= level_dbm0 <= LEVELS_DBM0[1]:
        raise StateError(f"{level_dbm0:g} dBm0: write {LEVELS_DBM0[0]:g} to {LEVELS_DBM0[1]:g}")
    cut = (from_ms, end_ms) != (0, length_ms)
    part = octets[8 * from_ms:8 * end_ms if end_ms < length_ms else octets.size]
    if not (cut or trim or level_dbm0 is not None):
        return part
    return encoded(g711.decode_float(part), trim, level_dbm0, cut=cut)


def encoded(samples: Floats, trim: bool, level_dbm0: float | None, cut: bool = False) -> g711.Octets:
    """As a prompt. StateError: nothing is heard in it."""
    ready(samples)
    if trim:
        silence = np.zeros(8 * voice.BEFORE_MS), np.zeros(8 * voice.AFTER_MS)
        samples = np.concatenate((silence[0], voice.soft(voice.heard(samples)), silence[1]))
    elif cut:
        samples = voice.soft(samples)
    if level_dbm0 is not None:
        samples = voice.at_level(samples, level_dbm0)
    loudest = np.abs(samples).max()
    return voice.octets_of(samples * min(1.0, 32000 / loudest) if loudest > 32767 else samples)


def level_dbm0(octets: g711.Octets) -> float:
    return round(voice.speaking_dbm0(g711.decode_float(octets)), 1)


def peaks(octets: g711.Octets, parts: int) -> list[int]:
    """The loudest of each of at most `parts` equal stretches, 0 to 255."""
    parts = max(1, min(parts, MOST_PEAKS, octets.size))
    edges = np.linspace(0, octets.size, parts, endpoint=False).astype(np.intp)
    return [int(one) for one in np.maximum.reduceat(_LOUDNESS[octets], edges)]
