"""libspeexdsp 1.2.1 (Debian's libspeexdsp1) through cffi: the echo canceller that we did not write."""

from typing import Any

import cffi
import numpy as np

from appliance.media.g711 import Linear
from e1_driver import BLOCK

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct SpeexEchoState_ SpeexEchoState;
    SpeexEchoState *speex_echo_state_init(int frame_size, int filter_length);
    void speex_echo_state_destroy(SpeexEchoState *);
    void speex_echo_cancellation(
        SpeexEchoState *, const int16_t *received, const int16_t *sent, int16_t *out);
    int speex_echo_ctl(SpeexEchoState *, int request, void *value);

    typedef struct SpeexPreprocessState_ SpeexPreprocessState;
    SpeexPreprocessState *speex_preprocess_state_init(int frame_size, int sampling_rate);
    void speex_preprocess_state_destroy(SpeexPreprocessState *);
    int speex_preprocess_run(SpeexPreprocessState *, int16_t *samples);
    int speex_preprocess_ctl(SpeexPreprocessState *, int request, void *value);
""")
library: Any = ffi.dlopen("libspeexdsp.so.1")

TAPS = 1024
RATE_HZ = 8000
_ECHO_SET_SAMPLING_RATE = 24
_PREPROCESS_SET_ECHO_STATE = 24


class Canceller:
    """Rows as ours has them: one speexdsp canceller of 128 ms for each.

    `processor` adds its preprocessor as it comes: it suppresses what is left of echo, and noise.
    It cannot be kept from learning.
    """

    def __init__(self, rows: int, *, processor: bool = True) -> None:
        rate = ffi.new("int *", RATE_HZ)
        self._states = []
        self._preprocessors = []
        for _ in range(rows):
            state = ffi.gc(library.speex_echo_state_init(BLOCK, TAPS), library.speex_echo_state_destroy)
            library.speex_echo_ctl(state, _ECHO_SET_SAMPLING_RATE, rate)
            self._states.append(state)
            if processor:
                preprocessor = ffi.gc(library.speex_preprocess_state_init(BLOCK, RATE_HZ),
                                      library.speex_preprocess_state_destroy)
                library.speex_preprocess_ctl(preprocessor, _PREPROCESS_SET_ECHO_STATE, state)
                self._preprocessors.append(preprocessor)

    def feed(self, sent: Linear, received: Linear) -> Linear:
        sent, received = np.ascontiguousarray(sent), np.ascontiguousarray(received)
        out = np.empty_like(received)
        for row, state in enumerate(self._states):
            library.speex_echo_cancellation(state, *(
                ffi.cast("int16_t *", ffi.from_buffer(block[row])) for block in (received, sent, out)))
            if self._preprocessors:
                library.speex_preprocess_run(
                    self._preprocessors[row], ffi.cast("int16_t *", ffi.from_buffer(out[row])))
        return out
