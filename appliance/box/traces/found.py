"""The signalling of a call or a span: found by the names that people know, in lines or for programs."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from appliance.box.commands.chinese import word
from appliance.box.commands.table import Text
from appliance.box.traces.drawing import Drawing, as_json, printable
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    CallTrace,
    ContactLeg,
    GetCallTrace,
    GetContactLegs,
    GetContacts,
    GetSpanTrace,
    SpanTrace,
)
from appliance.errors import BranchlineError
from appliance.isdn.ladder import CAUSES, Course, Fold, Step, describe
from e1_driver.watch import pcap

FRAMES_MOST = 20_000
LOOK_EVERY_S = 0.5                                # no event tells of a frame: they are too many
AT_ONCE = 200                                     # frames that are decoded before others have their turn
CONTACTS_LOOKED_AT = 500                          # for a telephone number
PARTIES = {
    "caller": Text("the caller's call", "主叫的呼叫"), "agent": Text("the call to agent {}", "呼叫座席 {}"),
    "called": Text("the call that went out", "呼出的呼叫")}
OTHER_PARTY = Text("a call", "呼叫")
LOST = Text("began before trunkd was killed: its first messages are lost",
            "呼叫早于 trunkd 重启：最初的消息已丢失")

Found = list[tuple[ContactLeg, CallTrace]]


class NoSuchCall(BranchlineError):
    """Nothing goes by that name. Says what to give."""


# --- a call


async def of_call(bus: Bus, name: str, warn: Callable[[str], None]) -> Found:
    """`name`: of a contact or a leg, a telephone number, or "last". NoSuchCall; BusError: no answer."""
    legs = await _legs(bus, name, warn)
    found = [(leg, trace) for leg in legs for trace in (await bus.ask(GetCallTrace(leg=leg.leg))).calls]
    if not found:
        raise NoSuchCall(f"{name}: no signalling is kept of it: it is too old, or nothing was sent")
    return found


async def _legs(bus: Bus, name: str, warn: Callable[[str], None]) -> list[ContactLeg]:
    if name == "last":
        newest = (await bus.ask(GetContacts(limit=1))).contacts
        if not newest:
            raise NoSuchCall("last: there was no call yet")
        name = newest[0].contact
    try:
        if legs := (await bus.ask(GetContactLegs(contact=name))).legs:
            return legs
    except BusError:
        warn("acdd does not answer: only legs are found, not contacts")
    if (await bus.ask(GetCallTrace(leg=name))).calls:
        return [ContactLeg(leg=name, party="", at=0.0)]
    if re.fullmatch(r"[0-9*#+]+", name):
        for contact in (await bus.ask(GetContacts(limit=CONTACTS_LOOKED_AT))).contacts:
            if name in (contact.calling, contact.called):
                return (await bus.ask(GetContactLegs(contact=contact.contact))).legs
    raise NoSuchCall(f"{name}: no such call: give a contact's or leg's name (in the address of its page), "
                     "a telephone number of one of the last calls, or last")


def began_at(found: Found) -> float:
    """The first frame of all."""
    return min((frame.at for _, trace in found for frame in trace.frames), default=time.time())


def capture(found: Found) -> bytes:
    """Of all of them, by time, as a capture file."""
    return b"".join((pcap.FILE_HEADER, *_records(trace for _, trace in found)))


def _records(traces: Iterable[CallTrace]) -> Iterator[bytes]:
    every = [(frame, trace.network_side) for trace in traces for frame in trace.frames]
    for frame, network_side in sorted(every, key=lambda one: one[0].at):
        yield pcap.record(frame.at, frame.sent, frame.octets, network_side)


def steps(trace: CallTrace) -> Iterator[Step]:
    for frame in trace.frames:
        yield Step(frame.at, describe(frame.octets, frame.sent, trace.network_side, frame.again))


def call_lines(leg: ContactLeg, trace: CallTrace, drawing: Drawing) -> Iterator[str]:
    """What it was, and its ladder."""
    call = trace.call
    whose = PARTIES.get(leg.party, OTHER_PARTY)
    calling, called = printable(call.calling), printable(call.called)
    cause = f"{call.cause} {CAUSES.get(call.cause, '')}".rstrip()
    ended = call.state == "released"
    about = (
        Text(f"{whose.en.format(leg.agent)}: {calling or 'withheld'} to {called}",
             f"{whose.zh.format(leg.agent)}：{calling or '主叫隐藏'} 到 {called}"),
        Text(f"span {call.span}, timeslot {call.timeslot or 'none'}, call reference {trace.call_ref}, "
             f"leg {call.leg}",
             f"线路 {call.span}，时隙 {call.timeslot or '无'}，呼叫参考值 {trace.call_ref}，分支 {call.leg}"),
        Text(f"{'in' if call.inbound else 'out'}, "
             + (f"ended with cause {cause}" if ended else f"{call.state} so far"),
             f"{'呼入' if call.inbound else '呼出'}，"
             + (f"已结束，原因值 {cause}" if ended else word(call.state, "call", "zh"))))
    day = time.strftime("%Y-%m-%d", time.localtime(call.began_at))
    for number, text in enumerate((*about, LOST) if not trace.from_setup else about):
        yield f"{day if number == 0 else ' ' * len(day)}  {text.of(drawing.language)}"
    yield drawing.heading(trace.network_side)
    for step in steps(trace):
        yield from drawing.lines(step)
    if trace.left_out:
        left_out = Text(f"{trace.left_out} frames in the middle are left out",
                        f"中间 {trace.left_out} 帧未保存")
        yield f"{' ' * len(day)}  {left_out.of(drawing.language)}"


def call_json(leg: ContactLeg, trace: CallTrace) -> dict[str, object]:
    """For programs."""
    call = trace.call
    return {
        "leg": call.leg, "party": leg.party, "agent": leg.agent, "span": call.span, "timeslot": call.timeslot,
        "call_ref": trace.call_ref, "inbound": call.inbound, "calling": call.calling, "called": call.called,
        "state": call.state, "cause": call.cause, "network_side": trace.network_side,
        "from_setup": trace.from_setup, "left_out": trace.left_out,
        "rungs": [as_json(step) for step in steps(trace)],
    }


# --- a span


async def following(bus: Bus, span: str, since: float,
                    upkeep: bool) -> AsyncIterator[tuple[bool, list[Step | Fold]]]:
    """Whether we are the network, and what the span's D-channel says from `since` on, as it comes, for ever.

    At first at once, even if there is nothing yet; what is kept already comes in pieces. Refused: there is
    no such span; BusError: no answer.
    """
    course: Course | None = None
    behind = 0
    while True:
        found = await bus.ask(GetSpanTrace(span=span, since=since, frames=FRAMES_MOST))
        fresh = frames(found)[behind:]
        if course is None:
            course = Course(found.network_side, upkeep=upkeep)
            yield found.network_side, []
        for at in range(0, len(fresh), AT_ONCE):
            if said := [step for frame in fresh[at:at + AT_ONCE] for step in course.add(frame)]:
                yield found.network_side, said
            await asyncio.sleep(0)
        if fresh:
            since = fresh[-1][0]
            behind = sum(frame.at == since for frame in found.frames)      # those come once more
        await asyncio.sleep(LOOK_EVERY_S)


def frames(found: SpanTrace) -> list[tuple[float, bool, bytes]]:
    return [(frame.at, frame.sent, frame.octets) for frame in found.frames]
