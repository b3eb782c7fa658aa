"""What updates ask of a box that works, on real daemons and lines: calls are drained, a test call is made."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import DrainCentre, DrainTrunks, GetCalls, GetContacts, GetUpdate, InstallUpdate
from hil_tests.instruments.call import Call
from tests.e2e.calls import talk
from tests.e2e.observer import Observer
from tests.e2e.rig import Rig

pytestmark = pytest.mark.usefixtures("left_idle")

CLOCK = "12117"                                   # the speaking clock
CONGESTION = 42


@pytest.fixture
def boxd(box: Rig) -> Iterator[Observer]:
    """Asks as boxd and its commands do."""
    with Observer(box.run_dir, "boxd") as boxd:
        yield boxd


def calls(box: Rig, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "appliance.launch", "test-call", "--trunk", "telco", "--number", CLOCK,
         "--config", box.config_path, "--run-dir", box.run_dir, *options], stdout=subprocess.PIPE, text=True)


def said(command: "subprocess.Popen[str]") -> tuple[int, str]:
    words, _ = command.communicate()
    return command.returncode, words.strip()


def answered(box: Rig) -> Call:
    call = box.telco.wait_for_call()
    assert call.called == CLOCK
    call.answer()
    return call


@pytest.mark.need(19)
def test_a_test_call_is_answered_heard_and_in_no_record(box: Rig) -> None:
    contacts = box.bus.ask(GetContacts()).total
    command = calls(box)
    clock = answered(box)
    clock.tone(1000, -20.0)
    code, words = said(command)
    assert code == 0 and words.startswith(f"{CLOCK} on trunk telco: answered after ")
    assert -23 <= float(words.split()[-2]) <= -19, words
    assert clock.wait_for("RELEASED")
    assert box.bus.ask_until(GetCalls(), lambda table: not table.calls)
    assert box.bus.ask(GetContacts()).total == contacts


@pytest.mark.need(19)
def test_a_test_call_that_nobody_takes_says_why(box: Rig) -> None:
    command = calls(box)
    box.telco.wait_for_call().reject(17)
    assert said(command) == (1, f"{CLOCK} on trunk telco: ended with cause 17 before it was answered")


@pytest.mark.need(19)
def test_a_line_that_is_silent_is_no_line(box: Rig) -> None:
    config = box.config_path.read_text()
    ours = "update: {test_call: {trunk: telco, number: '5', hear_within_s: 1}}\n"
    box.config_path.write_text(config + ours)
    try:
        command = calls(box)
        answered(box).silence()
        code, words = said(command)
        assert code == 1 and "was answered, but nothing louder than" in words
    finally:
        box.config_path.write_text(config)


@pytest.mark.need(19)
def test_new_calls_go_another_way_while_a_talk_goes_on(box: Rig, boxd: Observer) -> None:
    talks = talk(box)
    try:
        assert boxd.ask(DrainTrunks(for_s=20.0)).calls == 2
        boxd.ask(DrainCentre(for_s=20.0))
        refused = box.telco.place_call(called="5001", calling="13900000000")
        refused.wait_for("RELEASED")
        assert refused.released == CONGESTION
        assert talks.caller.released is None
        help_ = box.pbx.place_call(called="110", calling="801")
        police = box.telco.wait_for_call()
        assert police.called == "110"
        police.answer()
        help_.answered()
        left = boxd.ask(DrainTrunks(for_s=20.0, end=True))
        assert (left.calls, left.emergency) == (4, 2)
        talks.caller.wait_for("RELEASED")
        assert help_.released is None and police.released is None
        police.hang_up()
        help_.wait_for("RELEASED")
        assert boxd.ask_until(DrainTrunks(for_s=20.0), lambda left: left.calls == 0)
    finally:
        boxd.ask(DrainTrunks(for_s=0.0))
        boxd.ask(DrainCentre(for_s=0.0))


@pytest.mark.need(19)
def test_a_machine_without_slots_says_so(box: Rig, boxd: Observer) -> None:
    state = box.bus.ask(GetUpdate()).state
    assert (state.phase, state.slot) == ("idle", "") and "apt" in state.saying
    with pytest.raises(Refused, match="apt"):
        boxd.ask(InstallUpdate(source="v2.raucb"))
