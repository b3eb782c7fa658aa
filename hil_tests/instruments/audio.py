"""Judging and making A-law audio, independent of the box's own code. Octets are as on the line.

Ref: ITU-T G.711 (11/88); Q.23 (11/88), Q.24 (11/88) for DTMF. A sine that fills A-law is +3.14 dBm0.
"""

import functools
import struct
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float64]

RATE_HZ = 8000
IDLE = 0xD5
FULL_SCALE = 32768.0                              # amplitude of the sine that just fills A-law
FULL_SCALE_DBM0 = 3.14
SILENT_DBM0 = -90.0                               # what is reported for nothing at all

DTMF_LOW_HZ = (697, 770, 852, 941)
DTMF_HIGH_HZ = (1209, 1336, 1477, 1633)
DTMF_KEYS = ("123A", "456B", "789C", "*0#D")

_DTMF_FRAME = 160                                 # 20 ms, half overlapped
_DTMF_LEAST_DBM0 = -30.0
_DTMF_TWIST_DB = 9.0


@functools.cache
def _expansion() -> Samples:
    """16-bit sample of each of the 256 octets (G.711 table 1a, even bits inverted)."""
    octets = np.arange(256) ^ 0x55
    segment, step = octets >> 4 & 7, octets & 15
    magnitude = np.where(segment == 0, 16 * step + 8, (16 * step + 264) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, magnitude, -magnitude).astype(np.float64)


@functools.cache
def _compression() -> tuple[Samples, Octets]:
    """Decision thresholds between the 256 values in rising order, and the octet of each value."""
    order = np.argsort(_expansion())
    values = _expansion()[order]
    return (values[1:] + values[:-1]) / 2, order.astype(np.uint8)


def expand(octets: Octets) -> Samples:
    return _expansion()[octets]


def compress(samples: Samples) -> Octets:
    thresholds, octets = _compression()
    return octets[np.searchsorted(thresholds, samples)]


def amplitude(level_dbm0: float) -> float:
    """Of the sine of that level."""
    return float(FULL_SCALE * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20))


def sine(hz: float, level_dbm0: float, seconds: float) -> Samples:
    return amplitude(level_dbm0) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def tone(hz: float, level_dbm0: float = -10.0, seconds: float = 1.0) -> Octets:
    return compress(sine(hz, level_dbm0, seconds))


def silence(seconds: float) -> Octets:
    return np.full(round(seconds * RATE_HZ), IDLE, np.uint8)


def sequence(seed: int, seconds: float) -> Octets:
    """Octets that no other seed has: to prove that a path changes nothing. Loud; not for ears."""
    return np.random.default_rng(seed).integers(0, 256, round(seconds * RATE_HZ), dtype=np.uint8)


def dtmf(keys: str, on_s: float = 0.08, off_s: float = 0.08, low_dbm0: float = -9.0,
         high_dbm0: float = -7.0) -> Octets:
    """Keys one after the other, each followed by its pause. ValueError for a key that no telephone has."""
    parts = [np.zeros(0, np.uint8)]
    for key in keys:
        low, high = _frequencies(key)
        parts += [compress(sine(low, low_dbm0, on_s) + sine(high, high_dbm0, on_s)), silence(off_s)]
    return np.concatenate(parts)


def _frequencies(key: str) -> tuple[int, int]:
    for low, row in zip(DTMF_LOW_HZ, DTMF_KEYS, strict=True):
        if len(key) == 1 and key in row:
            return low, DTMF_HIGH_HZ[row.index(key)]
    raise ValueError(f"{key!r} is not a DTMF key: 0-9 * # A-D")


def level_dbm0(octets: Octets, hz: float | None = None) -> float:
    """Level of the sine of `hz` in it (Goertzel's sum under a Hann window), or of everything when None.

    About -90 when there is nothing; at least 20 ms are wanted, and 1/hz resolution needs more.
    """
    samples = expand(octets)
    if not len(samples):
        return SILENT_DBM0
    if hz is None:
        peak = float(np.sqrt(2 * np.mean(samples ** 2)))
    else:
        window = np.hanning(len(samples) + 2)[1:-1]
        turns = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE_HZ)
        peak = 2 * abs(np.sum(samples * window * turns)) / float(np.sum(window))
    return max(SILENT_DBM0, float(20 * np.log10(max(peak, 1e-9) / FULL_SCALE)) + FULL_SCALE_DBM0)


def find(needle: Octets, haystack: Octets, start: int = 0) -> int:
    """Where `needle` stands in `haystack`, octet for octet; -1: nowhere."""
    return haystack.tobytes().find(needle.tobytes(), start)


def dtmf_keys(octets: Octets) -> str:
    """The keys pressed: a pair of tones for 40 ms or more and nothing else as loud (Q.24)."""
    keys, run_key, run = "", "", 0
    for key in [*_pairs(octets), ""]:
        if key == run_key:
            run += 1
            continue
        if run_key and run >= 3:                  # three half-overlapped frames of 20 ms
            keys += run_key
        run_key, run = key, 1
    return keys


def _pairs(octets: Octets) -> list[str]:
    """Key heard in each 20 ms frame, a new one every 10 ms; "" for none."""
    count = (len(octets) - _DTMF_FRAME) // (_DTMF_FRAME // 2) + 1
    if count < 1:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(expand(octets), _DTMF_FRAME)[:: _DTMF_FRAME // 2]
    window = np.hanning(_DTMF_FRAME + 2)[1:-1]
    frequencies = np.array(DTMF_LOW_HZ + DTMF_HIGH_HZ)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(_DTMF_FRAME), frequencies) / RATE_HZ)
    peaks = 2 * np.abs((frames * window) @ turns) / window.sum()
    levels = 20 * np.log10(np.maximum(peaks, 1e-3) / FULL_SCALE) + FULL_SCALE_DBM0
    energy = np.maximum(2 * np.mean((frames * window) ** 2, axis=1) / np.mean(window ** 2), 1e-6)
    keys = []
    for level, peak, total in zip(levels, peaks, energy, strict=True):
        low, high = int(np.argmax(level[:4])), int(np.argmax(level[4:])) + 4
        both = min(level[low], level[high]) > _DTMF_LEAST_DBM0
        twist = abs(level[low] - level[high]) < _DTMF_TWIST_DB
        alone = peak[low] ** 2 + peak[high] ** 2 > 0.6 * total
        keys.append(DTMF_KEYS[low][high - 4] if both and twist and alone else "")
    return keys


# --- files ----------------------------------------------------------------------------------------------

_WAV_ALAW = 6


def write_wav(path: Path, *channels: Octets) -> None:
    """An A-law WAV file; channels are cut to the shortest."""
    length = min(len(channel) for channel in channels)
    data = np.stack([channel[:length] for channel in channels], axis=1).tobytes()
    count = len(channels)
    head = struct.pack("<HHIIHHH", _WAV_ALAW, count, RATE_HZ, RATE_HZ * count, count, 8, 0)
    fact = struct.pack("<I", length)
    chunks = b"".join(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
                      for name, body in ((b"fmt ", head), (b"fact", fact), (b"data", data)))
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)


def read_sound(path: Path) -> Octets:
    """Any file that sox reads, its channels mixed, as A-law. ValueError says what sox thinks of it."""
    command = ["sox", "-D", str(path), "-t", "al", "-r", str(RATE_HZ), "-c", "1", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(f"{path}: {done.stderr.decode(errors='replace').strip()}")
    return np.frombuffer(done.stdout, np.uint8)
