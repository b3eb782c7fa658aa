"""Others that get what the box gets: spandsp's concealment, speexdsp's echo canceller."""

from typing import Any

import cffi
import numpy as np

from e1_driver import BLOCK
from hil_tests.instruments import audio
from tests.media.echo.speexdsp import Canceller
from tests.span.telephones import PACKET_OCTETS

_FFI = cffi.FFI()
_FFI.cdef("""
    typedef struct plc_state_s plc_state_t;
    plc_state_t *plc_init(plc_state_t *);
    int plc_rx(plc_state_t *, int16_t amp[], int len);
    int plc_fillin(plc_state_t *, int16_t amp[], int len);
    int plc_free(plc_state_t *);
""")


def spandsp(octets: audio.Octets, lost: set[int]) -> audio.Samples:
    """What plc_rx() and plc_fillin() make of A-law packets of which those numbers are lost, and none late."""
    library: Any = _FFI.dlopen("libspandsp.so.2")
    state = library.plc_init(_FFI.NULL)
    samples = audio.expand(octets).astype(np.int16).reshape(-1, PACKET_OCTETS)
    for number, packet in enumerate(samples):
        room = _FFI.cast("int16_t *", _FFI.from_buffer(packet.data))
        (library.plc_fillin if number in lost else library.plc_rx)(state, room, PACKET_OCTETS)
    library.plc_free(state)
    return samples.ravel().astype(np.float64)


def speexdsp(sent: list[audio.Octets], returned: list[audio.Octets]) -> list[audio.Samples]:
    """What its canceller and preprocessor leave of what each line returned; the newest are in step."""
    size = min(map(len, [*sent, *returned]))
    far, near = (audio.expand(np.stack([octets[-size:] for octets in side])).astype(np.int16)
                 for side in (sent, returned))
    peer = Canceller(len(far))
    left = [peer.feed(far[:, at:at + BLOCK], near[:, at:at + BLOCK]) for at in range(0, size, BLOCK)]
    return list(np.concatenate(left, axis=1).astype(np.float64))
