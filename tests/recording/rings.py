"""A ring that the test writes as spand does; every octet of its audio is known from tick and channel."""

import functools
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from appliance.media.ring import TICK_NS, Ring
from appliance.recording.wav import HEAD_OCTETS
from e1_driver import BLOCK

ONE, TWO = "11" * 16, "22" * 16
SILENCE = 0xD5


@functools.lru_cache(maxsize=10000)
def octets_of(tick: int, recording: str, channel: int) -> npt.NDArray[np.uint8]:
    """80 A-law octets that no other tick, recording or channel has."""
    seed = tick * 1000003 + int(recording[:2], 16) * 7919 + channel
    return np.random.default_rng(seed & 0xFFFFFFFF).integers(0, 256, BLOCK, dtype=np.uint8)


def said(ticks: Iterable[int], recording: str, channel: int) -> bytes:
    return b"".join(octets_of(tick, recording, channel).tobytes() for tick in ticks)


class Feeder:
    """`recordings` by row; write() publishes the next ticks."""

    def __init__(self, path: Path, rows: int = 4, ticks: int = 3000) -> None:
        self.ring = Ring.create(path, rows, ticks)
        self.tick = 1000
        self.wall_ns = 0                          # when the first of these was; 0: its writer has no clock

    def write(self, count: int, *recordings: str) -> range:
        """Publish `count` ticks in which these recordings run; which ticks they were."""
        begin = self.tick
        for tick in range(begin, begin + count):
            ids = np.array([list(bytes.fromhex(one)) for one in recordings], np.uint8).reshape(-1, 16)
            audio = np.array(
                [[octets_of(tick, one, 0), octets_of(tick, one, 1)] for one in recordings], np.uint8)
            wall_ns = self.wall_ns + (tick - 1000) * TICK_NS if self.wall_ns else 0
            self.ring.write(tick, ids, audio.reshape(-1, 2, BLOCK), 0, wall_ns)
        self.tick = begin + count
        return range(begin, self.tick)

    def skip(self, count: int) -> range:
        """spand is away: these numbers are never written."""
        self.tick += count
        return range(self.tick - count, self.tick)


def channel(path: Path, number: int) -> bytes:
    """A-law octets of one channel (1 left, 2 right) as sox reads the file, without a complaint."""
    done = subprocess.run(["sox", "-D", str(path), "-t", "al", "-", "remix", str(number)],
                          capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def figures_of_sox(path: Path) -> tuple[str, str, str, int]:
    """Encoding, channels, samples/s and samples per channel as soxi reads them."""
    def ask(option: str) -> str:
        done = subprocess.run(["soxi", option, str(path)], capture_output=True, check=True, text=True)
        return done.stdout.strip()
    return ask("-e"), ask("-c"), ask("-r"), int(ask("-s"))


def figures_of_ffprobe(path: Path) -> dict[str, str]:
    done = subprocess.run(
        ["ffprobe", "-v", "warning", "-show_entries", "stream=codec_name,channels,sample_rate,duration",
         "-of", "default=noprint_wrappers=1", str(path)], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return dict(line.split("=", 1) for line in done.stdout.split())


def audio_on_disk(path: Path) -> int:
    return path.stat().st_size - HEAD_OCTETS
