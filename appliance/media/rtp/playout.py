"""The jitter buffer of all legs: packets in at their time stamps, one block of each leg out a tick.

One matrix holds all legs' time: a column is a sample of the line's clock, and every leg plays the same
columns, so playing is a slice. A leg's `shift` leads from its far end's time stamps to that clock; its delay
changes when the shift does: samples are put in as if they had been lost, or a pitch period is left out where
the next one looks like it.

How well packets come in time is their headroom: the samples between a packet's arrival and its turn. Of the
least headrooms of WINDOWS windows the second smallest is held between LOW and HIGH: one bad moment in all
that time changes nothing, two do. A stream that has only begun learns from every one.

Ref: ITU-T G.711 Appendix I (09/99) for the way back from what conceal.py made up.
"""

from functools import partial

import numpy as np

from appliance.media import g711
from appliance.media.g711 import PEAK_0DBM0, Octets
from appliance.media.rtp import conceal
from appliance.media.rtp.alone import Failed, each
from appliance.media.rtp.conceal import AUDIBLE, HISTORY, LENGTH, MOST_PITCH
from appliance.media.rtp.packet import Marks, Numbers, Rows
from appliance.media.rtp.stream import Floats
from e1_driver import BLOCK, IDLE

MOST_OCTETS = 12 * BLOCK                          # of a packet's payload: 120 ms
BEHIND = MOST_OCTETS                              # played samples kept: the history of what comes
AHEAD = 110 * BLOCK                               # this box may stand still for a second
SLACK = 32 * BLOCK                                # played until everything is moved back

LOW, MIDDLE, HIGH = BLOCK, 3 * BLOCK // 2, 3 * BLOCK             # of the headroom
START = 5 * BLOCK // 2                            # headroom of a stream's first packet
WINDOWS, WINDOW_TICKS = 16, 40                    # 6.4 s in all
YOUNG = 200 * BLOCK                               # samples of a stream for which one bad moment does count
LOOK_TICKS = 10                                   # between looks at the legs' headroom, and steps of it
MEAN_SHARE = 1 / 32
ANEW_S = 0.06                                     # nothing for so long but packets that cannot be played
ANEW_SAMPLES = 480
FADE_MORE = 32                                    # of the way back, for each 10 ms made up

SILENT_RMS = PEAK_0DBM0 / 2 ** 0.5 * 10 ** (-45 / 20)            # a step within it is not heard
ALIKE = 0.6                                       # correlation of what is left out with what follows
URGENT = 8 * BLOCK                                # too much headroom to wait for a good place

_SOUND = -BLOCK                                  # _since: nothing is missing
_REST = LENGTH                                    # ... or the far end sends nothing on purpose
_FOR_EVER = np.iinfo(np.int64).max
_UNKNOWN = 1 << 20                                # headroom of a window without packets
_NEVER = -_UNKNOWN                                # the most headroom where the next packet sets the delay
_ENDS_REST = _NEVER + 1                           # ... and where it ends a rest
_COLUMNS = BEHIND + SLACK + AHEAD
_STEPS = np.arange(BLOCK)
_RAMP = ((_STEPS + 1) / (BLOCK + 1)).astype(np.float32)
_WORD = np.uint64(0x0101010101010101)             # eight marks
_NONE = np.uint64(0)
_HALF = np.uint64(2)                              # what no marks are


class Playout:
    """Counts are of a row's life, in packets (`late`) or samples."""

    def __init__(self, rows: int, failed: Failed) -> None:
        self._failed = failed
        self.late: Numbers = np.zeros(rows, np.int64)
        self.anchored: Numbers = np.zeros(rows, np.int64)        # times that the delay was set anew
        self.concealed: Numbers = np.zeros(rows, np.int64)
        self.stretched: Numbers = np.zeros(rows, np.int64)
        self.headroom: Floats = np.zeros(rows)                   # mean
        self.most_headroom: Numbers = np.zeros(rows, np.int64)
        self._headrooms: Numbers = np.full((LOOK_TICKS, rows), _UNKNOWN, np.int64)        # not yet looked at
        self._puts = 0                                           # since the last look
        self._bound: Numbers = np.zeros(rows, np.int64)          # of the headroom
        self._most: Numbers = np.full(rows, _NEVER, np.int64)    # the same, or why a packet needs a look
        self._audio = np.full((rows, _COLUMNS), IDLE, np.uint8)
        self._there = np.zeros((rows, _COLUMNS), np.bool_)
        self._words = self._there.view(np.uint64)
        self._first: Numbers = np.arange(rows, dtype=np.int64) * _COLUMNS
        self._windows: dict[int, tuple[Octets, Marks]] = {}
        self._clock, self._column, self._ticks = 0, BEHIND, 0
        self._window = 0
        self._end = BEHIND                                       # no column from here on was written
        self._shift: Numbers = np.zeros(rows, np.int64)
        self._live = np.zeros(rows, bool)                        # has a shift
        self._bad: dict[int, tuple[int, float]] = {}             # since none fits: clock and seconds
        self._begun: Numbers = np.zeros(rows, np.int64)          # clock when the shift was set
        self._least: Numbers = np.full((rows, WINDOWS), _UNKNOWN, np.int64)
        self._steps: list[tuple[int, int]] = []                  # rows to be led to another headroom; now
        self._rest_until: Numbers = np.zeros(rows, np.int64)     # what is missing before is no loss
        self._since: Numbers = np.full(rows, _REST, np.int64)    # samples since the loss began
        self._usual = np.zeros((rows, 1), np.uint64)             # marks of rows without a hole or its end
        self._stirred = True                                     # ... are other ones by now
        self._made = np.zeros((rows, LENGTH), np.float32)
        self._period: Numbers = np.zeros(rows, np.int64)
        self._faded: Numbers = np.zeros(rows, np.int64)          # of the way back, samples gone
        self._fade: Numbers = np.zeros(rows, np.int64)           # ... of so many
        self._free: Numbers = np.zeros(rows, np.int64)           # samples to come that are stretch, not loss
        self._noise: dict[int, Octets] = {}

    def open(self, row: int, bound: int) -> None:
        """A new leg in `row`; the headroom stays within `bound` samples."""
        self._audio[row], self._there[row] = IDLE, False
        for count in (self.late, self.anchored, self.concealed, self.stretched, self.most_headroom,
                      self._free):
            count[row] = 0
        self.headroom[row], self._live[row] = 0, False
        self._faded[row], self._since[row], self._stirred = 0, _REST, True
        self.expect_anew(row)
        self.limit(row, bound)
        self._bad.pop(row, None)
        self._noise.pop(row, None)

    def limit(self, row: int, bound: int) -> None:
        """The headroom stays within `bound` samples."""
        self._bound[row] = bound
        if self._most[row] >= 0:
            self._most[row] = bound

    def expect_anew(self, row: int) -> None:
        """The next packet's time stamp is of another clock: it sets the delay."""
        self._most[row] = _NEVER

    def close(self, row: int) -> None:
        """Silence from now on."""
        self._live[row], self._there[row], self._since[row], self._stirred = False, False, _REST, True
        self.expect_anew(row)
        self._audio[row, self._column:] = IDLE
        self._noise.pop(row, None)

    def put(self, rows: Rows, timestamps: Numbers, packets: Octets, kinds: Numbers, now: float) -> None:
        """A-law packets of different rows; `timestamps` are without the wrap.

        `kinds`, for each: octets of the payload, 1 to MOST_OCTETS, times 1 << 16, and its first octet.
        """
        headroom = timestamps + (self._shift.take(rows) - self._clock)
        most = self._most.take(rows)
        octets = kinds >> 16
        fits = (headroom > -octets) & (headroom <= most)
        stored, all_fit = fits, bool(fits.all())
        if not all_fit:
            fits = self._look_at(rows, headroom, octets, most, now)
            stored = (headroom > -octets) & (headroom <= AHEAD - MOST_OCTETS)
        if self._bad:
            for row in rows[fits].tolist():
                self._bad.pop(row, None)
        flat = self._first.take(rows) + (headroom + self._column)
        found = set(kinds.tolist())
        if all_fit and len(found) == 1:           # as nearly always
            self._store(flat, packets, found.pop(), int(headroom.max()))
        else:
            for kind in set(kinds[stored].tolist()):
                chosen = stored & (kinds == kind)
                self._store(flat[chosen], packets[chosen], kind, int(headroom[chosen].max()))
        if self._puts == LOOK_TICKS:
            self._weigh()
        self._headrooms[self._puts, rows] = headroom
        self._puts += 1

    def rest(self, row: int, noise: Octets | None) -> None:
        """The far end is silent on purpose: `noise`, a loop of over BLOCK octets, until audio comes."""
        self._rest_until[row] = _FOR_EVER
        if self._most[row] != _NEVER:
            self._most[row] = _ENDS_REST
        self._noise.pop(row, None)
        if noise is not None:
            self._noise[row] = noise

    def skip(self, row: int, samples: int) -> None:
        """What is missing of the next `samples` is no loss: the far end sends something else."""
        until = self._clock + samples
        if self._rest_until[row] != _FOR_EVER:
            self._rest_until[row] = max(int(self._rest_until[row]), until)

    def until(self, row: int, timestamp: int) -> int:
        """Samples until that one's turn; negative: it was. 0 before the first packet."""
        return int(timestamp + self._shift[row] - self._clock) if self._live[row] else 0

    def take(self) -> Octets:
        """The next block of all rows, uint8[rows, BLOCK], good until the next call."""
        if self._column == BEHIND + SLACK:
            self._move_back()
        self._adapt()
        block = self._audio[:, self._column:self._column + BLOCK]
        if self._stirred:
            sounds, rests = self._since == _SOUND, self._since >= AUDIBLE
            self._usual = np.where(sounds, _WORD, np.where(rests, _NONE, _HALF))[:, None]
            self._stirred = False
        usual = self._words[:, self._column // 8:(self._column + BLOCK) // 8] == self._usual
        if not usual.all():
            rows = (~usual.all(axis=1)).nonzero()[0]
            each(rows, lambda part: self._mend(rows[part]), self._failed)
            self._stirred = True
        for row in [*self._noise]:
            each([row], partial(self._hiss, row), self._failed)
        self._clock += BLOCK
        self._column += BLOCK
        self._ticks += 1
        if self._ticks % WINDOW_TICKS == 0:
            self._weigh()
            self._window = self._ticks // WINDOW_TICKS % WINDOWS
            self._least[:, self._window] = _UNKNOWN
        return block

    def _store(self, flat: Numbers, packets: Octets, kind: int, most_headroom: int) -> None:
        length, start = kind >> 16, kind & 0xFFFF
        audio, there = self._of_length(length)
        audio[flat] = packets[:, start:start + length]
        there[flat] = True
        self._end = max(self._end, self._column + most_headroom + length)

    def _of_length(self, length: int) -> tuple[Octets, Marks]:
        """Audio and marks as all their stretches of that length: index is the first sample."""
        if length not in self._windows:
            shape, strides = (self._audio.size - length + 1, length), (1, 1)
            self._windows[length] = (
                np.lib.stride_tricks.as_strided(self._audio, shape, strides),
                np.lib.stride_tricks.as_strided(self._there, shape, strides))
        return self._windows[length]

    def _move_back(self) -> None:
        self._end = max(self._end, self._column)
        for state, blank in ((self._audio, IDLE), (self._there, False)):
            state[:, :self._end - SLACK] = state[:, SLACK:self._end]
            state[:, self._end - SLACK:self._end] = blank
        self._column -= SLACK
        self._end -= SLACK

    def _weigh(self) -> None:
        """Take the headroom of what was put in since the last time into account."""
        if self._puts:
            came = self._headrooms[:self._puts]
            known = came < _UNKNOWN // 2
            number = known.sum(axis=0)
            mean, share = (came * known).sum(axis=0) / np.maximum(number, 1), 1 - (1 - MEAN_SHARE) ** number
            self.headroom += (mean - self.headroom) * share
            np.maximum(self.most_headroom, (came * known).max(axis=0), out=self.most_headroom)
            held = np.where(known, np.maximum(came, -self._bound), _UNKNOWN)
            least = self._least[:, self._window]
            np.minimum(least, held.min(axis=0), out=least)
            came[:] = _UNKNOWN
            self._puts = 0

    def _look_at(self, rows: Rows, headroom: Numbers, octets: Numbers, most: Numbers, now: float) -> Marks:
        """Which packets of different rows fit, once rests are ended and delays set, where one does not."""
        ends = most == _ENDS_REST
        if ends.any():
            self._rest_until[rows[ends]] = self._clock + headroom[ends]
            self._most[rows[ends]] = most[ends] = self._bound[rows[ends]]
        fits: Marks = (headroom > -octets) & (headroom <= most)
        if not fits.all():
            self._anchor(rows, headroom, fits, most == _NEVER, now)
        return fits

    def _anchor(self, rows: Rows, headroom: Numbers, fits: Marks, first: Marks, now: float) -> None:
        """Set the delay of a stream's first packet, and where for ANEW nothing came that could be played."""
        for at in (~fits).nonzero()[0].tolist():
            row = int(rows[at])
            if not first[at] and self._since[row] != _REST:
                self.late[row] += headroom[at] < 0
                bad_clock, bad_s = self._bad.setdefault(row, (self._clock, now))
                if self._clock - bad_clock < ANEW_SAMPLES or now - bad_s < ANEW_S:
                    continue
            start = min(START, int(self._bound[row]))
            if self._live[row]:
                self._there[row, self._column + start:] = False
                self._audio[row, self._column + start:] = IDLE
            self._shift[row] += start - headroom[at]
            self._least[row] = self._headrooms[:, row] = _UNKNOWN
            self._most[row] = self._bound[row]
            self._rest_until[row] = self._clock + start
            self._begun[row] = self._clock
            if not self._live[row]:
                self._since[row], self._stirred = _REST, True
            self._live[row] = True
            self.anchored[row] += 1
            self.headroom[row] = headroom[at] = start
            fits[at] = True

    def _mend(self, rows: Rows) -> None:
        """Make up what is missing of the block, and lead back to what is not."""
        fading = rows[self._faded[rows] > 0]
        if fading.size:
            self._blend(fading, np.zeros(len(fading), np.intp))
        missing = ~self._there[rows, self._column:self._column + BLOCK]
        holed = missing.any(axis=1)
        end = np.where(holed, BLOCK - missing[:, ::-1].argmax(axis=1), 0)     # from here on all is there
        new = holed & (self._since[rows] == _SOUND)
        if new.any():
            self._begin(rows[new], missing[new].argmax(axis=1))
        since = self._since[rows]
        self._since[rows[(since == _REST) & (end < BLOCK)]] = _SOUND
        lost = (since != _REST) & (since != _SOUND)
        if lost.any():
            rows, end, since = rows[lost], end[lost], since[lost]
            covered = np.maximum(np.minimum(since + end, AUDIBLE) - np.maximum(since, 0), 0)
            stretch = np.minimum(covered, self._free[rows])
            self._free[rows] -= stretch
            self.concealed[rows] += covered - stretch
            self._blend(rows, end)

    def _begin(self, rows: Rows, first: Rows) -> None:
        """A hole begins `first` samples into the block: a rest, or a loss to be covered."""
        rests = self._clock + first < self._rest_until[rows]
        self._since[rows[rests]] = _REST
        rows, first = rows[~rests], first[~rests]
        if rows.size:
            histories, _ = self._of_length(HISTORY)
            history = g711.decode(histories[self._first[rows] + self._column + first - HISTORY])
            self._made[rows], self._period[rows] = conceal.continuation(history)
            self._since[rows] = -first

    def _blend(self, rows: Rows, end: Rows) -> None:
        """What is made up until `end` of the block, then from sample to sample less of it."""
        columns = slice(self._column, self._column + BLOCK)
        since, resumes = self._since[rows], end < BLOCK
        fade = np.minimum(self._period[rows] // 4 + FADE_MORE * (since + end) // BLOCK, BLOCK)
        self._fade[rows] = fade = np.where(self._faded[rows] > 0, self._fade[rows], fade)
        gone = self._faded[rows, None] + _STEPS - end[:, None] + 1
        weight = np.clip(gone / (fade[:, None] + 1), 0, 1).astype(np.float32)
        at = since[:, None] + _STEPS
        weight[at < 0] = 1                        # before the hole began
        made = self._made[rows[:, None], np.clip(at, 0, LENGTH - 1)]
        real = g711.decode(self._audio[rows, columns])
        mixed = weight * real + (1 - weight) * made
        self._audio[rows, columns] = g711.encode(mixed.round().astype(np.int16))
        faded = np.where(resumes, self._faded[rows] + BLOCK - end, 0)
        over = resumes & (faded >= fade)
        self._faded[rows] = np.where(over, 0, faded)
        self._since[rows] = np.where(over, _SOUND, np.minimum(since + BLOCK, AUDIBLE))

    def _hiss(self, row: int, _: slice) -> None:
        """Comfort noise where the row rests."""
        if self._since[row] == _REST:
            noise, block = self._noise[row], slice(self._column, self._column + BLOCK)
            missing = ~self._there[row, block]
            self._audio[row, block][missing] = noise.take(self._clock + _STEPS, mode="wrap")[missing]
        elif self._rest_until[row] <= self._clock:
            del self._noise[row]

    def _adapt(self) -> None:
        """Every leg every LOOK_TICKS: a step towards the delay that it needs, not all in one tick."""
        if self._ticks % LOOK_TICKS == 0:
            self._weigh()
            least = np.partition(self._least, (0, 1), axis=1)[:, :2]
            level = np.where(self._clock - self._begun < YOUNG, least[:, 0], least[:, 1])
            wanting = self._live & ((level < LOW) | (level >= HIGH) & (level < _UNKNOWN))
            rows = wanting.nonzero()[0]
            self._steps = [*zip(rows.tolist(), level[rows].astype(int).tolist(), strict=True)]
        for _ in range(-(-len(self._steps) // (LOOK_TICKS - self._ticks % LOOK_TICKS))):
            row, level_now = self._steps.pop()
            each([row], partial(self._step, row, level_now), self._failed)

    def _step(self, row: int, level: int, _: slice) -> None:
        if self._live[row] and self._since[row] in (_SOUND, _REST):
            if level < LOW:
                self._grow(row, MIDDLE - level)
            else:
                self._shrink(row, level - MIDDLE)

    def _grow(self, row: int, samples: int) -> None:
        """By at least `samples` within the bound: whole pitch periods, so that the seam is in step."""
        samples = min(samples, int(self._bound[row] - self.headroom[row]))
        if samples <= 0:
            return
        if self._since[row] == _SOUND:
            past = self._audio[row, self._column - HISTORY:self._column]
            period = int(conceal.pitch(g711.decode(past[None]).astype(np.float32))[0][0])
            samples = -(-samples // period) * period
            self._free[row] += samples
        self._shift_by(row, samples)

    def _shrink(self, row: int, samples: int) -> None:
        """By at most `samples`: where there is nothing, or where what follows is like what is left out."""
        begin = self._column
        if not self._there[row, begin:begin + samples].any():
            if self._since[row] == _REST:
                self._shift_by(row, -samples)
            return
        if not self._there[row, begin:begin + BLOCK + MOST_PITCH].all():
            return
        heard = g711.decode(self._audio[row, begin:begin + BLOCK + MOST_PITCH]).astype(np.float32)
        shifted = np.lib.stride_tricks.sliding_window_view(heard, BLOCK)[conceal.LEAST_PITCH:]
        likeness = shifted @ heard[:BLOCK] / np.sqrt(
            np.maximum((shifted * shifted).sum(axis=1) * (heard[:BLOCK] @ heard[:BLOCK]), 1))
        best = int(likeness[:max(1, samples - conceal.LEAST_PITCH + 1)].argmax())
        silent = heard @ heard < len(heard) * SILENT_RMS ** 2
        if not (silent or likeness[best] >= ALIKE or samples >= URGENT):
            return
        seam = _RAMP * shifted[best] + (1 - _RAMP) * heard[:BLOCK]
        period = conceal.LEAST_PITCH + best
        self._shift_by(row, -period)
        self._audio[row, begin:begin + BLOCK] = g711.encode(seam.round().astype(np.int16))

    def _shift_by(self, row: int, samples: int) -> None:
        """Play what waits so many samples later: nothing is there meanwhile; or earlier: it is left out."""
        for state, blank in ((self._audio, IDLE), (self._there, False)):
            waiting = state[row, self._column:]
            if samples > 0:
                self._end = min(self._end + samples, _COLUMNS)
                waiting[samples:] = waiting[:-samples].copy()
                waiting[:samples] = blank
            else:
                waiting[:samples] = waiting[-samples:].copy()
                waiting[samples:] = blank
        self._shift[row] += samples
        self._least[row] += samples
        self._headrooms[:, row] += samples
        self.headroom[row] += samples
        self.stretched[row] += abs(samples)
