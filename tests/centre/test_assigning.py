"""Whom agents serve by a supervisor's hand: at once, for a time, over restarts; the effect is told before."""

from typing import Any

import pytest

from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    CrewEffect,
    CrewReply,
    ExplainContact,
    GetCrew,
    LogIn,
    LogOut,
    SetNotReady,
    TryAssignment,
)
from appliance.centre.board import agent_info
from appliance.centre.choice.lines import Lines
from appliance.config.queues import Ring
from appliance.errors import StateError
from tests.centre.office import Office, in_queue
from tests.centre.test_choosing import SERVICE, office, queue

WRONG: list[tuple[dict[str, Any], str]] = [       # what is asked, why not
    ({"agent": "nobody"}, "no agent is called so"),
    ({"agent": "ann", "skills": {"billing": 11}}, "a level is 1 to 10"),
    ({"agent": "ann", "skills": {"billing": 0}}, "a level is 1 to 10"),
    ({"agent": "ann", "skills": {"chess": 3}}, "no queue asks for 'chess'"),
    ({"agent": "ann", "also": ["lost"]}, "no queue is called 'lost', there are sales, service"),
    ({"agent": "ann", "also": ["sales"], "without": ["sales"]}, "one of them"),
    ({"agent": "ann", "also": ["sales"], "until": 5.0}, "a time to come"),
    ({"agent": "eve", "also": ["sales"], "until_log_out": True}, "is logged out already"),
]
BILLING: dict[str, Any] = {"agents": [], "skills": {"billing": 7}}


def assign(branch: Office, *agents: str, **what: Any) -> CrewReply:
    told = branch.command(AssignAgents(
        by="boss", assignments=[Assigning(agent=name, **what) for name in agents]))
    assert isinstance(told, CrewReply)
    return told


def tried(branch: Office, agent: str, **what: Any) -> CrewEffect:
    told = branch.command(TryAssignment(assignments=[Assigning(agent=agent, **what)]))
    assert isinstance(told, CrewEffect)
    return told


def without_ann() -> Office:
    """Only ann can serve sales, and she has a break."""
    branch = office(queue(**BILLING), SERVICE)
    branch.command(SetNotReady(agent="ann"))
    return branch


@pytest.mark.need(9)
def test_who_waits_is_served_by_who_is_moved_there_and_it_outlives_a_restart() -> None:
    branch = without_ann()
    in_queue(branch, "c1")
    assert not branch.ringing()
    assign(branch, "dee", also=["sales"])
    assert list(branch.ringing()) == ["8004"]
    branch.restart()
    info = agent_info(branch.agent("dee"))
    assert info.assigned is not None and (info.assigned.also, info.assigned.by) == (("sales",), "boss")
    branch.hang_up("c1")
    branch.clear()
    assign(branch, "dee")                         # as configured
    in_queue(branch, "c2")
    assert not branch.ringing() and branch.agent("dee").assigned is None


def test_another_level_counts_at_once_and_until_the_log_out() -> None:
    branch = without_ann()
    assign(branch, "bo", skills={"billing": 9}, until_log_out=True)
    in_queue(branch, "c1")
    assert list(branch.ringing()) == ["8002"]
    branch.answer(branch.ringing()["8002"])
    branch.hang_up("c1")
    branch.clear()
    branch.command(LogOut(agent="bo"))
    branch.pass_time(100.0)
    branch.command(LogIn(agent="bo", ready=True))
    in_queue(branch, "c2")
    assert not branch.ringing()


def test_it_ends_by_time_and_who_is_taken_out_is_not_even_reached_by_a_ring() -> None:
    branch = office(queue(agents=["ann"], rings=[Ring(after_s=10.0, agents=["bo"])]), SERVICE)
    assign(branch, "ann", "bo", without=["sales"], until=branch.now + 60.0)
    name = in_queue(branch, "c1")
    branch.pass_time(20.0)
    assert not branch.ringing()
    told = branch.command(ExplainContact(contact=name))
    assert "was taken out of the queue by hand" in str(told)
    branch.pass_time(40.0)
    assert set(branch.ringing()) & {"8001", "8002"} and branch.agent("ann").assigned is None


def test_what_it_would_do_is_told_and_nothing_changes() -> None:
    branch = without_ann()
    branch.command(LogOut(agent="ann"))
    in_queue(branch, "c1")
    before = branch.engine.state.agents["dee"].assigned
    effect = tried(branch, "dee", also=["sales"], without=["service"])
    sales, service = effect.queues
    assert (sales.able, sales.able_then, sales.present, sales.present_then) == (1, 2, 0, 1)
    assert (sales.waiting, sales.stranded, sales.stranded_then) == (1, 1, 0)
    assert sales.wait_s is None and sales.wait_then_s is not None and sales.wait_then_s > 0
    assert (service.able, service.able_then) == (1, 1)                 # dee never served it
    assert effect.agents[0].serves == {"sales": 0}
    assert branch.agent("dee").assigned == before and not branch.ringing()
    # What is then done is what was told.
    crew = assign(branch, "dee", also=["sales"], without=["service"])
    assert next(one for one in crew.agents if one.agent.name == "dee").serves == {"sales": 0}


def test_who_serves_what() -> None:
    branch = office(queue(**BILLING, rings=[Ring(after_s=20.0, lower={"billing": 3})]), SERVICE)
    crew = branch.command(GetCrew())
    assert isinstance(crew, CrewReply)
    of = {one.agent.name: one for one in crew.agents}
    assert of["ann"].serves == {"sales": 0} and of["bo"].serves == {"sales": 1} and of["dee"].serves == {}
    assert of["bo"].configured == {"billing": 4} and crew.skills == ["billing", "english"]
    assert [(one.name, one.rings, one.skills) for one in crew.queues] == [
        ("sales", 2, {"billing": 7}), ("service", 1, {})]


@pytest.mark.parametrize(("what", "why"), WRONG)
def test_of_several_of_which_one_cannot_be_none_is(what: dict[str, Any], why: str) -> None:
    branch = office(queue(**BILLING), SERVICE)
    branch.command(LogOut(agent="eve"))
    length = len(branch.log)
    for ask in (AssignAgents, TryAssignment):
        with pytest.raises(StateError, match=why):
            branch.command(ask(assignments=[Assigning(agent="bo", also=["sales"]), Assigning(**what)]))
    assert len(branch.log) == length and branch.agent("bo").assigned is None


def test_what_the_configuration_has_no_more_is_no_part_of_it() -> None:
    branch = office(queue(**BILLING), SERVICE)
    assign(branch, "dee", also=["sales", "service"])
    assign(branch, "eve", also=["sales"], skills={"english": 3})
    branch.restart(office(SERVICE).setup)
    dee, eve = branch.agent("dee").assigned, branch.agent("eve").assigned
    assert dee is not None and dee.also == ("service",) and dee.by == "boss"
    assert eve is not None and (eve.also, eve.skills) == ((), {"english": 3})
    assign(branch, "dee", also=["service"])       # nothing of what is gone is in the way
    branch.restart(office(queue("other", agents=["ann"])).setup)
    assert branch.agent("dee").assigned is None


def test_many_who_serve_others_make_the_lines_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    branch = without_ann()
    in_queue(branch, "c1")
    renewed: list[Lines] = []
    before = Lines.renew

    def renew(lines: Lines) -> None:
        renewed.append(lines)
        before(lines)

    monkeypatch.setattr(Lines, "renew", renew)
    assign(branch, "bo", "cy", "dee", "eve", also=["sales"])
    assert len(renewed) == 1
    tried(branch, "cy", without=["sales"])
    assert len(renewed) <= 2
