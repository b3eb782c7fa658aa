"""Calls that go on outside and give their channels back: libpri as the network, asked by a whole box."""

import copy
from typing import Any

import pytest

from appliance.bus.messages import ContactInfo
from hil_tests.instruments.call import Call
from hil_tests.instruments.libpri_services import Told
from tests.e2e.calls import contact_of, exchange_sequences, new_number, outcome, pick_up
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import wait_all_idle

MAN = "13900000000"
DEFLECTED, JOINED = "5003", "5004"                # numbers that go to him
REDIRECTED = 31                                   # Q.850: normal, unspecified


def config(profile: str) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    for span in config["spans"]:
        span["profile"] = profile
    config["centre"]["entry"] = [
        {"name": "deflected", "called": DEFLECTED, "forward": {"number": MAN, "join": False}},
        {"name": "joined", "called": JOINED, "forward": {"number": MAN, "deflect": False}}]
    return config


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": config("etsi"), "exchange": {"services": True}}


def kinds(contact: ContactInfo) -> list[str]:
    return [segment.kind for segment in contact.segments]


def forwarded(box: Rig) -> tuple[Call, Call]:
    """Somebody who called, and the man whom the box has dialled for him; they hear each other."""
    caller = box.telco.place_call(called=JOINED, calling=new_number())
    man = box.telco.wait_for_call(called=MAN)
    man.alert()
    caller.wait_for("ALERTING")
    pick_up(caller, man)
    return caller, man


def asks_to_join(caller: Call, man: Call) -> tuple[Call, Told]:
    """The call in which the network was asked, and what."""
    told = caller.wait_told("transfer")
    assert set(told.values["calls"]) == {caller.handle, man.handle}
    return caller, told


@pytest.mark.usefixtures("left_idle")
def test_the_network_takes_a_call_that_was_not_answered(box: Rig) -> None:
    caller = box.telco.place_call(called=DEFLECTED, calling=new_number())
    asked = caller.wait_told("rerouting")
    assert (asked.values["from"], asked.values["to"]) == (DEFLECTED, MAN)
    caller.answer_deflection(asked, granted=True)
    caller.hang_up(REDIRECTED)                    # it offers the call to him, and frees the channel
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), kinds(contact)) == ("forwarded", "line", REDIRECTED, ["forward"])
    wait_all_idle(box)


@pytest.mark.usefixtures("left_idle")
def test_a_network_that_does_not_want_it_is_dialled_through(box: Rig) -> None:
    caller = box.telco.place_call(called=DEFLECTED, calling=new_number())
    caller.answer_deflection(caller.wait_told("rerouting"), granted=False)
    man = box.telco.wait_for_call(called=MAN)
    assert man.calling == caller.calling
    pick_up(caller, man)
    exchange_sequences(caller, man, seed=90)
    man.hang_up()
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), kinds(contact)) == ("answered", "agent", 16, ["forward", "talk"])


@pytest.mark.usefixtures("left_idle")
def test_the_network_joins_two_calls_and_both_channels_are_free(box: Rig) -> None:
    caller, man = forwarded(box)
    exchange_sequences(caller, man, seed=92)      # the box is in between until the network says so
    asked_in, told = asks_to_join(caller, man)
    asked_in.answer_transfer(told, granted=True)
    for call in (caller, man):
        call.hang_up()
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), kinds(contact)) == (
        "answered", "line", 16, ["forward", "talk", "outside"])
    wait_all_idle(box)


@pytest.mark.usefixtures("left_idle")
def test_a_network_that_joins_nobody_leaves_them_talking_through_the_box(box: Rig) -> None:
    caller, man = forwarded(box)
    asked_in, told = asks_to_join(caller, man)
    asked_in.answer_transfer(told, granted=False)
    exchange_sequences(caller, man, seed=94)
    caller.hang_up()
    contact = contact_of(box, caller.calling)
    assert (*outcome(contact), kinds(contact)) == ("answered", "caller", 16, ["forward", "talk"])


def test_in_a_private_network_each_is_told_of_the_other_and_both_go_on() -> None:
    with Rig(config("qsig"), exchange={"switch": "qsig", "services": True}) as box:
        offered = box.telco.place_call(called=DEFLECTED, calling=new_number())
        asked = offered.wait_told("rerouting")
        assert asked.values["to"] == MAN
        offered.answer_deflection(asked, granted=True)
        offered.hang_up(REDIRECTED)
        assert contact_of(box, offered.calling).outcome == "forwarded"
        caller, man = forwarded(box)
        assert caller.wait_told("connected line").values["number"] == MAN
        assert man.wait_told("connected line").values["number"] == caller.calling
        exchange_sequences(caller, man, seed=96)  # libpri knows no path replacement: through the box
        man.hang_up()
        contact = contact_of(box, caller.calling)
        assert (*outcome(contact), kinds(contact)) == ("answered", "agent", 16, ["forward", "talk"])
        wait_all_idle(box)
        assert box.complaints() == []
