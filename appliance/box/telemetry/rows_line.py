"""Measures of the lines: spans, D-channels, channels, trunk calls."""

from collections import Counter
from collections.abc import Callable

from appliance.box.telemetry.measure import Measure, Readings, Unit
from appliance.box.telemetry.seen import Performance, Seen
from appliance.bus.messages import SpanState
from e1_driver import Alarm
from e1_driver.watch.bins import Bin, End

_SPAN = ("span",)
_CHANNEL_STATES = ("idle", "busy", "restarting", "out-of-service", "blocked")


def _spans(figure: Callable[[SpanState], float | None]) -> Callable[[Seen], Readings]:
    """Of each span; nothing is known of one that is lent, or when spand is away."""
    def read(seen: Seen) -> Readings:
        for name, state in seen.lines():
            if not state.lent and (value := figure(state)) is not None:
                yield (name,), value
    return read


def _counter(field: str, counter: str, en: str, zh: str) -> Measure:
    def figure(state: SpanState) -> float | None:
        return None if counter in state.untold else state.counters.get(counter)
    return Measure("span", f"{field}_total", "counter", "", _SPAN, en, zh, _spans(figure))


def _alarms(seen: Seen) -> Readings:
    for name, state in seen.lines():
        if not state.lent:
            for alarm in Alarm:
                if alarm not in state.untold:
                    yield (name, str(alarm)), float(alarm in state.alarms)


def _failures(seen: Seen) -> Readings:
    for name, state in seen.lines():
        if not state.lent:
            for alarm in Alarm:
                if alarm not in state.untold:
                    yield (name, str(alarm)), float((name, str(alarm)) in seen.failures)


def _lent(seen: Seen) -> Readings:
    for name, state in seen.lines():
        yield (name,), float(state.lent)


def _performed(of: Callable[[Performance], Bin | None], figure: str) -> Callable[[Seen], Readings]:
    def read(seen: Seen) -> Readings:
        for name, performance in seen.performance.items():
            if (found := of(performance)) is not None:
                ends: tuple[tuple[str, End], ...] = (("near", found.near), ("far", found.far))
                for end, figures in ends:
                    if (value := getattr(figures, figure)) is not None:
                        yield (name, end), float(value)
    return read


def _g826(field: str, figure: str, unit: Unit, en: str, zh: str) -> list[Measure]:
    return [
        Measure("span_performance", f"quarter_{field}", "gauge", unit, ("span", "end"),
                f"{en} of the last 15 minutes that ended (G.826)", f"上一个 15 分钟的{zh}(G.826)",
                _performed(lambda performance: performance.quarter, figure)),
        Measure("span_performance", f"day_{field}", "gauge", unit, ("span", "end"),
                f"{en} of the running day of UTC (G.826)", f"当日(UTC)的{zh}(G.826)",
                _performed(lambda performance: performance.day, figure))]


def _links(seen: Seen) -> Readings:
    for name, states in seen.channels.items() if seen.lives("trunkd") else ():
        if name not in seen.spans or not seen.spans[name].lent:      # else it is down because of a test
            yield (name,), float(states.link_up)


def _channels(seen: Seen) -> Readings:
    for name, states in seen.channels.items() if seen.lives("trunkd") else ():
        found = Counter(channel.state for channel in states.channels)
        for state in _CHANNEL_STATES:
            yield (name, state), found[state]


def _clock(seen: Seen) -> Readings:
    if seen.clock is not None:
        for name, _ in seen.lines():
            yield (name,), float(name == seen.clock.source)


def _offered(seen: Seen) -> Readings:
    for trunk, count in seen.calls_offered.items():
        yield (trunk,), count


def _answered(seen: Seen) -> Readings:
    yield (), seen.calls_answered


def _released(seen: Seen) -> Readings:
    for (cause, by), count in seen.calls_released.items():
        yield (str(cause), by), count


def _calls(seen: Seen) -> Readings:
    if (calls := seen.facts("trunkd").get("calls")) is not None:
        yield (), calls


ROWS = (
    Measure("span", "up", "gauge", "bool", _SPAN, "Octets of the far end arrive", "收到对端的数据",
            _spans(lambda state: float(state.up))),
    Measure("span", "lent", "gauge", "bool", _SPAN, "The line is given away for tests", "线路已借出做测试",
            _lent),
    Measure("span", "level_decibels", "gauge", "decibels", _SPAN, "Received level, 0 as it was sent",
            "接收电平,0 为发送电平", _spans(lambda state: state.level_db)),
    Measure("span", "clock_source", "gauge", "bool", _SPAN, "The box takes its clock from this span",
            "本机时钟取自该线路", _clock),
    Measure("span_alarm", "active", "gauge", "bool", ("span", "alarm"), "The alarm stands at this moment",
            "该告警当前存在", _alarms),
    Measure("span_alarm", "failure", "gauge", "bool", ("span", "alarm"),
            "The alarm has lasted: a failure (G.7710)", "该告警持续存在,已判为故障(G.7710)", _failures),
    _counter("slips", "slips", "Frames lost or repeated: clocks differ", "滑码:帧丢失或重复,两端时钟不同步"),
    _counter("code_violations", "code_violations", "HDB3 code violations (G.703)", "HDB3 编码违例(G.703)"),
    _counter("fas_errors", "fas_errors", "Frame alignment words with a wrong bit (G.706)",
             "帧同步字误码(G.706)"),
    _counter("crc_errors", "crc_errors", "CRC-4 blocks received wrong (G.704)", "收到的 CRC-4 误块(G.704)"),
    _counter("far_crc_errors", "e_bits", "CRC-4 blocks that the far end received wrong, its E bits (G.704)",
             "对端收到的 CRC-4 误块,由 E 比特告知(G.704)"),
    _counter("signalling_frames_received", "frames_in", "Good D-channel frames received",
             "D 信道收到的正确帧"),
    _counter("signalling_frames_sent", "frames_out", "D-channel frames sent", "D 信道发出的帧"),
    _counter("fcs_errors", "fcs_errors", "D-channel frames that the line damaged", "D 信道校验错误的帧"),
    _counter("aborts", "aborts", "D-channel frames broken off", "D 信道中断的帧"),
    _counter("runts", "runts", "D-channel frames too short to be one", "D 信道过短的帧"),
    _counter("giants", "giants", "D-channel frames longer than allowed", "D 信道过长的帧"),
    _counter("packets_received", "packets_in", "Packets of an emulated circuit taken in time",
             "电路仿真按时收到的包"),
    _counter("packets_lost", "packets_lost", "Packets of an emulated circuit that never came in time",
             "电路仿真丢失的包"),
    _counter("packets_late", "packets_late", "Packets of an emulated circuit after their turn",
             "电路仿真迟到的包"),
    _counter("packets_bad", "packets_bad", "Packets that are not of this circuit, or misshapen",
             "电路仿真收到的无效包"),
    _counter("framer_repairs", "framer_repairs", "Registers that the framer chip had lost",
             "成帧芯片丢失后重写的寄存器"),
    *_g826("errored_seconds", "es", "seconds", "Errored seconds", "误块秒"),
    *_g826("severely_errored_seconds", "ses", "seconds", "Severely errored seconds", "严重误块秒"),
    *_g826("background_block_errors", "bbe", "", "Background block errors", "背景误块"),
    *_g826("unavailable_seconds", "uas", "seconds", "Unavailable seconds", "不可用秒"),
    *_g826("measured_seconds", "measured_s", "seconds", "Seconds that were measured", "已测量的秒数"),
    Measure("link", "up", "gauge", "bool", _SPAN, "Layer 2 of the D-channel is up", "D 信道二层已建立",
            _links),
    Measure("channel", "in_state", "gauge", "", ("span", "state"), "B-channels in this state",
            "处于该状态的 B 信道数", _channels),
    Measure("call", "active", "gauge", "", (), "Calls on all trunks", "全部中继上的通话", _calls),
    Measure("call", "offered_total", "counter", "", ("trunk",), "Calls that came in", "呼入呼叫数", _offered),
    Measure("call", "answered_total", "counter", "", (), "Calls that were answered, both ways",
            "双向已应答的呼叫数", _answered),
    Measure("call", "released_total", "counter", "", ("cause", "by"),
            "Calls that ended, by cause (Q.850) and by whom: far, near, line",
            "已结束的呼叫数,按原因值(Q.850)和释放方:far 对端、near 本端、line 线路", _released),
)
