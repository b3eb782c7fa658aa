"""Which rule takes a call, and why; and what is wrong with a table of rules."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.load import load_entrance, warnings
from appliance.centre.entry.rules import Arrival, Decision, Entrance
from appliance.config import entrance
from appliance.config.entrance import CalledPattern
from appliance.config.load import load
from appliance.config.schema import CentreConfig, Config
from appliance.errors import ConfigError
from tests.config.test_load import GOOD, written

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPEN, SHUT = "2026-11-20 10:00", "2026-11-20 20:00"              # a Friday
TABLE = """\
  calendars:
    - {name: office, hours: {mon-fri: "09:00-17:30"}, holidays: cn, days: [{date: 2026-12-31, hours: []}]}
  lists: [{name: vip, file: vip.csv}, {name: black, file: black.csv}]
  regions: {groups: [{name: south, of: [广东, 广西]}]}
  entry:
    - {name: unwanted, lists: black, reject: 21}
    - {name: vip, lists: vip, grades: gold, priority: 60, skills: {vip: 5}}
    - {name: english, called: ["500x"], callers: "+44*", language: en}
    - {name: complaints, called: "5000", withheld: false, flow: complaints.yaml}
    - name: night
      called: [5xxx, "95598"]
      calendar: office
      forward: {number: "13900000000", unanswered: n.yaml}
    - {name: south, called: "5003", regions: south, flow: south.yaml, priority: 70, grade: local}
    - {name: own, trunks: pbx, called: "7*", announce: [wrong-number]}
    - {name: day, called: "5003", calendar: office, when: open, flow: day.yaml}
"""


ROUTE = '{trunk: telco, called: "5001", flow: main.yaml}'


def document(tmp_path: Path, table: str = TABLE, *, inbound: str = ROUTE) -> Config:
    (tmp_path / "vip.csv").write_text("number,grade,note\n13800138000,gold,王先生\n13900139000,silver,\n")
    (tmp_path / "black.csv").write_text("number,expires\n1700*,\n13800138000,2026-11-21\n")
    assert ROUTE in GOOD
    return load(written(tmp_path, GOOD.replace(ROUTE, inbound) + table))


def ask(doors: Entrance, config: Config, called: str = "5001", calling: str = "02188881234",
        at: str = OPEN, *, trunk: str = "telco", withheld: bool = False,
        forced: dict[str, Forced] | None = None) -> Decision:
    route = next((one for one in config.centre.inbound if (one.trunk, one.called) == (trunk, called)), None)
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI).timestamp()
    return doors.decide(Arrival(trunk, called, calling, withheld, moment), route, forced or {})


def short(decision: Decision) -> str:
    where = decision.destination
    if where is None:
        return "nowhere"
    target = {key: getattr(where, key) for key in where.given}
    match target:
        case {"flow": path}:
            return f"{decision.rule} flow {Path(path).name}"
        case {"forward": forward}:
            return f"{decision.rule} forward {forward.number}"
        case other:
            return f"{decision.rule} {other}"


@pytest.mark.parametrize(("call", "goes"), [
    ({}, " flow main.yaml"),
    ({"calling": "17001234567"}, "unwanted {'reject': 21}"),
    ({"calling": "+8617001234567"}, "unwanted {'reject': 21}"),
    ({"called": "5000"}, "complaints flow complaints.yaml"),
    ({"called": "5000", "calling": ""}, "nowhere"),
    ({"called": "5000", "withheld": True, "at": SHUT}, "night forward 13900000000"),
    ({"at": SHUT}, "night forward 13900000000"),
    ({"called": "95598", "at": "2026-12-31 10:00"}, "night forward 13900000000"),
    ({"called": "95598", "at": "2026-10-10 10:00"}, "nowhere"),      # a Saturday that is worked: not night
    ({"called": "5003", "calling": "075588881234"}, "south flow south.yaml"),
    ({"called": "5003", "calling": "01088881234"}, "day flow day.yaml"),
    ({"called": "5003", "calling": "13800138000", "at": "2026-11-23 10:00"}, "day flow day.yaml"),
    ({"called": "7123", "trunk": "pbx"}, "own {'announce': ['wrong-number']}"),
    ({"called": "7123"}, "nowhere"),
    ({"called": "5001", "trunk": "pbx"}, "nowhere"),
    ({"calling": "13800138000"}, "unwanted {'reject': 21}"),
    ({"calling": "13800138000", "at": "2026-11-21 23:00"}, "unwanted {'reject': 21}"),
    ({"calling": "13800138000", "at": "2026-11-22 00:00"}, "night forward 13900000000"),     # it has expired
])
def test_which_rule_takes_a_call(tmp_path: Path, call: dict[str, Any], goes: str) -> None:
    config = document(tmp_path)
    assert short(ask(load_entrance(config, SHANGHAI), config, **call)) == goes


def test_what_rules_say_of_a_call_adds_up(tmp_path: Path) -> None:
    config = document(tmp_path)
    doors = load_entrance(config, SHANGHAI)
    known = ask(doors, config, "5003", "13800138000", "2026-11-23 10:00")
    assert (known.priority, known.grade, known.note, known.skills) == (60, "gold", "王先生", {"vip": 5})
    south = ask(doors, config, "5003", "075588881234")
    assert (south.priority, south.grade, south.region) == (70, "local", "south")
    london = ask(doors, config, "5001", "00442071234567")
    assert (london.language, london.region, london.priority) == ("en", "", None)
    assert ask(doors, config, "5001", "01088881234").region == "北京/北京"
    assert ask(doors, config, "5003", "13900139000").priority is None            # silver


def test_every_rule_says_why_not(tmp_path: Path) -> None:
    config = document(tmp_path)
    doors = load_entrance(config, SHANGHAI)
    assert ask(doors, config, "5003", "13800138000").looked_at == [
        "unwanted: takes it: caller +8613800138000 is in list black"]
    found = ask(doors, config, "5003", "13800138000", "2026-11-23 20:00")
    assert found.looked_at == [
        "unwanted: no: caller +8613800138000 is not in list black",
        "vip: noted: caller +8613800138000 is in list vip (gold, 王先生)",
        "english: no: caller +8613800138000 is not +44*",
        "complaints: no: called 5003 is not 5000",
        "night: takes it: called 5003 is 5xxx, 95598, calendar office is closed: "
        "mon 2026-11-23: hours 09:00-17:30"]
    assert found.looked_at[-1].endswith(found.why)


def test_a_route_is_closed_by_its_calendar_and_a_supervisor_opens_it(tmp_path: Path) -> None:
    config = document(tmp_path, TABLE.split("  entry:")[0], inbound=(
        '{trunk: telco, called: "5001", flow: main.yaml, calendar: office, closed: {flow: night.yaml}}'))
    doors = load_entrance(config, SHANGHAI)
    assert short(ask(doors, config)) == " flow main.yaml"
    closed = ask(doors, config, at=SHUT)
    assert short(closed) == " flow night.yaml"
    assert closed.why == ("centre.inbound: 5001 on trunk telco, calendar office is closed: "
                          "fri 2026-11-20: hours 09:00-17:30")
    opened = ask(doors, config, at=SHUT, forced={"office": Forced(True, 0.0, "li")})
    assert (short(opened), opened.why[-12:]) == (" flow main.yaml", "opened by li")


@pytest.mark.parametrize(("rules", "useless"), [
    ([{"name": "all", "flow": "a"}, {"name": "late", "called": "5*", "flow": "b"}], ["late"]),
    ([{"name": "all", "priority": 5}, {"name": "late", "called": "5*", "flow": "b"}], []),
    ([{"name": "one", "called": "5*", "flow": "a"}, {"name": "two", "called": "6*", "flow": "b"},
      {"name": "three", "called": "5*", "calendar": "o", "flow": "b"}], ["three"]),
    ([{"name": "one", "called": "5*", "calendar": "o", "flow": "a"},
      {"name": "two", "called": "5*", "flow": "b"}], []),
])
def test_rules_that_no_call_comes_to_are_told(rules: list[dict[str, Any]], useless: list[str]) -> None:
    found = list(entrance.shadowed(CentreConfig.model_validate({"entry": rules})))
    assert [sentence.split(":")[1].strip() for sentence in found] == useless


def test_years_without_make_up_days_are_told(tmp_path: Path) -> None:
    doors = load_entrance(document(tmp_path), SHANGHAI)
    now = datetime(2026, 11, 22, tzinfo=SHANGHAI).timestamp()
    assert ["2027" in sentence for sentence in warnings(doors, now)] == [True]


@pytest.mark.parametrize(("text", "called", "matches", "grows"), [
    ("5000", "5000", True, False), ("5000", "500", False, True), ("50xx", "5012", True, False),
    ("50xX", "50", False, True), ("50xx", "501*", False, False), ("50*", "50", True, True),
    ("50*", "50123", True, True), ("50*", "5", False, True), ("*", "", True, True),
    ("*31#", "*31#", True, False), ("+86x", "+861", True, False),
])
def test_patterns_of_called_numbers(text: str, called: str, matches: bool, grows: bool) -> None:
    pattern = CalledPattern(text)
    assert (pattern.matches(called), pattern.may_grow(called)) == (matches, grows)


def test_files_are_below_the_documents_folder(tmp_path: Path) -> None:
    config = document(tmp_path, inbound='{trunk: telco, called: "5001", flow: main.yaml, calendar: office, '
                                        'closed: {forward: {number: "139", unanswered: u.yaml}}}')
    assert entrance.flows(config.centre) == [
        str(tmp_path / name) for name in ("complaints.yaml", "day.yaml", "main.yaml", "n.yaml", "south.yaml",
                                          "u.yaml")]
    assert config.centre.lists[0].file == str(tmp_path / "vip.csv")
    again = tmp_path / "again.yaml"               # as the launcher hands it on
    again.write_text(yaml.safe_dump(config.model_dump(), allow_unicode=True))
    assert load(again) == config


@pytest.mark.parametrize(("old", "new", "says"), [
    ("lists: black,", "lists: grey,", "box.yaml:14: centre.entry[0].lists: no list is called 'grey'"),
    ("calendar: office\n", "calendar: ofice\n", "box.yaml:20: centre.entry[4].calendar: no calendar"),
    ("trunks: pbx", "trunks: pbxx", "centre.entry[6].trunks: no span has trunk 'pbxx'"),
    ("name: night", "name: vip", "centre.entry[4].name: 'vip' is there twice"),
    (", language: en", "", "centre.entry[2]: does nothing: give one of flow, forward, voicem"),
    ("flow: south.yaml", "flow: south.yaml, reject: 1", "centre.entry[5]: goes to flow and reject: one"),
    ("lists: vip, grades", "grades", "centre.entry[1]: grades: of which lists?"),
    ('called: "7*"', 'called: "7-*"', "centre.entry[6].called[0]: '7-*': write a number; x for any digit"),
    ('callers: "+44*"', 'callers: "44 *"', "centre.entry[2].callers[0]: '44 *': write a number, or"),
    ("{number: \"13900000000\"", "{number: \"13900000000\", trunk: tel",
     "centre.entry[4].forward.trunk: no span has trunk 'tel'"),
    ("priority: 70", "priority: 170", "centre.entry[5].priority: Input should be less than or equal to 100"),
    ("mon-fri:", "mon-frei:", "centre.calendars[0].hours: 'mon-frei': write a day or days like mon-fri"),
    ("hours: []", "hours: 9-17", "centre.calendars[0].days[0].hours: '9-17': write hours like"),
    ("number: \"13900000000\"", "number: \"110\"",
     "box.yaml:21: centre.entry[4].forward.number: 110 is an emergency number"),
    ("calendar: office, when: open", "when: open", "centre.entry[7]: when: of which calendar?"),
])
def test_mistakes_have_their_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in TABLE
    with pytest.raises(ConfigError) as caught:
        document(tmp_path, TABLE.replace(old, new))
    assert says in str(caught.value)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("holidays: cn", "holidays: de, region: XX", "centre.calendars: office: de has no region 'XX'"),
    ("file: vip.csv", "file: vop.csv", "vop.csv: No such file"),
    ("[广东, 广西]", "[广东, 广冬]", "centre.regions.groups: south: '广冬': the tables have no such region"),
    ("regions: south,", "regions: north,", "centre.entry: south: regions: 'north': the tables have no such"),
])
def test_what_only_the_tables_can_tell(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_entrance(document(tmp_path, TABLE.replace(old, new)), SHANGHAI)
