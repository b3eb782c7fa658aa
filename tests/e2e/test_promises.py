"""What a branch does when nobody can talk, and after a talk: a voice box, a callback, a survey, the wait."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.bus.messages import (
    CallbackInfo,
    ContactInfo,
    GetCallbacks,
    GetContacts,
    GetMessages,
    GetSurvey,
    LogIn,
    LogOut,
    MessageInfo,
    MessageLeft,
)
from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import (
    branchline,
    call_in,
    contact_of,
    exchange_sequences,
    heard_again,
    new_number,
    outcome,
    pick_up,
    talk,
)
from tests.e2e.observer import Observer
from tests.e2e.rig import CONFIG, FLOW, MUSIC_HZ, PROMPT_HZ, Rig
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S

pytestmark = pytest.mark.usefixtures("left_idle")

SALES, SERVICE, IN_CHINESE = "1", "2", "3"        # keys of the menu
CALL_ME_BACK = "9"                                # while in line
USER_BUSY = 17
PAUSE_S = 5.0
AGAIN_S = PAUSE_S + SOON_S
FRIENDLY, SOLVED, AGAIN, THANKS = (PROMPT_HZ[name] for name in ("greeting", "menu", "queue", "busy"))


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    config, flow = copy.deepcopy(CONFIG), copy.deepcopy(dict(FLOW))
    centre, nodes = config["centre"], flow["nodes"]
    centre["queues"][1] |= {"say_wait": True, "handling_s": 20, "position_every_s": 0}
    centre |= {
        "calendars": [{"name": "office", "hours": {"mon-sun": "00:00-24:00"}}],
        "entry": [{"name": "night", "called": "5001", "calendar": "office", "voicemail": "night"}],
        "voicemail": [{"name": "night", "greeting": ["greeting"], "least_s": 0.2, "silence_s": 0,
                       "tell": ["zhang"], "queue": "sales"}],
        "surveys": [{"name": "quality", "queues": ["sales"], "thanks": ["busy"], "invalid": ["invalid"],
                     "questions": [{"name": "friendly", "prompt": ["greeting"]},
                                   {"name": "solved", "prompt": ["menu"]},
                                   {"name": "again", "prompt": ["queue"]}]}],
        "callbacks": {"pause_s": PAUSE_S, "modes": {"service": "customer-first"}}}
    nodes["menu"]["digits"] |= {IN_CHINESE: {"next": "to-service", "language": "zh"}}
    for queue in ("sales", "service"):
        nodes[queue]["digits"] = {CALL_ME_BACK: f"promise-{queue}"}
        nodes[f"promise-{queue}"] = {
            "kind": "callback", "queue": queue, "next": "end", "failed": queue}
    return {"config": config, "flow": flow,
            "prompts": {"wait": 400, "duration/minute": 450, "duration/minutes": 550}}


@contextmanager
def away(desk: Observer, *agents: str) -> Iterator[None]:
    for name in agents:
        desk.ask(LogOut(agent=name))
    try:
        yield
    finally:
        for name in agents:
            desk.ask(LogIn(agent=name, ready=True))


# --- voice messages


@pytest.fixture
def night(box: Rig) -> Iterator[None]:
    """A supervisor closes, and opens again."""
    branchline(box, "calendar", "office", "--closed")
    yield
    branchline(box, "calendar", "office", "--by-hours")


def at_the_beep(box: Rig, desk: Observer) -> tuple[Call, MessageInfo]:
    """A caller whose message begins."""
    caller = box.telco.place_call(called="5001", calling=new_number())
    caller.answered().wait_to_hear(hz=PROMPT_HZ["greeting"])
    list_ = desk.ask_until(GetMessages(box="night"), lambda reply: any(
        message.number == caller.calling for message in reply.messages), SOON_S)
    return caller, next(one for one in list_.messages if one.number == caller.calling)


def test_a_message_of_the_night_is_heard_called_back_and_done_with(
        box: Rig, desk: Observer, night: None, tmp_path: Path) -> None:
    caller, message = at_the_beep(box, desk)
    said = audio.sequence(80, 1.0)
    caller.play(said)
    caller.wait_said()
    caller.dtmf("#")
    caller.wait_for("RELEASED")
    left = box.bus.wait_event(MessageLeft, lambda left: left.message == message.message)
    assert left.tell == ["zhang"]
    assert contact_of(box, caller.calling).segments[-1].kind == "message"
    assert audio.find(said, heard_again(box, message.message, tmp_path).left) >= 0

    [line] = branchline(box, "voicemail", "--box", "night").splitlines()
    assert line.startswith(message.message) and caller.calling in line and line.endswith("new")
    branchline(box, "voicemail", "heard", message.message, "--by", "zhang")
    assert "heard by zhang" in branchline(box, "voicemail")
    branchline(box, "abandoned", "call", message.contact, "--agent", "zhang")
    agent = box.pbx.wait_for_call(called="801")
    agent.alert()
    agent.answer()
    customer = box.telco.wait_for_call(called=caller.calling)
    customer.alert()
    pick_up(agent, customer)
    exchange_sequences(customer, agent, seed=82)
    customer.hang_up()
    branchline(box, "voicemail", "done", message.message)
    assert branchline(box, "voicemail") == "no messages\n"


def test_who_hangs_up_in_the_middle_has_said_what_was_said(
        box: Rig, desk: Observer, night: None, tmp_path: Path) -> None:
    caller, message = at_the_beep(box, desk)
    said = audio.sequence(84, 1.0)
    caller.play(said)
    caller.wait_said()
    caller.hang_up()
    box.bus.wait_event(MessageLeft, lambda left: left.message == message.message)
    assert outcome(contact_of(box, caller.calling)) == ("answered", "caller", 16)
    assert audio.find(said, heard_again(box, message.message, tmp_path).left) >= 0
    branchline(box, "voicemail", "done", message.message)


# --- the survey


def asked(box: Rig) -> Call:
    """A caller whose agent has hung up, and who hears the first question."""
    caller, agent = talk(box, SALES)
    agent.hang_up()
    caller.wait_to_hear(hz=FRIENDLY)
    return caller


def test_the_customer_is_asked_and_the_answers_are_the_agents(box: Rig, desk: Observer) -> None:
    with away(desk, "li"):
        caller = asked(box)
        for key, then_hz in (("4", SOLVED), ("8", PROMPT_HZ["invalid"]), ("5", AGAIN), ("1", THANKS)):
            caller.dtmf(key)
            caller.wait_to_hear(hz=then_hz)
        caller.wait_for("RELEASED")
        no_thanks = asked(box)
        no_thanks.dtmf("0")
        no_thanks.wait_to_hear(hz=THANKS)
        no_thanks.wait_for("RELEASED")
        gone = asked(box)
        gone.dtmf("2")
        gone.wait_to_hear(hz=SOLVED)
        gone.hang_up()
    for one, ended_by in ((caller, "agent"), (no_thanks, "agent"), (gone, "caller")):
        contact = contact_of(box, one.calling)
        assert outcome(contact) == ("answered", ended_by, 16)
        assert [segment.kind for segment in contact.segments][-2:] == ["talk", "survey"]
        assert contact.segments[-1].agent == "zhang"
    lines = [" ".join(line.split()) for line in branchline(
        box, "survey", "quality", "--agent", "zhang", "--queue", "sales").splitlines()]
    assert lines == ["quality: 3 begun, 1 complete (33%), 1 declined",
                     "friendly 3.00 2 of 3 (67%) 1: 0 2: 1 3: 0 4: 1 5: 0",
                     "solved 5.00 1 of 2 (50%) 1: 0 2: 0 3: 0 4: 0 5: 1",
                     "again 1.00 1 of 1 (100%) 1: 1 2: 0 3: 0 4: 0 5: 0"]
    assert desk.ask(GetSurvey(survey="quality", agent="li")).begun == 0


# --- callbacks


def promised(box: Rig, desk: Observer, key: str) -> str:
    """The number of a caller who waited, asked to be called back, and was let go."""
    caller = call_in(box, key)
    caller.wait_to_hear(hz=MUSIC_HZ)
    caller.dtmf(CALL_ME_BACK)
    caller.wait_for("RELEASED")
    assert outcome(contact_of(box, caller.calling)) == ("callback", "box", 16)
    [callback] = callbacks(desk)
    assert callback.number == caller.calling
    return caller.calling


def callbacks(desk: Observer) -> list[CallbackInfo]:
    return desk.ask(GetCallbacks()).callbacks


def called_back(box: Rig, number: str) -> ContactInfo:
    """The contact in which this customer was reached, once it is over."""
    def its(contacts: list[ContactInfo]) -> ContactInfo | None:
        return next((one for one in contacts if one.direction == "out" and one.called == number), None)

    found = its(box.bus.ask_until(GetContacts(), lambda reply: (
        (one := its(reply.contacts)) is not None and one.state == "ended")).contacts)
    assert found is not None
    return found


def calls_to(box: Rig, number: str) -> int:
    exchange = box.telco
    return sum(call.incoming and call.called == number for call in (*exchange.past, *exchange.calls))


def test_the_place_is_kept_a_busy_customer_is_tried_again_and_it_is_done_once(
        box: Rig, desk: Observer) -> None:
    with away(desk, "zhang", "li"):
        number = promised(box, desk, SALES)
        behind = call_in(box, SALES)
        behind.wait_to_hear(hz=MUSIC_HZ)
        desk.ask(LogIn(agent="zhang", ready=True))
        agent = box.pbx.wait_for_call(called="801")
        assert [one.agent for one in callbacks(desk)] == ["zhang"]   # and not who came behind
        agent.alert()
        agent.answer()
        box.telco.wait_for_call(called=number).reject(USER_BUSY)
        agent.wait_for("RELEASED")
        [tried] = callbacks(desk)
        assert (tried.tries, tried.outcome, tried.state) == (1, "busy", "callback")

        agent = box.pbx.wait_for_call(called="801")                  # meanwhile the next in line
        pick_up(behind, agent)
        box.kill("acdd")
        revive(box, "acdd")
        assert callbacks(desk) == [tried]
        behind.hang_up()
        agent = box.pbx.wait_for_call(within_s=AGAIN_S, called="801")
        agent.alert()
        agent.answer()
        customer = box.telco.wait_for_call(called=number)
        pick_up(agent, customer)
        exchange_sequences(customer, agent, seed=86)
        customer.hang_up()
    assert outcome(called_back(box, number)) == ("answered", "caller", 16)
    assert callbacks(desk) == [] and calls_to(box, number) == 2


def test_a_customer_who_is_called_first_is_called_once_whatever_acdd_does(box: Rig, desk: Observer) -> None:
    with away(desk, "wang"):
        number = promised(box, desk, SERVICE)
    customer = box.telco.wait_for_call(called=number)
    customer.alert()
    [going] = callbacks(desk)
    assert (going.state, going.agent) == ("dialling", "wang")
    box.kill("acdd")
    revive(box, "acdd")
    customer.answer()
    agent = box.pbx.wait_for_call(called="803")
    agent.alert()
    pick_up(customer, agent)
    exchange_sequences(customer, agent, seed=88)
    customer.hang_up()
    assert outcome(called_back(box, number)) == ("answered", "caller", 16)
    assert callbacks(desk) == [] and calls_to(box, number) == 1


# --- the wait


def octets_of(box: Rig, language: str, names: list[str]) -> audio.Octets:
    """The recordings, one after the other."""
    folder = box.config_path.parent / "prompts" / language
    return np.concatenate([audio.read_sound(folder / f"{name}.wav") for name in names])


def test_who_waits_hears_for_how_long_in_the_own_language(box: Rig) -> None:
    talking = talk(box, SERVICE).caller
    chinese = call_in(box, IN_CHINESE)
    chinese.wait_to_hear_octets(octets_of(box, "zh", [
        "position", "number/1", "position-end", "wait", "number/1", "duration/minutes"]))
    english = call_in(box, SERVICE)
    english.wait_to_hear_octets(octets_of(box, "en", [
        "position", "number/2", "position-end", "wait", "number/1", "duration/minute"]))
    for caller in (english, chinese, talking):
        caller.hang_up()
