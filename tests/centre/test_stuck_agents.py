"""Published complaints of agents that stick and of recordings that lose their calls, one by one."""

import pytest

from appliance.bus.messages import Confer, Consult, StartRecording, Transfer
from appliance.config.schema import AgentConfig, QueueConfig
from tests.centre.office import CENTRE, Office, in_queue, setup


def many(agents: int, **queue: object) -> Office:
    names = [f"agent{number}" for number in range(agents)]
    return Office(setup(CENTRE.model_copy(update={
        "agents": [AgentConfig(name=name, extension=str(9000 + number), trunk="pbx")
                   for number, name in enumerate(names)],
        "queues": [QueueConfig.model_validate({"name": name, "agents": names, "wrap_up_s": 0.0, **queue})
                   for name in ("sales", "service")]})))


@pytest.mark.need(2)
@pytest.mark.parametrize("ends", ["caller", "nobody", "somebody"])
def test_none_of_many_who_ring_at_once_stays_reserved(ends: str) -> None:
    """mod_callcenter left agents reserved for ever when more than ten rang."""
    office = many(25, strategy="ring-all", most_rung=25, unavailable_s=5.0)
    in_queue(office, "c1")
    assert len(office.ringing()) == 25
    if ends == "caller":
        office.hang_up("c1")
    elif ends == "nobody":
        office.pass_time(15.0)
        office.clear()
        office.hang_up("c1")
    else:
        office.answer(office.ringing()["9013"])
        office.clear()
        assert sorted(office.states().values()).count("talking") == 1
        office.hang_up("c1")
    office.clear()
    office.pass_time(30.0)
    assert set(office.states().values()) == {"ready"} and not office.calls


@pytest.mark.need(2)
def test_an_agent_is_not_in_a_talk_that_is_over_though_nobody_said_so() -> None:
    """Agents were shown as answered hours after the hang-up."""
    office = many(1)
    in_queue(office, "c1")
    office.answer(office.ringing()["9000"])
    office.release("c1", 16, "far")               # the event is lost
    office.restart()
    office.clear()
    assert office.states() == {"agent0": "ready"}


@pytest.mark.need(2)
def test_a_last_agent_who_cannot_be_rung_does_not_halt_the_queue() -> None:
    """The last agent's unavailability stopped the whole queue."""
    office = many(2, unavailable_s=30.0)
    first, second = in_queue(office, "c1"), in_queue(office, "c2")
    for leg in list(office.ringing().values()):
        office.hang_up(leg, 17)
    assert set(office.states().values()) == {"unreachable"} and not office.ringing()
    office.pass_time(30.0)
    assert len(office.ringing()) == 2
    assert {office.contact(name).record.state for name in (first, second)} == {"ringing"}


@pytest.mark.need(2)
def test_twenty_calls_a_second_leave_nobody_stuck() -> None:
    """Agents and calls stuck at about 20 calls a second."""
    office = many(30)
    for number in range(400):
        leg = f"c{number}"
        in_queue(office, leg)
        office.pass_time(0.05)
        for ring in list(office.ringing().values())[::2]:
            office.answer(ring)
        if number >= 20:
            office.hang_up(f"c{number - 20}")
            office.clear()
    for leg in [leg for leg in office.calls if leg.startswith("c")]:
        office.hang_up(leg)
    office.clear()
    assert set(office.states().values()) == {"ready"} and not office.calls
    assert {record.state for record in office.records.values()} == {"ended"}


@pytest.mark.need(6)
def test_every_recording_belongs_to_a_stretch_of_its_contact_whatever_became_of_the_call() -> None:
    """Audio on disk but not in the call's record, or lost in attended transfers."""
    office = many(4)
    name = in_queue(office, "c1")
    office.answer(office.ringing()["9000"])
    office.command(Consult(agent="agent0", to="agent1"))
    office.answer(office.ringing()["9001"])
    office.command(Confer(agent="agent0"))
    office.command(Transfer(agent="agent0", to="agent2"))
    office.clear()
    office.answer(office.ringing()["9002"])
    office.command(Consult(agent="agent2", to="agent3"))
    office.answer(office.ringing()["9003"])
    office.command(Transfer(agent="agent2"))
    office.clear()
    office.hang_up("c1")
    office.clear()
    started = {one.recording for one in office.tell() if isinstance(one, StartRecording)}
    kept = [one.recording for one in office.records[name].segments if one.recording]
    assert len(kept) == len(set(kept)) == 4 and set(kept) == started and not office.recording
