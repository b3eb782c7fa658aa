"""Prompts: A-law WAV files read whole into memory, so that playing one never waits for the disk.

They are not mapped: a file overwritten in place would end the process with SIGBUS, and a page that is not in
memory would make the media clock wait. A copy that can be mapped without harm is in memory just the same. A
changed file is read anew when it is next asked for.
"""

import os
import struct
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from appliance.errors import BranchlineError
from appliance.media.fragments import SUFFIX as SUFFIX
from appliance.media.g711 import Octets

MAX_OCTETS = 32 * 1024 * 1024                     # 70 minutes
CACHE_OCTETS = 32 * 1024 * 1024                   # of all that are kept; one that is larger is kept alone
LENT = "lent"                                     # recordings, below the run folder: "lent:NAME@MS"

_ALAW = 6                                         # RIFF format tag, RFC 2361 A.5
_FORMATS = {1: "PCM", 2: "ADPCM", 3: "float", 6: "A-law", 7: "mu-law", 0x55: "MP3", 0xFFFE: "extensible"}
_FMT = struct.Struct("<HHIIHH")


class PromptError(BranchlineError):
    """Names the prompt's file, what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """`octets` is A-law, read only, never empty; equal path and stamp mean equal octets."""

    path: Path
    stamp: tuple[int, int, int]                   # inode, time of change in ns, octets of the file
    octets: Octets


class Library:
    """The prompts below one folder by name, e.g. "en/greeting" for en/greeting.wav."""

    def __init__(self, folder: Path, cache_octets: int = CACHE_OCTETS) -> None:
        self._folder = folder
        self._cache_octets = cache_octets
        self._kept: OrderedDict[str, Prompt] = OrderedDict()
        self._kept_octets = 0

    def get(self, name: str) -> Prompt:
        """The prompt as its file is now; the same object while that is unchanged. PromptError otherwise."""
        kept = self._kept.get(name)
        if kept is None or not _unchanged(kept):
            self._drop(name)
            kept = self._keep(name, _load(self._path(name)))
        self._kept.move_to_end(name)
        return kept

    def _keep(self, name: str, prompt: Prompt) -> Prompt:
        while self._kept and self._kept_octets + prompt.octets.size > self._cache_octets:
            self._drop(next(iter(self._kept)))
        self._kept[name] = prompt
        self._kept_octets += prompt.octets.size
        return prompt

    def _drop(self, name: str) -> None:
        prompt = self._kept.pop(name, None)
        if prompt is not None:
            self._kept_octets -= prompt.octets.size

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not all(part.strip(".") and part.isprintable() and "\\" not in part for part in parts):
            raise PromptError(
                f"{name!r}: no prompt's name: write a path below {self._folder} without {SUFFIX}")
        path = self._folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise PromptError(f"{path}: leads out of {self._folder}: copy the file there, do not link to it")
        return path


def wav(octets: Octets) -> bytes:
    """The file of a prompt."""
    chunks = (b"WAVEfmt " + struct.pack("<I", _FMT.size + 2)
              + _FMT.pack(_ALAW, 1, 8000, 8000, 1, 8) + bytes(2)
              + b"fact" + struct.pack("<II", 4, octets.size)
              + b"data" + struct.pack("<I", octets.size) + octets.tobytes() + bytes(octets.size % 2))
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def _unchanged(prompt: Prompt) -> bool:
    try:
        return _stamp(prompt.path.stat()) == prompt.stamp
    except OSError:
        return False


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _load(path: Path) -> Prompt:
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            return Prompt(path, _stamp(stat), _read(path, file, stat.st_size))
    except OSError as error:
        raise PromptError(f"{path}: {error.strerror}: record it or correct the prompt's name") from None


def _read(path: Path, file: BinaryIO, size_octets: int) -> Octets:
    """The octets of the data chunk. PromptError when it is anything but A-law, mono, 8000 Hz."""
    convert = f"convert with: sox IN -r 8000 -c 1 -e a-law {path.name}"
    if size_octets > MAX_OCTETS:
        raise PromptError(f"{path}: larger than {MAX_OCTETS // 1024**2} MiB: shorten it")
    data = file.read(MAX_OCTETS + 1)
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise PromptError(f"{path}: is not a WAV file; {convert}")
    at, known = 12, False
    while at + 8 <= len(data):
        kind, length = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], "little")
        body = memoryview(data)[at + 8:at + 8 + length]
        if len(body) < length:
            raise PromptError(
                f"{path}: is cut off: its {kind.decode('ascii', 'replace')!r} chunk says {length} octets and "
                f"has {len(body)}; copy the file again or {convert}")
        if kind == b"fmt ":
            _check_format(path, body, convert)
            known = True
        elif kind == b"data" and known:
            if not length:
                raise PromptError(f"{path}: has no audio: record it again")
            return np.frombuffer(body, np.uint8)
        at += 8 + length + length % 2
    raise PromptError(f"{path}: has no audio that can be read; {convert}")


def _check_format(path: Path, body: memoryview, convert: str) -> None:
    if len(body) < _FMT.size:
        raise PromptError(f"{path}: its format chunk is too short; {convert}")
    tag, channels, rate_hz, _, _, bits = _FMT.unpack_from(body)
    if (tag, channels, rate_hz, bits) != (_ALAW, 1, 8000, 8):
        shape = {1: "", 2: " stereo"}.get(channels, f" {channels} channels")
        coding = _FORMATS.get(tag, f"format {tag}")
        raise PromptError(f"{path}: is {rate_hz} Hz{shape} {bits} bit {coding}; {convert}")
