"""Ogg Opus: two mono streams in one file, so that neither side is ever heard in the other.

libopus codes them at 8 kHz; pages hold about a second. The first samples that come out of a decoder are of
its own making (pre-skip), and the last page's position says where the recording ends: both to the sample.
Ref: RFC 6716 (codec), RFC 7845 (in Ogg; granules are samples at 48 kHz, pre-skip included), libopus 1.3.
"""

import functools
import io
import itertools
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from cffi import FFI

from appliance.errors import StateError
from appliance.media import g711
from appliance.recording.audio import libraries, ogg
from appliance.recording.wav import CHANNELS, SAMPLES_PER_S, TICKS_PER_S
from e1_driver import BLOCK

BITS_PER_S = 28_000                               # both sides together, when both speak
COMPLEXITY = 0                                    # 0-10; see docs/recording-formats.md
PACKET_TICKS = 6
QUIET_STEPS = 56                                  # nothing beyond it: an idle line (-55 dB of full scale)
QUIET_PACKETS = 8                                 # then no more of it is coded: decoders make comfort noise
REFRESH_PACKETS = 8                               # but one in so many, which says how loud that is
PRE_ROLL_TICKS = 50                               # decoded in front of a place in the middle; RFC 7845: 8
SERIAL = 0x424C5245

_GRANULES = 48_000 // SAMPLES_PER_S               # a sample
_TICK_GRANULES = 48_000 // TICKS_PER_S
_PACKET_SAMPLES = PACKET_TICKS * BLOCK
_MOST_PACKET_OCTETS = 1275
_MOST_PACKET_SAMPLES = SAMPLES_PER_S * 120 // 1000               # RFC 6716, 3.2.5
_HEAD = struct.Struct("<8sBBHIhBBB2s")            # OpusHead, 1, channels, pre-skip, rate, gain, family ...
_FAMILY, _STREAMS, _COUPLED, _MAPPING = 1, 2, 0, bytes((0, 1))    # RFC 7845, 5.1.1.2
_TAGS = b"OpusTags" + struct.pack("<I", 10) + b"Branchline" + struct.pack("<I", 0)
_NOTHING = bytes((3 << 3,))                       # RFC 6716, 3.1: SILK, narrow-band, mono, one frame of 60 ms
_SCAN_OCTETS = 1 << 16

_VOIP = 2048                                      # opus_defines.h
_SET_BITRATE, _SET_COMPLEXITY, _SET_SIGNAL, _GET_LOOKAHEAD = 4002, 4010, 4024, 4027
_SIGNAL_VOICE = 3001

_ffi = FFI()
_ffi.cdef("""
    typedef struct OpusEncoder OpusEncoder;
    typedef struct OpusMSDecoder OpusMSDecoder;
    OpusEncoder *opus_encoder_create(int32_t rate, int channels, int application, int *error);
    void opus_encoder_destroy(OpusEncoder *);
    int opus_encode(OpusEncoder *, const int16_t *, int samples, unsigned char *, int32_t most);
    int opus_encoder_ctl(OpusEncoder *, int request, ...);
    OpusMSDecoder *opus_multistream_decoder_create(int32_t rate, int channels, int streams, int coupled,
        const unsigned char *mapping, int *error);
    void opus_multistream_decoder_destroy(OpusMSDecoder *);
    int opus_multistream_decode(OpusMSDecoder *, const unsigned char *, int32_t octets, int16_t *,
        int samples, int fec);
""")


@functools.cache
def _library() -> Any:
    return libraries.load(_ffi, "libopus.so.0")


def encode(blocks: Iterable[bytes], ticks: int) -> Iterator[bytes]:
    """A page a block, and two before them. `blocks` but the last are of whole packets."""
    encoder = _Encoder()
    head = _HEAD.pack(b"OpusHead", 1, CHANNELS, encoder.lookahead * _GRANULES, SAMPLES_PER_S, 0,
                      _FAMILY, _STREAMS, _COUPLED, _MAPPING)
    yield ogg.Page(0, SERIAL, 0, (head,), first=True).write()
    yield ogg.Page(0, SERIAL, 1, (_TAGS,)).write()
    pre_skip, coded = encoder.lookahead, 0
    end = pre_skip + ticks * BLOCK
    number = itertools.count(2)
    waiting: tuple[bytes, ...] = ()
    for block in blocks:
        if waiting:
            yield ogg.Page(coded * _GRANULES, SERIAL, next(number), waiting).write()
        samples = g711.decode(np.frombuffer(block, np.uint8))
        waiting = tuple(encoder.packets(samples))
        coded += len(waiting) * _PACKET_SAMPLES
    while coded < end:                            # what the encoder still holds back
        waiting += tuple(encoder.packets(np.zeros(1, np.int16)))
        coded += _PACKET_SAMPLES
    yield ogg.Page(end * _GRANULES, SERIAL, next(number), waiting, last=True).write()


def decode(file: BinaryIO, from_tick: int) -> Iterator[bytes]:
    """A block a page."""
    head = file.read(2 * ogg.MAX_OCTETS)
    pre_skip, begin = _read_head(head)
    wanted = pre_skip + from_tick * _TICK_GRANULES
    at, position = _page_before(file, begin, wanted - PRE_ROLL_TICKS * _TICK_GRANULES)
    decoder = _Decoder()
    ended = False
    file.seek(at)
    for page in _pages(file):
        if ended or page.serial != SERIAL:
            raise ValueError(f"Ogg page {page.number}: there is more behind the end")
        ended = page.last
        samples = [decoder.samples(packet) for packet in page.packets]
        audio = np.concatenate(samples) if samples else np.empty((0, CHANNELS), np.int16)
        if page.granule > position + len(audio) * _GRANULES or page.granule < position:
            raise ValueError(f"Ogg page {page.number}: ends at {page.granule}, which cannot be")
        audio = audio[:(page.granule - position) // _GRANULES]
        audio = audio[max(0, wanted - position) // _GRANULES:]
        position = page.granule
        if len(audio):
            yield g711.encode(audio).tobytes()
    if not ended:
        raise ValueError("the recording ends in the middle")


def _read_head(octets: bytes) -> tuple[int, int]:
    """Pre-skip, and where the audio's pages begin. ValueError: not a file of ours."""
    length, _ = ogg.measure(octets)
    page = ogg.Page.read(octets[:length])
    if len(page.packets) != 1 or len(page.packets[0]) != _HEAD.size or not page.first:
        raise ValueError("not the head of an Opus recording")
    magic, _, channels, pre_skip, _, _, *mapping = _HEAD.unpack(page.packets[0])
    if (magic, channels, mapping) != (b"OpusHead", CHANNELS, [_FAMILY, _STREAMS, _COUPLED, _MAPPING]):
        raise ValueError("an Opus file, but none of two mono streams")
    tags, _ = ogg.measure(octets[length:])
    return pre_skip, length + tags


def _page_before(file: BinaryIO, begin: int, wanted: int) -> tuple[int, int]:
    """Where the page behind the last one that ends at or before `wanted` lies, and the latter's granule."""
    low, position = begin, 0
    high = file.seek(0, io.SEEK_END)
    while low < high and wanted > 0:
        middle = (low + high) // 2 if high - low > _SCAN_OCTETS else low
        found = _first_page(file, middle, high)
        if found is None:
            high = middle
            continue
        at, length, granule = found
        if granule > wanted:
            if middle == low:
                break
            high = middle
        else:
            low, position = at + length, granule
    return low, position


def _first_page(file: BinaryIO, at: int, end: int) -> tuple[int, int, int] | None:
    """Where the first page that begins in at..end lies, its length and granule."""
    file.seek(at)
    octets = file.read(min(end - at, _SCAN_OCTETS) + ogg.MAX_OCTETS)
    mark = b"OggS\0"
    found = octets.find(mark)
    while found >= 0 and at + found < end:
        length, granule = ogg.measure(octets[found:found + ogg.HEAD_OCTETS + ogg.MAX_SEGMENTS])
        page = octets[found:found + length]
        try:
            ogg.Page.read(page)
            return at + found, length, granule
        except ValueError:                        # audio that looks like a page
            found = octets.find(mark, found + 1)
    return None


def _pages(file: BinaryIO) -> Iterator[ogg.Page]:
    waiting = b""
    while octets := file.read(_SCAN_OCTETS):
        waiting += octets
        while waiting and 0 < (length := ogg.measure(waiting)[0]) <= len(waiting):
            yield ogg.Page.read(waiting[:length])
            waiting = waiting[length:]
    if waiting:
        raise ValueError("an Ogg page is cut off")


class _Side:
    """One mono stream."""

    def __init__(self) -> None:
        library, error = _library(), _ffi.new("int *")
        created = library.opus_encoder_create(SAMPLES_PER_S, 1, _VOIP, error)
        _check(error[0])
        self._encoder = _ffi.gc(created, library.opus_encoder_destroy)
        for request, value in (
                (_SET_BITRATE, BITS_PER_S // CHANNELS), (_SET_COMPLEXITY, COMPLEXITY),
                (_SET_SIGNAL, _SIGNAL_VOICE)):
            _check(library.opus_encoder_ctl(self._encoder, request, _ffi.cast("int", value)))
        lookahead = _ffi.new("int32_t *")
        _check(library.opus_encoder_ctl(self._encoder, _GET_LOOKAHEAD, lookahead))
        self.lookahead = int(lookahead[0])        # samples by which what is decoded comes later
        self._packet = _ffi.new("unsigned char[]", _MOST_PACKET_OCTETS)
        self._quiet = 0                           # packets since anything was heard

    def packet(self, samples: g711.Linear, quiet: bool) -> bytes:
        self._quiet = self._quiet + 1 if quiet else 0
        if self._quiet > QUIET_PACKETS and self._quiet % REFRESH_PACKETS:
            return _NOTHING
        octets = _check(_library().opus_encode(
            self._encoder, _ffi.from_buffer("int16_t[]", samples.data), len(samples), self._packet,
            _MOST_PACKET_OCTETS))
        packet = bytes(_ffi.buffer(self._packet, octets))
        if packet[0] != _NOTHING[0]:
            raise StateError(f"Opus: a packet of kind {packet[0]:#x}, not narrow-band speech of 60 ms")
        return packet


class _Encoder:
    def __init__(self) -> None:
        self._sides = [_Side() for _ in range(CHANNELS)]
        self.lookahead = self._sides[0].lookahead

    def packets(self, samples: g711.Linear) -> list[bytes]:
        """Of interleaved samples; silence fills up the last packet."""
        missing = -len(samples) % (CHANNELS * _PACKET_SAMPLES)
        whole = np.concatenate((samples, np.zeros(missing, np.int16))).reshape(-1, _PACKET_SAMPLES, CHANNELS)
        quiet = np.abs(whole).max(axis=1) <= QUIET_STEPS
        sides = np.ascontiguousarray(whole.transpose(0, 2, 1))
        return [_together(*(side.packet(*its) for side, *its in zip(self._sides, parts, quiets, strict=True)))
                for parts, quiets in zip(sides, quiet, strict=True)]


def _together(caller: bytes, agent: bytes) -> bytes:
    """A packet of two streams: in all but the last one the length is said (RFC 6716, appendix B)."""
    octets = len(caller) - 1
    length = bytes((octets,)) if octets < 252 else bytes((252 + octets % 4, (octets - 252) // 4))
    return caller[:1] + length + caller[1:] + agent


class _Decoder:
    def __init__(self) -> None:
        library, error = _library(), _ffi.new("int *")
        created = library.opus_multistream_decoder_create(
            SAMPLES_PER_S, CHANNELS, _STREAMS, _COUPLED, _MAPPING, error)
        _check(error[0])
        self._decoder = _ffi.gc(created, library.opus_multistream_decoder_destroy)

    def samples(self, packet: bytes) -> g711.Linear:
        """[sample, channel]. ValueError: it is damaged."""
        samples = np.empty((_MOST_PACKET_SAMPLES, CHANNELS), np.int16)
        many = _check(_library().opus_multistream_decode(
            self._decoder, packet, len(packet), _ffi.from_buffer("int16_t[]", samples.data), len(samples), 0))
        return samples[:many]


def _check(result: int) -> int:
    if result < 0:
        raise ValueError(f"a damaged Opus file (error {result} of libopus)")
    return result
