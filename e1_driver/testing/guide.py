"""The guided run: which step comes next, what the installer has to do for it, and at its end the verdict.

Pure: the caller has the span, the clock and the person. The whole of a caller:

    run = Run(span.abilities, Random(), side=Side.USER)
    while not isinstance(step := run.next_step(), Verdict):
        print(step.title("en"))
        if (ask := step.ask("en")) and not confirm(ask):       # "Take the cable out and put a loop plug in"
            run.skip()                                          # cannot, or will not
            continue
        span.loop(step.loop)
        until = time.monotonic() + step.duration_s
        while (now := time.monotonic()) < until:
            wait(span.fileno(), 0.1)
            block = span.read(now)                              # None: nothing came; the run is told that too
            reply = run.turn(now, block, span.receive_frames(), span.status(), span.counters())
            if block is not None:
                span.write(reply.block)
            for frame in reply.frames:
                span.send_frame(frame)
        span.loop(Loop.NONE)
        run.done()
    texts.headline(step, "zh"), texts.why(step, "zh"), texts.what_to_do(step, "zh")      # verdict_texts.py
    report.pdf(Report(verdict=step, ...), "zh")                                           # report.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from random import Random

import numpy as np

from e1_driver import (
    BEARERS,
    BLOCK,
    IDLE,
    TIMESLOTS,
    Abilities,
    Alarm,
    Block,
    Counters,
    LineStatus,
    LiuFault,
    Loop,
)
from e1_driver.testing.bert import Bert
from e1_driver.testing.d_channel import Side, SignallingTest
from e1_driver.testing.prbs import pattern
from e1_driver.testing.probe import LoopProbe
from e1_driver.testing.verdict import Evidence, Seen, StepKey, Verdict, decide
from e1_driver.testing.verdict_texts import TEXTS, Language, text

SETTLE_S = 2.0                                    # a step's first, not looked at: alarms of the switching
OBSERVE_S = 10.0
BERT_S = 10.0
PROBE_S = 3.0
PATTERN = "qrss"

_IDLE_BLOCK = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and for how long."""

    key: StepKey
    duration_s: float
    loop: Loop = Loop.NONE                        # to be switched on the span for the time of the step

    def title(self, language: Language) -> str:
        return text("title", self.key, language)

    def ask(self, language: Language) -> str:
        """What a person has to do before it begins; empty: nothing."""
        return text("ask", self.key, language) if self.key in TEXTS["ask"] else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send after a turn: the block when one was read, the frames in any case."""

    block: Block
    frames: tuple[bytes, ...] = ()


class Run:
    """One guided run over one span, which carries no calls meanwhile.

    `signalling` False: somebody else speaks on the D-channel, and the run does not. `plugs` False: nobody is
    there to put a loop plug in.
    """

    def __init__(
        self, abilities: Abilities, random: Random, side: Side = Side.USER, *, signalling: bool = True,
        plugs: bool = True, observe_s: float = OBSERVE_S, bert_s: float = BERT_S,
    ) -> None:
        self._abilities, self._random = abilities, random
        self._side, self._signalling = side, signalling
        self._duration_s = {StepKey.OBSERVE: observe_s, StepKey.FAR_LOOP: PROBE_S}
        self._bert_s = bert_s
        self._past = set() if plugs else {StepKey.PORT_PLUG, StepKey.DEMARCATION_PLUG}     # done or left out
        self._evidence: Evidence | None = None
        self._running: _Running | None = None

    def next_step(self) -> Step | Verdict:
        """The step to do now, the same until done() or skip() was called; at the end the verdict."""
        if self._running:
            return self._running.step
        key = self._next_key()
        if isinstance(key, Verdict):
            return key
        loop = Loop.LOCAL if key is StepKey.OWN_LOOP else Loop.NONE
        step = Step(key, SETTLE_S + self._duration_s.get(key, self._bert_s), loop)
        self._running = _Running(step)
        if key is StepKey.OBSERVE and self._signalling:
            self._running.signalling = SignallingTest(self._side, self._random)
        elif key is StepKey.FAR_LOOP:
            self._running.test = LoopProbe(BEARERS, self._random)
        elif key is not StepKey.OBSERVE:
            self._running.test = Bert(pattern(PATTERN), BEARERS)
        return step

    def turn(
        self, now_s: float, block: Block | None, frames: Sequence[bytes], status: LineStatus,
        counters: Counters,
    ) -> Reply:
        """What the span gave since the last turn; ten turns a second or more. LookupError: no step runs."""
        return self._now_running().turn(now_s, block, frames, status, counters)

    def done(self) -> None:
        """The step's time is over. LookupError: no step runs."""
        running = self._now_running()
        test, evidence = running.test, self._evidence
        if evidence is None:
            signalling = running.signalling.result() if running.signalling else None
            evidence = Evidence(self._abilities, running.seen(), signalling)
        elif isinstance(test, LoopProbe):
            evidence = replace(evidence, far_loop=test.result())
        elif isinstance(test, Bert):
            evidence = replace(evidence, loops={**evidence.loops, running.step.key: test.result()})
        self._evidence, self._running = evidence, None
        self._past.add(running.step.key)

    def skip(self) -> None:
        """The step is not possible now; the verdict is given without it. LookupError: no step runs."""
        key = self._now_running().step.key
        if key is StepKey.OBSERVE:
            raise LookupError("a line that was not observed has no verdict")
        self._past.add(key)
        self._running = None

    def _now_running(self) -> "_Running":
        if self._running is None:
            raise LookupError("no step runs: ask for next_step() first")
        return self._running

    def _next_key(self) -> StepKey | Verdict:
        evidence = self._evidence
        if evidence is None:
            return StepKey.OBSERVE
        if StepKey.OWN_LOOP not in self._past and Loop.LOCAL in self._abilities.loops:
            return StepKey.OWN_LOOP
        if StepKey.FAR_LOOP not in self._past and evidence.line.down is None and evidence.line.blocks:
            return StepKey.FAR_LOOP
        verdict = decide(evidence)
        plugs = (verdict.next_step, StepKey.DEMARCATION_PLUG) if verdict.next_step else ()
        return next((plug for plug in plugs if plug not in self._past), verdict)


class _Running:
    """A step under way."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.test: Bert | LoopProbe | None = None
        self.signalling: SignallingTest | None = None
        self._began_s: float | None = None
        self._since_s = self._last_s = 0.0
        self._before: Counters | None = None      # as the settling ended
        self._after = Counters()
        self._alarms: dict[Alarm, float] = {}
        self._blocks = 0
        self._crc4: bool | None = None
        self._level_db: int | None = None
        self._liu_faults: dict[LiuFault, float] | None = None

    def turn(
        self, now_s: float, block: Block | None, frames: Sequence[bytes], status: LineStatus,
        counters: Counters,
    ) -> Reply:
        if self._began_s is None:
            self._began_s = now_s
        if now_s - self._began_s >= SETTLE_S:
            self._look(now_s, block, status, counters)
        out = _IDLE_BLOCK.copy()
        if self.test and block is not None:
            self.test.transmit(out)
        return Reply(out, tuple(self.signalling.turn(now_s, list(frames))) if self.signalling else ())

    def seen(self) -> Seen:
        before = self._before or Counters()
        grown = {field.name: max(0, getattr(self._after, field.name) - getattr(before, field.name))
                 for field in fields(Counters)}
        return Seen(self._last_s - self._since_s, self._blocks, dict(self._alarms), Counters(**grown),
                    self._crc4, self._level_db, self._liu_faults)

    def _look(self, now_s: float, block: Block | None, status: LineStatus, counters: Counters) -> None:
        if self._before is None:
            self._before, self._since_s, self._last_s = replace(counters), now_s, now_s
        for alarm in status.alarms:
            self._alarms[alarm] = self._alarms.get(alarm, 0.0) + now_s - self._last_s
        if status.liu_faults is not None:
            stood = self._liu_faults = self._liu_faults or {}
            for fault in status.liu_faults:
                stood[fault] = stood.get(fault, 0.0) + now_s - self._last_s
        if status.level_db is not None:
            self._level_db = min(status.level_db, self._level_db or 0)
        self._crc4 = self._crc4 if status.crc4 is None else status.crc4
        self._after, self._last_s = replace(counters), now_s
        if block is not None:
            self._blocks += 1
            if self.test:
                self.test.receive(block)
