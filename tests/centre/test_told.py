"""What lines tell of a contact: who diverted it, who answered, its cost, traced callers, a PBX's wishes."""

import msgspec
import pytest

from appliance.bus.messages import (
    CallCharged,
    CallParty,
    Charge,
    ContactFacts,
    DeflectionWanted,
    Dial,
    Diversion,
    GrantDeflection,
    GrantJoin,
    Hangup,
    JoinWanted,
    MaliciousCallReported,
    MaliciousCallTraced,
    TraceBegun,
    TraceCaller,
    TraceMalicious,
)
from appliance.centre.facts import LONGEST_VALUE, MOST_VARIABLES, add, facts
from appliance.centre.state import HIDDEN
from appliance.config.schema import OutboundRoute
from appliance.errors import StateError
from appliance.store import schema
from appliance.store.events import Entry
from tests.centre.office import CENTRE, Office, in_queue, incoming, kinds, setup
from tests.centre.test_outbound import dial


@pytest.fixture
def office() -> Office:
    return Office(setup())


def known(office: Office, contact: str) -> ContactFacts:
    """As acdd would answer."""
    wanted = schema.GIVES_LEG + schema.TELLS
    return facts(entry for entry in office.log if entry.contact == contact and f"'{entry.kind}'" in wanted)


def test_a_diverted_and_hidden_call_is_known_as_that(office: Office) -> None:
    office._table("c1", "telco", True, "offered", "5000", "")
    call = incoming("c1", "5000", calling="")
    office.give(msgspec.structs.replace(
        call, withheld=True, calling_name="Li", diversion=Diversion(number="2187650000", reason=15)))
    [(name, record)] = office.records.items()
    assert (record.calling, record.withheld) == ("", True)
    told = known(office, name)
    assert (told.calling_name, told.diversion) == ("Li", Diversion(number="2187650000", reason=15))
    assert not office.records[office.call("c2", "5000", calling="")].withheld


def test_a_call_that_came_and_went_unseen_was_diverted_all_the_same(office: Office) -> None:
    office._table("c1", "telco", True, "offered", "5000", "")
    office.calls["c1"] = msgspec.structs.replace(
        office.calls["c1"], withheld=True, diversion=Diversion(number="", reason=1))
    office.release("c1", 16, "far")
    office.restart()
    [(name, record)] = office.records.items()
    assert record.withheld and known(office, name).diversion == Diversion(number="", reason=1)


@pytest.mark.parametrize("restarted", [False, True])
def test_who_answered_is_kept(office: Office, restarted: bool) -> None:
    name, out = dial(office)
    if restarted:
        office._state(out.leg, "answered")
        office.calls[out.leg] = msgspec.structs.replace(office.calls[out.leg], connected="2012346")
        office.restart()
    else:
        office.answer(out.leg, connected="2012346")
    office.give(CallParty(leg=out.leg, why="transferred", number="2012347", name="Wang", answered=False))
    office.give(CallParty(leg=out.leg, why="transferred", number="2012347", name="Wang", answered=False))
    first, second = known(office, name).parties
    assert (first.why, first.number, first.leg.party, first.leg.leg) == (
        "answered", "2012346", "called", out.leg)
    assert (second.why, second.number, second.name, second.answered) == (
        "transferred", "2012347", "Wang", False)


def test_the_charge_of_a_call_that_the_extension_ended_comes_after_the_end(office: Office) -> None:
    name, out = dial(office)
    office.answer(out.leg)
    office.give(CallCharged(leg=out.leg, charge=Charge(units=3)))
    office.hang_up("e1")
    assert office.records[name].state == "ended"
    office.give(CallCharged(leg=out.leg, charge=Charge(units=5, final=True)))
    office.clear()
    office.give(CallCharged(leg="stranger", charge=Charge(units=9)))
    office.restart()
    [cost] = known(office, name).charges
    assert (cost.leg.leg, cost.charge) == (out.leg, Charge(units=5, final=True))


def test_the_charge_of_a_call_that_ended_while_acdd_was_away(office: Office) -> None:
    name, out = dial(office)
    office.answer(out.leg)
    charge = Charge(amount_thousandths=1250, currency="CNY", final=True)
    office.calls[out.leg] = msgspec.structs.replace(office.calls[out.leg], charge=charge)
    office.release(out.leg, 16, "far")
    office.restart()
    assert [one.charge for one in known(office, name).charges] == [charge]


@pytest.mark.parametrize(("advice", "total"), [
    ([Charge(units=1), Charge(units=4)], Charge(units=4)),
    ([Charge(units=1, total=False), Charge(units=4, total=False)], Charge(units=5)),
    ([Charge(amount_thousandths=100, currency="EUR", total=False),
      Charge(amount_thousandths=50, total=False)],
     Charge(amount_thousandths=150, currency="EUR")),
    ([Charge(units=7, total=False), Charge(units=6, final=True)], Charge(units=6, final=True)),
    ([Charge(units=7), Charge(final=True)], Charge(units=7)),            # at the end it cannot tell
    ([Charge(final=True)], Charge(final=True)),
    ([Charge(free=True), Charge(units=2, total=False)], Charge(units=2)),
])
def test_advice_of_charge_adds_up(advice: list[Charge], total: Charge) -> None:
    found = None
    for one in advice:
        found = add(found, one)
    assert found == total


def test_a_caller_is_traced_and_what_came_of_it_kept(office: Office) -> None:
    name = in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.tell()
    for wanted in (name, "c1", leg):              # somebody is impatient
        assert office.command(TraceCaller(name=wanted, by="anna")) == TraceBegun(contact=name)
    assert office.tell() == [TraceMalicious(leg="c1")]
    office.give(MaliciousCallTraced(leg="c1", done=True))
    office.command(TraceCaller(name=name, by="bert"))
    office._settle()
    office.restart()
    office.pass_time(10.0)                        # no answer
    office.tell()
    office.command(TraceCaller(name=name, by=""))
    assert office.tell() == [TraceMalicious(leg="c1")]
    office.hang_up("c1")
    office.clear()
    office.give(MaliciousCallTraced(leg="c1", done=False, why="not subscribed"))
    assert [(one.by, one.done, one.why) for one in known(office, name).traces] == [
        ("anna", True, ""), ("bert", None, ""), ("", False, "not subscribed")]
    with pytest.raises(StateError, match="c1: no contact or leg of this name is there"):
        office.command(TraceCaller(name="c1", by="anna"))
    dial(office)
    with pytest.raises(StateError, match="e1: this call went out"):
        office.command(TraceCaller(name="e1", by="anna"))


def test_a_telephone_that_reports_a_malicious_call_has_its_caller_traced(office: Office) -> None:
    name = in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.answer(leg)
    office.tell()
    office.give(MaliciousCallReported(leg=leg))
    assert office.tell() == [TraceMalicious(leg="c1")]
    assert [(one.by, one.done) for one in known(office, name).traces] == [("telephone", None)]
    name, out = dial(office, calling="8003")      # from one telephone to another: known here
    office.give(MaliciousCallReported(leg=out.leg))
    assert office.tell() == []
    assert [(one.by, one.done) for one in known(office, name).traces] == [("telephone", True)]


# --- what a PBX asks


def test_a_queues_call_does_not_follow_a_telephone_that_is_diverted(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.tell()
    office.give(DeflectionWanted(leg=leg, to="0139"))
    told = office.tell()
    assert told[:2] == [GrantDeflection(leg=leg, granted=False), Hangup(leg=leg, cause=16)]
    assert (office.agent("ann").state, office.agent("ann").reason) == ("unreachable", "refused")
    assert list(office.ringing()) == ["8002"]


def test_a_talk_is_not_deflected(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.answer(leg)
    office.tell()
    office.give(DeflectionWanted(leg=leg, to="0139"))
    assert office.tell() == [GrantDeflection(leg=leg, granted=False)]


BETWEEN = CENTRE.model_copy(update={"outbound": [
    *CENTRE.outbound, OutboundRoute(trunk="telco", called="(7[0-9]{3})", to="pbx")]})


def test_a_direct_call_goes_where_its_extension_wants_it(office: Office) -> None:
    """From outside to an extension that is no agent's, which deflects it to a mobile telephone."""
    office = Office(setup(BETWEEN))
    name = office.call("c1", "7001", calling="139")
    old = next(one for one in office.tell() if isinstance(one, Dial))
    office.alerting(old.leg)
    office.tell()
    office.give(DeflectionWanted(leg=old.leg, to="0188"))
    refused, placed = office.tell()
    assert refused == GrantDeflection(leg=old.leg, granted=True)
    assert isinstance(placed, Dial)
    assert (placed.trunk, placed.called, placed.diversion) == (
        "telco", "188", Diversion(number="7001", reason=10))
    office.clear()                                # trunkd clears the old leg: nothing ends
    office.give(DeflectionWanted(leg=old.leg, to="0189"))                # once more, too late
    assert office.tell() == []
    office.restart()
    office.proceeding(placed.leg)
    office.answer(placed.leg)
    assert frozenset(("c1", placed.leg)) in office.bridged
    office.hang_up("c1")
    office.clear()
    assert office.shape(name) == [("dial", "7001"), ("dial", "188"), ("talk", "")]
    assert office.records[name].outcome == "answered"


@pytest.mark.parametrize("to", ["", "777", "5000", "0", "x"])
def test_where_the_extension_itself_could_not_dial_it_is_not_deflected(to: str) -> None:
    office = Office(setup(BETWEEN))
    office.call("c1", "7001")
    leg = next(one.leg for one in office.tell() if isinstance(one, Dial))
    office.give(DeflectionWanted(leg=leg, to=to))
    assert office.tell() == [GrantDeflection(leg=leg, granted=False)]
    office.answer(leg)                            # it rings on


def test_a_circle_of_deflections_ends() -> None:
    circle = BETWEEN.model_copy(update={"outbound": [
        *BETWEEN.outbound, OutboundRoute(trunk="pbx", called="(7[0-9]{3})", to="pbx")]})
    office = Office(setup(circle))
    office.call("c1", "7001")
    for _ in range(5):
        leg = next(one.leg for one in office.tell() if isinstance(one, Dial))
        office.give(DeflectionWanted(leg=leg, to="7002"))
    leg = next(one.leg for one in office.tell() if isinstance(one, Dial))
    office.give(DeflectionWanted(leg=leg, to="7002"))
    assert office.tell() == [GrantDeflection(leg=leg, granted=False)]


def test_a_pbx_joins_its_calls_itself(office: Office) -> None:
    in_queue(office, "c1")
    leg = office.ringing()["8001"]
    office.answer(leg)
    _, out = dial(office, "e1")
    office.tell()
    office.give(JoinWanted(leg_a=leg, leg_b="e1"))
    assert office.tell() == [GrantJoin(leg=leg, granted=False)]
    assert kinds([out]) == ["Dial"] and office.calls[leg].state == "answered"


def test_what_the_flow_knows_of_the_caller_is_told_but_no_secret(office: Office) -> None:
    name = in_queue(office, "c1")
    log = [Entry(at=1.0, contact=name, kind="VariablesSet", data=data, v=1) for data in (
        '{"values": {"customer": "4711", "pin": "' + HIDDEN * 4 + '", "vip": false}}',
        '{"values": {"customer": "' + "9" * 1000 + '"}}',
        '{"values": {' + ", ".join(f'"v{number}": 1' for number in range(500)) + "}}")]
    told = facts(log).variables
    assert told["customer"] == "9" * LONGEST_VALUE and told["vip"] == "False" and "pin" not in told
    assert len(told) == MOST_VARIABLES
