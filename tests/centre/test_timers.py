"""What is due by time alone, when something of it fails."""

import pytest

from appliance.bus.messages import LogOut
from appliance.centre import acd, due
from appliance.centre.state import Contact
from appliance.centre.timers import FIRST_REST_S
from appliance.centre.turn import Turn
from tests.centre.office import CENTRE, Office, in_queue, setup


def test_what_fails_is_told_once_and_tried_again_and_the_others_go_on(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two callers in line one's announcement cannot be made, until it can be."""
    office = Office(setup(CENTRE))
    for agent in list(office.engine.state.agents):
        office.command(LogOut(agent=agent))
    broken, tried = in_queue(office, "c1"), list[tuple[float, str]]()
    other, whole = in_queue(office, "c2"), False

    def announce(turn: Turn, contact: Contact) -> None:
        tried.append((turn.now, contact.record.contact))
        if contact.record.contact == broken and not whole:
            raise ValueError("no such prompt")
        acd.announce_place(turn, contact)

    monkeypatch.setitem(due.OF_CONTACT, "position", announce)
    began = office.now
    with pytest.raises(ExceptionGroup) as caught:
        office.pass_time(25.0)
    assert [str(one) for one in caught.value.exceptions] == ["no such prompt"]
    assert sorted(tried) == sorted([(began + 20.0, broken), (began + 20.0, other)])      # in the same pass
    office.pass_time(3 * FIRST_REST_S)            # nobody is told again
    assert tried[2:] == [(began + 21.0, broken), (began + 23.0, broken)]
    whole = True
    office.pass_time(4 * FIRST_REST_S)
    assert tried[4:] == [(began + 27.0, broken)]
    assert office.engine.next_deadline() == began + 40.0         # of the other; nothing rests any more
