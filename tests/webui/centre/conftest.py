"""A branch whose document boxd keeps, with acdd's calendars and the prompts that there are."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    CalendarDay,
    CalendarInfo,
    CalendarList,
    CalendarLook,
    CalendarUse,
    ForceCalendar,
    GetCalendars,
    GetPrompts,
    LookAtCalendar,
    PromptList,
    Sentence,
)
from appliance.centre.entry.forcing import look_at_draft
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import FakeExchange

DOCUMENT = """\
# The branch in Suzhou
spans:
  - {name: telco1, url: "virtual:/x/b", side: user, trunk: telco}   # the telephone company's
  - {name: pbx1, url: "virtual:/x/a", side: network, trunk: office}

centre:
  calendars:
    - name: office
      timezone: Asia/Shanghai
      hours: {mon-fri: ["09:00-12:00", "13:30-17:30"], sat: "22:00-06:00"}
      holidays: cn
      days:
        - {date: 2020-12-31, hours: [], note: stock-taking}
  queues:
    - name: sales
      ring_s: 12.0       # agents asked for it
      skills: {sales: 3}
      rings:
        - {after_s: 20, lower: {sales: 1}}
      music: ""
    - {name: service, skills: {service: 5}, overflow: [{after_s: 30, to: sales}]}
  agents:
    - {name: anna, extension: "8001", trunk: office, skills: {sales: 5, en: 3}}   # the first
    - {name: bert, extension: "8002", trunk: office, skills: {sales: 3}}
    - {name: chen, extension: "8004", trunk: office, skills: {service: 8}}
    - {name: dora, extension: "8003", trunk: office, skills: {sales: 1, service: 5}}
    - {name: emil, extension: "8005", trunk: office, starts: logged-out}
  sources:
    - name: crm
      url: "https://crm.example/find?number={number}"
      headers: {Authorization: "Bearer s3cret-token"}

quality:
  groups:
    - {name: east, agents: [anna, bert]}
    - {name: west, agents: [chen, dora]}
recording:
  rules:
    - {name: legal, queue: service, record: always}
    - {name: few, percent: 10}
retention: {keep_days: 180}
web: {port: 8080}
"""


def these_days() -> str:
    """Yesterday to tomorrow where the calendar is: no stretch of hours goes on into now."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return f"{today - timedelta(1)} - {today + timedelta(1)}"


class Branch:
    """What acdd and recordd say beside the branch at work."""

    def __init__(self, exchange: FakeExchange) -> None:
        self.forced: list[ForceCalendar] = []
        self._others = exchange.ask
        exchange.ask = self.ask                   # type: ignore[method-assign]

    def ask(self, request: Any, timeout_s: float = 2.0) -> Any:
        match request:
            case GetPrompts():
                return PromptList(prompts=[], needed={})
            case GetCalendars() | ForceCalendar():
                if isinstance(request, ForceCalendar):
                    self.forced.append(request)
                last = self.forced[-1] if self.forced else None
                return CalendarList(calendars=[CalendarInfo(
                    name="office", open=True, why="mon", until=time.time() + 60,
                    forced=last.open if last else None, forced_by=last.by if last else "",
                    uses=[CalendarUse(kind="flow", where="main.yaml", what="opening", queues=["sales"]),
                          CalendarUse(kind="number", where="telco 5000"),
                          CalendarUse(kind="entry", where="night"), CalendarUse(kind="callbacks")])])
            case LookAtCalendar(instead=draft) if draft:
                return look_at_draft(request, {}, UTC)           # acdd's own
            case LookAtCalendar(calendar="office", years=[]):
                return CalendarLook(open=True, why=Sentence("mon"), until=time.time() + 60, days=[],
                                    unknown=[])
            case LookAtCalendar(calendar="office", years=years):
                return CalendarLook(
                    open=False, why=Sentence("{weekday} {day}{why}: closed", {
                        "weekday": Sentence("thu"), "day": "2020-12-31", "why": " (stock-taking)"}),
                    until=None, days=[CalendarDay(f"{years[0]}-10-01", "National Day"),
                                      CalendarDay(f"{years[0]}-10-10", "", True)], unknown=[years[1]])
            case LookAtCalendar():
                raise Refused("no calendar is called 'none', there are office")
        return self._others(request, timeout_s)


@pytest.fixture
def asked(exchange: FakeExchange) -> Branch:
    return Branch(exchange)


@pytest.fixture
def kept(exchange: FakeExchange, asked: Branch, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(exchange, tmp_path / "box", DOCUMENT)
    yield kept
    kept.close()
