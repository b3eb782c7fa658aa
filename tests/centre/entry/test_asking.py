"""What people ask about the way of a call: the same code as of a real one, with what a supervisor forced."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bus.messages import (
    EntryInfo,
    ExplainRoute,
    GetLegContacts,
    GetRoutePlan,
    NumberInfo,
    RouteExplained,
    Sentence,
    WayInfo,
)
from appliance.centre.entry.reason import Reason, together
from appliance.errors import StateError
from tests.centre.entry.test_entry import NOON, force, office, shut
from tests.centre.office import Office


def said(sentence: Sentence) -> str:
    """In English."""
    return sentence.words.format(**{name: said(value) if isinstance(value, Sentence) else value
                                    for name, value in sentence.values.items()})


def explained(office: Office, called: str = "5000", **asked: object) -> tuple[str, list[str]]:
    reply = office.command(ExplainRoute(trunk="telco", called=called, **asked))      # type: ignore[arg-type]
    assert isinstance(reply, RouteExplained)
    whole = msgspec.json.decode(msgspec.json.encode(reply), type=RouteExplained)
    return whole.kind, [said(step) for step in whole.steps]


def test_the_steps_are_those_of_a_real_call() -> None:
    at = office({"name": "vip", "callers": ["138*"], "priority": 5},
                {"name": "night", "calendar": "office", "when": "closed", "reject": 21})
    kind, steps = explained(at, calling="13800138000")
    assert kind == "in" and steps[0].startswith("vip: noted: caller +8613800138000")
    assert steps[1].startswith("night: no: calendar office is open")
    assert steps[-2:] == ["noted: priority 5", "no rule: flow flow: centre.inbound: 5000 on trunk telco"]
    assert explained(at, called="5999") == (
        "refused", ["refused with cause 1: no rule and no route has 5999 on trunk telco"])


def test_the_time_and_a_supervisors_hand_count() -> None:
    at = office(**shut())
    assert "calendar office is open" in explained(at)[1][-1]
    assert "flow closed" in explained(at, at=NOON + 9 * 3600)[1][-1]
    force(at, False)
    assert "closed by li" in explained(at)[1][-1]


@pytest.mark.parametrize("asked", [
    ExplainRoute(trunk="nowhere", called="5000"), ExplainRoute(trunk="telco", called="call me"),
    ExplainRoute(trunk="telco", called="5000", calling="x")])
def test_what_cannot_be_asked_is_refused(asked: ExplainRoute) -> None:
    with pytest.raises(StateError, match=r"no number|'nowhere', they are on"):
        office().command(asked)


def test_asking_changes_nothing() -> None:
    at = office(**shut())
    before = len(at.log)
    explained(at)
    at.command(GetRoutePlan())
    assert len(at.log) == before


def test_the_tables_are_told_as_they_are_in_force() -> None:
    plan = office({"name": "night", "calendar": "office", "reject": 21}, **shut()).command(GetRoutePlan())
    assert plan.entry == [EntryInfo(name="night", trunks=[], called=[],      # type: ignore[attr-defined]
                                    goes=Sentence("refused with cause {cause}", {"cause": "21"}))]
    assert plan.inbound == [NumberInfo(                                      # type: ignore[attr-defined]
        trunk="telco", called="5000", flow="flow", calendar="office",
        closed=Sentence("flow {flow}", {"flow": "closed"}))]
    assert all(isinstance(way, WayInfo) for way in plan.outbound)            # type: ignore[attr-defined]


def test_whose_a_leg_is_can_be_asked() -> None:
    at = office()
    name = at.call("c1")
    assert at.command(GetLegContacts()).contacts == {"c1": name}             # type: ignore[attr-defined]


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="{}")), min_size=1, max_size=6))
def test_reasons_together_read_like_a_list(texts: list[str]) -> None:
    whole = together([Reason("{text}", text=text) for text in texts])
    assert str(whole) == ", ".join(texts) == said(whole.sentence)


def test_of_nothing_there_is_no_reason() -> None:
    with pytest.raises(ValueError, match="no reason"):
        together([])
