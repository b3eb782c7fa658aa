"""The Recommendation's tests of an echo canceller: ours and speexdsp's in one table.

`python -m tests.media.echo.g168` writes docs/echo.md.

Ref: ITU-T G.168 (04/2015) clause 6.4.2. Its figures 9 and 11 are fig9() and fig11().
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from appliance.media.echo import EchoCanceller
from appliance.media.g711 import Linear
from e1_driver import BLOCK
from tests.media.echo import signals, speech, speexdsp
from tests.media.echo.signals import Samples

PAGE = Path(__file__).resolve().parents[3] / "docs" / "echo.md"
MODELS = tuple(range(1, 9))
LEVELS_DBM0 = (-30, -20, -10, 0)
ERL_DB = 6
DELAY_MS = 20                                     # of the box's own ticks, before the path's


@dataclass(frozen=True, slots=True)
class Case:
    """An echo path and what is sent into it."""

    level_dbm0: float                             # LRin
    model: int = 1
    erl_db: float = ERL_DB


@dataclass(frozen=True, slots=True)
class Verdict:
    """One requirement on all cases: how far inside the limit the worst is, and how many are outside."""

    test: str
    demands: str
    margins_db: tuple[float, ...]

    @property
    def failed(self) -> int:
        return sum(margin < 0 for margin in self.margins_db)

    @property
    def worst_db(self) -> float:
        return min(self.margins_db)


class Canceller(Protocol):
    def feed(self, sent: Linear, received: Linear) -> Linear: ...


class Bench:
    """A canceller with a row for each case; time goes on from one run to the next."""

    def __init__(self, make: Callable[[int], Canceller], cases: Sequence[Case]) -> None:
        self.cases = tuple(cases)
        self.paths = [signals.path(case.model, case.erl_db, DELAY_MS) for case in self.cases]
        self.canceller = make(len(self.cases))
        self._sent = np.zeros((len(self.cases), max(map(len, self.paths))))    # with echoes still to come

    def run(self, far: Sequence[Samples], near: Sequence[Samples] | None = None) -> "Passage":
        """Rin and Sgen, each a signal for each case; echoes and codes them."""
        sent = np.stack([signals.coded(each) for each in far])
        before = self._sent.shape[1]
        whole = np.concatenate([self._sent, sent], axis=1)
        echo = np.stack([
            signals.echoed(row, path)[before:] for row, path in zip(whole, self.paths, strict=True)])
        self._sent = whole[:, -before:]
        received = np.stack(list(map(signals.coded, echo if near is None else echo + np.stack(near))))
        out = np.empty_like(received)
        for at in range(0, sent.shape[1] - BLOCK + 1, BLOCK):
            part = slice(at, at + BLOCK)
            out[:, part] = self.canceller.feed(sent[:, part], received[:, part])
        return Passage(received, out)

    def inhibit(self) -> None:
        """No more learning, where that can be had."""
        if isinstance(self.canceller, EchoCanceller):
            self.canceller.learning = False

    def each(self, signal: Callable[[Case], Samples]) -> list[Samples]:
        return [signal(case) for case in self.cases]

    def css(self, seconds: float, below_db: float = 0, *, near: bool = False) -> list[Samples]:
        return self.each(lambda case: signals.css(seconds, case.level_dbm0 - below_db, near=near))


@dataclass(frozen=True, slots=True)
class Passage:
    received: Linear                              # Sin
    out: Linear                                   # Sout

    def peaks_dbm0(self, start_s: float = 0, end_s: float | None = None) -> list[float]:
        """Of Sout on the meter, for each case."""
        part = slice(round(start_s * 1000), None if end_s is None else round(end_s * 1000))
        return [float(signals.level_dbm0(row)[part].max()) for row in self.out]

    def unchanged(self, within_db: float, start_s: float = 0) -> tuple[float, ...]:
        """Margins: Sout is as loud as Sin."""
        start = round(start_s * 8000)
        return tuple(within_db - abs(signals.mean_dbm0(out[start:]) - signals.mean_dbm0(sin[start:]))
                     for out, sin in zip(self.out, self.received, strict=True))


Make = Callable[[bool, bool], Callable[[int], Canceller]]         # (processor, comfort noise) -> (rows) -> it
ALL = tuple(Case(level, model) for model in MODELS for level in LEVELS_DBM0)
ERLS = tuple(Case(-16, model, erl) for model in MODELS for erl in (12, 24))
SOME = tuple(Case(level, model) for model in (1, 4, 6, 8) for level in LEVELS_DBM0)


def ours(processor: bool, comfort: bool) -> Callable[[int], Canceller]:
    return partial(EchoCanceller, processor=processor, comfort=comfort)


def theirs(processor: bool, comfort: bool) -> Callable[[int], Canceller]:
    return partial(speexdsp.Canceller, processor=processor)


def fig9(case: Case) -> float:
    """LRET with the non-linear processor and no comfort noise."""
    return max(-65, -55 + case.level_dbm0)


def fig11(case: Case) -> float:
    """LRES without the processor."""
    return 0.83 * case.level_dbm0 - 30


def above_fig11(more_db: float, case: Case) -> float:
    return fig11(case) + more_db


def within(
    cases: Sequence[Case], peaks: Sequence[float], limit: Callable[[Case], float],
) -> tuple[float, ...]:
    return tuple(limit(case) - peak for case, peak in zip(cases, peaks, strict=True))


def loses(case: Case, loss_db: float) -> float:
    return case.level_dbm0 - loss_db


def other(case: Case) -> Case:
    """Another path, after an abrupt change."""
    return Case(case.level_dbm0, case.model % 8 + 1, case.erl_db)


def case_2a(make: Make, cases: Sequence[Case], seconds: float = 10) -> Iterator[Verdict]:
    bench = Bench(make(True, False), cases)
    bench.run(bench.each(lambda case: np.zeros(1600)))
    for test in ("2A(a)", "2A(b) another path"):
        peaks = (passage := bench.run(bench.css(seconds))).peaks_dbm0
        yield Verdict(test, "loss from the first 50 ms on: 20 dB", within(
            cases, peaks(0.05 + DELAY_MS / 1000, 1), lambda case: loses(case, 20)))
        yield Verdict(test, "LRET after 1 s: figure 9", within(cases, peaks(1), fig9))
        yield Verdict(f"1, {test}", f"LRET after {seconds / 2:g} s: figure 9", within(
            cases, passage.peaks_dbm0(seconds / 2), fig9))
        bench.paths = [signals.path(other(case).model, case.erl_db, DELAY_MS) for case in cases]


def case_2b(make: Make, cases: Sequence[Case], seconds: float = 12) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    bench.run(bench.each(lambda case: np.zeros(1600)))
    for test in ("2B(a)", "2B(b) another path"):
        peaks = bench.run(bench.css(seconds)).peaks_dbm0
        yield Verdict(test, "loss after 1 s: 20 dB", within(cases, peaks(1), lambda case: loses(case, 20)))
        yield Verdict(f"1, {test}", f"LRES after {seconds - 2:g} s: figure 11", within(
            cases, peaks(seconds - 2), fig11))
        bench.paths = [signals.path(other(case).model, case.erl_db, DELAY_MS) for case in cases]


def case_2c(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    def noise(case: Case, seconds: float) -> Samples:
        return signals.hoth(seconds, case.level_dbm0 - 15)

    bench = Bench(make(True, True), cases)
    passage = bench.run(bench.css(5), bench.each(lambda case: noise(case, 5)))
    yield Verdict("2C(a) noise 15 dB below", "LRET after 1 s: the noise's and 2 dB", within(
        cases, passage.peaks_dbm0(1), lambda case: signals.level_dbm0(noise(case, 5))[1000:].max() + 2))
    bench = Bench(make(False, False), cases)
    bench.run(bench.css(1), bench.each(lambda case: noise(case, 1)))
    bench.inhibit()
    yield Verdict("2C(b) noise 15 dB below", "loss after 1 s: 17 dB", within(
        cases, bench.run(bench.css(2)).peaks_dbm0(0.2), lambda case: loses(case, 17)))


def case_3a(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    bench.run(bench.css(5), bench.css(5, 15, near=True))
    bench.inhibit()
    yield Verdict("3A near end 15 dB below, from the first", "LRES after 5 s: LSgen", within(
        cases, bench.run(bench.css(3)).peaks_dbm0(0.5), lambda case: loses(case, 15)))


def case_3b(
    make: Make, cases: Sequence[Case], near_db: Sequence[int] = (0, -6, 6, 15),
) -> Iterator[Verdict]:
    for below_db in near_db:
        test, more_db = ("3B(a)", 10) if below_db <= 0 else ("3B(b)", 3)
        bench = Bench(make(False, False), cases)
        bench.run(bench.css(10))
        bench.run(bench.css(5), bench.css(5, below_db, near=True))
        bench.inhibit()
        yield Verdict(
            f"{test} near end {below_db} dB below", f"LRES afterwards: figure 11 and {more_db} dB",
            within(cases, bench.run(bench.css(3)).peaks_dbm0(0.3), partial(above_fig11, more_db)))


def case_3c(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(True, False), cases)
    bench.run(bench.css(5.6), bench.css(5.6, 15, near=True))
    alone = bench.run(bench.css(6.4))
    yield Verdict("3C conversation", "LRET in 1.4 s after double talk: LSgen", within(
        cases, alone.peaks_dbm0(0.1, 1.4), lambda case: loses(case, 15)))
    yield Verdict("3C conversation", "LRET 5 s later: figure 9", within(cases, alone.peaks_dbm0(5), fig9))
    both = bench.run(bench.css(5.6), bench.css(5.6, 0, near=True))
    yield Verdict("3C conversation", "Sout in double talk again: LSgen and 6 dB", within(
        cases, both.peaks_dbm0(), lambda case: case.level_dbm0 + 6))
    only = bench.run(bench.each(lambda case: np.zeros(8000)), bench.css(1, near=True))
    yield Verdict("3C conversation", "near end alone: its loss is under 0.5 dB", only.unchanged(0.5, 0.3))


def case_4(make: Make, cases: Sequence[Case], seconds: float = 120) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    bench.run(bench.css(10))
    bench.run(bench.each(lambda case: np.zeros(round(seconds * 8000))))
    bench.inhibit()
    yield Verdict("4 leak", f"LRES after {seconds:g} s of silence: figure 11 and 10 dB", within(
        cases, bench.run(bench.css(2)).peaks_dbm0(0.1), lambda case: fig11(case) + 10))


def case_5(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    bench.run(bench.css(10))
    bench.paths = [0 * path for path in bench.paths]
    yield Verdict("5 path opened", "Sout after 1 s: loss of 20 dB", within(
        cases, bench.run(bench.css(5)).peaks_dbm0(1), lambda case: loses(case, 20)))


NARROW_HZ = ((697,), (941,), (1336,), (1633,), (697, 1209), (770, 1336), (852, 1477), (941, 1633))


def case_6(
    make: Make, cases: Sequence[Case], tones_hz: Sequence[tuple[int, ...]] = NARROW_HZ,
) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    bench.run(bench.css(10))
    for hz in tones_hz:
        bench.run([signals.tones(5, case.level_dbm0, *hz) for case in cases])
    bench.inhibit()
    yield Verdict("6 narrow bands", f"LRES after {len(tones_hz)} tones of 5 s: figure 11 and 10 dB", within(
        cases, bench.run(bench.css(2)).peaks_dbm0(0.1), lambda case: fig11(case) + 10))


def case_7(make: Make, cases: Sequence[Case], seconds: float = 120) -> Iterator[Verdict]:
    bench = Bench(make(False, False), cases)
    passage = bench.run(bench.each(lambda case: signals.tones(seconds, case.level_dbm0, 1004)))
    yield Verdict("7 a tone from the first", f"LRES from 10 to {seconds:g} s: figure 11", within(
        cases, passage.peaks_dbm0(10), fig11))


def case_8(
    make: Make, cases: Sequence[Case], tones_hz: Sequence[float] = (2400, 2600, 2010),
) -> Iterator[Verdict]:
    for hz in tones_hz:
        bench = Bench(make(True, True), cases)
        far = [signals.tones(4, case.level_dbm0, hz) for case in cases]
        near = [signals.tones(4.005, case.level_dbm0, hz)[40:] for case in cases]
        passage = bench.run(far, near)
        change = [np.abs(signals.level_dbm0(out)[500:] - signals.level_dbm0(sin)[500:]).max()
                  for out, sin in zip(passage.out, passage.received, strict=True)]
        yield Verdict(f"8 signalling, {hz} Hz both ways", "Sout is Sin within 2 dB", tuple(
            float(2 - each) for each in change))


def case_9(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(True, True), cases)
    bench.run(bench.css(5))
    for noise_dbm0, seconds in ((-45, 30), (-55, 10), (-45, 10)):
        def background(seconds: float, level: float = noise_dbm0) -> list[Samples]:
            return bench.each(lambda case: signals.white(seconds, level))

        bench.run([np.zeros(seconds * 8000)] * len(cases), background(seconds))
        passage = bench.run(bench.each(lambda case: signals.white(2, case.level_dbm0, seed=8)), background(2))
        yield Verdict("9 comfort noise", f"Sout while the far end talks: {noise_dbm0} within 2 dB", tuple(
            float(2 - abs(signals.mean_dbm0(row[4000:]) - noise_dbm0)) for row in passage.out))


def case_10(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(True, True), cases)
    silence = bench.each(lambda case: np.zeros(8 * 3000))
    bench.run(silence, bench.each(lambda case: signals.tones(3, case.level_dbm0, 2100)))
    quiet = bench.each(lambda case: np.zeros(8 * 75))
    bench.run([row[:600] for row in quiet], [row[:600] for row in quiet])
    dis = bench.run(bench.each(lambda case: np.zeros(8 * 1000)), bench.each(
        lambda case: signals.v21(1, case.level_dbm0)))
    yield Verdict("10A fax", "V.21 from the near end after CED passes within 0.5 dB", dis.unchanged(0.5))
    dcs = bench.run(bench.each(lambda case: signals.v21(3, case.level_dbm0)))
    yield Verdict("10B fax", "V.21 from the far end, loss after 1 s each of preamble and data: 20 dB", within(
        cases, dcs.peaks_dbm0(2), lambda case: loses(case, 20)))


def case_disabler(make: Make, cases: Sequence[Case]) -> Iterator[Verdict]:
    bench = Bench(make(True, True), cases)
    bench.run(bench.css(3))
    bench.run(bench.each(lambda case: np.zeros(1600)))
    bench.run(bench.each(lambda case: signals.answer_tone(1, case.level_dbm0)))
    after = bench.run(bench.css(2))
    yield Verdict("7.2 disabler", "1 s of 2100 Hz reversed: Sout is Sin, octet by octet", tuple(
        -float((out != sin).sum()) for out, sin in zip(after.out, after.received, strict=True)))
    bench.run(bench.each(lambda case: np.zeros(8 * 400)))
    released = bench.run(bench.css(3))
    yield Verdict("7.8 release", "0.4 s of silence later: loss of 20 dB after 1 s", within(
        cases, released.peaks_dbm0(1), lambda case: loses(case, 20)))


SUITE: tuple[tuple[Callable[..., Iterator[Verdict]], tuple[Case, ...]], ...] = (
    (case_2a, ALL + ERLS), (case_2b, ALL + ERLS), (case_2c, ALL), (case_3a, ALL), (case_3b, ALL),
    (case_3c, ALL), (case_4, SOME), (case_5, ALL), (case_6, SOME), (case_7, SOME), (case_8, SOME),
    (case_9, (Case(-10, 1), Case(-10, 4), Case(-20, 6), Case(-10, 8))),
    (case_10, tuple(Case(level, model) for model in (1, 4, 6, 8) for level in (-30, -20, -10))),
    (case_disabler, tuple(Case(level, model) for model in (1, 6) for level in (-28, -20, -10))))


def main() -> int:
    lines = []
    for test, cases in SUITE:
        for mine, peer in zip(test(ours, cases), test(theirs, cases), strict=True):
            lines.append(f"| {mine.test} | {mine.demands} | {len(cases)} | {_cell(mine)} | {_cell(peer)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    text = head + MARK + TABLE + "\n".join(lines) + "\n\n" + SPEECH + "\n".join(_speech()) + "\n"
    PAGE.write_text(text, encoding="utf-8")
    return 0


def _speech() -> Iterator[str]:
    for name, call in (
            ("8 s later the near end, as loud", speech.DoubleTalk(speech.PAIRS)),
            ("8 s later the near end, 6 dB louder", speech.DoubleTalk(speech.PAIRS, near_db=6)),
            ("8 s later the near end, 10 dB quieter", speech.DoubleTalk(speech.PAIRS, near_db=-10)),
            ("both from the first, the second 8 s", speech.DoubleTalk(speech.PAIRS, alone=False))):
        outs = (call.received, *(
            call.cancelled(make(True, True)(len(speech.PAIRS)).feed) for make in (ours, theirs)))
        cells = [f"{np.mean(heard := call.heard_mos(out)):.2f}, {min(heard):.2f}" for out in outs]
        yield f"| {name}: PESQ | {' | '.join(cells)} |"
        if name.startswith("8 s later the near end, as"):
            cells = [f"{np.mean(left := call.echo_dbm0(out)):.0f}, {max(left):.0f}" for out in outs]
            yield f"| before it, echo left of the far end alone, dBm0 | {' | '.join(cells)} |"


def _cell(verdict: Verdict) -> str:
    failed = f"**{verdict.failed} fail**, " if verdict.failed else ""
    return f"{failed}{verdict.worst_db:+.1f}"


MARK = "<!-- made by python -m tests.media.echo.g168 -->\n"
TABLE = """\
| test | demands | cases | Branchline, dB | speexdsp, dB |
|---|---|---|---|---|
"""

SPEECH = """\
Real speech, both talk: twelve pairs of recorded voices for 8 s (about half of it speech), over the models
m1, m4, m6 and m8 with 6 to 18 dB of `ERL`. Each cell: mean, worst pair.

| | without | Branchline | speexdsp |
|---|---|---|---|
"""

if __name__ == "__main__":
    sys.exit(main())
