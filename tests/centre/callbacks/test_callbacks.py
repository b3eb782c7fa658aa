"""Callbacks: the place is kept, a number is dialled once at a time, nothing is lost."""

import pytest
from msgspec.structs import replace

from appliance.bus.messages import (
    BookCallback,
    CallAnswered,
    CallbackList,
    CancelCallback,
    Detect,
    GetCallbacks,
    Heard,
    LogIn,
    MarkCallback,
    MoveCallback,
    Reply,
    Request,
    SetNotReady,
)
from appliance.errors import StateError
from tests.centre.callbacks.home import CUSTOMER, book, branch, live, only, out, promised, waits, with_flow
from tests.centre.office import CENTRE, Office


@pytest.fixture
def office() -> Office:
    return Office(branch(pause_s=60.0, tries=3))


def tried(office: Office, callback: str) -> tuple[int, str]:
    """How often, and the last outcome."""
    pending = office.contact(callback).pending
    assert pending is not None
    return pending.tries, pending.outcome


def busy(office: Office, leg: str = "c0") -> None:
    """ann is alone, and talks."""
    only(office, "ann")
    office.call(leg, "5001", calling="13911111111")
    office.answer(office.ringing()["8001"])


def free(office: Office, leg: str = "c0") -> None:
    office.hang_up(leg)
    office.clear()
    office.pass_time(5.0)


@pytest.mark.need(3)
def test_a_callback_keeps_its_place_and_goes_before_nobody_who_was_there_first(office: Office) -> None:
    busy(office)
    earlier = office.call("c1", "5001", calling="13922222222")
    office.pass_time(10.0)
    callback = promised(office, "c2")
    office.pass_time(10.0)
    later = waits(office, "c3")
    assert [one.record.contact for one in office.engine.state.line("sales")] == [earlier, callback, later]
    [record] = [one for one in office.records.values() if one.calling == CUSTOMER and one.ended_at]
    assert record.outcome == "callback"
    office.restart()
    free(office)
    assert office.contact(earlier).record.state == "ringing" and not out(office)
    office.answer(office.ringing()["8001"])
    free(office, "c1")
    assert office.contact(callback).record.state == "ringing" and not out(office)
    office.answer(office.ringing()["8001"])
    assert list(out(office)) == [CUSTOMER] and office.agent("ann").state == "talking"
    customer = out(office)[CUSTOMER]
    office.alerting(customer)
    office.answer(customer)
    office.clear()
    record = office.records[callback]
    assert record.state == "talking" and len(office.bridged) == 1 and len(office.recording) == 1
    assert [one.kind for one in record.segments] == ["callback", "queue", "ring", "dial", "talk"]
    free(office, customer)
    assert office.records[callback].outcome == "answered"
    assert office.contact(later).record.state == "ringing"


@pytest.mark.need(3)
@pytest.mark.parametrize("mode", ["agent-first", "customer-first"])
def test_there_are_never_more_attempts_than_free_agents(mode: str) -> None:
    office = Office(branch(mode=mode))
    only(office, "ann", "bo")
    for number in range(5):
        book(office, f"1380000000{number}")
    if mode == "agent-first":
        assert len(office.ringing()) == 2 and not out(office)
        for leg in office.ringing().values():
            office.answer(leg)
    assert len(out(office)) == 2
    office.restart()
    assert len(list(live(office))) == 2
    for leg in out(office).values():
        office.hang_up(leg, 17)
    office.clear()
    assert len(office.ringing()) + len(out(office)) == 2         # the next two
    assert len({*live(office)}) == len(list(live(office)))


@pytest.mark.need(3)
def test_a_number_has_one_callback_whoever_wants_it(office: Office) -> None:
    busy(office)
    callback = promised(office, "c1")
    assert promised(office, "c2") == callback
    assert book(office) == book(office, "0" + CUSTOMER) == callback
    assert len(office.engine.state.callbacks) == 1
    free(office)
    office.answer(office.ringing()["8001"])
    with pytest.raises(StateError, match="is being called already"):
        office.command(LogIn(agent="dee"))
        book(office, agent="dee")
    assert len(list(live(office))) == 1


def test_tries_with_growing_pauses_until_it_is_given_up(office: Office) -> None:
    only(office, "ann")
    callback = book(office)
    pauses = []
    for cause in (17, 19, 21):
        office.answer(office.ringing()["8001"])
        began = office.now
        office.hang_up(out(office)[CUSTOMER], cause)
        office.clear()
        if callback in office.engine.state.contacts:
            assert office.agent("ann").state == "ready"
            while not office.ringing():
                office.pass_time(1.0)
        pauses.append(office.now - began)
    assert pauses == [60.0, 120.0, 0.0]
    record = office.records[callback]
    assert (record.outcome, record.agent) == ("failed", "ann")
    assert [one.detail for one in record.segments if one.kind == "callback"] == [
        "booked", "busy", "no answer"]


def test_a_line_that_is_down_costs_no_try_and_a_number_that_does_not_exist_ends_it(office: Office) -> None:
    only(office, "ann")
    callback = book(office)
    for _ in range(5):
        office.answer(office.ringing()["8001"])
        office.hang_up(out(office)[CUSTOMER], 34, "line")
        office.clear()
        assert office.contact(callback).record.state == "callback"
        office.pass_time(60.0)
    office.answer(office.ringing()["8001"])
    office.clearing(out(office)[CUSTOMER], 1)
    office.clear()
    assert office.records[callback].outcome == "failed" and not office.calls
    assert office.agent("ann").state == "ready"


def test_nobody_is_rung_for_longer_than_said(office: Office) -> None:
    only(office, "ann")
    callback = book(office)
    office.answer(office.ringing()["8001"])
    office.alerting(out(office)[CUSTOMER])
    office.pass_time(40.0)
    office.clear()
    assert office.contact(callback).record.state == "callback" and not office.calls
    assert tried(office, callback) == (1, "no answer")


@pytest.mark.parametrize("who", ["agent", "customer"])
def test_a_kill_at_the_moment_of_dialling_dials_nobody_twice(office: Office, who: str) -> None:
    only(office, "ann")
    callback = book(office)
    [leg] = office.ringing().values()
    office._state(leg, "answered")
    office.crash(CallAnswered(leg=leg, at=office.now))           # the try is in the log, trunkd never heard
    assert not out(office) and office.contact(callback).record.state == "callback"
    assert tried(office, callback) == (0, "failed")
    office.clear()
    office.pass_time(60.0)
    office.answer(office.ringing()["8001"])
    customer = out(office)[CUSTOMER]
    if who == "agent":
        office.release(office.contact(callback).arrived_leg, 16, "far")
        office.restart()
        office.clear()
        assert not office.calls and office.contact(callback).record.state == "callback"
    else:
        office._state(customer, "answered")       # while acdd is away
        office.restart()
        assert office.records[callback].state == "talking" and len(list(live(office))) == 1


@pytest.mark.need(3)
def test_who_calls_in_meanwhile_gets_the_place_and_is_not_called(office: Office) -> None:
    busy(office)
    callback = promised(office, "c1")
    office.pass_time(30.0)
    waits(office, "c2")
    back = office.call("c3", "5001", calling=CUSTOMER)
    assert office.contact(callback).record.state == "callback"   # its place is the caller's now
    line = [one.record.contact for one in office.engine.state.line("sales")]
    assert line[0] == back and callback not in line
    office.restart()
    free(office)
    office.answer(office.ringing()["8001"])
    assert office.records[callback].outcome == "withdrawn" and office.contact(back).record.state == "talking"
    free(office, "c3")
    assert not out(office)


def test_who_calls_in_and_gives_up_is_called_all_the_same(office: Office) -> None:
    busy(office)
    callback = promised(office, "c1")
    office.call("c3", "5001", calling=CUSTOMER)
    office.hang_up("c3")
    office.clear()
    assert office.contact(callback).record.state == "queue"


def test_who_calls_in_while_being_dialled_is_not_dialled_any_more(office: Office) -> None:
    only(office, "ann")
    callback = book(office)
    office.answer(office.ringing()["8001"])
    office.call("c1", "5001", calling=CUSTOMER)
    office.clear()
    assert not list(live(office)) and tried(office, callback) == (0, "called in")
    office.answer(office.ringing()["8001"])
    assert office.records[callback].outcome == "withdrawn"


def test_customer_first_keeps_the_agent_and_connects_at_once() -> None:
    office = Office(branch(mode="customer-first", greeting=["called-back"]))
    only(office, "ann")
    callback = book(office)
    customer = out(office)[CUSTOMER]
    assert office.agent("ann").state == "reserved" and not office.ringing()
    later = waits(office, "c1")
    assert office.contact(later).record.state == "queue"         # the agent is the callback's
    office.restart()
    office.answer(customer)
    assert office.hears(customer) == ["zh/called-back"] and list(office.ringing()) == ["8001"]
    office.played(customer)
    office.answer(office.ringing()["8001"])
    assert office.records[callback].state == "talking" and len(office.bridged) == 1


def test_customer_first_without_an_agent_the_place_is_at_the_head() -> None:
    office = Office(branch(mode="customer-first", patience_s=10.0))
    busy(office)
    callback = book(office)
    later = waits(office, "c1")
    office.hang_up("c0")
    office.clear()                                # ann wraps up for 5 s: the customer is dialled ahead
    customer = out(office)[CUSTOMER]
    assert office.agent("ann").state == "wrap-up"
    office.answer(customer)
    assert [one.record.contact for one in office.engine.state.line("sales")] == [callback, later]
    office.command(SetNotReady(agent="ann"))
    office.pass_time(10.0)
    assert office.hears(customer)[0].startswith("zh/")           # its place in line
    office.hang_up(customer)
    assert tried(office, callback) == (1, "hung up")


def test_a_machine_that_is_heard_gets_no_agent() -> None:
    office = Office(branch(mode="customer-first", machines=True))
    only(office, "ann")
    callback = book(office)
    customer = out(office)[CUSTOMER]
    office.answer(customer)
    assert Detect(leg=customer, kinds=["machine"]) in office.tell()
    office.give(Heard(leg=customer, kind="machine", what="machine", at=office.now))
    office.clear()
    assert tried(office, callback) == (1, "machine") and not office.calls
    assert office.agent("ann").state == "ready"


def test_all_ring_and_one_customer_is_dialled() -> None:
    sales, service = CENTRE.queues
    office = Office(with_flow(CENTRE.model_copy(update={
        "queues": [sales.model_copy(update={"strategy": "ring-all"}), service]})))
    callback = book(office)
    assert len(office.ringing()) == 3
    office.answer(office.ringing()["8002"])
    office.clear()
    assert list(live(office)) == [CUSTOMER] and not office.ringing()
    assert office.contact(callback).record.agent == "bo"


def test_a_time_is_agreed_moved_and_called_off(office: Office) -> None:
    callback = book(office, at=office.now + 3600.0, by="boss")
    assert not office.ringing()
    office.command(MoveCallback(contact=callback, at=office.now + 7200.0))
    office.pass_time(7199.0)
    assert not office.ringing()
    office.pass_time(1.0)
    assert office.contact(callback).record.state == "ringing"
    office.command(CancelCallback(contact=callback, by="boss"))
    office.clear()
    assert office.records[callback].outcome == "withdrawn" and not office.calls
    assert set(office.states().values()) == {"ready"}
    with pytest.raises(StateError, match="is no callback that is promised"):
        office.command(CancelCallback(contact=callback))


def test_one_click_rings_the_agent_who_wants_it_and_nobody_else(office: Office) -> None:
    office.command(SetNotReady(agent="ann"))
    callback = book(office, agent="ann", since=office.now - 600.0, by="ann")
    assert list(office.ringing()) == ["8001"]
    office.answer(office.ringing()["8001"])
    office.answer(out(office)[CUSTOMER])
    assert office.command(GetCallbacks()) == CallbackList(callbacks=[])
    assert office.records[callback].agent == "ann"


def test_a_machine_is_tried_again_and_a_wrong_number_is_not(office: Office) -> None:
    only(office, "ann")
    first = book(office)
    for outcome, again in (("machine", True), ("wrong number", False)):
        office.answer(office.ringing()["8001"])
        office.answer(out(office)[CUSTOMER])
        [talks] = office.engine.state.contacts
        office.command(MarkCallback(contact=talks, outcome=outcome))
        office.clear()
        office.pass_time(60.0)
        assert bool(office.engine.state.callbacks) is bool(office.ringing()) is again
    assert talks != first and office.records[talks].outcome == "answered"


FINE = BookCallback(number=CUSTOMER, queue="sales", trunk="telco")


@pytest.mark.parametrize(("ask", "sentence"), [
    (replace(FINE, number="110"), "110: centre.callbacks.numbers does not allow"),
    (replace(FINE, number=""), "no number: centre.callbacks.numbers"),
    (replace(FINE, queue="moon"), "moon: no queue is called so"),
    (replace(FINE, at=5.0), "not then: give a time to come"),
    (replace(FINE, trunk=""), "by which trunk"),
    (replace(FINE, note="x" * 4001), "note: at most 4000"),
    (replace(FINE, agent="zoe"), "zoe: no agent is called so"),
    (replace(FINE, agent="ann", at=2000.0), "agent or at"),
    (MoveCallback(contact="x", at=2000.0), "x: is no callback that is promised"),
    (MarkCallback(contact="x", outcome="machine"), "x: is no callback that talks"),
    (MarkCallback(contact="x", outcome="bored"), "bored: is no outcome, there are machine, wrong number"),
])
def test_what_cannot_be_is_refused(office: Office, ask: Request[Reply], sentence: str) -> None:
    before = len(office.log)
    with pytest.raises(StateError, match=sentence):
        office.command(ask)
    assert len(office.log) == before
