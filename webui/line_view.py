"""What a span's page shows of its line. Pure; what the interface cannot tell is said, never shown as zero."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from appliance.bus.messages import LineHistory, SpanState
from e1_driver import WEAK_DB, Alarm, Counters
from e1_driver.watch.bins import Bin, slip_rates
from e1_driver.watch.clock import SlipRate
from webui.lines.drawing import Chart, days, quarters
from webui.mirror import Floor


@dataclass(frozen=True, slots=True)
class LineView:
    """`alarms`: whether each stands, None: cannot be told. `counters` likewise. `known`: spand said so."""

    name: str
    known: bool
    up: bool
    trouble: str
    alarms: tuple[tuple[str, bool | None], ...]
    counters: tuple[tuple[str, int | None], ...]
    untold: tuple[str, ...]
    crc4: bool | None
    loop: str
    level_db: int | None                          # None: no signal
    weak: bool
    liu_faults: tuple[str, ...] | None            # None: neither level nor these can be told
    follows: bool                                 # its blocks come by the far end's clock
    source: bool                                  # and the box follows it
    stale: bool


def line_view(floor: Floor, name: str) -> LineView:
    line = floor.spans.get(name)
    level_db, liu_faults = (line.level_db, line.liu_faults) if line else (None, None)
    untold = frozenset(line.untold) if line else frozenset()
    standing = frozenset(line.alarms) if line else frozenset()
    return LineView(
        name=name, known=line is not None, up=bool(line and line.up), trouble=line.trouble if line else "",
        alarms=tuple((alarm.value, None if not line or alarm in untold else alarm in standing)
                     for alarm in Alarm),
        counters=tuple(_counters(line, untold)) if line else (), untold=tuple(sorted(untold)),
        crc4=line.crc4 if line else None, loop=line.loop if line else "none",
        level_db=level_db, weak=level_db is not None and level_db <= WEAK_DB,
        liu_faults=None if liu_faults is None else tuple(liu_faults),
        follows=bool(line and line.clock == "line"),
        source=bool(floor.clock and floor.clock.source == name), stale="spand" in floor.away)


def _counters(line: SpanState, untold: frozenset[str]) -> Iterator[tuple[str, int | None]]:
    for field in fields(Counters):
        if not field.name.startswith("packets") or line.counters.get(field.name):
            yield field.name, None if field.name in untold else line.counters.get(field.name)


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Charts of what comes in (near) and of what the far end receives; bins newest first."""

    near_quarters: Chart
    far_quarters: Chart
    near_days: Chart
    far_days: Chart
    quarters: tuple[Bin, ...]
    days: tuple[Bin, ...]
    failures: tuple[str, ...]
    slips: tuple[SlipRate, ...]                   # of the quarters
    slips_of_days: tuple[SlipRate, ...]


def history_view(history: LineHistory, now_unix_s: float) -> HistoryView:
    return HistoryView(
        near_quarters=quarters(history.quarters, True, now_unix_s),
        far_quarters=quarters(history.quarters, False, now_unix_s),
        near_days=days(history.days, True, now_unix_s), far_days=days(history.days, False, now_unix_s),
        quarters=tuple(reversed(history.quarters)), days=tuple(reversed(history.days)),
        failures=tuple(history.failures), slips=tuple(slip_rates(history.quarters)),
        slips_of_days=tuple(slip_rates(history.days)))
