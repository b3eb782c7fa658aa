"""What others' users complain of: penalties in place of skills, and an order that nobody can predict."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.centre.choice.branch import Branch, agent, queue

BILLING = queue("billing", skills={"billing": 6, "language": 3}, preferred={"vip": 1}, rings=[
    {"after_s": 20, "lower": {"billing": 3}}, {"after_s": 40, "drop": ["language"]},
    {"after_s": 60, "agents": ["zoe"]}])
PEOPLE = [agent("ann", billing=9, en=5), agent("bo", billing=4, en=5), agent("cai", billing=9),
          agent("zoe", tech=9)]


@pytest.mark.need(9)
def test_skills_relax_ring_by_ring_and_it_is_told_why() -> None:
    branch = Branch([BILLING], PEOPLE)
    branch.join("c1", "billing", 100.0, language="en")
    for name in ("bo", "cai", "zoe"):
        branch.agent(name)
    assert branch.decisions(100.0) == {}
    told = branch.floor.explain("c1", 100.0)
    assert {one.agent: one.words for one in told.agents} == {
        "ann": "ready",
        "bo": "from ring 1 on, in 20 s: billing 6 is asked for and it has 4",
        "cai": "from ring 2 on, in 40 s: en 3 is asked for and it has none",
        "zoe": "from ring 3 on, in 60 s: billing 6 is asked for and it has none, "
               "en 3 is asked for and it has none"}
    assert told.words == "none of the 1 who can serve it is free; 1 are logged in"
    for next_ring, (at, who) in enumerate([(120.0, "bo"), (140.0, "cai"), (160.0, "zoe")], 1):
        assert branch.floor.next_change(at - 1) == at
        assert branch.decisions(at) == {"c1": (who,)}
        why = branch.floor.decide(at)[0].why
        assert (why.ring, why.in_words()) == (next_ring, f"the only one free; ring {next_ring}")
        branch.agent(who, free=False)
    assert branch.floor.next_change(160.0) is None


@pytest.mark.need(9)
def test_an_agent_of_an_earlier_ring_goes_before_one_who_has_been_idle_for_longer() -> None:
    branch = Branch([BILLING], PEOPLE)
    branch.join("c1", "billing", 0.0, language="en")
    branch.agent("ann", idle_since=900.0)
    branch.agent("zoe", idle_since=1.0)
    assert branch.decisions(999.0) == {"c1": ("ann",)}


@pytest.mark.need(9)
def test_what_nobody_speaks_is_not_asked_for() -> None:
    branch = Branch([BILLING], PEOPLE)
    branch.join("c1", "billing", language="eo")
    branch.agent("cai")
    assert branch.decisions(0.0) == {"c1": ("cai",)}


@pytest.mark.need(9)
def test_who_can_be_served_by_nobody_is_known() -> None:
    """Somebody has the skill, but not among those of the queue."""
    branch = Branch([queue("main", agents=["ann"]), queue("tech", skills={"tech": 5})],
                    [agent("ann"), agent("bo", tech=9)])
    branch.join("c1", "main", skills=(("tech", 1),))
    branch.join("c2", "tech", skills=(("tech", 9),))
    assert branch.floor.unreachable() == ["c1"]
    assert branch.floor.explain("c1", 0.0).words == "nobody can serve it, not even later"


@pytest.mark.need(9)
def test_customers_of_a_region_and_a_grade_find_those_who_know_it() -> None:
    """Regions and grades are skills: who looks after the south, who looks after gold ones."""
    south = queue("main", skills={"region": 1}, preferred={"grade": 1})
    branch = Branch([south], [agent("ann", south=1), agent("bo", south=1, gold=5), agent("cai", north=9)])
    for name in ("ann", "bo", "cai"):
        branch.agent(name)
    branch.join("c1", "main", region="south", grade="Gold")
    branch.join("c2", "main", region="north")
    branch.join("c3", "main", region="south")
    branch.join("c4", "main")                     # from nobody knows where
    assert branch.decisions(0.0) == {"c1": ("bo",), "c2": ("cai",), "c3": ("ann",)}
    branch.floor.contact_gone("c1")
    assert branch.decisions(0.0) == {"c2": ("cai",), "c3": ("ann",), "c4": ("bo",)}


@pytest.mark.need(9)
def test_skills_that_change_count_at_once() -> None:
    branch = Branch([BILLING], PEOPLE)
    branch.join("c1", "billing", language="zh")
    branch.join("c2", "billing", language="zh")
    branch.agent("zoe")
    assert branch.decisions(0.0) == {}
    branch.agent("zoe", skills={"billing": 6})
    assert branch.decisions(0.0) == {"c1": ("zoe",)}
    assert branch.floor.explain_agent("zoe", 0.0).words == "is free and has c1 next"
    branch.agent("zoe", skills=None)
    assert branch.decisions(0.0) == {}
    told = branch.floor.explain_agent("zoe", 0.0)
    assert told.words == "is free; nobody waits whom it may serve: 2 wait for others"


@pytest.mark.need(9)
def test_reserve_agents_come_when_the_queue_is_in_need_only() -> None:
    sales = queue("sales", agents=["ann"], reserve={"agents": ["bo"], "waiting": 2, "wait_s": 30})
    branch = Branch([sales], [agent("ann"), agent("bo")])
    branch.agent("bo")
    branch.join("c1", "sales", 0.0)
    assert branch.decisions(29.0) == {} and branch.floor.next_change(0.0) == 30.0
    assert branch.floor.explain("c1", 29.0).agents[1].words == "held back until the queue is in need"
    assert branch.decisions(30.0) == {"c1": ("bo",)}
    assert branch.floor.decide(30.0)[0].why.reserve
    branch.join("c2", "sales", 5.0)
    assert branch.decisions(6.0) == {"c1": ("bo",)}            # two wait
    branch.agent("ann", idle_since=6.0)
    assert branch.decisions(6.0) == {"c1": ("ann",), "c2": ("bo",)}


@pytest.mark.need(10)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=8),
       st.lists(st.tuples(st.sampled_from(["ann", "bo", "cai", "di"]), st.integers(0, 5)),
                unique_by=lambda row: row[0]))
def test_lists_of_agents_alone_are_served_in_order_of_joining_by_the_longest_idle(
        joins: Sequence[tuple[str, int]], free: Sequence[tuple[str, int]]) -> None:
    members = {"a": ["ann", "bo", "cai"], "b": ["cai", "di"]}
    branch = Branch([queue(name, agents=names) for name, names in members.items()],
                    [agent(name) for name in ("di", "cai", "bo", "ann")])
    at = 0
    for number, (name, later) in enumerate(joins):
        at += later
        branch.join(f"c{number}", name, at)
    for name, since in free:
        branch.agent(name, idle_since=float(since))
    expected, left = {}, sorted(free, key=lambda row: (row[1], row[0]))
    for number, (name, _) in enumerate(joins):
        first = next((row for row in left if row[0] in members[name]), None)
        if first is not None:
            left.remove(first)
            expected[f"c{number}"] = (first[0],)
    assert branch.decisions(100.0) == expected


@pytest.mark.need(10)
def test_priority_is_a_head_start_which_waiting_makes_up_for() -> None:
    """A level counts as 10 s: who has waited 100 s longer goes before a priority of 10, however many come."""
    main = queue("main", agents=["ann"])
    branch = Branch([main], [agent("ann")], grades={"gold": 4})
    branch.agent("ann")
    branch.join("patient", "main", 0.0)
    branch.join("gold", "main", 39.0, grade="gold")
    assert list(branch.decisions(40.0)) == ["gold"]
    branch.floor.contact_gone("gold")
    for number in range(50):
        branch.join(f"late{number}", "main", 100.0 + number, priority=10)
    assert list(branch.decisions(200.0)) == ["patient"]       # the line decides between equal places
    why = branch.floor.decide(200.0)[0].why
    assert (why.behind, why.unfit) == (0, 0)


@pytest.mark.need(10)
def test_a_priority_changes_while_somebody_waits() -> None:
    branch = Branch([queue("main", agents=["ann"])], [agent("ann")])
    branch.agent("ann")
    for name in ("c1", "c2", "c3"):
        waiting = branch.join(name, "main", 5.0)
    assert list(branch.decisions(9.0)) == ["c1"] and branch.floor.position("c3") == 3
    branch.floor.contact(waiting._replace(priority=1))
    assert list(branch.decisions(9.0)) == ["c3"] and branch.floor.position("c3") == 1


@pytest.mark.need(10)
def test_every_service_out_of_order_has_its_reason() -> None:
    queues = [queue("main", agents=["ann", "bo"]), queue("tech", agents=["bo"])]
    branch = Branch(queues, [agent("ann"), agent("bo")])
    branch.agent("ann")
    branch.join("early", "tech", 0.0, priority=9)
    branch.join("second", "main", 1.0)
    branch.join("vip", "main", 2.0, priority=5)
    match, = branch.floor.decide(3.0)
    assert (match.contact, match.why.behind, match.why.unfit) == ("vip", 1, 1)
    assert match.why.passed == ("early", "second")
    assert match.why.in_words() == (
        "the only one free; before 1 who began to wait earlier and come later in the order; "
        "before 1 who began to wait earlier and ask for others")
    assert branch.floor.explain("second", 3.0).before == 2


@pytest.mark.need(10)
def test_a_queue_with_the_shorter_goal_goes_first_and_one_that_misses_it_sooner_still() -> None:
    queues = [queue("slow", agents=["ann"], service_level={"within_s": 180}),
              queue("fast", agents=["ann"], service_level={"within_s": 20})]
    branch = Branch(queues, [agent("ann")], order="service-level")
    branch.agent("ann")
    branch.join("s", "slow", 0.0)
    branch.join("f", "fast", 150.0)               # due at 170, the other one at 180
    assert list(branch.decisions(160.0)) == ["f"]
    for waited_s in (200.0, 300.0, 10.0, 400.0):  # of slow only a quarter was answered in time
        branch.history.talked("slow", "ann", "", 0.0, waited_s, None)
    assert list(branch.decisions(160.0)) == ["s"]


@pytest.mark.need(10)
def test_a_contact_that_is_nobodys_does_not_hold_up_the_others() -> None:
    """The queue goes on behind somebody whom no free agent may serve."""
    main = queue("main", agents=["ann", "bo"])
    branch = Branch([main], [agent("ann"), agent("bo", tech=5)])
    branch.agent("ann")
    branch.join("c1", "main", skills=(("tech", 3),))
    branch.join("c2", "main")
    assert branch.decisions(0.0) == {"c2": ("ann",)}


def test_contacts_that_are_gone_leave_nothing_behind() -> None:
    """Rings of a day, and thousands of contacts: what is kept is for those who wait."""
    main = queue("main", skills={"tech": 5}, rings=[{"after_s": 86400, "drop": ["tech"]}])
    branch = Branch([main], [agent("ann", tech=9)])
    branch.join("stays", "main", 1.0)
    for number in range(5000):
        branch.join(f"c{number}", "main", 2.0)
        branch.floor.contact_gone(f"c{number}")
    assert len(branch.floor._lines._widening) < 1100
    assert branch.floor.next_change(2.0) == 86401.0
