"""libspandsp 0.0.6 (Debian's libspandsp2) through cffi: senders and receivers that we did not write.

Its license lets nobody copy and everybody compare.
"""

import itertools
from typing import Any

import cffi
import numpy as np

from appliance.media.g711 import Linear

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct dtmf_rx_state_s dtmf_rx_state_t;
    dtmf_rx_state_t *dtmf_rx_init(dtmf_rx_state_t *, void *callback, void *user_data);
    void dtmf_rx_parms(dtmf_rx_state_t *, int filter_dialtone, int twist, int reverse_twist, int threshold);
    int dtmf_rx(dtmf_rx_state_t *, const int16_t amp[], int samples);
    size_t dtmf_rx_get(dtmf_rx_state_t *, char *digits, int max);
    int dtmf_rx_free(dtmf_rx_state_t *);

    typedef struct dtmf_tx_state_s dtmf_tx_state_t;
    dtmf_tx_state_t *dtmf_tx_init(dtmf_tx_state_t *);
    void dtmf_tx_set_level(dtmf_tx_state_t *, int level, int twist);
    void dtmf_tx_set_timing(dtmf_tx_state_t *, int on_time, int off_time);
    int dtmf_tx_put(dtmf_tx_state_t *, const char *digits, int len);
    int dtmf_tx(dtmf_tx_state_t *, int16_t amp[], int max_samples);
    int dtmf_tx_free(dtmf_tx_state_t *);

    typedef struct r2_mf_rx_state_s r2_mf_rx_state_t;
    r2_mf_rx_state_t *r2_mf_rx_init(r2_mf_rx_state_t *, int fwd, void *callback, void *user_data);
    int r2_mf_rx(r2_mf_rx_state_t *, const int16_t amp[], int samples);
    int r2_mf_rx_get(r2_mf_rx_state_t *);
    int r2_mf_rx_free(r2_mf_rx_state_t *);

    typedef struct r2_mf_tx_state_s r2_mf_tx_state_t;
    r2_mf_tx_state_t *r2_mf_tx_init(r2_mf_tx_state_t *, int fwd);
    int r2_mf_tx_put(r2_mf_tx_state_t *, char digit);
    int r2_mf_tx(r2_mf_tx_state_t *, int16_t amp[], int samples);
    int r2_mf_tx_free(r2_mf_tx_state_t *);

    typedef struct bell_mf_rx_state_s bell_mf_rx_state_t;
    bell_mf_rx_state_t *bell_mf_rx_init(bell_mf_rx_state_t *, void *callback, void *user_data);
    int bell_mf_rx(bell_mf_rx_state_t *, const int16_t amp[], int samples);
    size_t bell_mf_rx_get(bell_mf_rx_state_t *, char *digits, int max);
    int bell_mf_rx_free(bell_mf_rx_state_t *);

    typedef struct bell_mf_tx_state_s bell_mf_tx_state_t;
    bell_mf_tx_state_t *bell_mf_tx_init(bell_mf_tx_state_t *);
    int bell_mf_tx_put(bell_mf_tx_state_t *, const char *digits, int len);
    int bell_mf_tx(bell_mf_tx_state_t *, int16_t amp[], int max_samples);
    int bell_mf_tx_free(bell_mf_tx_state_t *);

    typedef void (*tone_report_func_t)(void *user_data, int code, int level, int delay);
    typedef struct modem_connect_tones_tx_state_s modem_connect_tones_tx_state_t;
    modem_connect_tones_tx_state_t *modem_connect_tones_tx_init(
        modem_connect_tones_tx_state_t *, int tone_type);
    int modem_connect_tones_tx(modem_connect_tones_tx_state_t *, int16_t amp[], int len);
    int modem_connect_tones_tx_free(modem_connect_tones_tx_state_t *);
    typedef struct modem_connect_tones_rx_state_s modem_connect_tones_rx_state_t;
    modem_connect_tones_rx_state_t *modem_connect_tones_rx_init(
        modem_connect_tones_rx_state_t *, int tone_type, tone_report_func_t, void *user_data);
    int modem_connect_tones_rx(modem_connect_tones_rx_state_t *, const int16_t amp[], int len);
    int modem_connect_tones_rx_free(modem_connect_tones_rx_state_t *);

    typedef struct {
        const char *name;
        int freq_zero, freq_one, tx_level, min_level, baud_rate;
    } fsk_spec_t;
    extern const fsk_spec_t preset_fsk_specs[];
    typedef int (*get_bit_func_t)(void *user_data);
    typedef struct fsk_tx_state_s fsk_tx_state_t;
    fsk_tx_state_t *fsk_tx_init(fsk_tx_state_t *, const fsk_spec_t *, get_bit_func_t, void *user_data);
    int fsk_tx(fsk_tx_state_t *, int16_t amp[], int len);
    int fsk_tx_free(fsk_tx_state_t *);

    typedef struct super_tone_rx_descriptor_s super_tone_rx_descriptor_t;
    super_tone_rx_descriptor_t *super_tone_rx_make_descriptor(super_tone_rx_descriptor_t *);
    int super_tone_rx_free_descriptor(super_tone_rx_descriptor_t *);
    int super_tone_rx_add_tone(super_tone_rx_descriptor_t *);
    int super_tone_rx_add_element(super_tone_rx_descriptor_t *, int tone, int f1, int f2, int min, int max);
    typedef struct super_tone_rx_state_s super_tone_rx_state_t;
    super_tone_rx_state_t *super_tone_rx_init(
        super_tone_rx_state_t *, super_tone_rx_descriptor_t *, tone_report_func_t, void *user_data);
    int super_tone_rx(super_tone_rx_state_t *, const int16_t amp[], int samples);
    int super_tone_rx_free(super_tone_rx_state_t *);

    typedef struct super_tone_tx_step_s super_tone_tx_step_t;
    super_tone_tx_step_t *super_tone_tx_make_step(
        super_tone_tx_step_t *, float f1, float l1, float f2, float l2, int length_ms, int cycles);
    int super_tone_tx_free_tone(super_tone_tx_step_t *);
    typedef struct super_tone_tx_state_s super_tone_tx_state_t;
    super_tone_tx_state_t *super_tone_tx_init(super_tone_tx_state_t *, super_tone_tx_step_t *);
    int super_tone_tx(super_tone_tx_state_t *, int16_t amp[], int max_samples);
    int super_tone_tx_free(super_tone_tx_state_t *);
""")
library: Any = ffi.dlopen("libspandsp.so.2")

CONNECT_TONES = {"cng": 1, "ans": 2, "ans reversed": 3, "ansam": 4, "ansam reversed": 5, "preamble": 6}
R2_SIGNALS = "1234567890BCDEF"                    # what it calls the signals 1 to 15 of Q.441 table 5
_V21_CHANNEL_2 = 1                                # its place among the modems of frequency shift keying
_AT_ONCE = 128                                    # it keeps so many digits
_MOST = 1 << 20                                   # samples that a sender is asked for


def dtmf_digits(samples: Linear, filter_dial_tone: bool = False) -> str:
    """What a new DTMF receiver of its own settings hears in int16[samples]."""
    state = library.dtmf_rx_init(ffi.NULL, ffi.NULL, ffi.NULL)
    if filter_dial_tone:
        library.dtmf_rx_parms(state, 1, -1, -1, -99)
    try:
        return _digits(samples, lambda *block: library.dtmf_rx(state, *block),
                       lambda *room: library.dtmf_rx_get(state, *room))
    finally:
        library.dtmf_rx_free(state)


def bell_mf_digits(samples: Linear) -> str:
    state = library.bell_mf_rx_init(ffi.NULL, ffi.NULL, ffi.NULL)
    try:
        return _digits(samples, lambda *block: library.bell_mf_rx(state, *block),
                       lambda *room: library.bell_mf_rx_get(state, *room))
    finally:
        library.bell_mf_rx_free(state)


def _digits(samples: Linear, feed: Any, get: Any) -> str:
    room, digits = ffi.new("char[]", _AT_ONCE + 1), []
    for part in np.array_split(samples, -(-samples.size // 8000)):       # no second holds that many
        feed(ffi.from_buffer("int16_t[]", part.tobytes()), part.size)
        digits.append(bytes(ffi.buffer(room, get(room, _AT_ONCE))).decode())
    return "".join(digits)


def dtmf(digits: str, on_ms: int = 50, off_ms: int = 55, level_dbm0: int = -10, twist_db: int = 0) -> Linear:
    """Its sender's int16 samples; the high one is `twist_db` stronger."""
    state = library.dtmf_tx_init(ffi.NULL)
    library.dtmf_tx_set_level(state, level_dbm0, twist_db)
    library.dtmf_tx_set_timing(state, on_ms, off_ms)
    try:
        return _sent_one_by_one(digits, lambda digit: library.dtmf_tx_put(state, digit, 1),
                                lambda room: library.dtmf_tx(state, room, _MOST))
    finally:
        library.dtmf_tx_free(state)


def bell_mf(digits: str) -> Linear:
    """Its sender's int16 samples of System R1's signals; * is KP, A is STP, B ST2P, C ST3P, # is ST."""
    state = library.bell_mf_tx_init(ffi.NULL)
    try:
        return _sent_one_by_one(digits, lambda digit: library.bell_mf_tx_put(state, digit, 1),
                                lambda room: library.bell_mf_tx(state, room, _MOST))
    finally:
        library.bell_mf_tx_free(state)


def _sent_one_by_one(digits: str, put: Any, fill: Any) -> Linear:
    parts = []
    for digit in digits:
        put(digit.encode())
        parts.append(_sent(fill))
    return np.concatenate(parts)


def r2(signal: int, samples: int, forward: bool) -> Linear:
    """Its sender's samples of signal 1 to 15."""
    state = library.r2_mf_tx_init(ffi.NULL, forward)
    library.r2_mf_tx_put(state, R2_SIGNALS[signal - 1].encode())
    try:
        return _sent(lambda room: library.r2_mf_tx(state, room, samples))
    finally:
        library.r2_mf_tx_free(state)


def r2_signals(samples: Linear, forward: bool, step: int = 80) -> list[int]:
    """What a new receiver says after every `step` of int16[samples]: 0 is none."""
    state = library.r2_mf_rx_init(ffi.NULL, forward, ffi.NULL, ffi.NULL)
    said = []
    try:
        for start in range(0, samples.size, step):
            block = samples[start:start + step]
            library.r2_mf_rx(state, ffi.from_buffer("int16_t[]", block.tobytes()), block.size)
            code = library.r2_mf_rx_get(state)
            said.append(R2_SIGNALS.index(chr(code)) + 1 if code else 0)
    finally:
        library.r2_mf_rx_free(state)
    return said


def connect_tone(name: str, samples: int) -> Linear:
    """Its sender's beginning of one of CONNECT_TONES, but for "preamble"."""
    state = library.modem_connect_tones_tx_init(ffi.NULL, CONNECT_TONES[name])
    try:
        return _sent(lambda room: library.modem_connect_tones_tx(state, room, samples))
    finally:
        library.modem_connect_tones_tx_free(state)


def v21(bits: str, samples: int) -> Linear:
    """Its sender's samples of `bits`, again and again, on channel 2 of V.21."""
    sent = itertools.cycle(map(int, bits))
    callback = ffi.callback("get_bit_func_t", lambda user: next(sent))
    modem = ffi.addressof(library.preset_fsk_specs[_V21_CHANNEL_2])
    state = library.fsk_tx_init(ffi.NULL, modem, callback, ffi.NULL)
    try:
        return _sent(lambda room: library.fsk_tx(state, room, samples))
    finally:
        library.fsk_tx_free(state)


def connect_tones(name: str, samples: Linear) -> list[int]:
    """What a new receiver for one of CONNECT_TONES reports of int16[samples], by its codes; 0 is the end."""
    heard, callback = _reports()
    state = library.modem_connect_tones_rx_init(ffi.NULL, CONNECT_TONES[name], callback, ffi.NULL)
    try:
        _fed(samples, lambda *block: library.modem_connect_tones_rx(state, *block))
    finally:
        library.modem_connect_tones_rx_free(state)
    return heard


def cadenced(hz: tuple[int, ...], level_dbm0: float, on_ms: int) -> Linear:
    """Its sender's burst of one frequency or two together."""
    step = library.super_tone_tx_make_step(
        ffi.NULL, hz[0], level_dbm0, hz[1] if len(hz) > 1 else 0, level_dbm0, on_ms, 1)
    state = library.super_tone_tx_init(ffi.NULL, step)
    try:
        return _sent(lambda room: library.super_tone_tx(state, room, on_ms * 8))
    finally:
        library.super_tone_tx_free(state)
        library.super_tone_tx_free_tone(step)


def supervisory_tones(tones: list[list[tuple[int, int, int, int]]], samples: Linear) -> list[int]:
    """Which of `tones`, elements (Hz or 0, Hz or 0, least ms, most ms), its receiver reports; -1: an end."""
    description = library.super_tone_rx_make_descriptor(ffi.NULL)
    for elements in tones:
        tone = library.super_tone_rx_add_tone(description)
        for element in elements:
            library.super_tone_rx_add_element(description, tone, *element)
    heard, callback = _reports()
    state = library.super_tone_rx_init(ffi.NULL, description, callback, ffi.NULL)
    try:
        _fed(samples, lambda *block: library.super_tone_rx(state, *block))
    finally:
        library.super_tone_rx_free(state)
        library.super_tone_rx_free_descriptor(description)
    return heard


def _reports() -> tuple[list[int], Any]:
    heard: list[int] = []
    return heard, ffi.callback("tone_report_func_t", lambda user, code, level, delay: heard.append(code))


def _fed(samples: Linear, feed: Any) -> None:
    for part in np.array_split(samples, -(-samples.size // 160)):
        kept: Any = np.ascontiguousarray(part)
        feed(ffi.from_buffer("int16_t[]", kept), kept.size)


def _sent(fill: Any) -> Linear:
    room = ffi.new("int16_t[]", _MOST)
    length: int = fill(room)
    return np.frombuffer(bytes(ffi.buffer(room, 2 * length)), np.int16)
