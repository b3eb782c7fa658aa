"""What acdd's log says of recordings, and that recordd has it in the end whatever was killed between."""

import pytest

from appliance.bus.messages import (
    Confer,
    Consult,
    DescribeRecording,
    DisposeContact,
    GetRecordingFacts,
    GetToBeRecorded,
    Hold,
    Retrieve,
    TagContact,
    ToBeRecorded,
)
from appliance.centre.recorded import notice, spans
from appliance.errors import StateError
from appliance.recording.catalogue.learning import AGAIN_S, AWAY_S, UNNAMED_S, learn
from tests.recording.catalogue.box import Box

UNKNOWN = "f" * 32


def a_contact(box: Box) -> tuple[str, list[str]]:
    """60 s talk, 10 s hold, 20 s talk, conference with dee for 30 s, the end."""
    name = box.talk(60.0)
    box.office.command(Hold(agent="ann"))
    box.office.pass_time(10.0)
    box.office.command(Retrieve(agent="ann"))
    box.office.pass_time(20.0)
    box.office.command(Consult(agent="ann", to="dee"))
    box.office.answer(box.office.ringing()["8004"])
    box.office.command(Confer(agent="ann"))
    box.office.pass_time(30.0)
    box.office.command(TagContact(contact=name, tags=["vip"], by="ann"))
    box.office.hang_up("c1")
    return name, box.named(name)


@pytest.mark.need(6)
@pytest.mark.need(21)
def test_a_recording_is_of_its_contact_and_lasts_through_hold(box: Box) -> None:
    name, (first, second) = a_contact(box)
    record = box.office.records[name]
    entries = [entry for entry in box.office.log if entry.contact == name]
    talk, conference = spans(record, entries)
    assert (talk.recording, talk.kind, talk.agent) == (first, "talk", "ann")
    assert talk.ended_at - talk.began_at == 90.0
    assert (conference.recording, conference.kind) == (second, "conference")
    assert conference.ended_at - conference.began_at == 30.0 and conference.began_at == talk.ended_at
    [facts] = box.ask(GetRecordingFacts(recordings=[first])).facts
    assert (facts.final, facts.contact, facts.direction, facts.calling, facts.called, facts.trunk) == (
        True, name, "in", "13800000000", "5000", "telco")
    assert (facts.queue, facts.agent, facts.outcome, facts.tags, facts.missed) == (
        "sales", "ann", "answered", ["vip"], False)
    assert [(mark.kind, round(mark.at - facts.began_at)) for mark in facts.marks][:3] == [
        ("key", 0), ("hold", 60), ("talk", 70)]


@pytest.mark.need(21)
def test_what_was_to_be_recorded_is_told_page_by_page(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.centre.recorded.MOST_CONTACTS", 1)
    names = [box.talk(5.0, "c1")]
    box.office.hang_up("c1")
    box.office.clear()
    box.office.pass_time(60.0)
    names.append(box.talk(7.0, "c2"))
    box.office.hang_up("c2")
    found: list[ToBeRecorded] = []
    after, more = "", True
    while more:
        told = box.ask(GetToBeRecorded(since=0.0, until=box.office.now + 1, after=after))
        found, after, more = [*found, *told.recordings], told.after, bool(told.after)
    assert [(one.contact, one.ended_at - one.began_at) for one in found] == [(names[0], 5.0), (names[1], 7.0)]
    with pytest.raises(StateError, match="was never answered"):
        box.ask(GetToBeRecorded(since=0.0, until=1.0, after="yesterday"))
    with pytest.raises(StateError, match="100 at once, not 101"):
        box.ask(GetRecordingFacts(recordings=[f"{number:032x}" for number in range(101)]))


@pytest.mark.need(6)
def test_facts_come_when_the_contact_ends_and_when_they_change_later(box: Box) -> None:
    name = box.talk()
    [recording] = box.named(name)
    box.finish(recording, 1000.0)
    assert learn(box.parts, 2000.0) == 2000.0 + AGAIN_S
    assert (box.row(recording).contact, box.row(recording).facts_final) == (name, False)
    box.office.hang_up("c1")
    box.sync()
    assert notice(box.office.log, box.log.seq) is not None
    learn(box.parts, 2001.0)                      # told of by its event: before the minute is over
    assert box.row(recording).facts_final
    box.office.command(DisposeContact(contact=name, code="投诉", note="退款很慢", by="ann"))
    learn(box.parts, 2002.0)
    assert (box.row(recording).disposition, box.row(recording).note) == ("投诉", "退款很慢")
    described = box.answer(DescribeRecording(recording=recording))
    assert (described.row.contact, described.row.disposition) == (name, "投诉")


def test_what_changed_while_acdd_or_recordd_was_away_is_not_lost(box: Box) -> None:
    name = box.talk()
    [recording] = box.named(name)
    box.office.hang_up("c1")
    box.finish(recording, 1000.0)
    box.away = True
    assert learn(box.parts, 2000.0) == 2000.0 + AWAY_S
    box.away = False
    learn(box.parts, 2010.0)
    assert box.row(recording).facts_final
    for number in range(3):                       # nobody hears of it: recordd is dead
        box.office.command(TagContact(contact=name, tags=[f"tag{number}"], by="ann"))
    learn(box.parts, 9000.0)
    assert box.row(recording).tags == "tag2"


def test_a_recording_of_no_contact_is_asked_for_until_it_is_sure(box: Box) -> None:
    box.finish(UNKNOWN, 1000.0)
    learn(box.parts, 1000.0 + UNNAMED_S)
    assert not box.row(UNKNOWN).facts_final
    learn(box.parts, 1002.0 + UNNAMED_S + AGAIN_S)
    assert (box.row(UNKNOWN).facts_final, box.row(UNKNOWN).contact) == (True, "")
