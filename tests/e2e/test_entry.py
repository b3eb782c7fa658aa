"""Entry rules on a whole box: a call that goes on outside, a supervisor who closes, a list that is edited."""

import copy
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.calls import branchline, contact_of, exchange_sequences, new_number, outcome
from tests.e2e.rig import CONFIG, PROMPT_DBM0, PROMPT_HZ, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

MAN = "13900000000"


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["centre"] |= {
        "calendars": [{"name": "office", "hours": {"mon-sun": "00:00-24:00"}}],
        "lists": [{"name": "unwanted", "file": "unwanted.csv"}],
        "entry": [
            {"name": "unwanted", "lists": "unwanted", "reject": 21},
            {"name": "night", "called": "5001", "calendar": "office",
             "forward": {"number": MAN, "unanswered": "main.yaml"}},
            {"name": "manager", "called": "5003", "forward": {"number": MAN, "deflect": False}}]}
    return {"config": config, "files": {"unwanted.csv": "number\n1700*\n"}}


def test_a_call_goes_on_to_somebody_outside_and_both_talk(box: Rig) -> None:
    number = new_number()
    caller = box.telco.place_call(called="5003", calling=number)
    man = box.telco.wait_for_call(called=MAN)
    assert man.calling == number
    man.alert()
    caller.wait_for("ALERTING")
    man.answer()
    caller.answered()
    exchange_sequences(caller, man, seed=70)
    man.hang_up()
    contact = contact_of(box, number)
    assert outcome(contact) == ("answered", "agent", 16)
    assert [segment.kind for segment in contact.segments] == ["forward", "talk"]


def test_a_supervisor_closes_and_who_reaches_nobody_at_night_hears_the_menu(box: Rig) -> None:
    assert "closed  closed by" in branchline(box, "calendar", "office", "--closed")
    try:
        number = new_number()
        caller = box.telco.place_call(called="5001", calling=number)
        man = box.telco.wait_for_call(within_s=15.0, called=MAN)     # the network would not do it itself
        man.hang_up(cause=17)
        caller.answered().wait_to_hear(hz=PROMPT_HZ["greeting"], level_dbm0=PROMPT_DBM0, tolerance_db=1.0)
        caller.hang_up()
        assert [segment.kind for segment in contact_of(box, number).segments][:2] == ["forward", "flow"]
    finally:
        assert "open    " in branchline(box, "calendar", "office", "--by-hours")
    opened = box.telco.place_call(called="5001", calling=new_number())
    opened.answered()


def test_a_list_that_is_edited_is_in_force_after_a_reload(box: Rig) -> None:
    caller = box.telco.place_call(called="5001", calling="13811112222")
    caller.answered().hang_up()
    (box.config_path.parent / "unwanted.csv").write_text("number,note\n138-1111-2222,hangs up at once\n")
    assert branchline(box, "reload", "--config", str(box.config_path)).splitlines() == [
        "changed: list unwanted"]
    refused = box.telco.place_call(called="5001", calling="13811112222")
    assert refused.wait_for("RELEASED").cause == 21
    (box.config_path.parent / "unwanted.csv").write_text("number\n13x\n")
    reload = subprocess.run([sys.executable, "-m", "appliance.launch", "reload", "--config",
                             str(box.config_path), "--run-dir", str(box.run_dir)],
                            capture_output=True, text=True, check=False)
    assert reload.returncode != 0 and "unwanted.csv:2: number: '13x'" in reload.stderr
