"""`branchline trace`: what the D-channels of a running box said, of a call or of a span."""

import contextlib
import json
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from appliance.box.traces import found
from appliance.box.traces.drawing import Drawing, Pen, as_json, pen_for
from appliance.bus.client import Bus
from appliance.bus.messages import GetSpanTrace, GetTrace
from appliance.errors import BranchlineError
from appliance.isdn.ladder import ladder
from appliance.launch.asking import PATH, RUN_DIR, on_bus
from e1_driver.watch import pcap

LAST_S = 300.0
WIDTH = 110                                       # where no terminal tells
SECONDS_IN = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class View:
    """How it is shown. `pcap`: into that file instead."""

    json: bool = False
    details: bool = False
    pcap: Path | None = None


class Duration(click.ParamType[float]):
    """90s, 5m, 1h; a number alone is seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        read = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh]?)", str(value))
        if not read:
            self.fail(f"{value!r} is no duration: give e.g. 90s, 5m or 1h", param, ctx)
        return float(read[1]) * SECONDS_IN[read[2]]


@click.command("trace")
@click.argument("span", required=False)
@click.option("--call", metavar="CALL", help="A contact's or a leg's name, a telephone number, or: last.")
@click.option("--last", "last_s", type=Duration(), help="Of SPAN: how far back, e.g. 90s or 5m. [5m]")
@click.option("--follow", is_flag=True, help="Of SPAN: as it comes, until Ctrl-C.")
@click.option("--pcap", "--out", type=PATH, help="Write this file instead, for Wireshark or tshark.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--details", is_flag=True, help="Everything that the elements and layer 2 say.")
@click.option("--upkeep", is_flag=True, help="Of SPAN: each RR, too.")
@RUN_DIR
def trace(span: str | None, call: str | None, last_s: float | None, follow: bool, pcap: Path | None,
          as_json: bool, details: bool, upkeep: bool, run_dir: Path) -> None:
    """What was said on the D-channel of SPAN, or of one call on all of its D-channels, as a ladder.

    Ten minutes of each span are there, and every call of the last months.
    """
    if (span is None) == (call is None):
        raise click.UsageError("name one of them: SPAN, or --call CALL")
    if call is not None and (follow or upkeep or last_s is not None):
        raise click.UsageError("--last, --follow and --upkeep go with SPAN, not with --call")
    if pcap and (as_json or follow):
        raise click.UsageError("--pcap writes a file: without --json and --follow")
    view = View(as_json, details, pcap)
    if call is not None:
        on_bus(run_dir, lambda bus: of_call(bus, call, view))
    elif span is not None:
        if pcap and last_s is None:
            on_bus(run_dir, lambda bus: whole_span(bus, span, pcap))
        elif follow:
            with contextlib.suppress(KeyboardInterrupt):
                on_bus(run_dir, lambda bus: follow_span(bus, span, last_s or 0.0, view, upkeep))
        else:
            reach_s = LAST_S if last_s is None else last_s
            on_bus(run_dir, lambda bus: of_span(bus, span, reach_s, view, upkeep))


# --- a call


async def of_call(bus: Bus, name: str, view: View) -> None:
    """`name`: of a contact or a leg, a telephone number, or "last"."""
    calls = await found.of_call(bus, name, lambda text: click.echo(text, err=True))
    if view.pcap:
        _write(view.pcap, found.capture(calls))
    elif view.json:
        click.echo(json.dumps({"calls": [found.call_json(leg, trace) for leg, trace in calls]}, indent=1))
    else:
        since = found.began_at(calls)
        for number, (leg, trace) in enumerate(calls):
            if number:
                click.echo()
            for line in found.call_lines(leg, trace, Drawing(_width(), _pen(), since, view.details)):
                click.echo(line)


# --- a span


async def whole_span(bus: Bus, span: str, out: Path) -> None:
    """All that is kept of it, as a capture file."""
    _write(out, (await bus.ask(GetTrace(span=span))).pcap)


async def of_span(bus: Bus, span: str, last_s: float, view: View, upkeep: bool) -> None:
    kept = await bus.ask(GetSpanTrace(span=span, since=time.time() - last_s, frames=found.FRAMES_MOST))
    frames = found.frames(kept)
    if view.pcap:
        _write(view.pcap, pcap.write(frames, kept.network_side))
        return
    steps = ladder(frames, kept.network_side, upkeep=upkeep)
    if view.json:
        click.echo(json.dumps({"span": span, "network_side": kept.network_side, "cut": kept.cut,
                               "rungs": [as_json(step) for step in steps]}, indent=1))
        return
    drawing = Drawing(_width(), _pen(), None, view.details)
    click.echo(drawing.heading(kept.network_side))
    if kept.cut:
        click.echo("(what is older is left out)")
    for step in steps:
        for line in drawing.lines(step):
            click.echo(line)


async def follow_span(bus: Bus, span: str, last_s: float, view: View, upkeep: bool) -> None:
    """As it comes, until cancelled; as JSON a line for each frame."""
    drawing: Drawing | None = None
    async for network_side, steps in found.following(bus, span, time.time() - last_s, upkeep):
        if drawing is None:
            drawing = Drawing(_width(), _pen(), None, view.details)
            if not view.json:
                click.echo(drawing.heading(network_side))
        for step in steps:
            for line in [json.dumps(as_json(step))] if view.json else drawing.lines(step):
                click.echo(line)
        sys.stdout.flush()


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns


def _pen() -> Pen:
    return pen_for(sys.stdout.encoding)


def _write(path: Path, octets: bytes) -> None:
    try:
        path.write_bytes(octets)
    except OSError as error:
        raise BranchlineError(f"{path}: {error.strerror}") from None
    click.echo(f"{path}: {len(octets)} octets")
