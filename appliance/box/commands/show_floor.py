"""show queues, agents, flows, recordings: the call centre as the NOC sees it."""

from typing import Annotated

from appliance.box.commands.kinds import Choice, Number
from appliance.box.commands.names import AgentName, QueueName, nothing
from appliance.box.commands.show_box import Row, known
from appliance.box.commands.table import Answer, Argument, Asked, Command, Role, Text, column
from appliance.bus.messages import (
    GetBoard,
    GetFlows,
    GetRecorder,
    GetRetention,
    GetSpace,
    SearchRecordings,
)

# --- queues


class QueueRow(Row, frozen=True, kw_only=True):
    queue: Annotated[str, column("queue", "队列")]
    waiting: Annotated[int, column("waiting", "等待")]
    longest_s: Annotated[float | None, column("longest", "最长等待", "duration")]
    callbacks: Annotated[int, column("callbacks", "回呼")]
    unreachable: Annotated[int, column("nobody may serve", "无人可接")]
    talking: Annotated[int, column("talking", "通话中")]


class Queues(Answer, frozen=True, kw_only=True):
    queues: list[QueueRow]


async def queues(asked: Asked) -> Queues:
    board = (await asked.ask(GetBoard())).board
    wanted = asked.get("queue", "")
    if wanted and wanted not in (names := [one.name for one in board.queues]):
        raise nothing(Text("queue", "队列"), wanted, names)
    return Queues(queues=[
        QueueRow(queue=one.name, waiting=len(one.waiting), callbacks=one.callbacks,
                 longest_s=max(0.0, asked.now - one.oldest_since) if one.oldest_since else None,
                 unreachable=len(one.unreachable),
                 talking=sum(each.queue == one.name and each.state == "talking" for each in board.contacts))
        for one in board.queues if wanted in ("", one.name)])


# --- agents


class AgentRow(Row, frozen=True, kw_only=True):
    agent: Annotated[str, column("agent", "座席")]
    extension: Annotated[str, column("extension", "分机")]
    state: Annotated[str, column("state", "状态", words="agent")]
    for_s: Annotated[float | None, column("for", "持续", "duration")]
    reason: Annotated[str, column("reason", "原因", spare=True, words="agent reason")]
    calls: Annotated[int, column("calls", "通话数")]
    logged_in_at: Annotated[float | None, column("logged in", "签入于", "moment")]
    contact: Annotated[str, column("contact", "联络", spare=True)]


class Agents(Answer, frozen=True, kw_only=True):
    agents: list[AgentRow]


async def agents(asked: Asked) -> Agents:
    board = (await asked.ask(GetBoard())).board
    wanted, state = asked.get("agent", ""), asked.get("state", "")
    if wanted and wanted not in (names := [one.name for one in board.agents]):
        raise nothing(Text("agent", "座席"), wanted, names)
    return Agents(agents=[
        AgentRow(agent=one.name, extension=one.extension, state=one.state, reason=one.reason, calls=one.calls,
                 for_s=max(0.0, asked.now - one.since) if one.since else None,
                 logged_in_at=known(one.logged_in_at), contact=one.contact)
        for one in board.agents if wanted in ("", one.name) and state in ("", one.state)])


# --- flows


class FlowRow(Row, frozen=True, kw_only=True):
    file: Annotated[str, column("file", "文件")]
    version: Annotated[int | None, column("version", "版本")]
    at: Annotated[float | None, column("since", "发布于", "moment")]
    by: Annotated[str, column("by", "操作人", spare=True)]
    nodes: Annotated[int, column("nodes", "节点数")]
    draft: Annotated[str, column("draft of", "草稿", spare=True)]
    used_by: Annotated[list[str], column("used by", "被引用")]
    wrong: Annotated[str, column("wrong", "错误", spare=True)]


class Flows(Answer, frozen=True, kw_only=True):
    flows: list[FlowRow]


async def flows(asked: Asked) -> Flows:
    return Flows(flows=[
        FlowRow(file=one.file, version=one.head.number if one.head else None,
                at=one.head.at if one.head else None,
                by=one.head.by if one.head else "", nodes=one.nodes, used_by=one.used_by, wrong=one.wrong,
                draft=one.draft.by if one.draft else "")
        for one in (await asked.ask(GetFlows(), 10.0)).flows])


# --- recordings


class RecordingRow(Row, frozen=True, kw_only=True):
    recording: Annotated[str, column("recording", "录音")]
    began_at: Annotated[float, column("began", "开始于", "moment")]
    duration_s: Annotated[float, column("length", "时长", "duration")]
    gap_s: Annotated[float, column("missing", "缺失", "duration")]
    state: Annotated[str, column("state", "状态", words="recording")]
    held: Annotated[bool, column("held", "已保全", "yes")]
    queue: Annotated[str, column("queue", "队列", spare=True)]
    agent: Annotated[str, column("agent", "座席", spare=True)]
    contact: Annotated[str, column("contact", "联络", spare=True)]


class WarningRow(Row, frozen=True, kw_only=True):
    since: Annotated[float | None, column("since", "开始于", "moment")]
    kind: Annotated[str, column("kind", "类别", words="recorder")]
    text: Annotated[str, column("what", "说明")]


class Recordings(Answer, frozen=True, kw_only=True):
    recordings: Annotated[int, column("recordings on the box", "本机录音数", "number")]
    more: Annotated[bool, column("and more than counted", "且更多", "yes", spare=True)]
    archived: Annotated[int, column("only in the archive", "仅在归档", "number")]
    unarchived: Annotated[int, column("not archived yet", "尚未归档", "number")]
    archive_error: Annotated[str, column("archive", "归档错误", spare=True)]
    level: Annotated[str, column("room", "空间状况", words="room")]
    octets: Annotated[int, column("recordings take", "录音占用", "octets")]
    journal_octets: Annotated[int, column("journal takes", "日志占用", "octets")]
    free: Annotated[int, column("free", "可用", "octets")]
    quota: Annotated[int | None, column("quota", "配额", "octets", spare=True)]
    least_days: Annotated[float, column("kept at least, days", "最短保存天数")]
    next_purge_at: Annotated[float | None, column("next purge", "下次清理", "moment")]
    warnings: Annotated[list[WarningRow], column("warnings", "警告")]
    newest: Annotated[list[RecordingRow], column("newest", "最新录音")]


async def recordings(asked: Asked) -> Recordings:
    space = await asked.ask(GetSpace(), 10.0)
    retention = await asked.ask(GetRetention(), 10.0)
    found = await asked.ask(SearchRecordings(limit=asked.get("most", 5)), 10.0)
    warnings = (await asked.ask(GetRecorder())).warnings
    return Recordings(
        recordings=min(found.total, MOST_COUNTED), more=found.total > MOST_COUNTED,
        archived=space.archived_recordings, unarchived=space.unarchived_recordings,
        archive_error=space.archive_error, level=space.level, octets=space.recordings,
        journal_octets=space.journal, free=space.free, quota=space.quota or None,
        least_days=retention.least_days, next_purge_at=known(retention.next_run_at),
        warnings=[WarningRow(since=known(one.since), kind=one.kind, text=one.text) for one in warnings],
        newest=[RecordingRow(recording=one.recording, began_at=one.began_at, duration_s=one.duration_s,
                             gap_s=one.gap_s, state=one.state, held=one.held, queue=one.queue,
                             agent=one.agent, contact=one.contact) for one in found.rows])


MOST_COUNTED = 10_000                             # recordd counts no further

_STATES = {                                       # of appliance.centre.state.Agent
    "ready": Text("may be given a call", "空闲，可接听"), "not-ready": Text("on a break", "示忙"),
    "logged-out": Text("not there", "未签入"), "reserved": Text("a call is on its way", "已预占"),
    "ringing": Text("rung", "振铃中"), "talking": Text("in a call", "通话中"),
    "held": Text("has the caller on hold", "保持中"), "consulting": Text("asks somebody", "咨询中"),
    "wrap-up": Text("at work after a call", "话后处理"),
    "unreachable": Text("the telephone does not answer", "话机不可达")}

COMMANDS = (
    Command("show queues", Role.WATCH, Text("who waits, and how long", "排队情况"), queues, Queues,
            (Argument("queue", QueueName(), Text("only this one", "只看该队列"), optional=True),)),
    Command("show agents", Role.WATCH, Text("what agents do", "座席状态"), agents, Agents,
            (Argument("agent", AgentName(), Text("only this one", "只看该座席"), optional=True),
             Argument("state", Choice(_STATES), Text("only those in this state", "只看该状态"),
                      keyword="state",
                      optional=True))),
    Command("show flows", Role.WATCH, Text("IVR programs and their versions", "语音流程及版本"), flows,
            Flows),
    Command("show recordings", Role.WATCH, Text("how many there are, their room, what is wrong, the newest",
                                                "录音数量、空间、问题、最新录音"), recordings, Recordings,
            (Argument("most", Number(1, 100, "N"), Text("so many of the newest; 5 otherwise",
                                                        "最新条数，默认 5"),
                      keyword="most", optional=True),)),
)
