"""Recordings heard and prompts made at a telephone: found, lent, moved in by keys, kept."""

from pathlib import Path

import pytest

from appliance.bus.messages import KeepAsPrompt, LendRecording, StartRecording
from appliance.centre.effects import Ask, FindRecordings
from appliance.centre.projector import ContactProjector
from appliance.errors import ConfigError
from appliance.store.events import EventLog
from appliance.store.records import reference
from tests.centre.flows import load_text, office
from tests.centre.office import Office, in_queue, setup

REPLAY = """\
start: hear
variables: {agent: ann}
nodes:
  hear: {kind: replay, what: own, by: "{agent}", intro: next-call, none: no-more, next: bye, failed: sorry}
  sorry: {kind: play, prompt: sorry, next: bye}
  bye: {kind: hangup}
"""
PROMPT = """\
start: speak
variables: {agent: ann}
nodes:
  speak:
    {kind: record, prompt: speak, keep_as: greeting, by: "{agent}", confirm: confirm, retries: 2, to: name,
     next: bye, failed: sorry}
  sorry: {kind: play, prompt: sorry, next: bye}
  bye: {kind: hangup}
"""
FIRST, SECOND = "a" * 32, "b" * 32


@pytest.fixture
def heard(tmp_path: Path) -> tuple[Office, str]:
    """Somebody who is going to hear ann's two recordings, the first is asked for."""
    box = office(load_text(tmp_path, REPLAY))
    name = box.call("c1")
    find = box.effect_done(name, {"recordings": [FIRST, SECOND]})
    assert isinstance(find, FindRecordings) and (find.agent, find.reference) == ("ann", "")
    return box, name


def lend(box: Office, name: str, fragment: str, duration_s: float = 60.0) -> LendRecording:
    asked = box.effect_done(name, {"fragment": fragment, "duration_s": duration_s})
    assert isinstance(asked, Ask) and isinstance(asked.request, LendRecording)
    return asked.request


def plays(box: Office) -> list[str]:
    return box.playing["c1"].fragments


def test_keys_move_in_a_recording_and_to_the_next(heard: tuple[Office, str]) -> None:
    box, name = heard
    asked = lend(box, name, "lent:x")
    assert (asked.recording, asked.by) == (FIRST, "ann")
    assert box.hears("c1") == ["zh/next-call"]
    box.played("c1")
    assert plays(box) == ["lent:x@0"]
    box.pass_time(25.0)
    box.press("c1", "7")
    assert plays(box) == ["lent:x@15000"]
    box.pass_time(3.0)
    box.press("c1", "9")
    assert plays(box) == ["lent:x@28000"]
    box.press("c1", "0")
    assert "c1" not in box.playing
    box.pass_time(40.0)
    box.press("c1", "0")
    assert plays(box) == ["lent:x@28000"]
    box.press("c1", "9", "9", "9", "9")
    assert plays(box) == ["lent:x@59000"]         # its last second
    box.press("c1", "2")
    assert plays(box) == ["lent:x@0"]
    box.press("c1", "1")
    assert lend(box, name, "lent:y").recording == SECOND
    box.played("c1")
    assert plays(box) == ["lent:y@0"]
    box.press("c1", "4")
    assert lend(box, name, "lent:z").recording == FIRST
    box.press("c1", "*")
    assert box.records[name].outcome == "answered"


def test_behind_the_last_one_it_is_said_that_there_are_no_more(heard: tuple[Office, str]) -> None:
    box, name = heard
    for fragment in ("lent:x", "lent:y"):
        lend(box, name, fragment)
        box.played("c1")
        box.played("c1")
    assert box.hears("c1") == ["zh/no-more"]
    box.played("c1")
    assert box.records[name].outcome == "answered"
    begun = [entry.data for entry in box.log if entry.kind == "ReplayBegun"]
    assert [FIRST in begun[0], SECOND in begun[1], '"by":"ann"' in begun[1]] == [True] * 3


def test_what_cannot_be_heard_and_a_restart_lead_to_failed(heard: tuple[Office, str]) -> None:
    box, name = heard
    box.effect_done(name, error="was erased")
    assert box.hears("c1") == ["zh/sorry"]
    again = box.call("c2")
    box.restart()
    assert box.contact(again).node == "sorry"


def test_a_prompt_is_heard_before_it_is_kept_and_may_be_spoken_anew(tmp_path: Path) -> None:
    box = office(load_text(tmp_path, PROMPT))
    name = box.call("c1")

    def speak() -> str:
        box.played("c1")
        [taken] = [one for one in box.tell() if isinstance(one, StartRecording)]
        assert box.masked == {"c1"}               # the last key is not of the prompt
        box.pass_time(4.0)
        box.press("c1", "#")
        box.played("c1")                          # until recordd has it
        assert lend(box, name, "lent:x").recording == taken.recording
        assert plays(box) == ["lent:x", "prompt:zh/confirm"]
        return taken.recording

    first = speak()
    box.press("c1", "3")
    second = speak()
    assert first != second
    box.press("c1", "2")
    lend(box, name, "lent:z")
    box.played("c1")
    box.press("c1", "1")
    kept = box.effect_done(name, {})
    assert isinstance(kept, Ask)
    assert kept.request == KeepAsPrompt(recording=second, name="zh/greeting", by="ann")
    assert box.records[name].outcome == "answered" and not box.masked


def test_a_prompt_that_nobody_confirms_or_that_cannot_be_kept_is_not(tmp_path: Path) -> None:
    box = office(load_text(tmp_path, PROMPT))
    for leg, keys in (("c1", "222"), ("c2", "1")):
        name = box.call(leg)
        box.played(leg)
        box.press(leg, "#")
        box.played(leg)
        for key in keys:
            box.effect_done(name, {"fragment": "lent:x", "duration_s": 2.0})
            box.press(leg, key)
        if keys == "1":
            box.effect_done(name, error="disk full")
        assert box.hears(leg) == ["zh/sorry"]


def test_an_agent_s_talks_and_a_contact_s_are_found_in_the_log(tmp_path: Path) -> None:
    box = Office(setup())
    first = in_queue(box, "c1")
    box.answer(next(iter(box.ringing().values())))
    served = box.contact(first).record.agent
    box.hang_up("c1")
    box.clear()
    recorded = [one.recording for one in box.records[first].segments if one.recording]
    log = EventLog(tmp_path / "events.sqlite", ContactProjector())
    log.append(box.log)
    assert recorded == log.talks(served, "", 0.0, 10) and log.talks("eve", "", 0.0, 10) == []
    number = reference(first)
    assert len(number) == 9 and number.isdecimal()
    assert log.talks("", number, 0.0, 10) == recorded == log.talks(served, number, 0.0, 10)
    assert log.talks("eve", number, 0.0, 10) == log.talks("", number, 5000.0, 10) == []
    log.close()


@pytest.mark.parametrize(("before", "after", "what"), [
    ('what: own', 'what: box', "what: box and box go together"),
    ('what: own', 'what: reference', "what: reference and reference go together"),
    ('"{agent}"', '"{nobody}"', "nothing sets the variable 'nobody'")])
def test_a_replay_that_cannot_work_is_a_mistake(tmp_path: Path, before: str, after: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        load_text(tmp_path, REPLAY.replace(before, after))


def test_what_is_kept_needs_somebody_and_a_confirmation(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keep_as, by, confirm and failed go together"):
        load_text(tmp_path, PROMPT.replace("confirm: confirm, ", ""))
