"""Codes that agents dial from their telephones: flows with agent nodes."""

from dataclasses import replace
from typing import Any

from appliance.bus.messages import LogIn, LogOut
from appliance.centre.flow import Flow
from appliance.centre.turn import Setup
from appliance.config.schema import AgentConfig, InboundRoute, QueueConfig, ReasonConfig
from tests.centre.office import CENTRE, Office, in_queue, setup

SAID = {"done": {"kind": "play", "prompt": "done", "next": "bye"},
        "sorry": {"kind": "play", "prompt": "sorry", "next": "bye"}, "bye": {"kind": "hangup"}}


def code(do: str, **keys: Any) -> Flow:
    node = {"kind": "agent", "do": do, "next": "done", "refused": "sorry", **keys}
    return Flow.model_validate({"start": "do", "language": "en", "nodes": {"do": node, **SAID}})


LOG_IN = Flow.model_validate({"start": "who", "language": "en", "nodes": {
    "who": {"kind": "collect", "prompt": "who", "to": "who", "most": 3, "next": "do", "default": "sorry"},
    "do": {"kind": "agent", "do": "log-in", "agent": "a{who}", "next": "done", "refused": "sorry"}, **SAID}})
CODES = {"*11": LOG_IN, "*12": code("log-out"), "*13": code("ready"),
         "*14": code("not-ready", reason="lunch")}


def desks() -> Office:
    config = CENTRE.model_copy(update={
        "agents": [*CENTRE.agents, AgentConfig(name="a801", starts="logged-out")],
        "queues": [QueueConfig(name="sales", agents=["a801"])],
        "not_ready": [ReasonConfig(name="lunch")],
        "inbound": [*CENTRE.inbound, *(InboundRoute(trunk=trunk, called=number, flow=number)
                                       for trunk in ("pbx", "telco") for number in CODES)]})
    known = setup(config)
    return Office(Setup.of(config, {**known.flows, **CODES}, known.new_id))


def dial(office: Office, number: str, digits: str = "", *, trunk: str = "pbx", calling: str = "8009") -> str:
    """What is heard in the end."""
    leg = f"d{len(office.log)}"
    office.call(leg, number, trunk=trunk, calling=calling)
    office.press(leg, *digits)
    [heard] = office.hears(leg)
    assert not office.ringing()                   # nothing rings at a telephone that is in a call
    office.hang_up(leg)
    office.clear()
    return heard.removeprefix("en/")


def test_an_agent_sits_down_works_and_goes_by_codes() -> None:
    office = desks()
    assert dial(office, "*13") == "sorry"         # nobody is logged in there
    assert dial(office, "*11", "999") == "sorry"  # no such agent
    assert dial(office, "*11", "801") == "done"
    agent = office.agent("a801")
    assert (agent.state, agent.extension, agent.trunk) == ("not-ready", "8009", "pbx")
    in_queue(office, "c1")
    assert dial(office, "*13", calling="8001") == "done"         # of ann, whose telephone it is
    assert office.agent("a801").state == "not-ready"
    office.call("d", "*13", trunk="pbx", calling="8009")
    assert office.agent("a801").state == "ready" and not office.ringing()
    office.hang_up("d")                           # on the hook
    assert list(office.ringing()) == ["8009"]
    office.answer(office.ringing()["8009"])
    office.hang_up("c1")
    office.clear()
    assert dial(office, "*14") == "done" and office.agent("a801").reason == "lunch"
    assert dial(office, "*12") == "done" and office.agent("a801").state == "logged-out"


def test_nobody_logs_in_from_outside() -> None:
    office = desks()
    assert dial(office, "*11", "801", trunk="telco", calling="13800000000") == "sorry"
    assert office.agent("a801").state == "logged-out"


def test_a_place_that_is_taken_is_refused() -> None:
    office = desks()
    assert dial(office, "*11", "801", calling="8001") == "sorry"
    office.command(LogOut(agent="ann"))
    assert dial(office, "*11", "801", calling="8001") == "done"


def test_whose_telephone_s_trunk_leaves_the_document_is_logged_out() -> None:
    """Nobody could be rung there; at work it is after the work."""
    office, ready = desks(), desks().engine.setup
    office.engine.setup = replace(ready, trunks=(*ready.trunks, "annexe"))
    office.command(LogIn(agent="a801", extension="7001", trunk="annexe", ready=True))
    in_queue(office, "c1")
    assert office.agent("a801").state == "reserved"
    office.engine.setup = ready
    office.engine.start(office.now)
    assert (office.agent("a801").state, office.agent("a801").wish) == ("reserved", "logged-out")
    office.pass_time(60.0)
    agent = office.agent("a801")
    assert (agent.state, agent.reason, agent.trunk) == ("logged-out", "trunk gone", "")
