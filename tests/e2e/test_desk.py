"""What agents and a supervisor do with a call on a whole box, heard at every telephone.

Each party says a tone of its own, so that a set of tones tells whom somebody hears.
"""

import time

import pytest

from hil_tests.instruments import audio
from hil_tests.instruments.call import Call
from tests.e2e.calls import (
    branchline,
    contact_of,
    name_of,
    outcome,
    ring,
    talk,
    wait_agent,
)
from tests.e2e.rig import MUSIC_HZ, Rig
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S

pytestmark = pytest.mark.usefixtures("left_idle")

CUSTOMER, AGENT, THIRD = 430, 570, 710            # Hz
TONES = (CUSTOMER, AGENT, THIRD, MUSIC_HZ)
WINDOW_S = 0.2
AUDIBLE_DBM0, AWAY_DBM0 = -25.0, -45.0            # every tone is said with -10, music is as loud or so


def wait_to_hear_just(listener: Call, *wanted_hz: int) -> None:
    """Until this party hears these tones, each as loud as it is said, and none of the others."""
    deadline = time.monotonic() + SOON_S
    levels: dict[int, float] = {}
    while time.monotonic() < deadline:
        from_s = listener.heard_s
        listener.wait_to_have_heard(from_s + WINDOW_S, SOON_S)
        heard = listener.heard(from_s)
        levels = {hz: audio.level_dbm0(heard, hz) for hz in TONES}
        if all(level > AUDIBLE_DBM0 if hz in wanted_hz else level < AWAY_DBM0
               for hz, level in levels.items()):
            return
    raise AssertionError(f"{listener} should hear {wanted_hz} Hz, and hears {levels}")


def talking(box: Rig) -> tuple[Call, Call, str]:
    """A customer and an agent, each saying the own tone; the agent's name."""
    caller, agent = talk(box)
    caller.tone(CUSTOMER)
    agent.tone(AGENT)
    return caller, agent, name_of(box, agent.called)


def answer(box: Rig, extension: str) -> Call:
    """The telephone that rings, from now on with the third tone."""
    third = box.pbx.wait_for_call(called=extension)
    third.alert()
    third.answer()
    third.tone(THIRD)
    return third


def test_a_supervisor_listens_whispers_is_heard_and_takes_over(box: Rig) -> None:
    caller, agent, name = talking(box)
    branchline(box, "control", "listen", name, "wang")
    boss = answer(box, "803")
    wait_to_hear_just(boss, CUSTOMER, AGENT)
    wait_to_hear_just(agent, CUSTOMER)
    wait_to_hear_just(caller, AGENT)

    branchline(box, "control", "whisper", name, "wang")
    wait_to_hear_just(agent, CUSTOMER, THIRD)
    wait_to_hear_just(caller, AGENT)

    branchline(box, "control", "barge", name, "wang")
    wait_to_hear_just(caller, AGENT, THIRD)
    wait_to_hear_just(boss, CUSTOMER, AGENT)

    box.kill("acdd")
    wait_to_hear_just(caller, AGENT, THIRD)
    revive(box, "acdd")
    wait_to_hear_just(caller, AGENT, THIRD)
    branchline(box, "control", "take-over", name, "wang")
    agent.wait_for("RELEASED")
    wait_to_hear_just(caller, THIRD)
    wait_to_hear_just(boss, CUSTOMER)
    caller.hang_up()
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), contact.agent) == ("answered", "caller", 16, "wang")
    assert [one.agent for one in contact.segments if one.kind == "talk"] == [name, "wang"]


def test_a_customer_is_parked_fetched_asked_about_and_all_confer(box: Rig) -> None:
    caller, agent, name = talking(box)
    slot = branchline(box, "control", "park", name).split()[-1]
    agent.wait_for("RELEASED")
    wait_to_hear_just(caller, MUSIC_HZ)
    wait_agent(box, name, "ready")
    branchline(box, "control", "fetch", "wang", slot)
    wang = box.pbx.wait_for_call(called="803")
    wang.answer()
    wang.tone(AGENT)
    wait_to_hear_just(caller, AGENT)
    wait_to_hear_just(wang, CUSTOMER)

    branchline(box, "control", "consult", "wang", name)
    asked = answer(box, agent.called)
    wait_to_hear_just(asked, AGENT)
    wait_to_hear_just(wang, THIRD)
    wait_to_hear_just(caller, MUSIC_HZ)
    branchline(box, "control", "retrieve", "wang")
    wait_to_hear_just(caller, AGENT)
    wait_to_hear_just(asked, MUSIC_HZ)

    branchline(box, "control", "confer", "wang")
    wait_to_hear_just(caller, AGENT, THIRD)
    wait_to_hear_just(wang, CUSTOMER, THIRD)
    wait_to_hear_just(asked, CUSTOMER, AGENT)
    box.kill("acdd")
    revive(box, "acdd")
    wang.hang_up()                                # the others go on
    wait_to_hear_just(caller, THIRD)
    wait_to_hear_just(asked, CUSTOMER)
    caller.hang_up()
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), contact.agent) == ("answered", "caller", 16, name)
    kinds = [segment.kind for segment in contact.segments]
    assert kinds[kinds.index("talk"):] == [
        "talk", "park", "transfer", "talk", "consult", "talk", "conference", "talk"]


def test_a_colleague_picks_up_what_rings_elsewhere(box: Rig) -> None:
    caller, rung = ring(box)
    branchline(box, "control", "pick-up", "wang", name_of(box, rung.called))
    wang = answer(box, "803")
    rung.wait_for("RELEASED")
    caller.tone(CUSTOMER)
    wait_to_hear_just(caller, THIRD)
    wait_to_hear_just(wang, CUSTOMER)
    caller.hang_up()
    assert contact_of(box, caller.calling).agent == "wang"
