"""The entrance of a configuration: its calendars, and the tables that it names read from their files."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.centre.entry.calendar import Calendar
from appliance.centre.entry.lists import NumberList, load_list
from appliance.centre.entry.numbers import Numbers, plan_of
from appliance.centre.entry.regions import load_regions
from appliance.centre.entry.rules import Entrance
from appliance.config.entrance import shadowed
from appliance.config.lines import NumbersConfig
from appliance.config.schema import CentreConfig, Config
from appliance.errors import ConfigError

LOCAL_ZONE = Path("/etc/localtime")


def box_zone() -> tzinfo:
    """The box's own time zone: of TZ, else of the system; UTC where there is none."""
    if name := os.environ.get("TZ", "").removeprefix(":"):
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise ConfigError(f"TZ={name}: no time zone of IANA's; e.g. Asia/Shanghai") from None
    try:
        with LOCAL_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except OSError:
        return UTC


def load_entrance(config: Config, zone: tzinfo) -> Entrance:
    """ConfigError has a line for every mistake in the tables and for every name that they have not."""
    centre, numbers = config.centre, Numbers(plan_of(config))
    wrong: list[str] = []
    calendars: dict[str, Calendar] = {}
    for one in centre.calendars:
        try:
            calendars[one.name] = Calendar(one, zone)
        except ValueError as error:
            wrong.append(f"centre.calendars: {one.name}: {error}")
    lists: dict[str, NumberList] = {}
    for listed in centre.lists:
        try:
            lists[listed.name] = load_list(Path(listed.file), numbers, zone)
        except ConfigError as error:
            wrong.append(str(error))
    try:
        regions = load_regions([Path(path) for path in centre.regions.tables], centre.regions.groups, numbers)
        wrong += [f"centre.entry: {rule.name}: regions: {why}" for rule in centre.entry
                  for wanted in rule.regions if (why := regions.unknown(wanted))]
    except ConfigError as error:
        wrong.append(str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    plans = {trunk.name: Numbers(trunk.numbers) for trunk in config.trunks if trunk.numbers is not None}
    return Entrance(centre, numbers, calendars, lists, regions, plans)


def warnings(entrance: Entrance, now: float) -> Iterator[str]:
    """What a calendar does not know of this year and the next, and rules that are of no use: a sentence each.
    """
    yield from shadowed(entrance.centre)
    for calendar in entrance.calendars.values():
        this = datetime.fromtimestamp(now, calendar.zone).year
        for year in calendar.unannounced(this, this + 1):
            yield (f"centre.calendars: {calendar.name}: which Saturdays and Sundays of {year} are worked in "
                   "place of holidays is not known here: list them in days, with like, when it is announced")




def bare(centre: CentreConfig, zone: tzinfo = UTC) -> Entrance:
    """Without tables: of a document that names none, with numbers as China writes them."""
    return Entrance(centre, Numbers(NumbersConfig(country="CN")),
                    {one.name: Calendar(one, zone) for one in centre.calendars})
