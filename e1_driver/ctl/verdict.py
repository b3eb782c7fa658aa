"""`e1ctl verdict`: the guided run with a person at the line, and what it found."""

import os
import select
import sys
import time
from dataclasses import asdict
from typing import Any

from e1_driver import Block, Loop
from e1_driver.ctl.output import Progress, remark
from e1_driver.ctl.runner import Line, Part, Runner
from e1_driver.ctl.status import Facts, utc
from e1_driver.ctl.table import paragraph, spoken_s
from e1_driver.testing.guide import Run, Step
from e1_driver.testing.verdict import Verdict
from e1_driver.testing.verdict_texts import Language, headline, what_to_do, why
from e1_driver.watch.capture import Capture

SKIP, QUIT = "s", "q"
ANSWERS: dict[Language, str] = {
    "en": f"Enter when it is done, {SKIP} to skip it, {QUIT} to give up:",
    "zh": f"完成后按回车；{SKIP} 跳过此步，{QUIT} 放弃：",
}
READ_OCTETS = 4096


class Guide(Part):
    """Carries blocks and frames between a line and its run while a step is under way; keeps the frames."""

    def __init__(self, line: Line, run: Run) -> None:
        self.capture = Capture()
        self.under_way = False
        self._line, self._run = line, run
        self._frames: list[bytes] = []

    def block(self, now: float, received: Block, sent: Block) -> None:
        if self.under_way:
            sent[:] = self._turn(now, received)

    def tick(self, now: float, unix_s: float) -> None:
        if self.under_way:
            self._turn(now, None)

    def frame(self, now: float, unix_s: float, frame: bytes) -> None:
        self.capture.add(now, unix_s, False, frame)
        if self.under_way:
            self._frames.append(frame)

    def _turn(self, now: float, received: Block | None) -> Block:
        span = self._line.span
        frames, self._frames = self._frames, []
        reply = self._run.turn(now, received, frames, span.status(), span.counters())
        for frame in reply.frames:
            if span.send_frame(frame):
                self.capture.add(now, time.time(), True, frame)
        return reply.block


class Person:
    """Who answers on stdin, while the line runs on; with `yes` nobody, and everything has been done."""

    def __init__(self, runner: Runner, language: Language, yes: bool) -> None:
        self._runner, self._language, self._yes = runner, language, yes
        self._read = b""

    def ask(self, text: str) -> str:
        """The line that was typed, in small letters. Nobody there any more: the step is skipped."""
        remark(text)
        if self._yes:
            return ""
        remark(ANSWERS[self._language])
        answer = SKIP

        def come(now: float) -> bool:
            nonlocal answer
            if b"\n" not in self._read:
                if not select.select([sys.stdin], [], [], 0)[0]:
                    return False
                octets = os.read(sys.stdin.fileno(), READ_OCTETS)
                if octets and b"\n" not in (self._read + octets):
                    self._read += octets
                    return False
                self._read += octets or f"{SKIP}\n".encode()
            line, _, self._read = self._read.partition(b"\n")
            answer = line.decode(errors="replace").strip().lower()
            return True
        self._runner.run(None, come)
        return answer


def guided(runner: Runner, guide: Guide, run: Run, person: Person, language: Language) -> Verdict | None:
    """Every step of `run` on the runner's one line. None: the person gave up."""
    line, = runner.lines
    while not runner.interrupted:
        step = run.next_step()
        if isinstance(step, Verdict):
            return step
        if text := step.ask(language):
            answer = person.ask(text)
            if answer == QUIT:
                return None
            if answer == SKIP:
                run.skip()
                continue
        if not _do(runner, line, guide, step, language):
            return None
        run.done()
    return None


def _do(runner: Runner, line: Line, guide: Guide, step: Step, language: Language) -> bool:
    remark(f"{step.title(language)} ({spoken_s(step.duration_s)})")
    if step.loop is not Loop.NONE:
        try:
            line.span.loop(step.loop)
        except ValueError as error:               # it went away just now, and the step will say so
            remark(str(error))
    guide.under_way = True
    with Progress(step.title(language), step.duration_s) as bar:
        runner.run(step.duration_s, bar)
    guide.under_way = False
    line.span.loop(Loop.NONE)
    return not runner.interrupted


def facts(line: Line, verdict: Verdict, language: Language, site: str, pdf: str | None) -> Facts:
    """The verdict, its texts in `language`, and all the evidence."""
    return {"command": "verdict", "url": line.url, "site": site, "at": utc(),
            "fault": verdict.fault, "suspects": list(verdict.suspects), "proven": verdict.proven,
            "finding": verdict.leaf, "next_step": verdict.next_step,
            "headline": headline(verdict, language), "why": why(verdict, language),
            "do": what_to_do(verdict, language), "pdf": pdf, "evidence": _plain(asdict(verdict.evidence))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value))
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def table(facts: Facts, width: int) -> list[str]:
    lines = [facts["url"] + (f", {facts['site']}" if facts["site"] else ""), "",
             *paragraph("", facts["headline"], width, indent=0), ""]
    for text in facts["why"]:
        lines += paragraph("  -", text, width, indent=4)
    if facts["do"]:
        lines += [""]
    for text in facts["do"]:
        lines += paragraph("  >", text, width, indent=4)
    return lines + (["", facts["pdf"]] if facts["pdf"] else [])
