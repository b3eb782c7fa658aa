"""A span full of calls works as one call does."""

from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import Board, ContactInfo, GetContacts, Heartbeat
from hil_tests.instruments import audio
from hil_tests.instruments.answering import Answering
from tests.e2e.calls import new_number, outcome, recorded
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.spoken import END_S, holes
from tests.e2e.talk import SOON_S, wait_all_idle

CALLS = 30
NORMAL = 16                                       # Q.850
SAID_S = 0.5                                      # then it is said again
TALK_S = 2.0


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    agents = [{"name": f"agent-{extension}", "extension": str(extension), "trunk": "pbx"}
              for extension in range(801, 801 + CALLS)]
    queue = {"name": "all", "agents": [agent["name"] for agent in agents], "wrap_up_s": 0.0}
    return {
        "config": {**CONFIG, "centre": {**CONFIG["centre"], "queues": [queue], "agents": agents}},
        "flow": {"language": "en", "start": "all", "nodes": {"all": {"kind": "queue", "queue": "all"}}}}


def voice(number: str) -> audio.Octets:
    """What the telephone with this number says."""
    return audio.sequence(int(number), SAID_S)


def test_thirty_calls_at_once_are_answered_bridged_recorded_and_released(rig: Rig, tmp_path: Path) -> None:
    rig.pbx.answering(lambda call: Answering(says=voice(call.called)))
    callers = {number: rig.telco.place_call(called="5001", calling=number)
               for number in [new_number() for _ in range(CALLS)]}
    for number, caller in callers.items():
        caller.play(voice(number), repeat=True)
    board = rig.bus.wait_latest(Board, lambda board: len(talking(board.contacts)) == CALLS, SOON_S)
    agents = {agent.called: agent for agent in rig.pbx.calls}
    assert len(agents) == CALLS
    pairs = [(callers[contact.calling], agents[contact.agent.removeprefix("agent-")])
             for contact in board.contacts]
    assert len({agent for _, agent in pairs}) == CALLS
    for party, until_s in [(party, party.heard_s + TALK_S) for pair in pairs for party in pair]:
        party.wait_to_have_heard(until_s, SOON_S)
    for caller, agent in pairs:
        assert holes(caller.heard(), voice(agent.called)) == []
        assert holes(agent.heard(), voice(caller.calling)) == []
    for caller in callers.values():
        caller.hang_up()
    for party in (party for pair in pairs for party in pair):
        assert party.wait_for("RELEASED").cause == NORMAL
    wait_all_idle(rig)
    contacts = {contact.calling: contact for contact in rig.bus.ask(GetContacts()).contacts}
    assert set(contacts) == set(callers)
    for caller, agent in pairs:
        contact = contacts[caller.calling]
        assert outcome(contact) == ("answered", "caller", NORMAL)
        assert [segment.kind for segment in contact.segments] == ["queue", "ring", "talk"]
        info, left, right = recorded(rig, contact, tmp_path)
        assert holes(left, voice(caller.calling), END_S) == holes(right, voice(agent.called), END_S) == []
        assert (info.gap_s, info.duration_s >= TALK_S) == (0.0, True)
    assert_healthy(rig)


def talking(contacts: list[ContactInfo]) -> list[ContactInfo]:
    return [contact for contact in contacts if contact.state == "talking"]


def assert_healthy(rig: Rig) -> None:
    """No frame refused, nothing that could not be digested, nothing left over."""
    facts = {beat.daemon: beat.facts for beat in rig.bus.said(Heartbeat)}
    assert facts["trunkd"]["frames_not_taken"] == facts["trunkd"]["calls"] == 0
    assert "faults" not in facts["acdd"]
    assert rig.complaints() == []
    assert facts["recordd"]["gap_s"] == facts["recordd"]["failing"] == 0
