"""A process of its own that reads a sound file of anybody's: what is in it harms nothing but this process.

The file is its standard input, its standard output the sound: float32 of 8000 Hz, one channel, 1.0 is full
scale. Standard error says what the file was, or with exit code 2 why it is not taken.
"""

import contextlib
import os
import resource
import sys

MEMORY_OCTETS = 1 << 30                           # of addresses; what is read goes through in blocks
CPU_S = 40
NICE = 15
OOM_SCORE = 800                                   # of 1000: it goes first, its parent nearly last
LONGEST_S = 600.0
MOST_CHANNELS = 8
RATES_HZ = (4000, 192_000)
REFUSED = 2                                       # exit code

_RATE_HZ = 8000
_BLOCK_FRAMES = 1 << 15
_LOUDEST = 1000.0                                 # of floats, that may be anything
_MP3 = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa", b"\xff\xe3")
_CONVERT = "save it as WAV or MP3 in the program that it comes from"

# Beginnings of files -> what they are. The first four are read, the others are told by their name.
_KNOWN: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", ""), (0, b"FORM", ""), (0, b".snd", ""), (0, b"fLaC", ""), (0, b"OggS", ""),
    (0, b"caff", ""),
    *((0, mark, "") for mark in _MP3),
    (4, b"ftyp", "M4A/MP4 (AAC)"), (0, b"\xff\xf1", "AAC"), (0, b"\xff\xf9", "AAC"), (0, b"ADIF", "AAC"),
    (0, b"#!AMR", "AMR"), (0, b"#!SILK", "SILK"), (0, b"\x02#!SILK", "SILK (WeChat)"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (0, b"\x1aE\xdf\xa3", "WebM/Matroska"), (0, b"PK\x03\x04", "a ZIP archive"), (0, b"\x1f\x8b", "gzip"),
    (0, b"Rar!", "a RAR archive"), (0, b"7z\xbc\xaf", "a 7z archive"), (0, b"%PDF", "a PDF"),
    (0, b"\x7fELF", "a program"), (0, b"MZ", "a program"), (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"), (8, b"AVI ", "a video"), (0, b"MThd", "MIDI"),
)


class NotTaken(Exception):
    """Why."""


def kind_of(head: bytes) -> str:
    """"": it may be read; else what it is, "?" for what nobody knows."""
    for at, mark, kind in _KNOWN:
        if head[at:at + len(mark)] == mark:
            return kind
    return "?"


def _bounded() -> None:
    """Before anything of the file is looked at: recordings that are made meanwhile come first."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(str(OOM_SCORE))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _decode() -> str:
    """Writes the sound; what the file was. NotTaken."""
    import numpy as np
    import soundfile
    import soxr
    try:
        file = soundfile.SoundFile(0, closefd=False)
    except (soundfile.LibsndfileError, ValueError, OSError) as error:
        raise NotTaken(
            f"it begins as a sound file and is none that can be read ({error}): {_CONVERT}") from None
    rate_hz, channels = file.samplerate, file.channels
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise NotTaken(f"it has {rate_hz} samples a second: {RATES_HZ[0]} to {RATES_HZ[1]} are taken")
    if channels > MOST_CHANNELS:
        raise NotTaken(f"it has {channels} channels: {MOST_CHANNELS} are the most")
    resampler = soxr.ResampleStream(rate_hz, _RATE_HZ, 1, dtype="float32", quality="HQ")
    out, frames = sys.stdout.buffer, 0
    while True:
        try:
            block = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise NotTaken(
                f"it is damaged after {frames / rate_hz:.1f} s ({error}): bring it again") from None
        frames += len(block)
        if frames > LONGEST_S * rate_hz:
            raise NotTaken(f"it is longer than {LONGEST_S:g} s: shorten it")
        last = len(block) < _BLOCK_FRAMES
        mono = np.nan_to_num(block.mean(axis=1), posinf=_LOUDEST, neginf=-_LOUDEST)
        mono = np.ascontiguousarray(mono.clip(-_LOUDEST, _LOUDEST), dtype=np.float32)
        out.write(resampler.resample_chunk(mono, last=last).astype("<f4").tobytes())
        if last:
            break
    out.flush()
    if not frames:
        raise NotTaken("it has no sound in it: bring another")
    shape = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    return f"{file.format} {file.subtype}, {rate_hz} Hz, {shape}"


def main() -> int:
    _bounded()
    try:
        head = os.pread(0, 64, 0)
        if kind := kind_of(head):
            what = "no kind of file that is known here" if kind == "?" else kind
            raise NotTaken(f"it is {what}: WAV, AIFF, AU, FLAC, Ogg (Vorbis, Opus), MP3 and CAF are taken: "
                           f"{_CONVERT}")
        print(_decode(), file=sys.stderr)
    except NotTaken as error:
        print(error, file=sys.stderr)
        return REFUSED
    except MemoryError:
        print("it takes more memory than a sound file may: save it anew", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
