"""What a change means for queues, differences as keys, weeks as hours."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box.document.editing import changed_all
from appliance.config.queues import AgentConfig, QueueConfig
from appliance.config.schema import CentreConfig
from webui.centre import week
from webui.centre.effect import of_agents, of_queues, serves
from webui.centre.held import differences


def queue(name: str = "sales", **more: Any) -> QueueConfig:
    return QueueConfig.model_validate({"name": name, **more})


def agent(name: str = "li", **skills: int) -> AgentConfig:
    return AgentConfig(name=name, starts="logged-out", skills=skills)


@pytest.mark.parametrize(("queues", "ring"), [
    ([queue(skills={"sales": 3})], 0), ([queue(skills={"sales": 4})], None),
    ([queue(skills={"sales": 3}, agents=["wang"])], None),
    ([queue(skills={"sales": 3}, agents=["wang"], reserve={"agents": ["li"], "waiting": 2})], 0),
    ([queue(skills={"sales": 3, "language": 5})], 0),
    ([queue(skills={"sales": 5}, rings=[{"after_s": 5, "lower": {"sales": 4}},
                                        {"after_s": 9, "drop": ["sales"]}])], 2),
    ([queue(skills={"sales": 5}, rings=[{"after_s": 5, "agents": ["li"]}])], 1),
    ([queue(skills={"sales": 5}, rings=[{"after_s": 5, "queues": ["other"]}]),
      queue("other", skills={"sales": 1})], 1),
])
def test_from_which_ring_an_agent_serves_a_queue(queues: list[QueueConfig], ring: int | None) -> None:
    assert serves(agent(sales=3), queues).get("sales") == ring


def test_who_falls_out_who_comes_in_and_who_is_there() -> None:
    before = CentreConfig(queues=[queue(skills={"sales": 3})],
                          agents=[agent(sales=3), agent("wang", sales=5)])
    after = CentreConfig(queues=[queue(skills={"sales": 4}), queue("late", skills={"sales": 9})],
                         agents=[agent(sales=3), agent("gao", sales=4)])
    sales, late = of_queues(before, after, {"li", "wang"})
    assert (sales.gone, sales.come) == (["li", "wang"], ["gao"])
    assert (sales.present_before, sales.present_after) == (2, 0)
    assert not sales.nobody and sales.nobody_here and late.before is None and late.after == frozenset()
    found = {one.agent: one for one in of_agents(before, after)}
    assert found["li"].gone == ["sales"] and found["wang"].removed and found["gao"].new
    assert found["gao"].skills == {"sales": (0, 4)}


NAMES = st.sampled_from(["a", "b", "c", "d.e"])
SCALARS = st.integers(0, 3) | st.sampled_from(["x", "yes", "0801", "", "12:30"])
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3),
    st.dictionaries(NAMES, inner, max_size=3).map(
        lambda some: [{"name": name, "v": value} for name, value in some.items()])), max_leaves=8)


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_differences_make_one_document_of_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    old, new = {"z": 1, "centre": old}, {"z": 1, "centre": new}
    sets = [(one.key, one.value) for one in differences(old, new)]
    text = yaml.safe_dump(old, sort_keys=False)
    assert yaml.safe_load(changed_all(text, sets) if sets else text) == new


HOURS = {"mon-fri": ["09:00-12:00", "13:30-17:30"], "sat": ["22:00-06:00"]}


def test_a_week_is_written_as_it_was_or_as_short_as_can_be() -> None:
    assert week.read(week.shown(HOURS), HOURS) == HOURS
    odd = {"mon-tue": "09:00-12:00", "wed-fri": ["09:00-12:00"]}
    assert week.read(week.shown(odd), odd) == odd
    assert week.read(week.shown(odd), {}) == {"mon-fri": ["09:00-12:00"]}
    assert week.read({"sun": "9:00 – 12:00，13：30至18:00"}, {}) == {"sun": ["9:00-12:00", "13:30-18:00"]}
    bars = dict(week.bars(HOURS))
    assert bars["sat"] == [(1320, 120)] and bars["sun"] == [(0, 360)]
    assert bars["mon"] == [(540, 180), (810, 240)]
