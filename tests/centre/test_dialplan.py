"""Numbers, whole and digit by digit."""

import pytest

from appliance.bus.messages import Hangup
from appliance.centre.dialplan import DialPlan, Reject, ToEntry, ToTrunk, Verdict, Wait
from appliance.config.schema import OutboundRoute
from tests.centre.office import CENTRE, Office, kinds, setup


def short(verdict: Verdict) -> str:
    match verdict:
        case Wait():
            return "wait"
        case Reject(cause):
            return f"reject {cause}"
        case ToEntry(route):
            return f"flow {route.called}" if route else "rules"
        case ToTrunk(_, digits):
            return f"out {digits}"


@pytest.mark.parametrize(("trunk", "called", "so_far", "complete"), [
    ("telco", "", "wait", "reject 28"),
    ("telco", "5", "wait", "reject 28"),
    ("telco", "500", "wait", "reject 28"),
    ("telco", "5000", "flow 5000", "flow 5000"),
    ("telco", "5001", "wait", "flow 5001"),                    # 50017 is possible
    ("telco", "50017", "flow 50017", "flow 50017"),
    ("telco", "50018", "reject 1", "reject 1"),
    ("telco", "6", "reject 1", "reject 1"),
    ("telco", "0123", "reject 1", "reject 1"),                 # that route belongs to the other trunk
    ("pbx", "11", "wait", "reject 28"),
    ("pbx", "119", "out 119", "out 119"),
    ("pbx", "113", "reject 1", "reject 1"),
    ("pbx", "012", "wait", "reject 28"),
    ("pbx", "0123", "wait", "out 123"),
])
def test_judgement(trunk: str, called: str, so_far: str, complete: str) -> None:
    plan = DialPlan(CENTRE)
    assert short(plan.judge(trunk, called, False)) == so_far
    assert short(plan.judge(trunk, called, True)) == complete


@pytest.mark.parametrize("called", ["9a", "5000\n", "0" * 33, "٥٠٠٠", "5000;isub=1"])
def test_what_is_no_number_leads_nowhere(called: str) -> None:
    plan = DialPlan(CENTRE.model_copy(update={"outbound": [
        OutboundRoute(trunk="telco", called="(.*)", to="pbx")]}))
    for complete in (False, True):
        assert short(plan.judge("telco", called, complete)) == "reject 28"


def test_overlap_digits_reach_the_flow_as_soon_as_the_number_is_complete() -> None:
    office = Office(setup())
    name = office.call("c1", "50", complete=False)
    office.digits("c1", "500")
    office.digits("c1", "50")                     # an older message that came late
    assert office.tell() == []
    office.digits("c1", "5000")
    assert kinds(office.tell()) == ["Proceed", "Answer", "Play"]
    office.digits("c1", "50001")                  # the far end dials on
    assert office.tell() == []
    assert office.records[name].called == "5000"


@pytest.mark.parametrize(("called", "complete", "cause"), [("59", False, 1), ("500", True, 28)])
def test_overlap_digits_that_lead_nowhere(called: str, complete: bool, cause: int) -> None:
    office = Office(setup())
    name = office.call("c1", "5", complete=False)
    office.digits("c1", called, complete)
    assert office.tell() == [Hangup(leg="c1", cause=cause)]
    assert (office.records[name].outcome, office.records[name].ended_by) == ("rejected", "box")


def test_a_caller_who_gives_up_while_dialling() -> None:
    office = Office(setup())
    name = office.call("c1", "5", complete=False)
    office.press("c1", "1")                       # in-band before any flow: means nothing
    office.hang_up("c1")
    assert (office.records[name].outcome, office.records[name].segments) == ("abandoned", ())
