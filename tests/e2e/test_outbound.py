"""An extension dials out through the box: what the network gets, what the extension hears, what is kept."""

from pathlib import Path

import pytest

from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import (
    Talk,
    call_in,
    contact_of,
    exchange_sequences,
    outcome,
    recorded,
    talk,
    wait_agent,
    wait_recording,
)
from tests.e2e.rig import MUSIC_HZ, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

CUSTOMER = "02187654321"
SHOWN = "5001"                                    # the route's calling number
ZHANG = "801"
NORMAL, UNALLOCATED, USER_BUSY, INCOMPLETE = 16, 1, 17, 28           # Q.850
RINGING_HZ = 425


def dial(box: Rig, called: str = f"9{CUSTOMER}") -> Call:
    return box.pbx.place_call(called=called, calling=ZHANG)


def talk_out(box: Rig) -> Talk:
    """Zhang and a customer, who hear each other and are silent."""
    agent = dial(box)
    customer = box.telco.wait_for_call()
    customer.answer()
    agent.answered()
    return Talk(customer, agent)


def test_the_network_gets_the_number_without_the_prefix_and_the_company_as_caller(box: Rig) -> None:
    agent = dial(box)
    customer = box.telco.wait_for_call()
    assert (customer.called, customer.calling, customer.complete) == (CUSTOMER, SHOWN, True)
    assert agent.wait_for("PROCEEDING").timeslot == agent.timeslot


def test_an_emergency_number_that_no_rule_has_gets_out(box: Rig) -> None:
    dial(box, "110")
    customer = box.telco.wait_for_call()
    assert (customer.called, customer.calling) == ("110", SHOWN)


def test_the_extension_hears_what_the_network_says_before_the_answer(box: Rig) -> None:
    agent = dial(box)
    customer = box.telco.wait_for_call()
    customer.tone(hz=RINGING_HZ, level_dbm0=-10)
    customer.alert(in_band=True)
    assert agent.wait_for("ALERTING").in_band
    agent.wait_to_hear(hz=RINGING_HZ, level_dbm0=-10, tolerance_db=0.5)
    assert agent.event("CONNECT") is None


def test_both_hear_each_other_and_are_recorded_customer_left_agent_right(box: Rig, tmp_path: Path) -> None:
    customer, agent = talk_out(box)
    wait_recording(box, ZHANG)
    exchange_sequences(customer, agent, seed=30)
    agent.hang_up()
    customer.wait_for("RELEASED")
    contact = contact_of(box, ZHANG)
    assert (contact.direction, contact.called, contact.agent) == ("out", f"9{CUSTOMER}", "zhang")
    assert [(segment.kind, segment.detail) for segment in contact.segments] == [
        ("dial", CUSTOMER), ("talk", "zhang")]
    info, left, right = recorded(box, contact, tmp_path)
    assert audio.find(audio.sequence(30, 1.0), left) >= 0
    assert audio.find(audio.sequence(31, 1.0), right) >= 0
    assert info.gap_s == 0.0


@pytest.mark.parametrize("first", ["caller", "agent"])
def test_whoever_hangs_up_first_both_are_released_with_cause_16(box: Rig, first: str) -> None:
    customer, agent = talk_out(box)
    one, other = (customer, agent) if first == "caller" else (agent, customer)
    one.hang_up()
    assert other.wait_for("DISCONNECT").cause == NORMAL
    assert [call.wait_for("RELEASED").cause for call in (one, other)] == [NORMAL, NORMAL]
    assert outcome(contact_of(box, ZHANG)) == ("answered", first, NORMAL)


@pytest.mark.parametrize("cause", [USER_BUSY, UNALLOCATED])
def test_the_extension_is_told_why_the_network_refuses(box: Rig, cause: int) -> None:
    agent = dial(box)
    box.telco.wait_for_call().reject(cause)
    assert agent.wait_for("RELEASED").cause == cause
    assert agent.event("CONNECT") is None
    contact = contact_of(box, ZHANG)
    assert outcome(contact) == ("failed", "caller", cause)
    assert not any(segment.recording for segment in contact.segments)


def test_an_extension_that_gives_up_stops_the_ringing_at_the_far_end(box: Rig) -> None:
    agent = dial(box)
    customer = box.telco.wait_for_call()
    customer.alert()
    agent.wait_for("ALERTING")
    agent.hang_up()
    assert customer.wait_for("RELEASED").cause == NORMAL
    assert outcome(contact_of(box, ZHANG)) == ("abandoned", "agent", NORMAL)


@pytest.mark.parametrize(("called", "cause"), [("7001", UNALLOCATED), ("912", INCOMPLETE)])
def test_a_number_that_no_route_takes_is_refused(box: Rig, called: str, cause: int) -> None:
    agent = dial(box, called)
    assert agent.wait_for("RELEASED").cause == cause
    contact = contact_of(box, ZHANG)
    assert (contact.direction, outcome(contact)) == ("out", ("rejected", "box", cause))


def test_no_queue_rings_an_agent_who_calls_out(box: Rig) -> None:
    talk_out(box)
    wait_agent(box, "zhang", "talking")
    answered = talk(box)
    assert answered.agent.called == "802"         # li, although zhang may have been idle longer
    waiting = call_in(box)
    waiting.wait_to_hear(hz=MUSIC_HZ)
    assert len(box.pbx.calls) == 2
