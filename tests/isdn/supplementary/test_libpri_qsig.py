"""The services of private networks with libpri as the other exchange."""
import time

import pytest

from appliance.isdn.elements import RedirectingNumber
from appliance.isdn.lapd import Side
from appliance.isdn.supplementary.events import (
    DeflectionDone,
    DeflectionRefused,
    Diverted,
    Named,
    Reason,
    Role,
    Transferred,
)
from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import RESTRICTED
from tests.isdn.supplementary.far_end import Joined

SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: f"we are the {side.value}")


@SIDES
def test_names_of_caller_and_called(side: Side) -> None:
    line = Joined(side, "qsig")
    line.call_in()
    assert line.incoming.name == "Wang"
    line.call_out("out", answered=False, name="Jörg")
    assert line.far_event("SETUP").calling_name == "Jörg"


def test_the_connected_name_and_number() -> None:
    line = Joined(Side.USER, "qsig")
    handle = line.call_out("out", answered=False)
    line.far.services.connected_line(handle, "6009", "Li")
    line.far.connect(handle, 2)
    assert line.event(Named) == Named("out", Role.CONNECTED, "Li")
    key, _ = line.call_in(answered=False)
    line.ours.answer(key, time.monotonic(), elements=line.ours.services.naming(Role.CONNECTED, "Zhang"))
    assert line.told("connected line")[1].values["name"] == "Zhang"


@SIDES
def test_our_transfer_tells_each_end_of_the_other(side: Side) -> None:
    line = Joined(side, "qsig")
    key, first = line.call_in(timeslot=1)
    second = line.call_out("out", timeslot=2)
    line.heard.clear()
    line.ours.transfer(key, "out", time.monotonic())
    line.turn()
    told = {event.handle: one.values["number"] for event in line.heard for one in event.services}
    assert told == {first: "6001", second: "13800138000"}


@SIDES
def test_libpris_transfer_tells_us(side: Side) -> None:
    line = Joined(side, "qsig")
    key, first = line.call_in(timeslot=1)
    second = line.call_out("out", timeslot=2)
    line.far.services.transfer(first, second)
    told = line.events(Transferred)               # libpri says "alerting" and "restricted" of every transfer
    assert [(event.key, event.answered, event.party) for event in told] == [
        (key, False, Party("", presentation=RESTRICTED)), ("out", False, Party("", presentation=RESTRICTED))]


@pytest.mark.parametrize("granted", [True, False])
def test_the_other_exchange_takes_a_call_back(granted: bool) -> None:
    line = Joined(Side.USER, "qsig")
    key, handle = line.call_in(answered=False)
    line.ours.deflect(key, "6005", time.monotonic())
    event, rerouting = line.told("rerouting")
    assert (rerouting.values["to"], rerouting.values["from"]) == ("6005", "5001")
    line.far.services.answer_deflection(event.handle, rerouting.values["invoke"], granted)
    if granted:
        line.clear(handle, 31)
        assert line.event(DeflectionDone).key == key
    else:
        assert line.event(DeflectionRefused).key == key


@pytest.mark.parametrize("profile", ["etsi", "qsig"])
def test_a_call_that_was_for_somebody_else(profile: str) -> None:
    line = Joined(Side.USER, profile)
    key, _ = line.call_in(diverted_by="6003")
    assert RedirectingNumber("6003", 0, 0, reason=2) in line.incoming.elements
    assert line.event(Diverted) == Diverted(key, Reason.NO_REPLY, 1, Party("6003", 0, 0))
