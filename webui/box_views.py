"""What is known of the box -> what its pages show. Pure; equal views make equal fragments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from appliance.bus.messages import (
    DAEMONS,
    CardState,
    ClockState,
    DaemonHealth,
    Fitness,
    Hardware,
    UpdatePast,
    UpdateState,
    WallClock,
)
from webui.mirror import Floor

IDLE, TRIAL, BACK_AGAIN, RESTARTS = "idle", "on trial", "returning", "rebooting"
WAITS = frozenset({"waiting", "draining", "trying again"})           # it can be hurried
STARTED = frozenset({RESTARTS, TRIAL, BACK_AGAIN})                   # it cannot be cancelled any more
PROGRAMS = frozenset(DAEMONS)                     # that have lines of the log
OTHER_SLOT = "the other slot"                     # source of an update that goes back

Tone = Literal["good", "warn", "bad", "off"]

# phase -> word of WORDS["step"], in order
STEPS = (("fetching", "fetched"), ("checking", "checked"), ("waiting", "waiting"),
         ("installing", "installed"), ("draining", "drained"), ("rebooting", "restarted"),
         ("on trial", "trial"))


@dataclass(frozen=True, slots=True)
class Condition:
    fitness: Fitness | None
    language: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Daemons:
    rows: tuple[DaemonHealth, ...]
    stale: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """Board, line cards and clocks."""

    hardware: Hardware | None
    cards: tuple[CardState, ...]
    clock: ClockState | None                      # of the lines
    time_of_day: WallClock | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """`holds`: its version, "": not known."""

    name: str
    holds: str
    runs: bool
    confirmed: bool
    trial: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """`release`: what the image says of itself; empty: this is no image of ours."""

    version: str
    slots: tuple[Slot, ...]
    release: tuple[tuple[str, str], ...]
    stale: bool

    def said(self, key: str) -> str:
        return dict(self.release).get(key, "")

    def older_than(self, days: int, now: float) -> bool:
        """`now` is Unix time. False when it does not say when it was built."""
        try:
            return now - datetime.fromisoformat(self.said("BUILT")).timestamp() > days * 86_400.0
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Step:
    name: str                                     # of WORDS["step"]
    state: Literal["done", "now", "ahead", "bad"]


@dataclass(frozen=True, slots=True)
class Update:
    """`other`: version in the other slot; "": not known."""

    state: UpdateState | None
    steps: tuple[Step, ...]
    last: UpdatePast | None
    other: str
    stale: bool

    @property
    def going_on(self) -> bool:
        return self.state is not None and self.state.phase != IDLE

    @property
    def acts(self) -> tuple[str, ...]:
        """Which may be asked for now; the box decides again."""
        state = self.state
        if state is None or not state.slot:
            return ()
        if state.phase == TRIAL:
            return "confirm", "back"
        if state.phase in STARTED:
            return ()
        if state.phase != IDLE:
            return ("hurry", "cancel") if state.phase in WAITS else ("cancel",)
        if state.slot != state.confirmed:         # the confirmed slot did not start
            return ("confirm",)
        return ("begin", "back") if self.other else ("begin",)


def condition(floor: Floor, language: str) -> Condition:
    return Condition(floor.fitness, language, "boxd" in floor.away)


def daemons(floor: Floor) -> Daemons:
    return Daemons(tuple(floor.health.daemons) if floor.health else (), "boxd" in floor.away)


def board(floor: Floor) -> Parts:
    return Parts(floor.hardware, tuple(floor.cards[name] for name in sorted(floor.cards)), floor.clock,
                 floor.time_of_day, "boxd" in floor.away)


def versions(floor: Floor, release: Mapping[str, str]) -> Versions:
    state = floor.update
    slots = () if state is None or not state.slot else tuple(
        Slot(name=name, holds=_holds(name, state, floor.past), runs=name == state.slot,
             confirmed=name == state.confirmed, trial=name == state.trial, usable=name not in state.unusable)
        for name in ("A", "B"))
    return Versions(state.version if state else "", slots, tuple(sorted(release.items())),
                    "boxd" in floor.away)


def update(floor: Floor) -> Update:
    state = floor.update
    steps = () if state is None or state.phase == IDLE else tuple(_steps(state))
    other = "" if state is None else _other(state.slot)
    holds = "" if state is None or other in state.unusable else _holds(other, state, floor.past)
    return Update(state, steps, next(iter(floor.past), None), holds, "boxd" in floor.away)


def release(text: str) -> dict[str, str]:
    """KEY=value lines."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def temperature_tone(value: float, low: float | None, high: float | None, unit: str) -> Tone:
    """Of a reading: rpm has what it must reach, celsius where it is warm and where hot."""
    if unit == "rpm":
        return "bad" if low is not None and value < low else "good"
    if high is not None and value >= high:
        return "bad"
    return "warn" if low is not None and value >= low else "good"


def _holds(name: str, state: UpdateState, past: Iterable[UpdatePast]) -> str:
    """What the last update that touched the slot left in it."""
    if name == state.slot:
        return state.version
    if state.phase not in (IDLE, "fetching", "checking", "waiting", "installing"):
        return state.version_to
    for one in past:
        if one.slot == name and one.outcome in ("confirmed", "rolled back"):
            return one.version_to
        if one.slot == state.slot and one.outcome == "confirmed":
            return one.version_from
    return ""


def _steps(state: UpdateState) -> Iterable[Step]:
    going_back = state.source == OTHER_SLOT
    rows = [(phase, name) for phase, name in STEPS
            if not (going_back and phase in ("fetching", "checking", "installing"))
            and not (phase == "waiting" and state.begin != "quiet")]
    phases = [phase for phase, _ in rows]
    now = {BACK_AGAIN: TRIAL, "trying again": "draining"}.get(state.phase, state.phase)
    place = phases.index(now) if now in phases else 0
    for order, (phase, name) in enumerate(rows):
        if state.phase == BACK_AGAIN and phase == TRIAL:
            yield Step(name, "bad")
        else:
            yield Step(name, "done" if order < place else "now" if order == place else "ahead")
    yield Step("back", "now") if state.phase == BACK_AGAIN else Step("confirmed", "ahead")


def _other(slot: str) -> str:
    return "B" if slot == "A" else "A"
