"""show spans, span, channels, trunks, calls, routes: the lines and what goes over them."""

from typing import Annotated

from appliance.box.commands.kinds import Choice, Number, Word
from appliance.box.commands.names import SpanName, TrunkName, nothing, span_among, the_span
from appliance.box.commands.show_box import Row, history_of, known
from appliance.box.commands.table import Answer, Argument, Asked, Command, Role, Text, column
from appliance.bus.client import BusError
from appliance.bus.messages import (
    CallInfo,
    ChannelStates,
    GetCalls,
    GetChannels,
    GetLegContacts,
    GetSpans,
    GetTrunks,
)
from e1_driver.watch.bins import DAY_S, Bin, total

# --- spans


class SpanRow(Row, frozen=True, kw_only=True):
    span: Annotated[str, column("span", "线路")]
    trunk: Annotated[str, column("trunk", "中继")]
    line: Annotated[str, column("line", "线路状态", words="line")]
    d_channel: Annotated[str, column("D-channel", "D 信道", words="line")]
    alarms: Annotated[list[str], column("alarms", "告警", words="alarm")]
    idle: Annotated[int | None, column("idle", "空闲")]
    busy: Annotated[int | None, column("busy", "占用")]
    other: Annotated[int | None, column("not usable", "不可用")]
    es_24h: Annotated[int | None, column("ES 24 h", "ES 24 小时")]
    ses_24h: Annotated[int | None, column("SES 24 h", "SES 24 小时")]
    uas_24h: Annotated[int | None, column("UAS 24 h", "UAS 24 小时")]
    slips_24h: Annotated[int | None, column("slips 24 h", "滑码 24 小时")]


class Spans(Answer, frozen=True, kw_only=True):
    spans: list[SpanRow]


async def spans(asked: Asked) -> Spans:
    """Lines are spand's, their channels trunkd's: those are unknown while it is away."""
    channels = await _channels(asked)
    rows: list[SpanRow] = []
    for one in (await asked.ask(GetSpans())).spans:
        quarters = (await history_of(asked, one.span)).quarters
        whole = total(each for each in quarters if each.at > asked.now - DAY_S)
        there = channels.get(one.span)
        states = [channel.state for channel in there.channels] if there is not None else []
        rows.append(SpanRow(
            span=one.span, trunk=there.trunk if there is not None else "", alarms=one.alarms,
            line="lent" if one.lent else "up" if one.up else "down",
            d_channel="" if there is None else "up" if there.link_up else "down",
            idle=states.count("idle") if there is not None else None,
            busy=states.count("busy") if there is not None else None,
            other=sum(state not in ("idle", "busy") for state in states) if there is not None else None,
            es_24h=whole.near.es, ses_24h=whole.near.ses, uas_24h=whole.near.uas,
            slips_24h=sum(whole.slips.values()) if whole.slips else None))
    return Spans(spans=rows)


async def _channels(asked: Asked) -> dict[str, ChannelStates]:
    """By span; {}: nobody says."""
    try:
        return {one.span: one for one in (await asked.ask(GetChannels())).spans}
    except BusError:
        return {}


# --- one span


class CounterRow(Row, frozen=True, kw_only=True):
    counter: Annotated[str, column("counter", "计数器", words="counter")]
    value: Annotated[int | None, column("value", "值")]


class BinRow(Row, frozen=True, kw_only=True):
    at: Annotated[float, column("from", "起始", "moment")]
    measured_s: Annotated[int, column("seconds", "测量秒数")]
    es: Annotated[int | None, column("ES", "ES")]
    ses: Annotated[int | None, column("SES", "SES")]
    bbe: Annotated[int | None, column("BBE", "BBE")]
    uas: Annotated[int | None, column("UAS", "UAS")]
    far_es: Annotated[int | None, column("far ES", "远端 ES")]
    far_ses: Annotated[int | None, column("far SES", "远端 SES")]
    far_bbe: Annotated[int | None, column("far BBE", "远端 BBE")]
    far_uas: Annotated[int | None, column("far UAS", "远端 UAS")]
    alarm_s: Annotated[dict[str, int], column("seconds with alarms", "告警秒数", spare=True)]
    slips: Annotated[int | None, column("slips", "滑码")]


class SpanState(Answer, frozen=True, kw_only=True):
    span: Annotated[str, column("span", "线路")]
    trunk: Annotated[str, column("trunk", "中继")]
    up: Annotated[bool, column("up", "正常", "yes")]
    d_channel: Annotated[str, column("D-channel", "D 信道", words="line")]
    alarms: Annotated[list[str], column("alarms", "告警", words="alarm")]
    failures: Annotated[list[str], column("failures", "故障", words="alarm")]
    loop: Annotated[str, column("loop", "环回", words="loop")]
    crc4: Annotated[bool | None, column("far end sends CRC-4", "远端发送 CRC-4")]
    clock: Annotated[str, column("clock", "时钟", words="clock of a line")]
    level_db: Annotated[int | None, column("received level, dB", "接收电平，dB", spare=True)]
    liu_faults: Annotated[list[str] | None, column("faults of the pair", "线对故障", spare=True, words="liu")]
    trouble: Annotated[str, column("trouble", "故障说明", spare=True)]
    lent: Annotated[bool, column("lent for tests", "借出测试", "yes", spare=True)]
    counters: Annotated[list[CounterRow], column("counters since the span was opened", "计数器（自打开起）")]
    history: Annotated[list[BinRow], column("performance (G.826), newest first", "性能（G.826），最新在前")]


async def span(asked: Asked) -> SpanState:
    spans = (await asked.ask(GetSpans())).spans
    name = span_among([one.span for one in spans], asked.values["span"])
    one = next(one for one in spans if one.span == name)
    past = await history_of(asked, name)
    there = (await _channels(asked)).get(name)
    bins = past.days if asked.get("bins") == "days" else past.quarters
    return SpanState(
        span=name, trunk=there.trunk if there is not None else "", up=one.up, alarms=one.alarms,
        d_channel="" if there is None else "up" if there.link_up else "down", failures=past.failures,
        loop=one.loop, crc4=one.crc4, clock=one.clock, level_db=one.level_db, liu_faults=one.liu_faults,
        trouble=one.trouble, lent=one.lent,
        counters=[CounterRow(counter=counter, value=None if counter in one.untold else value)
                  for counter, value in one.counters.items()],
        history=[_bin(each) for each in reversed(bins[-asked.get("most", 8):])])


def _bin(each: Bin) -> BinRow:
    near, far = each.near, each.far
    return BinRow(
        at=each.at, measured_s=each.measured_s, es=near.es, ses=near.ses, bbe=near.bbe, uas=near.uas,
        far_es=far.es, far_ses=far.ses, far_bbe=far.bbe, far_uas=far.uas,
        alarm_s={str(alarm.value): seconds for alarm, seconds in each.alarm_s.items() if seconds},
        slips=sum(each.slips.values()) if each.slips else None)


# --- channels


class ChannelRow(Row, frozen=True, kw_only=True):
    span: Annotated[str, column("span", "线路")]
    timeslot: Annotated[int, column("timeslot", "时隙")]
    state: Annotated[str, column("state", "状态", words="channel")]
    since: Annotated[float | None, column("since", "开始于", "moment")]
    blocked: Annotated[bool, column("busied out", "已闭塞", "yes", spare=True)]
    direction: Annotated[str, column("calls", "方向", words="direction")]
    call: Annotated[str, column("call", "呼叫", spare=True)]
    calling: Annotated[str, column("from", "主叫", spare=True)]
    called: Annotated[str, column("to", "被叫", spare=True)]


class Channels(Answer, frozen=True, kw_only=True):
    channels: list[ChannelRow]


async def channels(asked: Asked) -> Channels:
    wanted = await the_span(asked, asked.values["span"]) if asked.get("span") else ""
    calls = {one.leg: one for one in (await asked.ask(GetCalls())).calls}
    rows: list[ChannelRow] = []
    for one in (await asked.ask(GetChannels())).spans:
        for each in one.channels if wanted in ("", one.span) else ():
            call = calls.get(each.leg)
            rows.append(ChannelRow(
                span=one.span, timeslot=each.timeslot, state=each.state, since=known(each.since),
                blocked=each.blocked, direction=each.direction, call=each.leg,
                calling=call.calling if call is not None else "",
                called=call.called if call is not None else ""))
    return Channels(channels=rows)


# --- calls


class CallRow(Row, frozen=True, kw_only=True):
    call: Annotated[str, column("call", "呼叫")]
    way: Annotated[str, column("way", "方向", words="way")]
    calling: Annotated[str, column("from", "主叫")]
    called: Annotated[str, column("to", "被叫")]
    state: Annotated[str, column("state", "状态", words="call")]
    for_s: Annotated[float, column("for", "持续", "duration")]
    trunk: Annotated[str, column("trunk", "中继")]
    span: Annotated[str, column("span", "线路")]
    timeslot: Annotated[int | None, column("slot", "时隙")]
    contact: Annotated[str, column("contact", "联络", "json")]
    cause: Annotated[int | None, column("cause", "原因值", spare=True)]
    by: Annotated[str, column("ended by", "挂断方", spare=True)]
    emergency: Annotated[bool, column("emergency", "紧急", "yes", spare=True)]
    began_at: Annotated[float | None, column("began", "开始于", "clock", spare=True)]


class Calls(Answer, frozen=True, kw_only=True):
    calls: list[CallRow]


async def calls(asked: Asked) -> Calls:
    said = await asked.ask(GetCalls())
    chosen = list(said.calls)
    if asked.get("ended"):
        chosen = list(reversed(said.released))
    for name in ("trunk", "span"):
        if wanted := asked.get(name, ""):
            known = {getattr(one, name) for one in (*said.calls, *said.released)}
            if name == "span":
                wanted = await the_span(asked, wanted)
            elif wanted not in known:
                names = [one.trunk for one in (await asked.ask(GetTrunks())).trunks]
                if wanted not in names:
                    raise nothing(Text("trunk", "中继"), wanted, names)
            chosen = [one for one in chosen if getattr(one, name) == wanted]
    if number := asked.get("number", ""):
        chosen = [one for one in chosen if number in one.calling or number in one.called]
    try:
        contacts = (await asked.ask(GetLegContacts())).contacts
    except BusError:
        contacts = {}                             # calls are trunkd's: they are shown without acdd, too
    return Calls(calls=[_call(one, contacts.get(one.leg, ""), asked.now) for one in chosen])


def _call(one: CallInfo, contact: str, now: float) -> CallRow:
    return CallRow(
        call=one.leg, way="in" if one.inbound else "out", calling=one.calling, called=one.called,
        state=one.state, for_s=max(0.0, now - one.since), trunk=one.trunk, span=one.span,
        timeslot=one.timeslot or None, contact=contact, cause=one.cause or None, by=one.by,
        emergency=one.emergency, began_at=known(one.began_at))


# --- trunks


class TrunkRow(Row, frozen=True, kw_only=True):
    trunk: Annotated[str, column("trunk", "中继")]
    spans: Annotated[list[str], column("spans", "线路")]
    hunting: Annotated[str, column("hunting", "选线", words="hunting")]
    calls_in: Annotated[int, column("calls in", "呼入")]
    calls_out: Annotated[int, column("calls out", "呼出")]
    idle: Annotated[int, column("idle", "空闲")]
    overflow: Annotated[list[str], column("overflows to", "溢出到", spare=True)]
    emergency: Annotated[list[str], column("emergency numbers", "紧急号码", spare=True)]
    reserved: Annotated[list[str], column("reserved", "保留", spare=True)]


class Trunks(Answer, frozen=True, kw_only=True):
    trunks: list[TrunkRow]


async def trunks(asked: Asked) -> Trunks:
    idle: dict[str, int] = {}
    for one in (await asked.ask(GetChannels())).spans:
        idle[one.trunk] = idle.get(one.trunk, 0) + sum(each.state == "idle" for each in one.channels)
    return Trunks(trunks=[
        TrunkRow(trunk=one.trunk, spans=one.spans, hunting=one.hunting, calls_in=one.calls_in,
                 calls_out=one.calls_out, idle=idle.get(one.trunk, 0), overflow=one.overflow,
                 emergency=one.emergency,
                 reserved=[f"{each.name} {each.used}/{each.channels}" for each in one.reserved])
        for one in (await asked.ask(GetTrunks())).trunks])


_SPAN = Argument("span", SpanName(), Text("its name, or its number", "线路名或序号"))
_ONE_SPAN = Argument("span", SpanName(), Text("only of this one", "只看该线路"), keyword="span",
                     optional=True)

COMMANDS = (
    Command("show spans", Role.WATCH, Text("all lines: state, alarms, channels, errors of a day",
                                           "全部线路：状态、告警、信道、一天误码"), spans, Spans),
    Command("show span", Role.WATCH, Text("one line: alarms, counters, performance (G.826)",
                                          "一条线路：告警、计数器、性能（G.826）"), span, SpanState,
            (_SPAN,
             Argument("bins", Choice({"quarters": Text("of 15 minutes", "15 分钟"), "days": Text("of days",
                                                                                                 "按天")}),
                      Text("how long each measurement is", "统计粒度"), keyword="by", optional=True),
             Argument("most", Number(1, 97, "N"), Text("so many of them; 8 otherwise", "行数，默认 8"),
                      keyword="most", optional=True))),
    Command("show channels", Role.WATCH, Text("each B-channel", "每个 B 信道"), channels, Channels,
            (_ONE_SPAN,)),
    Command("show calls", Role.WATCH, Text("calls on the lines", "线路上的呼叫"), calls, Calls,
            (_ONE_SPAN,
             Argument("trunk", TrunkName(), Text("only of this one", "只看该中继"), keyword="trunk",
                      optional=True),
             Argument("number", Word("DIGITS", 40), Text("only to or from numbers with these digits",
                                                         "只看含这些数字的号码"),
                      keyword="number", optional=True),
             Argument("ended", None, Text("those that ended last instead", "改为显示最近结束的呼叫"),
                      keyword="ended",
                      optional=True))),
    Command("show trunks", Role.WATCH, Text("groups of channels", "中继"), trunks, Trunks),
)
