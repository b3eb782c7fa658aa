"""What each kind of node does with a caller: heard, pressed, asked, kept."""

from pathlib import Path

import msgspec
import pytest

from appliance.bus.messages import Digit, MaskDigits, StartRecording, StopRecording
from appliance.centre.effects import Lookup, Say
from appliance.centre.flow import Flow
from appliance.centre.nodes import STEPS_MOST
from tests.centre.flows import HOTLINE, load_text, office, setup
from tests.centre.office import Office

CUSTOMER = {"customer": {"name": "Li Na", "grade": "A", "language": "en"}}
CARD = "4111111111111111"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return load_text(tmp_path_factory.mktemp("flow"), HOTLINE)


@pytest.fixture
def busy(hotline: Flow) -> Office:
    """The one agent talks."""
    found = office(hotline)
    found.call("busy")
    at_menu(found, "busy")
    found.press("busy", "0")
    found.answer(found.ringing()["8001"])
    found.tell()
    return found


def at_menu(office: Office, leg: str = "c1") -> str:
    """A caller whom the table does not know, at the menu."""
    name = office.engine.state.legs.get(leg) or office.call(leg)
    office.played(leg)
    office.effect_done(name)
    return name


def kept(office: Office) -> str:
    """Everything that the log and the state hold."""
    return "".join(entry.data for entry in office.log) + msgspec.json.encode(office.engine.state).decode()


def nodes(office: Office, name: str) -> list[tuple[str, str]]:
    entered = [msgspec.json.decode(entry.data) for entry in office.log
               if entry.kind == "NodeEntered" and entry.contact == name]
    return [(one["node"], one["by"]) for one in entered]


@pytest.mark.need(22)
def test_a_known_caller_is_greeted_by_name_in_his_language(busy: Office) -> None:
    name = busy.call("c1")
    assert busy.hears("c1") == ["zh/welcome", "09:30"]
    busy.played("c1")
    asked = busy.effects[name]
    assert isinstance(asked, Lookup)
    assert (asked.source, asked.send, asked.timeout_s) == ("crm", {"phone": "13800000000"}, 3.0)
    busy.effect_done(name, CUSTOMER)
    said = busy.effects[name]
    assert isinstance(said, Say)
    assert (said.text, said.language) == ("Hello Li Na", "en")
    busy.effect_done(name, fragment="said:abc")
    assert busy.playing["c1"].fragments == ["said:abc"]
    busy.played("c1")
    assert busy.hears("c1") == ["en/menu"]
    busy.press("c1", "0")
    contact = busy.contact(name)
    assert (contact.priority, contact.grade, contact.skills) == (50, "A", {"bills": 3})
    assert contact.variables["attempts"] == 1
    assert nodes(busy, name) == [
        ("greeting", "begin"), ("who", "next"), ("tongue", "next"), ("hello", "next"), ("menu", "next"),
        ("rank", "digit 0"), ("agents", "next")]


@pytest.mark.parametrize(("answer", "error"), [
    (None, ""), (None, "HTTP status 500"), ({}, ""), ({"customer": []}, ""), ({"customer": {"name": {}}}, ""),
    ({"customer": {"name": "x" * 501}}, ""), ({"customer": {"name": "Li", "grade": ["A"]}}, ""),
])
def test_whatever_a_source_says_the_caller_goes_on(busy: Office, answer: dict[str, object] | None,
                                                   error: str) -> None:
    name = busy.call("c1")
    busy.played("c1")
    busy.effect_done(name, answer, error)
    assert busy.hears("c1") == ["zh/menu"]
    assert "x" * 400 not in kept(busy)


def test_a_source_that_hangs_has_its_time_and_no_more(busy: Office) -> None:
    name = busy.call("c1")
    busy.played("c1")
    busy.pass_time(2.9)
    assert "c1" not in busy.playing
    busy.pass_time(0.2)
    assert busy.hears("c1") == ["zh/menu"]
    busy.effect_done(name, CUSTOMER)              # too late
    assert busy.hears("c1") == ["zh/menu"] and "name" not in busy.contact(name).variables
    assert nodes(busy, name)[-1] == ("menu", "error")


def prove(office: Office, leg: str = "c1", customer: str = "1001", pin: str = "2468") -> None:
    office.press(leg, "1")
    office.played(leg)
    office.press(leg, *customer, "#")
    office.press(leg, *pin)
    if len(pin) < 6:
        office.pass_time(3.0)


def test_a_pin_is_checked_and_never_kept(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "1")
    assert busy.hears("c1") == ["zh/customer-number"] and "c1" not in busy.masked
    busy.press("c1", *"1001", "#")
    assert busy.hears("c1") == ["zh/pin"] and "c1" in busy.masked
    assert MaskDigits(leg="c1", on=True) in busy.engine.media_wishes()
    busy.press("c1", *"97531")
    assert busy.contact(name).entered == "•••••"
    busy.press("c1", "8")
    asked = busy.effects[name]
    assert isinstance(asked, Lookup)
    assert asked.send == {"customer": "1001", "pin": "975318"} and "9753" not in repr(asked)
    busy.effect_done(name, {"balance": "12.50", "due": "2026-12-01T00:00:00Z"})
    assert busy.hears("c1") == ["zh/balance-is", "12.5 CNY", "2026-12-01"]
    assert "c1" not in busy.masked
    busy.played("c1")
    assert busy.records[name].outcome == "answered"
    assert "9753" not in kept(busy) and "1001" in kept(busy)
    assert not busy.engine._memory.secrets and not busy.engine._memory.orders


def test_wrong_pins_are_bounded_and_the_caller_ends_with_an_agent(busy: Office) -> None:
    name = at_menu(busy)
    prove(busy)
    busy.effect_done(name)                        # no such customer and PIN
    assert busy.hears("c1") == ["zh/wrong", "zh/customer-number"]
    busy.press("c1", *"1001", "#", *"13", "#")    # too short: a try as well
    assert busy.contact(name).record.state == "queue"
    assert nodes(busy, name)[-3:] == [("proof", "digit 1"), ("rank", "failed"), ("agents", "next")]


def test_pins_cannot_be_tried_out_by_coming_back(tmp_path: Path) -> None:
    found = office(load_text(tmp_path, HOTLINE.replace("failed: rank", "failed: menu")))
    name = at_menu(found)
    asked = 0
    for _ in range(10):
        found.press("c1", "1")
        while found.contact(name).node == "proof":
            found.press("c1", *"1001", "#", *"135790")
            asked += name in found.effects
            if name in found.effects:
                found.effect_done(name)
    assert asked == 6 and found.contact(name).node == "menu"


def test_pins_cannot_be_tried_out_call_after_call(tmp_path: Path) -> None:
    found = office(load_text(tmp_path, HOTLINE))
    asked = 0
    for number in range(8):
        leg = f"c{number}"
        name = at_menu(found, leg)
        found.press(leg, "1")
        while name in found.records and found.contact(name).node == "proof":
            found.press(leg, *"1001", "#", *"135790")
            if name not in found.effects:
                break
            asked += 1
            found.effect_done(name)
        assert found.contact(name).node == "agents"
        found.hang_up(leg)
        found.clear()
    assert asked == 10
    found.restart()
    found.pass_time(3600.0)
    name = at_menu(found, "later")
    found.press("later", "1", *"1001", "#", *"135790")
    assert name in found.effects


@pytest.mark.parametrize("answer", [
    {}, {"balance": "much", "due": "2026-12-01"}, {"balance": 1.005, "due": "2026-12-01"},
    {"balance": 1, "due": "tomorrow"}, {"balance": 1e300, "due": "2026-12-01"},
    {"balance": 1, "due": "2026-02-30"}, {"balance": True, "due": "2026-12-01"}])
def test_what_cannot_be_said_takes_the_error_branch(busy: Office, answer: dict[str, object]) -> None:
    name = at_menu(busy)
    prove(busy)
    busy.effect_done(name, answer)
    assert busy.hears("c1") == ["zh/sorry"]


def test_a_restart_in_the_middle_of_a_pin_asks_for_it_again(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "1")
    busy.press("c1", *"1001", "#", *"24")
    busy.restart()
    assert "c1" in busy.masked
    busy.press("c1", "6")
    assert busy.hears("c1") == ["zh/pin"] and busy.contact(name).entered == ""
    busy.press("c1", *"246800")
    before = busy.contact(name).tries
    busy.restart()                                # while the source is asked
    assert busy.hears("c1") == ["zh/pin"] and busy.contact(name).tries == before
    busy.press("c1", *"246800")
    assert isinstance(asked := busy.effects[name], Lookup) and asked.send["customer"] == "1001"


def test_after_a_restart_what_only_reads_is_asked_again(busy: Office) -> None:
    name = busy.call("c1")
    busy.played("c1")
    first = busy.effects[name]
    busy.restart()
    again = busy.effects[name]
    assert isinstance(again, Lookup) and again.order != first.order
    busy.effect_done(name, CUSTOMER)
    busy.restart()                                # and a text is spoken again
    assert isinstance(busy.effects[name], Say)


@pytest.mark.need(17)
def test_a_payment_card_is_not_kept_and_a_restart_forgets_it(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "4")
    assert "c1" in busy.masked
    busy.press("c1", *CARD, "#")
    asked = busy.effects[name]
    assert isinstance(asked, Lookup) and asked.send == {"card": CARD}
    busy.effect_done(name, {})
    assert CARD not in kept(busy) and CARD[4:] not in kept(busy)
    name = at_menu(busy, "c2")
    busy.press("c2", "4", *CARD, "#")
    busy.restart()
    assert busy.hears("c2") == ["zh/sorry"]       # a POST is not repeated
    assert CARD[4:] not in kept(busy)


def test_a_number_like_a_card_s_is_masked_where_nobody_thought_of_it(tmp_path: Path) -> None:
    text = HOTLINE.replace("least: 13, most: 19, secret: true", "least: 13, most: 19")
    found = office(load_text(tmp_path, text))
    name = at_menu(found)
    found.press("c1", "4", *CARD, "#")
    assert found.contact(name).variables["card"] == "************1111"
    assert CARD[4:] not in kept(found)


def test_digits_are_judged_and_a_message_is_recorded(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "2")
    busy.press("c1", *"12", "#")
    assert busy.hears("c1") == ["zh/invalid", "zh/ticket-number"]
    busy.press("c1", "7", "1")
    assert "c1" not in busy.playing               # the first digit ends the prompt
    busy.pass_time(2.0)
    busy.press("c1", "5")
    busy.pass_time(2.9)
    assert busy.contact(name).node == "complain"
    busy.pass_time(0.2)                           # nothing more for 3 s: that was all
    assert busy.contact(name).variables["ticket"] == "715"
    assert busy.hears("c1") == ["zh/speak", "confirmation"]
    busy.played("c1")
    recording, = [one for one in busy.tell() if isinstance(one, StartRecording)]
    assert (recording.caller_leg, recording.agent_leg) == ("c1", "")
    assert recording in busy.engine.media_wishes()
    busy.press("c1", "5")
    assert busy.contact(name).node == "message"
    busy.press("c1", "#")
    assert StopRecording(recording=recording.recording) in busy.tell()
    assert busy.hears("c1") == ["715"]
    busy.played("c1")
    record = busy.records[name]
    assert ("message", recording.recording) in [(one.kind, one.recording) for one in record.segments]
    assert (record.outcome, record.digits) == ("answered", "212715")


def test_a_message_ends_with_its_time_or_with_the_call(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "2", *"710000")
    busy.played("c1")
    message = busy.contact(name).recording
    busy.pass_time(29.0)
    assert message in busy.recording
    busy.pass_time(1.0)
    assert busy.contact(name).node == "read-back" and message not in busy.recording
    name = at_menu(busy, "c2")
    busy.press("c2", "2", *"710000")
    busy.played("c2")
    message = busy.contact(name).recording
    busy.hang_up("c2")
    assert busy.records[name].segments[-1].recording == message and message not in busy.recording


def test_a_key_leads_out_of_the_queue_until_an_agent_rings(busy: Office) -> None:
    name = at_menu(busy)
    busy.press("c1", "0")
    busy.press("c1", "5")
    assert busy.contact(name).record.state == "queue"
    busy.press("c1", "9")
    assert busy.contact(name).node == "complain"
    name = at_menu(busy, "c2")
    busy.press("c2", "0")
    busy.hang_up("busy")
    busy.clear()
    assert busy.contact(name).record.state == "ringing"
    busy.press("c2", "9")
    assert busy.contact(name).record.state == "ringing"


def test_calls_end_on_the_version_that_they_began_with(busy: Office, tmp_path: Path) -> None:
    name = at_menu(busy)
    other = load_text(tmp_path, "start: end\nnodes: {end: {kind: hangup, cause: 21}}")
    now = setup(other, busy.setup.versions, first=1000)
    busy.engine.setup = now
    busy.engine.start(busy.now)
    busy._settle()
    busy.press("c1", "2")
    assert busy.hears("c1") == ["zh/ticket-number"]
    assert busy.engine.versions_in_use() == {busy.contact(name).version}
    new = busy.call("c2")
    assert busy.records[new].outcome == "rejected"
    busy.restart(now)
    busy.press("c1", *"700000")
    assert busy.contact(name).node == "message"
    busy.restart(setup(other, first=2000))        # its version is lost
    assert busy.records[name].outcome == "failed"


def test_a_caller_who_presses_for_ever_is_sent_away(tmp_path: Path) -> None:
    found = office(load_text(tmp_path, """\
        start: menu
        limit_s: 86400
        nodes:
          menu: {kind: menu, prompt: menu, digits: {1: again}, default: bye}
          again: {kind: set, values: {x: "1"}, next: menu}
          bye: {kind: hangup}
        """))
    name = found.call("c1")
    for _ in range(STEPS_MOST):
        if name in found.engine.state.contacts:
            found.press("c1", "1")
    assert (found.records[name].outcome, found.records[name].ended_by) == ("failed", "box")
    assert len(found.log) < 10 * STEPS_MOST


def test_a_caller_who_stays_for_ever_is_sent_away(busy: Office) -> None:
    name = at_menu(busy)
    for _ in range(700):
        if name in busy.engine.state.contacts:
            busy.pass_time(1.0)
            busy.press("c1", "3")                 # the menu in English, again and again
    assert busy.records[name].outcome == "failed"
    assert busy.records[name].ended_at == pytest.approx(1600.0, abs=2)


def test_a_sub_flow_comes_back_to_who_called_it(tmp_path: Path) -> None:
    (tmp_path / "hours.yaml").write_text("""\
        start: ask
        variables: {asked: 0}
        nodes:
          ask: {kind: menu, prompt: hours, digits: {1: more, 2: back}, default: back}
          more: {kind: set, values: {asked: asked + 1}, next: ask}
          back: {kind: return}
        """)
    (tmp_path / "twice.yaml").write_text("""\
        start: first
        nodes:
          first: {kind: flow, file: hours.yaml, next: second}
          second: {kind: flow, file: hours.yaml, next: back}
          back: {kind: return}
        """)
    found = office(load_text(tmp_path, """\
        start: in
        nodes:
          in: {kind: flow, file: twice.yaml, next: bye}
          bye: {kind: hangup}
        """))
    name = found.call("c1")
    assert found.contact(name).node == "in/first/ask"
    found.press("c1", "1", "1", "2")
    assert found.contact(name).node == "in/second/ask"
    found.press("c1", "1", "2")
    assert found.records[name].outcome == "answered"
    assert nodes(found, name)[-2:] == [("in/back", "return"), ("bye", "return")]


def test_keys_are_heard_again_when_acdd_dies_before_it_has_told_spand(tmp_path: Path) -> None:
    box = office(load_text(tmp_path, """\
start: card
nodes:
  card: {kind: collect, prompt: card, to: card, most: 2, secret: true, next: menu, default: menu}
  menu: {kind: menu, prompt: menu, digits: {1: card}, default: bye}
  bye: {kind: hangup}
"""))
    box.call("c1")
    box.press("c1", "4")
    assert box.masked == {"c1"}
    box.crash(Digit(leg="c1", digit="2", at=box.now))
    assert not box.masked
