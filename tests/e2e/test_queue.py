"""Waiting for an agent: who is rung, what the caller hears meanwhile, and what a ring that fails leads to."""

from typing import Any

import pytest

from appliance.bus.messages import Board, ContactInfo
from tests.e2e.calls import (
    agent_info,
    call_in,
    contact_of,
    name_of,
    outcome,
    pick_up,
    ring,
    talk,
    wait_agent,
)
from tests.e2e.rig import ANNOUNCEMENT_HZ, CONFIG, FLOW, MUSIC_HZ, NUMBER_HZ, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

SALES, SERVICE, HELP = "1", "2", "3"              # keys; sales has two agents, service one, help two
NORMAL, USER_BUSY, NO_ANSWER = 16, 17, 19         # Q.850
WRAP_UP_S = 0.8
HELP_RING_S = 1.0
POSITION_EVERY_S = 1.5
EARLY_S, LATE_S = 0.1, 1.0                        # of both lines, and of a busy machine
PATIENT: dict[str, Any] = {
    "ring_s": 20.0, "wrap_up_s": WRAP_UP_S, "unavailable_s": 1.0, "position_every_s": 0.0}


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    nodes = FLOW["nodes"]
    menu = {**nodes["menu"], "digits": {SALES: "sales", SERVICE: "service", HELP: "help"}, "default": "sales"}
    rest = {name: nodes[name] for name in ("greeting", "sales", "service", "busy", "end")}
    return {
        "config": {**CONFIG, "centre": {
            **CONFIG["centre"],
            "queues": [
                {**PATIENT, "name": "sales", "agents": ["zhang", "li"]},
                {**PATIENT, "name": "service", "agents": ["wang"], "position_every_s": POSITION_EVERY_S},
                {**PATIENT, "name": "help", "agents": ["zhao", "qian"], "ring_s": HELP_RING_S},
            ],
            "agents": [{"name": name, "extension": str(extension), "trunk": "pbx"} for name, extension in (
                ("zhang", 801), ("li", 802), ("wang", 803), ("zhao", 804), ("qian", 805))],
        }},
        "flow": {**FLOW, "nodes": {
            **rest, "menu": menu, "help": {**nodes["sales"], "queue": "help"}}},
    }


def test_nobody_is_free_so_the_caller_hears_his_place_and_music_until_somebody_is(box: Rig) -> None:
    first = talk(box, SERVICE)
    second = call_in(box, SERVICE)
    told_s = second.wait_to_hear(hz=ANNOUNCEMENT_HZ, from_s=0.0)
    number_s = second.wait_to_hear(hz=NUMBER_HZ[1], from_s=told_s)
    music_s = second.wait_to_hear(hz=MUSIC_HZ, from_s=number_s)
    again_s = second.wait_to_hear(hz=NUMBER_HZ[1], from_s=music_s)
    assert POSITION_EVERY_S - EARLY_S < again_s - number_s < POSITION_EVERY_S + LATE_S
    first.caller.hang_up()
    agent = box.pbx.wait_for_call()
    assert (agent.called, agent.calling) == ("803", second.calling)
    agent.alert()
    pick_up(second, agent)


def test_who_came_first_is_first_and_the_others_move_up(box: Rig) -> None:
    busy = talk(box, SERVICE)
    first = call_in(box, SERVICE)
    first.wait_to_hear(hz=NUMBER_HZ[1], from_s=0.0)
    second = call_in(box, SERVICE)
    second.wait_to_hear(hz=NUMBER_HZ[2], from_s=0.0)
    first.hang_up()
    second.wait_to_hear(hz=NUMBER_HZ[1])
    third = call_in(box, SERVICE)
    third.wait_to_hear(hz=NUMBER_HZ[2], from_s=0.0)
    busy.agent.hang_up()
    assert box.pbx.wait_for_call().calling == second.calling
    gone = contact_of(box, first.calling)
    assert (outcome(gone), gone.queue, recordings(gone)) == (("abandoned", "caller", NORMAL), "service", [])


def test_a_caller_who_gives_up_while_it_rings_stops_the_ringing_and_leaves_the_agent_ready(box: Rig) -> None:
    caller, agent = ring(box, SERVICE)
    wait_agent(box, "wang", "ringing")
    caller.hang_up()
    assert agent.wait_for("RELEASED").cause == NORMAL
    assert wait_agent(box, "wang", "ready").reason == ""
    gone = contact_of(box, caller.calling)
    assert (outcome(gone), recordings(gone)) == (("abandoned", "caller", NORMAL), [])
    assert [segment.kind for segment in gone.segments][-2:] == ["queue", "ring"]
    assert ring(box, SERVICE).agent.called == "803"              # at once, for the next one


def test_a_busy_agent_is_passed_over_and_the_next_one_is_rung(box: Rig) -> None:
    caller = call_in(box, SALES)
    first = box.pbx.wait_for_call()
    first.reject(USER_BUSY)
    second = box.pbx.wait_for_call()
    assert {first.called, second.called} == {"801", "802"}
    assert wait_agent(box, name_of(box, first.called), "unreachable").reason == "busy"
    second.alert()
    pick_up(caller, second)
    assert contact_of(box, caller.calling, "talking").agent == name_of(box, second.called)


def test_an_agent_who_does_not_answer_is_rung_for_so_long_and_then_another(box: Rig) -> None:
    caller = call_in(box, HELP)
    first = box.pbx.wait_for_call()
    first.alert()
    second = box.pbx.wait_for_call()
    second.alert()
    pick_up(caller, second)
    assert {first.called, second.called} == {"804", "805"}
    assert HELP_RING_S - EARLY_S < second.setup_at - first.setup_at < HELP_RING_S + LATE_S
    assert first.wait_for("RELEASED").cause == NORMAL
    contact = contact_of(box, caller.calling, "talking")
    assert contact.agent == name_of(box, second.called)
    assert [segment.kind for segment in contact.segments][-4:] == ["ring", "queue", "ring", "talk"]
    rested = name_of(box, first.called)
    box.bus.wait_event(Board, lambda board: agent_info(board, rested).reason == "no answer")


def test_the_agent_who_has_been_idle_longest_is_rung(box: Rig) -> None:
    rung = []
    for _ in range(3):
        caller, agent = talk(box, SALES)
        rung.append(agent.called)
        caller.hang_up()
        wait_agent(box, name_of(box, agent.called), "ready")
    assert rung in (["801", "802", "801"], ["802", "801", "802"])


def test_wrap_up_is_left_in_peace(box: Rig) -> None:
    first = talk(box, SERVICE)
    second = call_in(box, SERVICE)
    second.wait_to_hear(hz=MUSIC_HZ)
    first.agent.hang_up()
    assert first.agent.hung_up_at is not None
    wait_agent(box, "wang", "wrap-up")
    rested_s = box.pbx.wait_for_call().setup_at - first.agent.hung_up_at
    assert WRAP_UP_S - EARLY_S < rested_s < WRAP_UP_S + LATE_S


def recordings(contact: ContactInfo) -> list[str]:
    return [segment.recording for segment in contact.segments if segment.recording]
