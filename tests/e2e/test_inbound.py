"""A caller reaches an agent: what they hear, what is recorded, how it ends, and which numbers lead there."""

from pathlib import Path

import numpy as np
import pytest

from appliance.bus.messages import Board, GetContacts
from hil_tests.instruments import audio
from tests.e2e.calls import (
    HELLO,
    contact_of,
    exchange_sequences,
    name_of,
    new_number,
    outcome,
    recorded,
    talk,
    wait_recording,
)
from tests.e2e.rig import Rig

pytestmark = pytest.mark.usefixtures("left_idle")

NORMAL, UNALLOCATED, INCOMPLETE = 16, 1, 28       # Q.850


def test_each_hears_the_other_octet_for_octet_while_both_speak(box: Rig) -> None:
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=10, seconds=2.0)


def test_a_recording_has_the_caller_left_the_agent_right_and_nothing_else(box: Rig, tmp_path: Path) -> None:
    caller, agent = talk(box)
    wait_recording(box, caller.calling)
    from_caller, from_agent = audio.sequence(20, 1.0), audio.sequence(21, 1.0)
    caller.play(from_caller)
    agent.wait_to_hear_octets(from_caller)
    agent.play(from_agent)
    caller.wait_to_hear_octets(from_agent)
    caller.hang_up()
    agent.wait_for("RELEASED")
    contact = contact_of(box, caller.calling)
    info, left, right = recorded(box, contact, tmp_path)
    for channel, said, else_said in ((left, from_caller, set()), (right, from_agent, {HELLO[0]})):
        at = audio.find(said, channel)
        assert at >= 0
        assert set(np.delete(channel, slice(at, at + len(said)))) <= {audio.IDLE, *else_said}
    assert audio.find(from_caller, left) + len(from_caller) <= audio.find(from_agent, right)
    assert (info.gap_s, info.duration_s) == (0.0, len(left) / audio.RATE_HZ)
    talked = contact.segments[-1]
    assert talked.kind == "talk"
    assert info.duration_s == pytest.approx(talked.ended_at - talked.began_at, abs=0.25)


@pytest.mark.parametrize("first", ["caller", "agent"])
def test_whoever_hangs_up_first_both_are_released_with_cause_16(box: Rig, first: str) -> None:
    caller, agent = talk(box)
    one, other = (caller, agent) if first == "caller" else (agent, caller)
    one.hang_up()
    assert other.wait_for("DISCONNECT").cause == NORMAL
    assert [call.wait_for("RELEASED").cause for call in (one, other)] == [NORMAL, NORMAL]
    assert outcome(contact_of(box, caller.calling)) == ("answered", first, NORMAL)


def test_the_agents_telephone_and_the_board_show_who_calls_while_it_rings(box: Rig) -> None:
    caller = box.telco.place_call(called="5001", calling=new_number(), name="Fang")
    caller.answered().dtmf("1")
    agent = box.pbx.wait_for_call()
    assert (agent.calling, agent.calling_name) == (caller.calling, "Fang")
    board = box.bus.wait_latest(
        Board, lambda board: [contact.state for contact in board.contacts] == ["ringing"])
    [contact] = board.contacts
    assert (contact.calling, contact.called, contact.queue) == (caller.calling, "5001", "sales")
    assert contact.agent == name_of(box, agent.called)


def test_a_withheld_number_is_shown_to_nobody(box: Rig) -> None:
    secret = new_number()
    caller = box.telco.place_call(called="5001", calling=secret, withheld=True)
    caller.answered().dtmf("1")
    agent = box.pbx.wait_for_call()
    assert agent.calling == ""
    caller.hang_up()
    agent.wait_for("RELEASED")
    contact = contact_of(box, "")
    assert contact.called == "5001"
    assert secret not in str(box.bus.ask(GetContacts()).contacts)


@pytest.mark.parametrize("first", ["", "5"])
def test_a_number_may_come_digit_by_digit(box: Rig, first: str) -> None:
    caller = box.telco.place_call(called=first, calling=new_number(), complete=False)
    caller.wait_for("SETUP ACK")
    caller.send_digits("500".removeprefix(first))
    box.bus.wait_event(Board, lambda board: [contact.called for contact in board.contacts] == ["500"])
    assert caller.event("PROCEEDING") is None
    caller.send_digits("1")
    caller.answered()
    assert contact_of(box, caller.calling, "flow").called == "5001"


@pytest.mark.parametrize(("called", "cause"), [
    ("5009", UNALLOCATED), ("50011", UNALLOCATED), ("500", INCOMPLETE)])
def test_a_wrong_number_is_refused_unanswered_and_said_why(box: Rig, called: str, cause: int) -> None:
    caller = box.telco.place_call(called=called, calling=new_number())
    assert caller.wait_for("RELEASED").cause == cause
    assert caller.event("CONNECT") is None
    assert outcome(contact_of(box, caller.calling)) == ("rejected", "box", cause)


def test_a_number_is_refused_at_the_first_digit_that_leads_nowhere(box: Rig) -> None:
    caller = box.telco.place_call(called="50", calling=new_number(), complete=False)
    caller.wait_for("SETUP ACK")
    caller.send_digits("9")
    assert caller.wait_for("RELEASED").cause == UNALLOCATED
