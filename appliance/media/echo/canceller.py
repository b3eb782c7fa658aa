"""The echo canceller: two filters a row, a judge of them, a non-linear processor, a tone disabler.

Only rows whose far end speaks, or spoke within the tail, have work to do: they sit together on the first
seats of the filters, those that have still much to learn before those that have converged, and the others'
filters rest behind them.

Ref: ITU-T G.168 (04/2015). Rin is what the port was sent, Sin what it received, Sout what is left of that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media.echo.disabler import ToneDisabler
from appliance.media.echo.filters import PARTITIONS, FilterBank
from appliance.media.echo.noise import ComfortNoise
from appliance.media.echo.spectra import Floats, squares
from appliance.media.echo.suppressor import Suppressor
from appliance.media.g711 import PEAK_0DBM0, Linear
from e1_driver import BLOCK

SILENT_DBM0 = -55.0                               # sent: its echo is inaudible, nothing is cancelled
QUANTIZED_DBM0 = -62.0                            # left over: A-law's own noise
STEP = np.float32(0.7)                            # the full step
PATIENT = 0.3                                     # of it, when a filter has not converged by then
CAUTIOUS = 0.1                                    # of the full step, when the near end talks
EAGER_TICKS = 45                                  # of the full step, anew when a path has changed
PROOF = 1.7                                       # standard deviations make one,
TALK_PROOF = 1.5                                  # and so many times more when the near end talks
MEMORY = np.float32(0.2)                          # part of the newest block in averages
SLOW = np.float32(0.05)                           # the same where echo is told from the near end
MUCH_BETTER = 0.7                                 # in power: the path has changed
COHERENT = 0.12                                   # correlation of what is left and echo, squared: so it has
CONVERGED = 0.1                                   # of echo's power left over
WELL = 0.01                                       # the same: there is little more to learn
LEAST_LOSS = 0.5                                  # of an echo path in power: 6 dB, and 3 for blocks that peak
TONE_LOSS = 0.8                                   # the same of tones, which some paths pass better
MARGIN = 8.0                                      # of what is left of echo over its average, in power
BACKGROUND = 2.0                                  # of the near end's noise, in power: no talk yet
HARMFUL = 1.3                                     # power of what is left against what was received
PLAIN = np.float32(0.1)                           # of the echo in power: more is muted only at first
TALK_TICKS = 6                                    # after the near end talked it counts as talking,
PLAIN_TICKS = 12                                  # and is heard
SLIGHT = 1e-3                                     # of what is left, in power: no echo is heard in it
DOUBT = 3.0                                       # times what is expected: the near end, or another echo
TURNS = 6                                         # ticks in which such a filter learns once
AT_FIRST = np.float32(0.1)                        # how fast what is left of echo is learnt: at first,
FALLING, RISING = np.float32(0.02), np.float32(0.005)     # later,
IN_TALK = np.float32(0.002)                       # and how much more may be left at most while somebody talks
FORGOTTEN = np.float32(1.003)                     # a tick: the least that was left

_0DBM0 = PEAK_0DBM0 ** 2 / 2                      # mean square
_SILENT = np.float32(_0DBM0 * 10 ** (SILENT_DBM0 / 10))
_QUANTIZED = np.float32(_0DBM0 * 10 ** (QUANTIZED_DBM0 / 10))
_RATES = np.array([RISING, FALLING, AT_FIRST])    # not falling, falling, and from far above
_MEMORIES = np.array([MEMORY, SLOW])[:, None, None]
_RAMP = ((np.arange(BLOCK) + 1) / BLOCK).astype(np.float32)

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a row does; decibels are None until an echo was learnt."""

    converged: bool
    erl_db: float | None                          # echo return loss of the path, as the filter knows it
    erle_db: float | None                         # what the filter takes away, without non-linear processor
    disabled: bool                                # by a modem's tone


class EchoCanceller:
    """Rows are independent; a row's state begins anew with reset()."""

    def __init__(self, rows: int, *, processor: bool = True, comfort: bool = True) -> None:
        """`processor`: the non-linear one; `comfort`: it leaves noise like the background, else silence."""
        self.learning = True                      # the Recommendation's tests inhibit it
        self.processor = processor
        self._comfort = comfort
        self._filters = FilterBank(rows)
        self._noise = ComfortNoise(rows)
        self._disabler = ToneDisabler(rows)
        self._suppressor = Suppressor(rows)
        self._row = np.arange(rows)               # on each seat
        self._seat = np.arange(rows)              # of each row
        self._seated = 0                          # so many first seats have rows that are awake
        self._urgents = 0                         # so many first seats learn at every tick
        self._tick = 0
        self._awake = np.zeros(rows, np.int16)                    # ticks until what was sent echoes no more
        self._loudest = np.zeros((PARTITIONS, rows), np.float32)  # mean squares of the blocks sent in a tail
        self._state = np.zeros((15, rows), np.float32)            # by seats, what follows:
        self._left = self._state[0]               # of echo's power, after the foreground
        self._least = self._state[1]              # was left of late: between syllables that is echo
        self._gain = self._state[2]               # of the residual, at the last block's end
        self._ticks = self._state[3:6]
        self._eager = self._ticks[0]              # ticks of the full step
        self._talking = self._ticks[1]            # ticks that the near end counts as talking
        self._plain = self._ticks[2]              # ticks that what is left is too loud to be muted
        self._means = self._state[6:12].reshape(2, 3, rows)
        self._averages, self._slow = self._means  # mean squares: near, echo, residual
        self._tried = self._state[12]             # the same of the trial
        self._advantage = self._state[13:]        # of the background: average and variance
        self._begin(slice(0, rows))

    def _begin(self, seats: slice) -> None:
        self._state[:, seats] = 0
        self._left[seats] = self._least[seats] = self._gain[seats] = 1
        self._eager[seats] = EAGER_TICKS

    def reset(self, row: int) -> None:
        if self._awake[row]:
            self._sleep(row)
        seat = int(self._seat[row])
        self._filters.reset(seat)
        self._begin(slice(seat, seat + 1))
        self._noise.reset(row)
        self._disabler.reset(row)
        self._suppressor.reset(row)
        self._loudest[:, row] = 0

    def feed(self, sent: Linear, received: Linear) -> Linear:
        """One block int16[n, BLOCK] each way of rows 0 to n-1; what is left of `received`, likewise."""
        n = len(sent)
        both = np.empty((2, n, BLOCK), np.float32)
        both[0], both[1] = sent, received
        power = _mean_square(both)
        self._disabler.feed(both, power)
        self._seat_rows(power[0])
        if self._seated:
            self._order()
        out = received.copy()
        rows = self._row[:self._seated]
        if rows.size:
            residual, power[1, rows] = self._cancel(both.take(rows, axis=1), power[1, rows], rows)
        if self._noise.follow(power[1]):
            free = self._awake[:n] == 0           # of echo
            if rows.size:
                both[1, rows] = residual
                free[rows] = self._hears_background(rows)
            self._noise.listen(both[1], power[1], free)
        if rows.size:
            out[rows] = self._process(residual, rows)
            disabled, = self._disabler.disabled[:n].nonzero()
            if disabled.size:
                out[disabled] = received[disabled]
        return out

    def figures(self, row: int) -> Figures:
        seat = int(self._seat[row])
        taps = self._filters.taps(seat)
        energy, left = float(np.dot(taps, taps)), float(self._left[seat])
        known = energy > 0
        return Figures(
            converged=left < CONVERGED, erl_db=-10 * math.log10(energy) if known else None,
            erle_db=-10 * math.log10(left) if known else None, disabled=bool(self._disabler.disabled[row]))

    def _seat_rows(self, sent_power: Floats) -> None:
        """Who speaks takes a seat, who was silent for a whole tail leaves it."""
        n = len(sent_power)
        self._tick += 1
        self._loudest[self._tick % PARTITIONS, :n] = sent_power
        awake = self._awake
        speaks = sent_power > _SILENT
        for row in (speaks & (awake[:n] == 0)).nonzero()[0]:
            self._change_seats(int(row), self._seated, self._filters.exchange_learnt)
            self._filters.quiet(self._seated)
            self._seated += 1
        awake[:n][speaks] = PARTITIONS + 2
        for row in (awake == 1).nonzero()[0]:
            self._sleep(int(row))
        np.maximum(awake - 1, 0, out=awake)
        if n < awake.size:
            for row in np.flatnonzero(awake[n:]) + n:             # not fed: its tail is broken off
                self._sleep(int(row))

    def _sleep(self, row: int) -> None:
        self._seated -= 1
        self._gain[self._seat[row]] = 1
        self._change_seats(row, self._seated, self._filters.exchange)
        self._awake[row] = 0

    def _change_seats(self, row: int, seat: int, exchange: Callable[[int, int], None]) -> None:
        """`row` takes `seat`, who sat there takes its."""
        other, left = int(self._row[seat]), int(self._seat[row])
        if left != seat:
            exchange(left, seat)
            kept = self._state[:, left].copy()
            self._state[:, left] = self._state[:, seat]
            self._state[:, seat] = kept
            self._row[seat], self._row[left] = row, other
            self._seat[row], self._seat[other] = seat, left

    def _cancel(self, both: Floats, received_power: Floats, rows: Rows) -> tuple[Floats, Floats]:
        """What the foreground leaves, float32[len(rows), BLOCK], and its power; the filters learn."""
        n = rows.size
        far, near = both
        self._filters.push(far)
        residual: Floats = self._filters.echoes(n)
        powers = np.empty((3, n), np.float32)     # of what was received, its echo, what is left
        powers[0], powers[1] = received_power, _mean_square(residual)
        np.subtract(near, residual, out=residual)
        powers[2] = _mean_square(residual)
        means = self._means[:, :, :n]
        means += _MEMORIES * (powers - means)
        averages = means[0]
        loudest = self._loudest.max(axis=0)[rows]
        learners = self._learners(n)
        if learners:
            trial = near[:learners] - self._filters.guesses(learners)
            trial_power = _mean_square(trial)
            self._compare(loudest[:learners], powers[:, :learners], trial_power, residual, trial)
        harmed, = (averages[2] > HARMFUL * averages[0]).nonzero()
        if harmed.size:
            self._filters.forget(harmed)
            residual[harmed] = near[harmed]
            averages[2, harmed] = averages[0, harmed]
            self._left[harmed] = self._least[harmed] = 1
            self._eager[harmed] = EAGER_TICKS
        eager = self._eager[:n] > 0
        expected = self._judge(rows, loudest, powers, eager)
        if learners:
            step = expected[:learners] / (trial_power + 1)
            self._limit(step, rows, loudest, powers[0], eager)
            self._filters.learn(trial, step)
            self._filters.constrain(learners, self._tick % PARTITIONS)
        return residual, powers[2]

    def _learners(self, n: int) -> int:
        """So many first seats learn: the urgent ones, and at times all."""
        if not self.learning:
            return 0
        return n if self._tick % TURNS == 0 else self._urgents

    def _order(self) -> None:
        """Those that learn at every tick take the first seats."""
        urgent = self._urgent(self._seated)
        self._urgents = first = int(np.count_nonzero(urgent))
        late, = urgent[first:].nonzero()
        if late.size:
            early, = (~urgent[:first]).nonzero()
            for one, other in zip(early, first + late, strict=True):
                self._change_seats(int(self._row[other]), int(one), self._filters.exchange)

    def _urgent(self, n: int) -> Flags:
        """Those that have still much to learn, and those of whom it is in doubt."""
        left, (_, echo, residual) = self._left[:n], self._averages[:, :n]
        doubt = (self._talking[:n] > 0) & (residual < DOUBT * MARGIN * left * echo)
        urgent: Flags = (self._eager[:n] > 0) | (left > WELL) | doubt
        return urgent

    def _compare(
        self, loudest: Floats, powers: Floats, tried: Floats, residual: Floats, trial: Floats,
    ) -> None:
        """Which backgrounds have proved better than their foregrounds, or worse."""
        n = len(tried)
        near, _, left = powers
        averages, (advantage, variance) = self._averages[:, :n], self._advantage[:, :n]
        usual_tried = self._tried[:n]
        usual_tried += MEMORY * (tried - usual_tried)
        advantage += MEMORY * (left - tried - advantage)
        apart = _mean_square(residual[:n] - trial)
        variance += MEMORY * (MEMORY / 4 * left * apart - (2 - MEMORY) * variance)
        deviation = PROOF * np.sqrt(variance)
        deviation[self._talking[:n] > 0] *= TALK_PROOF
        proved = (advantage > deviation) & (usual_tried < averages[0]) & (near <= TONE_LOSS * loudest)
        better, = proved.nonzero()
        if better.size:
            self._filters.take_over(better)
            usual = MARGIN * self._left[better] * averages[1, better]
            left_over, tried_over = averages[2, better], usual_tried[better]
            coherent = self._coherent(better)
            changed = (left_over > usual) & (coherent | (tried_over < MUCH_BETTER * left_over))
            self._eager[better[changed]] = EAGER_TICKS
            follows = changed & coherent
            self._relearn(better[follows], tried_over[follows])
            residual[better] += (trial[better] - residual[better]) * _RAMP
            averages[2, better] = tried_over
            advantage[better] = variance[better] = 0
        worse, = (advantage < -2 * deviation).nonzero()
        if worse.size:
            self._filters.fall_back(worse)
            usual_tried[worse] = averages[2, worse]
            advantage[worse] = variance[worse] = 0

    def _coherent(self, seats: Rows) -> Flags:
        """Is what is left like the echo taken away? The near end is not, but an echo by another path is."""
        near, echo, residual = self._slow[:, seats]
        twice_cross = near - echo - residual
        coherent: Flags = np.square(twice_cross) > 4 * COHERENT * echo * residual
        return coherent

    def _relearn(self, seats: Rows, over: Floats) -> None:
        """Another path: all that is left, in power `over`, is echo."""
        now = np.minimum(over / (self._averages[1, seats] + 1), 1)
        self._left[seats] = np.maximum(self._left[seats], now)
        self._least[seats] = 1

    def _judge(self, rows: Rows, loudest: Floats, powers: Floats, eager: Flags) -> Floats:
        """Who talks; how much of the echo is expected to be left, mean squares float32[len(rows)]."""
        n = rows.size
        near, echo, residual = powers
        averages, left, talking = self._averages[:, :n], self._left[:n], self._talking[:n]
        ratio = np.minimum(averages[2] / (averages[1] + 1), 1)
        heard = averages[1] > _QUANTIZED
        least, modems = self._least[:n], self._filters.modems(n)
        np.copyto(least, np.minimum(ratio, FORGOTTEN * least), where=heard)
        least[modems & heard] = 1                 # no voice: without syllables
        np.minimum(ratio, np.maximum(least, left), out=ratio)
        change = _RATES[(ratio < left) * (1 + (left > CONVERGED))] * (ratio - left)
        np.minimum(change, IN_TALK * left, out=change, where=talking > 0)
        np.add(left, change, out=left, where=heard)
        loud = np.maximum(echo, averages[1])
        expected: Floats = MARGIN * left * loud
        background = BACKGROUND * self._noise.power[rows] + _QUANTIZED
        unknown = left > CONVERGED
        talks = np.where(
            unknown, (near > LEAST_LOSS * loudest) | self._filters.tonal(n),
            residual > expected + background)
        learns = unknown & (eager | modems)
        plain = talks | ((residual > PLAIN * loud + background) & heard & ~learns)
        ticks, least_ticks = self._ticks[:, :n], np.zeros((3, n), np.float32)
        np.multiply(talks, TALK_TICKS, out=least_ticks[1])
        np.multiply(plain, PLAIN_TICKS, out=least_ticks[2])
        ticks -= 1
        np.maximum(ticks, least_ticks, out=ticks)
        return expected

    def _limit(self, step: Floats, rows: Rows, loudest: Floats, near: Floats, eager: Flags) -> None:
        """The step of the first backgrounds, until now what it is by the echo expected to be left: 0 to 1."""
        n = len(step)
        unknown, tonal = self._left[:n] > CONVERGED, self._filters.tonal(n)
        near, loudest = near[:n], loudest[:n]
        quiet = near <= LEAST_LOSS * loudest
        step.clip(CAUTIOUS, 1, out=step)
        step[unknown & quiet] = PATIENT
        step[eager[:n] & quiet] = 1
        # A tone fits any filter: what a converged one has learnt, or the near end's own, would be lost.
        useless = (tonal & ~unknown) | (self._filters.narrow(n) & (near > TONE_LOSS * loudest))
        step[useless | self._disabler.disabled[rows[:n]]] = 0
        step *= STEP

    def _hears_background(self, rows: Rows) -> Flags:
        """Less is left of echo than there is background."""
        left = self._left[:rows.size]
        echo = MARGIN * left * self._averages[1, :rows.size]
        hears: Flags = (left < CONVERGED) & (echo < np.maximum(self._noise.power[rows], _QUANTIZED))
        return hears

    def _process(self, residual: Floats, rows: Rows) -> Linear:
        """The non-linear processor: comfort noise in place of what is left, unless the near end may talk."""
        gain, tone = self._gain[:rows.size], self._disabler.tone[rows]
        before = gain.copy()
        np.maximum(self._plain[:rows.size] > 0, tone, out=gain)
        if self.processor:
            self._suppress(residual, (np.maximum(gain, before) > 0) & ~tone, rows)
            self._replace(residual, before, gain, rows)
        np.rint(residual, out=residual)
        residual.clip(-32768, 32767, out=residual)
        return residual.astype(np.int16)

    def _suppress(self, residual: Floats, heard: Flags, rows: Rows) -> None:
        """What is left of echo under a near end that is heard."""
        left, (_, echo, over) = self._left[:rows.size], self._averages[:, :rows.size]
        seats, = (heard & (left * echo > SLIGHT * over)).nonzero()
        if seats.size:
            power = left[seats, None] * squares(self._filters.spectra[seats])
            residual[seats] = self._suppressor.feed(residual[seats], power, rows[seats], self._tick)

    def _replace(self, residual: Floats, before: Floats, gain: Floats, rows: Rows) -> None:
        replaced, = (np.minimum(gain, before) < 1).nonzero()
        if replaced.size:
            faded, = (gain != before).nonzero()
            part = residual[faded]
            residual[replaced] = self._noise.next(rows[replaced]) if self._comfort else 0
            if faded.size:
                residual[faded] = _faded(part, residual[faded], before[faded, None], gain[faded, None])


def _faded(residual: Floats, noise: Floats, before: Floats, gain: Floats) -> Floats:
    """From one to the other, as loud together: `residual` by `before` at first, by `gain` at the end."""
    ramp = before + (gain - before) * _RAMP
    mixed: Floats = ramp * residual + np.sqrt(1 - ramp * ramp) * noise
    return mixed


def _mean_square(blocks: Floats) -> Floats:
    """float32[...] of float32[..., BLOCK]."""
    power: Floats = np.vecdot(blocks, blocks)
    power /= BLOCK
    return power
