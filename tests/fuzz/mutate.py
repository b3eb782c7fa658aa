"""Inputs for decoders: valid examples, bent in ways that lines, peers and strangers bend them, and noise."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

NOISE_SHARE = 0.1
MOST_CHANGES = 4
LONG_RUN_OCTETS = 3_000
_TELLING = (0x00, 0x01, 0x7E, 0x7F, 0x80, 0xD5, 0xFE, 0xFF)           # ends of ranges, flags, idle

T = TypeVar("T")


def inputs(corpus: Sequence[bytes], seed: int, most_octets: int) -> Iterator[bytes]:
    """Without end; the corpus first, as it is. The same seed gives the same inputs."""
    yield from corpus
    random = Random(seed)
    while True:
        if not corpus or random.random() < NOISE_SHARE:
            yield random.randbytes(int(most_octets * random.random() ** 3))
            continue
        data = bytearray(_one(random, corpus))
        for _ in range(1 + int(random.random() * MOST_CHANGES)):
            _change(random, data, corpus)
        yield bytes(data[:most_octets])


def _change(random: Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    at = int(random.random() * (len(data) + 1))
    kind = int(random.random() * 8)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << int(random.random() * 8)
    elif kind == 1 and at < len(data):
        data[at] = _one(random, _TELLING)
    elif kind == 2:                               # cut off
        del data[at:]
    elif kind == 3:                               # cut out
        del data[at:at + _length(random)]
    elif kind == 4:                               # said twice
        data[at:at] = data[at:at + _length(random)]
    elif kind == 5:                               # a run of the same
        octets = LONG_RUN_OCTETS if random.random() < 0.01 else _length(random)
        data[at:at] = bytes((_one(random, _TELLING),)) * octets
    elif kind == 6:                               # another example goes on from here
        other = _one(random, corpus)
        data[at:] = other[int(random.random() * len(other)):]
    else:
        data[at:at] = random.randbytes(_length(random))


def _one(random: Random, of: Sequence[T]) -> T:
    return of[int(random.random() * len(of))]


def _length(random: Random) -> int:
    """Mostly short."""
    return 1 + int(40 * random.random() ** 3)
