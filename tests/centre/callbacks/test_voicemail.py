"""Voice messages: nothing that was said is lost, empty ones are none."""

import pytest

from appliance.bus.messages import (
    Detect,
    FinishMessage,
    GetMessages,
    Heard,
    HearMessage,
    MessageInfo,
    MessageLeft,
    MessageList,
)
from appliance.centre.flow import Flow, HangupNode, VoicemailNode
from appliance.centre.heard import promised
from appliance.centre.voicemail import notice
from appliance.config.callbacks import BoxConfig, CallbackConfig
from appliance.errors import StateError
from tests.centre.callbacks.home import with_flow
from tests.centre.office import CENTRE, Office

BOX = BoxConfig(name="night", greeting=["closed"], full=["no-room"], most_s=60.0, most=2, tell=["ann"])
FLOW = Flow(start="box", nodes={"box": VoicemailNode(kind="voicemail", box="night", next="bye"),
                                "bye": HangupNode(kind="hangup")})


@pytest.fixture
def office() -> Office:
    return Office(with_flow(CENTRE.model_copy(update={"voicemail": [BOX]}), FLOW))


def leaves(office: Office, leg: str, seconds: float = 10.0) -> str:
    """A caller hears the greeting and speaks; the message."""
    office.call(leg, "5001", calling="13800000000")
    assert office.hears(leg) == ["zh/closed", "confirmation"]
    office.played(leg)
    [name] = office.recording
    office.give(Heard(leg=leg, kind="speech", what="voice", at=office.now))
    office.pass_time(seconds)
    return name


def listed(office: Office) -> list[MessageInfo]:
    reply = office.command(GetMessages(box="night"))
    assert isinstance(reply, MessageList)
    return reply.messages


@pytest.mark.parametrize("end", ["key", "silence", "length", "hang-up", "kill"])
def test_a_message_is_kept_however_it_ends(office: Office, end: str) -> None:
    name = leaves(office, "c1")
    assert office.recording[name].agent_leg == "" and listed(office)[0].ended_at == 0
    if end == "key":
        office.press("c1", "5", "#")
    elif end == "silence":
        office.give(Heard(leg="c1", kind="speech", what="quiet", at=office.now))
        office.pass_time(4.0)
        assert office.recording
        office.pass_time(1.0)
    elif end == "length":
        office.pass_time(50.0)
    elif end == "hang-up":
        office.hang_up("c1")
    else:
        office.crash(office.release("c1", 16, "far"))
    office.clear()
    [message] = listed(office)
    assert message.message == name and message.ended_at == office.now and not office.recording
    record = next(iter(office.records.values()))
    assert [one.recording for one in record.segments if one.kind == "message"] == [name]
    assert record.outcome == "answered"           # and not abandoned: the message says what is to be done
    told = [said for entry in office.log if (said := notice(office.setup, entry)) is not None]
    assert told == [MessageLeft(message=name, box="night", contact=record.contact, tell=["ann"])]


def test_after_a_restart_it_goes_on(office: Office) -> None:
    name = leaves(office, "c1")
    office.restart()
    assert list(office.recording) == [name]
    assert Detect(leg="c1", kinds=["speech"]) in office.engine.media_wishes()
    office.press("c1", "#")
    assert [one.message for one in listed(office)] == [name]


def test_who_says_nothing_leaves_none(office: Office) -> None:
    office.call("c1", "5001")
    office.played("c1")
    office.pass_time(0.5)
    office.hang_up("c1")
    assert not listed(office)
    office.clear()
    assert [record.outcome for record in office.records.values()] == ["abandoned"]


def test_it_is_heard_and_done_with_and_a_full_box_says_so(office: Office) -> None:
    first = leaves(office, "c1")
    office.press("c1", "#")
    second = leaves(office, "c2")
    office.press("c2", "#")
    office.clear()
    office.call("c3", "5001")
    assert office.hears("c3") == ["zh/no-room"]
    office.played("c3")
    office.clear()
    assert "c3" not in office.calls and len(listed(office)) == 2
    office.command(HearMessage(message=first, by="ann"))
    office.command(HearMessage(message=first, by="ann"))
    office.command(FinishMessage(message=second, by="bo"))
    office.restart()
    assert [(one.message, one.heard_by) for one in listed(office)] == [(first, ["ann"])]
    with pytest.raises(StateError, match="no such message"):
        office.command(FinishMessage(message=second))
    with pytest.raises(StateError, match="moon: no box is called so, there are night"):
        office.command(GetMessages(box="moon"))


def test_prompts_that_are_missing_are_found_before_the_box_starts() -> None:
    centre = CENTRE.model_copy(update={"voicemail": [BOX], "callbacks": CallbackConfig(greeting=["hello"])})
    assert promised(centre, ["zh", "en"]) == {
        "zh/closed", "zh/no-room", "zh/hello", "en/closed", "en/no-room", "en/hello"}
