"""Days, weeks, months, quarters and years of the box's calendar."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from appliance.config.quality import PeriodKind

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    name: str                                     # 2026-11-22, 2026-W47, 2026-11, 2026-Q4, 2026: in order
    since: float                                  # Unix seconds
    until: float


def period(kind: PeriodKind, at: float, zone: tzinfo | None = None) -> Period:
    """The one that `at` is in. zone None: the box's own."""
    moment = datetime.fromtimestamp(at, zone)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if kind == "day":
        return _period(f"{day:%Y-%m-%d}", day, day + timedelta(days=1))
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        year, week, _ = day.isocalendar()
        return _period(f"{year}-W{week:02}", monday, monday + timedelta(days=7))
    months = MONTHS[kind]
    first = (day.month - 1) // months * months
    since = day.replace(month=first + 1, day=1)
    ahead = first + months
    until = since.replace(year=day.year + ahead // 12, month=ahead % 12 + 1)
    names = {"month": f"{since:%Y-%m}", "quarter": f"{day.year}-Q{first // 3 + 1}", "year": f"{day.year}"}
    return _period(names[kind], since, until)


def _period(name: str, since: datetime, until: datetime) -> Period:
    return Period(name, since.timestamp(), until.timestamp())
