"""busy-out, return: channels, lines and trunks out of the traffic and back."""

from collections.abc import Callable, Sequence

from appliance.box.commands.acting import Did, Timeslots, act, both, calls_on, emergency_legs, spans_of
from appliance.box.commands.names import SpanName, TrunkName, the_span
from appliance.box.commands.refusals import said
from appliance.box.commands.table import Argument, Asked, Command, CommandError, Role, Text
from appliance.bus.client import BusError
from appliance.bus.messages import BringBack, BusyOut, Done, GetCalls, Request
from appliance.config.timeslots import in_words

ANSWER_S = 5.0


async def busy_out_span(asked: Asked) -> Did:
    return await _busy_out(asked, [await the_span(asked, asked.values["span"])], asked.get("timeslots", []))


async def busy_out_trunk(asked: Asked) -> Did:
    return await _busy_out(asked, await spans_of(asked, asked.values["trunk"]), [])


async def _busy_out(asked: Asked, spans: list[str], chosen: list[int]) -> Did:
    now = asked.get("now", False)
    if now:
        await _refuse_emergency(asked, spans, chosen)
    await _of_each(asked, spans, lambda span: BusyOut(span=span, timeslots=chosen, now=now))
    left = len(calls_on((await asked.ask(GetCalls())).calls, spans, chosen))
    did = both("{what} takes no calls any more", "{what} 已闭塞，不再接新呼叫", what=_channels(spans, chosen))
    if left and not now:
        did = Text(f"{did.en}; {left} calls on it go on to their end",
                   f"{did.zh}；其上 {left} 路通话将正常结束")
    return Did(said=asked.say(did), next=asked.say(Text("return brings it back", "return 可解除")))


async def _refuse_emergency(asked: Asked, spans: list[str], chosen: list[int]) -> None:
    calls = (await asked.ask(GetCalls())).calls
    urgent = await emergency_legs(asked, calls)
    if any(one.leg in urgent for one in calls_on(calls, spans, chosen)):
        raise CommandError(both("{what}: an emergency call is on it: it is not ended",
                                "{what}：其上有紧急呼叫，不予拆除", what=_channels(spans, chosen)),
                           Text("without now no new calls are taken, and it goes on to its end",
                                "不加 now：不再接新呼叫，该通话正常结束"))


async def _of_each(asked: Asked, spans: Sequence[str], request: Callable[[str], Request[Done]]) -> None:
    """CommandError, BusError: one was not done, nor are those after it."""
    for at, span in enumerate(spans):
        try:
            await act(asked, request(span), ANSWER_S)
        except BusError as error:
            if not at:
                raise
            why = said(str(error))
            done = ", ".join(spans[:at])
            raise CommandError(Text(f"{span}: {why.en}\nonly {done} is done",
                                    f"{span}：{why.zh}\n仅 {done} 已执行")) from None


def _channels(spans: Sequence[str], chosen: list[int]) -> str:
    return ", ".join(spans) + (f":{in_words(chosen)}" if chosen else "")


async def return_span(asked: Asked) -> Did:
    return await _return(asked, [await the_span(asked, asked.values["span"])], asked.get("timeslots", []))


async def return_trunk(asked: Asked) -> Did:
    return await _return(asked, await spans_of(asked, asked.values["trunk"]), [])


async def _return(asked: Asked, spans: list[str], chosen: list[int]) -> Did:
    await _of_each(asked, spans, lambda span: BringBack(span=span, timeslots=chosen))
    return Did(said=asked.say(both("{what} takes calls again", "{what} 已解除闭塞",
                                   what=_channels(spans, chosen))))


_SPAN = Argument("span", SpanName(), Text("which line", "哪条线路"))
_TRUNK = Argument("trunk", TrunkName(), Text("which trunk", "哪个中继"))
_TIMESLOTS = Argument("timeslots", Timeslots(), Text("only these channels", "只对这些时隙"),
                      keyword="timeslots", optional=True)
_NOW = Argument("now", None, Text("end the calls on it", "立即结束其上的通话"), keyword="now", optional=True)

COMMANDS: list[Command] = [
    Command("busy-out span", Role.OPERATE, Text("a line takes no new calls", "闭塞线路，不接新呼叫"),
            busy_out_span, Did, (_SPAN, _TIMESLOTS, _NOW)),
    Command("busy-out trunk", Role.OPERATE, Text("a trunk takes no new calls", "闭塞中继，不接新呼叫"),
            busy_out_trunk, Did, (_TRUNK, _NOW)),
    Command("return span", Role.OPERATE, Text("a line takes calls again", "解除线路闭塞"), return_span, Did,
            (_SPAN, _TIMESLOTS)),
    Command("return trunk", Role.OPERATE, Text("a trunk takes calls again", "解除中继闭塞"), return_trunk,
            Did, (_TRUNK,)),
]
