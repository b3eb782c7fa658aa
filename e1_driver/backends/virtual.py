"""The virtual backend: an E1 line between two processes of one machine, or inside one, faster than life."""

import os

from e1_driver import Clock, LineError
from e1_driver.backends.faults import Faults, faults_of
from e1_driver.backends.virtual_a import EndA
from e1_driver.backends.virtual_ends import EndB
from e1_driver.backends.virtual_pair import PairEnd
from e1_driver.backends.virtual_span import LineSpan, Places
from e1_driver.backends.virtual_url import DEFAULTS, check_line, parts
from e1_driver.framing.g704 import Crc4, Framer
from e1_driver.url import split_options

PATH_OCTETS = 107                                 # what sun_path holds

_TIMELESS = {name: default for name, default in DEFAULTS.items() if name not in ("clock", "ppm")}


class VirtualSpan(LineSpan):
    """`PATH/a` or `PATH/b`, a socket at PATH between them. Options, `?name=value&name=value`:

    - `clock=own|step` (end a's word): step has no time, end a yields a block as soon as the answer came.
    - `framing=blocks|g704`: see below. `crc4=auto|on|off`, of g704: what this end does about multiframes.
      `sa=31`, of g704: Sa4 to Sa8 to send, Sa4 the 16's bit.
    - Faults of what this end sends; `faults` has the same names, live, and slip() and invert():
      `ber=1e-6` share of bits inverted; `bursts=0.5` per second, of `burst_bits=100`; `slips=0.1` per second,
      in turn a frame repeated and one left out; `delay_ms=20`; `los=on`, `ais=on`, `rai=on`;
      `lof=on`, of g704: timeslot 0 never has the frame alignment word.
    - Faults of the D-channel each way: `d_loss=0.05` share of frames with a wrong bit; `d_cut=on` all ones.
    - `ppm=20`: end a's clock=own is so much faster than time.monotonic().
    - `seed=1`: the same seed, the same damage.

    Guaranteed without faults, however busy or slow either process is: while the line is up, every block that
    an end writes (one for each that it read) arrives once, in order, bit for bit; D-channel frames are real
    HDLC in timeslot 16. With `clock=own` end a yields a block at each multiple of 10 ms of time.monotonic().
    When the answer to its last block is late it waits: the line stands still with it and then makes up for at
    most 10 blocks; what is beyond that is left out of the clock, not of the data, and counted as slips. After
    200 ms without a block an end has LOS, as of its last read(): end a goes on by itself with idle blocks,
    end b yields none unless its LOCAL loop stands; blocks written then are lost, and so are the frames that
    waited when it began. LOS ends by itself when the far end speaks or is started again. With `clock=step`
    only an absent end is LOS. The line's own delay: nothing from a to b, up to one block from b to a.

    framing=blocks is cheap: octets stay in their timeslots, timeslot 0 is FAS and NFAS filler that carries
    RAI (the answer to AIS), and alarms are what the last block says; the fault `los` sends nothing, and both
    ends lose the line.
    framing=g704 is the whole line through a Framer: bit errors and slips hit timeslot 0, alignment and CRC-4
    are lost and found, alarms persist as G.775 says; the fault `los` is a dead wire one way.

    Not modelled: HDB3, jitter, wander; the two ends share end a's clock. In an idle block bearers are IDLE,
    rows 0 and 16 are ones. Who sends packets of another shape is let go, each counted as a slip; a program
    that connects and answers nothing (with `clock=own` for 200 ms, with `clock=step` never) loses its place
    to the next that comes.
    """

    def __init__(self, rest: str) -> None:
        url = f"virtual:{rest}"
        path, end, options = parts(rest)
        framing, faults = _made(url, options)
        if len(os.fsencode(path)) > PATH_OCTETS:
            raise LineError(f"{url}: a socket's path has at most {PATH_OCTETS} octets: shorten it")
        super().__init__(url, framing, faults, Clock.OWN if end == "a" else Clock.LINE)
        if end == "a":
            self._end = EndA(url, path, options["clock"] == "step", faults, self._counters)
        else:
            self._end = EndB(path, faults, self._counters)


class _PairSpan(LineSpan):
    def __init__(self, end: str, text: str) -> None:
        url = f"virtual pair, end {end}?{text}"
        _, options = split_options(url, f"?{text}", _TIMELESS)
        options = DEFAULTS | options
        check_line(url, options)
        framing, faults = _made(url, options)
        super().__init__(url, framing, faults, Clock.OWN if end == "a" else Clock.LINE)
        self._end = self.carried = PairEnd(self._counters)


class Line:
    """Two ends in one process that a caller paces: no sockets, no time, the same framing and faults.

    A block that an end has not written when its turn comes is silence: LOS at the far end.
    """

    def __init__(self, a: _PairSpan, b: _PairSpan) -> None:
        self.a, self.b = a, b

    def step(self, blocks: int = 1) -> None:
        """Let the line carry the next `blocks` each way; each end may then read as many and write as many.

        At most 1000 wait at an end, before it reads and after it writes; the oldest is lost, a slip.
        """
        for _ in range(blocks):
            to_b, to_a = self.a.carried.take(), self.b.carried.take()
            self.a.carried.put(to_a)
            self.b.carried.put(to_b)

    def close(self) -> None:
        self.a.close()
        self.b.close()


def pair(options_a: str = "", options_b: str = "") -> Line:
    """A line whose ends have these of VirtualSpan's options, written as after the `?`, but no `clock`, `ppm`.

    ValueError: an option that is wrong.
    """
    return Line(_PairSpan("a", options_a), _PairSpan("b", options_b))


def _made(url: str, options: dict[str, str]) -> tuple[Framer | Places, Faults]:
    """Of options that were checked."""
    faults = faults_of(url, options)
    if options["framing"] == "g704":
        framer = Framer(Crc4(options["crc4"]))
        framer.sa = int(options["sa"])
        return framer, faults
    return Places(), faults
