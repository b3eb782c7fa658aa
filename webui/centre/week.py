"""Hours of a week: as fields for its days, as the document writes them, as bars. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from appliance.config.entry import DAY_MINUTES, WEEKDAYS, minutes, weekdays

DAYS = WEEKDAYS


def by_day(hours: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of a document that is in order, or nearly so: what cannot be read is left out."""
    found: dict[str, list[str]] = {day: [] for day in DAYS}
    for key, stretches in hours.items():
        try:
            days = weekdays(key)
        except ValueError:
            continue
        for day in days:
            found[day] = [stretches] if isinstance(stretches, str) else [str(one) for one in stretches or ()]
    return found


def shown(hours: Mapping[str, Any]) -> dict[str, str]:
    return {day: " ".join(stretches) for day, stretches in by_day(hours).items()}


def read(fields: Mapping[str, str], old: Mapping[str, Any]) -> dict[str, Any]:
    """As the document writes it; as it was written when it says the same."""
    wanted = {day: _stretches(fields.get(day, "")) for day in DAYS}
    if wanted == by_day(old):
        return dict(old)
    found: dict[str, Any] = {}
    first = 0
    while first < len(DAYS):
        last = first
        while last + 1 < len(DAYS) and wanted[DAYS[last + 1]] == wanted[DAYS[first]]:
            last += 1
        if wanted[DAYS[first]]:
            key = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
            found[key] = wanted[DAYS[first]]
        first = last + 1
    return found


def _stretches(text: str) -> list[str]:
    plain = re.sub(r"\s*[-–—~～至]\s*", "-", text).replace("：", ":")
    return [one for one in re.split(r"[\s,;，；、]+", plain) if one]


def bars(hours: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, int]]]]:
    """Day -> from which minute how many it is open; what goes on behind midnight is with the day after."""
    week = by_day(hours)
    found: dict[str, list[tuple[int, int]]] = {day: [] for day in DAYS}
    for place, day in enumerate(DAYS):
        for stretch in _good(week[day]):
            begin, end = stretch
            found[day].append((begin, min(end, DAY_MINUTES) - begin))
            if end > DAY_MINUTES:
                found[DAYS[(place + 1) % 7]].append((0, end - DAY_MINUTES))
    return [(day, sorted(stretches)) for day, stretches in found.items()]


def _good(stretches: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for one in stretches:
        try:
            found.append(minutes(one))
        except ValueError:
            continue
    return found
