"""When the box looks itself over: which round is due, whether it may begin or go on, what is left. Pure.

A round belongs to one night: it begins in its quiet hours and is done once. What works the box waits until
calls would not suffer, night after night if need be; when the box was off in those hours, at the first moment
when it would not disturb. Times are Unix seconds, hours are those of the box's own time zone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from appliance.box.backup.due import scheduled
from appliance.box.maintenance.findings import ITEMS, of_round
from appliance.box.maintenance.packets import Packets
from appliance.box.maintenance.record import DAY_S
from appliance.box.update.quiet import next_quiet
from appliance.bus.messages import RoutineKind, SelfChecked
from appliance.bus.messages.maintenance import ROUTINES
from appliance.config.backup import MonthlyConfig, WeeklyConfig
from appliance.config.maintenance import MaintenanceConfig

PATIENCE_S = 3 * DAY_S                            # since its beginning; then what still waits is not done
CALM_S = 60.0                                     # so long few calls: it is calm
TRIES = 2                                         # of one item: killed meanwhile, the box tries once more


class Round(msgspec.Struct, kw_only=True):
    """One that goes on; on the disk after every step. due 0: somebody asked for it."""

    kind: RoutineKind
    due: float
    began_at: float
    by: str = ""
    late: bool = False
    hurry: bool = False                           # people want it now: nothing waits
    done: list[SelfChecked] = msgspec.field(default_factory=list)
    doing: str = ""                               # item
    tries: int = 0                                # of it
    packets: Packets | None = None                # when they were looked at

    @property
    def left(self) -> list[str]:
        """Items; what waits for calm comes last."""
        known = {one.item for one in self.done}
        return sorted((name for name in of_round(self.kind) if name not in known),
                      key=lambda name: ITEMS[name].calm)


class Calm:
    """How many calls there are, and since when they are few."""

    def __init__(self) -> None:
        self._busy: dict[str, int] | None = None  # by span; None: not known of all
        self._since: float | None = None

    def hear(self, span: str, busy: int, most: int, now: float) -> None:
        """It has changed. `most`: calls that do not matter; `now` of any clock that only goes on."""
        if self._busy is not None:                # else others may have calls
            self.told({**self._busy, span: busy}, most, now)

    def told(self, busy: Mapping[str, int], most: int, now: float) -> None:
        """Of all spans there are."""
        self._busy = dict(busy)
        self.look(most, now)

    def look(self, most: int, now: float) -> None:
        """As above, when `most` has changed."""
        few = self._busy is not None and sum(self._busy.values()) <= most
        self._since = None if not few else now if self._since is None else self._since

    def left_s(self, now: float) -> float | None:
        """Until it is calm, if nothing happens; None: there are calls, or nobody has said."""
        return None if self._since is None else max(0.0, self._since + CALM_S - now)


def plan(config: MaintenanceConfig, kind: RoutineKind) -> WeeklyConfig | MonthlyConfig | None:
    """When it is planned: at the beginning of the quiet hours; None: never."""
    if kind == "weekly":
        return None if config.weekly is None else WeeklyConfig(day=config.weekly, at=config.quiet.begins)
    return None if config.monthly is None else MonthlyConfig(day=config.monthly, at=config.quiet.begins)


def due(config: MaintenanceConfig, last: Mapping[RoutineKind, float], since: float,
        now: float) -> tuple[RoutineKind, float] | None:
    """The round whose moment came, and when. `last`: of which moment each was done last; `since`: when the
    box was first watched. The monthly one does for a weekly one that is due, too."""
    found: dict[RoutineKind, float] = {}
    done = {kind: at for kind, at in last.items() if at <= now + DAY_S}          # else the clock was ahead
    for kind in reversed(ROUTINES):
        if (planned := plan(config, kind)) is None:
            continue
        moment, before = scheduled(planned, now), done.get(kind, 0.0)
        if kind == "weekly":
            before = max(before, done.get("monthly", 0.0))
        if _day(before) < _day(moment) and (since <= moment or since > now + DAY_S):
            found[kind] = moment
    if not found:
        return None
    return ("monthly" if "monthly" in found else "weekly"), max(found.values())


def _day(at: float) -> date:
    """A round is a night's: another hour in the configuration makes no second one of it."""
    return datetime.fromtimestamp(at).date()


def next_at(config: MaintenanceConfig, kind: RoutineKind, now: float) -> float:
    """Its next moment; 0: never."""
    planned = plan(config, kind)
    return 0.0 if planned is None else scheduled(planned, now, following=True)


def quiet_at(config: MaintenanceConfig, now: float) -> float:
    """`now` in the quiet hours, else when they begin."""
    here = datetime.fromtimestamp(now)
    found = next_quiet(config.quiet, here)
    return now if found == here else found.timestamp()


def may_begin(config: MaintenanceConfig, moment: float, now: float) -> tuple[bool, bool]:
    """Of the round of `moment`: whether now, and whether late: the box was off in the hours it was for."""
    begins, ends = ((int(text[:2]) * 60 + int(text[3:])) * 60 for text in (
        config.quiet.begins, config.quiet.ends))
    late = now - moment > (ends - begins) % DAY_S
    return late or quiet_at(config, now) == now, late


def step(one: Round, config: MaintenanceConfig, calm_left_s: float | None, now: float) -> tuple[str, float]:
    """The item that may be done now; or "" and when to look again, if calls do not change before.

    `calm_left_s`: as Calm has it.
    """
    left, end = one.left, one.began_at + PATIENCE_S
    if not left:
        return "", now
    if one.hurry or not ITEMS[left[0]].calm or given_up(one, now):
        return left[0], now
    at = now if one.late else quiet_at(config, now)
    if at <= now and calm_left_s == 0:
        return left[0], now
    return "", min(end, max(at, end if calm_left_s is None else now + calm_left_s))


def given_up(one: Round, now: float) -> bool:
    """It has waited long enough for calls to end."""
    return not one.hurry and now >= one.began_at + PATIENCE_S


def failed(results: Sequence[Sequence[SelfChecked]]) -> list[str]:
    """Items of which the last look that could be had failed. `results`: of the rounds, newest first."""
    known: dict[str, str] = {}
    for one in results:
        for found in one:
            if found.result != "undone":
                known.setdefault(found.item, found.result)
    return sorted(item for item, result in known.items() if result == "failed")
