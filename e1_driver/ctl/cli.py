"""The commands of e1ctl and their options; what each does and shows is in the module of its name.

Exit codes: 0 in order; 1 an alarm, an error or a fault was found; and sysexits' 64 usage, 66 no history,
69 cannot open, 73 cannot write; 130 interrupted before there was a result.
"""

import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, ClassVar, NoReturn, TypeVar

import click

from e1_driver import BEARERS, LineError, Loop, check_url
from e1_driver.ctl import bert as berting
from e1_driver.ctl import capture as capturing
from e1_driver.ctl import clock as clocking
from e1_driver.ctl import history as keeping
from e1_driver.ctl import status as seeing
from e1_driver.ctl import verdict as judging
from e1_driver.ctl.output import (
    EX_CANTCREAT,
    EX_FOUND,
    EX_INTERRUPTED,
    EX_NOINPUT,
    EX_UNAVAILABLE,
    EX_USAGE,
    Live,
    Output,
    Progress,
    complain,
    remark,
    tell,
)
from e1_driver.ctl.runner import Line, Runner, open_line
from e1_driver.testing import prbs
from e1_driver.testing.bert import Bert
from e1_driver.testing.d_channel import Side
from e1_driver.testing.guide import OBSERVE_S, Run
from e1_driver.testing.verdict import Fault
from e1_driver.testing.verdict_texts import LANGUAGES, Language
from e1_driver.watch import history as histories
from e1_driver.watch.clock import HOLD_OFF_S, REVERT_S, ClockSelector

STATUS_S, BERT_S = 5.0, 60.0

F = TypeVar("F", bound=Callable[..., None])
FILE = click.Path(path_type=Path, dir_okay=False)


class Duration(click.ParamType[float]):
    """Seconds: `90`, `1.5`, `90s`, `15m`, `2h`."""

    name = "time"
    UNITS_S: ClassVar = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if found is None:
            self.fail(f"{value!r} is no time: write seconds, or 90s, 15m, 2h", param, ctx)
        return float(found[1]) * self.UNITS_S[found[2]]


class Checked(click.ParamType[Any]):
    """What `read` makes of the text; its ValueError is the user's error."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN_URL, TIME = Checked("url", check_url), Duration()
URL = click.argument("url", type=SPAN_URL)
URLS = click.argument("urls", metavar="URL...", type=SPAN_URL, nargs=-1, required=True)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
SIDE = click.option("--side", type=click.Choice([each.value for each in Side]), default="user",
                    show_default=True, help="Of the D-channel: which end we are.")
STORE = click.option("--store", type=FILE, default=keeping.default_store,
                     help="The file of histories; ~/.local/state/branchline/line-history.sqlite unless told.")


def for_option(default: float | None, text: str) -> Callable[[F], F]:
    return click.option("--for", "for_s", type=TIME, default=default, show_default=default is not None,
                        metavar="TIME", help=f"{text} Seconds, or 90s, 15m, 2h.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="branchline")
def e1ctl() -> None:
    """Read and test an E1 line. URL names it: virtual:PATH/b, e1d:..., dahdi:1, satop:..., cesop:...,
    tdmoe:..., card:... The line is opened by e1ctl itself: nothing else may use it meanwhile.
    """


@e1ctl.command()
@URL
@for_option(None, f"How long to look; {STATUS_S:g} s unless told, with --watch until Ctrl-C.")
@click.option("--watch", "live", is_flag=True, help="Anew each second; with --json an object a line.")
@JSON
def status(url: str, for_s: float | None, live: bool, as_json: bool) -> None:
    """What the line says of itself now. Alarms, loop, clock, counters, and what it cannot tell."""
    output = Output(seeing.table, as_json)
    with running(url) as runner:
        line, = runner.lines
        watcher = watched(line)
        if live:
            runner.run(for_s, Live(output, lambda: seeing.facts(line, watcher)))
        else:
            runner.run(STATUS_S if for_s is None else for_s)
        facts = seeing.facts(line, watcher)
    if not live:
        output.print(facts)
    sys.exit(EX_FOUND if seeing.alarmed(facts) else 0)


@e1ctl.command()
@URLS
@for_option(None, "How long; until Ctrl-C unless told.")
@STORE
@JSON
def watch(urls: tuple[str, ...], for_s: float | None, store: Path, as_json: bool) -> None:
    """Keep the history of lines, tell alarms. As they come and go, until Ctrl-C; for `e1ctl history`."""
    with _store(store) as kept, keeping.Saver(kept) as saver, running(*urls) as runner:
        watchers, keepers = [], []
        for line in runner.lines:
            watchers.append(seeing.Watcher(line, None if as_json else _saying(line.url if urls[1:] else "")))
            keepers.append(keeping.Keeper(line, kept))
            line.parts.extend((watchers[-1], keepers[-1]))
        runner.lines[-1].parts.append(saver)
        with Progress("watching", for_s, lambda: "; ".join(each.note() for each in keepers)) as bar:
            runner.run(for_s, bar)
        facts = keeping.watch_facts(runner.lines, watchers, store)
    Output(keeping.watch_table, as_json).print(facts)
    sys.exit(EX_FOUND if any(map(seeing.alarmed, facts["lines"])) else 0)


@e1ctl.command()
@click.argument("name", metavar="URL")
@STORE
@click.option("--all", "every", is_flag=True, help="Also the bins without an error.")
@JSON
def history(name: str, store: Path, every: bool, as_json: bool) -> None:
    """A line's errors over 24 hours and 30 days. As `e1ctl watch` has kept them; in the store of a box,
    lines have the names of its configuration instead of URLs.
    """
    try:
        found = histories.read(store)
    except histories.HistoryError as error:
        complain(f"{error} (e1ctl watch URL begins a history)", EX_NOINPUT)
    if name not in found:
        complain(f"{store} has no history of {name}, it has {', '.join(sorted(found)) or 'none'}: "
                 "e1ctl watch URL begins one", EX_NOINPUT)
    facts = keeping.facts(name, store, found[name], time.time())
    Output(lambda facts, width: keeping.table(facts, width, every), as_json).print(facts)


@e1ctl.command()
@URLS
@for_option(None, "How long; until Ctrl-C unless told.")
@click.option("--hold-off", "hold_off_s", type=TIME, default=HOLD_OFF_S, show_default=True, metavar="TIME",
              help="How long a line may be bad before it is left.")
@click.option("--revert", "revert_s", type=TIME, default=REVERT_S, show_default=True, metavar="TIME",
              help="How long a better line must be good before it is taken back.")
@JSON
def clock(urls: tuple[str, ...], for_s: float | None, hold_off_s: float, revert_s: float,
          as_json: bool) -> None:
    """Which line is fit to be the clock. Of these, the best first; looks only, moves nothing."""
    output = Output(clocking.table, as_json)
    with running(*urls) as runner:
        selector = ClockSelector(urls, hold_off_s, revert_s)
        chooser = clocking.Chooser(runner.lines, selector)
        draw = Live(output, chooser.facts) if sys.stdout.isatty() and not as_json else None

        def tick(now: float) -> bool:
            chooser.tick(now)
            return draw(now) if draw else False
        runner.run(for_s, tick)
        facts = chooser.facts()
    if draw is None:
        output.print(facts)
    sys.exit(0 if selector.source else EX_FOUND)


@e1ctl.command()
@URL
@click.argument("kind", metavar="local|line|payload|none", type=click.Choice([each.value for each in Loop]))
@for_option(None, "How long to hold it; until Ctrl-C unless told.")
@JSON
def loop(url: str, kind: str, for_s: float | None, as_json: bool) -> None:
    """Switch a loop and hold it. It ends with this command; `none` removes one that was left behind."""
    with running(url) as runner:
        line, = runner.lines
        watcher = watched(line)
        switch(line, kind)
        with Progress(f"loop {kind}", for_s) as bar:
            runner.run(0.0 if kind == Loop.NONE and for_s is None else for_s, bar)
        facts = {**seeing.facts(line, watcher), "command": "loop"}
    Output(seeing.table, as_json).print(facts)


@e1ctl.command()
@URL
@click.option("--pattern", type=Checked("pattern", prbs.pattern), default="prbs15", show_default=True,
              help=f"One of {', '.join(prbs.NAMES)}, or octets:7e81 with your own in hex.")
@click.option("--timeslots", type=Checked("timeslots", berting.parse_timeslots), default="all",
              show_default=True, metavar="LIST", help="As 1-15,17 or all: 1-15 and 17-31.")
@click.option("--whole", is_flag=True, help="One sequence over all timeslots instead of one in each.")
@for_option(BERT_S, "How long.")
@click.option("--inject", type=click.IntRange(0), default=0, metavar="N",
              help="Send so many single errors once the pattern is in step: they must be counted.")
@click.option("--loop", "kind", metavar="local|line|payload|none", default="none", show_default=True,
              type=click.Choice([each.value for each in Loop]), help="Switch this loop here meanwhile.")
@JSON
def bert(url: str, pattern: prbs.Pattern, timeslots: tuple[int, ...], whole: bool, for_s: float, inject: int,
         kind: str, as_json: bool) -> None:
    """Count the bit errors of a test pattern. Sends it, and compares what comes back from a loop or comes
    from another tester.
    """
    with running(url) as runner:
        line, = runner.lines
        tester = berting.Tester(line, Bert(pattern, timeslots, whole), inject)
        line.parts.append(tester)
        switch(line, kind)
        with Progress("bert", for_s, tester.note) as bar:
            runner.run(for_s, bar)
        facts = berting.facts(line, tester, timeslots, whole)
    Output(berting.table, as_json).print(facts)
    sys.exit(0 if facts["clean"] else EX_FOUND)


@e1ctl.command()
@URL
@click.option("--site", default="", metavar="TEXT", help="What this line is, for the report: place, number.")
@click.option("--pdf", type=FILE, help="Write the report here, for the telco.")
@click.option("--pcap", "trace", type=FILE, help="Write the D-channel frames here, for Wireshark.")
@click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", show_default=True,
              help="Of the steps, the verdict and the report.")
@for_option(OBSERVE_S, "How long each step looks.")
@STORE
@click.option("--name", metavar="NAME", help="Of the line in that file; the URL unless told.")
@SIDE
@click.option("--no-signalling", is_flag=True, help="Send nothing on the D-channel.")
@click.option("--no-plug", is_flag=True, help="Nobody is there to put a loop plug in: leave those steps out.")
@click.option("--yes", is_flag=True, help="Do not ask: what a step needs has been done or does itself.")
@JSON
def verdict(url: str, site: str, pdf: Path | None, trace: Path | None, language: Language, for_s: float,
            store: Path, name: str | None, side: str, no_signalling: bool, no_plug: bool, yes: bool,
            as_json: bool) -> None:
    """Find out who is at fault. Us, cable, telco or far end: step by step, with you at the line."""
    began_unix_s = time.time()
    with running(url) as runner:
        line, = runner.lines
        run = Run(line.span.abilities, Random(), Side(side), signalling=not no_signalling, plugs=not no_plug,
                  observe_s=for_s, bert_s=for_s)
        guide = judging.Guide(line, run)
        line.parts.append(guide)
        person = judging.Person(runner, language, yes)
        found = judging.guided(runner, guide, run, person, language)
        counters = line.span.counters()
    if found is None:
        complain("given up before there was a verdict", EX_INTERRUPTED)
    if trace:
        with _written(trace, "--pcap") as file:
            file.write(guide.capture.pcap(side == "network"))
    if pdf:
        from e1_driver.testing import report  # its library is the largest of all, and for this alone

        with _written(pdf, "--pdf") as file:
            file.write(report.pdf(report.Report(
                verdict=found, box=platform.node(), site=site, span=url, began_unix_s=began_unix_s,
                ended_unix_s=time.time(), counters=counters, quarters=keeping.quarters(name or url, store),
                frames=list(guide.capture.frames(newest=report.FRAMES))), language))
    facts = judging.facts(line, found, language, site, None if pdf is None else str(pdf))
    Output(judging.table, as_json).print(facts)
    sys.exit(0 if found.fault is Fault.NOTHING else EX_FOUND)


@e1ctl.command()
@URL
@click.option("-o", "--out", "path", type=FILE, required=True, help="FILE.pcap, or FILE.wav with --timeslot.")
@for_option(None, "How long; until Ctrl-C unless told.")
@click.option("--timeslot", type=click.Choice([str(each) for each in BEARERS]), metavar="N",
              help="The sound of this timeslot instead of the D-channel: received left, sent right.")
@SIDE
@JSON
def capture(url: str, path: Path, for_s: float | None, timeslot: str | None, side: str,
            as_json: bool) -> None:
    """Write what the line carries to a file. The D-channel for Wireshark, or a timeslot as a WAV file."""
    with running(url) as runner, _written(path, "-o") as file:
        line, = runner.lines
        watcher = watched(line)
        part: capturing.DChannelFile | capturing.TimeslotFile = (
            capturing.DChannelFile(file, side == "network") if timeslot is None
            else capturing.TimeslotFile(file, int(timeslot)))
        line.parts.append(part)
        with Progress(str(path), for_s) as bar:
            runner.run(for_s, bar)
        seen = seeing.facts(line, watcher)
        facts = {"command": "capture", "url": url, "at": seen["at"], "seconds": seen["seconds"],
                 "file": str(path), **part.facts(), "octets": file.tell(), "alarms": seen["alarms"]}
    Output(capturing.table, as_json).print(facts)
    sys.exit(EX_FOUND if seeing.alarmed(seen) else 0)


def _saying(url: str) -> Callable[[seeing.Facts], None]:
    """Tells a change of the line of `url` at once."""
    return lambda event: tell(f"{seeing.spoken_event(event)}  {url}".rstrip())


@contextmanager
def running(*urls: str) -> Iterator[Runner]:
    """The lines, closed whatever happens. A wrong URL ends with 64, one that cannot be opened with 69."""
    if len(set(urls)) < len(urls):
        raise click.UsageError("each line once")
    lines: list[Line] = []
    try:
        for url in urls:
            lines.append(open_line(url, remark))
    except (ValueError, LineError) as error:
        for line in lines:
            line.span.close()
        if isinstance(error, ValueError):
            raise click.UsageError(str(error)) from None
        complain(str(error), EX_UNAVAILABLE)
    with Runner(lines) as runner:
        yield runner


def watched(line: Line) -> seeing.Watcher:
    """A watcher that looks at `line`."""
    watcher = seeing.Watcher(line)
    line.parts.append(watcher)
    return watcher


def switch(line: Line, kind: str) -> None:
    """The loop switched; an interface that has not got it is an error of usage."""
    try:
        line.span.loop(Loop(kind))
    except ValueError as error:
        raise click.UsageError(f"{line.url}: {error}") from None


@contextmanager
def _store(path: Path) -> Iterator[histories.Store]:
    """Saved whatever happens. A file that cannot be opened or written ends with 73."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = histories.Store(path)
    except OSError as error:
        complain(f"{path}: {error.strerror}: choose another file with --store", EX_CANTCREAT)
    except histories.HistoryError as error:
        complain(str(error), EX_CANTCREAT)
    with store:
        if store.notice:
            remark(store.notice)
        yield store
        if not store.save():
            complain(f"{store.trouble}", EX_CANTCREAT)


class _NotWritten(Exception):
    """The file cannot be made, or the disk refuses more of it."""


class _Written(FileIO):
    """A file whose own errors are told from all others."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path, "w")
        except OSError as error:
            raise _NotWritten(error.strerror) from None

    def write(self, octets: Any, /) -> int:
        try:
            return super().write(octets)
        except OSError as error:
            raise _NotWritten(error.strerror) from None


@contextmanager
def _written(path: Path, option: str) -> Iterator[BinaryIO]:
    """The file, new or emptied; a disk that refuses ends with 73. No other error is taken for its."""
    try:
        with BufferedWriter(_Written(path)) as file:
            yield file
    except _NotWritten as error:
        complain(f"{path}: {error}: choose another file with {option}", EX_CANTCREAT)


def main() -> NoReturn:
    """e1ctl, with the exit codes above."""
    try:
        sys.exit(e1ctl(prog_name="e1ctl", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(EX_USAGE)
    except click.Abort:
        sys.exit(EX_INTERRUPTED)
    except BrokenPipeError:                       # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
