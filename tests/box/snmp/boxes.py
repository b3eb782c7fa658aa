"""A box with lines, a queue and daemons, as boxd has heard of it; its agent shows it."""

import asyncio
import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from appliance.box.snmp.interfaces import Interface
from appliance.box.snmp.tree import Oid, Value
from appliance.box.snmp.view import Facts, View
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import (
    DAEMONS,
    AgentInfo,
    Board,
    ChannelInfo,
    ChannelStates,
    ClockState,
    DaemonHealth,
    Fitness,
    FitnessReason,
    Health,
    QueueInfo,
    SpanState,
    WallClock,
)
from e1_driver import Alarm
from e1_driver.watch.bins import QUARTER_S, Bin, End

_PID = os.getpid()
HOST = f"127.{64 + (_PID >> 16 & 63)}.{_PID >> 8 & 255}.{_PID & 255}"           # no other process uses it
# Below those that the kernel gives to anybody.
PORTS = (20_000 + (_PID * 7 + number) % 12_000 for number in itertools.count())
RUNNING = 1_795_000_500                           # where a quarter of an hour begins
UNIX = RUNNING + 600.0
ENTERPRISE = 32473
CARD = Interface(2, "eth0", "eth0", 6, 1_000_000_000, 1, 1, mtu=1500, address=bytes(6),
                 counts={"rx_bytes": (1 << 32) + 7, "tx_bytes": 9})


def quarter(number: int, measured_s: int = QUARTER_S) -> Bin:
    """The `number`th before the running one: so many ES, twice the PCVs; far end: half of them."""
    return Bin(RUNNING - number * QUARTER_S, QUARTER_S, measured_s, End(900, number, 1, 0, number, 2),
               End(900, number // 2, 0, 0, number // 2, 0), {Alarm.LOS: 0},
               {"crc_errors": 2 * number, "code_violations": 3})


def seen(spans: tuple[str, ...] = ("telco1", "pbx1")) -> Seen:
    found = Seen(version="0.9.1")
    health(found)
    for span in spans:
        found.hear(state(span))
        found.hear(channels(span, up=True))
    found.hear(ClockState(source=spans[0], why="", at=UNIX))
    found.hear(fitness("ok"))
    found.hear(WallClock(at=UNIX, source="ntp", since=UNIX, error_s=0.0125))
    found.hear(Board(
        at=UNIX, contacts=[],
        agents=[agent("zhang", "ready"), agent("li", "ready"), agent("wang", "talking")],
        queues=[QueueInfo(name="sales", waiting=["a", "b"], oldest_since=UNIX - 31, callbacks=1)]))
    return found


def state(span: str, loop: str = "none", trouble: str = "", lent: bool = False, frames: int = 4) -> SpanState:
    return SpanState(span=span, up=True, alarms=[], at=UNIX, crc4=True, loop=loop, trouble=trouble, lent=lent,
                     counters={"frames_in": frames, "frames_out": 5, "slips": 0, "fcs_errors": 0},
                     untold=["slips"])                    # this kind of interface cannot tell them


def channels(span: str, up: bool) -> ChannelStates:
    return ChannelStates(span=span, trunk="telco", link_up=up, channels=[
        ChannelInfo(timeslot=1, state="busy"), ChannelInfo(timeslot=2, state="idle"),
        ChannelInfo(timeslot=3, state="out-of-service")])


def fitness(state: str) -> Fitness:
    reasons = [] if state == "ok" else [
        FitnessReason(code="line-down", about="telco1", state="degraded", since=UNIX)]
    return Fitness(at=UNIX, state=state, since=UNIX, fit=True, reasons=reasons)  # type: ignore[arg-type]


def health(found: Seen, **states: str) -> None:
    found.hear(Health(at=UNIX, daemons=[
        DaemonHealth(daemon=daemon, state=states.get(daemon, "up"), starts=2, rss_octets=5 << 20, cpu_s=1.5)
        for daemon in DAEMONS]))


def agent(name: str, state: str) -> AgentInfo:
    return AgentInfo(name=name, extension="801", state=state, since=UNIX)


@dataclass(slots=True)
class Shown:
    """A view in virtual time."""

    seen: Seen = field(default_factory=seen)
    bins: dict[int, Bin] = field(default_factory=lambda: {
        one.at: one for one in (quarter(0, 600), quarter(1), quarter(2), quarter(4, 100))})
    now: float = 1000.0
    unix: float = UNIX
    tells: bool = True
    cards: list[Interface] = field(default_factory=lambda: [CARD])
    view: View = field(init=False)

    def __post_init__(self) -> None:
        spans = {name: f"{'card' if name == 'telco1' else 'tdmoe'}:{name}" for name in self.seen.spans}
        self.view = View(
            Facts("0.9.1", "box-7", "noc@example.net", "branch 7", spans,
                  {name: 1001 + number for number, name in enumerate(spans)}, ENTERPRISE, self.tells),
            self.seen, lambda span, at: self.bins.get(at), lambda: self.now, lambda: self.unix,
            lambda: self.cards)

    def at(self, *name: int) -> int | bytes | Oid | None:
        """What is there; None: nothing."""
        value = self.view.tree.get(name, self.now)
        return None if value is None else value.value

    def walk(self, below: Oid = ()) -> list[tuple[Oid, Value]]:
        """As a station does."""
        rows, name = [], below
        while (row := self.view.tree.next(name, self.now)) is not None and row[0][:len(below)] == below:
            rows.append(row)
            name = row[0]
        return rows


@contextmanager
def hears(name: str, words: str) -> Iterator[asyncio.Event]:
    """Set when this is said in the log."""
    said = asyncio.Event()

    class Hears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                said.set()
    log, handler = logging.getLogger(name), Hears()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield said
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
