"""What people use leaves the document: their work goes on, or what would take their place is named."""

from collections.abc import Iterator

import pytest

from appliance.bus.messages import BookCallback, Consult, Monitor, PlaceCall, SetNotReady, Transfer
from appliance.config.schema import CentreConfig
from tests.centre.callbacks.home import CUSTOMER
from tests.centre.office import CENTRE, Office, in_queue, setup
from tests.centre.test_control import talk


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office(setup())
    yield office
    for leg in list(office.calls):                # whatever came of it: nothing is left over
        if leg in office.calls:
            office.hang_up(leg)
    office.clear()
    office.pass_time(600.0)
    assert not office.engine.state.contacts and not office.engine.state.legs
    assert set(office.states().values()) <= {"ready", "not-ready"}


def without(*names: str) -> CentreConfig:
    """Queues and agents that the document has no more."""
    queues = [queue.model_copy(update={"agents": [one for one in queue.agents if one not in names]})
              for queue in CENTRE.queues if queue.name not in names]
    return CENTRE.model_copy(update={
        "queues": queues, "agents": [agent for agent in CENTRE.agents if agent.name not in names]})


def test_a_queue_to_which_an_agent_sent_a_customer_cannot_go(office: Office) -> None:
    """He has been in no flow: an agent had called him."""
    for agent in ("cy", "dee", "eve"):
        office.command(SetNotReady(agent=agent))
    office.command(PlaceCall(agent="ann", to="0123456"))
    office.answer(office.ringing()["8001"])
    [leg] = [call.leg for call in office.calls.values() if call.trunk == "telco"]
    office.answer(leg)
    office.command(Transfer(agent="ann", to="queue:service"))
    assert office.engine.lost_with(setup(without("service"))) == ["queue service"]
    office.restart(setup(without("service")))     # nobody asked: he is hung up and not kept with music
    assert [call.state for call in office.calls.values() if call.leg == leg] == ["clearing"]


def test_a_promised_callback_keeps_its_queue(office: Office) -> None:
    office.command(BookCallback(number=CUSTOMER, queue="service", trunk="telco", at=office.now + 60.0))
    [lost] = office.engine.lost_with(setup(without("service")))
    assert lost == "callbacks promised for queue service (see branchline callbacks cancel)"
    office.restart(setup(without("service")))
    assert not office.engine.state.callbacks


@pytest.mark.parametrize("at_work", ["talks", "is consulted", "supervises", "is rung"])
def test_an_agent_who_leaves_finishes_the_work(office: Office, at_work: str) -> None:
    leaver = "bo" if at_work in ("is consulted", "supervises") else "ann"
    if at_work == "is rung":
        in_queue(office, "c1")
    else:
        talk(office)
    if at_work == "is consulted":
        office.command(Consult(agent="ann", to="bo"))
    elif at_work == "supervises":
        office.command(Monitor(agent="ann", at="bo", mode="listen"))
    if leaver == "bo":
        office.answer(office.ringing()["8002"])
    new = setup(without(leaver))
    assert office.engine.lost_with(new) == []
    office.restart(new)
    assert office.agent(leaver).contact
    office.hang_up("c1")
    office.clear()
    assert leaver not in office.states()


def test_the_last_agent_of_a_queue_leaves_and_who_waits_is_told_of(office: Office) -> None:
    """Who waits keeps his place; the board says that nobody may serve him."""
    for agent in ("ann", "bo", "cy"):
        office.command(SetNotReady(agent=agent))
    name = in_queue(office, "c1")
    queues = [CENTRE.queues[0].model_copy(update={"agents": [], "skills": {"sailing": 5}}),
              CENTRE.queues[1]]
    office.restart(setup(CENTRE.model_copy(update={"queues": queues})))
    assert office.engine.unreachable() == [name]
    office.restart(setup())
    assert office.engine.unreachable() == []
