"""A test of a line for a program: its order is a JSON object in the first argument, what happens comes as a
JSON object a line on stdout, and the program answers and ends it on stdin.

`python -m e1_driver.ctl.steered ORDER`. Of ORDER: url, kind (bert, loop, verdict, detect), for_s; bert:
pattern, timeslots (a list), inject, itself; loop: loop; verdict: plugs, side, site, store, name, and papers
as {language: file}; detect: country.
Lines: {"progress": {passed_s, of_s, figures}}, {"step": {language: title}}, {"ask": {language: what to do}}
(done, skip or stop is waited for), {"facts": ...} at the end, as the command of that name has with --json.
stop, or the end of stdin: it ends as its time would. Exit codes as of e1ctl.
"""

import json
import os
import platform
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from e1_driver import LineError, Loop
from e1_driver.ctl import bert as berting
from e1_driver.ctl import detect as detecting
from e1_driver.ctl import history as keeping
from e1_driver.ctl import status as seeing
from e1_driver.ctl import verdict as judging
from e1_driver.ctl.output import EX_CANTCREAT, EX_UNAVAILABLE, EX_USAGE
from e1_driver.ctl.runner import Line, Runner, open_line
from e1_driver.testing import prbs
from e1_driver.testing.bert import Bert
from e1_driver.testing.d_channel import Side
from e1_driver.testing.detection import Detection, Phase
from e1_driver.testing.guide import Run, Step
from e1_driver.testing.verdict import Verdict
from e1_driver.testing.verdict_texts import LANGUAGES, headline, text, what_to_do, why

PROGRESS_S = 1.0
DONE, SKIP, STOP = "done", "skip", "stop"
READ_OCTETS = 4096

Order = dict[str, Any]


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Steering:
    """The words on stdin; it never waits for one. `stopped` for good with stop, or the end of stdin."""

    def __init__(self) -> None:
        self.stopped = False
        self._read = b""
        self._open = True

    def word(self) -> str:
        """The next word; "": there is none."""
        if self._open and b"\n" not in self._read and select.select([sys.stdin], [], [], 0)[0]:
            octets = os.read(sys.stdin.fileno(), READ_OCTETS)
            self._open = bool(octets)
            self._read += octets
        line, end, rest = self._read.partition(b"\n")
        if not end:
            self.stopped = self.stopped or not self._open
            return STOP if self.stopped else ""
        self._read = rest
        word = line.decode(errors="replace").strip()
        self.stopped = self.stopped or word == STOP
        return word


class Watched:
    """How far a run is, once a second; ends it when it is stopped. To be called at each tick."""

    def __init__(self, steering: Steering, of_s: float, figures: Callable[[], dict[str, float]]) -> None:
        self._steering, self._of_s, self._figures = steering, of_s, figures
        self._began = time.monotonic()
        self._say_at = self._began

    def __call__(self, now: float) -> bool:
        self._steering.word()
        if now >= self._say_at:
            self._say_at = now + PROGRESS_S
            say(progress={"passed_s": round(now - self._began, 1), "of_s": self._of_s,
                          "figures": self._figures()})
        return self._steering.stopped


def bert(runner: Runner, order: Order, steering: Steering) -> None:
    line, = runner.lines
    timeslots = tuple(order["timeslots"])
    tester = berting.Tester(line, Bert(prbs.pattern(order["pattern"]), timeslots, False), order["inject"])

    def figures() -> dict[str, float]:
        result = tester.bert.result()
        return {"in_sync": float(result.in_sync), "bits": result.bits, "errors": result.errors,
                "slips": result.slips}

    line.parts.append(tester)
    line.span.loop(Loop.LOCAL if order["itself"] else Loop.NONE)
    runner.run(order["for_s"], Watched(steering, order["for_s"], figures))
    say(facts=berting.facts(line, tester, timeslots, False))


def loop(runner: Runner, order: Order, steering: Steering) -> None:
    line, = runner.lines
    watcher = seeing.Watcher(line)
    line.parts.append(watcher)
    line.span.loop(Loop(order["loop"]))
    runner.run(order["for_s"], Watched(steering, order["for_s"], dict))
    say(facts={**seeing.facts(line, watcher), "command": "loop"})


def verdict(runner: Runner, order: Order, steering: Steering) -> None:
    """Nothing is said at the end when it was stopped before there was a verdict."""
    began_unix_s = time.time()
    line, = runner.lines
    run = Run(line.span.abilities, Random(), Side(order["side"]), plugs=order["plugs"],
              observe_s=order["for_s"], bert_s=order["for_s"])
    guide = judging.Guide(line, run)
    line.parts.append(guide)
    while not (runner.interrupted or steering.stopped):
        step = run.next_step()
        if isinstance(step, Verdict):
            _write_papers(line, step, guide, order, began_unix_s)
            texts = {language: {"headline": headline(step, language), "why": why(step, language),
                                "do": what_to_do(step, language)} for language in LANGUAGES}
            say(facts={**judging.facts(line, step, "en", order["site"], None), "texts": texts})
            return
        if step.ask("en") and _answer(runner, steering, step) == SKIP:
            run.skip()
        elif not (runner.interrupted or steering.stopped):
            _do(runner, line, guide, step, steering)
            if not steering.stopped:
                run.done()


def _answer(runner: Runner, steering: Steering, step: Step) -> str:
    say(ask={language: step.ask(language) for language in LANGUAGES})
    word = ""

    def come(now: float) -> bool:
        nonlocal word
        word = steering.word()
        return word in (DONE, SKIP, STOP)
    runner.run(None, come)
    return word


def _do(runner: Runner, line: Line, guide: judging.Guide, step: Step, steering: Steering) -> None:
    say(step={language: step.title(language) for language in LANGUAGES})
    if step.loop is not Loop.NONE:
        try:
            line.span.loop(step.loop)
        except ValueError as error:               # it went away just now, and the step will say so
            print(f"{error}", file=sys.stderr)
    guide.under_way = True
    runner.run(step.duration_s, Watched(steering, step.duration_s, dict))
    guide.under_way = False
    line.span.loop(Loop.NONE)


def _write_papers(line: Line, verdict: Verdict, guide: judging.Guide, order: Order,
                  began_unix_s: float) -> None:
    from e1_driver.testing import report  # its library is the largest of all, and for this alone

    found = report.Report(
        verdict=verdict, box=platform.node(), site=order["site"], span=line.url, began_unix_s=began_unix_s,
        ended_unix_s=time.time(), counters=line.span.counters(),
        quarters=keeping.quarters(order["name"], Path(order["store"])),
        frames=list(guide.capture.frames(newest=report.FRAMES)))
    for language in LANGUAGES:
        if path := order["papers"].get(language):
            with Path(path).open("xb") as file:
                file.write(report.pdf(found, language))
                file.flush()
                os.fsync(file.fileno())


def detect(runner: Runner, order: Order, steering: Steering) -> None:
    """Ends by itself when all is found; nothing is said of a line that was not looked at to the end."""
    line, = runner.lines
    part = detecting.Detector(line, Detection(line.span.abilities, Random(), order["country"]))
    line.parts.append(part)
    watched = Watched(steering, order["for_s"], dict)
    told = None

    def come(now: float) -> bool:
        nonlocal told
        if part.phase is not told:
            told = part.phase
            say(step={language: text("detect", told, language) for language in LANGUAGES})
        return watched(now) or part.phase is Phase.DONE
    runner.run(order["for_s"], come)
    if not (runner.interrupted or steering.stopped):
        say(facts=detecting.facts(line, part))


KINDS: dict[str, Callable[[Runner, Order, Steering], None]] = {
    "bert": bert, "loop": loop, "verdict": verdict, "detect": detect}


def main() -> NoReturn:
    order: Order = json.loads(sys.argv[1])
    try:
        url = detecting.url_for(order["url"]) if order["kind"] == "detect" else order["url"]
        line = open_line(url, lambda text: print(text, file=sys.stderr))
    except (ValueError, LineError) as error:
        print(error, file=sys.stderr)
        sys.exit(EX_UNAVAILABLE if isinstance(error, LineError) else EX_USAGE)
    with Runner([line]) as runner:
        try:
            KINDS[order["kind"]](runner, order, Steering())
        except ValueError as error:               # a loop that this interface has not got
            print(error, file=sys.stderr)
            sys.exit(EX_USAGE)
        except OSError as error:
            print(f"{error.filename}: {error.strerror}", file=sys.stderr)
            sys.exit(EX_CANTCREAT)
    sys.exit(0)


if __name__ == "__main__":
    main()
