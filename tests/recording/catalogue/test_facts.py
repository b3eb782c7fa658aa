"""What acdd's log says of recordings, and that recordd has it in the end whatever was killed between."""

import random
from dataclasses import replace

import pytest

from appliance.bus.messages import (
    Confer,
    Consult,
    DescribeRecording,
    DisposeContact,
    GetRecordingFacts,
    GetToBeRecorded,
    HideTalk,
    Hold,
    RecordTalk,
    Retrieve,
    ShowTalk,
    StopRecordingTalk,
    TagContact,
    ToBeRecorded,
)
from appliance.centre.engine import SilentFrom
from appliance.centre.recorded import notice, spans
from appliance.config.recording import RecordingConfig
from appliance.errors import StateError
from appliance.recording.audio import Format, encode
from appliance.recording.catalogue.learning import AGAIN_S, AWAY_S, UNNAMED_S, learn
from appliance.recording.vault.chain import of_recording, verify
from appliance.recording.wav import TICK_OCTETS, TICKS_PER_S
from tests.recording.catalogue.box import Box

UNKNOWN = "f" * 32
ON_DEMAND = RecordingConfig.model_validate({"rules": [{"name": "asked", "record": "on-demand"}]})


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


SECOND = TICK_OCTETS * TICKS_PER_S
NOISE, SILENT = random.Random(1).randbytes(SECOND), b"\xd5" * SECOND


def card_data(box: Box, *ticks: int) -> str:
    """ann pauses from the 2nd to the 7th of ten seconds; spand says in which ticks. The contact goes on."""
    [recording] = box.named(box.talk(2.0))
    said = iter(ticks)
    for asked, on, seconds in ((HideTalk(agent="ann", by="ann"), True, 5.0),
                               (ShowTalk(agent="ann", by="bo"), False, 3.0)):
        box.office.command(asked)
        if tick := next(said, 0):
            box.office.give(SilentFrom(recording, on, tick, box.office.now))
        box.office.pass_time(seconds)
    return recording


def acts(box: Box, recording: str) -> list[tuple[str, str, int | None]]:
    with box.parts.database.read() as connection:
        assert verify(connection) is None
        return [(entry.kind, entry.by, entry.facts.get("tick"))
                for entry in of_recording(connection, recording) if entry.kind != "described"]


@pytest.mark.need(17)
def test_who_paused_is_in_the_chain_once_whatever_dies(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = card_data(box, 200, 700)
    box.finish(recording, 1000.0, NOISE * 10)

    def dies(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:          # between chain and row
        patch.setattr("appliance.recording.catalogue.rows.update_facts", dies)
        with pytest.raises(OSError):
            learn(box.parts, 2000.0)
    assert acts(box, recording) == []
    paused = [("paused", "ann", 200), ("resumed", "bo", 700)]
    for now in (3000.0, 4000.0):
        learn(box.parts, now)
        assert acts(box, recording) == paused
    box.office.hang_up("c1")
    box.office.command(TagContact(contact=box.row(recording).contact, tags=["card"], by="ann"))
    learn(box.parts, 5000.0)
    assert acts(box, recording) == paused and box.row(recording).tags == "card"


def test_a_pause_of_which_spand_never_said_the_tick_is_told_when_the_contact_ends(box: Box) -> None:
    recording = card_data(box)
    box.finish(recording, 1000.0, NOISE * 10)
    learn(box.parts, 2000.0)
    assert acts(box, recording) == []
    box.office.hang_up("c1")
    learn(box.parts, 3000.0)
    assert acts(box, recording) == [("paused", "ann", None), ("resumed", "bo", None)]
    assert box.answer(DescribeRecording(recording=recording)).pauses == []


def test_the_next_recording_begins_paused_and_is_said_to(box: Box) -> None:
    name = box.talk(2.0)
    box.office.command(HideTalk(agent="ann", by="ann"))
    box.office.command(Consult(agent="ann", to="dee"))
    box.office.answer(box.office.ringing()["8004"])
    box.office.command(Confer(agent="ann"))
    box.office.pass_time(5.0)
    box.office.hang_up("c1")
    second = box.named(name)[1]
    box.finish(second, 1000.0, SILENT * 5)
    learn(box.parts, 2000.0)
    assert acts(box, second) == [("paused", "ann", 0)]
    [pause] = box.answer(DescribeRecording(recording=second)).pauses
    assert (pause.from_s, pause.to_s, pause.silent) == (0.0, 5.0, True)


@pytest.mark.need(17)
@pytest.mark.parametrize("format", [Format.FLAC, Format.OPUS])
def test_a_recording_is_held_against_the_pauses_of_its_chain(box: Box, format: Format) -> None:
    recording = card_data(box, 200, 700)
    box.finish(recording, 1000.0, NOISE * 2 + SILENT * 5 + NOISE * 3, format)
    learn(box.parts, 2000.0)

    def silent() -> bool | None:
        [pause] = box.answer(DescribeRecording(recording=recording)).pauses
        assert (pause.from_s, pause.to_s, pause.by) == (2.0, 7.0, "ann")
        found: bool | None = pause.silent
        return found

    assert silent()
    path = box.parts.folder / box.row(recording).path
    kept = path.read_bytes()
    box.parts.store.write(recording, 1000.0, {}, encode(
        format, [NOISE * 2 + SILENT * 4 + NOISE * 4], 1000))
    assert silent() is False
    path.write_bytes(kept[:len(kept) // 2])
    assert silent() is None


@pytest.mark.need(17)
def test_what_was_recorded_on_demand_says_who_wanted_it(box: Box) -> None:
    box.office.setup = replace(box.office.setup, recording=ON_DEMAND)
    box.office.restart()
    name = box.talk(2.0)
    box.office.command(RecordTalk(agent="ann", by="ann"))
    box.office.pass_time(5.0)
    box.office.command(StopRecordingTalk(agent="ann", by="bo"))
    box.office.pass_time(5.0)
    box.office.command(RecordTalk(agent="ann", by="cy"))
    box.office.hang_up("c1")
    first, second = box.named(name)
    for recording in (first, second):
        box.finish(recording, 1000.0)
    learn(box.parts, 2000.0)
    assert [(kind, by) for kind, by, _ in acts(box, first)] == [("on-demand", "ann"), ("stopped", "bo")]
    assert [(kind, by) for kind, by, _ in acts(box, second)] == [("on-demand", "cy")]


def test_a_recording_of_no_contact_is_asked_for_until_it_is_sure(box: Box) -> None:
    box.finish(UNKNOWN, 1000.0)
    learn(box.parts, 1000.0 + UNNAMED_S)
    assert not box.row(UNKNOWN).facts_final
    learn(box.parts, 1002.0 + UNNAMED_S + AGAIN_S)
    assert (box.row(UNKNOWN).facts_final, box.row(UNKNOWN).contact) == (True, "")
