"""An extension dials out, in jumped time."""

import msgspec
import pytest

from appliance.bus.messages import Answer, CallAnswered, CallInfo, Dial, Hangup, Progress
from tests.centre.office import Office, in_queue, incoming, kinds, setup


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
    assert office.agent("ann").state == "ready"


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
    assert office.records[name].agent == "" and set(office.states().values()) == {"ready"}


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
    assert (office.agent("ann").state, office.agent("ann").leg) == ("ready", "e1")
    office.clear()
    assert office.agent("ann").leg == ""


def test_an_extension_that_hides_its_number_is_hidden_and_sees_who_answered(office: Office) -> None:
    call = msgspec.structs.replace(incoming("e1", "02012345", trunk="pbx", calling="8001"), withheld=True)
    office.calls["e1"] = CallInfo(
        leg="e1", trunk="pbx", span="s", timeslot=1, inbound=True, state="offered", called="02012345",
        calling="8001", calling_name="", complete=True, since=office.now)
    office.give(call)
    out = next(action for action in office.tell() if isinstance(action, Dial))
    assert (out.calling, out.withheld) == ("5000", True)
    office.calls[out.leg] = msgspec.structs.replace(office.calls[out.leg], state="answered")
    office.give(CallAnswered(leg=out.leg, at=office.now, connected="2012346"))
    assert Answer(leg="e1", connected="2012346") in office.tell()


def test_what_the_far_end_says_before_the_answer_is_heard_and_the_pbx_told_to_listen(office: Office) -> None:
    _, out = dial(office)
    office.progress(out.leg, in_band=False)
    assert office.tell() == []
    office.progress(out.leg)
    assert kinds(office.tell()) == ["Bridge", "Progress"]
    office.progress(out.leg)
    assert office.tell() == [Progress(leg="e1")]
    office.alerting(out.leg)
    office.progress(out.leg)
    assert kinds(office.tell()) == ["Alert"]      # it listens already


@pytest.mark.parametrize("restarted", [False, True])
def test_an_announcement_at_the_end_is_heard_until_it_is_over(office: Office, restarted: bool) -> None:
    name, out = dial(office)
    office.proceeding(out.leg)
    office.tell()
    if restarted:
        office.calls[out.leg] = msgspec.structs.replace(
            office.calls[out.leg], state="disconnecting", cause=1)
        office.restart()
    else:
        office.clearing(out.leg, cause=1)
    assert Progress(leg="e1") in office.tell()
    assert frozenset(("e1", out.leg)) in office.bridged
    office.hang_up(out.leg, cause=1)              # T306, or the network has said it all
    assert Hangup(leg="e1", cause=1) in office.tell()
    assert (office.records[name].outcome, office.records[name].cause) == ("failed", 1)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_queue_does_not_listen_to_why_an_agent_cannot_be_rung(office: Office, restarted: bool) -> None:
    in_queue(office, "c1")
    [leg] = office.ringing().values()
    office.tell()
    if restarted:
        office.calls[leg] = msgspec.structs.replace(office.calls[leg], state="disconnecting", cause=17)
        office.restart()
    else:
        office.clearing(leg, cause=17)
    told = office.tell()
    assert Hangup(leg=leg, cause=16) in told and "Dial" in kinds(told)
    assert (office.agent("ann").state, office.agent("ann").reason) == ("unreachable", "busy")
    assert list(office.ringing()) == ["8002"]
