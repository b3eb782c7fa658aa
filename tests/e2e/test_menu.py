"""The menu: a key pressed in the speech channel decides; nobody is lost who presses none or a wrong one."""

from typing import Any

import pytest

from hil_tests.instruments.call import Call
from tests.e2e.calls import call_in, contact_of, new_number, outcome
from tests.e2e.rig import FLOW, MUSIC_HZ, PROMPT_HZ, PROMPT_S, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

TIMEOUT_S = 0.6
NORMAL = 16                                       # Q.850
DELAYS_S = 0.5                                    # tone detection, both lines, and a busy machine


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    menu = {**FLOW["nodes"]["menu"], "timeout_s": TIMEOUT_S}
    return {"flow": {**FLOW, "nodes": {**FLOW["nodes"], "menu": menu}}}


def at_the_menu(box: Rig) -> Call:
    caller = box.telco.place_call(called="5001", calling=new_number()).answered()
    caller.wait_to_hear(hz=PROMPT_HZ["menu"])
    return caller


@pytest.mark.parametrize(("digit", "queue", "extensions"), [
    ("1", "sales", ["801", "802"]), ("2", "service", ["803"])])
def test_each_key_leads_to_its_queue(box: Rig, digit: str, queue: str, extensions: list[str]) -> None:
    caller = at_the_menu(box)
    caller.dtmf(digit)
    assert box.pbx.wait_for_call().called in extensions
    contact = contact_of(box, caller.calling, "ringing")
    assert (contact.queue, contact.digits) == (queue, digit)


def test_a_key_interrupts_the_prompt(box: Rig) -> None:
    caller = at_the_menu(box)
    caller.dtmf("1")
    next_s = caller.wait_to_hear(hz=PROMPT_HZ["queue"])
    menu_s = caller.wait_to_hear(hz=PROMPT_HZ["menu"], from_s=0.0)
    assert next_s - menu_s < PROMPT_S
    assert caller.wait_to_hear(hz=MUSIC_HZ) > next_s


def test_a_key_pressed_during_the_greeting_is_the_menus(box: Rig) -> None:
    caller = call_in(box, digit="2")
    assert box.pbx.wait_for_call().called == "803"
    assert contact_of(box, caller.calling, "ringing").digits == "2"


def test_a_wrong_key_is_said_and_asked_again(box: Rig) -> None:
    caller = at_the_menu(box)
    caller.dtmf("9")
    wrong_s = caller.wait_to_hear(hz=PROMPT_HZ["invalid"])
    caller.wait_to_hear(hz=PROMPT_HZ["menu"], from_s=wrong_s)
    caller.dtmf("2")
    assert box.pbx.wait_for_call().called == "803"
    assert contact_of(box, caller.calling, "ringing").digits == "92"


def test_the_last_wrong_key_leads_to_the_default(box: Rig) -> None:
    caller = at_the_menu(box)
    caller.dtmf("9")
    caller.wait_to_hear(hz=PROMPT_HZ["invalid"])
    caller.dtmf("8")
    assert box.pbx.wait_for_call().called in ("801", "802")
    contact = contact_of(box, caller.calling, "ringing")
    assert (contact.queue, contact.digits) == ("sales", "98")


def test_no_key_is_asked_for_once_more_then_the_default(box: Rig) -> None:
    caller = at_the_menu(box)
    first_s = caller.wait_to_hear(hz=PROMPT_HZ["menu"], from_s=0.0)
    again_s = caller.wait_to_hear(hz=PROMPT_HZ["menu"], from_s=first_s + PROMPT_S)
    assert again_s - first_s == pytest.approx(PROMPT_S + TIMEOUT_S, abs=DELAYS_S)
    queue_s = caller.wait_to_hear(hz=PROMPT_HZ["queue"])
    assert queue_s - again_s == pytest.approx(PROMPT_S + TIMEOUT_S, abs=DELAYS_S)
    assert box.pbx.wait_for_call().called in ("801", "802")
    assert contact_of(box, caller.calling, "ringing").digits == ""


def test_a_caller_who_hangs_up_in_the_menu_has_abandoned(box: Rig) -> None:
    caller = at_the_menu(box)
    caller.hang_up()
    assert caller.wait_for("RELEASED").cause == NORMAL
    contact = contact_of(box, caller.calling)
    assert outcome(contact) == ("abandoned", "caller", NORMAL)
    assert [(segment.kind, segment.detail, segment.recording) for segment in contact.segments] == [
        ("flow", "greeting", ""), ("flow", "menu", "")]
