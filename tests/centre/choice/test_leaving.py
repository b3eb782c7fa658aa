"""Who is sent away before or while waiting, and why."""

from typing import Any

import pytest

from appliance.centre.choice import Leave
from tests.centre.choice.branch import Branch, agent, queue


def branch_with(*rows: dict[str, Any], **keys: Any) -> Branch:
    main = queue("main", agents=["ann", "bo"], overflow=list(rows), handling_s=100, **keys)
    return Branch([main, queue("other", agents=["cai"])], [agent("ann"), agent("bo"), agent("cai")])


@pytest.mark.parametrize(("row", "waiting", "logged_in", "leave"), [
    ({"waiting": 2}, 1, True, None),
    ({"waiting": 2, "to": "other"}, 2, True, Leave("new", "length", "other")),
    ({"estimate_s": 250}, 2, True, None),         # two busy, two before: 150 s, and the ring
    ({"estimate_s": 250}, 5, True, Leave("new", "estimate")),
    ({"estimate_s": 250}, 5, False, None),        # nobody knows
    ({"no_agents": True}, 0, True, None),
    ({"no_agents": True}, 0, False, Leave("new", "no agents")),
    ({"no_agents": True, "waiting": 1}, 0, False, None),
    ({"no_agents": True, "waiting": 1}, 1, False, Leave("new", "length, no agents")),
    ({"after_s": 10}, 9, False, None),
])
def test_a_contact_is_sent_on_before_it_waits(row: dict[str, Any], waiting: int, logged_in: bool,
                                              leave: Leave | None) -> None:
    branch = branch_with(row)
    for name in ("ann", "bo"):
        branch.agent(name, free=False, state="talking", logged_in=logged_in)
    for number in range(waiting):
        branch.join(f"c{number}", "main")
    assert branch.floor.admit(branch.would_join("new", "main"), 0.0) == leave


def test_time_is_over_at_the_moment_and_the_first_row_that_is_true_counts() -> None:
    branch = branch_with({"after_s": 30, "to": "other"}, {"after_s": 20, "no_agents": True})
    branch.join("c1", "main", 0.1)
    branch.join("c2", "main", 5.0)
    branch.join("rings", "main", 0.0, ringing=True)
    assert branch.floor.next_change(0.1) == 0.1 + 20
    assert branch.floor.leaving(29.0) == []
    assert branch.floor.next_change(25.0) == 0.1 + 30
    assert branch.floor.leaving(0.1 + 30) == [Leave("c1", "time", "other")]
    for name in ("ann", "bo"):
        branch.agent(name, free=False, logged_in=False)
    assert branch.floor.leaving(29.0) == [Leave("c1", "no agents"), Leave("c2", "no agents")]
    assert branch.floor.leaving(35.0) == [Leave("c1", "time", "other"), Leave("c2", "time", "other")]
    branch.agent("ann", free=False, state="not-ready")         # may be back soon
    assert branch.floor.leaving(29.0) == []


def test_length_and_estimate_send_nobody_away_who_waits_already() -> None:
    branch = branch_with({"waiting": 1}, {"estimate_s": 1})
    branch.agent("ann", free=False)
    for name in ("c1", "c2", "c3"):
        branch.join(name, "main")
    assert branch.floor.leaving(500.0) == [] and branch.floor.next_change(0.0) is None


def test_who_could_serve_it_later_keeps_it_waiting() -> None:
    main = queue("main", agents=["ann"], overflow=[{"no_agents": True}],
                 rings=[{"after_s": 60, "queues": ["other"]}])
    branch = Branch([main, queue("other", agents=["bo"])], [agent("ann"), agent("bo")])
    branch.agent("ann", free=False, logged_in=False)
    branch.join("c1", "main")
    assert branch.floor.admit(branch.would_join("new", "main"), 0.0) is None
    branch.agent("bo", free=False, logged_in=False)
    assert branch.floor.leaving(0.0) == [Leave("c1", "no agents")]


def test_nobody_waits_longer_than_allowed_over_all_queues() -> None:
    branch = branch_with({"after_s": 50, "to": "other"}, max_wait_s=60)
    branch.join("c1", "main", 50.0)
    branch.join("c2", "main", 50.0, since=10.0)   # out of another queue
    assert branch.floor.next_change(50.0) == 70.0
    assert branch.floor.leaving(69.0) == []
    assert branch.floor.leaving(70.0) == [Leave("c2", "max wait")]
    assert branch.floor.leaving(110.0) == [Leave("c2", "max wait"), Leave("c1", "max wait")]
