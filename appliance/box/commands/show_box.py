"""show version, box, daemons, storage, clock, update, alarms: how the box itself is."""

from typing import Annotated

import msgspec

from appliance.box.commands.box import release
from appliance.box.commands.chinese import unanswered
from appliance.box.commands.table import Answer, Asked, Command, Lines, Role, Text, column, same
from appliance.box.provision.kept import since_boot_s
from appliance.box.update.words import lines
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    GetCards,
    GetFitness,
    GetHardware,
    GetHealth,
    GetLineHistory,
    GetRecorder,
    GetSpans,
    GetStorage,
    GetUpdate,
    GetWallClock,
    LineHistory,
    UpdatePast,
    UpdateState,
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a table."""


def known(at: float) -> float | None:
    """Unix seconds; daemons say 0 for never, and for what nobody knows."""
    return at or None


# --- version


class Version(Answer, frozen=True, kw_only=True):
    name: Annotated[str, column("box", "设备")]
    version: Annotated[str, column("version", "版本")]
    board: Annotated[str, column("board", "主板", spare=True)]
    serial: Annotated[str, column("serial number", "序列号", spare=True)]
    slot: Annotated[str, column("slot", "分区", spare=True)]
    confirmed: Annotated[str, column("confirmed slot", "已确认分区", spare=True)]
    started_at: Annotated[float, column("box started at", "设备启动于", "moment")]
    up_s: Annotated[float, column("up for", "已运行", "duration")]


async def version(asked: Asked) -> Version:
    update = (await asked.ask(GetUpdate())).state
    board = (await asked.ask(GetHardware())).hardware
    up_s = since_boot_s()                         # the machine: boxd alone may be younger
    return Version(
        name=asked.box.name(), version=update.version or release(), board=board.name or board.board,
        serial=board.serial, slot=update.slot, confirmed=update.confirmed, started_at=asked.now - up_s,
        up_s=up_s)


# --- box


class ReasonRow(Row, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态", words="fitness")]
    since: Annotated[float | None, column("since", "开始于", "moment")]
    about: Annotated[str, column("about", "对象", spare=True)]
    code: Annotated[str, column("code", "代码")]
    text: Annotated[str, column("what", "说明")]
    detail: Annotated[str, column("detail", "详情", spare=True)]
    action: Annotated[str, column("do", "处理")]


class ReadingRow(Row, frozen=True, kw_only=True):
    name: Annotated[str, column("sensor", "传感器", words="sensor")]
    value: Annotated[float, column("value", "数值")]
    unit: Annotated[str, column("unit", "单位", words="unit")]
    low: Annotated[float | None, column("low", "下限")]
    high: Annotated[float | None, column("high", "上限")]


class BoxState(Answer, frozen=True, kw_only=True):
    state: Annotated[str, column("state", "状态", words="fitness")]
    since: Annotated[float | None, column("since", "开始于", "moment")]
    fit: Annotated[bool, column("the line is the box's", "线路由本机接管", "yes")]
    powering_off: Annotated[bool, column("it stops by itself", "即将自行关机", spare=True)]
    inputs: Annotated[dict[str, bool], column("inputs", "输入", spare=True, words="input")]
    watchdog_s: Annotated[int, column("watchdog", "看门狗", "duration", spare=True)]
    trouble: Annotated[dict[str, str], column("trouble", "故障", spare=True)]
    reasons: Annotated[list[ReasonRow], column("reasons", "原因")]
    readings: Annotated[list[ReadingRow], column("readings", "测量值")]


async def box(asked: Asked) -> BoxState:
    fitness = (await asked.ask(GetFitness())).fitness
    board = (await asked.ask(GetHardware())).hardware
    readings = [_reading(one.name, round(one.value, 1), one.unit, one.low, one.high)
                for one in board.readings]
    for card in (await asked.ask(GetCards())).cards:
        if card.temperature_celsius is not None:
            readings.append(_reading(f"card {card.card}", card.temperature_celsius, "celsius"))
        readings += [_reading(f"card {card.card} {name}", one / 1000, "volt")
                     for name, one in card.supplies_mv.items()]
    return BoxState(
        state=fitness.state, since=known(fitness.since), fit=fitness.fit, powering_off=fitness.powering_off,
        inputs=board.inputs, watchdog_s=board.watchdog_s, trouble=board.trouble, readings=readings,
        reasons=[ReasonRow(state=one.state, since=known(one.since), about=one.about, code=one.code,
                           detail=one.detail, text=one.text.get(asked.language, ""),
                           action=one.action.get(asked.language, "")) for one in fitness.reasons])


def _reading(name: str, value: float, unit: str, low: float | None = None, high: float | None = None
             ) -> ReadingRow:
    return ReadingRow(name=name, value=value, unit=unit, low=low, high=high)


# --- daemons


class DaemonRow(Row, frozen=True, kw_only=True):
    daemon: Annotated[str, column("daemon", "进程")]
    state: Annotated[str, column("state", "状态", words="daemon")]
    pid: Annotated[int, column("pid", "进程号")]
    starts: Annotated[int, column("starts", "启动次数")]
    up_s: Annotated[float | None, column("up for", "已运行", "duration")]
    rss_octets: Annotated[int, column("memory", "内存", "octets")]
    cpu_s: Annotated[float, column("CPU", "CPU", "duration")]
    facts: Annotated[dict[str, float], column("figures", "指标", spare=True)]


class Daemons(Answer, frozen=True, kw_only=True):
    daemons: list[DaemonRow]


async def daemons(asked: Asked) -> Daemons:
    health = (await asked.ask(GetHealth())).health
    return Daemons(daemons=[
        DaemonRow(daemon=one.daemon, state=one.state, pid=one.pid, starts=one.starts,
                  up_s=max(0.0, asked.now - one.started_at) if one.started_at else None,
                  rss_octets=one.rss_octets, cpu_s=one.cpu_s, facts=one.facts) for one in health.daemons])


# --- storage


class UseRow(Row, frozen=True, kw_only=True):
    use: Annotated[str, column("use", "用途", words="disk use")]
    octets: Annotated[int, column("size", "大小", "octets")]


class DeviceRow(Row, frozen=True, kw_only=True):
    name: Annotated[str, column("device", "设备")]
    kind: Annotated[str, column("kind", "类型", words="disk")]
    model: Annotated[str, column("model", "型号", spare=True)]
    octets: Annotated[int, column("size", "容量", "octets")]
    wear: Annotated[str, column("wear", "磨损", words="wear")]
    used_share: Annotated[float | None, column("life used", "已用寿命", "percent")]
    trouble: Annotated[str, column("trouble", "故障", spare=True)]


class Storage(Answer, frozen=True, kw_only=True):
    total: Annotated[int, column("size", "容量", "octets")]
    free: Annotated[int, column("free", "可用", "octets")]
    free_share: Annotated[float, column("free share", "可用比例", "percent")]
    read_only: Annotated[bool, column("read only", "只读", "yes")]
    errors: Annotated[int, column("errors", "错误数")]
    trouble: Annotated[str, column("trouble", "故障", spare=True)]
    growth_octets_day: Annotated[float | None, column("growth a day", "每日增长", "octets")]
    full_at: Annotated[float | None, column("full at", "预计写满", "moment", spare=True)]
    uses: Annotated[list[UseRow], column("uses", "用途")]
    devices: Annotated[list[DeviceRow], column("devices", "存储设备")]


async def storage(asked: Asked) -> Storage:
    said = await asked.ask(GetStorage(), 10.0)
    return Storage(
        total=said.total, free=said.free, free_share=said.free / said.total if said.total else 0.0,
        read_only=said.read_only, errors=said.errors, trouble=said.trouble,
        growth_octets_day=said.growth_octets_day, full_at=known(said.full_at),
        uses=[UseRow(use=use, octets=octets) for use, octets in said.uses.items()],
        devices=[DeviceRow(name=one.name, kind=one.kind, model=one.model, octets=one.octets, wear=one.wear,
                           used_share=one.used_share, trouble=one.trouble) for one in said.devices])


# --- clock


class Clock(Answer, frozen=True, kw_only=True):
    at: Annotated[float, column("time", "时间", "moment")]
    source: Annotated[str, column("source", "来源", words="clock")]
    since: Annotated[float | None, column("since", "开始于", "moment")]
    error_s: Annotated[float | None, column("off by at most", "最大误差", "duration")]
    offset_s: Annotated[float, column("being slewed away, s", "正在校正，秒")]
    rtc_offset_s: Annotated[float | None, column("battery clock ahead, s", "电池时钟超前，秒")]
    line_offset_s: Annotated[float | None, column("exchange ahead, s", "交换机时钟超前，秒")]
    steps: Annotated[int, column("jumps", "跳变次数")]
    sentence: Annotated[str, column("wrong", "问题", spare=True)]
    line_source: Annotated[str, column("line clock from", "线路时钟来源", words="clock of lines")]
    line_why: Annotated[str, column("why", "原因", spare=True, words="clock why")]


async def clock(asked: Asked) -> Clock:
    said = (await asked.ask(GetWallClock())).clock
    try:
        line = (await asked.ask(GetSpans())).clock
    except BusError:
        line = None
    return Clock(
        at=asked.now, source=said.source, since=known(said.since), error_s=said.error_s,
        offset_s=said.offset_s, rtc_offset_s=said.rtc_offset_s, line_offset_s=said.line_offset_s,
        steps=said.steps,
        sentence=asked.say(Text(said.sentence, said.sentence and UNSET.get(said.source, said.sentence))),
        line_why=line.why if line is not None else "",
        line_source="unknown" if line is None else line.source or "hold-over")


UNSET = {                                         # in Chinese, by the source; as on the pages
    "rtc": "未收到 NTP 或 PTP：时钟依靠电池时钟走时",
    "unknown": "没有已知的时间来源：请设置时间或指定 NTP 服务器",
}


# --- update


class Updating(Lines, frozen=True, kw_only=True):
    """Programs have all of it: the fleet tool decides by it."""

    state: Annotated[UpdateState, column("state", "状态", "json")]
    history: Annotated[list[UpdatePast], column("history", "历史", "json")]


async def update(asked: Asked) -> Updating:
    """What is known: nothing is fetched, as a box knows of no place with newer versions."""
    reply = await asked.ask(GetUpdate())
    return Updating(lines=[*lines(reply, asked.language), *_next(asked, reply.state)], state=reply.state,
                    history=reply.history)


def _next(asked: Asked, state: UpdateState) -> list[str]:
    if state.slot and state.slot == state.trial:
        return [asked.say(Text("next: update confirm keeps it, update back goes back now",
                               "下一步：update confirm 保留，update back 立即回退"))]
    if state.phase != "idle":
        return [asked.say(Text("next: update cancel, or update hurry",
                               "下一步：update cancel 或 update hurry"))]
    return [asked.say(Text("next: update install SOURCE",
                           "下一步：update install 来源"))] if state.slot else []


# --- alarms


class AlarmRow(Row, frozen=True, kw_only=True):
    severity: Annotated[str, column("severity", "级别", words="severity")]
    since: Annotated[float | None, column("since", "开始于", "moment")]
    about: Annotated[str, column("about", "对象", words="about")]
    alarm: Annotated[str, column("alarm", "告警")]
    text: Annotated[str, column("what", "说明")]
    action: Annotated[str, column("do", "处理", spare=True)]


class Alarms(Answer, frozen=True, kw_only=True):
    alarms: list[AlarmRow]
    unknown: Annotated[list[str], column("not known", "未知", spare=True)]


async def alarms(asked: Asked) -> Alarms:
    """What is wrong now: the box's own reasons, failures of lines, the recorder's warnings; worst first."""
    found = [AlarmRow(severity="critical" if one.state == "unfit" else "major", since=known(one.since),
                      about=one.about or "box", alarm=one.code, action=one.action.get(asked.language, ""),
                      text=" ".join(filter(None, (one.text.get(asked.language, ""), one.detail))))
             for one in (await asked.ask(GetFitness())).fitness.reasons]
    unknown: list[str] = []
    for more in (_of_lines, _of_recorder):
        try:
            found += await more(asked)
        except BusError as error:
            unknown.append(unanswered(str(error), asked.language))
    return Alarms(alarms=sorted(found, key=lambda one: SEVERITIES.index(one.severity)), unknown=unknown)


async def _of_lines(asked: Asked) -> list[AlarmRow]:
    found: list[AlarmRow] = []
    for span in (await asked.ask(GetSpans())).spans:
        about = f"span {span.span}"
        failures = (await history_of(asked, span.span)).failures
        for name in dict.fromkeys([*span.alarms, *failures]):
            lasts = FAILURE if name in failures else DEFECT
            means = MEANS.get(name, same(name))
            text = Text(f"{means.en}; {lasts.en}", f"{means.zh}；{lasts.zh}")
            found.append(AlarmRow(severity="major", since=None, about=about, alarm=name,
                                  text=asked.say(text), action=""))
        if span.trouble:
            found.append(AlarmRow(severity="critical", since=None, about=about, alarm="device",
                                  text=span.trouble, action=""))
    return found


async def history_of(asked: Asked, span: str) -> LineHistory:
    """Empty of a line that boxd does not keep: one that has just been added."""
    try:
        return await asked.ask(GetLineHistory(span=span))
    except Refused:
        return LineHistory(quarters=[], days=[], failures=[])


async def _of_recorder(asked: Asked) -> list[AlarmRow]:
    return [AlarmRow(severity="minor", since=known(one.since), about="recordings", alarm=one.kind,
                     text=one.text, action="") for one in (await asked.ask(GetRecorder())).warnings]


SEVERITIES = ("critical", "major", "minor")
FAILURE = Text("a failure, it lasts (G.7710)", "故障，持续存在（G.7710）")
DEFECT = Text("a defect, for now", "缺陷，刚出现")
MEANS = {                                         # e1_driver.Alarm
    "los": Text("no signal comes in", "无信号"),
    "lof": Text("no frame alignment", "帧失步"),
    "ais": Text("the far side's equipment lost its own input", "上游设备失去输入"),
    "rai": Text("the far end does not hear us", "对端收不到本端信号"),
    "lomf": Text("no CRC-4 multiframe", "找不到 CRC-4 复帧"),
}


COMMANDS = (
    Command("show version", Role.WATCH, Text("software, board, slot, since when",
                                             "软件版本、主板、分区、启动时间"),
            version, Version),
    Command("show box", Role.WATCH, Text("whether it is well, why not, temperatures and supplies",
                                         "整机状况、原因、温度和电源"), box, BoxState),
    Command("show daemons", Role.WATCH, Text("the box's programs", "各进程状态"), daemons, Daemons),
    Command("show storage", Role.WATCH, Text("what takes the disk, and its wear", "磁盘用途与磨损"), storage,
            Storage),
    Command("show clock", Role.WATCH, Text("time of day, and whose clock the lines follow",
                                           "时间与线路时钟来源"),
            clock, Clock),
    Command("show update", Role.WATCH, Text("what runs, how an update stands, and those before",
                                            "当前版本、升级状态与历史"), update, Updating),
    Command("show alarms", Role.WATCH, Text("all that is wrong now, and what to do", "当前告警与处理建议"),
            alarms, Alarms),
)
