"""A call that goes on to somebody outside: by the network, by the box, or nowhere."""

from typing import Any

import pytest

from appliance.bus.messages import (
    Alert,
    Answer,
    Bridge,
    CallDeflected,
    CallIncoming,
    CallsJoined,
    Deflect,
    DeflectionWanted,
    Dial,
    Diversion,
    GrantDeflection,
    Hangup,
    JoinOutside,
    Proceed,
)
from appliance.centre import events
from appliance.centre.events import decode
from appliance.config.schema import CentreConfig
from tests.centre.office import CENTRE, Office, kinds, setup

MAN = "13900000000"


def office(now: float = 1000.0, **forward: Any) -> Office:
    """Calls to 5000 go to the man."""
    to = {"number": MAN, **forward}
    centre = CENTRE.model_dump() | {"entry": [{"name": "night", "called": "5000", "forward": to}]}
    return Office(setup(CentreConfig.model_validate(centre)), now)


def dialled(at: Office) -> str:
    """The leg of the call to the man."""
    return next(call.leg for call in at.calls.values() if call.called == MAN and call.state != "clearing")


def end(at: Office, name: str) -> tuple[str, str, int]:
    at.clear()
    assert not at.engine.state.contacts and not at.engine.state.legs and not at.calls
    record = at.records[name]
    return record.outcome, record.ended_by, record.cause


def test_the_network_does_it_and_no_channel_is_taken() -> None:
    at = office()
    name = at.call("c1")
    assert at.tell() == [Deflect(leg="c1", to=MAN)]
    at.pass_time(1.0)
    at.give(CallDeflected(leg="c1", done=True))
    assert at.tell() == []
    at.pass_time(0.5)
    at.hang_up("c1", 31)
    assert end(at, name) == ("forwarded", "line", 31)
    assert at.shape(name) == [("forward", MAN)]
    routed = next(event for entry in at.log if isinstance(event := decode(entry), events.Routed))
    assert (routed.rule, routed.why) == ("night", "called 5000 is 5000")


@pytest.mark.parametrize("silent", [False, True])
def test_a_network_that_will_not_is_dialled_through(silent: bool) -> None:
    at = office()
    name = at.call("c1", calling="02188881234")
    at.tell()
    if silent:
        at.pass_time(6.0)
    else:
        at.give(CallDeflected(leg="c1", done=False, why="not subscribed"))
    leg = dialled(at)
    assert at.tell() == [Proceed(leg="c1"), Dial(
        leg=leg, trunk="telco", called=MAN, calling="02188881234",
        diversion=Diversion(number="5000", reason=15))]
    at.give(CallDeflected(leg="c1", done=True))   # too late, it is dialled
    at.alerting(leg)
    assert at.tell() == [Alert(leg="c1"), Bridge(leg_a="c1", leg_b=leg)]
    at.answer(leg, connected=MAN)
    assert at.tell() == [Answer(leg="c1", connected=MAN), Bridge(leg_a="c1", leg_b=leg),
                         JoinOutside(leg_a="c1", leg_b=leg)]
    assert at.records[name].direction == "in"
    at.pass_time(300.0)
    at.hang_up("c1")
    assert end(at, name) == ("answered", "caller", 16)
    assert at.shape(name) == [("forward", MAN), ("talk", "")]


def test_after_the_answer_the_network_joins_both_and_their_channels_are_free() -> None:
    at = office(deflect=False)
    name = at.call("c1")
    leg = dialled(at)
    at.answer(leg)
    at.pass_time(1.0)
    at.give(CallsJoined(leg_a="c1", leg_b=leg, done=True))
    at.hang_up(leg)
    assert end(at, name) == ("answered", "line", 16)
    assert at.shape(name) == [("forward", MAN), ("talk", ""), ("outside", "")]


def test_a_network_that_will_not_join_leaves_them_bridged() -> None:
    at = office(deflect=False)
    name = at.call("c1")
    leg = dialled(at)
    at.answer(leg)
    at.give(CallsJoined(leg_a="c1", leg_b=leg, done=False, why="not subscribed"))
    assert at.bridged == {frozenset(("c1", leg))}
    at.hang_up(leg)
    assert end(at, name)[0] == "answered"


def test_a_talk_that_is_recorded_stays_on_the_box() -> None:
    at = office(record=True)
    at.call("c1")
    leg = dialled(at)                             # the network is not asked
    at.answer(leg)
    assert "JoinOutside" not in kinds(at.tell()) and len(at.recording) == 1


@pytest.mark.parametrize(("shows", "number"), [
    ("caller", "02188881234"), ("called", "5000"), ("075588880000", "075588880000")])
def test_whose_number_it_shows(shows: str, number: str) -> None:
    at = office(deflect=False, show=shows)
    at.call("c1", calling="02188881234")
    assert at.calls[dialled(at)].calling == number


def test_another_trunk_is_dialled_at_once() -> None:
    at = office(trunk="pbx")
    at.call("c1")
    assert kinds(at.tell()) == ["Proceed", "Dial"] and at.calls[dialled(at)].trunk == "pbx"


@pytest.mark.parametrize("how", ["busy", "in words", "no answer"])
def test_who_reaches_nobody_goes_to_a_flow(how: str) -> None:
    at = office(deflect=False, unanswered="flow")
    name = at.call("c1")
    leg = dialled(at)
    at.alerting(leg)
    if how == "busy":
        at.hang_up(leg, 17)
    elif how == "in words":
        at.clearing(leg, 17)
    else:
        at.pass_time(29.9)
        assert leg in at.engine.state.legs
        at.pass_time(0.2)
    assert at.hears("c1") == ["zh/welcome"] and not at.engine.state.legs.keys() - {"c1"}
    at.hang_up("c1")
    assert end(at, name) == ("abandoned", "caller", 16)
    assert at.shape(name)[0] == ("forward", MAN)


def test_without_such_a_flow_the_call_ends_with_the_cause() -> None:
    at = office(deflect=False)
    name = at.call("c1")
    at.hang_up(dialled(at), 17)
    assert Hangup(leg="c1", cause=17) in at.tell()
    assert end(at, name) == ("failed", "line", 17)
    name = at.call("c2")
    at.pass_time(30.0)
    assert end(at, name) == ("failed", "line", 19)


@pytest.mark.parametrize("phase", ["asking", "deflected", "dialling", "ringing"])
@pytest.mark.parametrize("by", ["far", "line"])
def test_the_caller_goes_meanwhile(phase: str, by: str) -> None:
    at = office(deflect=phase in ("asking", "deflected"))
    name = at.call("c1")
    if phase == "deflected":
        at.give(CallDeflected(leg="c1", done=True))
    elif phase == "ringing":
        at.alerting(dialled(at))
    at.hang_up("c1", 16, by)
    outcome = ("forwarded", "line") if phase == "deflected" else (
        ("abandoned", "caller") if by == "far" else ("failed", "line"))
    assert end(at, name) == (*outcome, 16)


def test_a_network_that_does_not_clear_the_call_is_not_waited_for() -> None:
    at = office()
    name = at.call("c1")
    at.give(CallDeflected(leg="c1", done=True))
    at.pass_time(10.0)
    assert end(at, name) == ("forwarded", "line", 16)


@pytest.mark.parametrize("diverted_by", ["5000", "075588885000"])
def test_a_circle_of_forwards_ends(diverted_by: str) -> None:
    at = office(unanswered="flow")
    at._table("c1", "telco", True, "offered", "5000", "02188881234")
    at.give(CallIncoming(leg="c1", trunk="telco", called="5000", calling="02188881234", calling_name="",
                         complete=True, at=at.now, diversion=Diversion(number=diverted_by, reason=15)))
    assert "Deflect" not in kinds(at.tell()) and at.hears("c1") == ["zh/welcome"]


def test_he_cannot_send_it_further() -> None:
    at = office(deflect=False)
    at.call("c1")
    at.tell()
    at.give(DeflectionWanted(leg=dialled(at), to="110"))
    assert at.tell() == [GrantDeflection(leg=dialled(at), granted=False)]


@pytest.mark.parametrize("point", ["asking", "dialling", "talking"])
def test_after_a_restart_it_goes_on(point: str) -> None:
    at = office(deflect=point == "asking")
    name = at.call("c1")
    if point == "talking":
        at.answer(dialled(at))
    at.restart()
    if point == "asking":
        at.pass_time(6.0)
    if point != "talking":
        at.answer(dialled(at))
    assert at.bridged == {frozenset(("c1", dialled(at)))}
    at.hang_up("c1")
    assert end(at, name)[0] == "answered"


def test_killed_before_anything_is_dialled() -> None:
    """The log has the leg, trunkd has not: it has failed, and the flow for that takes the caller."""
    at = office(deflect=False, unanswered="flow")
    at._table("c1", "telco", True, "offered", "5000", "02188881234")
    at.crash(CallIncoming(leg="c1", trunk="telco", called="5000", calling="02188881234", calling_name="",
                          complete=True, at=at.now))
    assert at.hears("c1") == ["zh/welcome"]
