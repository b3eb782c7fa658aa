"""The media engine: every port's audio of one tick in one table, by a plan that changes between two ticks.

What a tick does, in order: the ports' received audio comes in; echo is cancelled on the ports that want it;
detectors and the automatic gain look at it; digits are masked, gains applied; players fill their rows, then
mixes theirs; every port is sent its row; taps and meters are read. What is only bridged is copied, never
decoded.

A part that raises (a detector, the canceller, a meter) is said and is away for a second; the tick goes on.
While that of digits is away, who is masked is silent. What switches and plays is not guarded: it cannot be
done without.

The large arrays are made once. A tick still makes small ones, of the rows that are decoded or kept for the
detectors, and lists of what was heard; nothing that it makes outlives the next LISTEN_TICKS.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, cast

import numpy as np

from appliance.media import g711, levels, players
from appliance.media.detect import AT_ONCE, DETECTORS, Detector
from appliance.media.echo import EchoCanceller
from appliance.media.g711 import Octets
from appliance.media.guarded import Failed, Guarded
from appliance.media.masking import DIGITS, Masking, Suspecting
from appliance.media.mixing import Mixer
from appliance.media.plan import Floats, Numbers, Plan, Playing, Rows, Sound, Watch
from appliance.media.players import Players
from e1_driver import BLOCK, IDLE

__all__ = ["Engine", "Failed", "Heard", "Level", "Plan", "Sound", "Tick"]

# A detector's first block after 10 ms of other work costs several of those that follow it at once: code and
# state are in the processor's caches by then. What it hears is said up to LISTEN_TICKS - 1 ticks later.
LISTEN_TICKS = 4


class Heard(NamedTuple):
    kind: str                                     # of detect.DETECTORS
    tag: str                                      # whose
    what: str


class Level(NamedTuple):
    tag: str                                      # the meter's
    rms_dbm0: float
    peak_dbm0: float                              # of a sine with this peak


@dataclass(slots=True)
class Tick:
    """What one tick gave. The arrays are the engine's, good until the next tick."""

    tx: Octets                                    # [ports, BLOCK]
    recordings: Octets                            # [taps, 16]: names, zeros for a free row
    audio: Octets                                 # [taps, 2, BLOCK]
    listeners: Octets                             # the same of the live taps
    live: Octets
    ended: list[int] = field(default_factory=list)               # tags of players whose sound is over
    heard: list[Heard] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


class Engine:
    """Runs plans on `ports` ports. `number` is the next tick's; plans say with it from when they hold."""

    def __init__(
        self, ports: int, number: int = 0, detectors: Mapping[str, Callable[[int], Detector]] = DETECTORS,
    ) -> None:
        self.ports, self.number = ports, number
        self.plan = Plan(0, np.full(ports, ports, np.intp))
        self._rows = rows = Rows(ports)
        self._waiting: deque[Plan] = deque()
        self._octets = np.full((rows.count + ports + 1, BLOCK), IDLE, np.uint8)
        self._table = self._octets[:rows.count]
        self._tx = self._octets[rows.count:]      # what each port is sent, and silence, sent to no port
        self._audio = np.empty((2 * ports, BLOCK), np.uint8)
        self._live = np.empty((2 * ports, BLOCK), np.uint8)
        self._failed: list[Failed] = []           # in this tick
        self._heard: list[Heard] = []             # the same
        self._detectors: dict[str, Guarded[Detector]] = {
            kind: Guarded(kind, partial(make, ports), self._failed) for kind, make in detectors.items()}
        self._unheard: dict[str, list[Octets]] = {kind: [] for kind in detectors}      # blocks, oldest first
        self._echo = Guarded("echo", partial(EchoCanceller, ports), self._failed)
        self._masking = Masking(ports)
        self._received, self._sent = levels.Gain(ports), levels.Gain(ports)
        self._agc = Guarded("agc", partial(levels.Agc, ports), self._failed)
        self._agc_steps = np.zeros(ports + 1, np.intp)
        self._players = Players(self._table)
        self._mixer = Mixer()
        self._meters = Guarded("meter", partial(levels.Meters, 2 * ports), self._failed)
        self._dying: dict[int, dict[int, tuple[Playing, Floats]]] = {}       # port -> row -> what was cut
        self._resets = {
            **{kind: detector.reset for kind, detector in self._detectors.items()},
            "echo": self._echo.reset, "mask": self._masking.reset, "agc": self._agc.reset,
            "received": self._received.reset, "sent": self._sent.reset, "meter": self._meters.reset,
            "play": self._players.begin, "resume": self._players.resume,
        }

    def blank(self) -> Octets:
        """A tick's input, uint8[ports, BLOCK], all silence."""
        return np.full((self.ports, BLOCK), IDLE, np.uint8)

    def change(self, plan: Plan) -> None:
        """Between two ticks: put the plan in force, at its tick. Every one must come here, in order."""
        self._waiting.append(plan)
        self._change_due()

    def tick(self, rx: Octets) -> Tick:
        """One block of every port in, uint8[ports, BLOCK]; one out."""
        if self._waiting:
            self._change_due()
        plan, table, tx = self.plan, self._table, self._tx[:self.ports]
        table[:self.ports] = rx
        if plan.echo.size:
            self._cancel_echo(plan.echo)
        self._listen(plan)
        if plan.received.ports.size:
            self._gain_received(plan)
        ended = self._players.fill() if plan.playing else []
        if plan.mixing is not None:
            self._mixer.mix(table, plan.mixing)
        table.take(plan.source, 0, tx, "clip")
        if self._dying:
            self._let_die(plan, tx)
        if plan.sent.ports.size:
            self._sent.apply(tx, plan.sent.ports, plan.sent.steps)
        measured = self._measure(plan) if plan.meters.tags else []
        failed, heard = self._failed.copy(), self._heard.copy()
        self._failed.clear()
        self._heard.clear()
        self.number += 1
        return Tick(tx, plan.taps.names, self._tap(plan.taps.sides, self._audio),
                    plan.live.names, self._tap(plan.live.sides, self._live),
                    ended, heard, measured, failed)

    def _change_due(self) -> None:
        while self._waiting and self._waiting[0].at_tick <= self.number:
            old, self.plan = self.plan, self._waiting.popleft()
            self._put_in_force(self.plan, old)

    def _put_in_force(self, plan: Plan, old: Plan) -> None:
        cut = plan.source != old.source
        stopping = [row for row, one in old.playing.items() if plan.playing.get(row) is not one]
        if stopping or plan.mixing is not old.mixing:
            mixes = old.mixing.players if old.mixing is not None else ()
            cut |= np.isin(old.source, [*stopping, *mixes])
        for port in cut.nonzero()[0].tolist():
            for row, factor in old.players(port).items():
                dying = self._players.dying(row)
                if dying is not None:
                    one, samples = dying
                    self._dying.setdefault(port, {}).setdefault(row, (one, samples * factor))
        if plan.watches is not old.watches:       # what was said before is of those who listened then
            for watch in old.watches:
                self._hear(watch)
        for part, row in plan.fresh:
            self._resets[part](row)
        self._table[stopping] = IDLE
        self._players.running = plan.playing
        if plan.mixing is not None:
            self._mixer.prepare(plan.mixing)
        if plan.agcs is not old.agcs:
            self._agc_steps[:] = 0

    def _let_die(self, plan: Plan, tx: Octets) -> None:
        """Add the ends of what was cut, but of what came back before it was missed."""
        for port, ends in self._dying.items():
            heard = plan.players(port)
            gone = [samples for row, (one, samples) in ends.items()
                    if row not in heard or plan.playing.get(row) is not one]
            if gone:
                players.add(tx[port, :players.FADE], np.sum(gone, axis=0))
        self._dying.clear()

    def _cancel_echo(self, ports: Numbers) -> None:
        """What a port was sent in the last tick is the newest that can have an echo in this one."""
        table = self._table
        sent, received = g711.decode(self._tx.take(ports, 0)), g711.decode(table.take(ports, 0))
        left = self._echo.run(self.number, self._echo.part.feed, sent, received)
        if left is not None:
            table[ports] = g711.encode(left)
            table[self._rows.silence] = IDLE      # stood in for the rows that are nobody's

    def _listen(self, plan: Plan) -> None:
        """Detect, and mask what may not be heard."""
        due = self.number % LISTEN_TICKS == LISTEN_TICKS - 1
        masks = plan.masks.ports.size > 0
        away = False                              # the detector of digits
        for watch in plan.watches:
            kind = watch.kind
            self._unheard[kind].append(self._table.take(watch.ports, 0))
            if due or kind in AT_ONCE or (masks and kind == DIGITS):
                away |= not self._hear(watch) and kind == DIGITS
        if masks:
            ports, watched = plan.masks
            suspects = cast(Suspecting, self._detectors[DIGITS].part).suspects[watched]
            self._masking.apply(self._table, ports, suspects | away)

    def _hear(self, watch: Watch) -> bool:
        """What its detector makes of the blocks kept for it. False: it failed, or is away."""
        detector, blocks = self._detectors[watch.kind], self._unheard[watch.kind]
        words: Sequence[tuple[int, str]] | None = ()
        for block in blocks:
            words = detector.run(self.number, detector.part.feed, g711.decode(block))
            for row, what in words or ():
                tag = watch.tags[row]
                if tag is not None:
                    self._heard.append(Heard(watch.kind, tag, what))
        blocks.clear()
        return words is not None

    def _gain_received(self, plan: Plan) -> None:
        agcs, (ports, steps) = plan.agcs, plan.received
        if agcs.ports.size:
            samples = g711.decode(self._table.take(agcs.ports, 0))
            gained = self._agc.run(self.number, self._agc.part.feed, samples, agcs.targets_dbm0)
            if gained is not None:
                self._agc_steps[agcs.ports] = gained
            steps = steps + self._agc_steps[ports]
        self._received.apply(self._table, ports, steps)

    def _tap(self, sides: Numbers, audio: Octets) -> Octets:
        n = len(sides)
        return self._octets.take(sides.reshape(-1), 0, audio[:2 * n], "clip").reshape(n, 2, BLOCK)

    def _measure(self, plan: Plan) -> list[Level]:
        meters = plan.meters
        samples = g711.decode(self._octets.take(meters.rows, 0))
        measured = self._meters.run(self.number, self._meters.part.feed, samples, meters.ticks)
        return [Level(meters.tags[row], rms_dbm0, peak_dbm0) for row, rms_dbm0, peak_dbm0 in measured or ()
                if meters.tags[row]]
