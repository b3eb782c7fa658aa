"""Calls that arrive at an engine with entry rules, calendars and lists; and a supervisor who forces them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.bus.messages import (
    CalendarInfo,
    CalendarList,
    CalendarLook,
    CalendarUse,
    ForceCalendar,
    GetCalendars,
    LookAtCalendar,
    Sentence,
)
from appliance.centre import events
from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.forcing import look_at_draft
from appliance.centre.entry.lists import load_list
from appliance.centre.entry.load import bare
from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.regions import load_regions
from appliance.centre.entry.rules import Entrance
from appliance.centre.entry.small_flows import flow_of, small_flows
from appliance.centre.events import decode
from appliance.centre.facts import facts
from appliance.centre.flow.names import load_flows
from appliance.centre.turn import Setup
from appliance.config.entry import CalendarConfig, DayConfig, RegionGroupConfig
from appliance.config.lines import NumbersConfig
from appliance.config.load import load
from appliance.config.schema import CentreConfig
from appliance.errors import ConfigError, StateError
from appliance.store import schema
from tests.centre.office import CENTRE, CLOSED, FLOW, SHORT, Office, setup
from tests.config.test_load import GOOD, written

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI).timestamp()       # a Friday
OFFICE_HOURS = {"name": "office", "timezone": "Asia/Shanghai", "hours": {"mon-fri": "09:00-17:30"},
                "holidays": "cn"}
CHINA = Numbers(NumbersConfig(country="CN"))


def centre(*entry: dict[str, Any], **more: Any) -> CentreConfig:
    return CentreConfig.model_validate(
        CENTRE.model_dump() | {"entry": list(entry), "calendars": [OFFICE_HOURS]} | more)


def office(*entry: dict[str, Any], now: float = NOON, **more: Any) -> Office:
    return Office(setup(centre(*entry, **more)), now)


def shut(flow: str = "closed") -> dict[str, Any]:
    """5000 goes to another flow while the office is closed."""
    return {"inbound": [{"trunk": "telco", "called": "5000", "flow": "flow", "calendar": "office",
                         "closed": {"flow": flow}}]}


def state_of(at: Office) -> CalendarInfo:
    reply = at.command(GetCalendars())
    assert isinstance(reply, CalendarList)
    return reply.calendars[0]


def force(at: Office, state: bool | None, until: float = 0.0, calendar: str = "office") -> None:
    at.command(ForceCalendar(calendar=calendar, open=state, until=until, by="li"))


@pytest.mark.parametrize(("hours", "heard"), [(0, ["zh/welcome"]), (5.5, None), (21, ["zh/welcome"])])
def test_a_number_is_closed_after_hours(hours: float, heard: list[str] | None) -> None:
    """12:00, 17:30, and at 9:00 the day after; that is a Saturday, so it is open a Monday later."""
    at = office(now=NOON + timedelta(hours=hours, days=2 if hours == 21 else 0).total_seconds(), **shut())
    name = at.call("c1")
    if heard is None:
        assert (at.records[name].outcome, at.records[name].cause) == ("rejected", 21)
    else:
        assert at.hears("c1") == heard


def look(at: Office, moment: float, calendar: str = "office", years: tuple[int, ...] = ()) -> CalendarLook:
    reply = at.command(LookAtCalendar(calendar=calendar, at=moment, years=list(years)))
    assert isinstance(reply, CalendarLook)
    return reply


def test_what_a_calendar_says_of_another_moment_with_what_was_done_by_hand() -> None:
    holidays = {"name": "cn", "hours": {"mon-fri": ["09:00-17:00"]}, "holidays": "cn"}
    at = office(now=NOON, calendars=[OFFICE_HOURS, holidays])
    assert look(at, NOON).open and not look(at, NOON + 12 * 3600).open
    force(at, False, until=NOON + 3600)
    closed = look(at, NOON + 1800)
    assert not closed.open and closed.why.words == "closed by {by} until {until}"
    assert look(at, NOON + 3600).open
    days = {one.day: one for one in look(at, NOON, "cn", (2025, 2026)).days}
    assert not days["2025-10-01"].works and days["2025-10-01"].name
    assert days["2025-09-28"].works and days["2026-10-01"].name
    assert look(at, NOON, "cn", (2040,)).unknown == [2040] and look(at, NOON, "cn", (2025,)).unknown == []
    for wrong in (LookAtCalendar(calendar="none", at=NOON), LookAtCalendar(calendar="office", at=1e12),
                  LookAtCalendar(calendar="office", at=NOON, years=list(range(6)))):
        with pytest.raises(StateError):
            at.command(wrong)


def drafted(moment: float, instead: str, forced: dict[str, Forced] | None = None) -> CalendarLook:
    asked = LookAtCalendar(calendar="office", at=moment, instead=instead)
    return look_at_draft(asked, forced or {}, SHANGHAI)


def test_a_calendar_that_is_not_in_force_is_looked_at_as_if_it_were() -> None:
    moving = DayConfig(date=datetime.fromtimestamp(NOON, SHANGHAI).date(), hours=[], note="moving")
    draft = CalendarConfig(name="office", hours={"mon-fri": ["09:00-17:00"]}, days=[moving]).model_dump_json()
    said = drafted(NOON, draft)
    assert not said.open and said.why.values["why"] == Sentence(" ({note})", {"note": "moving"})
    assert drafted(NOON, draft, {"office": Forced(True, NOON + 60, "li")}).open
    for wrong in ("{}", "no JSON", '{"name": "office", "hours": {}, "region": "BY"}', " " * 300_000,
                  '{"name": "office", "hours": {}, "holidays": "de", "region": "XX"}'):
        with pytest.raises(StateError, match="instead"):
            drafted(NOON, wrong)


def test_who_goes_by_a_calendar_is_told_with_it() -> None:
    at = office(**shut())
    used = state_of(at).uses
    assert used == [CalendarUse(kind="number", where="telco 5000", queues=["sales"])]


def test_a_supervisor_closes_for_an_hour_and_all_of_it_is_in_the_log() -> None:
    at = office(**shut())
    assert (state_of(at).open, state_of(at).forced) == (True, None)
    force(at, False, NOON + 3600.0)
    now = state_of(at)
    assert (now.open, now.forced, now.forced_by, now.until) == (False, False, "li", NOON + 3600.0)
    assert now.why == "closed by li until 2026-11-20 13:00"
    assert at.records[at.call("c1")].outcome == "rejected"
    at.clear()
    at.restart()                                  # it outlives that
    assert at.records[at.call("c2")].outcome == "rejected"
    at.pass_time(3600.0)
    at.call("c3")
    assert at.hears("c3") == ["zh/welcome"] and state_of(at).forced is None


def test_opened_until_it_is_called_off() -> None:
    at = office(now=NOON + 8 * 3600.0, **shut())
    force(at, True)
    assert state_of(at) == CalendarInfo(name="office", open=True, why="opened by li", until=None, forced=True,
                                        forced_by="li", uses=state_of(at).uses)
    at.engine.checkpoint(at.now)
    at._settle()
    at.restart()
    at.call("c1")
    assert at.hears("c1") == ["zh/welcome"]
    force(at, None)
    assert (state_of(at).open, state_of(at).forced) == (False, None)
    assert at.records[at.call("c2")].outcome == "rejected"


@pytest.mark.parametrize(("calendar", "until", "says"), [
    ("shop", 0.0, "no calendar is called 'shop', there are office"), ("office", NOON, "over already")])
def test_what_cannot_be_forced_changes_nothing(calendar: str, until: float, says: str) -> None:
    at = office()
    before = len(at.log)
    with pytest.raises(StateError, match=says):
        force(at, False, until, calendar)
    assert len(at.log) == before


def test_what_rules_note_is_known_of_the_contact(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_text("number,grade,note\n075588881234,gold,陈女士\n")
    config = centre({"name": "vip", "lists": ["vip"], "priority": 60, "skills": {"vip": 5}, "language": "en"},
                    {"name": "any", "called": "5000", "flow": "flow"},
                    lists=[{"name": "vip", "file": "vip.csv"}],
                    regions={"groups": [{"name": "south", "of": ["广东"]}]})
    doors = Entrance(config, CHINA, {}, {"vip": load_list(tmp_path / "vip.csv", CHINA, SHANGHAI)},
                     load_regions([], config.regions.groups, CHINA))
    numbers = iter(range(1, 100))
    at = Office(Setup.of(config, {"flow": FLOW, "short": SHORT, "closed": CLOSED},
                         lambda: f"{next(numbers):032x}", entrance=doors), NOON)
    name = at.call("c1", calling="+8675588881234")
    contact = at.contact(name)
    assert (contact.priority, contact.grade, contact.region, contact.skills, contact.language) == (
        60, "gold", "south", {"vip": 5}, "en")
    assert at.hears("c1") == ["en/welcome"]
    routed = next(event for entry in at.log if isinstance(event := decode(entry), events.Routed))
    assert (routed.rule, routed.why, routed.note) == ("any", "called 5000 is 5000", "陈女士")
    at.restart()
    assert at.contact(name) == contact


@pytest.mark.parametrize(("rule", "cause"), [
    ({"called": "7xxx", "reject": 17}, 17),
    ({"called": "7xxx", "callers": "139*", "flow": "flow"}, 21),     # known, and nobody takes it
    ({"callers": "139*", "flow": "flow"}, 1),                        # no number of ours
])
def test_refusals_have_their_cause(rule: dict[str, Any], cause: int) -> None:
    at = office({"name": "rule", **rule})
    name = at.call("c1", "7000")
    at.clear()
    assert (at.records[name].outcome, at.records[name].cause) == ("rejected", cause)


def test_digits_one_by_one_wait_until_a_rules_number_is_whole() -> None:
    at = office({"name": "block", "called": ["70xx", "71*"], "flow": "flow"})
    at.call("c1", "70", complete=False)
    at.digits("c1", "701")
    assert at.tell() == []
    at.digits("c1", "7012")
    assert at.hears("c1") == ["zh/welcome"]
    at.call("c2", "71", complete=False)
    at.digits("c2", "7123")
    assert "c2" not in at.playing                 # more may come
    at.digits("c2", "7123", complete=True)
    assert at.hears("c2") == ["zh/welcome"]


def test_rules_without_trunks_are_not_for_calls_that_go_out() -> None:
    at = office({"name": "all", "called": "*", "flow": "flow"})
    at.call("e1", "0123", trunk="pbx", calling="8001")
    assert [call.called for call in at.calls.values() if not call.inbound] == ["123"]
    at.call("c1", "123")
    assert at.hears("c1") == ["zh/welcome"]


def test_an_announcement_is_heard_to_its_end() -> None:
    config = centre({"name": "wrong", "called": "7*", "announce": ["sorry", "bye"], "language": "en"})
    numbers = iter(range(1, 100))
    flows = {"flow": FLOW, **small_flows(config)}
    at = Office(Setup.of(config, flows, lambda: f"{next(numbers):032x}"), NOON)
    name = at.call("c1", "777")
    assert at.hears("c1") == ["en/sorry", "en/bye"]
    at.played("c1")
    assert (at.records[name].outcome, at.records[name].ended_by) == ("answered", "box")


def test_an_announcement_that_cannot_be_played_is_refused() -> None:
    config = CentreConfig.model_validate({"entry": [{"name": "wrong", "announce": ["Sorry!"]}]})
    with pytest.raises(ConfigError, match=r"centre\.entry\.0\.announce: "):
        load_flows(config)


def test_a_document_without_rules_is_as_before() -> None:
    at = Office(setup(), NOON)
    name = at.call("c1")
    assert at.hears("c1") == ["zh/welcome"] and bare(CENTRE).calendars == {}
    assert at.contact(name).priority is None


def test_voicemail_is_a_flow_of_its_own_and_its_box_must_be_there(tmp_path: Path) -> None:
    config = centre({"name": "night", "calendar": "office", "voicemail": "sales"})
    [(name, flow)] = small_flows(config).items()
    assert name == flow_of(config.entry[0]) == "voicemail:sales" and flow.start == "only"
    text = GOOD + '  entry: [{name: night, called: "5*", voicemail: %s}]\n  voicemail: [{name: sales}]\n'
    assert load(written(tmp_path, text % "sales")).centre.entry[0].voicemail == "sales"
    with pytest.raises(ConfigError, match=r"entry\[0\]\.voicemail: no voicemail box is called 'shop'"):
        load(written(tmp_path, text % "shop"))


def test_what_a_contact_is_known_by_is_told_with_its_facts() -> None:
    at = office({"name": "sales", "called": "5000", "flow": "flow"})
    name = at.call("c1")
    found = facts(entry for entry in at.log if entry.contact == name
                  and f"'{entry.kind}'" in schema.GIVES_LEG + schema.TELLS)
    assert (found.rule, found.why, found.note) == ("sales", "called 5000 is 5000", "")


def test_other_tables_are_told_from_the_same(tmp_path: Path) -> None:
    """So that a reload takes a list that was edited, and only that."""
    def doors(row: str, country: str = "CN", member: str = "广东") -> Entrance:
        (tmp_path / "vip.csv").write_text(f"number,grade\n{row},gold\n")
        plan = Numbers(NumbersConfig(country=country))
        groups = [RegionGroupConfig(name="south", of=[member])]
        return Entrance(CENTRE, plan, {}, {"vip": load_list(tmp_path / "vip.csv", plan, SHANGHAI)},
                        load_regions([], groups, plan))

    before = doors("138*")
    assert before.unlike(doors("138*")) == []
    assert before.unlike(doors("139*")) == ["list vip"]
    assert before.unlike(doors("138*", member="广西")) == ["regions"]
    assert "number plans" in before.unlike(doors("138*", country="HK"))
