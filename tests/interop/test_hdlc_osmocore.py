"""Our HDLC against libosmocore's isdnhdlc.h, which osmo-e1d runs on real lines. Debian: libosmocore-dev."""

import importlib.util
import random
from pathlib import Path
from typing import Any

import cffi
import pytest

from e1_driver.framing.hdlc import MAX_OCTETS, MIN_OCTETS, Decoder, Encoder

BUILD = Path(__file__).parents[2] / "build" / "osmocore"
BITREVERSE = 4                                    # OSMO_HDLC_F_BITREVERSE: the order of bits in a timeslot

DECLARATIONS = """
struct osmo_isdnhdlc_vars { ...; };
void osmo_isdnhdlc_rcv_init(struct osmo_isdnhdlc_vars *hdlc, uint32_t features);
int osmo_isdnhdlc_decode(struct osmo_isdnhdlc_vars *hdlc, const uint8_t *src, int slen, int *count,
                         uint8_t *dst, int dsize);
void osmo_isdnhdlc_out_init(struct osmo_isdnhdlc_vars *hdlc, uint32_t features);
int osmo_isdnhdlc_encode(struct osmo_isdnhdlc_vars *hdlc, const uint8_t *src, uint16_t slen, int *count,
                         uint8_t *dst, int dsize);
"""


@pytest.fixture(scope="module")
def osmo() -> Any:
    """The compiled module: `.ffi` and `.lib`."""
    ffi = cffi.FFI()
    ffi.cdef(DECLARATIONS)
    ffi.set_source("_osmocore_hdlc", "#include <osmocom/core/isdnhdlc.h>", libraries=["osmocore"])
    BUILD.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.spec_from_file_location("_osmocore_hdlc", ffi.compile(tmpdir=str(BUILD)))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    choose = random.Random(921)
    ones = [b"\xff" * length for length in (3, 20, MAX_OCTETS)]       # most stuffing
    lengths = [MIN_OCTETS, MAX_OCTETS, *(choose.randint(MIN_OCTETS, MAX_OCTETS) for _ in range(300))]
    return [bytes.fromhex("02017f"), *ones, *(choose.randbytes(length) for length in lengths)]


def osmo_encode(osmo: Any, frame: bytes, state: Any) -> bytes:
    """Timeslot octets from the opening flag to the closing flag, as libosmocore makes them."""
    out, done, consumed, octets = osmo.ffi.new("uint8_t[4096]"), 0, osmo.ffi.new("int *"), b""
    while done < len(frame):
        made = osmo.lib.osmo_isdnhdlc_encode(state, frame[done:], len(frame) - done, consumed, out, 4096)
        done += consumed[0]
        octets += bytes(out[0:made])
    made = osmo.lib.osmo_isdnhdlc_encode(state, osmo.ffi.NULL, 0, consumed, out, 8)       # FCS and flags
    return octets + bytes(out[0:made])


class OsmoDecoder:
    """Octets cut anywhere to good frames; an error of any kind fails the test."""

    def __init__(self, osmo: Any) -> None:
        self._osmo = osmo
        self._state = osmo.ffi.new("struct osmo_isdnhdlc_vars *")
        self._frame, self._consumed = osmo.ffi.new("uint8_t[4096]"), osmo.ffi.new("int *")
        osmo.lib.osmo_isdnhdlc_rcv_init(self._state, BITREVERSE)

    def feed(self, octets: bytes) -> list[bytes]:
        frames = []
        while octets:
            length = self._osmo.lib.osmo_isdnhdlc_decode(
                self._state, octets, len(octets), self._consumed, self._frame, 4096)
            assert length >= 0, f"libosmocore: error {-length}"
            octets = octets[self._consumed[0]:]
            if length:
                frames.append(bytes(self._frame[0:length]))
        return frames


def test_libosmocore_reads_our_frames(osmo: Any, frames: list[bytes]) -> None:
    encoder, decoder, read = Encoder(), OsmoDecoder(osmo), []
    for frame in frames:
        assert encoder.send(frame)
        for _ in range(5):                        # long enough for the longest
            read += decoder.feed(encoder.pull(80))
    assert read == frames


def test_libosmocore_reads_our_frames_back_to_back(osmo: Any, frames: list[bytes]) -> None:
    encoder, burst = Encoder(), frames[:40]
    assert all(encoder.send(frame) for frame in burst)
    assert OsmoDecoder(osmo).feed(encoder.pull(9000)) == burst


def test_we_read_libosmocores_frames(osmo: Any, frames: list[bytes]) -> None:
    state = osmo.ffi.new("struct osmo_isdnhdlc_vars *")
    osmo.lib.osmo_isdnhdlc_out_init(state, BITREVERSE)
    decoder, read = Decoder(), []
    line = b"".join(osmo_encode(osmo, frame, state) for frame in frames)
    for start in range(0, len(line), 80):
        read += decoder.feed(line[start:start + 80])
    assert read == frames
    assert (decoder.fcs_errors, decoder.aborts, decoder.runts, decoder.giants) == (0, 0, 0, 0)
