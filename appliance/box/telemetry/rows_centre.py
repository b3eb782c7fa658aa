"""Measures of the call centre: contacts, queues, agents, recording."""

from collections import Counter
from collections.abc import Callable

from appliance.box.telemetry.measure import Kind, Measure, Readings, Unit
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import QueueInfo

_QUEUE = ("queue",)
# States of appliance.centre.state.Agent.
AGENT_STATES = ("logged-out", "not-ready", "ready", "reserved", "ringing", "talking", "held", "consulting",
                "wrap-up", "unreachable")
COUNTED = ("offered", "answered", "abandoned")
TODAY = (*COUNTED, "service_level")               # of docs/metrics.md


def _contacts(seen: Seen) -> Readings:
    if seen.floor is not None and seen.lives("acdd"):
        found = Counter(contact.direction for contact in seen.floor.contacts if not contact.ended_at)
        for direction in ("in", "out"):
            yield (direction,), found[direction]


def _queues(figure: Callable[[QueueInfo, float], float]) -> Callable[[Seen], Readings]:
    def read(seen: Seen) -> Readings:
        for queue in seen.floor.queues if seen.floor is not None and seen.lives("acdd") else ():
            yield (queue.name,), figure(queue, seen.at)
    return read


def _wait_s(queue: QueueInfo, at: float) -> float:
    return max(0.0, at - queue.oldest_since) if queue.oldest_since else 0.0


def _today(name: str) -> Callable[[Seen], Readings]:
    def read(seen: Seen) -> Readings:
        for queue, figures in seen.queues.items() if seen.lives("acdd") else ():
            if name in figures:
                yield (queue,), figures[name]
    return read


def _agents(seen: Seen) -> Readings:
    if seen.floor is not None and seen.lives("acdd"):
        found = Counter(agent.state for agent in seen.floor.agents)
        for state in AGENT_STATES:
            yield (state,), found[state]


def _acdd(field: str, fact: str, kind: Kind, unit: Unit, en: str, zh: str, scale: float = 1.0) -> Measure:
    return Measure("centre", field, kind, unit, (), en, zh, fact_of("acdd", fact, scale))


def fact_of(daemon: str, fact: str, scale: float = 1.0) -> Callable[[Seen], Readings]:
    """A figure of a daemon's heartbeat."""
    def read(seen: Seen) -> Readings:
        if (value := seen.facts(daemon).get(fact)) is not None:
            yield (), value * scale
    return read


def _recordd(field: str, fact: str, kind: Kind, unit: Unit, en: str, zh: str, scale: float = 1.0) -> Measure:
    return Measure("recorder", field, kind, unit, (), en, zh, fact_of("recordd", fact, scale))


def _warnings(seen: Seen) -> Readings:
    if seen.recorder is not None and seen.lives("recordd"):
        for kind, count in Counter(one.kind for one in seen.recorder.warnings).items():
            yield (kind,), count


def _warned(seen: Seen) -> Readings:
    if seen.recorder is not None and seen.lives("recordd"):
        yield (), len(seen.recorder.warnings)


def _recordings(seen: Seen) -> Readings:
    yield (), seen.recordings


ROWS = (
    Measure("contact", "active", "gauge", "", ("direction",), "Contacts that go on", "进行中的联络",
            _contacts),
    _acdd("log_events_total", "log_seq", "counter", "", "Events in the log of contacts", "联络事件日志条数"),
    _acdd("faults_total", "faults", "counter", "", "Errors of acdd's own that it went on after",
          "acdd 自身出现并已跳过的错误"),
    Measure("queue", "waiting", "gauge", "", _QUEUE, "Callers in line", "排队人数",
            _queues(lambda queue, at: len(queue.waiting))),
    Measure("queue", "oldest_wait_seconds", "gauge", "seconds", _QUEUE,
            "How long the first in line has waited",
            "最长等待时间", _queues(_wait_s)),
    Measure("queue", "callbacks", "gauge", "", _QUEUE, "Callbacks that are promised", "已预约的回呼",
            _queues(lambda queue, at: queue.callbacks)),
    Measure("queue", "unreachable", "gauge", "", _QUEUE, "Callers in line whom no agent may serve",
            "没有座席可服务的排队者", _queues(lambda queue, at: len(queue.unreachable))),
    Measure("queue", "today_offered", "gauge", "", _QUEUE, "Contacts offered since midnight",
            "今日呼入排队量",
            _today("offered")),
    Measure("queue", "today_answered", "gauge", "", _QUEUE, "Contacts answered since midnight", "今日接听量",
            _today("answered")),
    Measure("queue", "today_abandoned", "gauge", "", _QUEUE, "Contacts that gave up since midnight",
            "今日放弃量", _today("abandoned")),
    Measure("queue", "today_service_level_ratio", "gauge", "ratio", _QUEUE,
            "Service level since midnight, 0 to 1", "今日服务水平,0 到 1", _today("service_level")),
    Measure("agent", "in_state", "gauge", "", ("state",), "Agents in this state", "处于该状态的座席数",
            _agents),
    _recordd("open", "open_recordings", "gauge", "", "Recordings that are being made", "正在进行的录音"),
    _recordd("unfinished", "unfinished", "gauge", "", "Ended recordings that are not files yet",
             "已结束尚未生成文件的录音"),
    _recordd("lost_seconds_total", "lost_s", "counter", "seconds", "Audio that was lost: must be 0",
             "丢失的录音时长,应为 0"),
    _recordd("gap_seconds_total", "gap_s", "counter", "seconds", "Silence that stands for missing audio",
             "以静音填补的缺失时长"),
    _recordd("failing", "failing", "gauge", "bool", "The disk does not take the journal",
             "磁盘无法写入录音日志"),
    _recordd("lag_seconds", "lag_ticks", "gauge", "seconds", "How far the journal is behind the line",
             "录音日志落后线路的时间", 0.01),
    _recordd("journal_bytes_total", "journal_octets", "counter", "bytes", "Written to the journal",
             "已写入录音日志的字节"),
    Measure("recorder", "finished_total", "counter", "", (), "Recordings that became files",
            "已生成文件的录音", _recordings),
    Measure("recorder", "warnings", "gauge", "", (), "Warnings of the recorder that stand",
            "录音系统当前告警数",
            _warned),
    Measure("recorder_warning", "active", "gauge", "", ("kind",), "Warnings of this kind that stand",
            "当前存在的该类录音告警", _warnings),
)
