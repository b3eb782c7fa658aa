"""branchline route and branchline calendar."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    CalendarInfo,
    CalendarList,
    ForceCalendar,
    GetCalendars,
    Reply,
    Request,
)
from appliance.launch.cli import main
from appliance.launch.moments import ahead

BOX = """\
spans:
  - {name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}
  - {name: pbx1, url: "virtual:run/pbx/b", side: network, trunk: pbx}
centre:
  calendars: [{name: office, hours: {mon-fri: "09:00-17:30"}, holidays: cn, timezone: Asia/Shanghai}]
  lists: [{name: unwanted, file: unwanted.csv}]
  entry:
    - {name: unwanted, lists: unwanted, reject: 21}
    - {name: night, called: 50xx, calendar: office, forward: {number: "13800138000", unanswered: main.yaml}}
    - {name: wrong, called: 7xxx, priority: 60, announce: welcome}
  inbound: [{trunk: telco, called: "5001", flow: main.yaml}]
  outbound: [{trunk: pbx, called: "9([0-9]{3,})", to: telco}]
  queues: [{name: support, agents: [li]}]
  agents: [{name: li, extension: "801", trunk: pbx}]
"""
HOLIDAY = ("--at", "2026-10-01 20:00+08:00")
MONDAY = ("--at", "2026-11-23 10:00+08:00")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "box.yaml").write_text(BOX)
    (tmp_path / "unwanted.csv").write_text("number\n1700*\n")
    return tmp_path / "box.yaml"


def run(*words: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.output.splitlines()


@pytest.mark.parametrize(("words", "last"), [
    (("5001", *MONDAY), "no rule: flow {}/main.yaml: centre.inbound: 5001 on trunk telco"),
    (("5001", *HOLIDAY), "rule night: forwarded to 13800138000; unanswered: flow {}/main.yaml"),
    (("5001", "--from", "17001234567", *MONDAY), "rule unwanted: refused with cause 21"),
    (("5009", *MONDAY), "refused: no rule takes it, and centre.inbound has no such number"),
    (("7000", *MONDAY), "rule wrong: hears welcome, then the end"),
    (("666", *MONDAY), "refused with cause 1: no rule and no route has 666 on trunk telco"),
    (("9110", "--trunk", "pbx"), "goes out: 110 by trunk telco (centre.outbound 9([0-9]{3,}))"),
])
def test_where_a_call_goes(box: Path, words: tuple[str, ...], last: str) -> None:
    code, lines = run("route", *words, "--config", str(box))
    assert (code, lines[-1].strip()) == (0, last.replace("{}", str(box.parent), 1))


def test_every_rule_is_accounted_for(box: Path) -> None:
    _, lines = run("route", "5001", "--from", "02188881234", *HOLIDAY, "--config", str(box))
    assert [line.strip() for line in lines[1:4]] == [
        "unwanted: no: caller +862188881234 (上海/上海) is not in list unwanted",
        "night: takes it: called 5001 is 50xx, calendar office is closed: "
        "thu 2026-10-01 (National Day): closed",
        "noted: region 上海/上海"]


@pytest.mark.parametrize(("words", "says"), [
    (("5001", "--at", "25:00"), "is no time"), (("5001", "--trunk", "tel"), "no span has trunk 'tel'")])
def test_what_cannot_be_asked(box: Path, words: tuple[str, ...], says: str) -> None:
    code, lines = run("route", *words, "--config", str(box))
    assert code != 0 and says in lines[-1]


def test_a_wrong_table_is_named_with_its_line(box: Path) -> None:
    (box.parent / "unwanted.csv").write_text("number\n13x\n")
    code, lines = run("route", "5001", "--config", str(box))
    assert code == 78 and "unwanted.csv:2: number: '13x'" in lines[-1]


def test_a_time_of_day_that_has_passed_is_tomorrows() -> None:
    noon = datetime(2026, 11, 20, 12)
    assert ahead(datetime(2026, 11, 20, 9), noon) == datetime(2026, 11, 21, 9)
    assert ahead(datetime(2026, 11, 20, 13), noon) == datetime(2026, 11, 20, 13)
    assert ahead(datetime(2026, 11, 19, 13), noon) == datetime(2026, 11, 19, 13)


class Centre:
    """acdd with one calendar."""

    def __init__(self) -> None:
        self.asked: list[ForceCalendar] = []
        self.now = CalendarInfo(name="office", open=True, why="fri 09:00-17:30", until=None)

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case ForceCalendar(calendar="office", open=state):
                self.asked.append(request)
                self.now = CalendarInfo(name="office", open=state is not False, why="by hand", until=None,
                                        forced=state, forced_until=request.until)
            case ForceCalendar():
                raise Refused(f"no calendar is called {request.calendar!r}, there are office")
            case GetCalendars():
                pass
            case _:
                raise AssertionError(request)
        return CalendarList(calendars=[self.now])


async def test_a_calendar_is_shown_and_forced(bus_server: Path, box: Path) -> None:
    acdd, centre = await Bus.connect(bus_server, "acdd"), Centre()
    try:
        await acdd.answer(centre.answer)

        async def ask(*words: str) -> tuple[int, list[str]]:
            return await asyncio.to_thread(run, *words, "--run-dir", str(bus_server))

        assert await ask("calendar") == (0, ["office          open    fri 09:00-17:30"])
        assert await ask("calendar", "office", "--closed", "--until", "2099-01-01 15:00") == (
            0, ["office          closed  by hand"])
        assert centre.asked == [ForceCalendar(
            calendar="office", open=False, until=datetime(2099, 1, 1, 15).timestamp())]
        live = await ask("route", "5001", *MONDAY, "--live", "--config", str(box))
        assert live[1][-1].strip().startswith("rule night: forwarded")
        assert (await ask("calendar", "office", "--by-hours"))[0] == 0 and centre.asked[-1].open is None
        for wrong in (("shop", "--open"), ("shop",)):
            code, lines = await ask("calendar", *wrong)
            assert code != 0 and "no calendar is called 'shop', there are office" in lines[-1]
        assert (await ask("calendar", "--open"))[0] == 2
    finally:
        await acdd.close()
