"""Lines that lose frames, are cut, go away and come back: talks go on, and no channel is left behind."""

from collections.abc import Mapping
from typing import Any

import pytest

from appliance.bus.messages import Board, ContactInfo, GetContacts, GetSpans, LinkState, SpanState
from hil_tests.instruments import audio
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call
from hil_tests.instruments.exchange import SoftwareExchange
from tests.e2e.calls import contact_of, exchange_sequences, new_number, outcome, talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.spoken import SHORT_FLOW, Hole, Spoken, go_on, holes, speak
from tests.e2e.talk import SOON_S, wait_all_idle

CALLS = 20
D_LOSS = 0.05
BLOCK_S = 0.01
LAYER_2_S = 8.0                                   # N200 tries of T200, of an I frame and then of SABME
LOST_S = 3.0
PATIENCE_S = 40.0                                 # of calls whose frames are lost: a try more takes a second
NORMAL, DESTINATION_OUT_OF_ORDER, OUT_OF_ORDER, INVALID_CALL_REFERENCE = 16, 27, 38, 81  # Q.850
CUSTOMER, FREE_EXTENSION = "02187654321", "820"
NO_HOLES: list[list[object]] = [[], []]           # in neither direction


@pytest.fixture(scope="module")
def rig_options() -> Mapping[str, Any]:
    agents = [{"name": f"agent-{extension}", "extension": str(extension), "trunk": "pbx"}
              for extension in range(801, 801 + CALLS)]
    queue = {"name": "sales", "agents": [agent["name"] for agent in agents], "ring_s": 60.0, "wrap_up_s": 0.0}
    return {
        "config": {**CONFIG, "centre": {**CONFIG["centre"], "queues": [queue], "agents": agents}},
        "flow": SHORT_FLOW}


def voice(number: str) -> audio.Octets:
    """What the telephone with this number says, again and again."""
    return audio.sequence(int(number), 0.5)


def cuts(one: Call, other: Call) -> list[Hole]:
    """Where `one` does not hear the other for more than a block: that long a starved machine may be late."""
    number = other.called if other.incoming else other.calling
    return [hole for hole in holes(one.heard(), voice(number)) if hole.lasted_s > BLOCK_S]


def talking(board: Board) -> list[ContactInfo]:
    return [contact for contact in board.contacts if contact.state == "talking"]


def fcs_errors(box: Rig) -> dict[str, int]:
    """Of each end of each line until now."""
    ends = {exchange.name: exchange.line.span.counters().fcs_errors for exchange in (box.telco, box.pbx)}
    for span in ("telco1", "pbx1"):
        [newest] = [state for state in box.bus.ask(GetSpans()).spans if state.span == span]
        ends[span] = newest.counters["fcs_errors"]
    return ends


def end(one: Spoken) -> None:
    one.caller.hang_up()
    assert [party.wait_for("RELEASED", SOON_S).cause for party in (one.caller, one.agent)] == [NORMAL] * 2


def check_next_call(box: Rig) -> None:
    """Nothing is left of the calls before, and the next one works."""
    wait_all_idle(box)
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=60, seconds=0.5)
    agent.hang_up()
    assert caller.wait_for("RELEASED").cause == NORMAL
    wait_all_idle(box)


def test_calls_complete_although_one_frame_in_twenty_is_lost(box: Rig) -> None:
    box.pbx.answering(lambda call: Answering(says=voice(call.called)))
    for seed, exchange in enumerate((box.telco, box.pbx)):
        exchange.faults.reseed(seed)
        exchange.faults.d_loss = D_LOSS
    callers = {number: box.telco.place_call(called="5001", calling=number)
               for number in [new_number() for _ in range(CALLS)]}
    for number, caller in callers.items():
        caller.play(voice(number), repeat=True)
        caller.answered(PATIENCE_S)
    board = box.bus.wait_latest(Board, lambda board: len(talking(board)) == CALLS, PATIENCE_S)
    agents = {agent.called: agent for agent in box.pbx.calls}
    pairs = [(callers[contact.calling], agents[contact.agent.removeprefix("agent-")])
             for contact in board.contacts]
    go_on(*(Spoken(caller, agent, voice(caller.calling), voice(agent.called)) for caller, agent in pairs))
    for caller, agent in pairs:
        assert cuts(caller, agent) == []
        assert cuts(agent, caller) == []
        caller.hang_up()
    for party in (party for pair in pairs for party in pair):
        assert party.wait_for("RELEASED", PATIENCE_S).cause == NORMAL
    wait_all_idle(box)
    for exchange in (box.telco, box.pbx):
        exchange.faults.d_loss = 0.0
    box.pbx.answering(None)
    assert all(fcs_errors(box).values())          # frames were lost indeed, each way on both lines
    contacts = {contact.calling: outcome(contact) for contact in box.bus.ask(GetContacts()).contacts}
    assert contacts == dict.fromkeys(callers, ("answered", "caller", NORMAL))
    check_next_call(box)


@pytest.mark.parametrize("cut_s", [5.0, 10.0])      # shorter and longer than layer 2 tries to mend it
def test_a_talk_does_not_notice_a_d_channel_that_is_cut_and_comes_back(box: Rig, cut_s: float) -> None:
    one, mark = speak(box, seed=1), box.bus.mark()
    box.telco.faults.d_cut = True
    until_s = one.caller.heard_s + cut_s
    tries = [                                     # so that both ends find out
        box.telco.place_call(called="5001", calling=new_number()),
        box.pbx.place_call(called=f"9{CUSTOMER}", calling=FREE_EXTENSION)]
    one.caller.wait_to_have_heard(until_s, 3 * cut_s)
    assert one.caller.state == one.agent.state == "connected"
    told = [link.up for link in box.bus.said(LinkState, mark) if link.span == "telco1"]
    assert cut_s < LAYER_2_S or told == [False]
    box.telco.faults.d_cut = False
    box.wait_links_up()
    # Each end may set the link up once more, T200 after the other; a DISCONNECT between the two would be lost
    # until T305 (30 s).
    one.caller.wait_to_have_heard(one.caller.heard_s + 2.5, SOON_S)
    for call in tries:
        call.hang_up()
        call.wait_for("RELEASED", SOON_S)
    go_on(one)
    assert one.holes() == NO_HOLES
    exchange_sequences(*talk(box), seed=62, seconds=0.5)
    end(one)
    box.telco.hang_up_all()
    check_next_call(box)


def test_a_line_that_is_lost_is_told_and_its_talk_goes_on_when_it_is_back(box: Rig) -> None:
    one, mark = speak(box, seed=2), box.bus.mark()
    box.telco.faults.los = True
    lost = box.bus.wait_event(SpanState, lambda span: span.span == "telco1" and not span.up, SOON_S, mark)
    assert lost.alarms == ["los"]
    box.bus.wait_event(LinkState, lambda link: link.span == "telco1" and not link.up, SOON_S, mark)
    dialled = box.pbx.place_call(called=f"9{CUSTOMER}", calling=FREE_EXTENSION)
    assert dialled.wait_for("RELEASED").cause in (DESTINATION_OUT_OF_ORDER, OUT_OF_ORDER)
    box.bus.wait_event(SpanState, lambda span: span.at > lost.at + LOST_S, SOON_S, mark)
    assert one.caller.state == one.agent.state == "connected"
    back = box.bus.mark()
    box.telco.faults.los = False
    box.wait_links_up()
    box.bus.wait_event(SpanState, lambda span: span.span == "telco1" and not span.alarms, SOON_S, back)
    go_on(one)
    for side in one.holes():
        [hole] = side
        assert hole.lasted_s > LOST_S - 1.0
    end(one)
    contact = contact_of(box, one.caller.calling)
    assert outcome(contact) == ("answered", "caller", NORMAL)
    check_next_call(box)


def test_an_exchange_that_comes_back_without_its_calls_leaves_none_here(rig: Rig) -> None:
    caller, agent = talk(rig)
    ringing = rig.pbx.place_call(called=f"9{CUSTOMER}", calling=FREE_EXTENSION)
    rig.telco.wait_for_call().alert()
    ringing.wait_for("ALERTING")
    mark = rig.bus.mark()
    rig.telco.close()
    rig.bus.wait_event(LinkState, lambda link: link.span == "telco1" and not link.up, SOON_S, mark)
    assert agent.state == "connected"             # T309: the line may come back
    line = f"virtual:{rig.folder}/lines/telco/a"
    with SoftwareExchange(line, "network", "telco", overlap=True) as rig.telco:
        rig.wait_links_up()
        assert agent.wait_for("RELEASED", SOON_S).cause == NORMAL
        ringing.wait_for("RELEASED", SOON_S)
        assert outcome(contact_of(rig, caller.calling)) == ("answered", "line", INVALID_CALL_REFERENCE)
        check_next_call(rig)
