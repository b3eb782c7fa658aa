"""B-channels: one that is taken is refused, one that the exchange restarts is free and works again."""

from collections.abc import Callable

import pytest

from appliance.bus.messages import Board
from hil_tests.instruments.exchange import SoftwareExchange
from tests.e2e.calls import contact_of, exchange_sequences, new_number, outcome, talk
from tests.e2e.rig import PROMPT_HZ, Rig

pytestmark = pytest.mark.usefixtures("left_idle")

NORMAL, TEMPORARY_FAILURE, CHANNEL_NOT_AVAILABLE = 16, 41, 44        # Q.850
CAUSES = {"telco": TEMPORARY_FAILURE, "pbx": NORMAL}     # of the caller's leg


def test_a_second_call_on_a_taken_channel_is_refused_and_the_first_goes_on(box: Rig) -> None:
    caller, agent = talk(box)
    second = box.telco.place_call(called="5001", calling=new_number(), timeslot=caller.timeslot)
    assert second.wait_for("RELEASED").cause == CHANNEL_NOT_AVAILABLE
    exchange_sequences(caller, agent, seed=40, seconds=0.5)
    assert (caller.state, agent.state) == ("connected", "connected")
    board = box.bus.latest(Board)
    assert board is not None and [contact.calling for contact in board.contacts] == [caller.calling]


def test_a_second_call_that_only_prefers_a_taken_channel_gets_another(box: Rig) -> None:
    caller, agent = talk(box)
    second = box.telco.place_call(
        called="5001", calling=new_number(), timeslot=caller.timeslot, exclusive=False)
    assert second.wait_for("PROCEEDING").timeslot not in (0, caller.timeslot)
    second.answered()
    exchange_sequences(caller, agent, seed=42, seconds=0.5)


@pytest.mark.parametrize("span", ["telco", "pbx"])
def test_a_restarted_channel_is_cleared_and_works_again(box: Rig, span: str) -> None:
    cut, staying = talk(box), talk(box)
    exchange, call, other = (
        (box.telco, cut.caller, cut.agent) if span == "telco" else (box.pbx, cut.agent, cut.caller))
    exchange.restart(call.timeslot)
    assert other.wait_for("DISCONNECT").cause == NORMAL
    assert outcome(contact_of(box, cut.caller.calling)) == ("answered", "line", CAUSES[span])
    exchange_sequences(*staying, seed=44, seconds=0.5)
    if span == "telco":
        again = box.telco.place_call(called="5001", calling=new_number(), timeslot=call.timeslot)
        again.answered().wait_to_hear(hz=PROMPT_HZ["greeting"], from_s=0.0)


def one_by_one(exchange: SoftwareExchange) -> None:
    """As exchanges do that know no RESTART of an interface."""
    exchange.restart()


def at_once(exchange: SoftwareExchange) -> None:
    exchange.restart_interface()


@pytest.mark.parametrize("restart", [one_by_one, at_once])
def test_a_restarted_interface_is_cleared_and_works_again(
        box: Rig, restart: Callable[[SoftwareExchange], None]) -> None:
    talks = [talk(box), talk(box)]
    restart(box.telco)
    for caller, agent in talks:
        assert agent.wait_for("DISCONNECT").cause == NORMAL
        assert outcome(contact_of(box, caller.calling)) == ("answered", "line", TEMPORARY_FAILURE)
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=46, seconds=0.5)
