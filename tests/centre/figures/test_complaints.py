"""Complaints about other systems' figures, one by one: need 04 (waits and reports that are right) and need 07
(transfers that the queue's figures see)."""

import pytest

from appliance.bus.messages import Consult, ExtendWrapUp, Hold, LogOut, Retrieve, SetNotReady, Transfer
from appliance.centre.flow import Flow, HangupNode, PlayNode, QueueNode
from appliance.centre.turn import Setup
from appliance.config.queues import Overflow, QueueConfig
from tests.centre.figures.books import START, books
from tests.centre.office import AGENTS, CENTRE, FLOW, Office, setup

LEAVE_EMPTY = Flow(start="sales", nodes={
    "sales": QueueNode(kind="queue", queue="sales", next="sorry"),
    "sorry": PlayNode(kind="play", prompt=["sorry"], next="bye"),
    "bye": HangupNode(kind="hangup", cause=16)})


@pytest.fixture
def office() -> Office:
    """ann, bo and cy serve sales; cy, dee and eve serve service. Wrap-up of sales: 5 s."""
    return Office(setup(), now=START)


def only(office: Office, *names: str) -> None:
    for name in AGENTS:
        if name not in names:
            office.command(SetNotReady(agent=name))


def ring(office: Office) -> str:
    [leg] = office.ringing().values()
    return leg


def over(office: Office, leg: str) -> None:
    office.hang_up(leg)
    office.clear()


@pytest.mark.need(4)
def test_who_left_an_empty_queue_was_abandoned() -> None:
    """Leave-empty calls were not among the abandoned."""
    sales = QueueConfig(name="sales", agents=AGENTS[:3], overflow=[Overflow(no_agents=True)])
    centre = CENTRE.model_copy(update={"queues": [sales, *CENTRE.queues[1:]]})
    flows = {"flow": FLOW, "short": LEAVE_EMPTY, "closed": LEAVE_EMPTY}
    office = Office(Setup.of(centre, flows, setup().new_id), now=START)
    for name in AGENTS:
        office.command(LogOut(agent=name))
    office.call("c1", "5001")
    office.played("c1")
    office.clear()
    with books(office) as kept:
        for name in ("sales", ""):
            assert kept.value("queue", name, "offered") == 1
            assert kept.value("queue", name, "abandoned") == kept.value("queue", name, "turned_away") == 1
            assert kept.value("queue", name, "short_abandoned") == 0, "it was not the caller's impatience"
            assert kept.value("queue", name, "service_level") == 0.0


@pytest.mark.need(4)
def test_a_contact_of_two_queues_counts_once_in_all(office: Office) -> None:
    """Double counting across queues."""
    only(office, "dee")
    contact = office.call("c1", "5001")
    office.pass_time(60.0)
    office.pass_time(4.0)
    office.answer(ring(office))
    office.pass_time(30.0)
    over(office, "c1")
    with books(office) as kept:
        assert kept.value("queue", "sales", "offered") == kept.value("queue", "sales", "overflowed") == 1
        assert kept.value("queue", "service", "offered") == kept.value("queue", "service", "answered") == 1
        assert kept.value("queue", "", "offered") == kept.value("queue", "", "answered") == 1
        assert kept.value("queue", "", "overflowed") == kept.value("queue", "", "abandoned") == 0
        assert kept.value("queue", "service", "asa_s") == 4.0
        assert kept.value("queue", "", "asa_s") == 64.0, "all that the caller waited"
        assert [count.contact for count in kept.behind("queue", "", "answered_share")[0]] == [contact]


@pytest.mark.need(4)
def test_an_answered_contact_is_never_shown_as_abandoned(office: Office) -> None:
    """Whoever hangs up first, and as soon as you like."""
    only(office, "ann")
    office.call("c1", "5001")
    office.pass_time(8.0)
    office.answer(ring(office))
    over(office, "c1")
    office.pass_time(10.0)
    with books(office) as kept:
        assert kept.value("queue", "sales", "answered") == 1
        assert kept.value("queue", "sales", "abandoned") == 0
        assert kept.value("queue", "sales", "talk_s") == 0.0


@pytest.mark.need(4)
def test_the_talk_does_not_contain_the_wait(office: Office) -> None:
    only(office, "ann")
    office.call("c1", "5001")
    office.pass_time(12.0)
    office.answer(ring(office))
    office.pass_time(60.0)
    over(office, "c1")
    office.pass_time(10.0)
    with books(office) as kept:
        assert kept.value("queue", "sales", "asa_s") == 12.0
        assert kept.value("queue", "sales", "talk_s") == kept.value("agent", "ann", "talk_s") == 60.0
        assert kept.value("queue", "sales", "aht_s") == 65.0


@pytest.mark.need(4)
def test_averages_are_not_averages_of_averages(office: Office) -> None:
    """One contact of 10 s in a quarter, three of 2 s in the next one: 4 s, not 6 s."""
    only(office, "ann")
    for number, wait_s in enumerate([10.0, 2.0, 2.0, 2.0]):
        office.call(f"c{number}", "5001")
        office.pass_time(wait_s)
        office.answer(ring(office))
        over(office, f"c{number}")
        office.pass_time(START + 900.0 - office.now if not number else 60.0)
    with books(office) as kept:
        rows = [row for row in kept.rows("queue", 0, 1800, 900) if row.name == "sales"]
        quarters = [row.ratios["asa_s"].value for row in rows]
        assert quarters == [10.0, 2.0]
        assert kept.value("queue", "sales", "asa_s") == 4.0


@pytest.mark.need(4)
def test_the_wait_after_a_transfer_is_another_one(office: Office) -> None:
    """The talk before it was no waiting, whatever place in line the customer keeps."""
    only(office, "ann", "dee")
    office.call("c1", "5001")
    office.answer(ring(office))
    office.pass_time(300.0)
    office.command(SetNotReady(agent="dee"))
    office.command(Transfer(agent="ann", to="queue:service"))
    office.pass_time(7.0)
    over(office, "c1")
    with books(office) as kept:
        assert kept.value("queue", "service", "longest_wait_s") == 7.0
        assert kept.value("queue", "service", "abandoned") == 1
        assert kept.value("queue", "", "offered") == kept.value("queue", "", "answered") == 1


@pytest.mark.need(7)
def test_who_gave_the_customer_away_is_not_billed_for_the_talk_of_others(office: Office) -> None:
    """An hour with the next one is that one's hour."""
    only(office, "ann")
    office.call("c1", "5001")
    office.answer(ring(office))
    office.pass_time(20.0)
    office.command(Transfer(agent="ann", to="eve"))
    office.clear()
    office.pass_time(6.0)
    office.answer(ring(office))
    office.pass_time(3600.0)
    over(office, "c1")
    office.pass_time(10.0)
    with books(office) as kept:
        assert kept.value("agent", "ann", "talk_s") == 20.0
        assert kept.value("agent", "eve", "talk_s") == 3600.0
        assert kept.value("agent", "ann", "transfer_rate") == 1.0
        assert kept.value("agent", "eve", "transfer_rate") == 0.0
        assert kept.ratio("queue", "sales", "talk_s").top == 3620.0
        assert kept.value("queue", "sales", "handled") == 2, "each agent's part"
        assert kept.value("queue", "sales", "answered") == 1


@pytest.mark.need(7)
def test_an_attended_transfer_is_seen_and_consulting_is_hold(office: Office) -> None:
    only(office, "ann")
    contact = office.call("c1", "5001")
    office.answer(ring(office))
    office.pass_time(20.0)
    office.command(Consult(agent="ann", to="eve"))
    office.pass_time(5.0)
    office.answer(ring(office))
    office.pass_time(10.0)
    office.command(Transfer(agent="ann"))
    office.clear()
    office.pass_time(40.0)
    over(office, "c1")
    office.pass_time(10.0)
    with books(office) as kept:
        assert kept.value("agent", "ann", "talk_s") == 20.0
        assert kept.value("agent", "ann", "hold_s") == 15.0
        assert kept.value("agent", "ann", "aht_s") == 40.0
        assert kept.value("agent", "eve", "talk_s") == 40.0, "what she was asked before is not this work"
        assert kept.value("agent", "eve", "consulted") == 1
        assert [count.contact for count in kept.behind("agent", "ann", "transfer_rate")[0]] == [contact]


@pytest.mark.need(8)
def test_wrap_up_counts_once_and_as_long_as_it_was(office: Office) -> None:
    only(office, "ann")
    office.call("c1", "5001")
    office.answer(ring(office))
    office.command(Hold(agent="ann"))
    office.pass_time(3.0)
    office.command(Retrieve(agent="ann"))
    office.pass_time(10.0)
    over(office, "c1")
    office.command(ExtendWrapUp(agent="ann", for_s=30.0))
    office.pass_time(100.0)
    with books(office) as kept:
        assert kept.ratio("queue", "sales", "wrap_up_s").top == 35.0
        assert kept.value("agent", "ann", "wrap_up_s") == 35.0
        assert kept.value("agent", "ann", "hold_s") == 3.0
        assert kept.value("agent", "ann", "aht_s") == 48.0
