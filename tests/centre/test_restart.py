"""acdd was away: the log says what it knew, trunkd's table what became of it."""

import pytest

from appliance.bus.messages import Answer, Bridge, Dial, Hangup, Play, StartRecording
from appliance.centre.engine import Engine
from tests.centre.office import CENTRE, Office, in_queue, incoming, kinds, setup


@pytest.fixture
def office() -> Office:
    return Office(setup())


def test_a_talk_goes_on_and_nothing_is_done_to_it(office: Office) -> None:
    name = in_queue(office, "c1")
    office.answer(office.ringing()["8001"])
    before = office.engine.state
    told = office.tell()
    office.restart()
    assert office.engine.state == before
    again = office.tell()
    assert kinds(again) == ["Bridge", "StartRecording"]              # spand may have forgotten; it may repeat
    assert again == [one for one in told if isinstance(one, Bridge | StartRecording)]
    office.hang_up("c1")
    assert office.records[name].outcome == "answered"


def test_what_ended_meanwhile_has_its_real_time_and_cause(office: Office) -> None:
    talk = in_queue(office, "c1")
    office.answer(office.ringing()["8001"])
    for leg in ("x", "y"):
        in_queue(office, leg)
    waits = in_queue(office, "c2")
    office.pass_time(10.0)
    office.release("c1", 31, "far")
    office.now += 2.0
    office.release("c2", 16, "far")
    office.now += 20.0
    office.tell()
    office.restart()
    assert office.records[talk].ended_at == 1010.0
    assert (office.records[talk].cause, office.records[talk].ended_by) == (31, "caller")
    assert (office.records[waits].outcome, office.records[waits].ended_at) == ("abandoned", 1012.0)
    assert len([one for one in office.tell() if isinstance(one, Hangup)]) == 1


def test_a_call_that_came_meanwhile_starts_now(office: Office) -> None:
    office._table("c1", "telco", True, "offered", "5000", "139")
    office._table("c2", "telco", True, "overlap", "50", "139")
    office.restart()
    assert office.hears("c1") == ["zh/welcome"]
    office.digits("c2", "5000")
    assert office.hears("c2") == ["zh/welcome"]


def test_a_call_that_came_and_went_meanwhile_has_its_record(office: Office) -> None:
    office._table("c1", "telco", True, "offered", "5000", "139")
    office.now += 3.0
    office.release("c1", 16, "far")
    office._table("c2", "telco", True, "offered", "5000", "138")
    office.release("c2", 41, "near")              # trunkd's: nobody took it
    office.now += 5.0
    office.restart()
    office.restart()                              # the table tells of them again
    first, second = office.records.values()
    assert (first.outcome, first.ended_by, first.cause, first.calling) == ("abandoned", "caller", 16, "139")
    assert (first.began_at, first.ended_at) == (1000.0, 1003.0)
    assert (second.outcome, second.ended_by, second.cause) == ("failed", "box", 41)
    assert office.tell() == []


def test_an_answered_call_that_the_log_has_lost_is_not_told_as_given_up(office: Office) -> None:
    office._table("c1", "telco", True, "answered", "5000", "139")
    office.release("c1", 16, "far")
    office.restart()
    assert not office.records


def test_a_leg_of_no_contact_is_hung_up(office: Office) -> None:
    office._table("c1", "telco", True, "answered", "5000", "139")
    office._table("d1", "pbx", False, "alerting", "8001", "139")
    office.restart()
    assert office.tell() == [Hangup(leg="c1", cause=41), Hangup(leg="d1", cause=41)]


def test_an_agent_who_answered_meanwhile_talks(office: Office) -> None:
    name = in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office._state(leg, "answered")
    office.restart()
    assert office.contact(name).record.state == "talking"


def test_a_leg_that_the_exchange_lost_fails_the_ring(office: Office) -> None:
    in_queue(office, "c1")
    del office.calls[office.ringing()["8001"]]
    office.give(office.table())
    assert office.agent("ann").reason == "cause 41"
    assert list(office.ringing()) == ["8002"]


def test_a_telephone_whose_release_was_missed_is_free_again(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.hang_up("c1")
    assert (office.agent("ann").state, office.agent("ann").leg) == ("ready", leg)
    del office.calls[leg]                         # nobody said so
    office.give(office.table())
    in_queue(office, "c2")
    assert list(office.ringing()) == ["8001"]


def test_decided_but_not_done_is_done_after_the_restart(office: Office) -> None:
    """Killed between the commit and the first action."""
    office._table("c1", "telco", True, "offered", "5000", "139")
    office.crash(incoming("c1", "5000"))
    told = office.tell()
    assert Answer(leg="c1") in told
    assert [one.fragments for one in told if isinstance(one, Play)] == [["prompt:zh/welcome"]]
    assert len(office.engine.state.contacts) == 1


def test_a_refused_call_does_not_begin_again(office: Office) -> None:
    """The hang-up was lost, the call is still offered: not a second contact."""
    office._table("c1", "telco", True, "offered", "777", "139")
    office.crash(incoming("c1", "777"))
    assert office.tell() == [Hangup(leg="c1", cause=16)]
    assert len(office.records) == 1


def test_wrap_up_ends_when_it_should(office: Office) -> None:
    in_queue(office, "c1")
    office.answer(office.ringing()["8001"])
    office.hang_up("c1")
    office.clear()
    office.pass_time(4.0)
    office.restart()
    assert office.agent("ann").state == "wrap-up"
    office.pass_time(1.0)
    assert office.agent("ann").state == "ready"


def test_an_agent_taken_out_of_the_configuration_leaves_when_the_talk_is_over(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.answer(leg)
    queues = [queue.model_copy(update={"agents": ["bo"]}) for queue in CENTRE.queues]
    office.restart(setup(CENTRE.model_copy(update={"agents": [CENTRE.agents[1]], "queues": queues})))
    assert office.states() == {"ann": "talking", "bo": "ready"}
    office.hang_up(leg)
    assert office.states() == {"bo": "ready"}


def test_a_contact_whose_queue_is_gone_ends(office: Office) -> None:
    name = in_queue(office, "c1")
    office.restart(setup(CENTRE.model_copy(update={"queues": CENTRE.queues[1:]})))
    assert (office.records[name].outcome, office.records[name].ended_by) == ("failed", "box")
    assert office.agent("ann").state == "ready"


def test_a_new_extension_is_used(office: Office) -> None:
    moved = [CENTRE.agents[0].model_copy(update={"extension": "8100"}), *CENTRE.agents[1:]]
    office.restart(setup(CENTRE.model_copy(update={"agents": moved})))
    in_queue(office, "c1")
    assert [one.called for one in office.tell() if isinstance(one, Dial)] == ["8100"]


def test_a_replay_may_begin_with_a_checkpoint(office: Office) -> None:
    in_queue(office, "c1")
    office.answer(office.ringing()["8001"])
    in_queue(office, "c2")
    office.engine.checkpoint(office.now)
    office._settle()
    at = len(office.log) - 1
    assert office.log[at].kind == "Checkpoint"
    office.press("c1", "5")
    office.hang_up("c2")
    engine = Engine(office.setup)
    engine.replay(office.log[at:])
    assert engine.state == office.engine.state
