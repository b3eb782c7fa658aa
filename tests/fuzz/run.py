"""One target over many inputs: the first that it fails on, or how long it took."""

import itertools
import signal
from binascii import crc32
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.mutate import inputs
from tests.fuzz.targets import Target

HANG_S = 5.0                                      # of the processor's time, for one input


class Hang(Exception):
    """The decoder did not come to an end."""


@dataclass(frozen=True, slots=True)
class Failure:
    data: bytes
    error: BaseException
    kept: Path


def run(target: Target, count: int, seed: int, folder: Path) -> Failure | None:
    """`count` inputs, after those in `folder` that failed before. A failing one is kept there."""
    with _hang_raises():
        fresh = itertools.islice(inputs(target.corpus, seed, target.most_octets), count)
        for data in itertools.chain(_kept(target, folder), fresh):
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            try:
                target.fuzz(data)
            except Exception as error:            # whatever it is: that is the question
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
                return Failure(data, error, _keep(target, data, folder))
    return None


@contextmanager
def _hang_raises() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang(f"not done after {HANG_S} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stem(target: Target) -> str:
    return target.name.replace(" ", "-")


def _kept(target: Target, folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob(f"{_stem(target)}.*.hex")):
        yield bytes.fromhex(path.read_text())


def _keep(target: Target, data: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_stem(target)}.{crc32(data):08x}.hex"
    path.write_text(data.hex())
    return path
