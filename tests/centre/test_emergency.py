"""An emergency number gets out from any extension, whatever the dial plan forgot."""

from typing import Any

import pytest

from appliance.bus.messages import Dial, Hangup
from appliance.centre.dialplan import DialPlan
from appliance.config.emergency import Emergency
from appliance.config.schema import AgentConfig, CentreConfig, InboundRoute, OutboundRoute
from tests.centre.office import CENTRE, Office, kinds, setup
from tests.centre.test_dialplan import short

KNOWN = Emergency({"telco": frozenset({"110", "119"}), "pbx": frozenset()},
                  {"pbx": {"110": "telco", "119": "telco"}})


def plan(*outbound: tuple[str, str], inbound: str = "", agent: str = "8001") -> DialPlan:
    """Of trunk pbx: rules as (called, to), a flow at `inbound`, an agent."""
    return DialPlan(CentreConfig(
        inbound=[InboundRoute(trunk="pbx", called=inbound, flow="f")] if inbound else [],
        outbound=[OutboundRoute(trunk="pbx", called=called, to=to) for called, to in outbound],
        agents=[AgentConfig(name="li", extension=agent, trunk="pbx2")]), KNOWN)


@pytest.mark.parametrize(("rules", "more", "called", "so_far", "complete"), [
    ([], {}, "11", "wait", "reject 28"),
    ([], {}, "110", "out 110", "out 110"),
    ([], {}, "1101", "reject 1", "reject 1"),
    ([("0([0-9]{3,})", "telco")], {}, "110", "out 110", "out 110"),
    ([("0([0-9]{3,})", "telco")], {}, "0110", "out 110", "out 110"),     # waits for nothing
    ([("0([0-9]{3,})", "telco")], {}, "0112", "wait", "out 112"),
    ([("([0-9]{3,})", "telco")], {}, "110", "out 110", "out 110"),
    ([("([0-9]{3})", "pbx2")], {}, "110", "out 110", "out 110"),         # goes before the pattern
    ([("1([0-9]{2})", "telco")], {}, "110", "out 110", "out 110"),       # not as 10
    ([("(1[0-9]{3})", "pbx2")], {}, "110", "wait", "out 110"),           # 1103 is somebody
    ([("(1[0-9]{3})", "pbx2")], {}, "1103", "out 1103", "out 1103"),
    ([("([0-9]{3})", "pbx2")], {"agent": "110"}, "110", "out 110", "out 110"),
    ([], {"inbound": "110"}, "110", "flow 110", "flow 110"),
    ([], {"inbound": "1105"}, "110", "wait", "out 110"),
])
def test_judgement(rules: list[tuple[str, str]], more: dict[str, str], called: str,
                   so_far: str, complete: str) -> None:
    judged = plan(*rules, **more)
    assert short(judged.judge("pbx", called, False)) == so_far
    assert short(judged.judge("pbx", called, True)) == complete


@pytest.mark.parametrize(("rules", "more", "to"), [
    ([], {}, "telco"), ([("([0-9]{3})", "pbx2")], {}, "telco"), ([("1([0-9]{2})", "telco")], {}, "telco"),
    ([("([0-9]{3})", "pbx2")], {"agent": "110"}, "pbx2"), ([("(110)", "pbx2")], {}, "pbx2")])
def test_only_what_is_configured_as_exactly_this_number_keeps_it(
        rules: list[tuple[str, str]], more: dict[str, str], to: str) -> None:
    verdict: Any = plan(*rules, **more).judge("pbx", "110", True)
    assert (verdict.route.to, verdict.digits) == (to, "110")


def test_who_calls_in_does_not_get_out() -> None:
    assert short(DialPlan(CENTRE, KNOWN).judge("telco", "110", True)) == "reject 1"


def test_an_extension_reaches_it_with_the_number_that_its_calls_show() -> None:
    rules = [route for route in CENTRE.outbound if route.called != "(11[029])"]
    centre = CENTRE.model_copy(update={"outbound": rules})
    office = Office(setup(centre, KNOWN))
    name = office.call("e1", "11", trunk="pbx", calling="8001", complete=False)
    assert office.tell() == []
    office.digits("e1", "110")
    told = office.tell()
    assert kinds(told) == ["Proceed", "Dial"]
    assert isinstance(told[1], Dial) and (told[1].trunk, told[1].called, told[1].calling) == (
        "telco", "110", "5000")
    office.answer(told[1].leg)
    office.hang_up("e1")
    assert (office.records[name].direction, office.records[name].agent) == ("out", "ann")
    assert office.records[name].outcome == "answered"
    forgotten = Office(setup(centre))             # a box that knows of no emergency
    forgotten.call("e1", "110", trunk="pbx", calling="8001")
    assert forgotten.tell() == [Hangup(leg="e1", cause=1)]
