"""FLAC: the octets of the line as 16-bit samples, which any player knows, in about two thirds of the room.

Each A-law octet has a sample of its own (G.711), so what comes out is what went in. The head is written first
and once: it says the length, and leaves the sum over all audio (MD5) to the seal around the file.
Ref: RFC 9639; libFLAC's C interface, 1.4 and later.
"""

import contextlib
import functools
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from cffi import FFI

from appliance.errors import StateError
from appliance.media import g711
from appliance.recording.audio import libraries
from appliance.recording.wav import CHANNELS, SAMPLES_PER_S
from e1_driver import BLOCK

LEVEL = 1                                         # 0-8; see docs/recording-formats.md
FRAME_TICKS = 24

_BITS = 16
_READ_CONTINUE, _READ_END, _READ_ABORT = 0, 1, 2  # stream_decoder.h
_WRITE_CONTINUE, _WRITE_ABORT = 0, 1
_DONE, _FAILED = 0, 1                             # of seek, tell, length
_END_OF_STREAM = 4                                # states

_ffi = FFI()
_ffi.cdef("""
    typedef struct FLAC__StreamEncoder FLAC__StreamEncoder;
    typedef struct FLAC__StreamDecoder FLAC__StreamDecoder;
    typedef struct { uint32_t blocksize, sample_rate, channels, assignment, bits; } FrameStart;
    typedef int (*EncoderWrite)(const FLAC__StreamEncoder *, const unsigned char *, size_t, uint32_t,
        uint32_t, void *);
    typedef int (*DecoderRead)(const FLAC__StreamDecoder *, unsigned char *, size_t *, void *);
    typedef int (*DecoderSeek)(const FLAC__StreamDecoder *, uint64_t, void *);
    typedef int (*DecoderTell)(const FLAC__StreamDecoder *, uint64_t *, void *);
    typedef int (*DecoderEnd)(const FLAC__StreamDecoder *, void *);
    typedef int (*DecoderWrite)(const FLAC__StreamDecoder *, const FrameStart *, const int32_t *const *,
        void *);
    typedef void (*DecoderError)(const FLAC__StreamDecoder *, int, void *);

    FLAC__StreamEncoder *FLAC__stream_encoder_new(void);
    void FLAC__stream_encoder_delete(FLAC__StreamEncoder *);
    int FLAC__stream_encoder_set_channels(FLAC__StreamEncoder *, uint32_t);
    int FLAC__stream_encoder_set_bits_per_sample(FLAC__StreamEncoder *, uint32_t);
    int FLAC__stream_encoder_set_sample_rate(FLAC__StreamEncoder *, uint32_t);
    int FLAC__stream_encoder_set_compression_level(FLAC__StreamEncoder *, uint32_t);
    int FLAC__stream_encoder_set_blocksize(FLAC__StreamEncoder *, uint32_t);
    int FLAC__stream_encoder_set_total_samples_estimate(FLAC__StreamEncoder *, uint64_t);
    int FLAC__stream_encoder_init_stream(FLAC__StreamEncoder *, EncoderWrite, void *seek, void *tell,
        void *metadata, void *);
    int FLAC__stream_encoder_process_interleaved(FLAC__StreamEncoder *, const int32_t *, uint32_t samples);
    int FLAC__stream_encoder_finish(FLAC__StreamEncoder *);

    FLAC__StreamDecoder *FLAC__stream_decoder_new(void);
    void FLAC__stream_decoder_delete(FLAC__StreamDecoder *);
    int FLAC__stream_decoder_init_stream(FLAC__StreamDecoder *, DecoderRead, DecoderSeek, DecoderTell,
        DecoderTell length, DecoderEnd, DecoderWrite, void *metadata, DecoderError, void *);
    int FLAC__stream_decoder_process_until_end_of_metadata(FLAC__StreamDecoder *);
    int FLAC__stream_decoder_process_single(FLAC__StreamDecoder *);
    int FLAC__stream_decoder_seek_absolute(FLAC__StreamDecoder *, uint64_t sample);
    int FLAC__stream_decoder_get_state(const FLAC__StreamDecoder *);
    uint64_t FLAC__stream_decoder_get_total_samples(const FLAC__StreamDecoder *);
""")


@functools.cache
def _library() -> Any:
    return libraries.load(_ffi, "libFLAC.so.12", "libFLAC.so.14")


def encode(blocks: Iterable[bytes], ticks: int) -> Iterator[bytes]:
    """Frames of FRAME_TICKS, about as many as a block has at a time."""
    library, written = _library(), list[bytes]()

    def write(_: Any, octets: Any, many: int, *__: Any) -> int:
        written.append(bytes(_ffi.buffer(octets, many)))
        return _WRITE_CONTINUE

    callback = _ffi.callback("EncoderWrite", write, error=_WRITE_ABORT)
    encoder = library.FLAC__stream_encoder_new()
    try:
        library.FLAC__stream_encoder_set_channels(encoder, CHANNELS)
        library.FLAC__stream_encoder_set_bits_per_sample(encoder, _BITS)
        library.FLAC__stream_encoder_set_sample_rate(encoder, SAMPLES_PER_S)
        library.FLAC__stream_encoder_set_compression_level(encoder, LEVEL)
        library.FLAC__stream_encoder_set_blocksize(encoder, FRAME_TICKS * BLOCK)
        library.FLAC__stream_encoder_set_total_samples_estimate(encoder, ticks * BLOCK)
        if library.FLAC__stream_encoder_init_stream(encoder, callback, *[_ffi.NULL] * 4):
            raise StateError("FLAC: libFLAC does not take these settings")
        for block in blocks:
            samples = g711.decode(np.frombuffer(block, np.uint8)).astype(np.int32)
            if not library.FLAC__stream_encoder_process_interleaved(
                    encoder, _ffi.from_buffer("int32_t[]", samples.data), len(samples) // CHANNELS):
                raise StateError("FLAC: libFLAC cannot go on")
            yield b"".join(written)
            written.clear()
        library.FLAC__stream_encoder_finish(encoder)
        yield b"".join(written)
    finally:
        library.FLAC__stream_encoder_delete(encoder)         # writes once more if it was not finished


def decode(file: BinaryIO, from_tick: int) -> Iterator[bytes]:
    """A block a frame."""
    with contextlib.closing(_Decoder(file)) as decoder:
        missing = decoder.samples - from_tick * BLOCK
        if from_tick and missing > 0:
            decoder.seek(from_tick * BLOCK)
        while missing > 0:
            octets = decoder.read()
            missing -= len(octets) // CHANNELS
            yield octets


class _Decoder:
    """One file. ValueError: it is damaged, or none of ours; OSError: its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frames: list[bytes] = []
        self._problem: Exception | None = None
        self._decoder = _library().FLAC__stream_decoder_new()
        self._callbacks = [                       # must outlive the decoder
            self._callback("DecoderRead", self._read, _READ_ABORT),
            self._callback("DecoderSeek", self._seek, _FAILED),
            self._callback("DecoderTell", self._tell, _FAILED),
            self._callback("DecoderTell", self._length, _FAILED),
            self._callback("DecoderEnd", self._at_end, 1),
            self._callback("DecoderWrite", self._write, _WRITE_ABORT)]
        self._error = self._callback("DecoderError", self._damaged, None)
        if _library().FLAC__stream_decoder_init_stream(
                self._decoder, *self._callbacks, _ffi.NULL, self._error, _ffi.NULL):
            raise StateError("FLAC: libFLAC cannot begin")
        self._do("process_until_end_of_metadata")
        self.samples = int(self._get("total_samples"))           # of either side

    def seek(self, sample: int) -> None:
        """read() goes on from there."""
        self._frames.clear()
        self._do("seek_absolute", sample)

    def read(self) -> bytes:
        """The A-law of the next frame."""
        while not self._frames:
            if self._get("state") == _END_OF_STREAM:
                raise ValueError("the recording ends in the middle")
            self._do("process_single")
        return self._frames.pop(0)

    def close(self) -> None:
        _library().FLAC__stream_decoder_delete(self._decoder)

    def _get(self, what: str) -> int:
        return int(getattr(_library(), f"FLAC__stream_decoder_get_{what}")(self._decoder))

    def _do(self, what: str, *arguments: int) -> None:
        done = getattr(_library(), f"FLAC__stream_decoder_{what}")(self._decoder, *arguments)
        if self._problem is not None:
            raise self._problem
        if not done:
            raise ValueError("a damaged FLAC file")

    def _callback(self, kind: str, act: Callable[..., int | None], failed: int | None) -> Any:
        def keep(_: object, problem: Exception, __: object) -> None:
            self._problem = self._problem or problem

        return _ffi.callback(kind, act, **({} if failed is None else {"error": failed}), onerror=keep)

    def _read(self, _: Any, octets: Any, many: Any, __: Any) -> int:
        read = self._file.read(many[0])
        _ffi.memmove(octets, read, len(read))
        many[0] = len(read)
        return _READ_CONTINUE if read else _READ_END

    def _seek(self, _: Any, at: int, __: Any) -> int:
        self._file.seek(at)
        return _DONE

    def _tell(self, _: Any, at: Any, __: Any) -> int:
        at[0] = self._file.tell()
        return _DONE

    def _length(self, _: Any, length: Any, __: Any) -> int:
        at = self._file.tell()
        length[0] = self._file.seek(0, io.SEEK_END)
        self._file.seek(at)
        return _DONE

    def _at_end(self, _: Any, __: Any) -> int:
        at = self._file.tell()
        ended = at == self._file.seek(0, io.SEEK_END)
        self._file.seek(at)
        return ended

    def _write(self, _: Any, frame: Any, sides: Any, __: Any) -> int:
        if (frame.channels, frame.sample_rate, frame.bits) != (CHANNELS, SAMPLES_PER_S, _BITS):
            raise ValueError("a FLAC file, but none of two sides of a call")
        samples = np.empty((frame.blocksize, CHANNELS), np.int16)
        for side in range(CHANNELS):
            samples[:, side] = np.frombuffer(bytes(_ffi.buffer(sides[side], 4 * frame.blocksize)), np.int32)
        self._frames.append(g711.encode(samples).tobytes())
        return _WRITE_CONTINUE

    def _damaged(self, _: Any, status: int, __: Any) -> None:
        raise ValueError(f"a damaged FLAC file (error {status} of libFLAC)")
