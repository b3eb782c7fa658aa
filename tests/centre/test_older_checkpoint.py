"""A checkpoint from before legs had their dictionaries is read all the same."""

from dataclasses import replace

import msgspec

from appliance.centre.engine import Engine
from tests.centre.office import Office, in_queue, incoming, setup


def test_whose_a_leg_is_is_known_from_an_older_checkpoint() -> None:
    office = Office(setup())
    in_queue(office, "c1")
    ringing, = office.ringing().values()
    office.call("c2", "5009")                     # refused: its leg is one that has ended
    office.clear()
    office.engine.checkpoint(office.now)
    office._settle()
    entry = office.log[-1]
    event = msgspec.json.decode(entry.data)
    del event["state"]["busy"]
    event["state"]["recent_legs"] = list(event["state"].pop("was_of"))
    again = Engine(office.setup)
    again.replay([replace(entry, data=msgspec.json.encode(event).decode())])
    assert again.state.busy == office.engine.state.busy == {ringing: office.agent("ann").name}
    assert again.state.agent_on(ringing) is again.state.agents["ann"]
    assert again.state.knows("c2") and not again.state.knows("c3")
    again.start(office.now)
    again.take()
    again.handle(incoming("c2", "5000"), office.now)
    assert again.take() == ([], [])               # no second contact
