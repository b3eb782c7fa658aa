"""What is recorded: by policy, on demand, over transfers and consultations; what is silent; what is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.bus.messages import (
    CancelConsult,
    Confer,
    Consult,
    HideTalk,
    Monitor,
    RecordTalk,
    SetNotReady,
    ShowTalk,
    StopRecordingTalk,
    TakeOver,
    Transfer,
)
from appliance.centre.engine import SilentFrom
from appliance.centre.story import story
from appliance.config.recording import RecordingConfig, RecordingRule
from appliance.errors import StateError
from tests.centre.flows import load_text, office
from tests.centre.office import Office, setup

TO_QUEUE = """\
start: pay
nodes:
  pay: {kind: pause, for_s: 60, next: card}
  card: {kind: collect, prompt: card, to: card, least: 4, most: 8, next: menu, default: menu}
  menu: {kind: menu, prompt: menu, digits: {1: paid, 2: wait}, default: wait}
  paid: {kind: resume, next: wait}
  wait: {kind: queue, queue: sales, digits: {5: wait}}
"""
PAN = "40128888"


def policed(*rules: RecordingRule, **all_rules: Any) -> Office:
    return Office(replace(setup(), recording=RecordingConfig(rules=list(rules), **all_rules)))


def rule(**given: Any) -> RecordingRule:
    return RecordingRule(**{"name": "r", **given})


def talk(office: Office, called: str = "5000") -> str:
    """ann with who calls sales; nobody else is ready there."""
    for name in ("bo", "cy"):
        office.command(SetNotReady(agent=name))
    name = office.call("c1", called)
    if called == "5000":
        if "c1" in office.playing and office.contact(name).node == "greeting":
            office.press("c1", "1")
        if office.contact(name).node == "sales" and office.contact(name).record.state == "flow":
            return name                           # is being told something
    office.answer(office.ringing()["8001"])
    return name


def transfer(office: Office, to: str, extension: str) -> None:
    agent = next(one.name for one in office.engine.state.agents.values() if one.state == "talking")
    office.command(Transfer(agent=agent, to=to))
    office.clear()
    office.answer(office.ringing()[extension])


def runs(office: Office) -> tuple[str, str] | None:
    """caller's and agent's leg of the only recording."""
    if not office.recording:
        return None
    [one] = office.recording.values()
    return one.caller_leg, one.agent_leg


def kinds(office: Office, name: str) -> list[str]:
    return [entry.kind for entry in office.log if entry.contact == name]


@pytest.mark.need(6)
def test_each_transfer_asks_the_policy_anew_and_no_recording_runs_on_or_is_missing() -> None:
    office = policed(rule(name="dee", agent="dee", record="never"),
                     rule(name="eve", agent="eve", record="always"))
    name = talk(office)
    assert runs(office) == ("c1", office.agent("ann").leg)
    transfer(office, "dee", "8004")
    assert runs(office) is None and office.contact(name).record.agent == "dee"
    transfer(office, "eve", "8005")
    assert runs(office) == ("c1", office.agent("eve").leg)
    office.restart()
    assert runs(office) == ("c1", office.agent("eve").leg)
    told = story(office.log)
    assert [(one.rule, bool(one.recording)) for one in told] == [("", True), ("dee", False), ("eve", True)]
    assert told[0].why == "is recorded: queue sales says so" and "never" in told[1].record


def test_a_queue_that_is_not_recorded_stays_so_when_its_customer_is_transferred_or_conferred() -> None:
    office = policed()
    office.command(SetNotReady(agent="cy"))
    office.command(SetNotReady(agent="eve"))
    office.call("c1", "5001")                     # sales, then service, whose talks are not recorded
    for agent in ("ann", "bo"):
        office.command(SetNotReady(agent=agent))
    office.pass_time(61.0)
    office.answer(office.ringing()["8004"])
    assert runs(office) is None
    office.command(Confer(agent="dee", to="eve"))
    office.answer(office.ringing()["8005"])
    assert runs(office) is None


def test_calls_out_and_forwards_follow_the_policy() -> None:
    office = policed(rule(direction="out", called="123", record="never"), rule(
        name="emergency", direction="out", called="110", record="always"))
    for leg, number, recorded in (("e1", "0123", False), ("e2", "110", True), ("e3", "0999", True)):
        office.call(leg, number, trunk="pbx", calling="8005")
        [out] = [call.leg for call in office.calls.values() if not call.inbound and call.state == "offered"]
        office.answer(out)
        assert bool(office.recording) is recorded
        office.hang_up(leg)
        office.clear()


def test_on_demand_begins_when_asked_goes_on_over_transfers_and_stops_when_asked() -> None:
    office = policed(rule(name="dee", agent="dee", record="on-demand"), rule(record="on-demand"))
    name = talk(office)
    assert runs(office) is None
    with pytest.raises(StateError, match="not recorded"):
        office.command(StopRecordingTalk(agent="ann"))
    office.command(RecordTalk(agent="ann", by="boss"))
    assert runs(office) == ("c1", office.agent("ann").leg)
    with pytest.raises(StateError, match="already"):
        office.command(RecordTalk(agent="ann"))
    transfer(office, "dee", "8004")
    assert runs(office) == ("c1", office.agent("dee").leg)
    office.restart()
    assert runs(office) == ("c1", office.agent("dee").leg)
    office.command(StopRecordingTalk(agent="dee", by="dee"))
    assert runs(office) is None
    office.command(RecordTalk(agent="dee", by="dee"))
    segments = [(one.kind, one.agent, bool(one.recording)) for one in office.records[name].segments
                if one.kind == "talk"]
    assert segments == [("talk", "ann", False), ("talk", "ann", True), ("talk", "dee", True),
                        ("talk", "dee", False), ("talk", "dee", True)]
    assert [(one.begun_by, one.stopped_by) for one in story(office.log)] == [
        ("boss", None), (None, "dee"), ("dee", None)]


def test_nobody_begins_what_may_not_be_or_stops_what_must_be() -> None:
    office = policed(rule(record="never"))
    talk(office)
    with pytest.raises(StateError, match="rule r: a rule with record: on-demand"):
        office.command(RecordTalk(agent="ann"))
    office = policed()
    talk(office)
    with pytest.raises(StateError, match="nobody may stop it"):
        office.command(StopRecordingTalk(agent="ann"))


def test_what_is_recorded_whole_is_kept_with_all_before_it_once_somebody_asks() -> None:
    office = policed(rule(record="on-demand", keep="whole"))
    talk(office)
    assert runs(office) is not None
    office.command(Confer(agent="ann", to="dee"))
    office.answer(office.ringing()["8004"])
    assert [one.unwanted for one in story(office.log)] == [True, True]
    office.command(RecordTalk(agent="ann", by="ann"))
    office.hang_up(office.agent("dee").leg)
    office.clear()
    told = story(office.log)
    assert [one.unwanted for one in told] == [False, False, False] and told[0].kept_by == "ann"
    assert len({one.recording for one in told}) == 3


@pytest.mark.need(17)
def test_a_pause_goes_over_a_transfer_a_conference_and_a_kill_until_its_time() -> None:
    office = policed()
    talk(office)
    office.command(HideTalk(agent="ann", for_s=60.0, by="ann"))
    office.command(Monitor(agent="ann", at="eve"))
    office.answer(office.ringing()["8005"])
    for step in ("conference", "restart", "take over", "transfer"):
        if step == "conference":
            office.command(Confer(agent="ann", to="dee"))
            office.answer(office.ringing()["8004"])
        elif step == "restart":
            office.restart()
        elif step == "take over":
            office.command(TakeOver(agent="ann", at="eve"))
        else:
            office.command(Transfer(agent="eve", to="8100"))
            office.clear()
            office.answer(office.ringing()["8100"])
        assert all(one.paused for one in office.recording.values()), step
        assert office.recording and office.masked == {"c1"}, step
    office.pass_time(60.0)
    [one] = office.recording.values()
    assert not one.paused and not office.masked


@pytest.mark.need(17)
def test_who_may_pause_is_the_policy_s_and_who_did_so_with_its_ticks_is_told() -> None:
    office = policed(rule(record="always", pause=["system"]))
    name = talk(office)
    with pytest.raises(StateError, match="does not let the agent pause"):
        office.command(HideTalk(agent="ann", by="ann"))
    office.command(HideTalk(agent="ann", by="crm"))
    recording = office.contact(name).recording
    office.give(SilentFrom(recording, True, 700, 1000.5))
    office.command(ShowTalk(agent="ann", by="crm"))
    office.give(SilentFrom(recording, False, 1900, 1012.5))
    [pause] = story(office.log)[0].pauses
    assert (pause.by, pause.ended_by, pause.tick, pause.end_tick) == ("crm", "crm", 700, 1900)


def test_a_consultation_is_in_the_recording_only_if_the_policy_says_so() -> None:
    for said, silent in (([], False), ([rule(direction="internal", record="never")], True)):
        office = policed(*said)
        talk(office)
        office.command(Consult(agent="ann", to="dee"))
        [one] = office.recording.values()
        assert not one.paused                     # dee has not answered
        office.answer(office.ringing()["8004"])
        [one] = office.recording.values()
        assert one.paused is silent
        office.restart()
        [one] = office.recording.values()
        assert one.paused is silent
        office.command(HideTalk(agent="ann", for_s=30.0))
        office.command(ShowTalk(agent="ann"))
        [one] = office.recording.values()
        assert one.paused is silent
        office.command(CancelConsult(agent="ann"))
        [one] = office.recording.values()
        assert not one.paused and runs(office) == ("c1", office.agent("ann").leg)


def test_who_waits_is_told_to_the_end_once_before_anybody_is_rung() -> None:
    office = policed(announce="recorded")
    name = talk(office)
    assert office.hears("c1") == ["zh/recorded"] and not office.ringing()
    office.restart()
    assert office.hears("c1") == ["zh/recorded"] and not office.ringing()
    office.played("c1")
    office.answer(office.ringing()["8001"])
    office.command(Transfer(agent="ann", to="queue:service"))
    office.clear()
    assert kinds(office, name).count("RecordingAnnounced") == 1
    quiet = policed(rule(record="never"), announce="recorded")
    talk(quiet)
    assert "RecordingAnnounced" not in {entry.kind for entry in quiet.log}


@pytest.mark.need(17)
def test_keys_between_pause_and_resume_are_nowhere_whatever_node_takes_them(tmp_path: Path) -> None:
    busy = office(load_text(tmp_path, TO_QUEUE))
    busy.command(SetNotReady(agent="ann"))
    name = busy.call("c1")
    assert busy.masked == {"c1"}
    busy.press("c1", *PAN)                        # into collect
    busy.press("c1", *"98765")                    # into a menu, again and again
    busy.restart()
    assert busy.masked == {"c1"}
    busy.press("c1", "2")
    assert busy.contact(name).record.state == "queue"
    busy.press("c1", *"56789")
    assert busy.masked == {"c1"}
    busy.pass_time(61.0)
    assert not busy.masked
    kept = "".join(entry.kind + entry.data for entry in busy.log) + msgspec.json.encode(
        busy.engine.state).decode() + repr(busy.records[name])
    for digits in (PAN, PAN[-4:], "9876", '"digit":"', "digit 5", "digit 2"):
        assert digits not in kept
    assert not busy.records[name].digits
    pauses = [entry.data for entry in busy.log if entry.kind in ("RecordingPaused", "RecordingResumed")]
    assert '"by":"flow"' in pauses[0] and len(pauses) == 2


@pytest.mark.need(17)
def test_a_talk_begins_silent_while_the_flow_s_pause_goes_on_and_resume_ends_it(tmp_path: Path) -> None:
    flow = load_text(tmp_path, TO_QUEUE)
    busy = office(flow)
    busy.call("c1")
    busy.press("c1", *PAN)
    busy.press("c1", "2")                         # not by way of resume
    busy.answer(busy.ringing()["8001"])
    [one] = busy.recording.values()
    assert one.paused and busy.masked == {"c1"}
    busy.command(ShowTalk(agent="ann", by="ann"))
    [one] = busy.recording.values()
    assert not one.paused and not busy.masked
    busy = office(flow)
    busy.call("c1")
    busy.press("c1", *PAN)
    busy.press("c1", "1")
    assert not busy.masked
    busy.answer(busy.ringing()["8001"])
    [one] = busy.recording.values()
    assert not one.paused
