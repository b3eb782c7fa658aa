"""Ogg Opus: two mono streams in one file, so that neither side is ever heard in the other.

libopus codes them at 8 kHz; pages hold about a second. The first samples that come out of a decoder are of
its own making (pre-skip), and the last page's position says where the recording ends: both to the sample.
Ref: RFC 6716 (codec), RFC 7845 (in Ogg; granules are samples at 48 kHz, pre-skip included), libopus 1.3.
"""

import functools
import io
import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from cffi import FFI

from appliance.errors import StateError
from appliance.media import g711
from appliance.recording.audio import libraries, ogg
from appliance.recording.wav import CHANNELS, SAMPLES_PER_S, SILENCE, TICKS_PER_S
from e1_driver import BLOCK

BITS_PER_S = 28_000                               # both sides together, when both speak
COMPLEXITY = 0                                    # 0-10; see docs/recording-formats.md
PACKET_TICKS = 6
QUIET_STEPS = 56                                  # nothing beyond it: an idle line (-55 dB of full scale)
QUIET_PACKETS = 4                                 # then no more of it is coded: the last one is sent again
REFRESH_PACKETS = 16                              # but one in so many, as loud as it is then
QUIET_BITS_PER_S = 12_000                         # of both sides; at less it gets louder than the line was
PRE_ROLL_TICKS = 50                               # decoded in front of a place in the middle; RFC 7845: 8
SERIAL = 0x424C5245

_GRANULES = 48_000 // SAMPLES_PER_S               # a sample
_TICK_GRANULES = 48_000 // TICKS_PER_S
_PACKET_SAMPLES = PACKET_TICKS * BLOCK
_MOST_PACKET_OCTETS = 1275
_HEAD = struct.Struct("<8sBBHIhBBB2s")            # OpusHead, 1, channels, pre-skip, rate, gain, family ...
_FAMILY, _STREAMS, _COUPLED, _MAPPING = 1, 2, 0, bytes((0, 1))    # RFC 7845, 5.1.1.2
_TAGS = b"OpusTags" + struct.pack("<I", 10) + b"Branchline" + struct.pack("<I", 0)
_KIND = 3 << 3                                    # RFC 6716, 3.1: SILK, narrow-band, mono, one frame of 60 ms
_SCAN_OCTETS = 1 << 16

_VOIP = 2048                                      # opus_defines.h
_SET_BITRATE, _SET_COMPLEXITY, _SET_SIGNAL, _GET_LOOKAHEAD = 4002, 4010, 4024, 4027
_SIGNAL_VOICE = 3001

_ffi = FFI()
_ffi.cdef("""
    typedef struct OpusEncoder OpusEncoder;
    typedef struct OpusDecoder OpusDecoder;
    OpusEncoder *opus_encoder_create(int32_t rate, int channels, int application, int *error);
    void opus_encoder_destroy(OpusEncoder *);
    int opus_encode(OpusEncoder *, const int16_t *, int samples, unsigned char *, int32_t most);
    int opus_encoder_ctl(OpusEncoder *, int request, ...);
    OpusDecoder *opus_decoder_create(int32_t rate, int channels, int *error);
    void opus_decoder_destroy(OpusDecoder *);
    int opus_decode(OpusDecoder *, const unsigned char *, int32_t octets, int16_t *, int samples, int fec);
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
        waiting = encoder.packets(block)
        coded += len(waiting) * _PACKET_SAMPLES
    while coded < end:                            # what the encoder still holds back
        waiting += encoder.packets(SILENCE)
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
        audio = decoder.octets(page.packets)
        if page.granule > position + len(audio) * _GRANULES or page.granule < position:
            raise ValueError(f"Ogg page {page.number}: ends at {page.granule}, which cannot be")
        audio = audio[:(page.granule - position) // _GRANULES]
        audio = audio[max(0, wanted - position) // _GRANULES:]
        position = page.granule
        if len(audio):
            yield audio.tobytes()
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
        self._set(_SET_COMPLEXITY, COMPLEXITY)
        self._set(_SET_SIGNAL, _SIGNAL_VOICE)
        self._bits_per_s = 0
        lookahead = _ffi.new("int32_t *")
        _check(library.opus_encoder_ctl(self._encoder, _GET_LOOKAHEAD, lookahead))
        self.lookahead = int(lookahead[0])        # samples by which what is decoded comes later
        self._room = _ffi.new("unsigned char[]", _MOST_PACKET_OCTETS)
        self._last = b""                          # packet that was coded
        self._quiet = 0                           # packets since anything was heard

    def packets(self, samples: g711.Linear, quiet: Iterable[bool]) -> list[bytes]:
        """Of each row, 60 ms."""
        first = _ffi.from_buffer("int16_t[]", samples.data)
        return [self._packet(first + row * _PACKET_SAMPLES, its) for row, its in enumerate(quiet)]

    def _packet(self, samples: Any, quiet: bool) -> bytes:
        self._quiet = self._quiet + 1 if quiet else 0
        if self._quiet > QUIET_PACKETS and self._quiet % REFRESH_PACKETS:
            return self._last
        self._code_at((QUIET_BITS_PER_S if self._quiet >= QUIET_PACKETS else BITS_PER_S) // CHANNELS)
        octets = _check(_library().opus_encode(
            self._encoder, samples, _PACKET_SAMPLES, self._room, _MOST_PACKET_OCTETS))
        self._last = bytes(_ffi.buffer(self._room, octets))
        if self._last[0] != _KIND:
            raise StateError(f"Opus: a packet of kind {self._last[0]:#x}, not narrow-band speech of 60 ms")
        return self._last

    def _code_at(self, bits_per_s: int) -> None:
        if bits_per_s != self._bits_per_s:
            self._set(_SET_BITRATE, bits_per_s)
            self._bits_per_s = bits_per_s

    def _set(self, request: int, value: int) -> None:
        _check(_library().opus_encoder_ctl(self._encoder, request, _ffi.cast("int", value)))


class _Encoder:
    def __init__(self) -> None:
        self._sides = [_Side() for _ in range(CHANNELS)]
        self.lookahead = self._sides[0].lookahead

    def packets(self, block: bytes) -> tuple[bytes, ...]:
        """Of interleaved A-law; silence fills up the last packet."""
        missing = -len(block) % (CHANNELS * _PACKET_SAMPLES)
        octets = np.frombuffer(block + SILENCE * missing, np.uint8)
        sides = octets.reshape(-1, _PACKET_SAMPLES, CHANNELS).transpose(2, 0, 1)
        samples = g711.decode(np.ascontiguousarray(sides))
        quiet = (np.abs(samples).max(axis=2) <= QUIET_STEPS).tolist()
        return tuple(map(_together, *(
            side.packets(*its) for side, *its in zip(self._sides, samples, quiet, strict=True))))


def _together(caller: bytes, agent: bytes) -> bytes:
    """A packet of two streams: in all but the last one the length is said (RFC 6716, appendix B)."""
    octets = len(caller) - 1
    length = bytes((octets,)) if octets < 252 else bytes((252 + octets % 4, (octets - 252) // 4))
    return caller[:1] + length + caller[1:] + agent


def _apart(packet: bytes) -> tuple[bytes, bytes]:
    """ValueError: not what _together() makes."""
    if len(packet) > 2:
        begin, octets = (2, packet[1]) if packet[1] < 252 else (3, packet[1] + 4 * packet[2])
        caller, agent = packet[:1] + packet[begin:begin + octets], packet[begin + octets:]
        if agent and caller[0] == agent[0] == _KIND:
            return caller, agent
    raise ValueError("a damaged Opus file: a packet that is none of two mono streams")


class _Decoder:
    """One of libopus' a stream: that for several asks with each packet what the processor can do."""

    def __init__(self) -> None:
        library, error = _library(), _ffi.new("int *")
        self._decoders = []
        for _ in range(CHANNELS):
            created = library.opus_decoder_create(SAMPLES_PER_S, 1, error)
            _check(error[0])
            self._decoders.append(_ffi.gc(created, library.opus_decoder_destroy))

    def octets(self, packets: Sequence[bytes]) -> g711.Octets:
        """[sample, channel], A-law. ValueError: they are damaged."""
        samples = np.empty((CHANNELS, len(packets) * _PACKET_SAMPLES), np.int16)
        firsts = [_ffi.from_buffer("int16_t[]", side.data) for side in samples]
        for number, packet in enumerate(packets):
            for decoder, stream, first in zip(self._decoders, _apart(packet), firsts, strict=True):
                _check(_library().opus_decode(decoder, stream, len(stream), first + number * _PACKET_SAMPLES,
                                              _PACKET_SAMPLES, 0))
        return g711.encode(samples).T


def _check(result: int) -> int:
    if result < 0:
        raise ValueError(f"a damaged Opus file (error {result} of libopus)")
    return result
