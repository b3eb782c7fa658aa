"""What a rule says, and what can be measured. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import msgspec

from webui.notices.audience import Audience

SEVERITIES = {"info": "normal", "warning": "important", "critical": "urgent"}  # the urgency of its banner
NAME_MOST = 80
MOST_NAMES = 100
MOST_ADDRESSES = 10
URL_MOST = 500
TEST_S = 60.0                                     # so long a banner that was tried out stands
LONGEST_S = 86400.0                               # that something must hold, or be over
WINDOWS_MIN = (5, 15, 30, 60, 120, 480)
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Measure:
    """`of`: queue, agent, trunk, span, box. `unit`: count, s, share (per cent), days, yes (it is so, or not).
    `figure`: acdd's, of the last minutes if `window`, else since midnight."""

    of: str
    unit: str
    compares: tuple[str, ...] = ()                # above, below
    usual: float = 0.0                            # threshold
    figure: str = ""
    window: bool = False


ABOVE, BELOW = ("above",), ("below",)
MEASURES: dict[str, Measure] = {                  # in the order in which pages offer them
    "waiting": Measure("queue", "count", ABOVE, 5),
    "longest_wait": Measure("queue", "s", ABOVE, 60),
    "ready": Measure("queue", "count", BELOW, 1),
    "service_level": Measure("queue", "share", BELOW, 80, "service_level", window=True),
    "service_level_today": Measure("queue", "share", BELOW, 80, "service_level"),
    "abandoned": Measure("queue", "count", ABOVE, 3, "abandoned", window=True),
    "agents_ready": Measure("agent", "count", BELOW, 1),
    "not_ready": Measure("agent", "s", ABOVE, 900),
    "wrap_up": Measure("agent", "s", ABOVE, 120),
    "occupancy": Measure("agent", "share", ("above", "below"), 90, "occupancy", window=True),
    "line_alarm": Measure("span", "yes"),
    "dchannel_down": Measure("span", "yes"),
    "free_channels": Measure("trunk", "count", BELOW, 3),
    "daemon_away": Measure("box", "yes"),
    "degraded": Measure("box", "yes"),
    "unfit": Measure("box", "yes"),
    "recording": Measure("box", "yes"),
    "certificate": Measure("box", "days", BELOW, 21),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """As somebody wrote it. `which` and `groups` (of agents) empty: all within the owner's range.

    `clear`: the level at which it begins to be over; None: when the threshold is not passed any more. `days`:
    0 is Monday; `since`, `until`: HH:MM where the box stands, "" is all day; past midnight when the second is
    earlier. `calendar`: only while that one is `calendar_when`, open or closed. The rest says who is told and
    how.
    """

    name: str
    what: str
    which: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    compare: str = "above"
    threshold: float = 0.0
    window_min: int = 30
    hold_s: float = 0.0
    clear: float | None = None
    clear_s: float = 10.0
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    since: str = ""
    until: str = ""
    calendar: str = ""
    calendar_when: str = "open"
    severity: str = "warning"
    everybody: bool = False
    tell_roles: tuple[str, ...] = ()
    tell_groups: tuple[str, ...] = ()
    tell_people: tuple[str, ...] = ()
    sound: bool = True
    mail: tuple[str, ...] = ()
    webhook: str = ""

    @property
    def measure(self) -> Measure:
        return MEASURES[self.what]

    @property
    def audience(self) -> Audience:
        return Audience(self.everybody, self.tell_roles, self.tell_groups, self.tell_people)


def within_hours(rule: Rule, now: float, zone: tzinfo | None = None) -> tuple[bool, float | None]:
    """Whether the rule is in force, and when that may change. `zone` None: where the box stands."""
    if not rule.since and len(rule.days) == 7:
        return True, None
    here = datetime.fromtimestamp(now, zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    edges = {midnight + timedelta(days=1)}
    since, until = rule.since or "00:00", rule.until or "00:00"
    for text in (since, until):
        hour, minute = map(int, text.split(":"))
        edges |= {at for day in (0, 1) if (at := (midnight + timedelta(days=day)).replace(
            hour=hour, minute=minute)) > here}
    clock = here.strftime("%H:%M")
    yesterday = (here.weekday() - 1) % 7
    if since < until:
        inside = here.weekday() in rule.days and since <= clock < until
    elif since == until:                          # all day
        inside = here.weekday() in rule.days
    else:                                         # past midnight: the evening's day counts
        inside = (here.weekday() in rule.days and clock >= since) or (
            yesterday in rule.days and clock < until)
    return inside, min(edges).timestamp()
