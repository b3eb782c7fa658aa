"""Entry rules at work: a long list of callers is read and searched, a table of rules decides."""

import random
import tempfile
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.centre.entry.calendar import Calendar
from appliance.centre.entry.lists import load_list
from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.regions import load_regions
from appliance.centre.entry.rules import Arrival, Entrance
from appliance.config.lines import NumbersConfig
from appliance.config.schema import CentreConfig
from tests.bench.figures import Kind, Say, Theme

ROWS, RULES, CALLS = 100_000, 100, 4000
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 11, 20, 20, tzinfo=SHANGHAI).timestamp()
CENTRE = CentreConfig.model_validate({
    "calendars": [{"name": "office", "timezone": "Asia/Shanghai", "holidays": "cn",
                   "hours": {"mon-fri": ["09:00-12:00", "13:30-17:30"]}}],
    "lists": [{"name": "long", "file": "long.csv"}],
    "entry": [
        {"name": "known", "lists": "long", "priority": 60},
        *({"name": f"line-{number}", "called": f"5{number:03}", "callers": ["138*", "139*"], "flow": "flow"}
          for number in range(RULES - 3)),
        {"name": "south", "called": "5999", "regions": ["广东", "广西"], "flow": "flow"},
        {"name": "night", "called": "5xxx", "calendar": "office", "forward": "13800138000"}]})


def once(say: Say) -> dict[str, float]:
    chance, numbers = random.Random(1), Numbers(NumbersConfig(country="CN"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        path.write_text("number,grade\n" + "".join(
            f"13{chance.randrange(10 ** 9):09}{'' if row % 10 else '*'},gold\n" for row in range(ROWS)))
        began_s = time.process_time()
        long = load_list(path, numbers, SHANGHAI)
        load_s = time.process_time() - began_s
    entrance = Entrance(CENTRE, numbers, {"office": Calendar(CENTRE.calendars[0])}, {"long": long},
                        load_regions([], [], numbers))
    callers = [f"13{chance.randrange(10 ** 9):09}" for _ in range(CALLS)]
    began_s = time.process_time()
    for caller in callers:
        long.find(numbers.canonical(caller), EVENING)
    find_us = (time.process_time() - began_s) / CALLS * 1e6
    took_us = []
    for place, caller in enumerate(callers):
        began_ns = time.process_time_ns()
        decision = entrance.decide(Arrival("telco", "5998", caller, False, EVENING + place), None, {})
        took_us.append((time.process_time_ns() - began_ns) / 1e3)
        if decision.rule != "night":
            raise ValueError(f"{decision.rule} took the call: {decision.why}")
    return {"list is read": load_s, "caller is looked up": find_us,
            "entry decision, p99": sorted(took_us)[int(0.99 * (CALLS - 1))]}


ENTRY = Theme(
    "entry",
    f"CPU time of reading a list of {ROWS:,} callers, of finding a caller in it, and of deciding where a "
    f"call goes by the last of {RULES} rules, with that list, regions and a calendar, and why by no other.",
    (Kind("list is read", "s CPU"), Kind("caller is looked up", "us CPU", "microseconds"),
     Kind("entry decision, p99", "us CPU", "under 1000")), once, runs=5)
