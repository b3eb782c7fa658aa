"""Measures of the box itself: daemons, media, board, line cards, clock, disk, fitness, telemetry."""

from collections.abc import Callable

from appliance.box.network_cards import NetworkCard
from appliance.box.telemetry.machine import Machine
from appliance.box.telemetry.measure import Kind, Measure, Readings, Unit
from appliance.box.telemetry.rows_centre import fact_of
from appliance.box.telemetry.seen import OwnCounts, Seen
from appliance.bus.messages import CardState, DaemonHealth, StorageState

_DAEMON, _CARD = ("daemon",), ("card",)
FITNESS = {"ok": 0.0, "degraded": 1.0, "unfit": 2.0}


def _daemons(figure: Callable[[DaemonHealth], float], lives: bool = True) -> Callable[[Seen], Readings]:
    """Of each daemon; `lives`: of those that are not away."""
    def read(seen: Seen) -> Readings:
        for one in seen.health.daemons if seen.health is not None else ():
            if one.state != "never" and not (lives and one.state == "down"):
                yield (one.daemon,), figure(one)
    return read


def _up(seen: Seen) -> Readings:
    for one in seen.health.daemons if seen.health is not None else ():
        yield (one.daemon,), float(one.state == "up")


def _spand(field: str, fact: str, kind: Kind, unit: Unit, en: str, zh: str, scale: float = 1.0) -> Measure:
    return Measure("media", field, kind, unit, (), en, zh, fact_of("spand", fact, scale))


def _sensors(unit: str) -> Callable[[Seen], Readings]:
    def read(seen: Seen) -> Readings:
        for reading in seen.hardware.readings if seen.hardware is not None else ():
            if reading.unit == unit:
                yield (reading.name,), reading.value
    return read


def _inputs(seen: Seen) -> Readings:
    for name, active in seen.hardware.inputs.items() if seen.hardware is not None else ():
        yield (name,), float(active)


def _parts_in_trouble(seen: Seen) -> Readings:
    if seen.hardware is not None:
        yield (), len(seen.hardware.trouble)


def _cards(figure: Callable[[CardState], float | None], heard: bool = True) -> Callable[[Seen], Readings]:
    """Of each card; `heard`: of those that are there."""
    def read(seen: Seen) -> Readings:
        for name, card in seen.cards.items():
            if not (heard and card.trouble) and (value := figure(card)) is not None:
                yield (name,), value
    return read


def _supplies(seen: Seen) -> Readings:
    for name, card in seen.cards.items():
        if not card.trouble:
            for supply, millivolts in card.supplies_mv.items():
                yield (name, supply), millivolts / 1000


def _fitness(seen: Seen) -> Readings:
    if seen.fitness is not None:
        yield (), FITNESS[seen.fitness.state]


def _fit(seen: Seen) -> Readings:
    if seen.fitness is not None:
        yield (), float(seen.fitness.fit)


def _reasons(seen: Seen) -> Readings:
    for reason in seen.fitness.reasons if seen.fitness is not None else ():
        yield (reason.code, reason.about), FITNESS[reason.state]


def _info(seen: Seen) -> Readings:
    if seen.version:
        yield (seen.version,), 1.0


def _clock_source(seen: Seen) -> Readings:
    if seen.wall_clock is not None:
        for source in ("ptp", "ntp", "rtc", "unknown"):
            yield (source,), float(seen.wall_clock.source == source)


def _clock_error(seen: Seen) -> Readings:
    if seen.wall_clock is not None and seen.wall_clock.error_s is not None:
        yield (), seen.wall_clock.error_s


def _clock_offset(seen: Seen) -> Readings:
    if seen.wall_clock is not None:
        yield (), seen.wall_clock.offset_s


def _clock_steps(seen: Seen) -> Readings:
    if seen.wall_clock is not None:
        yield (), seen.wall_clock.steps


def _disk(field: str, kind: Kind, unit: Unit, en: str, zh: str,
          figure: Callable[[StorageState], float | None]) -> Measure:
    def read(seen: Seen) -> Readings:
        if seen.storage is not None and (value := figure(seen.storage)) is not None:
            yield (), value
    return Measure("disk", field, kind, unit, (), en, zh, read)


def _uses(seen: Seen) -> Readings:
    for use, octets in seen.storage.uses.items() if seen.storage is not None else ():
        yield (use,), octets


def _wear(seen: Seen) -> Readings:
    for device in seen.storage.devices if seen.storage is not None else ():
        if device.used_share is not None:
            yield (device.name,), device.used_share


def _machine(field: str, kind: Kind, unit: Unit, en: str, zh: str,
             figure: Callable[[Machine], float]) -> Measure:
    def read(seen: Seen) -> Readings:
        if seen.machine is not None:
            yield (), figure(seen.machine)
    return Measure("machine", field, kind, unit, (), en, zh, read)


def _network(field: str, kind: Kind, unit: Unit, en: str, zh: str,
             figure: Callable[[NetworkCard], float | None]) -> Measure:
    def read(seen: Seen) -> Readings:
        for card in seen.network:
            if (value := figure(card)) is not None:
                yield (card.name,), value
    return Measure("network", field, kind, unit, ("interface",), en, zh, read)


def _counted(*names: str) -> Callable[[NetworkCard], float]:
    return lambda card: sum(card.counts[name] for name in names)


def _own(field: str, kind: Kind, unit: Unit, en: str, zh: str,
         figure: Callable[[OwnCounts, float], float]) -> Measure:
    def read(seen: Seen) -> Readings:
        if seen.own is not None:
            yield (), figure(seen.own, seen.at)
    return Measure("telemetry", field, kind, unit, (), en, zh, read)


ROWS = (
    Measure("box", "info", "gauge", "", ("version",), "1, of the version that runs", "恒为 1,标签为运行版本",
            _info),
    Measure("box", "fitness", "gauge", "", (), "State of the box, 0: in order, 1: degraded, 2: unfit",
            "本机状态:0 正常,1 降级,2 不可用", _fitness),
    Measure("box", "fit", "gauge", "bool", (), "The line is the box's; 0: the relay joins it to the PBX",
            "线路归本机;0 为已旁路到交换机", _fit),
    Measure("box_reason", "severity", "gauge", "", ("code", "about"),
            "Why the box is not in order; 1: degraded, 2: unfit", "不正常的原因;1 降级,2 不可用", _reasons),
    Measure("daemon", "up", "gauge", "bool", _DAEMON, "The daemon's heartbeat comes", "进程心跳正常", _up),
    Measure("daemon", "resident_memory_bytes", "gauge", "bytes", _DAEMON, "Memory that the daemon takes",
            "进程占用内存", _daemons(lambda one: one.rss_octets)),
    Measure("daemon", "cpu_seconds_total", "counter", "seconds", _DAEMON,
            "Time of a core that the daemon took", "进程占用的处理器时间", _daemons(lambda one: one.cpu_s)),
    Measure("daemon", "starts_total", "counter", "", _DAEMON, "Starts of the daemon that boxd has seen",
            "进程启动次数", _daemons(lambda one: one.starts, lives=False)),
    Measure("daemon", "start_time_seconds", "gauge", "timestamp", _DAEMON,
            "Unix time at which the daemon began", "进程启动时刻(Unix 时间)",
            _daemons(lambda one: one.started_at)),
    _spand("ticks_total", "ticks", "counter", "", "10 ms ticks of audio", "10 毫秒音频节拍数"),
    _spand("late_ticks_total", "late_ticks", "counter", "", "Ticks of audio that were later than 10 ms",
           "迟到超过 10 毫秒的音频节拍"),
    _spand("tick_p999_seconds", "tick_ms_p999", "gauge", "seconds",
           "99.9 % of ticks of audio took at most so long", "99.9% 的音频节拍用时不超过该值", 0.001),
    _spand("stalled_seconds_total", "stalled_s", "counter", "seconds", "Time without a tick of audio",
           "音频停顿的时间"),
    _spand("underruns_total", "underruns", "counter", "", "Blocks that the box had to repeat",
           "音频缓冲欠载"),
    _spand("failures_total", "failures", "counter", "", "Ticks of audio with an error in them",
           "出错的音频节拍"),
    _spand("legs", "legs", "gauge", "", "Legs that are bound to a channel", "已接入媒体的通话方"),
    _spand("rtp_legs", "rtp_legs", "gauge", "", "Telephones on the network", "IP 话机通话方"),
    _spand("rtp_lost", "rtp_lost", "gauge", "", "Packets lost of the RTP legs that are open",
           "当前 RTP 通话丢失的包"),
    _spand("rtp_concealed_seconds", "rtp_concealed_ms", "gauge", "seconds",
           "Audio that was made up on the RTP legs that are open", "当前 RTP 通话中补偿的音频时长", 0.001),
    _spand("rtp_jitter_max_seconds", "rtp_jitter_ms_max", "gauge", "seconds",
           "The worst jitter of the RTP legs that are open", "当前 RTP 通话的最大抖动", 0.001),
    Measure("board", "temperature_celsius", "gauge", "celsius", ("sensor",), "Temperature of the board",
            "主板温度", _sensors("celsius")),
    Measure("board", "fan_rpm", "gauge", "rpm", ("sensor",), "Speed of a fan", "风扇转速", _sensors("rpm")),
    Measure("board", "parts_in_trouble", "gauge", "", (), "Parts that cannot be used", "无法使用的部件数",
            _parts_in_trouble),
    Measure("board_input", "active", "gauge", "bool", ("input",),
            "An input of the board: power_fail, on_battery, battery_low, relay, button",
            "主板输入量:power_fail 断电、on_battery 电池供电、battery_low 电量低、relay 继电器、button 按钮",
            _inputs),
    Measure("card", "present", "gauge", "bool", _CARD, "The line card answers", "线路卡有应答",
            _cards(lambda card: float(not card.trouble), heard=False)),
    Measure("card", "temperature_celsius", "gauge", "celsius", _CARD, "Temperature of the line card",
            "线路卡温度", _cards(lambda card: card.temperature_celsius)),
    Measure("card", "relay_energised", "gauge", "bool", _CARD, "The line is at the box, not at the PBX",
            "线路接在本机而非交换机",
            _cards(lambda card: None if card.relay is None else float(card.relay.energised))),
    Measure("card", "resets_total", "counter", "", _CARD, "Resets since its last power-up",
            "上电以来的复位次数",
            _cards(lambda card: card.resets)),
    Measure("card", "crashes", "gauge", "", _CARD, "Crashes that nobody has cleared", "未清除的崩溃记录",
            _cards(lambda card: card.crashes)),
    Measure("card_supply", "volts", "gauge", "volts", ("card", "supply"), "A supply of the line card",
            "线路卡电源电压", _supplies),
    Measure("clock", "source", "gauge", "bool", ("source",), "What sets the wall clock", "系统时间的来源",
            _clock_source),
    Measure("clock", "error_seconds", "gauge", "seconds", (), "The wall clock is at most so far off",
            "系统时间的最大误差", _clock_error),
    Measure("clock", "offset_seconds", "gauge", "seconds", (),
            "Of the wall clock, what is being slewed away", "系统时间正在校正的偏差", _clock_offset),
    Measure("clock", "steps_total", "counter", "", (), "How often the wall clock jumped", "系统时间跳变次数",
            _clock_steps),
    _machine("memory_size_bytes", "gauge", "bytes", "Memory of the box", "内存容量",
             lambda machine: machine.memory_octets),
    _machine("memory_available_bytes", "gauge", "bytes", "Memory that programs may still take",
             "可用内存", lambda machine: machine.available_octets),
    _machine("busy_cpu_seconds_total", "counter", "seconds", "Time of a core that all programs took",
             "全部程序占用的处理器时间", lambda machine: machine.busy_s),
    _network("up", "gauge", "bool", "The network card has its link", "网卡链路已接通",
             lambda card: None if card.linked is None else float(card.linked)),
    _network("received_bytes_total", "counter", "bytes", "Received from the network", "从网络接收的字节",
             _counted("rx_bytes")),
    _network("sent_bytes_total", "counter", "bytes", "Sent to the network", "向网络发送的字节",
             _counted("tx_bytes")),
    _network("received_packets_total", "counter", "", "Packets received", "接收的数据包",
             _counted("rx_packets")),
    _network("sent_packets_total", "counter", "", "Packets sent", "发送的数据包", _counted("tx_packets")),
    _network("errors_total", "counter", "", "Packets that were damaged, both ways", "双向出错的数据包",
             _counted("rx_errors", "tx_errors")),
    _network("dropped_total", "counter", "", "Packets for which there was no room, both ways",
             "双向丢弃的数据包", _counted("rx_dropped", "tx_dropped")),
    _disk("size_bytes", "gauge", "bytes", "Size of the disk", "磁盘容量", lambda disk: disk.total),
    _disk("free_bytes", "gauge", "bytes", "Free on the disk for the daemons", "磁盘可用空间",
          lambda disk: disk.free),
    _disk("read_only", "gauge", "bool", "The disk is read-only, nothing can be written", "磁盘只读,无法写入",
          lambda disk: float(disk.read_only)),
    _disk("errors", "gauge", "", "Errors of the disk that its file system has counted",
          "文件系统记录的错误数", lambda disk: disk.errors),
    _disk("written_bytes_total", "counter", "bytes", "Written to the disk's file system in its life",
          "磁盘文件系统累计写入", lambda disk: disk.written_octets),
    _disk("full_time_seconds", "gauge", "timestamp", "When the disk is full if it goes on so, Unix time",
          "按当前趋势磁盘写满的时刻(Unix 时间)", lambda disk: disk.full_at or None),
    Measure("disk_use", "bytes", "gauge", "bytes", ("use",), "What takes how much of the disk",
            "各类数据占用的磁盘空间", _uses),
    Measure("disk_device", "used_life_ratio", "gauge", "ratio", ("device",),
            "Used of the disk's expected life, 1: all of it", "磁盘已消耗的设计寿命,1 为全部", _wear),
    _own("spooled_points", "gauge", "", "Points that wait to be written", "等待写出的数据点",
         lambda own, at: own.spooled_points),
    _own("spooled_bytes", "gauge", "bytes", "Points that wait to be written: what they take on the disk",
         "等待写出的数据点占用的磁盘空间",
         lambda own, at: own.spooled_octets),
    _own("oldest_age_seconds", "gauge", "seconds", "Age of the oldest point that waits to be written",
         "等待写出的最早一点的时长",
         lambda own, at: max(0.0, at - own.oldest_at) if own.oldest_at else 0.0),
    _own("sent_points_total", "counter", "", "Points that the server has taken", "服务器已接收的数据点",
         lambda own, at: own.sent_points),
    _own("dropped_points_total", "counter", "", "Points given up: too old, too many, or refused",
         "放弃的数据点:过旧、过多或被拒绝", lambda own, at: own.dropped_points),
    _own("failures_total", "counter", "", "Writes of points that failed", "数据点写出失败次数",
         lambda own, at: own.failures),
)
