"""Public holidays of a country, and the Saturdays and Sundays that are worked in their place.

The days are those of the library `holidays`, imported with the first calendar that names a country: 17 MB.
Ref: for China the yearly notices of the State Council's General Office, which come out the November before.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

IN_A_ROW = frozenset({"cn"})                      # weekend days beside a holiday are part of it by decree
FIRST_YEAR, LAST_YEAR = 2000, 2100                # of which anything is known
_ENGLISH = "en_US"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Year:
    """`free`: days with their holiday's name. `working`: weekend days that are worked (make-up days)."""

    free: Mapping[date, str]
    working: frozenset[date]
    announced: bool                               # False: its make-up days are decreed and not known here


@functools.lru_cache(maxsize=64)
def year(country: str, region: str | None, number: int) -> Year:
    """`country` as in config.country. ValueError: it has no such region."""
    if not FIRST_YEAR <= number <= LAST_YEAR:     # the box's clock is wrong: calls come in all the same
        return Year({}, frozenset(), announced=False)
    found = _library(country, region, number)
    working = frozenset(day for day in found.weekend_workdays if day.year == number)
    free = dict(found.items())                    # of the year after, too: a weekend may belong to 1 January
    if country in IN_A_ROW:
        free = _with_weekends(free, found.weekend_workdays, found.weekend)
    free = {day: name for day, name in sorted(free.items()) if day.year == number}
    decreed = getattr(found, "substituted_label", None) is not None
    return Year(free, working, not decreed or number <= max(found.special_public_holidays))


def regions(country: str) -> tuple[str, ...]:
    """Those that have holidays of their own."""
    import holidays

    return tuple(holidays.country_holidays(country.upper()).subdivisions)


def _library(country: str, region: str | None, number: int) -> "HolidayBase":
    import holidays  # here: see above

    try:
        known = holidays.country_holidays(country.upper(), subdiv=region)
    except NotImplementedError:
        raise ValueError(f"{country} has no region {region!r} with holidays of its own, there are "
                         f"{', '.join(regions(country)) or 'none'}") from None
    language = _ENGLISH if _ENGLISH in known.supported_languages else None
    return holidays.country_holidays(
        country.upper(), subdiv=region, years=(number, number + 1), language=language)


def _with_weekends(free: dict[date, str], working: set[date], weekend: set[int]) -> dict[date, str]:
    whole = dict(free)
    for day, name in free.items():
        for step in (-_DAY, _DAY):
            beside = day + step
            while beside.weekday() in weekend and beside not in working and beside not in whole:
                whole[beside] = name
                beside += step
    return whole
