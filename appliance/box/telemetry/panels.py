"""What the dashboards show: three of them, as rows of measures. Pure."""

from dataclasses import dataclass
from typing import Literal

# as-is: the figure; grew: by how much in each step; rate: growth a second.
Shows = Literal["as-is", "grew", "rate"]
Form = Literal["timeseries", "stat", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    measure: str                                  # its whole name less the prefix
    shows: Shows = "as-is"
    form: Form = "timeseries"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    name: str
    en: str
    zh: str
    panels: tuple[Panel, ...]


BOARDS = (
    Board("box", "Branchline: boxes", "Branchline:整机", (
        Panel("box_fitness", form="stat"), Panel("box_fit", form="stat"),
        Panel("box_reason_severity", form="table", wide=True),
        Panel("daemon_up"), Panel("daemon_starts_total", "grew"),
        Panel("daemon_resident_memory_bytes"), Panel("daemon_cpu_seconds_total", "rate"),
        Panel("media_late_ticks_total", "grew"), Panel("media_tick_p999_seconds"),
        Panel("recorder_open"), Panel("recorder_unfinished"),
        Panel("recorder_lost_seconds_total", "grew"), Panel("recorder_warning_active"),
        Panel("disk_free_bytes"), Panel("disk_use_bytes"),
        Panel("disk_written_bytes_total", "grew"), Panel("disk_device_used_life_ratio"),
        Panel("machine_memory_available_bytes"), Panel("machine_busy_cpu_seconds_total", "rate"),
        Panel("network_received_bytes_total", "rate"), Panel("network_sent_bytes_total", "rate"),
        Panel("network_errors_total", "grew"), Panel("network_up"),
        Panel("board_temperature_celsius"), Panel("board_input_active"),
        Panel("card_present"), Panel("card_supply_volts"),
        Panel("clock_source"), Panel("clock_error_seconds"),
        Panel("telemetry_spooled_points"), Panel("telemetry_dropped_points_total", "grew"))),
    Board("spans", "Branchline: spans", "Branchline:线路", (
        Panel("span_up", form="stat"), Panel("link_up", form="stat"),
        Panel("span_alarm_active", wide=True),
        Panel("channel_in_state", wide=True),
        Panel("span_performance_day_errored_seconds"),
        Panel("span_performance_day_severely_errored_seconds"),
        Panel("span_performance_day_background_block_errors"),
        Panel("span_performance_day_unavailable_seconds"),
        Panel("span_slips_total", "grew"), Panel("span_code_violations_total", "grew"),
        Panel("span_crc_errors_total", "grew"), Panel("span_far_crc_errors_total", "grew"),
        Panel("span_fas_errors_total", "grew"), Panel("span_fcs_errors_total", "grew"),
        Panel("span_level_decibels"), Panel("span_packets_lost_total", "grew"),
        Panel("call_active"), Panel("call_offered_total", "grew"),
        Panel("call_released_total", "grew", wide=True))),
    Board("queues", "Branchline: queues", "Branchline:队列", (
        Panel("queue_waiting", wide=True),
        Panel("queue_oldest_wait_seconds"), Panel("queue_unreachable"),
        Panel("queue_today_service_level_ratio"), Panel("queue_today_offered"),
        Panel("queue_today_answered"), Panel("queue_today_abandoned"),
        Panel("queue_callbacks"), Panel("contact_active"),
        Panel("agent_in_state", wide=True))),
)
