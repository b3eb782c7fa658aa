"""debug, trace, capture: what the D-channels say, live, of a call, and as a file for Wireshark."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from appliance.box.commands.acting import Call, both
from appliance.box.commands.kinds import Choice, Duration
from appliance.box.commands.names import SpanName, the_span
from appliance.box.commands.table import (
    Argument,
    Asked,
    Command,
    CommandError,
    File,
    Lines,
    Role,
    Text,
    column,
)
from appliance.box.traces import found
from appliance.box.traces.drawing import UNICODE, Drawing, as_json
from appliance.bus.messages import GetSpanTrace
from appliance.isdn.ladder import Fold, Step
from e1_driver.watch import pcap
from e1_driver.watch.capture import KEPT_S

WIDTH = 110                                       # where no terminal tells
ANSWER_S = 10.0                                   # for what is kept of a call or a span
LAST_S = 300.0
MOST_FOR_S = KEPT_S - 30.0                        # of a capture that begins now: all of it is kept at its end
MOST_FRAMES = found.FRAMES_MOST


class Frames(Lines, frozen=True, kw_only=True):
    """Frames as a ladder."""

    frames: Annotated[list[dict[str, Any]], column("frames", "帧", "json")]


class Ladders(Lines, frozen=True, kw_only=True):
    """A ladder for each of a call's legs."""

    calls: Annotated[list[dict[str, Any]], column("calls", "呼叫", "json")]


def _drawing(asked: Asked, since: float | None) -> Drawing:
    return Drawing(asked.session.width or WIDTH, UNICODE, since, asked.get("details", False),
                   asked.language)


async def debug_span(asked: Asked) -> AsyncIterator[Frames]:
    """Layer 2 with each RR; layer 3 without what has no message; else as a trace has it."""
    layer = asked.get("layer", "")
    span = await the_span(asked, asked.values["span"])
    drawing = _drawing(asked, None)
    heading = True
    async for network_side, steps in found.following(
            asked.box.context.bus, span, asked.now - asked.get("last_s", 0.0), layer == "2"):
        wanted = [one for one in steps if layer != "3" or _is_message(one)]
        lines = [drawing.heading(network_side)] if heading else []
        lines += [line for one in wanted for line in drawing.lines(one)]
        heading = False
        if lines:
            yield Frames(lines=lines, frames=[as_json(one) for one in wanted])


def _is_message(step: Step | Fold) -> bool:
    return isinstance(step, Step) and bool(step.rung.message)


async def trace_call(asked: Asked) -> Ladders:
    warnings: list[str] = []
    calls = await _of_call(asked, warnings)
    since = found.began_at(calls)
    drawings = [_drawing(asked, since) for _ in calls]
    lines, laid = await asyncio.to_thread(_laid, calls, drawings)    # thousands of frames: the loop goes on
    return Ladders(lines=[*warnings, *lines], calls=laid)


def _laid(calls: found.Found, drawings: Sequence[Drawing]) -> tuple[list[str], list[dict[str, Any]]]:
    """As lines, and for programs."""
    lines: list[str] = []
    for (leg, trace), drawing in zip(calls, drawings, strict=True):
        lines += [""] if lines else []
        lines += found.call_lines(leg, trace, drawing)
    return lines, [found.call_json(leg, trace) for leg, trace in calls]


async def _of_call(asked: Asked, warnings: list[str]) -> found.Found:
    try:
        return await found.of_call(asked.box.context.bus, asked.values["call"], warnings.append)
    except found.NoSuchCall as error:
        raise CommandError(
            Text(str(error), f"{asked.values['call']}：没有该呼叫，或其信令已不再保存"),
            Text("show calls names them", "show calls 可查看呼叫")) from None


async def capture_call(asked: Asked) -> File:
    calls = await _of_call(asked, [])
    return File(name=_name(asked, asked.values["call"]), octets=await asyncio.to_thread(found.capture, calls))


async def capture_span(asked: Asked) -> File:
    """What is kept of the last while; with `for` what comes from now on."""
    span = await the_span(asked, asked.values["span"])
    if "for_s" in asked.values and "last_s" in asked.values:
        raise CommandError(Text("for or last, not both", "for 与 last 只能选一个"))
    since = asked.now - asked.get("last_s", LAST_S)
    if "for_s" in asked.values:
        since = asked.now
        await asyncio.sleep(asked.values["for_s"])        # trunkd keeps what comes meanwhile
    kept = await asked.ask(GetSpanTrace(span=span, since=since, frames=MOST_FRAMES), ANSWER_S)
    frames, network_side = found.frames(kept), kept.network_side
    if not frames:
        raise CommandError(both("span {span}: no frame in that time", "线路 {span}：该时段没有帧", span=span),
                           Text("show spans tells whether its D-channel is up",
                                "show spans 可查看 D 信道是否正常"))
    return File(name=_name(asked, span), octets=await asyncio.to_thread(pcap.write, frames, network_side))


def _name(asked: Asked, what: str) -> str:
    """For the file: of letters that any system takes."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in what).strip("-")[:40]
    return f"{plain or 'call'}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(asked.now))}.pcap"


_SPAN = Argument("span", SpanName(), Text("which line", "哪条线路"))
_CALL = Argument("call", Call(live=False), Text("a contact, a leg, a telephone number, or last",
                                                "呼叫编号、分支、电话号码，或 last"))
_DETAILS = Argument("details", None, Text("all that elements and layer 2 say", "显示全部信息单元和二层内容"),
                    keyword="details", optional=True)
_LAST = Argument("last_s", Duration(KEPT_S), Text("from so long ago on", "从多久以前开始"),
                 keyword="last",
                 optional=True)

COMMANDS: list[Command] = [
    Command("debug isdn span", Role.OPERATE,
            Text("what a D-channel says, in words, live", "实时解码 D 信道信令"),
            debug_span, Frames, (
                _SPAN,
                Argument("layer", Choice({"2": Text("data link, each RR too", "数据链路层，含 RR"),
                                          "3": Text("only messages of calls", "只看呼叫消息")}, "LAYER"),
                         Text("only this one", "只看该层"), keyword="layer", optional=True),
                _LAST, _DETAILS), live=True),
    Command("trace call", Role.OPERATE,
            Text("what was said about a call, as a ladder", "以梯形图显示一次呼叫的信令"),
            trace_call, Ladders, (_CALL, _DETAILS)),
    Command("capture span", Role.OPERATE,
            Text("a line's D-channel as a file for Wireshark: | save NAME",
                 "抓取 D 信道，供 Wireshark：| save 文件名"),
            capture_span, File, (
                _SPAN, _LAST,
                Argument("for_s", Duration(MOST_FOR_S), Text("from now on, for so long", "从现在起抓取多久"),
                         keyword="for", optional=True)), within_s=MOST_FOR_S + 30.0),
    Command("capture call", Role.OPERATE, Text("a call's frames as a file for Wireshark: | save NAME",
                                               "抓取一次呼叫的信令，供 Wireshark：| save 文件名"),
            capture_call, File, (_CALL,)),
]
