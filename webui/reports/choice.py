"""What a report is asked for: a choice as its address holds it, and the times that it means. No clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext

ALL = ""                                          # the name of all together
KINDS = ("queue", "agent", "trunk", "flow")
ON_THE_BUS = {"queue": "queue", "agent": "agent", "trunk": "trunk", "flow": "node"}
PERIODS = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month", "this-year", "dates")
STEPS_S = {"whole": 0.0, "quarter": 900.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
SETS: dict[str, dict[str, tuple[str, ...]]] = {   # (): all figures
    "queue": {
        "service": ("offered", "answered", "abandoned", "answered_share", "service_level", "abandonment",
                    "asa_s", "aht_s", "fcr", "satisfaction"),
        "waiting": ("offered", "answered", "waiting", "asa_s", "wait_90_s", "longest_wait_s",
                    "abandon_wait_s", "ewt_error_share"),
        "work": ("handled", "talk_s", "hold_s", "wrap_up_s", "aht_s", "transferred", "transfer_rate"),
        "traffic": ("offered", "answered", "abandoned", "short_abandoned", "turned_away", "overflowed",
                    "left", "callbacks", "callbacks_share", "failed"),
        "all": ()},
    "agent": {
        "service": ("handled", "aht_s", "taken_share", "transfer_rate", "fcr", "satisfaction", "occupancy"),
        "work": ("logged_in_s", "ready_s", "at_work_s", "not_ready_s", "occupancy", "utilisation", "talk_s",
                 "hold_s", "wrap_up_s", "aht_s"),
        "traffic": ("rung", "taken", "taken_share", "handled", "transferred", "out_calls", "out_answered",
                    "internal_calls", "consulted"),
        "all": ()},
    "trunk": {"all": ()},
    "flow": {"all": ()},
}
FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST_DAYS = 366
LONG_DAYS = 100                                   # a longer time stands alone
MOST_NAMES = 30                                   # of a choice
MOST_ROWS = 2400                                  # names times intervals: acdd's reply has an end, too
LONGEST_NAME = 128
LONGEST_ADDRESS = 4000
QUARTER_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """As the address of the page says it. names (): all together, and each where there are no intervals."""

    kind: str = "queue"
    names: tuple[str, ...] = ()
    period: str = "today"
    since: str = ""                               # of dates: the first and the last day
    until: str = ""
    interval: str = "whole"
    set: str = ""
    chart: str = ""                               # a figure

    def query(self, **changes: str) -> str:
        """For an address; read() makes the same of it."""
        fields = [("kind", self.kind), *(("name", name) for name in self.names), ("period", self.period),
                  ("since", self.since), ("until", self.until), ("interval", self.interval),
                  ("set", self.set), ("chart", self.chart)]
        fields = [(key, changes.get(key, value)) for key, value in fields]
        more = [(key, value) for key, value in changes.items() if key not in {key for key, _ in fields}]
        return urlencode([(key, value) for key, value in (*fields, *more) if value])

    def figures(self) -> tuple[str, ...]:
        """(): all of them."""
        return SETS[self.kind][self.set]

    @property
    def by_time(self) -> bool:
        return self.interval != "whole"


def read(args: Mapping[str, str], names: list[str]) -> Choice:
    """ValueError: with a sentence for people."""
    kind, interval = args.get("kind") or "queue", args.get("interval") or "whole"
    period = args.get("period") or ("dates" if args.get("since") else "today")
    if kind not in KINDS or interval not in STEPS_S or period not in PERIODS:
        raise ValueError(gettext("This request cannot be understood"))
    names = list(dict.fromkeys(name for name in names if name))
    if len(names) > MOST_NAMES or any(len(name) > LONGEST_NAME for name in names):
        raise ValueError(gettext("At most %(most)d names at a time.", most=MOST_NAMES))
    dates = period == "dates"
    chosen = args.get("set", "")
    return Choice(
        kind=kind, names=tuple(names), period=period, interval=interval,
        since=args.get("since", "")[:10] if dates else "", until=args.get("until", "")[:10] if dates else "",
        set=chosen if chosen in SETS[kind] else next(iter(SETS[kind])), chart=args.get("chart", "")[:64])


def read_query(query: str) -> Choice:
    """Of a choice that was kept. ValueError: it is none."""
    pairs = parse_qsl(query[:LONGEST_ADDRESS])
    return read(dict(pairs), [value for key, value in pairs if key == "name"])


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to acdd; interval_s 0: the whole time in one row."""

    since: float
    until: float
    interval_s: float


@dataclass(frozen=True, slots=True)
class Times:
    """Unix seconds, whole quarters of an hour. `shift_days`: how long before it lies what it is compared to,
    whole weeks, so that days of the week meet their like; 0: to nothing."""

    since: float
    until: float
    shift_days: int
    zone: tzinfo | None

    @property
    def long(self) -> bool:
        return not self.shift_days

    def local(self, at: float) -> datetime:
        """Time of the wall clock, without a zone."""
        return datetime.fromtimestamp(at, self.zone).replace(tzinfo=None)

    def before(self) -> "Times":
        """The time it is compared to: the same hours of the wall clock."""
        back = timedelta(days=self.shift_days)
        return Times(_unix(self.local(self.since) - back, self.zone),
                     _unix(self.local(self.until) - back, self.zone), self.shift_days, self.zone)

    def spans(self, interval: str) -> list[tuple[float, float]]:
        """The intervals. A day is as long as it is where clocks change; days and weeks begin at midnight."""
        step_s = STEPS_S[interval]
        if not step_s:
            return [(self.since, self.until)]
        if interval in ("day", "week"):
            borders = [self.since, *self._midnights(interval), self.until]
        else:
            count = int(-(-(self.until - self.since) // step_s))
            borders = [self.since + place * step_s for place in range(count)] + [self.until]
        return list(pairwise(borders))

    def _midnights(self, interval: str) -> Iterator[float]:
        day = self.local(self.since).replace(hour=0, minute=0)
        while True:
            day += timedelta(days=7 - day.weekday() if interval == "week" else 1)
            if (at := _unix(day, self.zone)) >= self.until:
                return
            yield at

    def asks(self, interval: str) -> list[Ask]:
        """As few questions as have all intervals: one, and one more for each change of their length."""
        found: list[Ask] = []
        spans = self.spans(interval)
        for since, until in spans:
            last = found[-1] if found else None
            step_s = last.interval_s or last.until - last.since if last else 0.0
            shorter_end = until == self.until and until - since < step_s
            if last and (until - since == step_s or shorter_end):
                found[-1] = Ask(last.since, until, step_s)
            else:
                found.append(Ask(since, until, 0.0))
        return found


def times(choice: Choice, now: float, zone: tzinfo | None = None) -> Times:
    """`zone` None: this machine's. Of a time that goes on, up to the end of this quarter of an hour.

    ValueError: with a sentence for people.
    """
    first, last = _days(choice, datetime.fromtimestamp(now, zone).date())
    if first > last:
        raise ValueError(gettext("The last day lies before the first."))
    if (last - first).days >= LONGEST_DAYS:
        raise ValueError(gettext("At most a year at a time."))
    since = _unix(datetime(first.year, first.month, first.day), zone)
    after = last + timedelta(days=1)
    until = min(_unix(datetime(after.year, after.month, after.day), zone), -(-now // QUARTER_S) * QUARTER_S)
    if since >= until:
        raise ValueError(gettext("These days have not come yet."))
    weeks = 0 if (last - first).days >= LONG_DAYS else -(-((last - first).days + 1) // 7)
    found = Times(since, until, 7 * weeks, zone)
    if len(found.spans(choice.interval)) * max(1, len(choice.names)) > MOST_ROWS:
        raise ValueError(gettext("These are too many intervals: choose longer ones, or fewer days or names."))
    return found


def _days(choice: Choice, today: date) -> tuple[date, date]:
    """The first and the last one."""
    one = timedelta(days=1)
    week = today - today.weekday() * one
    month = today.replace(day=1)
    match choice.period:
        case "today":
            return today, today
        case "yesterday":
            return today - one, today - one
        case "this-week":
            return week, today
        case "last-week":
            return week - 7 * one, week - one
        case "this-month":
            return month, today
        case "last-month":
            return (month - one).replace(day=1), month - one
        case "this-year":
            return today.replace(month=1, day=1), today
    first = _day(choice.since) if choice.since else today
    return first, min(_day(choice.until) if choice.until else max(today, first), max(today, first))


def _day(said: str) -> date:
    try:
        day = datetime.strptime(said, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(gettext("%(said)s is no day: write it as 2026-09-28.", said=said)) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(gettext("%(said)s is no day: write it as 2026-09-28.", said=said))
    return day


def _unix(local: datetime, zone: tzinfo | None) -> float:
    """An hour that the clock jumps over: the one after it; one that comes twice: the first."""
    return local.replace(tzinfo=zone).timestamp()
