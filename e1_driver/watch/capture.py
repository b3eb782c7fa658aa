"""The D-channel of the last ten minutes, always kept, for Wireshark to read. No I/O, no clock."""

import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from e1_driver.watch import pcap

KEPT_S = 600.0
KEPT_OCTETS = 16 << 20                            # ten minutes of a full D-channel, even of noise, are less
CHUNK_OCTETS = 32 << 10                           # of a chunk when it is compressed: 2 s of a full D-channel
CHUNK_S = 20.0

_HEAD = struct.Struct("<IH")                      # microseconds since the chunk's first frame, length | _SENT
_SENT = 0x8000
_MAX_OCTETS = _SENT - 1
_COMPRESSION = 1                                  # zlib's fastest: call set-ups are alike, a fifth remains

Frame = tuple[float, bool, bytes]                 # unix time, sent by us, without FCS


@dataclass(slots=True)
class _Chunk:
    from_unix_s: float
    closes: float                                 # no frame goes in after this
    newest: float                                 # monotonic time of its last frame
    frames: int = 0
    octets: bytearray | bytes = field(default_factory=bytearray)
    packed: bool = False

    def unpacked(self) -> bytes:
        return zlib.decompress(self.octets) if self.packed else bytes(self.octets)


class Capture:
    """A ring of frames in both directions: all of the last `seconds`, and what is older while nothing came.

    A line that went silent keeps its last frames, for they say how it died. Frames are held compressed, and
    never more of them than `max_octets` and a chunk.
    """

    def __init__(self, seconds: float = KEPT_S, max_octets: int = KEPT_OCTETS) -> None:
        self._seconds, self._max_octets = seconds, max_octets
        self._chunks: deque[_Chunk] = deque()
        self._octets = 0                          # of the chunks that are packed
        self._frames = 0

    def __len__(self) -> int:
        """Frames held."""
        return self._frames

    @property
    def octets(self) -> int:
        """Memory that the frames take."""
        return self._octets + (len(self._chunks[-1].octets) if self._chunks else 0)

    def add(self, now: float, at_unix_s: float, sent: bool, frame: bytes) -> None:
        """Keep one frame. `now` is monotonic and decides what is too old: a step of the clock loses nothing.

        Of a frame longer than 32,767 octets only the beginning is kept; no D-channel carries one.
        """
        frame = frame[:_MAX_OCTETS]
        chunk = self._chunks[-1] if self._chunks else None
        after_us = round((at_unix_s - chunk.from_unix_s) * 1e6) if chunk else -1
        if (chunk is None or now > chunk.closes or len(chunk.octets) >= CHUNK_OCTETS
                or not 0 <= after_us < 1 << 32):
            chunk, after_us = self._begin(now, at_unix_s), 0
        chunk.octets += _HEAD.pack(after_us, len(frame) | _SENT * sent) + frame
        chunk.newest = now
        chunk.frames += 1
        self._frames += 1

    def _begin(self, now: float, at_unix_s: float) -> _Chunk:
        if self._chunks:
            last = self._chunks[-1]
            last.octets, last.packed = zlib.compress(last.octets, _COMPRESSION), True
            self._octets += len(last.octets)
        while self._chunks and (self._chunks[0].newest < now - self._seconds
                                or self._octets > self._max_octets):
            oldest = self._chunks.popleft()
            self._octets -= len(oldest.octets)
            self._frames -= oldest.frames
        chunk = _Chunk(at_unix_s, now + CHUNK_S, now)
        self._chunks.append(chunk)
        return chunk

    def frames(self, since_unix_s: float | None = None, newest: int | None = None) -> Iterator[Frame]:
        """Frames in the order they came: those not before `since_unix_s`, at most the `newest` of them."""
        held = self._frames
        for chunk in list(self._chunks):
            held -= chunk.frames
            if newest is not None and held >= newest:
                continue                          # enough follow in later chunks
            skip = 0 if newest is None else max(0, held + chunk.frames - newest)
            for frame in islice(_unpack(chunk), skip, None):
                if since_unix_s is None or frame[0] >= since_unix_s:
                    yield frame

    def pcap(self, network_side: bool, since_unix_s: float | None = None, newest: int | None = None) -> bytes:
        """The same as a file for Wireshark; `network_side` tells which end of the line we are."""
        return pcap.write(self.frames(since_unix_s, newest), network_side)


def _unpack(chunk: _Chunk) -> Iterator[Frame]:
    octets, at = chunk.unpacked(), 0
    while at < len(octets):
        after_us, length = _HEAD.unpack_from(octets, at)
        at += _HEAD.size
        end = at + (length & _MAX_OCTETS)
        yield chunk.from_unix_s + after_us / 1e6, bool(length & _SENT), octets[at:end]
        at = end
