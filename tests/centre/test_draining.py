"""acdd drains: what it would begin itself waits, what goes on is served to its end."""

import pytest

from appliance.bus.messages import DrainCentre, PlaceCall, SetNotReady, SetReady
from appliance.config.emergency import Emergency
from appliance.errors import StateError
from tests.centre.callbacks.home import book, branch, only
from tests.centre.office import AGENTS, Office, setup

EMERGENCY = Emergency({"telco": frozenset({"110"})}, {"pbx": {"110": "telco"}})


def drain(office: Office, for_s: float = 20.0) -> None:
    office.command(DrainCentre(for_s=for_s))


@pytest.mark.need(19)
def test_who_waits_is_still_served() -> None:
    office = Office(setup())
    for name in AGENTS:
        office.command(SetNotReady(agent=name))
    office.call("c1", "5001")
    drain(office)
    office.command(SetReady(agent="ann"))
    assert list(office.ringing()) == ["8001"]


@pytest.mark.need(19)
def test_no_call_is_placed_but_to_emergency_numbers() -> None:
    office = Office(setup(emergency=EMERGENCY))
    drain(office)
    with pytest.raises(StateError, match="about to be updated"):
        office.command(PlaceCall(agent="ann", to="0123"))
    office.command(PlaceCall(agent="ann", to="110"))
    drain(office, 0.0)
    office.command(PlaceCall(agent="bo", to="0123"))


@pytest.mark.need(19)
def test_an_extension_that_dials_digit_by_digit_gets_the_cause_of_the_network() -> None:
    """Its call came in before: trunkd lets it through."""
    office = Office(setup(emergency=EMERGENCY))
    office.call("e1", "0", trunk="pbx", calling="8001", complete=False)
    office.call("e2", "1", trunk="pbx", calling="8002", complete=False)
    drain(office)
    office.digits("e1", "01390000", complete=True)
    office.digits("e2", "110", complete=True)
    assert office.calls["e1"].cause == 42
    assert [call.called for call in office.calls.values() if call.trunk == "telco"] == ["110"]


@pytest.mark.need(19)
@pytest.mark.parametrize("in_line", [False, True])
def test_promised_calls_wait_until_nobody_drains_any_more(in_line: bool) -> None:
    office = Office(branch(mode="agent-first"))
    only(office, "ann")
    office.command(SetNotReady(agent="ann"))
    if in_line:
        name = book(office)
        assert office.contact(name).record.state == "queue"
    drain(office)
    if not in_line:
        name = book(office)
    office.command(SetReady(agent="ann"))
    assert office.contact(name).record.state == "callback" and not office.ringing()
    drain(office)
    office.pass_time(19.0)
    assert not office.ringing()
    office.pass_time(2.0)
    assert list(office.ringing()) == ["8001"] and office.contact(name).record.state == "ringing"
