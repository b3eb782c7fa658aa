"""Variants of a branch, from words."""

import re

import pytest

from appliance.errors import ConfigError
from appliance.sim.branch import Branch
from appliance.sim.what_if import vary
from tests.sim.branches import branch

SHIFTS = [{"agents": ["agent1", "agent2"], "begins": "08:00", "ends": "12:00"}]


def names(made: Branch) -> list[str]:
    return [agent.name for agent in made.config.centre.agents]


def test_more_agents_are_like_those_who_are_there() -> None:
    """Evenly: the first and the third of four, in their queues and shifts, each at a telephone of its own."""
    made = vary(branch(staff=4, shifts=SHIFTS), "agents=+2")
    assert names(made) == ["agent1", "agent2", "agent3", "agent4", "extra-1", "extra-2"]
    assert len({agent.extension for agent in made.config.centre.agents}) == 6
    assert all(queue.agents == names(made) for queue in made.config.centre.queues)
    assert made.scenario.shifts[0].agents == ["agent1", "agent2", "extra-1"]


def test_fewer_agents_are_gone_everywhere() -> None:
    made = vary(branch(staff=4, shifts=SHIFTS), "agents.sales=-3")
    assert names(made) == ["agent1"]
    assert all(queue.agents == ["agent1"] for queue in made.config.centre.queues)
    assert made.scenario.shifts[0].agents == ["agent1"]


def test_changes_add_up() -> None:
    made = vary(branch(), "calls=+10%, calls=+10%,handling=-5%,patience=+50%,wrap-up.sales=12,no-answer=5%")
    assert (made.calls_times, made.handling_times, made.patience_times) == pytest.approx((1.21, 0.95, 1.5))
    assert [queue.wrap_up_s for queue in made.config.centre.queues] == [12.0, 0.0]
    assert made.scenario.agents.no_answer == 0.05


def test_a_wrap_up_by_the_clock_is_not_by_need() -> None:
    made = vary(branch(queues={"sales": {"wrap_up": 30.0, "handling": 90.0}}), "wrap-up=12")
    sales = made.scenario.queues["sales"]
    assert sales.wrap_up is None and sales.handling is not None
    assert [queue.wrap_up_s for queue in made.config.centre.queues] == [12.0, 12.0]


@pytest.mark.parametrize(("text", "says"), [
    ("", "'': write one of agents=+2"),
    ("agent=+2", "'agent=+2': write one of"),
    ("agents=2", "'agents=2': write how many more or fewer"),
    ("agents=+9999", "at most 1000"),
    ("agents=-3", "'agents=-3': there are 3"),
    ("agents.sails=+1", "sails: only agents, staff, wrap-up, strategy, overflow and serve can be of a queue"),
    ("calls.sales=+1%", "sales: only agents, staff, wrap-up"),
    ("calls=10", "'calls=10': write by how much, +10% or -5%"),
    ("calls=-100%", "write by how much"),
    ("wrap-up=4000", "write seconds, at most 3600"),
    ("no-answer=101%", "write a share of the rings"),
    ("agents=+1,,", "'': write one of"),
])
def test_what_cannot_be_is_said(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        vary(branch(), text)


def test_nobody_is_taken_whom_a_queue_cannot_do_without() -> None:
    made = branch(queue={"agents": ["agent3"]})
    with pytest.raises(ConfigError, match="sales, service cannot be without agent3"):
        vary(made, "agents=-1")
