"""Agents' states: who may be rung, what is wished during work, limits, wrap-up, hot desks."""

from typing import Literal

import pytest

from appliance.bus.messages import (
    AgentReply,
    Dial,
    ExtendWrapUp,
    LogIn,
    LogOut,
    SetNotReady,
    SetReady,
)
from appliance.centre.events import decode
from appliance.centre.evolve import evolve
from appliance.config.schema import AgentConfig, CentreConfig, QueueConfig, ReasonConfig
from appliance.errors import StateError
from appliance.store.events import Entry
from tests.centre.office import CENTRE, Office, in_queue, setup

REASONS = [ReasonConfig(name="lunch", limit_s=1800.0, then="log-out"),
           ReasonConfig(name="break", limit_s=600.0), ReasonConfig(name="meeting")]


def centre(**changed: object) -> CentreConfig:
    return CENTRE.model_copy(update={"not_ready": REASONS, **changed})


@pytest.fixture
def office() -> Office:
    return Office(setup(centre()))


def only(office: Office, *names: str) -> None:
    """All others go home."""
    for name in office.engine.state.agents:
        if name not in names:
            office.command(LogOut(agent=name))


def talking(office: Office, leg: str = "c1") -> str:
    """The agent's leg of a talk with who calls sales."""
    in_queue(office, leg)
    [ring] = office.ringing().values()
    office.answer(ring)
    return ring


def test_who_is_not_ready_is_not_rung_until_ready(office: Office) -> None:
    only(office, "ann")
    office.command(SetNotReady(agent="ann", reason="meeting", by="ann"))
    in_queue(office, "c1")
    assert not office.ringing() and office.agent("ann").reason == "meeting"
    reply = office.command(SetReady(agent="ann", by="ann"))
    assert isinstance(reply, AgentReply) and reply.agent.state == "ready"
    assert office.agent("ann").state == "reserved"
    assert list(office.ringing()) == ["8001"]


@pytest.mark.parametrize(("ask", "state", "reason"), [
    (SetNotReady(agent="ann", reason="lunch"), "not-ready", "lunch"),
    (LogOut(agent="ann"), "logged-out", "")])
def test_what_is_wished_during_a_talk_comes_after_wrap_up(
        office: Office, ask: SetNotReady | LogOut, state: str, reason: str) -> None:
    only(office, "ann")
    talking(office)
    office.command(ask)
    ann = office.agent("ann")
    assert (ann.state, ann.wish) == ("talking", state)
    office.restart()
    office.hang_up("c1")
    office.clear()
    assert office.agent("ann").state == "wrap-up"
    office.pass_time(5.0)
    ann = office.agent("ann")
    assert (ann.state, ann.reason, ann.wish) == (state, reason, "")


def test_a_wish_is_taken_back(office: Office) -> None:
    only(office, "ann")
    talking(office)
    office.command(SetNotReady(agent="ann", reason="break"))
    office.command(SetReady(agent="ann"))
    office.hang_up("c1")
    office.clear()
    office.pass_time(5.0)
    assert office.agent("ann").state == "ready"


@pytest.mark.need(8)
def test_wrap_up_is_a_state_that_ends_early_late_or_by_itself(office: Office) -> None:
    only(office, "ann")
    for number, (ask, lasts_s) in enumerate([
            (None, 5.0), (ExtendWrapUp(agent="ann", for_s=20.0), 25.0), (SetReady(agent="ann"), 0.0),
            (SetNotReady(agent="ann", reason="break"), 0.0)]):
        talking(office, f"c{number}")
        office.hang_up(f"c{number}")
        office.clear()
        began = office.now
        in_queue(office, f"d{number}")
        assert office.agent("ann").state == "wrap-up" and not office.ringing()
        if ask is not None:
            office.command(ask)
        if lasts_s:
            office.pass_time(lasts_s - 0.01)
            assert office.agent("ann").state == "wrap-up" and not office.ringing()
            office.pass_time(0.01)
            assert office.now == began + lasts_s
        assert bool(office.ringing()) == (office.agent("ann").state == "reserved")
        office.hang_up(f"d{number}")
        office.clear()
    assert (office.agent("ann").state, office.agent("ann").reason) == ("not-ready", "break")


def test_a_reason_has_its_limit(office: Office) -> None:
    office.command(SetNotReady(agent="ann", reason="break"))
    office.command(SetNotReady(agent="bo", reason="lunch"))
    office.command(SetNotReady(agent="cy", reason="meeting"))
    office.pass_time(599.0)
    assert not office.agent("ann").overran
    office.pass_time(1.0)
    office.restart()
    assert office.agent("ann").overran and office.agent("ann").state == "not-ready"
    office.pass_time(1200.0)
    assert (office.agent("bo").state, office.agent("bo").reason) == ("logged-out", "overran")
    office.pass_time(86400.0)
    assert not office.agent("cy").overran
    office.command(SetReady(agent="ann"))
    assert not office.agent("ann").overran


def test_an_agent_sits_down_anywhere(office: Office) -> None:
    office = Office(setup(centre(agents=[*CENTRE.agents, AgentConfig(name="hot", starts="logged-out")],
                                 queues=[QueueConfig(name="sales", agents=["hot"])])))
    in_queue(office, "c1")
    assert not office.ringing() and office.agent("hot").state == "logged-out"
    with pytest.raises(StateError, match="hot: at which telephone"):
        office.command(LogIn(agent="hot"))
    with pytest.raises(StateError, match="ann is logged in at 8001: log ann out first"):
        office.command(LogIn(agent="hot", extension="8001", trunk="pbx"))
    with pytest.raises(StateError, match="no trunk is called moon, there are pbx"):
        office.command(LogIn(agent="hot", extension="8001", trunk="moon"))
    office.command(LogOut(agent="ann"))
    office.command(LogIn(agent="hot", extension="8001", trunk="pbx"))
    assert office.agent("hot").state == "not-ready" and not office.ringing()
    office.restart()
    office.command(SetReady(agent="hot"))
    assert list(office.ringing()) == ["8001"]
    with pytest.raises(StateError, match="hot: is busy at 8001: hang up first"):
        office.command(LogIn(agent="hot", extension="8099", trunk="pbx"))
    office.hang_up("c1")
    office.clear()
    office.command(LogIn(agent="hot", extension="8099", trunk="pbx"))
    in_queue(office, "c2")
    assert list(office.ringing()) == ["8099"]
    office.hang_up("c2")
    office.clear()
    office.command(LogOut(agent="hot"))
    assert office.agent("hot").extension == ""


@pytest.mark.parametrize(("rule", "state"), [("not-ready", "not-ready"), ("logged-out", "logged-out")])
def test_who_lets_it_ring_is_treated_by_the_queues_rule(rule: Literal["not-ready", "logged-out"],
                                                       state: str) -> None:
    office = Office(setup(centre(queues=[QueueConfig(name="sales", agents=["ann"], no_answer=rule)])))
    in_queue(office, "c1")
    in_queue(office, "c2")
    [leg] = office.ringing().values()
    office.pass_time(15.0)
    assert (office.agent("ann").state, office.agent("ann").reason) == (state, "no answer")
    office.hang_up(leg, 16, "near")
    office.command(LogIn(agent="ann", ready=True))
    [dial] = [one for one in office.tell() if isinstance(one, Dial)][-1:]
    assert office.ringing() == {"8001": dial.leg}
    head = office.engine.state.contact_of("c1")
    assert head is not None and office.engine.state.contact_of(dial.leg) is head


def test_a_call_out_leaves_an_agent_as_not_ready_as_before(office: Office) -> None:
    office.command(SetNotReady(agent="ann", reason="meeting"))
    office.call("e1", "0123", trunk="pbx", calling="8001")
    assert office.agent("ann").state == "talking"
    office.hang_up("e1")
    office.clear()
    assert (office.agent("ann").state, office.agent("ann").reason) == ("not-ready", "meeting")


@pytest.mark.parametrize(("ask", "sentence"), [
    (SetReady(agent="zoe"), "zoe: no agent is called so"),
    (SetNotReady(agent="ann", reason="nap"), "ann: nap is no reason, there are lunch, break, meeting"),
    (SetNotReady(agent="ann"), "ann: give a reason, there are"),
    (ExtendWrapUp(agent="ann", for_s=5.0), "ann: is ready, not in wrap-up"),
    (SetReady(agent="bo"), "bo: is logged out: log in first"),
])
def test_what_cannot_be_is_refused_and_changes_nothing(office: Office, ask: SetReady, sentence: str) -> None:
    office.command(LogOut(agent="bo"))
    before = len(office.log)
    with pytest.raises(StateError, match=sentence):
        office.command(ask)
    assert len(office.log) == before


def test_time_at_work_and_calls_are_counted_since_the_log_in(office: Office) -> None:
    only(office, "ann")
    talking(office)
    office.pass_time(60.0)
    office.hang_up("c1")
    office.clear()
    office.pass_time(5.0)
    ann = office.agent("ann")
    assert (ann.calls, ann.busy_s) == (1, 65.0)
    office.command(LogOut(agent="ann"))
    office.command(LogIn(agent="ann", ready=True))
    ann = office.agent("ann")
    assert (ann.calls, ann.busy_s, ann.logged_in_at) == (0, 0.0, office.now)


def test_states_of_an_old_log_have_their_names_of_today(office: Office) -> None:
    for state, name in (("idle", "ready"), ("unavailable", "unreachable")):
        old = Entry(at=1.0, contact="", kind="AgentChanged", v=1,
                    data=f'{{"agent": "ann", "state": "{state}", "idle_since": 1.0}}')
        evolve(office.engine.state, 1.0, "", decode(old))
        assert office.agent("ann").state == name
