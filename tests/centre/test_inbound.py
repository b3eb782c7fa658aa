"""A caller's way through flow, queue and talk, in jumped time."""

import pytest

from appliance.bus.messages import Bridge, Dial, Hangup, StartRecording
from appliance.centre.engine import DialRefused
from tests.centre.office import AGENTS, CENTRE, Office, in_queue, kinds, setup


@pytest.fixture
def office() -> Office:
    return Office(setup())


def test_a_call_from_the_first_ring_to_wrap_up(office: Office) -> None:
    name = office.call("c1", calling="13912345678")
    assert kinds(office.tell()) == ["Proceed", "Answer", "Play"]
    assert office.hears("c1") == ["zh/welcome"]
    office.pass_time(2.0)
    office.played("c1")
    assert office.hears("c1") == ["zh/menu"]
    office.pass_time(1.0)
    office.press("c1", "1")                       # barge-in: the prompt is not over
    assert office.hears("c1") == ["zh/position", "zh/number/1", "zh/position-end"]
    dial = next(action for action in office.tell() if isinstance(action, Dial))
    assert (dial.trunk, dial.called, dial.calling) == ("pbx", "8001", "13912345678")
    assert (office.contact(name).record.state, office.agent("ann").state) == ("ringing", "reserved")
    office.alerting(dial.leg)
    assert office.agent("ann").state == "ringing"
    office.played("c1")
    assert office.hears("c1") == ["music/default"] and office.playing["c1"].repeat
    office.pass_time(4.0)
    office.answer(dial.leg)
    bridge, recording = [action for action in office.tell() if isinstance(action, Bridge | StartRecording)]
    assert bridge == Bridge(leg_a="c1", leg_b=dial.leg)
    assert isinstance(recording, StartRecording)
    assert (recording.caller_leg, recording.agent_leg) == ("c1", dial.leg)
    assert len(bytes.fromhex(recording.recording)) == 16
    assert (office.contact(name).record.state, office.agent("ann").state) == ("talking", "talking")
    assert "c1" not in office.playing
    office.pass_time(60.0)
    office.hang_up("c1")
    assert Hangup(leg=dial.leg, cause=16) in office.tell()
    office.clear()
    record = office.records[name]
    assert (record.state, record.outcome) == ("ended", "answered")
    assert (record.ended_by, record.cause) == ("caller", 16)
    assert (record.queue, record.agent, record.digits) == ("sales", "ann", "1")
    assert (record.began_at, record.ended_at) == (1000.0, 1067.0)
    assert [(one.kind, one.detail, one.began_at, one.ended_at) for one in record.segments] == [
        ("flow", "greeting", 1000.0, 1002.0), ("flow", "main", 1002.0, 1003.0),
        ("queue", "sales", 1003.0, 1003.0),
        ("ring", "ann", 1003.0, 1007.0), ("talk", "ann", 1007.0, 1067.0)]
    assert record.segments[-1].recording == recording.recording
    assert office.agent("ann").state == "wrap-up" and not office.recording
    office.pass_time(5.0)
    assert office.agent("ann").state == "ready"
    assert not office.engine.state.contacts and not office.engine.state.legs


def test_the_agent_hangs_up_first(office: Office) -> None:
    name = in_queue(office, "c1")
    agent_leg = office.ringing()["8001"]
    office.answer(agent_leg)
    office.tell()
    office.hang_up(agent_leg, cause=31)
    assert Hangup(leg="c1", cause=16) in office.tell()
    record = office.records[name]
    assert (record.outcome, record.ended_by, record.cause) == ("answered", "agent", 16)


@pytest.mark.parametrize(("stage", "state"), [
    ("greeting", "flow"), ("menu", "flow"), ("ring", "ringing"), ("queue", "queue")])
def test_the_caller_gives_up(office: Office, stage: str, state: str) -> None:
    if stage == "queue":
        for leg in ("x", "y", "z"):
            in_queue(office, leg)
    name = office.call("c1")
    if stage != "greeting":
        office.played("c1")
    if stage in ("ring", "queue"):
        office.press("c1", "1")
    assert office.contact(name).record.state == state
    office.pass_time(1.0)
    ringing = office.ringing()
    office.tell()
    office.hang_up("c1", cause=16)
    record = office.records[name]
    assert (record.outcome, record.ended_by, record.cause) == ("abandoned", "caller", 16)
    assert record.segments[-1].ended_at == record.ended_at == office.now
    if stage == "ring":
        assert office.tell() == [Hangup(leg=ringing["8001"], cause=16)]
        assert office.agent("ann").state == "ready"


def test_the_longest_idle_is_rung_first(office: Office) -> None:
    for leg in ("c1", "c2"):                      # ann, bo
        in_queue(office, leg)
        office.answer(office.ringing().popitem()[1])
    for leg in ("c2", "c1"):                      # bo is idle before ann, both after cy
        office.pass_time(10.0)
        office.hang_up(leg)
    office.clear()
    office.pass_time(10.0)
    for leg in ("c3", "c4", "c5"):
        in_queue(office, leg)
    assert list(office.ringing()) == ["8003", "8002", "8001"]


def test_an_agent_is_not_rung_again_before_the_telephone_is_free(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.hang_up("c1")
    in_queue(office, "c2")
    assert list(office.ringing()) == ["8002"]     # ann's telephone is being cleared
    office.clear()
    in_queue(office, "c3")
    assert office.ringing()["8001"] != leg        # she kept her place


@pytest.mark.parametrize(("cause", "reason"), [
    (17, "busy"), (21, "refused"), (18, "no answer"), (34, "cause 34")])
def test_an_agent_who_cannot_take_it_rests_and_the_next_is_rung(
        office: Office, cause: int, reason: str) -> None:
    name = in_queue(office, "c1")
    office.hang_up(office.ringing()["8001"], cause=cause)
    assert list(office.ringing()) == ["8002"]
    ann = office.agent("ann")
    assert (ann.state, ann.reason, ann.until) == ("unreachable", reason, office.now + 30.0)
    assert office.shape(name)[-3:] == [("ring", "ann"), ("queue", "sales"), ("ring", "bo")]
    office.answer(office.ringing()["8002"])
    office.pass_time(29.9)
    assert office.agent("ann").state == "unreachable"
    office.pass_time(0.1)
    assert office.agent("ann").state == "ready"


def test_nobody_answers_and_the_caller_stays_first_in_line(office: Office) -> None:
    first = in_queue(office, "c1")
    rung = []
    for _ in range(3):
        (extension, leg), = office.ringing().items()
        rung.append(extension)
        office.alerting(leg)
        office.pass_time(15.0)
        office.clear()
    assert rung == ["8001", "8002", "8003"]
    assert office.ringing() == {"8001": office.ringing()["8001"]}    # ann has rested since 30 s
    office.hang_up(office.ringing()["8001"], cause=17)
    assert office.contact(first).record.state == "queue"
    second = in_queue(office, "c2")
    office.pass_time(14.0)                        # bo comes back
    assert office.states()["bo"] == "unreachable"
    office.pass_time(1.0)
    assert office.contact(first).record.agent == "bo"
    assert office.contact(second).record.state == "queue"


def test_a_dial_that_is_refused_counts_as_a_failed_ring(office: Office) -> None:
    in_queue(office, "c1")
    dial = next(action for action in office.tell() if isinstance(action, Dial))
    del office.calls[dial.leg]
    office.give(DialRefused(dial.leg))
    assert office.agent("ann").reason == "cause 41"
    assert list(office.ringing()) == ["8002"]


@pytest.mark.parametrize("calling", ["1" * 33, "<b>1</b>", "13900000000\n"])
def test_a_callers_number_that_is_none_is_not_passed_on(office: Office, calling: str) -> None:
    name = office.call("c1", calling=calling)
    office.press("c1", "1")
    dial = next(action for action in office.tell() if isinstance(action, Dial))
    assert (dial.calling, office.contact(name).record.calling) == ("", "")


def test_menu_repeats_after_silence_and_wrong_digits_and_ends(office: Office) -> None:
    name = office.call("c1")
    office.played("c1")
    office.played("c1")
    assert "c1" not in office.playing
    office.pass_time(4.9)
    assert "c1" not in office.playing
    office.pass_time(0.1)
    assert office.hears("c1") == ["zh/menu"]      # the one retry
    office.press("c1", "9")
    assert office.hears("c1") == ["zh/sorry"]
    office.tell()
    office.played("c1")
    assert office.tell() == [Hangup(leg="c1", cause=16)]
    record = office.records[name]
    assert (record.outcome, record.ended_by, record.digits) == ("answered", "box", "9")


def test_a_wrong_digit_is_told(office: Office) -> None:
    office.call("c1")
    office.press("c1", "7")                       # during the greeting: it goes to the menu
    assert office.hears("c1") == ["zh/invalid", "zh/menu"]


def test_a_choice_may_change_the_language(office: Office) -> None:
    office.call("c1")
    office.press("c1", "2")
    assert office.hears("c1") == ["en/hello"]
    office.played("c1")
    assert office.hears("c1") == ["en/position", "en/number/1", "en/position-end"]


def test_a_prompt_that_is_not_there_does_not_stop_the_flow(office: Office) -> None:
    office.call("c1")
    office.played("c1", error="zh/welcome.wav: no such file")
    assert office.hears("c1") == ["zh/menu"]
    office.press("c1", "1")
    office.played("c1", error="no such file")
    assert office.hears("c1") == ["music/default"]
    office.played("c1", error="no such file")     # not tried for ever
    assert "c1" not in office.playing


def test_a_first_node_that_hangs_up_refuses_without_answering(office: Office) -> None:
    name = office.call("c1", "5009")
    assert office.tell() == [Hangup(leg="c1", cause=21)]
    assert (office.records[name].outcome, office.records[name].cause) == ("rejected", 21)


def test_positions_are_told_again_as_the_line_moves(office: Office) -> None:
    for number in range(5):
        in_queue(office, f"c{number}")
    assert office.hears("c4") == ["zh/position", "zh/number/5", "zh/position-end"]
    office.played("c4")
    office.answer(office.ringing()["8001"])
    office.pass_time(14.0)
    assert office.hears("c4") == ["music/default"]
    office.answer(office.ringing()["8002"])
    office.pass_time(6.0)
    assert office.hears("c4") == ["zh/position", "zh/number/3", "zh/position-end"]
    office.played("c4")
    assert office.hears("c4") == ["music/default"]


def test_overflow_to_another_queue(office: Office) -> None:
    for leg in ("x", "y", "z"):
        in_queue(office, leg)
        office.answer(office.ringing().popitem()[1])
    name = office.call("c1", "5001", complete=True)
    office.pass_time(59.0)
    assert office.contact(name).record.queue == "sales"
    office.pass_time(1.0)
    assert (office.contact(name).record.queue, office.contact(name).record.agent) == ("service", "dee")
    office.answer(office.ringing()["8004"])
    office.hang_up("c1")
    office.clear()
    assert office.agent("dee").state == "ready"    # no wrap-up in this queue
    assert office.records[name].segments[-1].recording == ""


def test_a_shared_agent_goes_to_whoever_waits_longest(office: Office) -> None:
    for leg in ("a", "b", "d"):                   # ann, bo, cy
        in_queue(office, leg)
        office.answer(office.ringing().popitem()[1])
    for number in range(3):
        office.call(f"s{number}", "5001")
    office.pass_time(60.0)                        # they overflow to service: dee, eve take two
    for leg in list(office.ringing().values()):
        office.answer(leg)
    waiting = [one for one in office.engine.state.contacts.values() if one.record.state == "queue"]
    assert [one.record.queue for one in waiting] == ["service"]
    later = in_queue(office, "late")
    office.hang_up(next(call.leg for call in office.calls.values() if call.called == "8003"))
    office.pass_time(5.0)                         # cy serves both queues
    assert waiting[0].record.agent == "cy"
    assert office.contact(later).record.state == "queue"


@pytest.mark.need(10)
def test_thirty_at_once_are_served_first_come_first_by_the_longest_idle() -> None:
    """need-10: a total order."""
    sales = CENTRE.queues[0].model_copy(update={"agents": AGENTS})
    office = Office(setup(CENTRE.model_copy(update={"queues": [sales, *CENTRE.queues[1:]]})))
    names = [in_queue(office, f"c{number:02}") for number in range(30)]
    served: list[str] = []
    hang_up_at: dict[str, float] = {}
    idle_since = dict.fromkeys(AGENTS, 0.0)
    while len(served) < 30:
        for leg in office.ringing().values():
            contact = office.engine.state.contact_of(leg)
            assert contact is not None
            agent = contact.record.agent
            assert idle_since.pop(agent) <= min(idle_since.values(), default=office.now)
            office.answer(leg)
            served.append(contact.record.contact)
            hang_up_at[contact.arrived_leg] = office.now + 20.0 + 7.0 * (len(served) % 5)
        leg, at = min(hang_up_at.items(), key=lambda item: item[1])
        office.pass_time(at - office.now)
        talk = office.engine.state.contact_of(leg)
        assert talk is not None
        office.hang_up(leg)
        office.clear()
        del hang_up_at[leg]
        idle_since[talk.record.agent] = office.now + 5.0             # wrap-up
        if not office.engine.state.line("sales"):
            continue
        office.pass_time(5.0)
    assert served == names
