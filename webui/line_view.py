"""What a span's page shows of its line. Pure; what the interface cannot tell is said, never shown as zero."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from appliance.bus.messages import LineHistory, SpanState
from e1_driver import WEAK_DB, Alarm, Counters
from e1_driver.watch.bins import QUARTER_S, Bin, End, slip_rates
from e1_driver.watch.clock import SlipRate
from webui.mirror import Floor

QUARTERS = 97                                     # the running one and a day before it


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
class Mark:
    """A quarter of an hour of one direction. `worst`: uas, ses, es, good, or nothing was measured."""

    at: int
    worst: str
    bin: Bin | None
    end: End | None


@dataclass(frozen=True, slots=True)
class HistoryView:
    near: tuple[Mark, ...]                        # QUARTERS of them, oldest first
    far: tuple[Mark, ...]
    days: tuple[Bin, ...]                         # newest first
    failures: tuple[str, ...]
    slips: tuple[SlipRate, ...]                   # of these QUARTERS


def history_view(history: LineHistory, now_unix_s: float) -> HistoryView:
    newest = int(now_unix_s) // QUARTER_S * QUARTER_S
    by_start = {one.at: one for one in history.quarters}
    starts = [newest - QUARTER_S * back for back in reversed(range(QUARTERS))]
    return HistoryView(
        near=tuple(_mark(at, one, one.near if one else None) for at in starts for one in (by_start.get(at),)),
        far=tuple(_mark(at, one, one.far if one else None) for at in starts for one in (by_start.get(at),)),
        days=tuple(reversed(history.days)), failures=tuple(history.failures),
        slips=tuple(slip_rates(history.quarters)))


def _mark(at: int, one: Bin | None, end: End | None) -> Mark:
    if end is None or not end.measured_s:
        return Mark(at, "none", one, end)
    worst = next((name for name in ("uas", "ses", "es") if getattr(end, name)), "good")
    return Mark(at, worst, one, end)
