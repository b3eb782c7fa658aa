"""Levels: gain as A-law -> A-law, automatic gain control, meters. Rows of many ports at once.

dBm0 are those of G.711 clause 4. Gains are whole steps of STEP_DB, each one table of 256 octets; a gain moves
to another by at most SLEW_DB a tick, which is not heard as a step.

Ref: ITU-T P.56 (12/11) for what active speech level means; the estimate here is a running one.
"""

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.media.g711 import PEAK_0DBM0, Linear, Octets
from e1_driver import BLOCK, BLOCK_S

STEP_DB = 0.25
MIN_DB, MAX_DB = -40.0, 23.75
SLEW_DB = 1.0
SILENT_DBM0 = -99.0                               # what a meter says of no sound at all

Numbers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

_MIN_STEPS, _MAX_STEPS = round(MIN_DB / STEP_DB), round(MAX_DB / STEP_DB)
_SLEW_STEPS = round(SLEW_DB / STEP_DB)
_POWER_0DBM0 = PEAK_0DBM0 ** 2 / 2                # mean square of a sine of 0 dBm0


def steps(gain_db: float) -> int:
    """In steps of STEP_DB. ValueError: beyond MIN_DB, MAX_DB."""
    if not MIN_DB <= gain_db <= MAX_DB:
        raise ValueError(f"a gain of {gain_db:g} dB: {MIN_DB:g} to {MAX_DB:g} are possible")
    return round(gain_db / STEP_DB)


def _gain_tables() -> Octets:
    """uint8[steps * 256]: octets by gain, least gain first. 0 dB changes nothing."""
    gains_db = np.arange(MIN_DB, MAX_DB + STEP_DB / 2, STEP_DB)
    linear = g711.decode(np.arange(256, dtype=np.uint8)) * 10 ** (gains_db[:, None] / 20)
    return g711.encode(np.rint(linear).clip(-32767, 32767).astype(np.int16)).ravel()


_GAINS = _gain_tables()


class Gain:
    """The gain of each port as it is now."""

    def __init__(self, ports: int) -> None:
        self._steps = np.zeros(ports, np.intp)

    def reset(self, port: int) -> None:
        self._steps[port] = 0

    def apply(self, octets: Octets, ports: Numbers, wanted: Numbers) -> None:
        """Move the gain of `ports` towards so many steps, and change their rows of `octets` by it.

        What is wanted beyond MIN_DB or MAX_DB, as the sum of a gain and the automatic one may be, is those.
        """
        steps = self._steps[ports]
        steps += (wanted.clip(_MIN_STEPS, _MAX_STEPS) - steps).clip(-_SLEW_STEPS, _SLEW_STEPS)
        self._steps[ports] = steps
        octets[ports] = _GAINS.take(octets[ports] + (steps - _MIN_STEPS)[:, None] * 256, mode="clip")


QUIETEST_SPEECH_DBM0 = -50.0                      # nothing below is taken for speech
ABOVE_NOISE_DB = 12.0                             # speech stands out of the noise by that
NOISE_RISES_DB_S = 3.0                            # the noise is the least level, which is forgotten so slowly
HANGOVER_S = 0.2                                  # pauses between syllables belong to speech, P.56
AVERAGED_S = 2.0                                  # of speech
RISE_DB_S, FALL_DB_S = 6.0, 12.0
MOST_DB, LEAST_DB = 15.0, -15.0
LOUDEST_DBM0 = 0.0                                # of a sine with the block's peak, after the gain


class Agc:
    """Brings the active speech level of each row to its target, slowly; in pauses the gain stands still.

    Rows are independent; a row's state begins anew with reset().
    """

    def __init__(self, rows: int) -> None:
        self._noise_db = np.zeros(rows)
        self._level = np.zeros(rows)              # mean square of active speech so far
        self._heard_s = np.zeros(rows)            # how much speech that is of
        self._hangover_s = np.zeros(rows)
        self._gain_db = np.zeros(rows)

    def reset(self, row: int) -> None:
        for state in (self._level, self._heard_s, self._hangover_s, self._gain_db, self._noise_db):
            state[row] = 0

    def feed(self, samples: Linear, targets_dbm0: Floats) -> Numbers:
        """One block int16[n, BLOCK] of rows 0 to n-1, before any gain: the gain for each, in steps."""
        n = len(samples)
        linear = samples.astype(np.float32)
        power = np.einsum("ij,ij->i", linear, linear).astype(np.float64) / BLOCK
        peak_db = 20 * np.log10(np.maximum(np.abs(linear).max(axis=1), 1) / PEAK_0DBM0)
        power_db = 10 * np.log10(np.maximum(power, 1) / _POWER_0DBM0)
        noise_db = self._noise_db[:n]
        np.minimum(noise_db + NOISE_RISES_DB_S * BLOCK_S, power_db, out=noise_db)
        speaks = (power_db > QUIETEST_SPEECH_DBM0) & (power_db > noise_db + ABOVE_NOISE_DB)
        hangover_s = self._hangover_s[:n]
        hangover_s -= BLOCK_S
        hangover_s[speaks] = HANGOVER_S
        active = hangover_s > 0

        heard_s, level, gain_db = self._heard_s[:n], self._level[:n], self._gain_db[:n]
        heard_s += BLOCK_S * active
        share = active * (BLOCK_S / heard_s.clip(BLOCK_S, AVERAGED_S))
        level += share * (power - level)
        wanted_db = targets_dbm0 - 10 * np.log10(np.maximum(level, 1) / _POWER_0DBM0)
        move_db = (wanted_db - gain_db).clip(-FALL_DB_S * BLOCK_S, RISE_DB_S * BLOCK_S) * active
        gain_db += move_db
        gain_db.clip(LEAST_DB, MOST_DB, out=gain_db)
        np.minimum(gain_db, np.maximum(LOUDEST_DBM0 - peak_db, LEAST_DB), out=gain_db)
        return np.rint(gain_db / STEP_DB).astype(np.intp)


class Meters:
    """Rms and peak of each row over as many ticks as it is told."""

    def __init__(self, rows: int) -> None:
        self._energy = np.zeros(rows)
        self._peak = np.zeros(rows)
        self._ticks = np.zeros(rows, np.intp)

    def reset(self, row: int) -> None:
        self._energy[row] = self._peak[row] = self._ticks[row] = 0

    def feed(self, samples: Linear, over_ticks: Numbers) -> list[tuple[int, float, float]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, rms, peak) in dBm0 of each whose time is over.

        A peak is said as the level of a sine that has it.
        """
        n = len(samples)
        linear = samples.astype(np.float32)
        energy, peak, ticks = self._energy[:n], self._peak[:n], self._ticks[:n]
        energy += np.einsum("ij,ij->i", linear, linear)
        np.maximum(peak, np.abs(linear).max(axis=1), out=peak)
        ticks += 1
        measured = []
        for row in (ticks >= over_ticks).nonzero()[0].tolist():
            mean_square = energy[row] / (ticks[row] * BLOCK)
            measured.append((row, _dbm0(mean_square / _POWER_0DBM0), _dbm0((peak[row] / PEAK_0DBM0) ** 2)))
            self.reset(row)
        return measured


def _dbm0(power: float) -> float:
    return max(SILENT_DBM0, 10 * float(np.log10(power))) if power else SILENT_DBM0
