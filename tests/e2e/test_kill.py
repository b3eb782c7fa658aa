"""kill -9 of each daemon in turn while two callers talk to agents and are recorded, and its next life."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import ContactInfo, RecordingGap
from hil_tests.instruments import audio
from tests.e2e.calls import (
    Recorded,
    call_in,
    contact_of,
    outcome,
    recorded,
    ring,
    talk,
    wait_recording,
)
from tests.e2e.rig import Rig
from tests.e2e.spoken import SHORT_FLOW, Spoken, go_on, speak
from tests.e2e.survivors import revive
from tests.e2e.talk import SOON_S, wait_all_idle

NORMAL, TEMPORARY_FAILURE = 16, 41                # Q.850
SPAND_GAP_S = 1.5
LINE_BACK_S = 0.3                                 # after its matrix, the line itself
LOST_S = 1.0 + 0.3                                # by a power cut, and a busy machine
NO_HOLES: list[list[object]] = [[], []]           # in neither direction

pytestmark = pytest.mark.usefixtures("left_idle")


@pytest.fixture(scope="module")
def rig_options() -> Mapping[str, Any]:
    return {"flow": SHORT_FLOW}


def end_both(rig: Rig, talks: list[Spoken]) -> list[ContactInfo]:
    """The caller of the first hangs up, and the agent of the second. Their records."""
    talks[0].caller.hang_up()
    talks[1].agent.hang_up()
    for one in talks:
        assert [party.wait_for("RELEASED", SOON_S).cause for party in (one.caller, one.agent)] == [NORMAL] * 2
    return [contact_of(rig, one.caller.calling, within_s=SOON_S) for one in talks]


def check_record(contact: ContactInfo, ended_by: str) -> None:
    assert outcome(contact) == ("answered", ended_by, NORMAL)
    assert [segment.kind for segment in contact.segments] == ["flow", "queue", "ring", "talk"]
    times = [contact.began_at, *(segment.ended_at for segment in contact.segments)]
    assert times == sorted(times) and times[-1] == contact.ended_at
    assert (contact.queue, contact.digits, contact.segments[-1].agent) == ("sales", "1", contact.agent)


def check_recording(contact: ContactInfo, one: Recorded) -> None:
    talked = contact.segments[-1]
    assert one.info.duration_s == pytest.approx(talked.ended_at - talked.began_at, abs=0.3)


def check_all_well(rig: Rig) -> None:
    """Nothing is left of the calls, and the next one works."""
    wait_all_idle(rig)
    caller, agent = talk(rig)
    agent.hang_up()
    assert caller.wait_for("RELEASED", SOON_S).cause == NORMAL
    wait_all_idle(rig)


@pytest.mark.parametrize("victim", ["trunkd", "acdd", "recordd", "boxd", "webui", "bus"])
def test_no_octet_of_two_talks_is_lost_and_all_is_told_and_recorded(
        box: Rig, victim: str, tmp_path: Path) -> None:
    talks = [speak(box, seed) for seed in (1, 2)]
    box.kill(victim)
    go_on(*talks)
    revive(box, victim)
    go_on(*talks)
    assert [one.holes() for one in talks] == [NO_HOLES, NO_HOLES]
    contacts = end_both(box, talks)
    check_all_well(box)
    for one, contact, ended_by in zip(talks, contacts, ("caller", "agent"), strict=True):
        check_record(contact, ended_by)
        file = recorded(box, contact, tmp_path)
        assert file.info.gap_s == 0.0
        assert one.holes_recorded(file) == NO_HOLES
        check_recording(contact, file)


def test_talks_go_on_when_everything_died_at_once_and_is_started_again(box: Rig, tmp_path: Path) -> None:
    talks = [speak(box, seed) for seed in (5, 6)]
    box.kill_everything()
    box.start_everything()
    go_on(*talks)
    assert [[len(side) for side in one.holes()] for one in talks] == [[1, 1], [1, 1]]
    contacts = end_both(box, talks)
    check_all_well(box)
    for one, contact, ended_by in zip(talks, contacts, ("caller", "agent"), strict=True):
        check_record(contact, ended_by)
        file = recorded(box, contact, tmp_path)
        check_recording(contact, file)
        assert [len(side) for side in one.holes_recorded(file)] == [1, 1]


def test_after_a_power_cut_all_is_cleared_told_and_kept_up_to_the_last_second(
        box: Rig, tmp_path: Path) -> None:
    spoken = speak(box, 7)
    wait_recording(box, spoken.caller.calling)
    go_on(spoken, seconds=1.0)
    ringing = ring(box)
    waiting = call_in(box)
    box.kill_everything(power_cut=True)
    box.start_everything()
    for party in (spoken.caller, spoken.agent, *ringing, waiting):
        assert party.wait_for("RELEASED", SOON_S).cause == TEMPORARY_FAILURE
    contacts = [contact_of(box, caller.calling, within_s=SOON_S)
                for caller in (spoken.caller, ringing.caller, waiting)]
    assert [outcome(contact) for contact in contacts] == [
        ("answered", "line", TEMPORARY_FAILURE), *[("failed", "line", TEMPORARY_FAILURE)] * 2]
    file = recorded(box, contacts[0], tmp_path)
    assert spoken.holes_recorded(file) == NO_HOLES
    assert spoken.cut_s(file) < LOST_S
    check_all_well(box)


def test_spands_death_is_a_short_hole_that_the_recording_tells_of(box: Rig, tmp_path: Path) -> None:
    talks = [speak(box, seed) for seed in (3, 4)]
    mark = box.bus.mark()
    for _ in range(2):
        box.kill("spand")
        revive(box, "spand")
        go_on(*talks)
    heard = [[hole.lasted_s for hole in side] for one in talks for side in one.holes()]
    assert [len(side) for side in heard] == [2] * 4                  # one for each life that ended
    gaps_s = [max(side[life] for side in heard) for life in range(2)]
    print(f"spand was away for {gaps_s[0]:.2f} s and {gaps_s[1]:.2f} s")
    assert min(gaps_s) < SPAND_GAP_S              # one may come when the machine does other things as well
    contacts = end_both(box, talks)
    check_all_well(box)
    told = box.bus.said(RecordingGap, mark)
    for one, contact, ended_by in zip(talks, contacts, ("caller", "agent"), strict=True):
        check_record(contact, ended_by)
        file = recorded(box, contact, tmp_path)
        check_recording(contact, file)
        gaps = [gap.missing_s for gap in told if gap.recording == file.info.recording]
        # what is told was reckoned when spand was asked to go on, a tick or two before it did
        assert -0.005 < file.info.gap_s - sum(gaps) < 0.05
        for side, channel in zip(one.holes_recorded(file), (file.left, file.right), strict=True):
            for hole, gap_s in zip(side, gaps, strict=True):         # before and after it all is right
                assert gap_s - 0.03 <= hole.lasted_s <= gap_s + LINE_BACK_S
                assert hole.missing_s == pytest.approx(hole.lasted_s, abs=0.1)       # so the file keeps time
                assert set(hole.of(channel).tolist()) == {audio.IDLE}
