"""`e1ctl status`: what a line says of itself, now and since it was opened."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from e1_driver import WEAK_DB, Alarm, Block, Clock, Counters, LiuFault, Loop
from e1_driver.ctl.runner import Line, Part
from e1_driver.ctl.table import CANNOT_TELL, columns, paragraph, spoken_s
from e1_driver.ctl.terms import ALARMS, CLOCKS, COUNTERS, LIU_FAULTS, LOOPS
from e1_driver.ctl.timeslot_16 import Timeslot16
from e1_driver.watch.defects import Failures

SETTLING_S = 1.0                                  # not looked at: ends that just met find each other first
EVENTS = 1000
NOTHING_COUNTED = Counters()

Facts = dict[str, Any]                            # what --json prints


class Watcher(Part):
    """What came and went on a line: seconds in each alarm, and the changes of alarms and failures."""

    def __init__(self, line: Line, say: Callable[[Facts], None] | None = None) -> None:
        self.seconds = 0.0
        self.stood_s = dict.fromkeys(Alarm, 0.0)
        self.failures = Failures()
        self.timeslot_16 = Timeslot16(line.span)
        self.events: list[Facts] = []
        self._line, self._say = line, say
        self._began: float | None = None
        self._last = 0.0
        self._alarms: frozenset[Alarm] = frozenset()

    def block(self, now: float, received: Block, sent: Block) -> None:
        self.timeslot_16.block(now, received, sent)

    def tick(self, now: float, unix_s: float) -> None:
        status = self._line.span.status()
        if self._began is None:
            self._began = self._last = now
        self.seconds = now - self._began
        if self.seconds >= SETTLING_S:
            self._look(status.alarms, now, unix_s)
        self._last = now

    def _look(self, alarms: frozenset[Alarm], now: float, unix_s: float) -> None:
        for alarm in alarms:
            self.stood_s[alarm] += now - self._last
        for alarm in sorted(alarms ^ self._alarms):
            self._event(unix_s, "alarm", alarm, alarm in alarms)
        for change in self.failures.update(now, alarms):
            self._event(unix_s, "failure", change.alarm, change.declared)
        self._alarms = alarms

    def _event(self, unix_s: float, kind: str, alarm: Alarm, on: bool) -> None:
        event = {"at": utc(unix_s), "event": kind, "alarm": alarm, "on": on}
        self.events = [*self.events[1 - EVENTS:], event]
        if self._say:
            self._say(event)


def facts(line: Line, watcher: Watcher) -> Facts:
    """Of now, and of the time that `watcher` saw. null is what this interface cannot tell."""
    span, status = line.span, line.span.status()
    can = span.abilities
    tells = can.alarms | status.alarms
    return {
        "command": "status", "url": line.url, "at": utc(), "seconds": round(watcher.seconds, 1),
        "up": status.up, "away": span.trouble,
        "alarms": {alarm: alarm in status.alarms if alarm in tells else None for alarm in Alarm},
        "alarm_s": {alarm: round(watcher.stood_s[alarm], 1) if alarm in tells else None for alarm in Alarm},
        "failures": sorted(watcher.failures.standing),
        "crc4": status.crc4, "sa_bits": status.sa_bits,
        "level_db": status.level_db,
        "liu_faults": None if status.liu_faults is None else sorted(status.liu_faults),
        "timeslot_16": watcher.timeslot_16.content,
        "loop": status.loop, "loops": [loop for loop in Loop if loop in can.loops],
        "clock": can.clock,
        "counters": counted(line),
    }


def counted(line: Line, since: Counters = NOTHING_COUNTED) -> Facts:
    """What the counters of a line have gained; null is what this interface cannot tell."""
    can, counters = line.span.abilities.counters, line.span.counters()
    return {each.name: getattr(counters, each.name) - getattr(since, each.name) if each.name in can else None
            for each in fields(Counters)}


def alarmed(facts: Facts) -> bool:
    """Whether an alarm stands, or our own pair has a fault."""
    return any(facts["alarms"].values()) or bool(facts["liu_faults"])


def table(facts: Facts, width: int) -> list[str]:
    lines = [facts["url"], ""]
    lines += paragraph("line", ("up" if facts["up"] else "DOWN")
                       + (f": {facts['away']}" if facts["away"] else "")
                       + f"; watched for {spoken_s(facts['seconds'])}, until {local(facts['at'])}", width)
    lines += _alarms(facts, width)
    lines += paragraph("CRC-4", {True: "the far end sends it", False: "the far end sends none",
                                 None: CANNOT_TELL}[facts["crc4"]], width)
    sa_bits = facts["sa_bits"]
    lines += paragraph("Sa bits", CANNOT_TELL if sa_bits is None else f"{sa_bits:05b} (Sa4 to Sa8)", width)
    lines += paragraph("level", _level(facts), width)
    lines += paragraph("our pair", _pair(facts["liu_faults"]), width)
    lines += paragraph("timeslot 16", facts["timeslot_16"] or CANNOT_TELL, width)
    lines += paragraph("clock", CLOCKS[Clock(facts["clock"])], width)
    lines += paragraph("loop", f"{facts['loop']}: {LOOPS[Loop(facts['loop'])]}; this interface can switch "
                       + (", ".join(facts["loops"]) or "none"), width)
    told = [(COUNTERS[name][0], f"{count:,}", COUNTERS[name][1])
            for name, count in facts["counters"].items() if count is not None]
    lines += ["", *columns([("counter", "since open", ""), *told], right=(1,), width=width)]
    dark = [alarm.upper() for alarm, stands in facts["alarms"].items() if stands is None]
    dark += [COUNTERS[name][0] for name, count in facts["counters"].items() if count is None]
    if dark:
        lines += ["", *paragraph(f"{CANNOT_TELL}:", ", ".join(dark), width, indent=len(CANNOT_TELL) + 2)]
    return lines


def _alarms(facts: Facts, width: int) -> list[str]:
    standing = [alarm for alarm, stands in facts["alarms"].items() if stands]
    lines: list[str] = []
    for alarm in standing:
        failure = ", declared a failure" if alarm in facts["failures"] else ""
        text = f"{alarm.upper()}  {ALARMS[Alarm(alarm)]} ({spoken_s(facts['alarm_s'][alarm])}{failure})"
        lines += paragraph("" if lines else "alarms", text, width)
    lines = lines or paragraph("alarms", "none", width)
    gone = [f"{alarm.upper()} for {spoken_s(stood_s)}" for alarm, stood_s in facts["alarm_s"].items()
            if stood_s and alarm not in standing]
    return lines + (paragraph("", "seen and gone: " + ", ".join(gone), width) if gone else [])


def _level(facts: Facts) -> str:
    level_db = facts["level_db"]
    if level_db is None:
        return CANNOT_TELL if facts["liu_faults"] is None else "no signal"
    return f"{level_db} dB" + (": weak" if level_db <= WEAK_DB else "")


def _pair(faults: list[LiuFault] | None) -> str:
    """On which we send."""
    if faults is None:
        return CANNOT_TELL
    return "; ".join(f"{fault.upper()}: {LIU_FAULTS[LiuFault(fault)]}" for fault in faults) or "in order"


def spoken_event(event: Facts) -> str:
    """A change of a line as it is told to people."""
    word = {"alarm": ("on", "off"), "failure": ("declared a failure", "cleared")}[event["event"]]
    alarm = Alarm(event["alarm"])
    return f"{local(event['at'])}  {alarm.upper()} {word[not event['on']]}" + (
        f": {ALARMS[alarm]}" if event["on"] and event["event"] == "alarm" else "")


def utc(unix_s: float | None = None) -> str:
    """RFC 3339, of now unless told."""
    at = datetime.now(UTC) if unix_s is None else datetime.fromtimestamp(unix_s, UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def local(rfc3339: str, form: str = "%H:%M:%S") -> str:
    """The same in the time of this place, for people."""
    return datetime.fromisoformat(rfc3339).astimezone().strftime(form)
