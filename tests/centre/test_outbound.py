"""An extension dials out, in jumped time."""

import pytest

from appliance.bus.messages import Dial, Hangup
from tests.centre.office import Office, in_queue, kinds, setup


@pytest.fixture
def office() -> Office:
    return Office(setup())


def dial(office: Office, leg: str = "e1", called: str = "02012345",
         calling: str = "8001") -> tuple[str, Dial]:
    """The contact and the Dial toward the network."""
    name = office.call(leg, called, trunk="pbx", calling=calling)
    return name, next(action for action in office.tell() if isinstance(action, Dial))


def test_an_outbound_call_that_is_answered(office: Office) -> None:
    name, out = dial(office)
    assert (out.trunk, out.called, out.calling) == ("telco", "2012345", "5000")
    assert (office.agent("ann").state, office.agent("ann").contact) == ("talking", name)
    office.proceeding(out.leg)
    assert kinds(office.tell()) == ["Bridge"]     # in-band tones of the far end are heard
    office.alerting(out.leg)
    assert kinds(office.tell()) == ["Alert"]
    office.pass_time(6.0)
    office.answer(out.leg)
    assert kinds(office.tell()) == ["Answer", "Bridge", "StartRecording"]
    recording, = office.recording.values()
    assert (recording.caller_leg, recording.agent_leg) == (out.leg, "e1")
    office.pass_time(30.0)
    office.hang_up(out.leg, cause=16)
    assert Hangup(leg="e1", cause=16) in office.tell()
    office.clear()
    record = office.records[name]
    assert (record.direction, record.agent) == ("out", "ann")
    assert (record.outcome, record.ended_by) == ("answered", "caller")
    assert office.shape(name) == [("dial", "2012345"), ("talk", "ann")]
    assert office.agent("ann").state == "idle"


def test_no_queue_call_is_offered_to_an_agent_who_dials(office: Office) -> None:
    dial(office)
    in_queue(office, "c1")
    assert list(office.ringing()) == ["8002"]


@pytest.mark.parametrize("cause", [17, 1, 34])
def test_the_cause_of_the_far_end_reaches_the_extension(office: Office, cause: int) -> None:
    name, out = dial(office)
    office.hang_up(out.leg, cause=cause)
    assert Hangup(leg="e1", cause=cause) in office.tell()
    record = office.records[name]
    assert (record.outcome, record.ended_by, record.cause) == ("failed", "caller", cause)


def test_the_extension_gives_up(office: Office) -> None:
    name, out = dial(office)
    office.alerting(out.leg)
    office.hang_up("e1", cause=16)
    assert Hangup(leg=out.leg, cause=16) in office.tell()
    assert (office.records[name].outcome, office.records[name].ended_by) == ("abandoned", "agent")


def test_an_extension_that_is_no_agent_and_a_route_that_is_not_recorded(office: Office) -> None:
    name, out = dial(office, called="110", calling="8999")
    assert (out.called, out.calling) == ("110", "8999")
    office.answer(out.leg)
    assert not office.recording
    assert office.records[name].agent == "" and set(office.states().values()) == {"idle"}


def test_the_second_call_of_an_agent_leaves_the_first_one_alone(office: Office) -> None:
    first, _ = dial(office, "e1")
    second, out = dial(office, "e2")
    office.answer(out.leg)
    assert (office.records[second].agent, office.agent("ann").contact) == ("", first)
    office.hang_up("e2")
    assert office.agent("ann").state == "talking"


def test_overlap_digits_from_an_extension(office: Office) -> None:
    name = office.call("e1", "1", trunk="pbx", calling="8001", complete=False)
    assert office.agent("ann").state == "talking"
    office.digits("e1", "11")
    assert office.tell() == []
    office.digits("e1", "110")                    # nothing longer is possible
    assert kinds(office.tell()) == ["Proceed", "Dial"]
    assert office.records[name].called == "110"


def test_an_overlap_number_that_could_go_on_is_dialled_when_it_is_said_to_be_complete(office: Office) -> None:
    office.call("e1", "0201", trunk="pbx", calling="8001", complete=False)
    office.digits("e1", "02012")
    assert office.tell() == []
    office.digits("e1", "02012", complete=True)
    dialled = [action for action in office.tell() if isinstance(action, Dial)]
    assert [one.called for one in dialled] == ["2012"]


@pytest.mark.parametrize(("called", "complete", "cause"), [("9", False, 1), ("02", True, 28)])
def test_a_number_that_leads_nowhere_frees_the_agent(
        office: Office, called: str, complete: bool, cause: int) -> None:
    name = office.call("e1", called, trunk="pbx", calling="8001", complete=complete)
    assert office.tell() == [Hangup(leg="e1", cause=cause)]
    assert (office.records[name].outcome, office.records[name].cause) == ("rejected", cause)
    assert (office.agent("ann").state, office.agent("ann").leg) == ("idle", "e1")
    office.clear()
    assert office.agent("ann").leg == ""
