"""Call control: hold, consult, transfer, conference, park, pick-up, supervision, the recording, notes."""

from typing import Any

import pytest

from appliance.bus.messages import (
    CancelConsult,
    Confer,
    Consult,
    DisposeContact,
    DropParty,
    EndTalk,
    Fetch,
    FindTelephone,
    HideTalk,
    Hold,
    LogOut,
    Monitor,
    Park,
    ParkedAt,
    PickUp,
    PlaceCall,
    Request,
    Retrieve,
    SendDigits,
    SendKeys,
    SetNotReady,
    ShowTalk,
    StopMonitor,
    SupervisorInfo,
    TagContact,
    TakeOver,
    TelephoneFound,
    Transfer,
)
from appliance.centre.board import Boards
from appliance.centre.facts import facts
from appliance.errors import StateError
from tests.centre.office import Office, in_queue, setup

MUSIC = ["music/default"]


@pytest.fixture
def office() -> Office:
    return Office(setup())


def talk(office: Office, leg: str = "c1") -> tuple[str, str]:
    """(contact, agent's leg) of ann, the only one who is ready, with who calls sales."""
    for name in ("bo", "cy"):
        if office.agent(name).state == "ready":
            office.command(SetNotReady(agent=name))
    name = in_queue(office, leg)
    [ring] = office.ringing().values()
    office.answer(ring)
    assert office.contact(name).record.agent == "ann"
    return name, ring


def to(office: Office, extension: str) -> str:
    """The leg that rings there."""
    return office.ringing()[extension]


def recorded(office: Office) -> tuple[str, str]:
    [one] = office.recording.values()
    return one.caller_leg, one.agent_leg


@pytest.mark.parametrize("outbound", [False, True])
def test_hold_and_back(office: Office, outbound: bool) -> None:
    if outbound:
        office.call("e1", "0123", trunk="pbx", calling="8001")
        customer = next(call.leg for call in office.calls.values() if not call.inbound)
        office.answer(customer)
        agent = "e1"
    else:
        _, agent = talk(office)
        customer = "c1"
    office.command(Hold(agent="ann"))
    office.command(Hold(agent="ann"))             # again: nothing
    assert not office.bridged and office.hears(customer) == MUSIC
    assert office.agent("ann").state == "held" and agent not in office.playing
    office.restart()
    office.pass_time(30.0)
    office.command(Retrieve(agent="ann"))
    assert office.bridged == {frozenset((customer, agent))} and customer not in office.playing
    assert office.agent("ann").state == "talking"
    [record] = office.records.values()
    assert [one.kind for one in record.segments][-3:] == ["talk", "hold", "talk"]
    assert record.segments[-2].ended_at - record.segments[-2].began_at == 30.0
    office.command(Hold(agent="ann"))
    office.hang_up(customer)
    office.clear()
    assert office.records[record.contact].outcome == "answered" and not office.calls


@pytest.mark.need(7)
def test_an_attended_transfer_shows_who_had_the_customer_when(office: Office) -> None:
    name, ann = talk(office)
    before = recorded(office)
    office.pass_time(20.0)
    office.command(Consult(agent="ann", to="dee"))
    assert office.hears("c1") == MUSIC and office.agent("dee").state == "reserved"
    assert office.agent("ann").state == "consulting"
    dee = to(office, "8004")
    office.alerting(dee)
    assert office.agent("dee").state == "ringing"
    office.answer(dee)
    assert office.bridged == {frozenset((ann, dee))} and office.hears("c1") == MUSIC
    office.command(Retrieve(agent="ann"))         # back and forth between the two
    assert office.bridged == {frozenset((ann, "c1"))} and office.hears(dee) == MUSIC
    office.command(Hold(agent="ann"))
    assert office.bridged == {frozenset((ann, dee))} and office.agent("ann").state == "consulting"
    office.pass_time(10.0)
    office.command(Transfer(agent="ann"))
    office.clear()
    assert office.bridged == {frozenset(("c1", dee))} and recorded(office) == ("c1", dee) != before
    assert (office.agent("ann").state, office.agent("dee").state) == ("wrap-up", "talking")
    office.pass_time(60.0)
    assert office.agent("ann").state in ("ready", "reserved")    # is not billed for what dee talks
    office.hang_up("c1")
    office.clear()
    record = office.records[name]
    assert [(one.kind, one.detail, one.agent) for one in record.segments] == [
        ("queue", "sales", ""), ("ring", "ann", "ann"), ("talk", "ann", "ann"), ("consult", "dee", "ann"),
        ("talk", "ann", "ann"), ("hold", "ann", "ann"), ("talk", "dee", "dee")]
    assert record.agent == "dee" and len({one.recording for one in record.segments if one.recording}) == 2


@pytest.mark.parametrize("way", ["telephone", "request"])
def test_who_hangs_up_while_consulting_transfers(office: Office, way: str) -> None:
    name, ann = talk(office)
    office.command(Consult(agent="ann", to="dee"))
    dee = to(office, "8004")
    if way == "telephone":
        office.hang_up(ann)
    else:
        office.command(Transfer(agent="ann"))
        office.clear()
    assert office.contact(name).record.state == "transfer" and office.hears("c1") == ["ringback"]
    office.restart()
    office.answer(dee)
    assert office.bridged == {frozenset(("c1", dee))} and office.contact(name).record.agent == "dee"


def test_whom_nobody_takes_goes_back_to_his_place_in_the_queue(office: Office) -> None:
    name, _ = talk(office)
    office.command(Transfer(agent="ann", to="dee"))
    office.clear()
    assert office.agent("ann").state == "wrap-up" and office.hears("c1") == ["ringback"]
    later = in_queue(office, "c2")
    office.pass_time(30.0)                        # dee does not answer
    office.clear()
    line = office.engine.state.line("sales")
    assert [one.record.contact for one in line] == [name, later]
    assert office.contact(name).record.state in ("queue", "ringing")
    office.hang_up("c1")
    office.clear()
    assert office.records[name].outcome == "abandoned"


def test_a_transfer_outside_and_back_to_the_giver(office: Office) -> None:
    office.call("e1", "0123", trunk="pbx", calling="8001")
    [name] = office.records
    customer = next(call.leg for call in office.calls.values() if not call.inbound)
    office.answer(customer)
    office.command(Transfer(agent="ann", to="0555"))
    office.clear()
    out = next(call.leg for call in office.calls.values() if call.called == "555")
    assert office.hears(customer) == ["ringback"] and office.agent("ann").state == "ready"
    office.hang_up(out, 17)
    back = to(office, "8001")
    office.answer(back)
    assert office.bridged == {frozenset((customer, back))} and office.contact(name).record.agent == "ann"
    office.command(Transfer(agent="ann", to="queue:sales"))
    office.clear()
    assert office.contact(name).record.queue == "sales" and office.contact(name).waiting


def test_three_talk_and_two_stay(office: Office) -> None:
    name, ann = talk(office)
    office.command(Consult(agent="ann", to="dee"))
    dee = to(office, "8004")
    office.answer(dee)
    office.command(Confer(agent="ann"))
    assert office.conferences == {"c1": name, ann: name, dee: name} and not office.bridged
    assert recorded(office) == ("c1", "")         # all that the customer hears
    office.command(Confer(agent="ann", to="eve"))
    eve = to(office, "8005")
    office.answer(eve)
    office.restart()
    assert office.conferences.keys() == {"c1", ann, dee, eve}
    office.command(DropParty(agent="ann", who="eve"))
    office.clear()
    assert office.agent("eve").state in ("ready", "reserved")
    office.hang_up(ann)
    assert office.contact(name).record.agent == "dee" and not office.conferences
    assert office.bridged == {frozenset(("c1", dee))} and recorded(office) == ("c1", dee)
    shape = office.shape(name)
    assert shape[shape.index(("conference", "ann")):] == [("conference", "ann"), ("talk", "dee")]


def test_an_invited_one_comes_into_the_talk_at_once(office: Office) -> None:
    name, ann = talk(office)
    office.command(Confer(agent="ann", to="8004"))
    assert office.bridged == {frozenset(("c1", ann))}            # they go on meanwhile
    dee = to(office, "8004")
    office.answer(dee)
    assert office.conferences == {"c1": name, ann: name, dee: name}
    office.hang_up(dee)
    assert office.bridged == {frozenset(("c1", ann))} and not office.conferences


def test_a_consult_that_comes_to_nothing(office: Office) -> None:
    _, ann = talk(office)
    office.command(Consult(agent="ann", to="8100"))
    office.hang_up(to(office, "8100"), 17)
    assert office.agent("ann").state == "held" and office.hears("c1") == MUSIC
    office.command(Consult(agent="ann", to="dee"))
    office.answer(to(office, "8004"))
    office.command(CancelConsult(agent="ann"))
    office.clear()
    assert office.bridged == {frozenset(("c1", ann))} and office.agent("ann").state == "talking"


def test_park_and_fetch(office: Office) -> None:
    name, _ = talk(office)
    parked = office.command(Park(agent="ann"))
    assert parked == ParkedAt(contact=name, slot=1) and office.hears("c1") == MUSIC
    office.clear()
    office.restart()
    office.command(Fetch(agent="dee", slot=1))
    dee = to(office, "8004")
    office.answer(dee)
    assert office.bridged == {frozenset(("c1", dee))} and office.contact(name).slot == 0
    office.command(Park(agent="dee"))
    office.clear()
    office.pass_time(120.0)                       # nobody comes
    assert office.contact(name).waiting and office.contact(name).record.queue == "sales"
    with pytest.raises(StateError, match="slot 1: nobody is parked there"):
        office.command(Fetch(agent="dee", slot=1))


@pytest.mark.parametrize("of_agent", ["ann", ""])
def test_another_picks_up(office: Office, of_agent: str) -> None:
    for name in ("bo", "cy"):
        office.command(SetNotReady(agent=name))
    name = in_queue(office, "c1")
    office.command(PickUp(agent="bo", of_agent=of_agent))
    assert list(office.ringing()) == ["8002"] and office.agent("ann").state == "ready"
    office.answer(to(office, "8002"))
    assert office.contact(name).record.agent == "bo"
    office.clear()
    office.hang_up("c1")
    office.clear()
    office.pass_time(5.0)
    assert office.agent("bo").state == "not-ready"               # as before


def test_a_supervisor_hears_whispers_is_heard_and_takes_over(office: Office) -> None:
    name, ann = talk(office)
    office.command(Monitor(agent="ann", at="eve", by="eve"))
    eve = to(office, "8005")
    office.answer(eve)
    for mode in ("whisper", "barge", "listen"):
        office.command(Monitor(agent="ann", at="eve", mode=mode))
        assert (office.supervising[eve].agent, office.supervising[eve].mode) == (ann, mode)
    office.restart()
    assert office.supervising[eve].mode == "listen" and office.bridged == {frozenset(("c1", ann))}
    office.command(TakeOver(agent="ann", at="eve"))
    office.clear()
    assert office.bridged == {frozenset(("c1", eve))} and office.agent("ann").state == "wrap-up"
    assert office.contact(name).record.agent == "eve"
    office.command(Monitor(agent="eve", at="8100"))
    office.command(StopMonitor(agent="eve", at="8100"))
    office.clear()
    office.command(EndTalk(agent="eve", by="boss"))
    office.clear()
    assert (office.records[name].outcome, office.records[name].ended_by) == ("answered", "box")


def test_a_supervisor_outside_is_the_same_one_again_and_the_board_says_who_hears(office: Office) -> None:
    name, ann = talk(office)

    def there() -> list[SupervisorInfo]:
        return Boards().board(office.engine.state, office.setup, office.now).supervisors

    assert office.command(FindTelephone(at="013900000000")) == TelephoneFound(at="13900000000", agent="")
    assert office.command(FindTelephone(at="8005")) == TelephoneFound(at="eve", agent="eve")
    assert office.command(FindTelephone(at="8100")) == TelephoneFound(at="8100", agent="")
    office.command(Monitor(agent="ann", at="013900000000", by="boss"))
    assert there() == [SupervisorInfo(contact=name, at="13900000000", mode="listen", talking=False)]
    boss = next(call.leg for call in office.calls.values() if call.called == "13900000000")
    office.answer(boss)
    office.command(Monitor(agent="ann", at="013900000000", mode="whisper", by="boss"))
    assert there() == [SupervisorInfo(contact=name, at="13900000000", mode="whisper", talking=True)]
    assert list(office.supervising) == [boss] and office.supervising[boss].agent == ann
    office.command(StopMonitor(agent="ann", at="013900000000"))
    office.clear()
    assert there() == [] and office.contact(name).record.state == "talking"
    [offer] = facts(entry for entry in office.log if entry.contact == name).offers
    assert (offer.agent, offer.why) == ("ann", "the only one free")


@pytest.mark.need(17)
def test_card_data_is_neither_recorded_nor_heard_and_the_pause_ends_by_itself(office: Office) -> None:
    name, _ = talk(office)
    office.command(HideTalk(agent="ann", for_s=60.0, by="ann"))
    [one] = office.recording.values()
    assert one.paused and office.masked == {"c1"}
    office.restart()
    [one] = office.recording.values()
    assert one.paused and office.masked == {"c1"}
    office.pass_time(60.0)
    [one] = office.recording.values()
    assert not one.paused and not office.masked
    office.command(HideTalk(agent="ann", for_s=60.0))
    office.command(ShowTalk(agent="ann"))
    assert not office.masked
    office.command(HideTalk(agent="ann", for_s=60.0))
    office.command(Transfer(agent="ann", to="dee"))              # it goes on, for its time
    office.clear()
    office.answer(to(office, "8004"))
    [one] = office.recording.values()
    assert one.paused and one.agent_leg != "" and office.masked == {"c1"}
    office.pass_time(60.0)
    [one] = office.recording.values()
    assert not one.paused and not office.masked
    audit = [entry.kind for entry in office.log if entry.contact == name
             and entry.kind in ("RecordingPaused", "RecordingResumed")]
    assert audit == ["RecordingPaused", "RecordingResumed"] * 3


def test_the_box_calls_for_an_agent(office: Office) -> None:
    for name in ("bo", "cy"):
        office.command(SetNotReady(agent=name))
    office.command(PlaceCall(agent="ann", to="0123"))
    [name] = office.records
    assert office.agent("ann").state == "reserved" and not any(
        call.trunk == "telco" for call in office.calls.values())
    ann = to(office, "8001")
    office.answer(ann)
    out = next(call.leg for call in office.calls.values() if call.trunk == "telco")
    assert office.calls[out].called == "123" and office.agent("ann").state == "talking"
    office.proceeding(out)
    office.alerting(out)
    office.answer(out)
    assert office.bridged == {frozenset((ann, out))} and office.calls[ann].state == "answered"
    office.hang_up(out)
    office.clear()
    assert (office.records[name].outcome, office.records[name].direction) == ("answered", "out")
    office.command(PlaceCall(agent="ann", to="dee"))
    office.pass_time(30.0)                        # ann does not lift
    office.clear()
    assert office.agent("ann").state == "ready" and not office.engine.state.contacts
    office.command(PlaceCall(agent="ann", to="dee"))
    office.answer(to(office, "8001"))
    office.answer(to(office, "8004"))
    in_queue(office, "c9", called="5001")
    office.hang_up(next(call.leg for call in office.calls.values() if call.called == "8004"))
    office.clear()
    assert office.agent("dee").leg == ""


def test_keys_are_sent_to_whom_the_agent_talks_with(office: Office) -> None:
    talk(office)
    office.tell()
    office.command(SendKeys(agent="ann", digits="12#"))
    office.command(Consult(agent="ann", to="dee"))
    dee = to(office, "8004")
    office.answer(dee)
    office.command(SendKeys(agent="ann", digits="9"))
    sent = [one for one in office.tell() if isinstance(one, SendDigits)]
    assert [(one.leg, one.digits) for one in sent] == [("c1", "12#"), (dee, "9")]


def test_notes_are_written_until_the_next_contact(office: Office) -> None:
    name, _ = talk(office)
    office.command(TagContact(contact=name, tags=["vip", "refund "], by="ann"))
    office.hang_up("c1")
    office.clear()
    office.command(DisposeContact(contact=name, code="solved", note="退款", by="ann"))
    told = facts(entry for entry in office.log if entry.contact == name
                 and entry.kind in ("Tagged", "Disposed"))
    assert told.tags == ["refund", "vip"] and [(one.code, one.note) for one in told.dispositions] == [
        ("solved", "退款")]
    office.pass_time(5.0)
    talk(office, "c2")
    office.hang_up("c2")
    with pytest.raises(StateError, match="goes on no more"):
        office.command(DisposeContact(contact=name, code="late"))


@pytest.mark.parametrize(("ask", "sentence"), [
    (Hold(agent="zoe"), "zoe: no agent is called so"),
    (Hold(agent="bo"), "bo: talks with no customer, is not ready"),
    (Consult(agent="ann", to="ann"), "ann: is talking"),
    (Consult(agent="ann", to="777777777"), "777777777: is no agent and no extension"),
    (Consult(agent="ann", to="queue:sales"), "a queue cannot be consulted"),
    (Transfer(agent="ann", to="queue:moon"), "queue:moon: no queue is called so, there are sales, service"),
    (Transfer(agent="ann"), "ann: consults nobody"),
    (Transfer(agent="ann", to="eve"), "eve: is logged out"),
    (Confer(agent="ann"), "nobody who is consulted has answered"),
    (DropParty(agent="ann", who="dee"), "dee: is not in this talk"),
    (SendKeys(agent="ann", digits="12x"), "write 1 to 64 of"),
    (HideTalk(agent="ann", for_s=301.0), "301 s: write more than 0 and at most 300"),
    (Monitor(agent="ann", at="dee", mode="shout"), "shout: is no way to supervise"),
    (TakeOver(agent="ann", at="dee"), "dee: does not supervise this talk"),
    (PickUp(agent="bo"), "your queues: no customer rings there"),
    (PlaceCall(agent="ann", to="0123"), "ann: is on the telephone"),
    (FindTelephone(at="0"), "0: is no agent and no extension, and no rule of centre.outbound"),
    (FindTelephone(at=""), ": is no agent"),
    (TagContact(contact="x", tags=["a"]), "x: goes on no more"),
])
def test_what_cannot_be_is_refused_and_changes_nothing(
        office: Office, ask: Request[Any], sentence: str) -> None:
    talk(office)
    office.command(LogOut(agent="eve"))
    before = len(office.log)
    with pytest.raises(StateError, match=sentence):
        office.command(ask)
    assert len(office.log) == before
