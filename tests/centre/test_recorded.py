"""acdd tells recordd, and only what it may ask, of recordings and of what changed."""

from pathlib import Path

import pytest

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CallReleased,
    GetContacts,
    GetRecordingFacts,
    GetToBeRecorded,
    Hangup,
    RecordedFactsChanged,
    StopRecording,
)
from appliance.centre import events
from appliance.centre.recorded import facts, spans
from appliance.config.load import load
from appliance.store.events import Entry
from appliance.store.records import ContactRecord, SegmentRecord
from tests.centre.test_daemon import Player, acdd, talk, write

ONE, TWO = "1" * 32, "2" * 32


def segment(kind: str, began_at: float, ended_at: float, recording: str = "") -> SegmentRecord:
    return SegmentRecord(kind=kind, began_at=began_at, ended_at=ended_at, recording=recording)


def entry(at: float, event: events.LogEvent) -> Entry:
    return events.encode(at, "c", event)


def record(*segments: SegmentRecord) -> ContactRecord:
    return ContactRecord(contact="c", direction="in", calling="139", called="5000", state="ended",
                         began_at=0.0, ended_at=100.0, outcome="answered", segments=segments)


@pytest.mark.need(21)
@pytest.mark.parametrize(("segments", "found"), [
    ([segment("queue", 0, 5), segment("talk", 5, 60, ONE)], [(ONE, 5, 60)]),
    ([segment("talk", 5, 20, ONE), segment("hold", 20, 30), segment("consult", 30, 35),
      segment("talk", 35, 60)], [(ONE, 5, 60)]),
    ([segment("talk", 5, 20, ONE), segment("talk", 20, 60, TWO)], [(ONE, 5, 20), (TWO, 20, 60)]),
    ([segment("talk", 5, 20, ONE), segment("talk", 20, 60, ONE)], [(ONE, 5, 60)]),
    # Let go, and taken by somebody whose talk is not recorded.
    ([segment("talk", 5, 20, ONE), segment("transfer", 22, 30), segment("talk", 30, 60)], [(ONE, 5, 20)]),
    ([segment("talk", 5, 20, ONE), segment("talk", 25, 60)], [(ONE, 5, 20)]),
    ([segment("talk", 5, 20, ONE), segment("survey", 20, 60)], [(ONE, 5, 20)]),
    ([segment("message", 5, 20, ONE), segment("talk", 20, 60)], [(ONE, 5, 20)]),
    ([segment("talk", 5, 0, ONE)], [(ONE, 5, 0)]),
    ([segment("talk", 5, 20)], []),
])
def test_from_when_to_when_it_was_recorded(segments: list[SegmentRecord],
                                           found: list[tuple[str, float, float]]) -> None:
    assert [(span.recording, span.began_at, span.ended_at) for span in spans(record(*segments), [])] == found


def test_one_that_somebody_stopped_ends_there() -> None:
    stopped = entry(12.0, events.RecordingStopped(recording=ONE, by="ann"))
    [span] = spans(record(segment("talk", 5, 12, ONE), segment("talk", 12, 60)), [stopped])
    assert span.ended_at == 12.0


@pytest.mark.need(6)
def test_a_message_without_a_talk_was_missed_and_marks_are_in_order() -> None:
    message = record(segment("flow", 0, 5), segment("message", 5, 20, ONE))
    [found] = facts(message, [
        entry(0.0, events.Began(leg="l", trunk="telco", direction="in", calling="139", calling_name="",
                                called="5000", began_at=0.0)),
        entry(1.0, events.Routed(rule="r", why="w", grade="gold")),
        entry(3.0, events.Pressed(digit="9")),
        entry(6.0, events.Pressed(digit="1")),
        entry(5.5, events.RecordingPaused(until=9.0, by="ann")),
        entry(30.0, events.Disposed(code="done", note="called back", by="bo")),
        entry(31.0, events.SurveyAnswered(survey="s", question="q", answer=4, agent="", queue=""))])
    assert (found.missed, found.kind, found.trunk, found.grade) == (True, "message", "telco", "gold")
    assert (found.disposition, found.note, found.answers[0].answer) == ("done", "called back", 4)
    assert [(mark.kind, mark.at) for mark in found.marks] == [("paused", 5.5), ("key", 6.0)]
    [talked] = facts(record(segment("talk", 0, 5), segment("message", 5, 20, ONE)), [])
    assert not talked.missed


async def test_recordd_is_told_over_the_bus_and_may_ask_nothing_else(
        bus_server: Path, tmp_path: Path) -> None:
    config = load(write(tmp_path))
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "recordd") as recordd, acdd(bus_server, tmp_path, config):
        _, started = await talk(trunkd, spand, "c1")
        del trunkd.calls["c1"]
        await trunkd.say(CallReleased(leg="c1", cause=16, by="far", at=30.0))
        await trunkd.until_asked(Hangup)
        await spand.until_asked(StopRecording)
        changed = await recordd.until(lambda: next(
            (one for one in recordd.heard if isinstance(one, RecordedFactsChanged)), None))
        told = await recordd.bus.ask(GetRecordingFacts(recordings=[started.recording], changed_after=0))
        assert (told.facts[0].agent, told.facts[0].final, told.changed) == ("ann", True, [started.recording])
        assert told.seq == told.changed_to >= changed.seq
        to_be = await recordd.bus.ask(GetToBeRecorded(since=0.0, until=2e9))
        assert [one.recording for one in to_be.recordings] == [started.recording]
        with pytest.raises(Refused, match="100 at once, not 101"):
            await recordd.bus.ask(GetRecordingFacts(recordings=["x"] * 101))
        with pytest.raises(BusError):
            await recordd.bus.ask(GetContacts(), 0.3)
