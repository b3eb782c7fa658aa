"""Days unlike the others, as a list that somebody pastes: a day or first and last day, and what for. Pure.

Between them may stand hours, or = and a weekday whose hours they have; closed otherwise:

    2027-01-01 New Year
    2027-10-01 - 2027-10-07 National Day
    2027-12-31 09:00-12:00 stock-taking
    2027-09-26 =fri make-up day

In Chinese a line may name several days, with the sign of a list between them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from appliance.config.entry import LONGEST_SPECIAL, WEEKDAYS, minutes
from webui.centre.forms import MOST_ROWS
from webui.centre.sheets import Row, State

LONGEST_NOTE = 64

# The signs of Chinese dates: year, month, day; to. A weekday may stand in brackets after a date.
_MONTH = r"(\d{1,2})\s*[-/.\u6708]\s*"
_AT_DAY = r"(\d{1,2})(?!\d)(?:\s*[\u65e5\u53f7])?"
_WEEKDAY = re.compile(
    r"\s*[(\uff08]\s*(?:(?:\u661f\u671f|\u5468|\u793c\u62dc)"
    r"[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u65e5\u5929]"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?)\s*[)\uff09]", re.IGNORECASE)
_FIRST = re.compile(rf"(\d{{4}})\s*[-/.\u5e74]\s*{_MONTH}{_AT_DAY}")
_JOIN = r"\s*(?:-|\u2013|\u2014|~|\uff5e|\u81f3|\u5230|to\b)+\s*"
_LAST = re.compile(rf"(?:{_JOIN}|\s*,\s*|\s+){_FIRST.pattern}", re.IGNORECASE)
# Without its year, or with the sign of a day also without its month.
_SHORT = re.compile(rf"{_JOIN}()(?:{_MONTH})?(\d{{1,2}})(?!\d)(?(2)(?:\s*[\u65e5\u53f7])?|\s*[\u65e5\u53f7])"
                    r"(?!\s*[-:\uff1a./\u5e74\u6708]\s*\d)", re.IGNORECASE)
# Another day, not the last one of several.
_ALSO = re.compile(rf"\s*\u3001\s*(?:(?:(\d{{4}})\s*[-/.\u5e74]\s*)?{_MONTH})?(\d{{1,2}})(?!\d)"
                   r"(?(2)(?:\s*[\u65e5\u53f7])?|\s*[\u65e5\u53f7])(?!\s*[-:\uff1a./\u5e74\u6708]\s*\d)")
_JOINED = re.compile(rf"{_JOIN}\d", re.IGNORECASE)
_TIME, _END = r"(\d{1,2}[:\uff1a]\d{2})", r"(?=[\s,;\u3001\uff0c\uff1b]|$)"
_HOURS = re.compile(rf"{_TIME}\s*[-\u2013\u2014~\uff5e\u81f3]\s*{_TIME}{_END}")
_NEARLY_HOURS = re.compile(r"\d{1,2}([:\uff1a.]\d{2})?\s*[-\u2013\u2014~\uff5e\u81f3]\s*\d")
_LIKE = re.compile(rf"=\s*([a-z]{{3}}){_END}", re.IGNORECASE)
_BETWEEN = " \t,;\u3001\uff0c\uff1b\u3000:\uff1a"

Day = dict[str, Any]                              # as the document writes it


class _Bad(Exception):
    """`why`: a word of SHEET in labels.py."""

    def __init__(self, why: str, about: str) -> None:
        super().__init__(why)
        self.why, self.about = why, about


@dataclass(frozen=True, slots=True)
class Taken:
    """`days`: all of the calendar afterwards."""

    days: list[Day]
    rows: list[Row]

    @property
    def wrong(self) -> bool:
        return any(row.state == "wrong" for row in self.rows)


def take(text: str, there: Sequence[Mapping[str, Any]], whole_years: bool) -> Taken:
    """A day that is there already with the same beginning becomes the one of the list. `whole_years`: days of
    the list's years that are not in it go. Nothing of it can be used while a line is wrong."""
    found: list[tuple[int, Day]] = []
    rows: list[Row] = []
    for number, line in _lines(text):
        try:
            if len(found) >= MOST_ROWS:
                raise _Bad("rows", str(MOST_ROWS))
            for day in _days(line):
                if (other := next((one for _, one in found if _meet(one, day)), None)) is not None:
                    raise _Bad("overlap", str(other["date"]))
                found.append((number, day))
        except _Bad as bad:
            rows.append(Row(number, line[:40], "wrong", bad.why, bad.about))
            if bad.why == "rows":
                break
    years = {date.fromisoformat(one["date"]).year for _, one in found}
    new = {one["date"]: one for _, one in found}
    old = {str(one.get("date")): dict(one) for one in there}
    kept = {day: one for day, one in old.items()
            if not (whole_years and day not in new and _first(one).year in years)}
    for number, day in found:
        meets = next((one for at, one in kept.items() if at not in new and _meet(one, day)), None)
        before = old.get(day["date"])
        state: State = "new" if before is None else "same" if _same(before, day) else "changed"
        rows.append(Row(number, named(day), "wrong", "overlap", str(meets["date"])) if meets is not None
                    else Row(number, named(day), state))
    gone = [Row(0, named(one), "gone") for day, one in old.items() if day not in kept]
    merged = {day: one if day not in new or _same(one, new[day]) else new[day] for day, one in kept.items()}
    days = [*merged.values(), *(one for day, one in new.items() if day not in merged)]
    if len(days) > MOST_ROWS:
        rows.append(Row(0, "", "wrong", "rows", str(MOST_ROWS)))
    return Taken(days, [*sorted(rows, key=lambda row: row.line), *gone])


def named(day: Mapping[str, Any]) -> str:
    """2027-10-01 - 2027-10-07 National Day; with its hours, or = and the weekday, when it has any."""
    last = f" - {day['to']}" if day.get("to") else ""
    hours = day.get("hours") or []
    like = [f"={day['like']}"] if day.get("like") else [hours] if isinstance(hours, str) else hours
    return " ".join([f"{day['date']}{last}", *like, day.get("note", "")]).strip()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Those that say something, by their numbers; # begins a remark."""
    for number, line in enumerate(text.splitlines(), 1):
        if (said := " ".join(line.replace("\ufeff", "").split())) and not said.startswith("#"):
            yield number, said


def _days(line: str) -> list[Day]:
    first, rest = _date(_FIRST.match(line), line)
    found: list[Day] = []
    while True:
        found.append({"date": first.isoformat()})
        last = first
        if after := _LAST.match(rest) or _SHORT.match(rest):
            last, rest = _date(after, rest, first)
            if not 0 <= (last - first).days < LONGEST_SPECIAL:
                raise _Bad("last day", last.isoformat())
            if last > first:
                found[-1]["to"] = last.isoformat()
        if _JOINED.match(rest):
            raise _Bad("last day", rest.strip()[:20])
        if (also := _ALSO.match(rest)) is None:
            break
        first, rest = _date(also, rest, last)
        if first <= last:
            raise _Bad("date", also[0].strip())
    return [{**one, **_hours(rest)} for one in found]            # each with a list of hours of its own


def _hours(rest: str) -> Day:
    """What follows the dates: hours, or the weekday that has them; what for."""
    hours: list[str] = []
    like = ""
    while True:
        rest = rest.lstrip(_BETWEEN)
        if said := _HOURS.match(rest):
            hours.append("-".join(one.replace("\uff1a", ":") for one in said.groups()))
        elif not like and (said := _LIKE.match(rest)):
            like = said[1].lower()
        else:
            break
        rest = rest[said.end():]
    if rest.startswith("="):
        raise _Bad("like", rest[:20])
    if _NEARLY_HOURS.match(rest):
        raise _Bad("hours", rest[:20])
    if like and (hours or like not in WEEKDAYS):
        raise _Bad("like", like)
    for one in hours:
        try:
            minutes(one)
        except ValueError:
            raise _Bad("hours", one) from None
    note = " ".join(rest.split())
    if note and (len(note) > LONGEST_NOTE or not note.isprintable()):
        raise _Bad("note", note[:20])
    found: Day = {"like": like} if like else {"hours": hours}
    return found | ({"note": note} if note else {})


def _date(found: "re.Match[str] | None", line: str, before: date | None = None) -> tuple[date, str]:
    """And what follows it. `before`: has the year, and the month, that are left out."""
    if found is None:
        raise _Bad("date", line[:20])
    year, month, day = found.groups()
    if before is not None:
        year, month = year or before.year, month or before.month
    rest = line[found.end():]
    if weekday := _WEEKDAY.match(rest):
        rest = rest[weekday.end():]
    try:
        return date(int(year), int(month), int(day)), rest
    except ValueError:
        raise _Bad("date", found[0].strip()) from None


def _first(day: Mapping[str, Any]) -> date:
    return date.fromisoformat(str(day["date"]))


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    begin, end = _span(one)
    other_begin, other_end = _span(other)
    return begin <= other_end and other_begin <= end


def _span(day: Mapping[str, Any]) -> tuple[date, date]:
    first = _first(day)
    return first, date.fromisoformat(str(day["to"])) if day.get("to") else first


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _plain(one) == _plain(other)


def _plain(day: Mapping[str, Any]) -> tuple[Any, ...]:
    hours = day.get("hours")
    return (*_span(day), [hours] if isinstance(hours, str) else hours, day.get("like"), day.get("note", ""))

