"""Who is rung for whom, through the engine: skills, ring-all, overflow, priority, what callers hear."""

import math
from typing import Any

import pytest

from appliance.bus.messages import (
    AgentExplained,
    Confer,
    ContactExplained,
    ExplainAgent,
    ExplainContact,
    LogOut,
    SetNotReady,
    SetPriority,
    SetReady,
)
from appliance.centre.board import Boards
from appliance.centre.events import Joined, Offered, QueueLeft, decode
from appliance.centre.flow import Flow, HangupNode, PlayNode, QueueNode
from appliance.centre.turn import Setup
from appliance.config.queues import Overflow, Ring
from appliance.config.schema import AgentConfig, CentreConfig, QueueConfig
from appliance.errors import StateError
from tests.centre.office import AGENTS, CENTRE, Office, in_queue, setup

SKILLS = {"ann": {"billing": 8}, "bo": {"billing": 4}, "cy": {"billing": 2, "english": 9}, "dee": {},
          "eve": {}}


def office(*queues: QueueConfig, flows: dict[str, Flow] | None = None, **centre: Any) -> Office:
    agents = [AgentConfig(name=name, extension=str(extension), trunk="pbx", skills=SKILLS[name])
              for extension, name in enumerate(AGENTS, 8001)]
    config: CentreConfig = CENTRE.model_copy(update={"queues": list(queues), "agents": agents, **centre})
    known = setup(config)
    return Office(known if flows is None else Setup.of(config, {**known.flows, **flows}, known.new_id))


def queue(name: str = "sales", **keys: Any) -> QueueConfig:
    return QueueConfig(name=name, **{"agents": AGENTS[:3], **keys})


SERVICE = queue("service", agents=["eve"])


@pytest.mark.need(9)
def test_skills_are_asked_for_less_while_somebody_waits() -> None:
    branch = office(queue(agents=[], skills={"billing": 7}, rings=[
        Ring(after_s=20.0, lower={"billing": 3}), Ring(after_s=60.0, drop=["billing"])]), SERVICE)
    branch.command(SetNotReady(agent="ann"))
    name = in_queue(branch, "c1")
    assert not branch.ringing()
    told = branch.command(ExplainContact(contact=name))
    assert isinstance(told, ContactExplained)
    of = {one.agent: one.words for one in told.agents}
    assert of["bo"].startswith("from ring 1 on, in 20 s") and "not-ready" in of["ann"]
    assert (told.position, told.ring, told.rings, told.widens_at) == (1, 0, 3, 1020.0)
    branch.pass_time(19.9)
    assert not branch.ringing()
    branch.pass_time(0.1)
    assert list(branch.ringing()) == ["8002"]
    offered = next(decode(entry) for entry in branch.log if entry.kind == "Offered")
    assert isinstance(offered, Offered) and "ring 1" in offered.why


def test_all_ring_and_the_first_who_answers_has_it() -> None:
    branch = office(queue(strategy="ring-all"), SERVICE)
    name = in_queue(branch, "c1")
    assert set(branch.ringing()) == {"8001", "8002", "8003"}
    assert {branch.agent(one).state for one in AGENTS[:3]} == {"reserved"}
    cy = branch.ringing()["8003"]
    branch.restart()
    branch.answer(cy)
    branch.clear()
    assert branch.contact(name).record.agent == "cy" and branch.bridged == {frozenset(("c1", cy))}
    assert [branch.agent(one).state for one in AGENTS[:3]] == ["ready", "ready", "talking"]
    assert not branch.ringing()


def test_of_all_who_ring_some_cannot_and_the_others_go_on() -> None:
    branch = office(queue(strategy="ring-all"), SERVICE)
    name = in_queue(branch, "c1")
    first = branch.contact(name).dialled_leg
    branch.hang_up(first, 17)
    assert branch.contact(name).record.state == "ringing" and len(branch.ringing()) == 2
    beside = next(leg for leg in branch.ringing().values() if leg != branch.contact(name).dialled_leg)
    branch.hang_up(beside, 17)
    [last] = branch.ringing().values()
    assert branch.contact(name).dialled_leg == last
    branch.pass_time(15.0)
    branch.clear()
    assert branch.contact(name).record.state == "queue"
    branch.hang_up("c1")
    branch.clear()
    assert branch.records[name].outcome == "abandoned" and not branch.calls


def test_a_caller_who_goes_while_all_ring_leaves_them_their_places() -> None:
    branch = office(queue(strategy="ring-all"), SERVICE)
    before = {name: branch.agent(name).idle_since for name in AGENTS}
    branch.pass_time(10.0)
    in_queue(branch, "c1")
    branch.hang_up("c1")
    branch.clear()
    assert {name: branch.agent(name).idle_since for name in AGENTS} == before
    assert set(branch.states().values()) == {"ready"}


def test_too_long_a_line_is_another_queue_s() -> None:
    branch = office(queue(agents=["ann"], overflow=[Overflow(waiting=1, to="service")]), SERVICE)
    branch.command(SetNotReady(agent="ann"))
    branch.command(SetNotReady(agent="eve"))
    first, second = in_queue(branch, "c1"), in_queue(branch, "c2")
    assert [branch.contact(name).record.queue for name in (first, second)] == ["sales", "service"]


def test_whom_nobody_can_serve_goes_on_also_when_the_last_one_leaves() -> None:
    branch = office(queue(agents=["ann"], overflow=[Overflow(no_agents=True, to="service")]), SERVICE)
    name = in_queue(branch, "c1")
    branch.hang_up(branch.ringing()["8001"], 17)
    branch.command(LogOut(agent="ann"))
    assert branch.contact(name).record.queue == "service" and list(branch.ringing()) == ["8005"]
    left = [decode(entry) for entry in branch.log if entry.kind == "QueueLeft"]
    assert left == [QueueLeft(why="no agents", to="service")]
    assert branch.contact(in_queue(branch, "c2")).record.queue == "service"


@pytest.mark.parametrize("goes_on", [True, False])
def test_the_longest_wait(goes_on: bool) -> None:
    node = QueueNode(kind="queue", queue="sales", overflow_s=900.0, next="sorry") if goes_on else QueueNode(
        kind="queue", queue="sales")
    flow = Flow(start="sales", nodes={
        "sales": node, "sorry": PlayNode(kind="play", prompt=["sorry"], next="bye"),
        "bye": HangupNode(kind="hangup")})
    branch = office(queue(max_wait_s=60.0), SERVICE, flows={"short": flow})
    for one in AGENTS[:3]:
        branch.command(SetNotReady(agent=one))
    name = branch.call("c1", "5001")
    branch.pass_time(59.0)
    assert branch.contact(name).record.state == "queue"
    branch.pass_time(1.0)
    branch.clear()
    if goes_on:
        assert branch.hears("c1") == ["zh/sorry"]
    else:
        assert (branch.records[name].outcome, branch.records[name].ended_by) == ("failed", "box")


def test_a_senior_is_invited() -> None:
    branch = office(queue(agents=["bo"], skills={"billing": 1}), SERVICE)
    name = in_queue(branch, "c1")
    branch.answer(branch.ringing()["8002"])
    branch.command(Confer(agent="bo", to="senior"))
    branch.answer(branch.ringing()["8001"])       # ann knows more of billing than bo, cy less
    assert branch.conferences.keys() == {"c1", branch.agent("bo").leg, branch.agent("ann").leg}
    assert branch.contact(name).record.agent == "bo"
    with pytest.raises(StateError, match="bo: nobody who is ready knows more of billing"):
        branch.command(Confer(agent="bo", to="senior"))


@pytest.mark.need(10)
def test_a_priority_that_is_changed_is_heeded_at_once() -> None:
    branch = office(queue(agents=["ann"]), SERVICE)
    branch.command(SetNotReady(agent="ann"))
    first, second = in_queue(branch, "c1"), in_queue(branch, "c2")
    told = branch.command(SetPriority(contact=second, priority=50, by="boss"))
    assert isinstance(told, ContactExplained) and (told.position, told.before) == (1, 0)
    board = Boards().board(branch.engine.state, branch.setup, branch.now, (), branch.engine.line)
    assert board.queues[0].waiting == [second, first] and board.queues[0].oldest_since == 1000.0
    branch.restart()
    branch.command(SetReady(agent="ann"))
    assert branch.contact(second).record.state == "ringing"
    explained = branch.command(ExplainAgent(agent="ann"))
    assert isinstance(explained, AgentExplained) and explained.contacts == [first]
    for ask in (SetPriority(contact=first, priority=101), SetPriority(contact="x", priority=1)):
        with pytest.raises(StateError):
            branch.command(ask)


@pytest.mark.need(22)
def test_a_caller_hears_the_place_the_wait_and_words_of_comfort_by_turns() -> None:
    branch = office(queue(agents=["ann"], say_wait=True, comfort=["patience", "website"], handling_s=120.0),
                    SERVICE)
    leg = in_queue(branch, "c0")
    branch.answer(branch.ringing()["8001"])
    assert leg
    in_queue(branch, "c1")
    heard = []
    for _ in range(4):
        heard.append([name for name in branch.hears("c1") if "number" not in name])
        branch.pass_time(20.0)
    start = ["zh/position", "zh/position-end", "zh/wait", "zh/duration/minutes"]
    assert heard == [start, [*start, "zh/patience"], [*start, "zh/website"], [*start, "zh/patience"]]
    joined = [decode(entry) for entry in branch.log if entry.kind == "Joined"]
    # A ring; and what half of the talks before it, 120 s in the mean, are over by.
    assert [isinstance(one, Joined) and one.estimate_s for one in joined] == [
        5.0, pytest.approx(120.0 * math.log(2) + 5.0, abs=5.0)]


def test_what_is_learnt_of_waits_outlives_a_restart() -> None:
    branch = office(queue(agents=["ann"]), SERVICE)
    for number in range(3):
        in_queue(branch, f"c{number}")
        branch.answer(branch.ringing()["8001"])
        branch.pass_time(60.0)
        branch.hang_up(f"c{number}")
        branch.clear()
        branch.pass_time(5.0)
    pace = branch.engine.state.history.pace("sales")
    branch.restart()
    assert branch.engine.state.history.pace("sales") == pace
    assert pace.handled == pytest.approx(2.94, abs=0.01)
    assert pace.handled_s / pace.handled == pytest.approx(65.0)
