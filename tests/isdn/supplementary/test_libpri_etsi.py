"""The European services with libpri at the other end: a stack that we did not write makes and reads them."""
import time

import pytest

from appliance.isdn.events import Released
from appliance.isdn.lapd import Side
from appliance.isdn.supplementary.events import (
    Advice,
    Charged,
    DeflectionAsked,
    DeflectionDone,
    DeflectionRefused,
    MaliciousCallNoted,
    MaliciousCallRefused,
    MaliciousCallReported,
    Rate,
    RatesTold,
    TransferAsked,
    TransferDone,
    TransferRefused,
)
from appliance.isdn.supplementary.rose import Error, Result
from tests.isdn.supplementary.far_end import Joined

EXTERNALLY_FORWARDED = 10                         # PRI_REDIR_FORWARDED_BY_DTE


@pytest.mark.parametrize("when", list(Advice))
def test_charges_in_units_and_currency(when: Advice) -> None:
    line = Joined(Side.USER)
    handle = line.call_out("out")
    line.far.services.charge_units(handle, 7, end=when is Advice.END)
    if when is Advice.END:                        # libpri keeps it for the message that clears
        line.far.hang_up(handle, 16)
    assert line.event(Charged) == Charged("out", when, units=7, total=when is Advice.END)


def test_a_charge_in_currency() -> None:
    line = Joined(Side.USER)
    handle = line.call_out("out")
    line.far.services.charge_currency(handle, 1234, 1, "EUR", end=False)
    assert line.event(Charged) == Charged("out", Advice.DURING, amount_thousandths=12_340, currency="EUR",
                                          total=False)


@pytest.mark.parametrize("free", [True, False])
def test_free_of_charge_is_not_no_charge_known(free: bool) -> None:
    line = Joined(Side.USER)
    handle = line.call_out("out")
    line.far.services.charge_nothing(handle, free=free, end=False)
    assert line.event(Charged) == Charged("out", Advice.DURING, free=free)


def test_the_rate_at_the_start() -> None:
    line = Joined(Side.USER)
    handle = line.call_out("out", answered=False)
    line.far.services.tell_rate(handle, 5, 1, "EUR", 60)
    assert line.event(RatesTold) == RatesTold(
        "out", (Rate("basicCommunication", "duration", 50, "EUR", per_s=60.0),))


@pytest.mark.parametrize("subscribed", [True, False])
def test_the_network_notes_a_malicious_call(subscribed: bool) -> None:
    line = Joined(Side.USER, services=subscribed)
    key, _ = line.call_in()
    line.ours.trace_malicious(key, time.monotonic())
    line.turn()
    if subscribed:
        line.told("malicious call")
        assert line.event(MaliciousCallNoted).key == key
    else:
        assert line.event(MaliciousCallRefused).key == key


def test_a_pbx_reports_a_malicious_call() -> None:
    line = Joined(Side.NETWORK)
    handle = line.call_out("to pbx")
    line.far.services.trace_malicious(handle)
    assert line.event(MaliciousCallReported).key == "to pbx"
    assert line.told("malicious call answered")[1].values == {"status": 0}


@pytest.mark.parametrize("granted", [True, False])
def test_the_network_takes_a_call_back(granted: bool) -> None:
    line = Joined(Side.USER)
    key, handle = line.call_in(answered=False)
    line.ours.deflect(key, "057188880000", time.monotonic())
    event, rerouting = line.told("rerouting")
    assert (rerouting.values["to"], rerouting.values["from"]) == ("057188880000", "5001")
    line.far.services.answer_deflection(event.handle, rerouting.values["invoke"], granted)
    if granted:
        line.clear(handle, 31)                    # carries the result
        assert line.event(DeflectionDone).key == key
        assert line.event(Released).key == key
    else:
        assert line.event(DeflectionRefused).key == key
        assert line.ours.snapshot(key) is not None


@pytest.mark.parametrize("granted", [True, False])
def test_a_pbx_sends_a_call_elsewhere(granted: bool) -> None:
    line = Joined(Side.NETWORK)
    handle = line.call_out("to pbx", answered=False)
    line.far.services.deflect(handle, "6002", "6001", EXTERNALLY_FORWARDED)
    asked = line.event(DeflectionAsked)
    assert (asked.key, asked.to.digits) == ("to pbx", "6002")
    line.ours.answer_deflection("to pbx", granted, time.monotonic())
    line.turn()
    [answer] = line.sent_components()
    assert isinstance(answer, Result if granted else Error)


@pytest.mark.parametrize("granted", [True, False])
def test_a_pbx_transfers_two_calls(granted: bool) -> None:
    line = Joined(Side.NETWORK)
    key, first = line.call_in(timeslot=1)
    second = line.call_out("to pbx", timeslot=2)
    line.far.services.transfer(first, second)
    asked = line.event(TransferAsked)
    assert {asked.key, asked.other} == {key, "to pbx"}
    line.sent_components()
    line.ours.answer_transfer(asked.key, granted, time.monotonic())
    line.turn()
    [answer] = line.sent_components()
    assert isinstance(answer, Result if granted else Error)
    assert line.far.alive(first) and line.far.alive(second)


@pytest.mark.parametrize("granted", [True, False])
def test_the_network_joins_two_calls(granted: bool) -> None:
    line = Joined(Side.USER)
    key, first = line.call_in(timeslot=1)
    second = line.call_out("out", timeslot=2)
    line.ours.transfer(key, "out", time.monotonic())
    event, transfer = line.told("transfer")
    assert set(transfer.values["calls"]) == {first, second}
    line.far.services.answer_transfer(event.handle, transfer.values["invoke"], granted)
    if granted:
        line.clear(first)                         # one of these messages carries the result
        line.clear(second)
        assert line.event(TransferDone) == TransferDone(key, "out")
        assert {line.ours.snapshot(key), line.ours.snapshot("out")} == {None}
        assert line.ours.channels.idle() == 30
    else:
        refused = line.event(TransferRefused)
        assert (refused.key, refused.other) == (key, "out")
        assert line.ours.snapshot(key) is not None and line.ours.snapshot("out") is not None


def test_a_call_that_was_answered_just_now_is_joined() -> None:
    line = Joined(Side.USER)
    second = line.call_out("out", timeslot=2)
    key, first = line.call_in(timeslot=1, answered=False)
    line.ours.answer(key, time.monotonic())
    line.ours.transfer(key, "out", time.monotonic())             # its CONNECT ACKNOWLEDGE is still to come
    event, transfer = line.told("transfer")
    line.far.services.answer_transfer(event.handle, transfer.values["invoke"], True)
    line.clear(first)
    line.clear(second)
    assert line.event(TransferDone) == TransferDone(key, "out")
