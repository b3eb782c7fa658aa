"""What a network operations centre is alerted of: one table, for Prometheus and for Grafana with InfluxDB."""

from dataclasses import dataclass
from typing import Literal

# is: the figure now; grew: by how much a counter did over `over`; silent: seconds since the last point.
How = Literal["is", "grew", "silent"]
Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True)
class Alarm:
    name: str
    measure: str                                  # its whole name
    how: How
    above: bool                                   # the limit; False: below it
    limit: float
    hold: str                                     # for so long
    severity: Severity
    en: str
    zh: str
    over: str = "15m"
    only: tuple[tuple[str, str], ...] = ()        # labels of the series that it is about
    while_at_least: tuple[str, float] | None = None          # another measure with the same labels


ALARMS = (
    Alarm("BoxSilent", "branchline_box_fitness", "silent", True, 300, "1m", "critical",
          "nothing has come from the box for five minutes", "五分钟没有收到本机的数据"),
    Alarm("BoxUnfit", "branchline_box_fitness", "is", True, 1.5, "30s", "critical",
          "the box is unfit: the line may be at the PBX", "本机不可用,线路可能已旁路到交换机"),
    Alarm("BoxDegraded", "branchline_box_fitness", "is", True, 0.5, "15m", "warning",
          "the box has not been in order for a while", "本机持续降级运行"),
    Alarm("SpanDown", "branchline_span_up", "is", False, 1, "1m", "critical",
          "nothing of the far end arrives on the line", "线路收不到对端信号"),
    Alarm("SpanFailure", "branchline_span_alarm_failure", "is", True, 0, "0s", "warning",
          "an alarm of the line lasts", "线路告警持续存在"),
    Alarm("LinkDown", "branchline_link_up", "is", False, 1, "1m", "critical",
          "the D-channel is down: no calls on this line", "D 信道中断,该线路无法通话"),
    Alarm("Slips", "branchline_span_slips_total", "grew", True, 5, "0s", "warning",
          "frames slip: the clocks differ", "线路出现滑码,两端时钟不同步"),
    Alarm("SeverelyErrored", "branchline_span_performance_quarter_severely_errored_seconds", "is", True, 9,
          "0s", "warning", "ten severely errored seconds and more in 15 minutes",
          "15 分钟内严重误块秒达到 10 秒"),
    Alarm("Unavailable", "branchline_span_performance_quarter_unavailable_seconds", "is", True, 0, "0s",
          "warning", "the line was unavailable (G.826)", "线路出现不可用时间(G.826)"),
    Alarm("DaemonDown", "branchline_daemon_up", "is", False, 1, "1m", "critical",
          "a daemon does not answer", "有进程无响应"),
    Alarm("DaemonRestarts", "branchline_daemon_starts_total", "grew", True, 2.5, "0s", "warning",
          "a daemon begins anew again and again", "有进程反复重启", over="1h"),
    Alarm("LateTicks", "branchline_media_late_ticks_total", "grew", True, 50, "0s", "warning",
          "audio does not keep time", "音频节拍反复迟到"),
    Alarm("RecordingLost", "branchline_recorder_lost_seconds_total", "grew", True, 0, "0s", "critical",
          "audio of recordings was lost", "录音数据有丢失"),
    Alarm("RecorderFailing", "branchline_recorder_failing", "is", True, 0, "0s", "critical",
          "the disk does not take recordings", "磁盘无法写入录音"),
    Alarm("RecorderWarnings", "branchline_recorder_warnings", "is", True, 0, "10m", "warning",
          "the recorder warns", "录音系统有告警"),
    Alarm("DiskReadOnly", "branchline_disk_read_only", "is", True, 0, "0s", "critical",
          "nothing can be written", "磁盘只读,无法写入"),
    Alarm("DiskLow", "branchline_disk_free_bytes", "is", False, 1 << 30, "10m", "warning",
          "less than 1 GiB is free", "可用空间不足 1 GiB"),
    Alarm("DiskWorn", "branchline_disk_device_used_life_ratio", "is", True, 0.9, "0s", "warning",
          "the disk is nearly worn out", "磁盘寿命即将耗尽"),
    Alarm("MemoryLow", "branchline_machine_memory_available_bytes", "is", False, 64 << 20, "10m", "warning",
          "less than 64 MiB of memory is available", "可用内存不足 64 MiB"),
    Alarm("NetworkErrors", "branchline_network_errors_total", "grew", True, 100, "0s", "warning",
          "packets are damaged: a cable, a port", "网络数据包出错:请检查网线和端口"),
    Alarm("QueueWait", "branchline_queue_oldest_wait_seconds", "is", True, 120, "1m", "warning",
          "somebody has waited for more than two minutes", "有客户排队超过两分钟"),
    Alarm("QueueUnreachable", "branchline_queue_unreachable", "is", True, 0, "2m", "warning",
          "callers wait whom no agent may serve", "有排队客户没有座席可服务"),
    Alarm("ServiceLevel", "branchline_queue_today_service_level_ratio", "is", False, 0.8, "15m", "warning",
          "today's service level is below 80 %", "今日服务水平低于 80%",
          while_at_least=("branchline_queue_today_offered", 20)),
    Alarm("Hot", "branchline_board_temperature_celsius", "is", True, 75, "5m", "warning",
          "the board is hot", "主板温度过高"),
    Alarm("OnBattery", "branchline_board_input_active", "is", True, 0, "0s", "critical",
          "the box runs on its battery", "本机正在使用电池供电", only=(("input", "on_battery"),)),
    Alarm("CardAway", "branchline_card_present", "is", False, 1, "1m", "critical",
          "the line card does not answer", "线路卡无应答"),
    Alarm("ClockUnknown", "branchline_clock_source", "is", True, 0, "10m", "warning",
          "nothing sets the wall clock", "系统时间没有来源", only=(("source", "unknown"),)),
    Alarm("PointsDropped", "branchline_telemetry_dropped_points_total", "grew", True, 0, "0s", "warning",
          "points were dropped: the box was cut off for too long", "数据点已被丢弃:断网时间过长", over="1h"),
)
