"""`branchline trace`: what the D-channels of a running box said, of a call or of a span."""

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


async def follow(bus: Bus, span: str, last_s: float, view: View, upkeep: bool) -> None:
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
