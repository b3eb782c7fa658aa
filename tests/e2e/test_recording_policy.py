"""What a branch's recording policy does to talks, by rule, by hand and by telephone, whatever dies."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from argon2 import PasswordHasher

from appliance.bus.messages import (
    CheckRecordings,
    ContactInfo,
    DescribeRecording,
    GetContactFacts,
    GetRecording,
    HideTalk,
    RecordingStory,
    RecordTalk,
    ShowTalk,
    Transfer,
)
from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import HELLO, QUIET, Talk, branchline, contact_of, heard_again, name_of, new_number
from tests.e2e.observer import Observer
from tests.e2e.rig import CONFIG, FLOW, PROMPT_HZ, Rig
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S
from tests.e2e.test_card_data import holding

pytestmark = pytest.mark.usefixtures("left_idle")

SALES, SERVICE = "1", "2"                         # keys of the menu
ASKED, WHOLE, BY_QUEUE, TOLD, PROMPTED = "5002", "5003", "5004", "5005", "5006"  # called
AT_THE_TELEPHONE = "790"                          # what an agent dials to hear and to speak
HEAR, SPEAK = "1", "2"
WANG, PIN, WRONG_PIN = "1003", "84170265", "84170266"
CARD = "51051051"                                 # long enough to be in no file by chance
SPOKEN_HZ, TOLD_HZ, OLD_HZ = 500, 1250, 1850
ALIKE = 0.99                                      # of what was said and what is heard over mixing and coding


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    called = {number: {"trunk": "telco", "called": number, "flow": "main.yaml"}
              for number in (ASKED, WHOLE, BY_QUEUE, TOLD)}
    config["centre"]["inbound"] += [
        *called.values(),
        {"trunk": "telco", "called": PROMPTED, "flow": "closing.yaml"},
        {"trunk": "pbx", "called": AT_THE_TELEPHONE, "flow": "telephone.yaml"}]
    config["centre"]["sources"] = [{"name": "agents", "table": "agent-pins.csv"}]
    config["recording"]["rules"] = [
        {"name": "asked", "called": ASKED, "record": "on-demand"},
        {"name": "whole", "called": WHOLE, "record": "on-demand", "keep": "whole"},
        {"name": "private", "called": BY_QUEUE, "queue": "sales", "record": "never"},
        {"name": "told", "called": TOLD, "record": "always", "announce": "told"}]
    keyed = {"timeout_s": 10.0, "least": 4, "most": 4}
    pin = keyed | {"least": len(PIN), "most": len(PIN)}
    telephone = {"language": "en", "start": "who", "nodes": {
        "who": {"kind": "authenticate", "source": "agents", "to": "number", "retries": 0,
                "customer": {"prompt": "greeting", **keyed}, "pin": {"prompt": "menu", **pin},
                "results": {"agent": "agent"}, "next": "what", "failed": "sorry", "error": "sorry"},
        "what": {"kind": "menu", "prompt": "queue", "digits": {HEAR: "hear", SPEAK: "speak"},
                 "timeout_s": 10.0, "retries": 1, "default": "sorry"},
        "hear": {"kind": "replay", "what": "own", "by": "{agent}", "next": "end", "failed": "sorry"},
        "speak": {"kind": "record", "prompt": "greeting", "keep_as": "closing", "by": "{agent}",
                  "confirm": "menu", "to": "spoken", "next": "end", "failed": "sorry"},
        "sorry": {"kind": "play", "prompt": "busy", "next": "end"},
        "end": {"kind": "hangup"}}}
    closing = {"language": "en", "start": "closing", "nodes": {
        "closing": {"kind": "play", "prompt": "closing", "next": "end"}, "end": {"kind": "hangup"}}}
    return {"config": config, "flow": FLOW, "prompts": {"told": TOLD_HZ, "closing": OLD_HZ}, "files": {
        "telephone.yaml": json.dumps(telephone), "closing.yaml": json.dumps(closing),
        "agent-pins.csv": f"customer,pin,agent\n{WANG},\"{PasswordHasher().hash(PIN)}\",wang\n"}}


def talking(box: Rig, called: str, digit: str = SALES) -> Talk:
    """A customer who called that number talks with an agent."""
    caller = box.telco.place_call(called=called, calling=new_number())
    caller.answered().dtmf(digit)
    return Talk(caller, taken(box, caller))


def taken(box: Rig, caller: Call) -> Call:
    """The next agent who is rung answers, and is heard by this caller."""
    agent = box.pbx.wait_for_call(SOON_S)
    agent.alert()
    agent.play(HELLO, repeat=True)
    agent.answer()
    heard_s = caller.wait_to_hear_octets(HELLO, SOON_S, from_s=caller.heard_s)
    agent.silence()
    caller.wait_to_hear_octets(QUIET, from_s=heard_s)
    return agent


def says(speaker: Call, listener: Call, seed: int, seconds: float = 1.0) -> audio.Octets:
    said = audio.sequence(seed, seconds)
    speaker.play(said)
    listener.wait_to_hear_octets(said)
    return said


def stories(box: Rig, contact: ContactInfo) -> list[RecordingStory]:
    return box.bus.ask(GetContactFacts(contact=contact.contact)).recordings


def has(said: audio.Octets, side: audio.Octets) -> bool:
    return audio.find(said, side) >= 0


def chain_of(box: Rig, desk: Observer, recording: str, kind: str) -> list[tuple[str, str]]:
    """Kind and who of what the chain has of it, once an entry of that kind is there."""
    described = desk.ask_until(DescribeRecording(recording=recording), lambda told: any(
        entry.kind == kind for entry in told.entries), SOON_S)
    return [(entry.kind, entry.by) for entry in described.entries]


# --- by rule and by hand


@pytest.mark.need(6)
@pytest.mark.need(21)
def test_on_demand_is_from_then_on_or_whole_and_what_nobody_kept_is_gone(
        box: Rig, desk: Observer, tmp_path: Path) -> None:
    asked, unkept, kept = (talking(box, called, digit) for called, digit in (
        (ASKED, SERVICE), (WHOLE, SALES), (WHOLE, SALES)))
    before = says(asked.caller, asked.agent, seed=301)
    branchline(box, "control", "record", "wang")
    after = says(asked.caller, asked.agent, seed=302)
    forgotten, whole = says(unkept.caller, unkept.agent, 303), says(kept.caller, kept.agent, 304)
    name = name_of(box, kept.agent.called)
    desk.ask(RecordTalk(agent=name, by=name))
    for one in (asked, unkept, kept):
        one.caller.hang_up()
    [from_then], [gone], [there] = (
        stories(box, contact_of(box, one.caller.calling)) for one in (asked, unkept, kept))

    left = heard_again(box, from_then.recording, tmp_path).left
    assert has(after, left) and not has(before, left)
    assert from_then.rule == "asked" and from_then.begun_by
    assert ("on-demand", from_then.begun_by) in chain_of(box, desk, from_then.recording, "on-demand")

    assert has(whole, heard_again(box, there.recording, tmp_path).left)
    assert ("kept", name) in chain_of(box, desk, there.recording, "kept")

    desk.ask_until(GetRecording(recording=gone.recording), lambda info: not info.known, SOON_S)
    chained = branchline(box, "recordings", "chain", "--recording", gone.recording)
    assert "discarded" in chained and "nobody kept it" in chained
    assert not list(box.state_dir.rglob(f"{gone.recording}*"))
    assert list(box.state_dir.rglob(f"{there.recording}*"))
    assert holding(box.state_dir, forgotten[:64].tobytes()) == []
    at = contact_of(box, unkept.caller.calling).ended_at
    found = {one.recording: one.why for check in desk.ask(CheckRecordings(since=at - 60, until=at + 1)).checks
             for one in check.findings}
    assert found[gone.recording] == "recorded on demand, and nobody kept it" and there.recording not in found


def test_a_transfer_asks_the_policy_of_the_queue_that_it_goes_to(
        box: Rig, desk: Observer, tmp_path: Path) -> None:
    caller, agent = talking(box, BY_QUEUE, SALES)
    private = says(caller, agent, seed=305)
    desk.ask(Transfer(agent=name_of(box, agent.called), to="queue:service"))
    recorded = says(caller, taken(box, caller), seed=306)
    desk.ask(Transfer(agent="wang", to="queue:sales"))
    private_again = says(caller, taken(box, caller), seed=307)
    caller.hang_up()
    told = stories(box, contact_of(box, caller.calling))
    assert [(one.rule, bool(one.recording)) for one in told] == [
        ("private", False), ("", True), ("private", False)]
    left = heard_again(box, told[1].recording, tmp_path).left
    assert has(recorded, left) and not has(private, left) and not has(private_again, left)


def test_the_caller_is_told_before_anybody_is_rung(box: Rig) -> None:
    caller = box.telco.place_call(called=TOLD, calling=new_number())
    caller.answered().dtmf(SALES)
    caller.wait_to_hear(hz=TOLD_HZ)
    assert not box.pbx.calls
    taken(box, caller)
    caller.hang_up()
    [told] = stories(box, contact_of(box, caller.calling))
    assert told.rule == "told" and told.recording


@pytest.mark.need(17)
def test_a_pause_outlives_spand_and_the_chain_says_who_and_when(
        box: Rig, desk: Observer, tmp_path: Path) -> None:
    caller, agent = talking(box, "5001")
    name = name_of(box, agent.called)
    before = says(caller, agent, seed=308)
    desk.ask(HideTalk(agent=name, by=name))
    from_s = agent.heard_s
    box.kill("spand")
    revive(box, "spand")
    hidden = audio.sequence(309, 0.5)
    caller.play(np.concatenate([hidden, QUIET]))
    agent.wait_to_hear_octets(hidden, SOON_S)     # people still hear each other
    caller.dtmf(CARD)
    caller.wait_said()
    agent.wait_to_have_heard(agent.heard_s + 0.5, SOON_S)
    assert agent.heard_keys(from_s) == ""
    shown = desk.ask(ShowTalk(agent=name, by="boss"))
    box.bus.ask_until(GetContactFacts(contact=shown.contact), lambda facts: bool(
        facts.recordings[0].pauses[0].end_tick), SOON_S)             # spand has said so
    caller.play(audio.silence(0.3))
    caller.wait_said()
    after = says(caller, agent, seed=310)
    caller.hang_up()
    contact = contact_of(box, caller.calling, within_s=SOON_S)
    [told] = stories(box, contact)
    left = heard_again(box, told.recording, tmp_path).left
    assert has(before, left) and has(after, left)
    assert not has(hidden[:800], left) and audio.dtmf_keys(left) == ""
    chained = chain_of(box, desk, told.recording, "resumed")
    assert [one for one in chained if one[0] in ("paused", "resumed")] == [
        ("paused", name), ("resumed", "boss")]
    [pause] = desk.ask(DescribeRecording(recording=told.recording)).pauses
    assert pause.silent and pause.to_s - pause.from_s > 1.0
    for folder in (box.run_dir, box.state_dir):
        assert holding(folder, hidden[:64].tobytes(), CARD.encode()) == []


# --- by telephone


def at_the_telephone(box: Rig, pin: str = PIN) -> Call:
    """Wang dials from wherever and says who he is."""
    wang = box.pbx.place_call(called=AT_THE_TELEPHONE, calling="803").answered(SOON_S)
    wang.wait_to_hear(hz=PROMPT_HZ["greeting"])
    wang.dtmf(WANG)
    wang.wait_to_hear(hz=PROMPT_HZ["menu"])
    wang.dtmf(pin)
    return wang


def hears(listener: Call, said: audio.Octets, from_s: float) -> None:
    """Wait until he has heard it, from then on."""
    while alike(said, listener.heard(from_s)) < ALIKE:
        listener.wait_to_have_heard(listener.heard_s + 0.2, SOON_S)
        assert listener.heard_s < from_s + SOON_S


def alike(said: audio.Octets, heard: audio.Octets) -> float:
    """How like it what is heard is where it is most: 1 is the same but for its level."""
    if len(heard) <= len(said):
        return 0.0
    wanted, there = (audio.expand(one).astype(float) for one in (said, heard))
    size = 1 << (len(wanted) + len(there)).bit_length()
    product = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)), size)
    at = int(product[:len(there) - len(wanted) + 1].argmax())
    part = there[at:at + len(wanted)]
    return float(part @ wanted / np.sqrt((part @ part) * (wanted @ wanted) + 1.0))


def test_an_agent_hears_his_last_call_at_a_telephone_also_when_recordd_dies(box: Rig, desk: Observer) -> None:
    caller, agent = talking(box, "5001", SERVICE)
    first = says(caller, agent, seed=311)
    last = says(agent, caller, seed=312)
    caller.hang_up()
    [told] = stories(box, contact_of(box, caller.calling))
    box.bus.ask_until(GetRecording(recording=told.recording), lambda info: info.finished, SOON_S)

    guest = at_the_telephone(box, pin=WRONG_PIN)
    guest.wait_to_hear(hz=PROMPT_HZ["busy"])
    guest.wait_for("RELEASED")
    wang = at_the_telephone(box)
    wang.wait_to_hear(hz=PROMPT_HZ["queue"])
    from_s = wang.heard_s
    wang.dtmf(HEAR)
    hears(wang, first, from_s)
    box.kill("recordd")                           # what is lent is heard on
    from_s = wang.heard_s
    wang.dtmf("7")                                # ten seconds back: from its beginning
    hears(wang, first, from_s)
    from_s = wang.heard_s
    wang.dtmf("9")                                # ten seconds on: its last second
    hears(wang, last[-2400:], from_s)
    wang.wait_for("RELEASED", SOON_S)             # the one before cannot be lent
    asked = at_the_telephone(box)
    asked.wait_to_hear(hz=PROMPT_HZ["queue"])
    asked.dtmf(HEAR)
    asked.wait_to_hear(hz=PROMPT_HZ["busy"], within_s=2 * SOON_S)    # nothing can be lent
    revive(box, "recordd")
    chained = chain_of(box, desk, told.recording, "listened")
    assert [one for one in chained if one[0] == "listened"] == [("listened", "wang")]
    for folder in (box.run_dir, box.state_dir):
        assert holding(folder, PIN.encode(), WANG.encode() + PIN.encode()) == []


def test_a_prompt_spoken_at_a_telephone_is_what_callers_hear_when_it_is_confirmed(box: Rig) -> None:
    def closing() -> Call:
        caller = box.telco.place_call(called=PROMPTED, calling=new_number())
        return caller.answered(SOON_S)

    closing().wait_to_hear(hz=OLD_HZ)
    wang = at_the_telephone(box)
    wang.wait_to_hear(hz=PROMPT_HZ["queue"])
    wang.dtmf(SPEAK)
    wang.wait_to_hear(hz=PROMPT_HZ["greeting"])
    wang.wait_to_hear_octets(QUIET, SOON_S, from_s=wang.heard_s)
    wang.wait_to_have_heard(wang.heard_s + 0.8, SOON_S)              # the tone after it
    wang.tone(SPOKEN_HZ, seconds=1.0)
    wang.wait_said()
    wang.dtmf("#")
    wang.wait_to_hear(hz=SPOKEN_HZ, within_s=SOON_S)
    wang.wait_to_hear(hz=PROMPT_HZ["menu"], within_s=SOON_S)
    closing().wait_to_hear(hz=OLD_HZ)             # not yet
    wang.dtmf("1")
    wang.wait_for("RELEASED", SOON_S)
    closing().wait_to_hear(hz=SPOKEN_HZ)
    place = box.config_path.parent / "prompts" / "en" / "closing.wav"
    heard = audio.read_sound(place)
    assert 0.8 < len(heard) / audio.RATE_HZ < 1.3 and audio.dtmf_keys(heard) == ""
