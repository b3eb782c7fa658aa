"""The node that promises a callback, calling hours, and settings that cannot be."""

from pathlib import Path

import pytest

from appliance.bus.messages import BookCallback, ForceCalendar, LogIn, MoveCallback
from appliance.centre.flow import CallbackNode, Entry, Flow, HangupNode, PlayNode
from appliance.config.callbacks import CallbackConfig
from appliance.config.entry import CalendarConfig
from appliance.config.load import load
from appliance.errors import ConfigError
from tests.centre.callbacks.home import CUSTOMER, branch, only, promised, with_flow
from tests.centre.office import CENTRE, Office

ASKS = Flow(start="offer", nodes={
    "offer": CallbackNode(kind="callback", queue="sales", prompt=["offer", "digits:{caller}"], retries=1,
                          entry=Entry(prompt=["key-in"], least=5, most=15), next="bye", failed="sorry"),
    "sorry": PlayNode(kind="play", prompt=["sorry"], next="bye"),
    "bye": HangupNode(kind="hangup", cause=16)})
OFFICE_HOURS = CalendarConfig(name="calling", hours={"mon-fri": ["09:00-17:00"]}, timezone="UTC")
THURSDAY_EVENING = 64_800.0 + 3600.0              # 1 January 1970 was a Thursday: 19:00


def asking(**settings: object) -> Office:
    office = Office(with_flow(CENTRE.model_copy(update={
        "callbacks": CallbackConfig.model_validate(settings)}), ASKS))
    only(office)
    return office


@pytest.mark.need(3)
@pytest.mark.parametrize(("calling", "keys", "number", "heard"), [
    (CUSTOMER, ["1"], CUSTOMER, None),
    (CUSTOMER, ["2", *"02088888888", "#"], "02088888888", None),
    (CUSTOMER, ["2", *"110", "#", *"02088888888", "#"], "02088888888", None),
    (CUSTOMER, ["2", *"110", "#", *"119", "#"], None, ["zh/sorry"]),
    (CUSTOMER, ["9"], None, ["zh/sorry"]),
    ("", [*"13700000000", "#"], "13700000000", None),            # withheld: there is one way only
])
def test_the_caller_says_which_number(calling: str, keys: list[str], number: str | None,
                                      heard: list[str] | None) -> None:
    office = asking()
    office.call("c1", "5001", calling=calling)
    assert office.hears("c1") == (["zh/offer", f"{CUSTOMER}"] if calling else ["zh/key-in"])
    office.press("c1", *keys)
    pending = [one.pending.digits for one in office.engine.state.contacts.values() if one.pending is not None]
    assert pending == ([number] if number else [])
    assert (heard is None) is ("c1" not in office.playing or office.calls["c1"].state == "clearing")
    assert heard is None or office.hears("c1") == heard


def test_who_says_nothing_is_not_called() -> None:
    office = asking()
    office.call("c1", "5001")
    office.played("c1")
    office.pass_time(5.0)
    assert office.hears("c1") == ["zh/sorry"] and not office.engine.state.callbacks


def test_there_is_an_end_to_promises() -> None:
    office = asking(most=1)
    for leg, calling in (("c1", "13711111111"), ("c2", "13722222222")):
        office.call(leg, "5001", calling=calling)
        office.press(leg, "1")
    assert len(office.engine.state.callbacks) == 1 and office.hears("c2") == ["zh/sorry"]
    office.pass_time(3 * 86400.0)
    assert not office.engine.state.callbacks      # given up
    assert {record.outcome for record in office.records.values()} == {"callback", "failed"}


def test_who_calls_again_and_again_is_promised_so_many_and_no_more() -> None:
    """Each call keys in another number; of another caller there is room."""
    office, told = asking(most_of_caller=2), []
    for number in range(4):
        leg = f"c{number}"
        office.call(leg, "5001", calling="13711111111" if number < 3 else "13722222222")
        office.press(leg, "2", *f"1390000000{number}", "#")
        told.append(leg in office.playing and office.hears(leg) == ["zh/sorry"])
        office.pass_time(5.0)
        office.clear()
    assert told == [False, False, True, False] and len(office.engine.state.callbacks) == 3


def test_a_call_is_promised_one_callback_however_often_it_comes_round() -> None:
    round_and_round = ASKS.model_copy(update={"nodes": {
        **ASKS.nodes, "offer": ASKS.nodes["offer"].model_copy(update={"next": "offer"})}})
    office = Office(with_flow(CENTRE.model_copy(update={"callbacks": CallbackConfig()}), round_and_round))
    only(office)
    office.call("c1", "5001")
    office.press("c1", "2", *"02088888888", "#", "2", *"02088888888", "#")
    assert len(office.engine.state.callbacks) == 1 and office.hears("c1")[0] == "zh/offer"
    office.press("c1", "2", *"02099999999", "#")
    assert len(office.engine.state.callbacks) == 1 and office.hears("c1") == ["zh/sorry"]


@pytest.mark.need(3)
def test_nobody_is_called_outside_the_calling_hours() -> None:
    office = Office(with_flow(CENTRE.model_copy(update={
        "calendars": [OFFICE_HOURS], "callbacks": CallbackConfig(calendar="calling")})), THURSDAY_EVENING)
    only(office)
    callback = promised(office, "c1")
    office.command(LogIn(agent="ann", ready=True))
    friday = 86400.0 + 9 * 3600.0
    assert not office.ringing()
    office.pass_time(friday - office.now - 1.0)
    assert not office.ringing()
    office.restart()
    office.pass_time(1.0)
    assert list(office.ringing()) == ["8001"]
    office.hang_up(office.ringing()["8001"], 21)  # she will not, until the evening
    office.pass_time(20.0)
    office.command(ForceCalendar(calendar="calling", open=False))
    assert office.contact(callback).record.state == "callback"
    office.command(ForceCalendar(calendar="calling", open=None))
    office.pass_time(3600.0)
    assert office.contact(callback).record.state in ("ringing", "queue")


def test_an_agreed_time_outside_the_hours_waits_for_them() -> None:
    office = Office(with_flow(CENTRE.model_copy(update={
        "calendars": [OFFICE_HOURS], "callbacks": CallbackConfig(calendar="calling")})), THURSDAY_EVENING)
    office.command(BookCallback(number=CUSTOMER, queue="sales", trunk="telco", at=office.now + 60.0))
    [name] = office.engine.state.callbacks.values()
    office.pass_time(60.0)
    pending = office.contact(name).pending
    assert pending is not None and pending.due_at == 86400.0 + 9 * 3600.0
    office.command(MoveCallback(contact=name, at=office.now + 86400.0))
    office.pass_time(86400.0)
    assert office.contact(name).record.state == "callback"       # Friday evening


def test_who_calls_before_is_told_that_the_place_is_kept() -> None:
    office = Office(branch(welcome=["kept"]))
    only(office)
    promised(office, "c1")
    office.call("c2", "5001", calling=CUSTOMER)
    assert office.hears("c2")[0] == "zh/kept"
    office.call("c3", "5001", calling="13911111111")
    assert office.hears("c3")[0] != "zh/kept"


BOX = """\
spans: [{name: t, url: "virtual:t/b", side: user, trunk: telco}]
centre:
  queues: [{name: sales, agents: [ann]}]
  agents: [{name: ann, extension: "1", trunk: telco}]
"""


@pytest.mark.parametrize(("part", "sentence"), [
    ("callbacks: {trunk: moon}", "6: centre.callbacks.trunk: no trunk is called 'moon', there are telco"),
    ("callbacks: {calendar: moon}", "6: centre.callbacks.calendar: no calendar is called 'moon'"),
    ("callbacks: {modes: {moon: agent-first}}", "6: centre.callbacks.modes.moon: no queue is called 'moon'"),
    ("callbacks: {numbers: '(('}", "6: centre.callbacks.numbers: not a regular expression"),
    ("voicemail: [{name: a}, {name: a}]", "6: centre.voicemail[1].name: 'a' is there twice"),
    ("voicemail: [{name: a, tell: [bo]}]", "6: centre.voicemail[0].tell: no agent is called 'bo'"),
    ("voicemail: [{name: a, queue: moon}]", "6: centre.voicemail[0].queue: no queue is called 'moon'"),
    ("surveys: [{name: a, questions: []}]", "6: centre.surveys[0].questions: List should have at least 1"),
    ("surveys: [{name: a, no_thanks: '5', questions: [{name: q, prompt: [x]}]}]",
     "6: centre.surveys[0].no_thanks: 5: is an answer"),
    ("surveys: [{name: a, queues: [moon], questions: [{name: q, prompt: [x]}, {name: q, prompt: [y]}]}]",
     "two questions have one name"),
])
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, part: str, sentence: str) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(f"{BOX}  # what follows is wrong\n  {part}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert f"{sentence}" in str(caught.value)
