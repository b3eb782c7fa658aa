"""What calls do while a daemon is dead, and what became of them when it is back."""

import copy
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import Board, CallIncoming, CallReleased
from hil_tests.instruments.call import Call
from tests.e2e.calls import call_in, contact_of, new_number, outcome, pick_up, recorded, ring, talk
from tests.e2e.rig import CONFIG, MUSIC_HZ, Rig
from tests.e2e.spoken import SHORT_FLOW
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S, wait_all_idle

NORMAL, UNSPECIFIED = 16, 31                      # Q.850
MOMENT_S = 0.7                                    # from a far end's act to trunkd's word, on a busy machine

pytestmark = pytest.mark.usefixtures("left_idle")


@pytest.fixture(scope="module")
def rig_options() -> Mapping[str, Any]:
    """Nothing happens by time here: the menu waits, it rings on."""
    config, flow = copy.deepcopy(CONFIG), copy.deepcopy(dict(SHORT_FLOW))
    for queue in config["centre"]["queues"]:
        queue["ring_s"] = 60.0
    flow["nodes"]["menu"]["timeout_s"] = 60.0
    return {"config": config, "flow": flow}


def unix_time(monotonic_s: float) -> float:
    return time.time() - time.monotonic() + monotonic_s


@pytest.mark.parametrize("first", ["caller", "agent"])
@pytest.mark.parametrize("victim", ["acdd", "trunkd", "bus"])
def test_one_hangs_up_meanwhile_and_the_other_is_released(
        box: Rig, victim: str, first: str, tmp_path: Path) -> None:
    caller, agent = talk(box)
    one, other = (caller, agent) if first == "caller" else (agent, caller)
    box.kill(victim)
    one.hang_up()
    if victim != "trunkd":
        assert one.wait_for("RELEASED", SOON_S).cause == NORMAL
    revive(box, victim)
    assert other.wait_for("RELEASED", SOON_S).cause == NORMAL
    contact = contact_of(box, caller.calling, within_s=SOON_S)
    lost = victim == "trunkd" and first == "caller"                  # its DISCONNECT, and with it the cause
    assert outcome(contact) == ("answered", first, UNSPECIFIED if lost else NORMAL)
    if victim != "trunkd":                        # who was dead and cannot know when
        assert one.hung_up_at is not None
        assert contact.ended_at == pytest.approx(unix_time(one.hung_up_at), abs=MOMENT_S)
    wait_all_idle(box)
    if first == "caller":
        info = recorded(box, contact, tmp_path).info
        talked_s = contact.segments[-1].ended_at - contact.segments[-1].began_at
        assert info.gap_s < MOMENT_S and info.duration_s > talked_s - MOMENT_S
        if victim != "bus":                       # without it spand does not hear of the end
            assert info.duration_s < talked_s + MOMENT_S


def test_a_call_offered_while_acdd_is_dead_is_answered_when_it_is_back(box: Rig) -> None:
    box.kill("acdd")
    caller = box.telco.place_call(called="5001", calling=new_number())
    offered = box.bus.wait_event(CallIncoming, lambda call: call.calling == caller.calling, SOON_S)
    revive(box, "acdd")
    caller.answered(SOON_S).dtmf("1")
    agent = box.pbx.wait_for_call(SOON_S)
    pick_up(caller, agent)
    caller.hang_up()
    contact = contact_of(box, caller.calling, within_s=SOON_S)
    assert outcome(contact) == ("answered", "caller", NORMAL)
    assert contact.began_at == pytest.approx(offered.at, abs=0.001)
    wait_all_idle(box)


def test_a_call_that_came_and_was_given_up_while_acdd_was_dead_has_its_record(box: Rig) -> None:
    box.kill("acdd")
    caller = box.telco.place_call(called="5001", calling=new_number())
    offered = box.bus.wait_event(CallIncoming, lambda call: call.calling == caller.calling, SOON_S)
    caller.hang_up()
    gone = box.bus.wait_event(CallReleased, lambda call: call.leg == offered.leg, SOON_S)
    revive(box, "acdd")
    contact = contact_of(box, caller.calling, within_s=SOON_S)
    assert outcome(contact) == ("abandoned", "caller", NORMAL)
    assert (contact.called, contact.began_at, contact.ended_at) == ("5001", offered.at, gone.at)
    wait_all_idle(box)


def test_a_call_that_trunkds_death_swallows_is_cleared_at_once_and_the_next_one_works(box: Rig) -> None:
    box.kill("trunkd")
    caller = box.telco.place_call(called="5001", calling=new_number())
    revive(box, "trunkd")
    assert caller.wait_for("RELEASED", SOON_S).cause
    caller, agent = talk(box)
    agent.hang_up()
    assert outcome(contact_of(box, caller.calling, within_s=SOON_S)) == ("answered", "agent", NORMAL)
    wait_all_idle(box)


@pytest.mark.parametrize("victim", ["spand", "trunkd", "acdd", "bus"])
def test_a_menu_a_queue_a_ring_and_a_talk_go_on_or_begin_again(box: Rig, victim: str) -> None:
    talking = talk(box)
    ringing = ring(box)
    waiting = call_in(box)
    choosing = box.telco.place_call(called="5001", calling=new_number()).answered()
    contacts = wait_states(box, {
        talking.caller: "talking", ringing.caller: "ringing", waiting: "queue", choosing: "flow"})
    box.kill(victim)
    revive(box, victim)
    agent = ringing.agent
    assert agent.released is None                 # it still rings
    for caller in (waiting, ringing.caller):
        caller.wait_to_hear(MUSIC_HZ, within_s=SOON_S)
    choosing.dtmf("1")
    pick_up(ringing.caller, agent)
    wait_states(box, {talking.caller: "talking", ringing.caller: "talking", waiting: "queue",
                      choosing: "queue"}, contacts)
    agent.hang_up()
    next_agent = box.pbx.wait_for_call(SOON_S)    # free again: the first in line
    pick_up(waiting, next_agent)
    for caller in (choosing, waiting, talking.caller):
        caller.hang_up()
    for caller, expected in (
            (ringing.caller, ("answered", "agent", NORMAL)), (waiting, ("answered", "caller", NORMAL)),
            (choosing, ("abandoned", "caller", NORMAL)), (talking.caller, ("answered", "caller", NORMAL))):
        assert caller.wait_for("RELEASED", SOON_S).cause == NORMAL
        assert outcome(contact_of(box, caller.calling, within_s=SOON_S)) == expected
    wait_all_idle(box)


def wait_states(rig: Rig, states: Mapping[Call, str],
                contacts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Until these callers' contacts, and no others, live in these states: calling number -> contact's id."""
    wanted = {call.calling: state for call, state in states.items()}
    board = rig.bus.wait_latest(
        Board, lambda board: {one.calling: one.state for one in board.contacts} == wanted, SOON_S)
    found = {one.calling: one.contact for one in board.contacts}
    assert contacts is None or found == contacts  # still the same ones
    return found


def test_an_exchange_that_is_back_before_its_line_seemed_lost_has_no_calls_and_neither_have_we(
        box: Rig) -> None:
    caller, agent = talk(box)
    box.replace_telco()
    assert agent.wait_for("RELEASED", SOON_S).cause == NORMAL
    assert outcome(contact_of(box, caller.calling, within_s=SOON_S))[:2] == ("answered", "line")
    caller, agent = talk(box)
    agent.hang_up()
    assert caller.wait_for("RELEASED", SOON_S).cause == NORMAL
    wait_all_idle(box)
