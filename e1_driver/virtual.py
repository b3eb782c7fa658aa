"""The virtual backend: an E1 line between two processes of one machine, which virtual_ends.py carries."""

import logging
import os
from dataclasses import replace
from random import Random

import numpy as np

from e1_driver import BLOCK, D_TIMESLOT, Alarm, Block, Counters, LineError, LineStatus, Span
from e1_driver.faults import Faults
from e1_driver.hdlc import MAX_OCTETS, MIN_OCTETS, Decoder, Encoder
from e1_driver.url import split_options
from e1_driver.virtual_ends import ALL_ONES, PATH_OCTETS, End, EndA, EndB, listen

log = logging.getLogger(__name__)

_FRAMING = np.tile(np.array((0x9B, 0xDF), np.uint8), BLOCK // 2)      # G.704 2.3.2: FAS, NFAS, spare bits one
_UP, _DOWN = LineStatus(), LineStatus(frozenset({Alarm.LOS}))


class VirtualSpan(Span):
    """`PATH/a` or `PATH/b`, options `clock=own|step` (end a's word), `d_loss=0.05` and `seed=1` (see Faults).

    Guaranteed, however busy or slow either process is: while the line is up, every block that an end writes
    (one for each that it read) arrives once, in order, bit for bit; D-channel frames are real HDLC in
    timeslot 16. With `clock=own` end a yields a block at each multiple of 10 ms of time.monotonic(). When the
    answer to its last block is late it waits: the line stands still with it and then makes up for at most 10
    blocks; what is beyond that is left out of the clock, not of the data, and counted as slips. After 200 ms
    without a block an end has LOS, as of its last read(): end a goes on by itself with idle blocks, end b
    yields none; blocks written then are lost, and so are the frames that waited when it began. LOS ends by
    itself when the far end speaks or is started again. With `clock=step` there is no time: end a yields a
    block as soon as the answer came, and only an absent end is LOS. The line's own delay: nothing from a to
    b, up to one block from b to a.

    Not modelled: CRC-4 and multiframes, HDB3, jitter, wander, two clocks, bit errors other than `faults`.
    Row 0 of a block is FAS and NFAS filler. In an idle block bearers are IDLE, rows 0 and 16 are ones.
    Who sends packets of another shape is let go, each counted as a slip; a program that connects and answers
    nothing (with `clock=own` for 200 ms, with `clock=step` never) loses its place to the next that comes.
    """

    def __init__(self, rest: str) -> None:
        self._url = f"virtual:{rest}"
        place, options = split_options(self._url, rest, {"clock": "own", "d_loss": "0", "seed": "0"})
        path, _, end = place.rpartition("/")
        if not path or end not in ("a", "b") or options["clock"] not in ("own", "step"):
            raise ValueError(f"{self._url}: write virtual:PATH/a or virtual:PATH/b, clock=own or clock=step")
        try:
            self.faults = Faults(d_loss=float(options["d_loss"]), random=Random(int(options["seed"])))
        except ValueError as error:
            raise ValueError(f"{self._url}: {error}") from None
        if not 0 <= self.faults.d_loss <= 1:
            raise ValueError(f"{self._url}: d_loss is a share, 0 to 1")
        if len(os.fsencode(path)) > PATH_OCTETS:
            raise LineError(f"{self._url}: a socket's path has at most {PATH_OCTETS} octets: shorten it")
        self._counters = Counters()
        self._frames: list[bytes] = []
        self._encoder, self._decoder = Encoder(self.faults.damage), Decoder(self.faults.damage)
        self._was_los = True
        self._end: End
        if end == "a":
            stepped = options["clock"] == "step"
            self._end = EndA(listen(self._url, path), path, stepped, self.faults, self._counters)
        else:
            self._end = EndB(path, self.faults, self._counters)

    def fileno(self) -> int:
        return self._end.epoll.fileno()

    def read(self, now: float) -> Block | None:
        block = self._end.read(now)
        if self._end.los != self._was_los:
            self._turn(self._end.los)
        if block is not None:
            if self.faults.d_cut:
                block[D_TIMESLOT] = ALL_ONES
            frames = self._decoder.feed(block[D_TIMESLOT].tobytes())
            self._counters.frames_in += len(frames)
            self._frames += frames
        return block

    def _turn(self, los: bool) -> None:
        self._was_los = los
        if los:
            log.warning("%s: loss of signal", self._url)
            self._encoder.clear()
        else:
            log.info("%s: the far end is there", self._url)

    def write(self, block: Block) -> None:
        rows = self._end.rows
        rows[:] = block
        rows[0] = _FRAMING
        octets = self._encoder.pull(BLOCK)
        rows[D_TIMESLOT] = ALL_ONES if self.faults.d_cut else np.frombuffer(octets, np.uint8)
        self._end.write()

    def send_frame(self, frame: bytes) -> bool:
        taken = self._encoder.send(frame)
        self._counters.frames_out += taken
        self._counters.runts += len(frame) < MIN_OCTETS
        self._counters.giants += len(frame) > MAX_OCTETS
        return taken

    def receive_frames(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def status(self) -> LineStatus:
        return _DOWN if self._end.los else _UP

    def counters(self) -> Counters:
        bad = self._decoder
        return replace(self._counters, fcs_errors=bad.fcs_errors, aborts=bad.aborts,
                       runts=self._counters.runts + bad.runts, giants=self._counters.giants + bad.giants)

    def close(self) -> None:
        self._end.close()
