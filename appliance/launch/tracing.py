"""`branchline trace`: what the D-channels of a running box said, of a call or of a span."""

import asyncio
import json
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    CallTrace,
    ContactLeg,
    GetCallTrace,
    GetContactLegs,
    GetContacts,
    GetSpanTrace,
    GetTrace,
    SpanTrace,
)
from appliance.errors import BranchlineError
from appliance.isdn.ladder import CAUSES, Course, Step, describe, ladder
from appliance.launch.ladder import Drawing, Pen, as_json, pen_for, printable
from e1_driver.watch import pcap

FRAMES_MOST = 20_000
LAST_S = 300.0
LOOK_EVERY_S = 0.5                                # of --follow
CONTACTS_LOOKED_AT = 500                          # for a telephone number
WIDTH = 110                                       # where no terminal tells
SECONDS_IN = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
PARTIES = {"caller": "the caller's call", "agent": "the call to agent {}", "called": "the call that went out"}


class NoSuchCall(BranchlineError):
    """Nothing goes by that name. Says what to give."""


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
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh]?)", str(value))
        if not found:
            self.fail(f"{value!r} is no duration: give e.g. 90s, 5m or 1h", param, ctx)
        return float(found[1]) * SECONDS_IN[found[2]]


# --- a call


async def of_call(bus: Bus, name: str, view: View) -> None:
    """`name`: of a contact or a leg, a telephone number, or "last"."""
    legs = await _legs(bus, name)
    found = [(leg, trace) for leg in legs for trace in (await bus.ask(GetCallTrace(leg=leg.leg))).calls]
    if not found:
        raise NoSuchCall(f"{name}: no signalling is kept of it: it is too old, or nothing was sent")
    if view.pcap:
        _write(view.pcap, b"".join((pcap.FILE_HEADER, *_records([trace for _, trace in found]))))
    elif view.json:
        click.echo(json.dumps({"calls": [_call_json(leg, trace) for leg, trace in found]}, indent=1))
    else:
        since = min((frame.at for _, trace in found for frame in trace.frames), default=time.time())
        for number, (leg, trace) in enumerate(found):
            if number:
                click.echo()
            for line in _call_lines(leg, trace, since, view):
                click.echo(line)


async def _legs(bus: Bus, name: str) -> list[ContactLeg]:
    if name == "last":
        newest = (await bus.ask(GetContacts(limit=1))).contacts
        if not newest:
            raise NoSuchCall("last: there was no call yet")
        name = newest[0].contact
    try:
        if legs := (await bus.ask(GetContactLegs(contact=name))).legs:
            return legs
    except BusError:
        click.echo("acdd does not answer: only legs are found, not contacts", err=True)
    if (await bus.ask(GetCallTrace(leg=name))).calls:
        return [ContactLeg(leg=name, party="", at=0.0)]
    if re.fullmatch(r"[0-9*#+]+", name):
        for contact in (await bus.ask(GetContacts(limit=CONTACTS_LOOKED_AT))).contacts:
            if name in (contact.calling, contact.called):
                return (await bus.ask(GetContactLegs(contact=contact.contact))).legs
    raise NoSuchCall(f"{name}: no such call: give a contact's or leg's name (in the address of its page), "
                     "a telephone number of one of the last calls, or last")


def _records(traces: Iterable[CallTrace]) -> Iterator[bytes]:
    """Of all of them, by time."""
    every = [(frame, trace.network_side) for trace in traces for frame in trace.frames]
    for frame, network_side in sorted(every, key=lambda one: one[0].at):
        yield pcap.record(frame.at, frame.sent, frame.octets, network_side)


def _steps(trace: CallTrace) -> Iterator[Step]:
    for frame in trace.frames:
        yield Step(frame.at, describe(frame.octets, frame.sent, trace.network_side, frame.again))


def _call_lines(leg: ContactLeg, trace: CallTrace, since: float, view: View) -> Iterator[str]:
    call = trace.call
    whose = PARTIES.get(leg.party, "a call").format(leg.agent)
    what = f"{whose}: {printable(call.calling) or 'withheld'} to {printable(call.called)}"
    where = f"span {call.span}, timeslot {call.timeslot or 'none'}, call reference {trace.call_ref}"
    end = f"{call.state} so far"
    if call.state == "released":
        end = f"ended with cause {call.cause} {CAUSES.get(call.cause, '')}".rstrip()
    yield f"{time.strftime('%Y-%m-%d', time.localtime(call.began_at))}  {what}"
    yield f"            {where}, leg {call.leg}"
    yield f"            {'in' if call.inbound else 'out'}, {end}"
    if not trace.from_setup:
        yield "            began before trunkd was killed: its first messages are lost"
    drawing = Drawing(_width(), _pen(), since, view.details)
    yield drawing.heading(trace.network_side)
    for step in _steps(trace):
        yield from drawing.lines(step)
    if trace.left_out:
        yield f"            {trace.left_out} frames in the middle are left out"


def _call_json(leg: ContactLeg, trace: CallTrace) -> dict[str, object]:
    call = trace.call
    return {
        "leg": call.leg, "party": leg.party, "agent": leg.agent, "span": call.span, "timeslot": call.timeslot,
        "call_ref": trace.call_ref, "inbound": call.inbound, "calling": call.calling, "called": call.called,
        "state": call.state, "cause": call.cause, "network_side": trace.network_side,
        "from_setup": trace.from_setup, "left_out": trace.left_out,
        "rungs": [as_json(step) for step in _steps(trace)],
    }


# --- a span


async def whole_span(bus: Bus, span: str, out: Path) -> None:
    """All that is kept of it, as a capture file."""
    _write(out, (await bus.ask(GetTrace(span=span))).pcap)


async def of_span(bus: Bus, span: str, last_s: float, view: View, upkeep: bool) -> None:
    found = await bus.ask(GetSpanTrace(span=span, since=time.time() - last_s, frames=FRAMES_MOST))
    if view.pcap:
        _write(view.pcap, pcap.write(_frames(found), found.network_side))
        return
    steps = ladder(_frames(found), found.network_side, upkeep=upkeep)
    if view.json:
        click.echo(json.dumps({"span": span, "network_side": found.network_side, "cut": found.cut,
                               "rungs": [as_json(step) for step in steps]}, indent=1))
        return
    drawing = Drawing(_width(), _pen(), None, view.details)
    click.echo(drawing.heading(found.network_side))
    if found.cut:
        click.echo("(what is older is left out)")
    for step in steps:
        for line in drawing.lines(step):
            click.echo(line)


async def follow(bus: Bus, span: str, last_s: float, view: View, upkeep: bool) -> None:
    """As it comes, until cancelled; as JSON a line for each frame."""
    drawing = Drawing(_width(), _pen(), None, view.details)
    course: Course | None = None
    since, behind = time.time() - last_s, 0
    while True:
        found = await bus.ask(GetSpanTrace(span=span, since=since, frames=FRAMES_MOST))
        if course is None:
            course = Course(found.network_side, upkeep=upkeep)
            if not view.json:
                click.echo(drawing.heading(found.network_side))
        fresh = _frames(found)[behind:]
        for frame in fresh:
            for step in course.add(frame):
                for line in [json.dumps(as_json(step))] if view.json else drawing.lines(step):
                    click.echo(line)
        if fresh:
            since = fresh[-1][0]
            behind = sum(frame.at == since for frame in found.frames)      # those come once more
        sys.stdout.flush()
        await asyncio.sleep(LOOK_EVERY_S)


def _frames(found: SpanTrace) -> list[tuple[float, bool, bytes]]:
    return [(frame.at, frame.sent, frame.octets) for frame in found.frames]


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
