"""Music on hold, made from numbers: soft chords that end as they begin. Nobody's rights."""

import numpy as np
import numpy.typing as npt

SAMPLES_PER_S = 8000
LEVEL_DBM0 = -15.0
FULL_SCALE_DBM0 = 3.14                            # of a sine, A-law: G.711 table 5

BEAT_S = 0.5
BEATS_PER_CHORD = 8
CHORDS = (                                        # semitones from a' (440 Hz): C, Am, F, G with their octaves
    (-21, -9, -5, -2), (-24, -12, -9, -5), (-28, -16, -12, -9), (-26, -14, -10, -7),
    (-21, -9, -5, -2), (-17, -9, -5, 2), (-28, -16, -9, -4), (-26, -14, -10, -5))
PLUCKED = (1, 2, 3, 2, 1, 3, 2, 3)                # which note of the chord on each beat
HARMONICS = (1.0, 0.35, 0.12)
DECAY_S = 0.9


def on_hold() -> npt.NDArray[np.int16]:
    """Mono PCM, SAMPLES_PER_S; the last sample leads into the first."""
    beat = int(BEAT_S * SAMPLES_PER_S)
    music = np.zeros(beat * BEATS_PER_CHORD * len(CHORDS))
    for number, chord in enumerate(CHORDS):
        for step, note in enumerate(PLUCKED):
            start = (number * BEATS_PER_CHORD + step) * beat
            _add(music, start, _pluck(chord[note] + 12))
            if step % 4 == 0:
                _add(music, start, 1.5 * _pluck(chord[0] + 12))
    rms = np.sqrt(np.mean(music ** 2))
    wanted = 32768 / np.sqrt(2) * 10 ** ((LEVEL_DBM0 - FULL_SCALE_DBM0) / 20)
    pcm: npt.NDArray[np.int16] = np.clip(np.round(music * wanted / rms), -32768, 32767).astype(np.int16)
    return pcm


def _pluck(semitones: int) -> npt.NDArray[np.float64]:
    """One note as it is struck and dies away, without a click at either end."""
    at = np.arange(int(4 * DECAY_S * SAMPLES_PER_S)) / SAMPLES_PER_S
    hz = 440.0 * 2 ** (semitones / 12)
    tone = sum(share * np.sin(2 * np.pi * hz * harmonic * at) * np.exp(-at * harmonic / DECAY_S)
               for harmonic, share in enumerate(HARMONICS, 1))
    note: npt.NDArray[np.float64] = tone * np.minimum(at / 0.01, 1) * np.minimum((at[-1] - at) / 0.1, 1)
    return note


def _add(music: npt.NDArray[np.float64], start: int, note: npt.NDArray[np.float64]) -> None:
    """What would sound after the end sounds at the beginning: so it loops."""
    np.add.at(music, (start + np.arange(note.size)) % music.size, note)
